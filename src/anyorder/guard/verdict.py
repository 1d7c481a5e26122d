"""What an operator's word has settled of a key, in sentences (rules R11): by which entry, when, and
how many contents it refused."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from anyorder._core.event import DELETE, Event
from anyorder._core.memory import Memory, Stamp
from anyorder._core.shown import columns_at, marked, stamps_at
from anyorder.guard.contract import Entry, Transaction
from anyorder.guard.holdings import DISPUTE, is_dispute

BY_WORD = frozenset({"accepted", "dropped"})
FEW = {2: "two", 3: "three", 4: "four", 5: "five"}
GONE = "by an operator's word (its entry is gone)"


class Verdict:
    """Of one key: its memory, the columns of its table, and its entries of every state."""

    def __init__(
        self,
        transaction: Transaction,
        memory: Memory | None,
        columns: Collection[str],
        entries: Sequence[Entry],
    ) -> None:
        self._transaction = transaction
        self._memory = memory
        self._columns = columns
        self._closed = [entry for entry in entries if entry.state in BY_WORD]

    def sentences(self) -> list[str]:
        """What a word has settled, position by position."""
        memory = self._memory
        if memory is not None:
            return [self._settled(memory, stamp) for stamp in marked(memory)]
        # Of what was reaped the closed entry is all that is known.
        if not self._closed:
            return []
        last = self._closed[-1]
        return [f"Entry {last.id} was settled by an operator's word{_on(last)}."]

    def of_new(self, entry: Entry) -> str:
        """What an open entry says of a position that a word has settled; "" of any other."""
        memory, event = self._memory, self._transaction.event(entry.id)
        if memory is None or event is None or event.position is None:
            return ""
        stamps = [one for one in stamps_at(memory, event.position) if one.is_marked]
        # Nobody has said a word about it.
        if not stamps or not is_dispute(entry):
            return ""
        closed = self._entry_of(stamps[0])
        which = "a word" if closed is None else f"entry {closed.id}"
        names = _told_of(event, columns_at(memory, event.position, self._columns))
        otherwise = f"says otherwise of {', '.join(names)}" if names else "says otherwise"
        return (
            f"A content of {_clock(stamps[0])}, which {which} settled, {otherwise}. Nothing moves "
            "until somebody accepts it; anything newer ends it."
        )

    def _settled(self, memory: Memory, stamp: Stamp) -> str:
        entry = self._entry_of(stamp)
        columns = columns_at(memory, stamp.position, self._columns)
        if not memory.live:
            return f"It is deleted, {self._ended(stamp, entry)}."
        # It chose an end that lies before the row.
        if not columns:
            return f"What was before {_clock(stamp)} was ended, {self._ended(stamp, entry)}."
        names, them = ", ".join(columns), "them" if len(columns) > 1 else "it"
        only = f"Only something newer, or another word, changes {them}."
        if entry is None:
            return f"{names}: settled at {_clock(stamp)} {GONE}. {only}"
        refused = _refused(entry)
        return (
            f"{names}: settled by an operator's word at {_clock(stamp)} (entry {entry.id}"
            f"{_on(entry)}{refused}). {only}"
        )

    def _ended(self, stamp: Stamp, entry: Entry | None) -> str:
        if entry is None:
            return GONE
        count = len(entry.contents)
        where = f"at {_clock(stamp)}"
        if is_dispute(entry) and count > 1:
            where = f"between {FEW.get(count, count)} contents of {_clock(stamp)}"
        return f"by an operator's word {where} (entry {entry.id})"

    def _entry_of(self, stamp: Stamp) -> Entry | None:
        """The latest entry of the stamp's position that a word has closed, with what it lists."""
        position = stamp.position.identity()
        beginnings = (f"{DISPUTE}{position} #", f"{position} ")
        for entry in reversed(self._closed):
            told = entry.identity
            if told == f"{DISPUTE}{position}" or told.startswith(beginnings):
                return self._transaction.entry(entry.id)
        return None


def _told_of(event: Event, columns: Sequence[str]) -> list[str]:
    """Those of these columns that an event touches."""
    return [column for column in columns if event.kind is DELETE or event.names(column)]


def _clock(stamp: Stamp) -> str:
    return stamp.position.describe().clock


def _on(entry: Entry) -> str:
    """When it was closed; nothing of an entry that was closed before that was kept."""
    if not entry.closed:
        return ""
    moment = time.gmtime(entry.closed)
    return f", {moment.tm_mday} {time.strftime('%b %H:%M', moment)}"


def _refused(entry: Entry) -> str:
    refused = sum(1 for one in entry.contents if not one.chosen)
    if not refused:
        return ""
    return f"; {refused} other content{'s' if refused > 1 else ''} refused"
