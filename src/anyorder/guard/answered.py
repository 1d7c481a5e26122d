"""What is held and a word is for, and what the word came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from anyorder._core.batch import Decision
from anyorder._core.event import Event, Kind
from anyorder._core.explain import explain
from anyorder.guard.choice import Choice, event_in
from anyorder.guard.contents import Closing, Content, Word
from anyorder.guard.contract import Decode, Entry, TableSpec
from anyorder.guard.own_sql import DELIVER_AGAIN, is_by_own_sql

UNREADABLE = frozenset({Kind.MALFORMED, Kind.NO_CONTENT})


class Unaccepted(NamedTuple):
    """Why a held delivery was not accepted, as a sentence. `by_store`: the store refused it, and
    may take it after another."""

    why: str
    by_store: bool = False


class Accepted(NamedTuple):
    """What became of a held delivery. `counted`: was the word needed? `closes`: what else the entry
    lists, as a sentence."""

    decision: Decision
    counted: bool
    closes: str = ""

    def __str__(self) -> str:
        whose = "It needed no word by now"
        if self.counted:
            whose = "By your word"
        told = f"{whose}. {explain(self.decision)}"
        if self.closes:
            told = f"{told} {self.closes}"
        return told


Answered = dict[int, Accepted | Unaccepted]
"""By the entry's number."""


def closings_of(answered: Answered, words: Mapping[int, Word]) -> list[Closing]:
    """How the entries of what was accepted are closed. `words`: what was chosen, by the entry's
    number, of those that list several contents."""
    closings: list[Closing] = []
    for number, answer in answered.items():
        if isinstance(answer, Accepted):
            reason, word = answer.decision.reason, words.get(number)
            closings.append(Closing(number, "accepted", reason, word))
    return closings


class Kept(NamedTuple):
    """An open entry, and the event of it that a word is for, as it is read now. `content`: its
    number there."""

    entry: Entry
    event: Event
    content: int = 1


def kept_now(
    entry: Entry,
    spec: TableSpec | None,
    decode: Decode,
    content: Content | None = None,
) -> Kept | Unaccepted:
    """The event of an open entry that a word may accept into this table. `content`: which, of a
    dispute's."""
    # Not even a person's word writes a row past the caller's own SQL.
    if is_by_own_sql(entry.provenance):
        return Unaccepted(DELIVER_AGAIN.format(entry))
    meant = content or Choice(entry, decode).contents[0]
    event = event_in(entry, meant, decode)
    if spec is None or event.kind in UNREADABLE:
        return Unaccepted(
            f"entry {entry.id} cannot be accepted: {event.note or 'no table matches it'}. "
            "Repair what it names, or drop it"
        )
    return Kept(entry, event, meant.number)
