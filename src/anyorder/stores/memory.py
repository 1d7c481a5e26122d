"""A store in this process's memory, for tests: the contract in its plainest form. One lock, and a
copy to roll back to."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, NamedTuple

import msgspec
from msgspec import json

from anyorder._core.batch import Held
from anyorder._core.decide import forget
from anyorder._core.event import Delivery, Event, canonical
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder._core.key import Kinds
from anyorder._core.memory import Memory, adopted, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder.guard.contract import (
    Catalogued,
    Closing,
    Content,
    Decode,
    Entry,
    EntryQuery,
    Finding,
    Holding,
    Listing,
    Lost,
    News,
    Promises,
    Recorded,
    Refused,
    Remembered,
    TableFacts,
    TableSpec,
    Word,
    Write,
)

replace = msgspec.structs.replace


class Row(NamedTuple):
    """A key, its packed memory and when it was written."""

    key: dict[str, object]
    memory: str
    since: float


class State:
    """Everything the store holds. `rows` are the user's tables."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, dict[str, object]]] = {}
        self.memories: dict[str, dict[str, Row]] = {}
        self.limits: dict[str, Limits] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        self.entries: dict[int, Entry] = {}
        self.retries: set[int] = set()
        self.runs: dict[str, tuple[str, ...]] = {}
        self.growths: dict[str, Growth] = {}
        self.frontiers: dict[str, str] = {}
        self.catalogue: dict[str, Recorded] = {}

    def copied(self) -> State:
        """Two levels deep; what lies below is immutable or replaced whole."""
        state = State()
        for name, value in vars(self).items():
            setattr(
                state,
                name,
                {k: copy.copy(v) for k, v in value.items()}
                if isinstance(value, dict)
                else set(value),
            )
        return state


class MemoryStore:
    """`decode` turns a held delivery back into its event. `state.rows[table][entity]` are the rows,
    for tests to look at."""

    promises = Promises(
        "memory",
        guard="one lock",
        memory="beside, in one dictionary",
        forgets=True,
        one_transaction=True,
        exact_outcome=True,
        note="for tests; nothing is kept",
    )

    def __init__(self, decode: Decode | None = None) -> None:
        self.decode = decode
        self.state = State()
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[MemoryTransaction]:
        with self._lock:
            before = self.state.copied()
            try:
                yield MemoryTransaction(self.state, now, self.decode)
            except BaseException:
                self.state = before
                raise
            if dry:
                self.state = before

    def reading(self) -> AbstractContextManager[MemoryTransaction]:
        return self.transaction(0.0, dry=True)

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        with self.transaction(before) as transaction:
            limits, memories = transaction.open_table(spec), self.state.memories[spec.name]
            old = [
                e
                for e, row in memories.items()
                if row.since <= before and not unpack(row.memory).live
            ][:limit]
            for entity in old:
                limits = forget(limits, unpack(memories.pop(entity).memory).greatest)
            transaction.save_limits(spec, limits)
            return len(old)

    def check(self, spec: TableSpec) -> Iterator[Finding]:
        yield (
            "the store",
            "nothing is kept: it lies in this process's memory",
            "use it in tests only",
        )

    def close(self) -> None:
        return None


class MemoryAddress(msgspec.Struct, frozen=True):
    """`memory://`: a new store each time; what follows says nothing."""

    promises: ClassVar[Promises] = MemoryStore.promises

    def open(self, decode: Decode | None) -> MemoryStore:
        """An empty store."""
        return MemoryStore(decode)

    open_dry = open
    open_looking = open

    def missing(self) -> str:
        """It is there as soon as it is opened."""
        return ""

    def is_made(self) -> bool:
        """It is there as soon as it is opened."""
        return True

    @staticmethod
    def ddl(tables: Sequence[str]) -> None:
        """There is none."""


