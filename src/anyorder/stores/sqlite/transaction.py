"""One SQLite transaction: reads memories, writes rows and memories, keeps the quarantine. It
decides nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from anyorder._core.batch import Held, Settled
from anyorder._core.decide import decide_again
from anyorder._core.event import Event, canonical
from anyorder._core.floor import Floor
from anyorder._core.fold import Applied, Limits
from anyorder._core.key import Kinds
from anyorder._core.memory import Memory, Stamp, unpack
from anyorder._core.outcome import Reason
from anyorder._core.reset import Growth
from anyorder.guard.contract import (
    Adopted,
    Closing,
    Decode,
    Entry,
    EntryQuery,
    Holding,
    Listing,
    Lost,
    News,
    Recorded,
    Refused,
    Remembered,
    TableSpec,
    Word,
    Write,
)
from anyorder.stores.sqlite import names
from anyorder.stores.sqlite.adoption import take_page
from anyorder.stores.sqlite.books import Books
from anyorder.stores.sqlite.crossing import Crossing
from anyorder.stores.sqlite.declared import declared_now
from anyorder.stores.sqlite.keys import dictated_kinds
from anyorder.stores.sqlite.looking import Looked
from anyorder.stores.sqlite.lookup import Lookup
from anyorder.stores.sqlite.names import memory_table
from anyorder.stores.sqlite.obstacles import obstacle
from anyorder.stores.sqlite.quarantine import Quarantine
from anyorder.stores.sqlite.refusal import (
    refusal,
    undone,
)
from anyorder.stores.sqlite.rings import NO_ROWS
from anyorder.stores.sqlite.rows import RowWriter
from anyorder.stores.sqlite.schema import Schema
from anyorder.stores.sqlite.taking import Taking
from anyorder.stores.sqlite.untold import remembered_rows
from anyorder.stores.sqlite.values import is_stored
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
_encode = msgspec.json.encode
replace = msgspec.structs.replace
_truncated = msgspec.json.Decoder(Stamp)
_floor = msgspec.json.Decoder(Floor)
_growth = msgspec.json.Decoder(Growth)
_recorded = msgspec.json.Decoder(Recorded)


class Tables(dict[str, Schema]):
    """What this process knows of each guarded table; forgotten after a rollback. `looked`: whether
    what the store refused was looked through since it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = Looked()

    def clear(self) -> None:
        super().clear()
        self.looked.through = False


