"""A batch on DynamoDB: each key is one atomic step, the batch is not; what somebody else moved
meanwhile comes back as `Lost`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from anyorder._core.batch import Held, Settled
from anyorder._core.event import Event, key_of
from anyorder._core.floor import NOTHING_FORGOTTEN, Floor
from anyorder._core.fold import Limits
from anyorder._core.key import Kinds
from anyorder._core.memory import Memory, adopted, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder.errors import TableNotEmpty
from anyorder.guard.contract import (
    Answer,
    Catalogued,
    Closing,
    Entry,
    EntryQuery,
    Holding,
    Listing,
    News,
    Recorded,
    Refused,
    Remembered,
    TableFacts,
    TableSpec,
    Word,
    Write,
)
from anyorder.stores.dynamodb.books import Meta, growth_of, packed
from anyorder.stores.dynamodb.execute import Execution
from anyorder.stores.dynamodb.floors import EXPIRY
from anyorder.stores.dynamodb.items import DoesNotFit, memory_of
from anyorder.stores.dynamodb.news import BatchNews
from anyorder.stores.dynamodb.opened import OpenedTables
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.slots import Slots
from anyorder.stores.dynamodb.tables import entity_of
from anyorder.stores.dynamodb.writes import Planned, Target, plan, unfit_anywhere


class DynamoDBTransaction:
    """See `contract.Transaction`. `dry`: nothing is written; what would have been is remembered
    until the end."""

    atomic = False

    def __init__(self, parts: Parts, now: float, *, dry: bool) -> None:
        self._parts = parts
        self._books = parts.books
        self._now = now
        self._dry = dry
        self._tables = OpenedTables(parts, now, dry=dry)
        self._slots = Slots(parts, dry=dry)
        self._news = BatchNews(parts, self._slots)
        self._growths: dict[str, bytes] = {}
        self._supposed: dict[str, Growth] = {}
        self._identities: set[tuple[str, str, str]] = set()

    # ---- tables and memories

    def open_table(self, spec: TableSpec) -> Limits:
        meta, lineage = self._tables.open(spec)
        self._news.opened(meta, lineage)
        return Limits(Floor({}, spec.partitions), meta.truncated, lineage)

    def key_kinds(self, spec: TableSpec) -> Kinds:
        shape = self._parts.tables.shape(spec)
        return {} if shape is None else shape.schema.kinds

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        if not entities:
            return {}
        meta = self._tables.meta(spec)
        held = self._held(meta, set(entities))
        unread: set[str] = set()
        # An adopted item counts, but only one that was read is known to be there.
        may_skip = meta.guarded is None and spec.adopt == "refuse"
        if may_skip and not self._dry and self._parts.staleness.skips_reading:
            unread = set(entities) - held.keys()
        self._slots.look(spec, entities, unread=unread)
        limits = self._tables.limits(spec, entities)
        self._news.unsettled((spec.name, entity) for entity in held)
        return {
            entity: self._remembered(spec, entity, held.get(entity, ()), limits.get(entity))
            for entity in entities
        }

    def _remembered(
        self, spec: TableSpec, entity: str, held: tuple[Held, ...], limits: Limits | None
    ) -> Remembered:
        slot = self._slots.of(spec.name, entity)
        memory = None if slot.text is None else unpack(slot.text)
        is_unexplained = slot.text is None and slot.item is not None
        if is_unexplained and spec.adopt != "refuse":
            memory = adopted(NOTHING_FORGOTTEN if limits is None else limits.floor)
        return Remembered(memory, held, limits, slot.unread)

    def _held(self, meta: Meta, wanted: set[str]) -> dict[str, tuple[Held, ...]]:
        if not meta.open:
            return {}
        found = self._parts.open_entries.of(meta)
        return self._parts.held.events([one for one in found if one.entity in wanted])

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        return self._slots.content(spec, key)

    # ---- writing

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Answer]:
        if self._dry:
            for write in writes:
                text = None if write.after is None else pack(write.after)
                self._slots.suppose(spec.name, write.entity, text)
            return []
        answers: list[Answer] = []
        planned: list[Planned] = []
        # A table that does not exist is made for the first key that it will hold.
        first = writes[0]
        if self._parts.tables.shape(spec) is None:
            unfit = [unfit_anywhere(write) for write in writes]
            refused = [answer for answer in unfit if answer is not None]
            if len(refused) == len(writes):
                return [*refused]
            first = writes[unfit.index(None)]
        shape = self._parts.tables.make(spec, first.key, native_ttl=self._parts.native_ttl)
        target = Target(shape.name, shape.schema, self._now, token, self._expires(spec))
        for write in writes:
            try:
                planned.append(plan(target, write, self._slots.for_write(spec, write)))
            except DoesNotFit as problem:
                answers.append(Refused(write.entity, Reason.MALFORMED, str(problem)))
        if not planned:
            return answers
        self._tables.learn_columns(spec, [made.write for made in planned])
        execution = Execution(
            self._parts, self._tables.meta(spec), shape, self._now, self._tables.version
        )
        for done in execution.run(planned):
            self._slots.note(spec, done)
            if done.answer is not None:
                answers.append(done.answer)
        return answers

    def _expires(self, spec: TableSpec) -> float | None:
        """Seconds until DynamoDB's own TTL may take a tombstone."""
        if not self._parts.native_ttl or spec.retention is None:
            return None
        return EXPIRY * spec.retention

    # ---- the quarantine

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        holdings = list(holdings)
        if self._dry:
            return [self._hold_dry(holding) for holding in holdings]
        self._news.held((holding.table, holding.entity) for holding in holdings if holding.entity)
        return self._parts.quarantine.hold_all(holdings, self._now)

    def _hold_dry(self, holding: Holding) -> Listing:
        # Of a dispute each content is held once.
        content = holding.content if holding.contents else holding.identity
        identity = (holding.table, holding.entity, content)
        is_new = identity not in self._identities
        self._identities.add(identity)
        return self._parts.held.known(holding) or Listing(0, is_new)

    def settle(self, entry: int, state: str, reason: Reason, word: Word | None = None) -> None:
        if not self._dry:
            self._parts.quarantine.settle(entry, state, reason, self._now, word)

    def settle_all(self, closings: Sequence[Closing]) -> None:
        if self._dry:
            return
        quarantine = self._parts.quarantine
        # With a word an entry is closed as it lists, or not at all.
        for one in closings:
            if one.word is not None:
                quarantine.settle(one.entry, one.state, one.reason, self._now, one.word)
        self._parts.closings.close([one for one in closings if one.word is None], self._now)

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        if not self._dry:
            self._parts.quarantine.reread(entry, reason, detail, provenance)

    def held_entities(self, spec: TableSpec) -> list[str]:
        meta = self._tables.meta(spec)
        if self._news.has_held(spec.name):  # what was just held counts as well
            meta = self._books.load(spec.name)[0] or meta
        if not meta.open:
            return []
        found = self._parts.open_entries.of(meta)
        return sorted({one.entity for one in found})

    def try_again(self, entry: int) -> None:
        """Nothing is refused for now."""

    def any_refused(self) -> bool:
        return False

    def settleable(self) -> list[tuple[str, str]]:
        # Items have no constraint on other items: what is refused is malformed.
        return []

    def crossing(self) -> list[list[tuple[str, str]]]:
        return []

    def together(
        self,
        keys: Sequence[tuple[str, str]],
        take: Callable[[Sequence[tuple[str, str]]], list[Settled]],
    ) -> list[Settled]:
        return take(keys)

    def ring(self, spec: TableSpec, event: Event) -> list[str]:
        return []

    def postpone(self, table: str, entity: str) -> None:
        """No write undoes another."""

    def name_columns(self, spec: TableSpec, columns: Set[str]) -> None:
        """An item has the columns that are told of it, whatever others have."""

    def news(self, spec: TableSpec) -> News:
        return News() if self._dry else self._news.news(spec)

    def finish(self) -> None:
        """The end of a batch: how many of its keys came to no write."""
        if not self._dry:
            self._parts.staleness.observe(*self._slots.stale)

    # ---- everything else

    def memories(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        shape = self._parts.tables.shape(spec)
        for item in self._parts.tables.items(spec):
            assert shape is not None
            entity, memory = entity_of(shape.schema, item), memory_of(item)
            if memory is None:
                memory = adopted(NOTHING_FORGOTTEN)
            self._slots.see(spec.name, entity, item)
            yield entity, key_of(entity), memory

    def save_limits(self, spec: TableSpec, limits: Limits) -> None:
        if limits.truncated is not None and not self._dry:
            self._tables.truncate(spec, limits.truncated)

    def lineage(self) -> Lineage:
        return self._tables.lineage()

    def add_run(self, scope: str, run: str) -> None:
        self._tables.add_run(scope, run)

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, Growth]:
        found = self._books.growths(scopes)
        self._growths |= found
        supposed = {
            scope: growth
            for scope, growth in self._supposed.items()
            if scopes is None or scope in scopes
        }
        return {scope: growth_of(stored) for scope, stored in found.items()} | supposed

    def save_growths(self, growths: dict[str, Growth]) -> None:
        if self._dry:
            self._supposed |= growths
            return
        for scope, growth in growths.items():
            self._books.save_growth(scope, growth, self._growths.get(scope))
            self._growths[scope] = packed(growth)

    def frontier(self, source: str) -> str | None:
        return self._books.frontier(source)

    def save_frontier(self, source: str, position: str) -> None:
        if not self._dry:
            self._books.save_frontier(source, position)

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        return self._parts.held.entries(query)

    def open_entries(self) -> int:
        return self._parts.open_entries.count()

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        return self._parts.held.open_among(numbers)

    def entry(self, number: int) -> Entry | None:
        return self._parts.held.entry(number)

    def entries_among(self, numbers: Sequence[int]) -> list[Entry]:
        return self._parts.held.entries_among(numbers)

    def event(self, number: int) -> Event | None:
        return self._parts.held.event(number)

    def tables(self) -> list[TableFacts]:
        known = [meta for meta in self._books.metas() if _is_known(meta)]
        return [self._facts(meta) for meta in sorted(known)]

    def catalogue(self) -> list[Catalogued]:
        known = [meta for meta in self._books.metas() if _is_known(meta)]
        return [
            Catalogued(meta.name, meta.key, _recorded_of(meta), _columns_of(meta))
            for meta in sorted(known)
        ]

    def recorded(self, table: str) -> Recorded | None:
        return _recorded_of(self._tables.meta(TableSpec(table)))

    def same_table(self, table: str) -> str:
        return self._parts.tables.place_of(table)

    def unfit(self, table: str) -> str:
        return self._parts.tables.unfit(table)

    def obstacle(self, spec: TableSpec) -> str:
        try:
            self._parts.tables.refuse_rows(spec)
        except TableNotEmpty as error:
            return str(error)
        return ""

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        if self._dry:
            return True
        # What this batch knows of it is old from now on, whoever recorded something.
        self._tables.forget(table)
        meta, _ = self._books.load(table)
        if meta is None or _recorded_of(meta) != before:
            return False
        return self._books.record(meta, after)

    def _facts(self, meta: Meta) -> TableFacts:
        spec = TableSpec(meta.name, meta.key)
        entries: dict[str, Any] = {}
        floors = self._parts.floors.read(meta.name) if meta.guarded is not None else {}
        for found in floors.values():
            entries = Floor(entries).raised(found.floor.entries).entries
        rows, live, tombstones = self._parts.tables.counts(spec)
        columns = _columns_of(meta)
        limits = Limits(Floor(entries), meta.truncated, self.lineage())
        return TableFacts(meta.name, meta.key, columns, rows, live, tombstones, limits)

    def quarantine_size(self) -> int:
        return self._parts.held.size()


def _columns_of(meta: Meta) -> tuple[str, ...]:
    return (*meta.key, *sorted(set(meta.columns) - set(meta.key)))


def _recorded_of(meta: Meta) -> Recorded | None:
    return None if meta.recorded is None else msgspec.json.decode(meta.recorded, type=Recorded)


def _is_known(meta: Meta) -> bool:
    """Was the table ever written, recorded, or declared with a key or a retention?"""
    declared = meta.guarded is not None or meta.recorded is not None
    return declared or bool(meta.key or meta.columns)
