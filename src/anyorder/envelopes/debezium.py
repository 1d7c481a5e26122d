"""Debezium change events told as JSON: with or without the envelope, with or without schemas.

The clock is the database's own log position (debezium_sources.py). A null record after a delete has
no source block, so by default it is a *hint* that changes nothing (rules R6). With
tombstone="delete" it is a delete; then the Kafka offset is the clock of all events, because a
stream must have one clock on every record, and any connector will do.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from anyorder._core.event import DELETE, HINT, PUT, Delivery, Event, KeyFields, Kind
from anyorder._core.families import LogPosition, Position
from anyorder._core.families.postgres_log import HINT as HINTED
from anyorder._core.key import spelled
from anyorder.envelopes import flattened, strict
from anyorder.envelopes.connect import Conversion, Schemas, number_of, of
from anyorder.envelopes.debezium_sources import INCREMENTAL, STREAMED, Source, source_of, transport
from anyorder.envelopes.envelope import (
    KeyOption,
    Reader,
    chosen,
    named,
    offset_position,
    one_column,
)
from anyorder.envelopes.keys import agreed, is_plain, key_fields, otherwise
from anyorder.envelopes.unavailable import DEFAULT, Placeholder
from anyorder.errors import Malformed

CHANGES = frozenset(("c", "u", "r", "d"))
LOGICAL_NAME = "__debezium.context.connectorLogicalName"
CONNECTOR = "__debezium.context.connectorName"
TIMES = frozenset(("ts_ms", "ts_us", "ts_ns"))
TRANSACTION = frozenset(("status", "id", "event_count", "data_collections"))
NOTIFICATION = frozenset(("id", "aggregate_type", "type", "additional_data", "timestamp"))


class Debezium(Reader):
    """`tombstone`: "hint" or "delete". `placeholder`: the connector's
    unavailable.value.placeholder. `key`: the column of a key that is no object."""

    name = "debezium"

    def __init__(
        self, *, tombstone: str = "hint", placeholder: str = DEFAULT, key: str = "id"
    ) -> None:
        self._by_offset = chosen(tombstone, "tombstone", ("hint", "delete")) == "delete"
        self._placeholder = Placeholder(named(placeholder, "placeholder"))
        self._column = named(key, "key")
        self._schemas = Schemas()
        self._key_schemas = Schemas(of_keys=True)

    @classmethod
    def key_columns(cls, key: KeyOption) -> tuple[tuple[str, ...], dict[str, Any]]:
        columns, _ = super().key_columns(key)
        return columns, one_column(key)

    def read(self, delivery: Delivery) -> Event:
        if delivery.value is None:
            return self._null(delivery)
        value, conversion = self._schemas.open(delivery.value, self.limits)
        if value is None:
            return self._null(delivery)
        if type(value) is not dict:
            raise Malformed(f"the value is no JSON object: {value!r:.80}")
        source = value.get("source")
        if type(source) is dict and "op" in value:
            return self._change(delivery, value, source, conversion)
        note = control(value)
        if note:
            return Event(Kind.CONTROL, note=note, delivery=delivery)
        return self._flattened(delivery, value, conversion)

    def _change(
        self,
        delivery: Delivery,
        value: dict[str, Any],
        block: dict[str, Any],
        conversion: Conversion | None,
    ) -> Event:
        op = value["op"]
        if op == "m":
            return Event(Kind.CONTROL, note="a logical message", delivery=delivery)
        source = source_of(block)
        if op == "t":
            position = self._position(source, op, delivery)
            return Event(
                Kind.TRUNCATE,
                source.table_name,
                None,
                position,
                time=position.time,
                delivery=delivery,
                source=self._told(source),
            )
        if type(op) is not str or op not in CHANGES:
            raise Malformed(f"op {op!r:.80} is none of c, u, d, r, t, m")
        row = value.get("after")
        if type(row) is str and source.connector == "mongodb":
            row = strict.parse(row.encode(), limits=self.limits)  # a text inside the JSON
        if conversion is not None:
            conversion = of(conversion, "after")
        position = self._position(source, op, delivery)
        event = self._event(
            delivery,
            source.table_name,
            op,
            row,
            conversion,
            position,
            _snapshot_run(position, source),
            self._told(source),
        )
        # Its time is then no evidence of where the log was (rules R13).
        if op == "r" and source.tells_when_read:
            return msgspec.structs.replace(event, time=None)
        return event

    def _event(
        self,
        delivery: Delivery,
        table: str,
        op: str,
        row: Any,
        conversion: Conversion | None,
        position: Position,
        run: tuple[str, str] | None,
        source: str = "",
    ) -> Event:
        """The put or delete of one row."""
        key = self._key(delivery, table)
        if op == "d":
            return Event(
                DELETE,
                table,
                key,
                position,
                time=position.time,
                snapshot_run=run,
                delivery=delivery,
                source=source,
            )
        if row is None:
            note = f"op {op} without after: the value lies elsewhere (dataref), or was left out"
            return Event(
                Kind.NO_CONTENT,
                table,
                key,
                position,
                time=position.time,
                note=note,
                delivery=delivery,
                source=source,
            )
        if type(row) is not dict:
            raise Malformed(f"the row is no JSON object: {row!r:.80}")
        holes = self._placeholder.holes(row)
        if holes:
            row = {name: cell for name, cell in row.items() if name not in holes}
        if conversion is not None:
            row = conversion(row)
        others = otherwise(row, key)
        # Nearly every row tells its key as the key does.
        if others:
            row = _agreed(row, key, others, with_schema=conversion is not None)
        return Event(
            PUT,
            table,
            key,
            position,
            row,
            holes,
            False,
            op == "c",
            position.time,
            "",
            run,
            delivery,
            source=source,
        )

    def _told(self, source: Source) -> str:
        """The source table. Where null records delete, they tell their topic and no more: then the
        topic is the source table of all."""
        return "" if self._by_offset else source.source_table

    def _position(self, source: Source, op: str, delivery: Delivery) -> Position:
        return offset_position(delivery) if self._by_offset else source.position(op, delivery)

    def _key(self, delivery: Delivery, table: str) -> KeyFields:
        """The Kafka key: a struct of the key columns, or one bare value."""
        value, conversion = (
            self._key_schemas.open(delivery.key, self.limits)
            if delivery.key is not None
            else (None, None)
        )
        if value is None or value == {}:
            raise Malformed(
                f"{table or 'the record'} tells no key, so no row can be found: give the "
                "table a primary key, or set the connector's "
                "message.key.columns to columns that are unique (with REPLICA IDENTITY FULL, "
                "or USING INDEX of their unique index)"
            )
        if type(value) is list:
            raise Malformed(f"the key is a JSON array, which names no columns: {value!r:.80}")
        if conversion is not None:
            value = conversion(value)
        key: KeyFields = value if type(value) is dict else {self._column: value}
        # Nearly every key is of integers and texts.
        if is_plain(key):
            return key
        if key is value:
            key = {column: number_of(part) for column, part in key.items()}
        return key_fields(key)

    def _null(self, delivery: Delivery) -> Event:
        """A record without a value: the tombstone that follows a delete."""
        if delivery.key is None:
            return Event(
                Kind.CONTROL, note="a record with neither key nor value", delivery=delivery
            )
        table = table_by_topic(delivery)
        key = self._key(delivery, table)
        if self._by_offset:
            position = offset_position(delivery)
            return Event(DELETE, table, key, position, time=position.time, delivery=delivery)
        partition, offset = transport(delivery)
        return Event(
            HINT,
            table,
            key,
            LogPosition("", -1, HINTED, partition=partition, offset=offset),
            delivery=delivery,
        )

    def _flattened(
        self, delivery: Delivery, value: dict[str, Any], conversion: Conversion | None
    ) -> Event:
        """A row as ExtractNewRecordState leaves it."""
        flat = flattened.split(value)
        if flattened.is_torn(value) or (not flat.told and not self._by_offset):
            raise Malformed(
                "no Debezium change event: neither op and source, nor the metadata of a "
                "flattened one (__op, __lsn, __deleted). "
                "A topic that was flattened without metadata is ordered by the Kafka offset: "
                'set the envelope option tombstone = "delete"'
            )
        if flat.op is not None and flat.op not in CHANGES:
            raise Malformed(f"{flattened.OP} {flat.op!r:.80} is none of c, u, d, r")
        table = flat.table_name or table_by_topic(delivery)
        op = flat.op or ("d" if flat.deleted else "u")
        if self._by_offset or not flat.ordered_by_log:
            return self._event(
                delivery, table, op, flat.row, conversion, offset_position(delivery), None
            )
        source = source_of(
            {"connector": flattened.POSTGRESQL, "name": prefix_of(delivery), **flat.source}
        )
        position = source.position(op, delivery)
        return self._event(
            delivery,
            table,
            op,
            flat.row,
            conversion,
            position,
            _snapshot_run(position, source),
            source.source_table if flat.table_name else "",
        )

    def table_of(self, delivery: Delivery) -> str:
        try:
            source = self._block_of(delivery)
            if source is not None:
                return source.table_name
        except Malformed:
            pass
        return table_by_topic(delivery)

    def source_table_of(self, delivery: Delivery) -> str:
        source = self._block_of(delivery)
        return "" if source is None else self._told(source)

    def _block_of(self, delivery: Delivery) -> Source | None:
        """The source block of a delivery that could not be read."""
        value = self._schemas.open(delivery.value or b"null", self.limits)[0]
        block = value.get("source") if type(value) is dict else None
        return source_of(block) if type(block) is dict else None

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        return self._key(delivery, "") if delivery.key is not None else None


def _agreed(
    row: dict[str, Any], key: KeyFields, others: KeyFields, *, with_schema: bool
) -> dict[str, Any]:
    """The row whose columns of the key are numbers where the key has numbers: a decimal is told
    there in its own ways. `others`: those that it tells otherwise."""
    for column, value in others.items():
        cell = row[column]
        if cell.__class__ is dict:
            row = {**row, column: spelled(number_of(cell))}
        elif with_schema and _is_text_of(cell, value):
            row = {**row, column: value}
    return agreed(row, key)


def _is_text_of(cell: Any, value: Any) -> bool:
    """Is a decimal, which a schema made a text, the number of the key?"""
    if type(cell) is not str or type(value) not in (int, Decimal):
        return False
    try:
        return bool(Decimal(cell) == value)
    except InvalidOperation:
        return False


def control(value: dict[str, Any]) -> str:
    """What a record is that is about the connector and not about a row; "" if it is none."""
    names = value.keys()
    if names and names <= TIMES:
        return "a heartbeat"
    if TRANSACTION <= names <= TRANSACTION | TIMES and value["status"] in ("BEGIN", "END"):
        return "the begin or end of a transaction"
    if type(value.get("source")) is dict and ("ddl" in names or "tableChanges" in names):
        return "a schema change"
    return "a notification" if {"aggregate_type", "type"} <= names <= NOTIFICATION | TIMES else ""


def prefix_of(delivery: Delivery) -> str:
    """The connector's topic.prefix: its header says it; else the topic without schema and table."""
    return dict(delivery.headers).get(LOGICAL_NAME) or delivery.topic.rsplit(".", 2)[0]


def table_by_topic(delivery: Delivery) -> str:
    """The table that a topic is named after: `shop.public.users` is of `public.users`."""
    headers = dict(delivery.headers)
    prefix = headers.get(LOGICAL_NAME)
    rest = delivery.topic.removeprefix(f"{prefix}.") if prefix else delivery.topic
    # SQL Server's topics name the database too
    if rest == delivery.topic or headers.get(CONNECTOR) == "sqlserver":
        return ".".join(rest.split(".")[-2:])
    return rest


def _snapshot_run(position: Position, source: Source) -> tuple[str, str] | None:
    """What a snapshot record makes known: that its run began with a snapshot (rules R14)."""
    # Nearly every record is streamed, and says so in this very word.
    if source.snapshot == STREAMED or source.taken in (STREAMED, INCREMENTAL):
        return None
    return position.told_by()