class SQLiteTransaction(Books):
    """See `contract.Transaction`; every method here is a few named statements."""

    atomic = True

    def __init__(
        self,
        database: sqlite3.Connection,
        tables: Tables,
        now: float,
        decode: Decode | None,
    ) -> None:
        super().__init__(database)
        self._tables = tables
        self._now = now
        self._decode = decode
        self._opened: dict[str, tuple[TableSpec, Limits]] = {}
        self._quarantine = Quarantine(database, now, decode, tables.looked, self._foreseen)
        self._waiting = self._quarantine.waiting
        self._taking = Taking(database, tables, self._waiting, now)

    def open_table(self, spec: TableSpec) -> Limits:
        schema = self._tables.get(spec.name)
        if schema is None:
            schema = self._tables[spec.name] = Schema.open(self._database, spec)
        row = schema.load(self._database)
        schema.take_clock(self._database, spec)
        truncated = None if row.truncated is None else _truncated.decode(row.truncated)
        floor = _floor.decode(row.floor)
        if spec.partitions != floor.partitions:
            floor = Floor(floor.entries, spec.partitions)
        limits = Limits(floor, truncated, self.lineage())
        self._opened[spec.name] = spec, limits
        return limits

    def _foreseen(self, table: str, event: Event) -> Applied | None:
        """What becomes of an event now if the store takes it; None if nobody knows, since its table
        was not opened."""
        if table not in self._opened:
            return None
        spec, limits = self._opened[table]
        known = self._memories(spec, [event.entity])
        there = known.get(event.entity, Remembered(None))
        return decide_again(there.memory, event, limits)

    def memory_of(self, spec: TableSpec) -> str:
        """The quoted name of a table's memory."""
        return memory_table(spec.name)

    def key_kinds(self, spec: TableSpec) -> Kinds:
        schema = self._tables.get(spec.name)
        # A reader has not opened the table.
        if schema is None:
            return dictated_kinds(declared_now(self._database, spec.name))
        return dictated_kinds(schema.declared)

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        known = self._memories(spec, entities)
        if not spec.writes_rows:
            return known  # what is held would be applied without the caller's own SQL
        # Hardly any table holds anything; then its keys are not looked up one by one.
        if not self._quarantine.holds(spec.name):
            return known
        names = _encode(entities).decode()
        for entity, number, content, *held in self._database.execute(
            SQL["open_entries"], {"table": spec.name, "entities": names}
        ):
            event = self._quarantine.decoded(held)
            # one that cannot be decoded any more tells nothing of its key
            if event is not None and event.key is not None:
                there = known.get(entity, Remembered(None))
                one = Held(number, event, held[0], content)
                known[entity] = replace(there, held=(*there.held, one))
        return known

    def _memories(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        names = _encode(entities).decode()
        found = self._database.execute(
            SQL["read_memories"].format(memory=memory_table(spec.name)), {"entities": names}
        )
        known = {entity: Remembered(unpack(text)) for entity, text in found}
        return known | self._adopted(spec, entities, known)

    def _schema(self, spec: TableSpec) -> Schema:
        """What is known of a table that was opened once; a reader has not opened it yet."""
        schema = self._tables.get(spec.name)
        if schema is None:
            schema = self._tables[spec.name] = Schema.open(self._database, spec)
            schema.load(self._database)
        return schema

    def _adopted(
        self, spec: TableSpec, entities: Sequence[str], known: Mapping[str, Remembered]
    ) -> dict[str, Remembered]:
        """The rows that were there before the first event, of these keys (rules R8)."""
        schema = self._schema(spec)
        if not schema.adopts:
            return {}
        unknown = [entity for entity in entities if entity not in known]
        lookup = Lookup(self._database, schema)
        floor = _floor.decode(schema.floor)
        return {
            entity: Remembered(lookup.adopted(entity, floor))
            for entity in lookup.unexplained(unknown)
        }

    def adopt(self, spec: TableSpec) -> Adopted:
        """The next rows of the pass over a table; see `contract.Adopting`."""
        limits = self.open_table(spec)
        schema = self._tables[spec.name]
        place = self.memory_of(spec)
        return take_page(self._database, spec, schema.declared, limits.floor, self._now, place)

    def shows(self, spec: TableSpec, key: Mapping[str, object], told: Mapping[str, Any]) -> bool:
        """Does the row of a key hold these values, in all columns of them that it has?"""
        schema = self._schema(spec)
        row = Lookup(self._database, schema).content(key)
        typed = schema.declared.typed
        return row is not None and all(
            is_stored(row[name], value, typed.get(name))
            for name, value in told.items()
            if name in row and name not in key
        )

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        # Where the caller's own SQL writes the rows, he knows best where they go.
        if spec.writes_rows:
            self._tables[spec.name].require()
            self._tables[spec.name].tell(self._database)
        writer = RowWriter(self._database, self._tables[spec.name], spec)
        refused = self._taking.refused(writer, writes, token)
        taken = [write for write in writes if write.entity not in refused] if refused else writes
        self._waiting.moved(spec.name, [*taken, *writer.reset])
        # Most batches are taken as they are.
        if not refused:
            return []
        schema = self._tables[spec.name]
        return [
            refusal(write, refused[write.entity], schema)
            for write in writes
            if write.entity in refused
        ]

    def name_columns(self, spec: TableSpec, columns: Set[str]) -> None:
        schema = self._tables[spec.name]
        # Nearly always all of them are ours.
        if columns <= set(schema.columns):
            return
        schema.widen_unwritten(self._database, columns)
        writer = RowWriter(self._database, schema, spec)
        try:
            writer.reset_untold()
        except sqlite3.IntegrityError as error:
            raise undone(error) from error
        self._waiting.moved(spec.name, writer.reset)

    def commit(self) -> None:
        """End the transaction. Raises Undone where a constraint is checked only now."""
        try:
            self._database.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            # It has not ended: what is in the way can still be looked at.
            raise undone(error, self._waiting.unfit()) from error

    def news(self, spec: TableSpec) -> News:
        return News()

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        schema = self._schema(spec)
        schema.require()
        row = Lookup(self._database, schema).content(key)
        # Where the caller's own SQL writes the rows, nobody else knows what is his.
        if row is None or not spec.writes_rows:
            return row
        return {column: row[column] for column in schema.columns}

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        return [self._quarantine.hold(holding) for holding in holdings]

    def settle(self, entry: int, state: str, reason: Reason, word: Word | None = None) -> None:
        self._quarantine.settle(entry, state, reason, word)

    def settle_all(self, closings: Sequence[Closing]) -> None:
        for one in closings:
            self.settle(one.entry, one.state, one.reason, one.word)

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        self._quarantine.reread(entry, reason, detail, provenance)

    def held_entities(self, spec: TableSpec) -> list[str]:
        return self._quarantine.entities(spec.name)

    def try_again(self, entry: int) -> None:
        self._quarantine.try_again(entry)

    def any_refused(self) -> bool:
        return self._waiting.is_any

    def settleable(self) -> list[tuple[str, str]]:
        return self._waiting.settleable()

    def crossing(self) -> list[list[tuple[str, str]]]:
        return self._waiting.crossing()

    def together(
        self,
        keys: Sequence[tuple[str, str]],
        take: Callable[[Sequence[tuple[str, str]]], list[Settled]],
    ) -> list[Settled]:
        crossing = Crossing(self._database, keys)
        kept = {name: (schema, schema.kept()) for name, schema in self._tables.items()}
        before = self._waiting.mark()
        self._taking.spared = crossing.places
        self._database.execute("SAVEPOINT anyorder_crossing")
        try:
            with crossing.deferred():
                found = take(crossing.children_first())
                if crossing.is_sound() and not self._waiting.any_waits(crossing.places):
                    return found
                # One of them was refused all the same, so none of them is taken.
                self._database.execute("ROLLBACK TO anyorder_crossing")
            self._waiting.back_to(before)
            for schema, known in kept.values():
                schema.put_back(known)
            return []
        finally:
            self._taking.spared = NO_ROWS
            if self._database.in_transaction:
                self._database.execute("RELEASE anyorder_crossing")

    def postpone(self, table: str, entity: str) -> None:
        self._quarantine.postpone(table, entity)

    def ring(self, spec: TableSpec, event: Event) -> list[str]:
        return self._waiting.blocked_by(spec.name, event)

    def memories(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        yield from remembered_rows(self._database, spec.name)
        schema = self._schema(spec)
        if schema.adopts:
            yield from self._adopted_rows(schema)

    def _adopted_rows(self, schema: Schema) -> Iterator[tuple[str, dict[str, object], Memory]]:
        """The rows that no event has told anything of yet."""
        statement = SQL["has_memory"].format(memory=memory_table(schema.name))
        lookup = Lookup(self._database, schema)
        for key in lookup.every_key():
            entity = canonical(key)
            if self._database.execute(statement, (entity,)).fetchone() is None:
                yield entity, key, lookup.adopted(entity, _floor.decode(schema.floor))

    def save_limits(self, spec: TableSpec, limits: Limits) -> None:
        truncated = None if limits.truncated is None else _encode(limits.truncated).decode()
        self._database.execute(
            SQL["save_limits"],
            {"name": spec.name, "floor": _encode(limits.floor).decode(), "truncated": truncated},
        )

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        return self._quarantine.entries(query)

    def open_entries(self) -> int:
        return self._quarantine.open_entries()

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        return self._quarantine.open_among(numbers)

    def entry(self, number: int) -> Entry | None:
        return self._quarantine.entry(number)

    def entries_among(self, numbers: Sequence[int]) -> list[Entry]:
        found = map(self.entry, numbers)
        return [entry for entry in found if entry is not None]

    def event(self, number: int) -> Event | None:
        return self._quarantine.event(number)

    def same_table(self, table: str) -> str:
        return names.folded(table)

    def unfit(self, table: str) -> str:
        return names.unfit(self._database, table)

    def obstacle(self, spec: TableSpec) -> str:
        return obstacle(self._database, spec)

    def quarantine_size(self) -> int:
        return self._quarantine.size()
