"""An operator's word for many entries at once: a transaction a thousand, and what one of them is
refused for stops no other."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from anyorder._core.event import Kind
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, Undone
from anyorder.guard.answered import Accepted, Answered, Kept, Unaccepted, kept_now
from anyorder.guard.contract import Closing, Decode, Entry, Store, TableSpec, Transaction
from anyorder.guard.drop import drop
from anyorder.guard.holdings import is_dispute
from anyorder.guard.news import hear
from anyorder.guard.quarantine import Quarantine
from anyorder.guard.waiting import Settling
from anyorder.guard.word import Words

log = logging.getLogger("anyorder")
BATCH = 1000  # entries settled together, in one transaction
NEEDS_A_CONTENT = (
    "it lists several contents, and a word for many says none of them: `anyorder quarantine show "
    "{0}`, then settle it by its id"
)


class Done(msgspec.Struct):
    """What a word for many came to. `settled`: how many had settled by themselves before their
    turn; `refused`: the sentence of each that is still open, or was closed before."""

    accepted: int = 0
    dropped: int = 0
    settled: int = 0
    refused: dict[int, str] = {}


class Routed(NamedTuple):
    """The table of an open entry, and its event."""

    spec: TableSpec
    kept: Kept


class Bulk:
    """Of one store. `spec_of`: the table of an entry, None for none; it may raise
    ConfigurationError. `decode` turns a delivery back into its event."""

    def __init__(
        self,
        store: Store,
        spec_of: Callable[[Entry], TableSpec | None],
        decode: Decode,
    ) -> None:
        self._store = store
        self._spec_of = spec_of
        self._decode = decode
        self._quarantine = Quarantine(store, None, decode)
        self._done = Done()
        self._again: list[Entry] = []

    def drop(self, entries: Sequence[Entry]) -> Done:
        """Close entries and write nothing. Raises StoreError; what was committed stays."""
        self._done = Done()
        numbers = [entry.id for entry in self._open(entries)]
        for start in range(0, len(numbers), BATCH):
            self._drop(numbers[start : start + BATCH])
            log.info("%d of %d entries are dropped", self._done.dropped, len(numbers))
        return self._done

    def _drop(self, numbers: Sequence[int]) -> None:
        try:
            self._drop_together(numbers)
        except Undone:
            # What else is held of one of these keys undoes the transaction: each by itself.
            for number in numbers:
                self._drop_alone(number)

    def _drop_alone(self, number: int) -> None:
        entry = self._quarantine.show(number)
        # What came before it may have settled it.
        if entry.state != "open":
            self._done.settled += 1
            return
        try:
            self._quarantine.drop(number, self._table_of(entry))
            self._done.dropped += 1
        except ConfigurationError as problem:
            self._done.refused[number] = str(problem)

    def _drop_together(self, numbers: Sequence[int]) -> None:
        dropped = 0
        refused: dict[int, str] = {}
        with self._store.transaction(time.time()) as transaction:
            entries = transaction.entries_among(numbers)
            there = [one for one in entries if one.state == "open"]
            plain = [one for one in there if not is_dispute(one)]
            transaction.settle_all([Closing(one.id, "dropped", Reason.DUPLICATE) for one in plain])
            dropped += len(plain)
            for entry in filter(is_dispute, there):
                try:
                    self._drop_one(transaction, entry)
                    dropped += 1
                except ConfigurationError as problem:
                    refused[entry.id] = str(problem)
        self._done.dropped += dropped
        self._done.refused |= refused
        self._done.settled += len(numbers) - len(there)

    def _drop_one(self, transaction: Transaction, entry: Entry) -> None:
        drop(transaction, self._table_of(entry), entry, self._decode, secrets.token_hex(4))

    def _table_of(self, entry: Entry) -> TableSpec:
        spec = TableSpec(entry.table)
        # A word against another content of what is shown is one about its table's row.
        if entry.table:
            spec = self._spec_of(entry) or spec
        return spec

    def accept(self, entries: Sequence[Entry]) -> Done:
        """An operator's word for each (rules R11), oldest first. Raises StoreError; what was
        committed stays."""
        self._done = Done()
        left = list(self._open(entries))
        # What the store refuses it may take after another one: a child before its parent. It ends:
        # each further round needs one that was accepted.
        while left:
            self._again = []
            accepted = self._done.accepted
            for start in range(0, len(left), BATCH):
                self._accept(left[start : start + BATCH])
                log.info("%d of %d entries are accepted", self._done.accepted, len(entries))
            has_moved = self._done.accepted > accepted
            left = self._again if has_moved else []
        return self._done

    def _open(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        """The entries that are open. A closed one is the record of a word that was given."""
        for entry in entries:
            if entry.state == "open":
                yield entry
            else:
                self._done.refused[entry.id] = f"it is {entry.state} already"

    # ---- accept

    def _accept(self, entries: Sequence[Entry]) -> None:
        """Take a part in one transaction; where that is undone, in smaller ones."""
        try:
            answered = self._together(entries)
        except Undone:
            half = len(entries) // 2
            # It ends: each part is smaller than the whole.
            if half:
                self._accept(entries[:half])
                self._accept(entries[half:])
                return
            answered = self._alone(entries[0])
        for entry in entries:
            self._count(entry, answered.get(entry.id))

    def _count(self, entry: Entry, answer: Accepted | Unaccepted | None) -> None:
        # A refusal of an earlier round does not count any more.
        self._done.refused.pop(entry.id, "")
        match answer:
            case Accepted():
                self._done.accepted += 1
            case Unaccepted(why, by_store):
                self._done.refused[entry.id] = why
                if by_store:
                    self._again.append(entry)
            case None:
                self._done.settled += 1

    def _together(self, entries: Sequence[Entry]) -> Answered:
        """Accept entries in one transaction. None of them has no answer but what settled by itself
        before its turn."""
        routed, answered = self._routed(entries)
        tables = {spec.name: spec for spec, _ in routed}
        token = secrets.token_hex(4)
        with self._store.transaction(time.time()) as transaction:
            for name, spec in tables.items():
                held = [kept for there, kept in routed if there.name == name]
                for group in groups(held):
                    is_open = transaction.open_among([kept.entry.id for kept in group])
                    open_ones = [kept for kept in group if kept.entry.id in is_open]
                    answered |= Words(transaction, spec, token).give(open_ones)
            # A key that moved may settle what else is held (rules R1); and where a batch is not
            # one transaction, another writer may have moved it too.
            Settling(transaction, token, tables).run()
            hear(transaction, list(tables.values()), token)
        return answered

    def _alone(self, entry: Entry) -> Answered:
        """An entry that undoes a transaction, or what waits for it does."""
        routed, answered = self._routed([entry])
        for spec, _ in routed:
            answered[entry.id] = self._word(entry.id, spec)
        return answered

    def _word(self, number: int, spec: TableSpec) -> Accepted | Unaccepted:
        try:
            return self._quarantine.given(number, spec)
        except ConfigurationError as refused:
            return Unaccepted(str(refused))

    def _routed(self, entries: Sequence[Entry]) -> tuple[list[Routed], Answered]:
        """The tables of the open ones, and the refusals of what no word can accept."""
        routed: list[Routed] = []
        answered: Answered = {}
        with self._store.reading() as transaction:
            there = transaction.entries_among([entry.id for entry in entries])
        for entry in there:
            # What came before it may have settled it.
            if entry.state != "open":
                continue
            answer = self._read(entry)
            if isinstance(answer, Unaccepted):
                answered[entry.id] = answer
            else:
                routed.append(answer)
        return routed, answered

    def _read(self, entry: Entry) -> Routed | Unaccepted:
        # Which of several contents is right nobody can say for many at once.
        if needs_a_content(entry):
            return Unaccepted(NEEDS_A_CONTENT.format(entry.id))
        try:
            spec = self._spec_of(entry)
        except ConfigurationError as refused:
            return Unaccepted(str(refused))
        kept = kept_now(entry, spec, self._decode)
        if isinstance(kept, Unaccepted):
            return kept
        assert spec is not None
        return Routed(spec, kept)


def needs_a_content(entry: Entry) -> bool:
    """Does it list several contents of one position (rules R12)?"""
    return is_dispute(entry) and len(entry.contents) > 1


def groups(held: Sequence[Kept]) -> Iterator[list[Kept]]:
    """What can be decided together, in order: each of another key, a truncate alone."""
    group: dict[str, Kept] = {}
    for kept in held:
        # A truncate concerns every key.
        is_truncate = kept.event.kind is Kind.TRUNCATE
        entity = "" if is_truncate else kept.event.entity
        ends = is_truncate or entity in group or "" in group
        if ends and group:
            yield list(group.values())
            group = {}
        group[entity] = kept
    if group:
        yield list(group.values())
