"""A batch on DynamoDB: each key is one atomic step, the batch is not; what somebody else moved meanwhile comes back as `Lost`.

Two writers can miss each other's news: one moves a key while the other puts an event of it into the quarantine. So whoever holds
looks at the key again afterwards, and whoever moved a key looks at the counter of opened entries afterwards: one of them sees the other
(`finish`), and the key is decided again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anyorder._core.batch import Held
from anyorder._core.event import Event, canonical
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits, compare
from anyorder._core.memory import REST, Memory, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage, Order
from anyorder._core.reset import Growth
from anyorder.errors import StoreBusy
from anyorder.stores.contract import Answer, Entry, EntryQuery, Holding, Lost, Refused, Remembered, TableFacts, TableSpec, Write
from anyorder.stores.dynamodb_books import BUCKETS, Meta, bucket_of, growth_of, packed
from anyorder.stores.dynamodb_execute import Done, Execution
from anyorder.stores.dynamodb_items import DoesNotFit, Item, item_key, key_of, memory_of, row_of, text_of
from anyorder.stores.dynamodb_tables import entity_of
from anyorder.stores.dynamodb_writes import Planned, Slot, Target, plan
from anyorder.stores.guard import reconsider_keys

if TYPE_CHECKING:
    from anyorder.stores.dynamodb import DynamoDBStore

ROUNDS = 20  # times that keys are decided again at the end of a batch because of other writers' news


class DynamoDBTransaction:
    """See `contract.Transaction`. `dry`: nothing is written; what would have been is remembered until the end."""

    def __init__(self, store: DynamoDBStore, now: float, *, dry: bool) -> None:
        self._store = store
        self._books = store.books
        self._now = now
        self._dry = dry
        self._specs: dict[str, TableSpec] = {}
        self._metas: dict[str, Meta] = {}
        self._opened: dict[str, int] = {}
        self._lineage: Lineage | None = None
        self._slots: dict[tuple[str, str], Slot] = {}
        self._told: set[tuple[str, str]] = set()
        self._asked: set[tuple[str, str]] = set()
        self._moved: set[tuple[str, str]] = set()
        self._unsettled: set[tuple[str, str]] = set()
        self._holding: set[tuple[str, str]] = set()
        self._growths: dict[str, bytes] = {}
        self._identities: set[tuple[str, str, str]] = set()
        self._done = False

    # ---- tables and memories

    def open_table(self, spec: TableSpec) -> Limits:
        meta, lineage = self._books.load(spec.name)
        if meta is None or (spec.window is not None and meta.guarded is None):
            meta = self._declare(spec, meta)
        if self._store.native_ttl and spec.window is not None and not self._dry and (meta.expires is None or meta.expires > spec.window):
            self._books.expire(spec.name, spec.window)
            meta = meta._replace(expires=spec.window)
        self._specs[spec.name], self._metas[spec.name], self._lineage = spec, meta, lineage
        self._opened.setdefault(spec.name, meta.opened)
        return Limits(Floor({}, spec.partitions), meta.truncated, lineage)

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
            self._store.tables.refuse_rows(spec)
            self._books.add_table(spec.name, spec.key, guarded=spec.window is not None)
        elif meta.guarded is None:
            self._guard(spec.name)
        found, _ = self._books.load(spec.name)
        assert found is not None
        return found if found.guarded is not None or spec.window is None else self._declare(spec, found)

    def _guard(self, name: str) -> None:
        """From now on creates check the floor; what was decided before may still be under way (see `DynamoDBStore.reap`)."""
        self._books.add_floors(name)
        self._books.guard(name, self._now)

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        if not entities:
            return {}
        meta = self._meta(spec)
        names = [(spec.name, entity) for entity in entities]
        held = self._held(spec, entities)
        unknown = [name for name in names if name not in self._told]
        if meta.guarded is None and not self._dry and self._store.skips_reading:
            unread = {name for name in unknown if name not in self._asked and name[1] not in held}
            self._slots |= dict.fromkeys(unread, Slot(unread=True))
            unknown = [name for name in unknown if name not in unread]
        self._read(spec, [entity for _, entity in unknown])
        self._asked |= set(names)
        self._told -= set(names)
        limits = self._limits(spec, entities)
        self._unsettled |= {(spec.name, entity) for entity in held}
        return {entity: self._remembered((spec.name, entity), held.get(entity, ()), limits.get(entity)) for entity in entities}

    def _remembered(self, name: tuple[str, str], held: tuple[Held, ...], limits: Limits | None) -> Remembered:
        slot = self._slots.get(name, Slot())
        return Remembered(None if slot.text is None else unpack(slot.text), held, limits, slot.unread)

    def _read(self, spec: TableSpec, entities: Iterable[str]) -> None:
        """Look into the slots of these keys."""
        if self._dry:
            entities = [entity for entity in entities if (spec.name, entity) not in self._slots]
        shape = self._store.tables.shape(spec)
        keys: dict[str, Item] = {}
        for entity in entities:
            self._slots[spec.name, entity] = Slot()
            try:
                keys[entity] = {} if shape is None else item_key(shape.schema, entity, key_of(entity))
            except DoesNotFit:
                continue  # it was never stored; the write will say why
        if shape is None:
            return
        for found in self._store.requests.get_many([(shape.name, key) for key in keys.values()]):
            item = found["item"]
            self._slots[spec.name, entity_of(shape.schema, item)] = Slot(text_of(item), item)

    def _limits(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Limits]:
        """Each key's own limits: the floor of its bucket. None are kept while nothing was ever forgotten."""
        meta = self._metas[spec.name]
        if meta.guarded is None:
            return {}
        buckets = {entity: bucket_of(entity) for entity in entities}
        floors = self._store.floors(meta, set(buckets.values()), self._now, dry=self._dry)
        known = {b: Limits(Floor(f.floor.entries, spec.partitions), f.truncated, self._lineage or {}) for b, f in floors.items()}
        return {entity: known[bucket] for entity, bucket in buckets.items() if bucket in known}

    def _held(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, tuple[Held, ...]]:
        meta = self._metas[spec.name]
        if not meta.open:
            return {}
        wanted = set(entities)
        return self._store.quarantine.events([one for one in self._store.open_entries(meta) if one.entity in wanted])

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        entity = canonical(key)
        slot, shape = self._slots.get((spec.name, entity), Slot()), self._store.tables.shape(spec)
        if slot.item is not None or shape is None or (slot.text is None and not slot.unread):
            return row_of(slot.item)
        found = self._store.requests.get_many([(shape.name, item_key(shape.schema, entity, key))])
        return row_of(found[0]["item"]) if found else None

    # ---- writing

    def write(self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str) -> list[Answer]:
        if self._dry:
            for write in writes:
                self._slots[spec.name, write.entity] = Slot(None if write.after is None else pack(write.after))
            return []
        answers: list[Answer] = []
        planned: list[Planned] = []
        expires = spec.window if self._store.native_ttl else None
        shape = self._store.tables.make(spec, writes[0].key, native_ttl=self._store.native_ttl)
        target = Target(shape.name, shape.schema, self._now, token, expires)
        for write in writes:
            try:
                planned.append(plan(target, write, self._slot(spec, write)))
            except DoesNotFit as problem:
                answers.append(Refused(write.entity, Reason.MALFORMED, str(problem)))
        self._learn_columns(spec, [made.write for made in planned])
        execution = Execution(self._store, self._metas[spec.name], shape, self._now)
        for done in execution.run(planned) if planned else ():
            self._note(spec, done)
            answers += [] if done.answer is None else [done.answer]
        return answers

    def _note(self, spec: TableSpec, done: Done) -> None:
        """What is in the slot now: what we wrote, or what somebody else did; the key is decided on it next, if the server said it."""
        name = (spec.name, done.made.write.entity)
        if isinstance(done.answer, Lost):
            self._slots[name] = Slot(text_of(done.item), done.item)
            self._told |= {name} if done.item is not None else set()
        elif not isinstance(done.answer, Refused):
            self._slots[name] = Slot(done.made.text, done.made.item)
            self._moved.add(name)

    def _slot(self, spec: TableSpec, write: Write) -> Slot:
        """What the write is conditional on; a sweep's rows are read for the columns that go."""
        slot = self._slots.get((spec.name, write.entity), Slot())
        if write.after is not None and REST in (write.after.values or {}) and write.after.cells and slot.item is None and slot.text is not None:
            self._read(spec, [write.entity])
            again = self._slots[spec.name, write.entity]
            return again if again.text == slot.text else slot
        return slot

    def _learn_columns(self, spec: TableSpec, writes: Sequence[Write]) -> None:
        meta = self._metas[spec.name]
        named = {column for write in writes if write.after is not None for column in (*write.key, *(write.after.values or {}))} - {REST}
        if named - set(meta.columns):
            self._books.add_columns(spec.name, meta.key or tuple(writes[0].key), named)
            self._metas[spec.name] = meta._replace(columns=tuple({*meta.columns, *named}), key=meta.key or tuple(writes[0].key))

    # ---- the quarantine

    def hold(self, holdings: Iterable[Holding]) -> list[bool]:
        holdings = list(holdings)
        if self._dry:
            return [self._hold_dry(holding) for holding in holdings]
        same: dict[tuple[str, str, str], list[int]] = {}
        for place, holding in enumerate(holdings):
            same.setdefault((holding.table, holding.entity, holding.identity), []).append(place)
        found = dict[int, bool]()

        def keep(places: list[int]) -> None:
            for place in places:
                found[place] = self._store.quarantine.hold(holdings[place], self._now)

        self._store.requests.each(keep, list(same.values()))
        self._holding |= {(holding.table, holding.entity) for holding in holdings if holding.entity}
        return [found[place] for place in range(len(holdings))]

    def _hold_dry(self, holding: Holding) -> bool:
        identity = (holding.table, holding.entity, holding.identity)
        known = identity in self._identities or self._store.quarantine.known(holding)
        self._identities.add(identity)
        return not known

    def settle(self, entry: int, state: str, reason: Reason) -> None:
        if not self._dry:
            self._store.quarantine.settle(entry, state, reason, self._now)

    def held_entities(self, spec: TableSpec, *, retry: bool) -> list[str]:
        meta = self._meta(spec)
        return sorted({one.entity for one in self._store.open_entries(meta) if one.retry or not retry}) if meta.open else []

    def finish(self) -> None:
        """The end of a batch, before the frontier is stored: other writers' news, until there are none."""
        if self._dry or self._done:
            return
        self._done = True
        self._store.observe(len(self._asked - self._moved), len(self._asked))
        for _ in range(ROUNDS):
            again = self._news()
            if not again:
                return
            self._unsettled, self._holding, self._moved = set(), set(), set()
            for table, entities in again.items():
                spec = self._specs[table]
                reconsider_keys(self, spec, sorted(entities), self.open_table(spec), uuid.uuid4().hex[:8])
            self._unsettled = set()

    def _news(self) -> dict[str, set[str]]:
        """The keys to decide again: held by us and moved by others, or moved by us and held by others."""
        again: dict[str, set[str]] = {}
        for table in {table for table, _ in self._moved | self._holding | self._unsettled if table in self._specs}:
            spec, moved = self._specs[table], {entity for name, entity in self._moved if name == table}
            found = {entity for name, entity in self._unsettled if name == table}
            holding = {entity for name, entity in self._holding if name == table}
            before = {entity: self._slots.get((table, entity), Slot()).text for entity in holding}
            self._read(spec, holding)
            found |= {entity for entity, text in before.items() if self._slots[table, entity].text != text}
            meta, _ = self._books.load(table)
            if meta is not None and moved and meta.open and meta.opened != self._opened[table]:
                found |= moved & {one.entity for one in self._store.open_entries(meta)}
                self._opened[table] = meta.opened
            if found:
                again[table] = found
        return again

    # ---- everything else

    def memories(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        shape = self._store.tables.shape(spec)
        for item in self._store.tables.items(spec):
            assert shape is not None
            entity, memory = entity_of(shape.schema, item), memory_of(item)
            assert memory is not None
            self._slots[spec.name, entity] = Slot(text_of(item), item)
            yield entity, key_of(entity), memory

    def save_limits(self, spec: TableSpec, limits: Limits) -> None:
        """The greatest truncate, then in every floor: a new version, so that creates decided before it are decided again.

        One that does not compare with the one known takes its place only by an operator's word, decided on that very one.
        """
        truncated, known = limits.truncated, self._metas[spec.name].truncated
        while truncated is not None and not self._dry:
            meta, lineage = self._books.load(spec.name)
            assert meta is not None
            if meta.guarded is None:
                self._guard(spec.name)
                self._metas[spec.name] = self._metas[spec.name]._replace(guarded=self._now)
            order = Order.NEWER if meta.truncated is None else compare(truncated, meta.truncated, lineage)
            taken = order not in (Order.OLDER, Order.SAME)
            if taken and order is not Order.NEWER and meta.truncated != known:
                raise StoreBusy(f"table {spec.name} was truncated by another writer meanwhile, and the two do not compare; deliver this batch again")
            if not taken or self._books.save_truncated(meta, truncated):
                if order is not Order.OLDER:
                    self._store.renew_floors(spec, truncated, known, lineage)
                self._metas[spec.name] = self._metas[spec.name]._replace(truncated=truncated if taken else meta.truncated)
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
        self.finish()
        if not self._dry:
            self._books.save_frontier(source, position)

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        return self._store.quarantine.entries(query)

    def entry(self, number: int) -> Entry | None:
        return self._store.quarantine.entry(number)

    def event(self, number: int) -> Event | None:
        return self._store.quarantine.event(number)

    def tables(self) -> list[TableFacts]:
        return [self._facts(meta) for meta in sorted(self._books.metas()) if meta.key or meta.columns or meta.guarded is not None]

    def _facts(self, meta: Meta) -> TableFacts:
        spec = TableSpec(meta.name, meta.key)
        entries: dict[str, Any] = {}
        for found in self._books.floors(meta.name, range(BUCKETS)).values() if meta.guarded is not None else ():
            entries = Floor(entries).raised(found.floor.entries).entries
        rows, live, tombstones = self._store.tables.counts(spec)
        columns = (*meta.key, *sorted(set(meta.columns) - set(meta.key)))
        return TableFacts(meta.name, meta.key, columns, rows, live, tombstones, Limits(Floor(entries), meta.truncated, self.lineage()))

    def quarantine_size(self) -> int:
        return self._store.quarantine.size()
