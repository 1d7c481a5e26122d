"""One SQLite transaction: reads memories, writes rows and memories, keeps the quarantine. It
decides nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from anyorder._core.batch import Held
from anyorder._core.event import Delivery, Event, canonical
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, Stamp, adopted, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder.guard.contract import (
    Catalogued,
    Decode,
    Entry,
    EntryQuery,
    Holding,
    Lost,
    News,
    Recorded,
    Refused,
    Remembered,
    TableFacts,
    TableSpec,
    Write,
)
from anyorder.stores.sqlite.lookup import Lookup
from anyorder.stores.sqlite.rows import RowNotWritten, RowWriter
from anyorder.stores.sqlite.schema import Schema, memory_table
from anyorder.stores.sqlite.values import RowRefused
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
PAGE = 1000  # memories read at a time
RETRIES = 500  # refused keys tried again after a batch
WAITS = frozenset(
    {"SQLITE_CONSTRAINT_FOREIGNKEY", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_TRIGGER"}
)
_encode = msgspec.json.encode
_headers = msgspec.json.Decoder(tuple[tuple[str, str | None], ...])
_truncated = msgspec.json.Decoder(Stamp)
_floor = msgspec.json.Decoder(Floor)
_growth = msgspec.json.Decoder(Growth)
_recorded = msgspec.json.Decoder(Recorded)


class Tables(dict[str, Schema]):
    """What this process knows of each guarded table; forgotten after a rollback."""


class SQLiteTransaction:
    """See `contract.Transaction`; every method here is a few named statements."""

    atomic = True

    def __init__(
        self,
        database: sqlite3.Connection,
        tables: Tables,
        now: float,
        decode: Decode | None,
    ) -> None:
        self._database = database
        self._tables = tables
        self._now = now
        self._decode = decode
        self._lineage: Lineage | None = None

    def open_table(self, spec: TableSpec) -> Limits:
        schema = self._tables.get(spec.name)
        if schema is None:
            schema = self._tables[spec.name] = Schema.open(self._database, spec)
        row = schema.load(self._database)
        truncated = None if row.truncated is None else _truncated.decode(row.truncated)
        floor = _floor.decode(row.floor)
        if spec.partitions != floor.partitions:
            floor = Floor(floor.entries, spec.partitions)
        return Limits(floor, truncated, self.lineage())

    def memory_of(self, spec: TableSpec) -> str:
        """The quoted name of a table's memory."""
        return memory_table(spec.name)

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        names = _encode(entities).decode()
        found = self._database.execute(
            SQL["read_memories"].format(memory=memory_table(spec.name)), {"entities": names}
        )
        known = {entity: Remembered(unpack(text)) for entity, text in found}
        known |= self._adopted(spec, entities, known)
        if not spec.writes_rows:
            return known  # what is held would be applied without the caller's own SQL
        for entity, number, *held in self._database.execute(
            SQL["open_entries"], {"table": spec.name, "entities": names}
        ):
            event = self._event(held)
            # one that cannot be decoded any more tells nothing of its key
            if event is not None and event.key is not None:
                there = known.get(entity, Remembered(None))
                known[entity] = there._replace(held=(*there.held, Held(number, event)))
        return known

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
        writer = RowWriter(self._database, self._tables[spec.name], spec)
        try:
            self._together(writer, writes, token)
            return []
        except (sqlite3.IntegrityError, sqlite3.DataError, RowRefused) as error:
            if len(writes) == 1:
                return [_refusal(writes[0].entity, error)]
        refused: list[Refused | Lost] = []
        for write in writes:
            refused += self.write(spec, [write], limits, token)
        return refused

    def _together(self, writer: RowWriter, writes: Sequence[Write], token: str) -> None:
        self._database.execute("SAVEPOINT anyorder")
        try:
            writer.write(writes)
            self._remember(writer, writes, token)
        except BaseException:
            self._database.execute("ROLLBACK TO anyorder")
            self._tables[writer.table].reload(self._database)
            raise
        finally:
            self._database.execute("RELEASE anyorder")

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
        return Lookup(self._database, self._tables[spec.name]).content(key)

    def hold(self, holdings: Iterable[Holding]) -> list[bool]:
        return [self._hold(holding) for holding in holdings]

    def _hold(self, holding: Holding) -> bool:
        if holding.provenance:
            self._database.execute(SQL["intern_provenance"], {"provenance": holding.provenance})
        delivery = holding.event.delivery
        (count,) = self._database.execute(
            SQL["hold"],
            {
                "table": holding.table,
                "entity": holding.entity,
                "identity": holding.identity,
                "reason": holding.reason.value,
                "detail": holding.detail or holding.event.note,
                "retry": holding.retry,
                "now": self._now,
                "topic": delivery.topic,
                "partition": delivery.partition,
                "offset": delivery.offset,
                "timestamp": delivery.timestamp,
                "timestamp_type": delivery.timestamp_type,
                "key": delivery.key,
                "value": delivery.value,
                "headers": _encode(delivery.headers).decode(),
                "provenance": holding.provenance,
            },
        ).fetchone()
        return bool(count == 1)

    def settle(self, entry: int, state: str, reason: Reason) -> None:
        self._database.execute(
            SQL["settle"], {"id": entry, "state": state, "now": self._now, "detail": reason.value}
        )

    def held_entities(self, spec: TableSpec, *, retry: bool) -> list[str]:
        if retry:
            return [
                entity
                for (entity,) in self._database.execute(
                    SQL["retry_entities"], {"table": spec.name, "limit": RETRIES}
                )
            ]
        return [
            entity
            for (entity,) in self._database.execute(SQL["open_entities"], {"table": spec.name})
        ]

    def memories(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        after, statement = "", SQL["page_memories"].format(memory=memory_table(spec.name))
        while page := self._database.execute(statement, {"after": after, "limit": PAGE}).fetchall():
            for entity, text in page:
                yield entity, msgspec.json.decode(entity), unpack(text)
            after = page[-1][0]
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

    def lineage(self) -> Lineage:
        if self._lineage is None:
            runs: dict[str, tuple[str, ...]] = {}
            for scope, run in self._database.execute(SQL["lineage"]):
                runs[scope] = (*runs.get(scope, ()), run)
            self._lineage = runs
        return self._lineage

    def add_run(self, scope: str, run: str) -> None:
        self._database.execute(SQL["add_run"], {"scope": scope, "run": run})
        self._lineage = None

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, Growth]:
        found = (
            self._database.execute(SQL["growths"], {"scopes": _encode(scopes).decode()})
            if scopes is not None
            else self._database.execute(SQL["all_growths"])
        )
        return {scope: _growth.decode(text) for scope, text in found}

    def save_growths(self, growths: dict[str, Growth]) -> None:
        self._database.executemany(
            SQL["save_growth"],
            [(scope, _encode(growth).decode()) for scope, growth in growths.items()],
        )

    def frontier(self, source: str) -> str | None:
        row = self._database.execute(SQL["frontier"], {"source": source}).fetchone()
        return None if row is None else str(row[0])

    def save_frontier(self, source: str, position: str) -> None:
        self._database.execute(SQL["save_frontier"], {"source": source, "position": position})

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        after, named = 0, msgspec.structs.asdict(query)
        while page := self._database.execute(
            SQL["entries"], {**named, "after": after, "limit": PAGE}
        ).fetchall():
            yield from (_entry(row) for row in page)
            after = page[-1][0]

    def entry(self, number: int) -> Entry | None:
        row = self._database.execute(SQL["entry"], {"id": number}).fetchone()
        if row is None:
            return None
        provenance, *delivery = row[10:]
        return msgspec.structs.replace(
            _entry(row[:10]), delivery=delivery_of(delivery), provenance=provenance
        )

    def event(self, number: int) -> Event | None:
        row = self._database.execute(SQL["entry"], {"id": number}).fetchone()
        return None if row is None else self._event(row[10:])

    def tables(self) -> list[TableFacts]:
        return [self._facts(*row) for row in self._database.execute(SQL["tables"]).fetchall()]

    def _facts(
        self, name: str, key: str, columns: str, floor: str, truncated: str | None, created: int
    ) -> TableFacts:
        memories, live = self._database.execute(
            SQL["count_memories"].format(memory=memory_table(name))
        ).fetchone()
        limits = Limits(
            _floor.decode(floor),
            None if truncated is None else _truncated.decode(truncated),
            self.lineage(),
        )
        decode = msgspec.json.decode
        rows = 0
        # A table that is to be made has none yet, and one may have been removed.
        if self._database.execute(SQL["table_exists"], {"name": name}).fetchone() is not None:
            (rows,) = self._database.execute(
                SQL["count_rows"].format(table=quoted(name))
            ).fetchone()
        return TableFacts(
            name, tuple(decode(key)), tuple(decode(columns)), rows, live, memories - live, limits
        )

    def catalogue(self) -> list[Catalogued]:
        return [
            Catalogued(name, tuple(msgspec.json.decode(key)), _recorded_of(text))
            for name, key, text in self._database.execute(SQL["catalogue"])
        ]

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        row = self._database.execute(SQL["recorded"], {"name": table}).fetchone()
        if row is None or _recorded_of(row[0]) != before:
            return False
        self._database.execute(SQL["record"], {"name": table, "recorded": _encode(after).decode()})
        return True

    def quarantine_size(self) -> int:
        (size,) = self._database.execute(SQL["quarantine_size"]).fetchone()
        return int(size)

    def _event(self, columns: Sequence[Any]) -> Event | None:
        provenance, *delivery = columns
        return None if self._decode is None else self._decode(provenance, delivery_of(delivery))


def delivery_of(columns: Sequence[Any]) -> Delivery:
    """A delivery from the quarantine's columns, byte for byte."""
    topic, partition, offset, timestamp, timestamp_type, key, value, headers = columns
    return Delivery(
        topic, partition, offset, timestamp, timestamp_type, key, value, _headers.decode(headers)
    )


def _recorded_of(text: str | None) -> Recorded | None:
    return None if text is None else _recorded.decode(text)


def _entry(row: Sequence[Any]) -> Entry:
    number, table, entity, *rest = row
    return Entry(number, table, msgspec.json.decode(entity) if entity else None, *rest)


def _refusal(entity: str, error: Exception) -> Refused:
    """A constraint that other rows may lift is waiting (rules R1); a type or check that never will
    be is malformed."""
    if isinstance(error, RowNotWritten):
        return Refused(entity, error.reason, str(error))
    name = getattr(error, "sqlite_errorname", "")
    return Refused(entity, Reason.WAITING if name in WAITS else Reason.MALFORMED, str(error))
