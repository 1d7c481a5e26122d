"""A batch on DynamoDB: each key is one atomic step, the batch is not; what somebody else moved
meanwhile comes back as `Lost`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from anyorder._core.batch import Held
from anyorder._core.event import Event
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits, compare
from anyorder._core.memory import REST, Memory, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage, Order
from anyorder._core.reset import Growth
from anyorder.errors import ConfigurationError, StoreBusy
from anyorder.guard.contract import (
    Answer,
    Entry,
    EntryQuery,
    Holding,
    News,
    Refused,
    Remembered,
    TableFacts,
    TableSpec,
    Write,
)
from anyorder.stores.dynamodb.books import Meta, growth_of, packed
from anyorder.stores.dynamodb.execute import Execution
from anyorder.stores.dynamodb.floors import EXPIRY, SHORTEST, bucket_of
from anyorder.stores.dynamodb.items import DoesNotFit, key_of, memory_of
from anyorder.stores.dynamodb.news import BatchNews
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.slots import Slots
from anyorder.stores.dynamodb.tables import entity_of
from anyorder.stores.dynamodb.writes import Planned, Target, plan


class DynamoDBTransaction:
    """See `contract.Transaction`. `dry`: nothing is written; what would have been is remembered
    until the end."""

    atomic = False

    def __init__(self, parts: Parts, now: float, *, dry: bool) -> None:
        self._parts = parts
        self._books = parts.books
        self._now = now
        self._dry = dry
        self._specs: dict[str, TableSpec] = {}
        self._metas: dict[str, Meta] = {}
        self._lineage: Lineage | None = None
        self._slots = Slots(parts, dry=dry)
        self._news = BatchNews(parts, self._slots)
        self._growths: dict[str, bytes] = {}
        self._identities: set[tuple[str, str, str]] = set()

    # ---- tables and memories

    def open_table(self, spec: TableSpec) -> Limits:
        meta, lineage = self._books.load(spec.name)
        if meta is None or (spec.retention is not None and meta.guarded is None):
            meta = self._declare(spec, meta)
        if self._parts.native_ttl and spec.retention is not None and not self._dry:
            meta = self._expire(spec, meta, spec.retention)
        self._specs[spec.name], self._metas[spec.name], self._lineage = spec, meta, lineage
        self._news.opened(meta, lineage)
        return Limits(Floor({}, spec.partitions), meta.truncated, lineage)

    def _expire(self, spec: TableSpec, meta: Meta, retention: float) -> Meta:
        """DynamoDB's TTL deletes tombstones after some of these retentions. Before a shorter one
        holds, they are noted as it will need."""
        if retention < SHORTEST:
            raise ConfigurationError(
                f"table {spec.name}: forget=ttl needs a retention of an hour or more, not {retention:g} s; or leave forget=ttl out"
            )
        if meta.expires is not None and meta.expires <= retention:
            return meta
        if meta.expires is not None:
            self._parts.floors.note(meta, self._now, retention)
        self._books.expire(spec.name, retention)
        return meta._replace(expires=retention)

    def _meta(self, spec: TableSpec) -> Meta:
        """The table's line; a reader need not have opened it."""
        if spec.name not in self._metas:
            meta, self._lineage = self._books.load(spec.name)
            self._metas[spec.name] = meta or Meta(spec.name, spec.key)
        return self._metas[spec.name]

    def _declare(self, spec: TableSpec, meta: Meta | None) -> Meta:
        if self._dry:
            return meta or Meta(spec.name, spec.key)
        if meta is None:
            self._parts.tables.refuse_rows(spec)
            if spec.retention is not None:
                self._parts.floors.add(spec.name)
            self._books.add_table(spec.name, spec.key, guarded=spec.retention is not None)
        elif meta.guarded is None:
            self._guard(spec.name)
        found, _ = self._books.load(spec.name)
        assert found is not None
        return (
            found
            if found.guarded is not None or spec.retention is None
            else self._declare(spec, found)
        )

    def _guard(self, name: str) -> None:
        """From now on creates check the floor; what was decided before may still be under way (see
        `DynamoDBStore.reap`)."""
        self._parts.floors.add(name)
        self._books.guard(name, self._now)

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        if not entities:
            return {}
        meta = self._meta(spec)
        held = self._held(spec, entities)
        overtakes = meta.guarded is None and not self._dry and self._parts.staleness.skips_reading
        self._slots.look(spec, entities, unread=set(entities) - held.keys() if overtakes else set())
        limits = self._limits(spec, entities)
        self._news.unsettled((spec.name, entity) for entity in held)
        return {
            entity: self._remembered(spec, entity, held.get(entity, ()), limits.get(entity))
            for entity in entities
        }

    def _remembered(
        self, spec: TableSpec, entity: str, held: tuple[Held, ...], limits: Limits | None
    ) -> Remembered:
        slot = self._slots.of(spec.name, entity)
        return Remembered(
            None if slot.text is None else unpack(slot.text), held, limits, slot.unread
        )

    def _limits(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Limits]:
        """Each key's own limits: the floor of its bucket. None are kept while nothing was ever
        forgotten."""
        meta = self._metas[spec.name]
        if meta.guarded is None:
            return {}
        buckets = {entity: bucket_of(entity) for entity in entities}
        floors = self._parts.floors.of(meta, set(buckets.values()), self._now, dry=self._dry)
        known = {
            b: Limits(Floor(f.floor.entries, spec.partitions), f.truncated, self._lineage or {})
            for b, f in floors.items()
        }
        return {entity: known[bucket] for entity, bucket in buckets.items()}

    def _held(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, tuple[Held, ...]]:
        meta = self._metas[spec.name]
        if not meta.open:
            return {}
        wanted = set(entities)
        return self._parts.quarantine.events(
            [one for one in self._parts.open_entries.of(meta) if one.entity in wanted]
        )

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        return self._slots.content(spec, key)

    # ---- writing

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Answer]:
        if self._dry:
            for write in writes:
                self._slots.suppose(
                    spec.name, write.entity, None if write.after is None else pack(write.after)
                )
            return []
        answers: list[Answer] = []
        planned: list[Planned] = []
        expires = (
            EXPIRY * spec.retention
            if self._parts.native_ttl and spec.retention is not None
            else None
        )
        shape = self._parts.tables.make(spec, writes[0].key, native_ttl=self._parts.native_ttl)
        target = Target(shape.name, shape.schema, self._now, token, expires)
        for write in writes:
            try:
                planned.append(plan(target, write, self._slots.for_write(spec, write)))
            except DoesNotFit as problem:
                answers.append(Refused(write.entity, Reason.MALFORMED, str(problem)))
        self._learn_columns(spec, [made.write for made in planned])
        execution = Execution(self._parts, self._metas[spec.name], shape, self._now)
        for done in execution.run(planned) if planned else ():
            self._slots.note(spec, done)
            answers += [] if done.answer is None else [done.answer]
        return answers

    def _learn_columns(self, spec: TableSpec, writes: Sequence[Write]) -> None:
        meta = self._metas[spec.name]
        named = {
            column
            for write in writes
            if write.after is not None
            for column in (*write.key, *(write.after.values or {}))
        } - {REST}
        if named - set(meta.columns):
            self._books.add_columns(spec.name, meta.key or tuple(writes[0].key), named)
            self._metas[spec.name] = meta._replace(
                columns=tuple({*meta.columns, *named}), key=meta.key or tuple(writes[0].key)
            )

    # ---- the quarantine

    def hold(self, holdings: Iterable[Holding]) -> list[bool]:
        holdings = list(holdings)
        if self._dry:
            return [self._hold_dry(holding) for holding in holdings]
        self._news.held((holding.table, holding.entity) for holding in holdings if holding.entity)
        return self._parts.quarantine.hold_all(holdings, self._now)

    def _hold_dry(self, holding: Holding) -> bool:
        identity = (holding.table, holding.entity, holding.identity)
        known = identity in self._identities or self._parts.quarantine.known(holding)
        self._identities.add(identity)
        return not known

    def settle(self, entry: int, state: str, reason: Reason) -> None:
        if not self._dry:
            self._parts.quarantine.settle(entry, state, reason, self._now)

    def held_entities(self, spec: TableSpec, *, retry: bool) -> list[str]:
        meta = self._meta(spec)
        if self._news.has_held(spec.name):  # what was just held counts as well
            meta = self._books.load(spec.name)[0] or meta
        return (
            sorted(
                {one.entity for one in self._parts.open_entries.of(meta) if one.retry or not retry}
            )
            if meta.open
            else []
        )

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
            assert memory is not None
            self._slots.see(spec.name, entity, item)
            yield entity, key_of(entity), memory

    def save_limits(self, spec: TableSpec, limits: Limits) -> None:
        """The greatest truncate, then in every floor: a new version, so that creates decided before
        it are decided again.

        One that does not compare with the one known takes its place only by an operator's word,
        decided on that very one.
        """
        truncated, known = limits.truncated, self._metas[spec.name].truncated
        while truncated is not None and not self._dry:
            meta, lineage = self._books.load(spec.name)
            assert meta is not None
            if meta.guarded is None:
                self._guard(spec.name)
                self._metas[spec.name] = self._metas[spec.name]._replace(guarded=self._now)
            order = (
                Order.NEWER
                if meta.truncated is None
                else compare(truncated, meta.truncated, lineage)
            )
            taken = order not in (Order.OLDER, Order.SAME)
            if taken and order is not Order.NEWER and meta.truncated != known:
                raise StoreBusy(
                    f"table {spec.name} was truncated by another writer meanwhile, and the two do not compare; deliver this batch again"
                )
            if not taken or self._books.save_truncated(meta, truncated):
                if order is not Order.OLDER:
                    self._parts.floors.truncate(spec.name, truncated, known, lineage)
                self._metas[spec.name] = self._metas[spec.name]._replace(
                    truncated=truncated if taken else meta.truncated
                )
                break

    def lineage(self) -> Lineage:
        if self._lineage is None:
            self._lineage = self._books.lineage()
        return self._lineage

    def add_run(self, scope: str, run: str) -> None:
        if not self._dry:
            self._books.add_run(scope, run)
            self._lineage = None

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, Growth]:
        found = self._books.growths(scopes)
        self._growths |= found
        return {scope: growth_of(stored) for scope, stored in found.items()}

    def save_growths(self, growths: dict[str, Growth]) -> None:
        for scope, growth in growths.items() if not self._dry else ():
            self._books.save_growth(scope, growth, self._growths.get(scope))
            self._growths[scope] = packed(growth)

    def frontier(self, source: str) -> str | None:
        return self._books.frontier(source)

    def save_frontier(self, source: str, position: str) -> None:
        if not self._dry:
            self._books.save_frontier(source, position)

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        return self._parts.quarantine.entries(query)

    def entry(self, number: int) -> Entry | None:
        return self._parts.quarantine.entry(number)

    def event(self, number: int) -> Event | None:
        return self._parts.quarantine.event(number)

    def tables(self) -> list[TableFacts]:
        return [
            self._facts(meta)
            for meta in sorted(self._books.metas())
            if meta.key or meta.columns or meta.guarded is not None
        ]

    def _facts(self, meta: Meta) -> TableFacts:
        spec = TableSpec(meta.name, meta.key)
        entries: dict[str, Any] = {}
        for found in (
            self._parts.floors.read(meta.name).values() if meta.guarded is not None else ()
        ):
            entries = Floor(entries).raised(found.floor.entries).entries
        rows, live, tombstones = self._parts.tables.counts(spec)
        columns = (*meta.key, *sorted(set(meta.columns) - set(meta.key)))
        return TableFacts(
            meta.name,
            meta.key,
            columns,
            rows,
            live,
            tombstones,
            Limits(Floor(entries), meta.truncated, self.lineage()),
        )

    def quarantine_size(self) -> int:
        return self._parts.quarantine.size()