class MemoryTransaction:
    """See `contract.Transaction`."""

    atomic = True

    def __init__(self, state: State, now: float, decode: Decode | None) -> None:
        self._state = state
        self._now = now
        self._decode = decode
        self._asked = False

    def open_table(self, spec: TableSpec) -> Limits:
        self._state.rows.setdefault(spec.name, {})
        self._state.memories.setdefault(spec.name, {})
        self._state.keys.setdefault(spec.name, spec.key)
        limits = self._state.limits.setdefault(spec.name, Limits())
        return Limits(
            Floor(limits.floor.entries, spec.partitions), limits.truncated, self.lineage()
        )

    def key_kinds(self, spec: TableSpec) -> Kinds:
        return {}

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        memories, wanted = self._state.memories[spec.name], set(entities)
        held: dict[str, list[Held]] = {}
        for entry in self._state.entries.values():
            if (
                entry.state == "open"
                and entry.table == spec.name
                and spec.writes_rows
                and self._decode is not None
            ):
                for one in _told(entry):
                    event = self._decode(one.provenance, one.delivery or Delivery())
                    if event.key is not None and event.entity in wanted:
                        held.setdefault(event.entity, []).append(
                            Held(entry.id, event, one.provenance, one.number)
                        )
        found = {e: unpack(memories[e].memory) for e in wanted if e in memories}
        if spec.adopt != "refuse":
            for entity in (wanted & self._state.rows[spec.name].keys()) - found.keys():
                found[entity] = adopted(self._state.limits[spec.name].floor)
        return {
            e: Remembered(found.get(e), tuple(held.get(e, ()))) for e in found.keys() | held.keys()
        }

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        # What was refused before may be taken now.
        if writes:
            self._asked = False
        gone: list[Refused | Lost] = []
        for write in writes:
            if self._is_gone(spec, write):
                gone.append(Refused(write.entity, Reason.CONFLICT, "its row is gone"))
                continue
            self._state.keys[spec.name] = self._state.keys[spec.name] or tuple(write.key)
            rows = self._state.rows[spec.name]
            row = write.row(rows.pop(write.entity, None))
            if row is not None:
                rows[write.entity] = row
            if write.after is None:
                self._state.memories[spec.name].pop(write.entity, None)
            else:
                self._state.memories[spec.name][write.entity] = Row(
                    write.key, pack(replace(write.after, token=token)), self._now
                )
        return gone

    def name_columns(self, spec: TableSpec, columns: Set[str]) -> None:
        """A row has the columns that are told of it, whatever others have."""

    def _is_gone(self, spec: TableSpec, write: Write) -> bool:
        """Is the row not there of which a part is to be written?"""
        before, after, written = write.before, write.after, write.written
        if before is None or after is None or written is None or written.replaces:
            return False
        is_row = before.live and after.live and spec.writes_rows
        return is_row and write.entity not in self._state.rows[spec.name]

    def news(self, spec: TableSpec) -> News:
        return News()

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        return self._state.rows[spec.name].get(canonical(key))

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        return [self._hold(holding) for holding in holdings]

    def _hold(self, holding: Holding) -> Listing:
        key = holding.event.key if holding.entity else None
        there = [
            e for e in self._state.entries.values() if (e.table, e.key) == (holding.table, key)
        ]
        alone = _alone(there, holding)
        if alone is not None:
            self.settle(alone.id, "settled", Reason.CONFLICT)
            there = [self._state.entries[one.id] for one in there]
        known = _listing(there, holding)
        entry = self._entry_for(there, holding, key) if known is None else self._kept(known)
        if entry.state == "open":
            entry = replace(entry, contents=_with(entry.contents, holding.contents))
        self._state.entries[entry.id] = replace(entry, count=entry.count + 1, last_seen=self._now)
        return known or Listing(entry.id, is_new=alone is None)

    def _kept(self, kept: Listing) -> Entry:
        return self._state.entries[kept.entry]

    def _entry_for(
        self, there: Sequence[Entry], holding: Holding, key: dict[str, object] | None
    ) -> Entry:
        """The entry that a delivery goes into: an open one of its position, a settled one that is
        open again, or a new one."""
        last = _last(there, holding)
        if last is not None and last.state == "open":
            return last
        identity = holding.identity
        if last is not None and last.state != "settled":
            identity, last = holding.identity_after(last.identity), None
        number = last.id if last is not None else len(self._state.entries) + 1
        detail = holding.detail or holding.event.note
        if holding.retry:
            self._state.retries.add(number)
        return Entry(
            number,
            holding.table,
            key,
            holding.reason.value,
            detail,
            "open",
            self._now,
            self._now,
            0,
            identity,
            holding.event.delivery if last is None else last.delivery,
            holding.provenance if last is None else last.provenance,
            contents=() if last is None else last.contents,
        )

    def settle(self, entry: int, state: str, reason: Reason, word: Word | None = None) -> None:
        held = self._state.entries[entry]
        # A word that was given stays.
        if held.state != "open":
            return
        detail = f"{held.detail}; then {reason.value}" if held.detail else reason.value
        chosen, listed, _ = word or Word()
        contents = [replace(one, chosen=one.number in chosen) for one in held.contents]
        self._state.entries[entry] = replace(
            held,
            state=state,
            detail=detail,
            last_seen=self._now,
            closed=self._now,
            contents=_with(contents, listed),
        )

    def settle_all(self, closings: Sequence[Closing]) -> None:
        for one in closings:
            self.settle(one.entry, one.state, one.reason, one.word)

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        held = self._state.entries[entry]
        if held.state == "open":
            self._state.entries[entry] = replace(
                held, reason=reason.value, detail=detail, provenance=provenance
            )

    def held_entities(self, spec: TableSpec) -> list[str]:
        found = [
            e
            for e in self._state.entries.values()
            if e.state == "open" and e.table == spec.name and e.key is not None
        ]
        return sorted({canonical(e.key) for e in found})

    def try_again(self, entry: int) -> None:
        self._state.retries.add(entry)

    def settleable(self) -> list[tuple[str, str]]:
        # It refuses nothing itself; a store that is made from it may, and cannot say why.
        asked, self._asked = self._asked, True
        if asked:
            return []
        held = (self._state.entries[number] for number in sorted(self._state.retries))
        return [(e.table, canonical(e.key)) for e in held if e.state == "open" and e.key]

    def ring(self, spec: TableSpec, event: Event) -> list[str]:
        return []

    def postpone(self, table: str, entity: str) -> None:
        """Nothing that it does undoes a transaction."""

    def memories(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        known, rows = self._state.memories[spec.name], self._state.rows[spec.name]
        for entity, row in tuple(known.items()):
            yield entity, row.key, unpack(row.memory)
        if spec.adopt != "refuse":
            for entity in sorted(rows.keys() - known.keys()):
                yield entity, json.decode(entity), adopted(self._state.limits[spec.name].floor)

    def save_limits(self, spec: TableSpec, limits: Limits) -> None:
        self._state.limits[spec.name] = Limits(limits.floor, limits.truncated)

    def lineage(self) -> Lineage:
        return dict(self._state.runs)

    def add_run(self, scope: str, run: str) -> None:
        self._state.runs[scope] = tuple(sorted({*self._state.runs.get(scope, ()), run}))

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, Growth]:
        return {s: g for s, g in self._state.growths.items() if scopes is None or s in scopes}

    def save_growths(self, growths: dict[str, Growth]) -> None:
        self._state.growths.update(growths)

    def frontier(self, source: str) -> str | None:
        return self._state.frontiers.get(source)

    def save_frontier(self, source: str, position: str) -> None:
        self._state.frontiers[source] = position

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        for entry in tuple(self._state.entries.values()):
            if query.selects(entry):
                yield replace(entry, delivery=None, contents=())

    def open_entries(self) -> int:
        return sum(entry.state == "open" for entry in self._state.entries.values())

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        return {one for one in numbers if self._state.entries[one].state == "open"}

    def entry(self, number: int) -> Entry | None:
        return self._state.entries.get(number)

    def entries_among(self, numbers: Sequence[int]) -> list[Entry]:
        found = map(self.entry, numbers)
        return [entry for entry in found if entry is not None]

    def event(self, number: int) -> Event | None:
        entry = self._state.entries.get(number)
        return (
            None
            if entry is None or entry.delivery is None or self._decode is None
            else self._decode(entry.provenance, entry.delivery)
        )

    def tables(self) -> list[TableFacts]:
        return [self._facts(name) for name in sorted(self._state.memories)]

    def _facts(self, name: str) -> TableFacts:
        live = sum(unpack(row.memory).live for row in self._state.memories[name].values())
        rows, count = self._state.rows[name], len(self._state.memories[name])
        return TableFacts(
            name,
            self._state.keys[name],
            self._columns(name),
            len(rows),
            live,
            count - live,
            replace(self._state.limits[name], lineage=self.lineage()),
        )

    def catalogue(self) -> list[Catalogued]:
        keys, recorded = self._state.keys, self._state.catalogue
        return [
            Catalogued(name, keys[name], recorded.get(name), self._columns(name))
            for name in sorted(keys)
        ]

    def _columns(self, name: str) -> tuple[str, ...]:
        rows = self._state.rows[name].values()
        return tuple(dict.fromkeys(column for row in rows for column in row))

    def recorded(self, table: str) -> Recorded | None:
        return self._state.catalogue.get(table)

    def same_table(self, table: str) -> str:
        return table

    def unfit(self, table: str) -> str:
        return ""

    def obstacle(self, spec: TableSpec) -> str:
        return ""

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        opened = table in self._state.keys
        if not opened or self._state.catalogue.get(table) != before:
            return False
        self._state.catalogue[table] = after
        return True

    def quarantine_size(self) -> int:
        return sum(
            len(e.delivery.value or b"")
            for e in self._state.entries.values()
            if e.delivery is not None
        )


