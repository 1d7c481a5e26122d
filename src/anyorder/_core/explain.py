"""Decisions as sentences that a tired person understands at 3 a.m."""

from __future__ import annotations

from anyorder._core.batch import Decision
from anyorder._core.columns import holes
from anyorder._core.event import Event, Kind
from anyorder._core.families.floor_entry import parse
from anyorder._core.families.timestamp import utc
from anyorder._core.floor import Floor
from anyorder._core.fold import stamp_of
from anyorder._core.memory import Memory, Stamp
from anyorder._core.names import in_words
from anyorder._core.outcome import REASONS, Reason


def explain(decision: Decision) -> str:
    """One decision: what happened, by which evidence, and what to do if anything."""
    event, meaning = decision.event, REASONS[decision.reason]
    # What could not be decoded has no position, only a place in its topic.
    where = event.delivery.place
    if event.position is not None:
        where = event.position.text()
    parts = [f"{_subject(event)} ({where}) {meaning.sentence}{_evidence(decision)}."]
    note = decision.detail or event.note
    if note:
        parts.append(f"{note}.")
    if decision.quarantined:
        parts.append(meaning.to_do)
    return " ".join(parts)


def contradiction(event: Event, stored: Stamp) -> str:
    """Why a key's versions are suspected, with both places (rules R13)."""
    return (
        f"{describe(stamp_of(event))} and {describe(stored)} contradict each other: the versions "
        "of this key seem to have started again"
    )


def awaited(event: Event, stored: Stamp | None) -> str:
    """What an event waits for that the clocks cannot decide yet. `stored`: what it was compared
    with."""
    if event.kind is Kind.HINT:
        return "it follows a delete of its key, which has not come"
    if stored is None:
        return ""
    return (
        f"it and {describe(stored)} are of two runs of their connector: it waits for a snapshot "
        "record of the later run, or until that run tells the earlier one's event again"
    )


def _subject(event: Event) -> str:
    """What it was of what: `The upsert of users {"id":1}`."""
    words = ["The", event.kind.words]
    if event.table:
        words += ["of", event.table]
    if event.key is not None:
        words.append(event.entity)
    return " ".join(words)


def _evidence(decision: Decision) -> str:
    """By what it was judged, in the middle of a sentence."""
    against = decision.against
    if isinstance(against, Stamp) and decision.reason is not Reason.APPLIED:
        return f", namely {_what(against)} from {against.position.text()}"
    # An empty floor has forgotten nothing, so it refused nothing.
    if isinstance(against, Floor) and against:
        return f"; the floor is {floor_text(against)}"
    return ""


def _what(stamp: Stamp) -> str:
    return "a row" if stamp.is_put else "a tombstone"


def floor_text(floor: Floor) -> str:
    """A floor's entries for people: `pg:main at LSN 0/16B3F80, shop.public.users/3 offset 8`."""
    # By name, so that the same floor is always told in the same words.
    entries = sorted(floor.entries.items())
    return ", ".join(parse(*entry).text() for entry in entries) or "nothing forgotten"


def explain_memory(subject: str, memory: Memory | None, columns: set[str]) -> list[str]:
    """What is remembered of a key: the event that won, where inherited columns came from, what
    nobody has told."""
    if memory is None:
        return [
            f"{subject}: nothing is remembered. "
            "No event of it was accepted, or its tombstone was forgotten."
        ]
    shown = "a row" if memory.live else "deleted (a tombstone)"
    sentences = [f"{subject}: {shown}, by {describe(memory.stamp)}.", *_inherited(memory)]

    # What the row lacks, what is doubtful in it, and whose word it is: each in its own sentence.
    missing = holes(memory, columns)
    if missing:
        sentences.append(f"Incomplete: no delivered event has told {', '.join(missing)}.")
    if memory.disputed:
        names = ", ".join(in_words(column, "all columns") for column in sorted(memory.disputed))
        sentences.append(
            f"Disputed: two different events claim this position ({names}); "
            "the same one is shown whatever came first."
        )
    if memory.bound is not None:
        sentences.append(
            "An operator's word began this life of the key; what was told up to "
            f"{utc(memory.bound.time)} is of the lives before."
        )
    if memory.declared is not None:
        sentences.append(
            "Its row was put there by an operator's word; "
            "an event above the floor of that moment makes it ordinary again."
        )
    return sentences


def _inherited(memory: Memory) -> list[str]:
    """The columns that other events have told, a sentence an event."""
    told: dict[str, list[str]] = {}
    for column, cell in sorted((memory.cells or {}).items()):
        # What is no stamp is the row's own, or told by nobody.
        if isinstance(cell, Stamp):
            told.setdefault(describe(cell), []).append(in_words(column, "the other columns"))
    return [f"{', '.join(names)}: told by {event}." for event, names in told.items()]


def describe(stamp: Stamp) -> str:
    """An event in words: what it was, where in its source's history, when by its source's clock."""
    told, time = stamp.position.describe(), stamp.position.time
    # Versions and offsets do not say what happened; the stamp's rank does.
    act = told.act
    if not act:
        act = "an upsert" if stamp.is_put else "a delete"
    place = "no time"
    if time is not None:
        place = utc(time)
    if told.transport:
        place = f"{place}, {told.transport}"
    return f"{act} at {told.clock} ({place})"
