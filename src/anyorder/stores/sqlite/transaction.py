"""One SQLite transaction: reads memories, writes rows and memories, keeps the quarantine. It
decides nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import msgspec

from anyorder._core.batch import Held
from anyorder._core.decide import decide_again
from anyorder._core.event import Event, canonical
from anyorder._core.floor import Floor
from anyorder._core.fold import Applied, Limits
from anyorder._core.key import Kinds
from anyorder._core.memory import Memory, Stamp, adopted, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.reset import Growth
from anyorder.errors import Undone
from anyorder.guard.contract import (
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
from anyorder.stores.sqlite.books import Books
from anyorder.stores.sqlite.declared import declared_now
from anyorder.stores.sqlite.keys import dictated_kinds
from anyorder.stores.sqlite.looking import Looked
from anyorder.stores.sqlite.lookup import Lookup
from anyorder.stores.sqlite.quarantine import Quarantine
from anyorder.stores.sqlite.refusal import (
    bare,
    is_foreign,
    is_unique,
    parentless,
    refusal,
    undone,
)
from anyorder.stores.sqlite.rings import Rings
from anyorder.stores.sqlite.rows import RowWriter
from anyorder.stores.sqlite.schema import Schema, memory_table, obstacle
from anyorder.stores.sqlite.untold import remembered_rows
from anyorder.stores.sqlite.values import RowRefused
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
FEW = 16  # writes that are not halved any more to find those that are refused
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

    def open_table(self, spec: TableSpec) -> Limits:
        schema = self._tables.get(spec.name)
        if schema is None:
            schema = self._tables[spec.name] = Schema.open(self._database, spec)
        row = schema.load(self._database)
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
        there = Remembered(adopted(_floor.decode(schema.floor)))
        unknown = [entity for entity in entities if entity not in known]
        return dict.fromkeys(Lookup(self._database, schema).unexplained(unknown), there)

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        # Where the caller's own SQL writes the rows, he knows best where they go.
        if spec.writes_rows:
            self._tables[spec.name].require()
        writer = RowWriter(self._database, self._tables[spec.name], spec)
        refused = self._refused(writer, writes, token)
        # What holds each other's unique values is taken together, or not at all.
        if refused:
            self._release(writer, writes, refused, token)
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

    def _refused(
        self, writer: RowWriter, writes: Sequence[Write], token: str
    ) -> dict[str, Exception]:
        """Write what is taken; the errors of what is not, by entity."""
        try:
            self._together(writer, writes, token)
            return {}
        except (sqlite3.IntegrityError, sqlite3.DataError, RowRefused, Undone) as error:
            # Nothing is left of the transaction that a part could be written in.
            if isinstance(error, Undone):
                raise
            if len(writes) == 1:
                return {writes[0].entity: bare(error)}
        except sqlite3.OperationalError:
            # SQLite does not write a row whose parents have no table yet.
            parent = self._waiting.parent_to_come(writer.table)
            if not parent:
                raise
            if len(writes) == 1:
                return {writes[0].entity: parentless(writer.table, parent)}
        # Few are written one by one at once: where the database refuses, it often refuses several.
        size = len(writes) // 2 if len(writes) > FEW else 1
        refused: dict[str, Exception] = {}
        for start in range(0, len(writes), size):
            refused |= self._refused(writer, writes[start : start + size], token)
        return refused

    def _release(
        self,
        writer: RowWriter,
        writes: Sequence[Write],
        refused: dict[str, Exception],
        token: str,
    ) -> None:
        """Write the rings among what was refused; they are refused no more."""
        # One alone has nobody to change places with.
        if len(writes) == 1:
            return
        rings = Rings(self._database, writer.table)
        held: list[Write] = []
        for write in writes:
            error = refused.get(write.entity)
            # A parent in another table is written with the rows of that one.
            if is_unique(error) or (is_foreign(error) and rings.is_tied):
                held.append(write)
        for ring in rings.of(held):
            if not self._refused_ring(writer, rings, ring, token):
                for write in ring:
                    del refused[write.entity]

    def _refused_ring(
        self, writer: RowWriter, rings: Rings, ring: Sequence[Write], token: str
    ) -> bool:
        self._database.execute("SAVEPOINT anyorder_ring")
        try:
            with rings.together(ring):
                rings.release(ring)
                self._together(writer, ring, token)
            return False
        except (sqlite3.IntegrityError, sqlite3.DataError, RowRefused) as error:
            self._undo("anyorder_ring", error)
            return True
        finally:
            if self._database.in_transaction:
                self._database.execute("RELEASE anyorder_ring")

    def _together(self, writer: RowWriter, writes: Sequence[Write], token: str) -> None:
        schema = self._tables[writer.table]
        kept = schema.kept()
        self._database.execute("SAVEPOINT anyorder")
        try:
            writer.write(writes)
            self._remember(writer, writes, token)
        except BaseException as error:
            self._undo("anyorder", error)
            schema.put_back(kept)
            raise
        finally:
            if self._database.in_transaction:
                self._database.execute("RELEASE anyorder")

    def _undo(self, savepoint: str, error: BaseException) -> None:
        """Back to a savepoint. Raises Undone where a trigger or a constraint rolled everything
        back."""
        if self._database.in_transaction:
            self._database.execute(f"ROLLBACK TO {savepoint}")
        elif isinstance(error, sqlite3.IntegrityError):
            raise undone(error) from error

    def commit(self) -> None:
        """End the transaction. Raises Undone where a constraint is checked only now."""
        try:
            self._database.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            # It has not ended: what is in the way can still be looked at.
            raise undone(error, self._waiting.unfit()) from error

    def _remember(self, writer: RowWriter, writes: Sequence[Write], token: str) -> None:
        kept, gone = [], []
        for write in writes:
            after = write.after
            if after is None:
                gone.append((write.entity,))
            else:
                kept.append((write.entity, int(after.live), self._now, pack(after, token)))
        if kept:
            self._database.executemany(SQL["write_memory"].format(memory=writer.memory), kept)
        if gone:
            self._database.executemany(SQL["forget_memory"].format(memory=writer.memory), gone)

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

    def settleable(self) -> list[tuple[str, str]]:
        return self._waiting.settleable()

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
        for key in Lookup(self._database, schema).every_key():
            entity = canonical(key)
            if self._database.execute(statement, (entity,)).fetchone() is None:
                yield entity, key, adopted(_floor.decode(schema.floor))

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