def _told(entry: Entry) -> list[Content]:
    """What an entry holds that came by a delivery."""
    own = Content(0, entry.identity, entry.delivery, entry.provenance)
    return [one for one in entry.contents or (own,) if one.delivery is not None]


def _listing(there: Sequence[Entry], holding: Holding) -> Listing | None:
    """What the latest entry says that lists this delivery, and is open or closed by a word."""
    # A dispute is of a position, not of one content.
    names = {holding.content, "" if holding.contents else holding.identity} - {""}
    states = {"open"} if holding.claims else {"open", "accepted", "dropped"}
    for entry in reversed(there):
        found = [one for one in entry.contents if one.identity in names]
        if entry.state in states and (found or entry.identity in names):
            chosen = found[0].chosen if found else entry.state == "accepted"
            return Listing(entry.id, False, entry.state, chosen)
    return None


def _alone(there: Sequence[Entry], holding: Holding) -> Entry | None:
    """The open entry that holds alone what a dispute lists from now on."""
    for entry in there:
        is_alone = entry.state == "open" and entry.identity == holding.content
        if holding.contents and is_alone:
            return entry
    return None


def _last(there: Sequence[Entry], holding: Holding) -> Entry | None:
    """The latest entry of this identity."""
    for entry in reversed(there):
        if entry.identity == holding.identity or entry.identity.startswith(holding.later):
            return entry
    return None


def _with(listed: Sequence[Content], contents: Sequence[Content]) -> tuple[Content, ...]:
    """What an entry lists, and what is new to it of these contents."""
    found = list(listed)
    for one in contents:
        if one.identity not in {each.identity for each in found}:
            found.append(replace(one, number=len(found) + 1))
    return tuple(found)
