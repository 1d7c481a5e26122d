"""What an operator's word has settled of a key, in sentences (rules R11): by which entry, when, and
how many contents it refused."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from anyorder._core.event import DELETE, Event
from anyorder._core.families import AdoptedVersion
from anyorder._core.memory import Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.shown import columns_at, marked
from anyorder.guard.chosen import chosen_at
from anyorder.guard.contract import Entry, EntryQuery, TableSpec, Transaction
from anyorder.guard.holdings import dispute_at, is_dispute
from anyorder.guard.values import AGAIN

BY_WORD = frozenset({"accepted", "dropped"})
FEW = {2: "two", 3: "three", 4: "four", 5: "five"}
GONE = "by an operator's word (its entry is gone)"
ONLY = "Only something newer, or another word, changes {}."
NEW = (
    "A content of {clock}, which {which} settled, {otherwise}. Nothing moves until somebody "
    "accepts it; anything newer ends it."
)


class Said:
    """Of one key: its memory, the columns of its table, and its entries of every state."""

    def __init__(
        self,
        transaction: Transaction,
        spec: TableSpec,
        memory: Memory | None,
        columns: Collection[str],
        entries: Sequence[Entry],
        entity: str,
    ) -> None:
        self._entity = entity
        self._transaction = transaction
        self._spec = spec
        self._memory = memory
        self._columns = columns
        self._closed = [entry for entry in entries if entry.state in BY_WORD]

    def sentences(self) -> list[str]:
        """What a word has settled, position by position."""
        memory = self._memory
        told: list[str] = []
        if memory is not None:
            # What lay there at adoption is told as that.
            by_word = (stamp for stamp in marked(memory) if not _is_of_row(stamp))
            told += [self._settled(memory, stamp) for stamp in by_word]
        elif self._closed:
            # Of what was reaped the closed entry is all that is known.
            last = self._closed[-1]
            told.append(f"Entry {last.id} was settled by an operator's word{_on(last)}.")
        return told

    def of_new(self, entry: Entry) -> str:
        """What an open entry says of a position that a word has settled; "" of any other."""
        event = self._transaction.event(entry.id)
        memory = self._memory
        if memory is None or event is None or not is_dispute(entry):
            return ""
        stamps = chosen_at(memory, event)
        # Nobody has said a word about it.
        if not stamps:
            return ""
        stamp = stamps[0]
        closed = self._entry_of(stamp)
        which = "the adopted row" if _is_of_row(stamp) else "a word"
        if closed is not None:
            which = f"entry {closed.id}"
        return NEW.format(
            clock=_clock(stamp),
            which=which,
            otherwise=_otherwise(self._other_columns(event, memory, stamp)),
        )

    def _other_columns(self, event: Event, memory: Memory, stamp: Stamp) -> list[str]:
        """The columns of this stamp's position that the event tells otherwise than the row."""
        columns = columns_at(memory, stamp.position, self._columns)
        row = self._transaction.content(self._spec, event.key or {})
        if event.kind is DELETE or row is None:
            return columns
        fields = event.fields or {}
        told = [column for column in columns if event.names(column)]
        # A store may spell a value in its own way: what only seems to differ is named.
        return [column for column in told if fields.get(column) != row.get(column)]

    def _settled(self, memory: Memory, stamp: Stamp) -> str:
        entry = self._entry_of(stamp)
        columns = columns_at(memory, stamp.position, self._columns)
        if not memory.live:
            return f"It is deleted, {_ended(stamp, entry)}."
        # It chose an end that lies before the row.
        if not columns:
            return f"What was before {_clock(stamp)} was ended, {_ended(stamp, entry)}."
        names = ", ".join(columns)
        them = "them"
        if len(columns) == 1:
            them = "it"
        only = ONLY.format(them)
        if entry is None:
            return f"{names}: settled at {_clock(stamp)} {GONE}. {only}"
        which = f"entry {entry.id}{_on(entry)}{_refused(entry)}"
        return f"{names}: settled by an operator's word at {_clock(stamp)} ({which}). {only}"

    def _entry_of(self, stamp: Stamp) -> Entry | None:
        """The latest entry of the stamp's position that a word has closed, with what it lists."""
        dispute = dispute_at(stamp.position)
        # The position's later disputes, and what was held alone.
        later = (f"{dispute}{AGAIN}", f"{stamp.position.identity()} ")
        for entry in reversed(self._closed):
            told = entry.identity
            if told == dispute or told.startswith(later):
                return self._transaction.entry(entry.id)
        return self._of_no_table(stamp)

    def _of_no_table(self, stamp: Stamp) -> Entry | None:
        """The entry of the stamp's position that was held before any [[table]] took it."""
        query = EntryQuery("accepted", "", self._entity, Reason.UNROUTED)
        # Its source comes before, and the place of its delivery behind (holdings.py).
        position = f" {stamp.position.identity()} "
        for entry in self._transaction.entries(query):
            if not entry.table and position in entry.identity:
                return self._transaction.entry(entry.id)
        return None


def _ended(stamp: Stamp, entry: Entry | None) -> str:
    """By whose word something ended, and between how many contents."""
    if entry is None:
        return GONE
    count = len(entry.contents)
    where = f"at {_clock(stamp)}"
    if count > 1:
        number = FEW.get(count, count)
        where = f"between {number} contents of {_clock(stamp)}"
    return f"by an operator's word {where} (entry {entry.id})"


def _otherwise(columns: Sequence[str]) -> str:
    # Of a row that is deleted there is none to name.
    if not columns:
        return "says otherwise"
    return f"says otherwise of {', '.join(columns)}"


def _is_of_row(stamp: Stamp) -> bool:
    """Is it of a row that was adopted at a version of its own?"""
    return isinstance(stamp.position, AdoptedVersion)


def _clock(stamp: Stamp) -> str:
    if isinstance(stamp.position, AdoptedVersion):
        return stamp.position.version_text
    return stamp.position.describe().clock


def _on(entry: Entry) -> str:
    """When it was closed; nothing of an entry that was closed before that was kept."""
    if not entry.closed:
        return ""
    moment = time.gmtime(entry.closed)
    return f", {moment.tm_mday} {time.strftime('%b %H:%M', moment)}"


def _refused(entry: Entry) -> str:
    refused = sum(not content.chosen for content in entry.contents)
    if not refused:
        return ""
    others = "other contents"
    if refused == 1:
        others = "other content"
    return f"; {refused} {others} refused"
