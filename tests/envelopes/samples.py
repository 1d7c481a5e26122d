"""The fixtures, one file a format, and the envelope that reads each; and short ways to make
deliveries and decode them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from anyorder._core.event import Delivery, Event
from anyorder.envelopes import Envelope, open_envelope, read_record

FIXTURES = Path(__file__).parent / "fixtures"
RUN = "01a20ada-bb63-7c1b-84bb-f2b31e0887b3"
ORDERS = {
    "key": "/order/id",
    "position": "/version",
    "deleted": "/cancelled",
    "time": "/updated_at",
    "fields": "/order",
}
READ_BY: dict[str, tuple[str, dict[str, Any]]] = {
    "debezium_postgresql": ("debezium", {}),
    "debezium_postgresql_schema": ("debezium", {}),
    "debezium_control": ("debezium", {}),
    "debezium_flattened": ("debezium", {}),
    "debezium_mysql": ("debezium", {}),
    "debezium_sqlserver": ("debezium", {}),
    "debezium_oracle": ("debezium", {}),
    "debezium_mongodb": ("debezium", {}),
    "eventbridge": ("eventbridge", {}),
    "dynamodb_streams": ("dynamodb_streams", {}),
    "cloudevents_structured": ("cloudevents", {"sequence": "integer", "deleted_type": "*.deleted"}),
    "cloudevents_binary": ("cloudevents", {"sequence": "integer", "deleted_type": "*.deleted"}),
    "json_orders": ("json", ORDERS),
    "raw": ("raw", {}),
}


def deliveries(fixture: str) -> list[Delivery]:
    return [read_record(line) for line in (FIXTURES / f"{fixture}.jsonl").read_bytes().splitlines()]


def events(fixture: str) -> list[Event]:
    decoder = envelope(fixture)
    return [decoder.decode(delivery) for delivery in deliveries(fixture)]


def envelope(fixture: str) -> Envelope:
    name, options = READ_BY[fixture]
    return open_envelope(name, **options)


def delivery(value: object, key: object = None, **more: Any) -> Delivery:
    """A Kafka record of `shop.public.users`; what is no bytes is written as JSON."""
    place = {
        "topic": "shop.public.users",
        "partition": 3,
        "offset": 88,
        "timestamp": 1789028130123,
        "timestamp_type": "CreateTime",
    }
    return Delivery(**{**place, "key": as_bytes(key), "value": as_bytes(value), **more})


def as_bytes(value: object) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else json.dumps(value).encode()


def change(op: str = "u", after: object = None, **source: Any) -> dict[str, Any]:
    """A PostgreSQL change as Debezium writes it; `source` changes members of its block."""
    block = {
        "version": "3.7.0.Final",
        "connector": "postgresql",
        "name": "shop",
        "ts_ms": 1789028130123,
        "snapshot": "false",
        "db": "shop",
        "sequence": '["22192376","22192096"]',
        "ts_us": 1789028130123456,
        "schema": "public",
        "table": "users",
        "txId": 730,
        "lsn": 22192096,
    }
    return {
        "before": None,
        "after": after,
        "source": {**block, **source},
        "op": op,
        "ts_ms": 1789028130701,
        "transaction": None,
    }


def decode(
    value: object,
    key: object = None,
    name: str = "debezium",
    options: dict[str, Any] | None = None,
    **more: Any,
) -> Event:
    return open_envelope(name, **(options or {})).decode(
        delivery({"id": 7} if key is None and name == "debezium" else value, key, **more)
    )


def without_delivery(event: Event) -> Event:
    """The event alone, for comparing two ways it can arrive."""
    return msgspec.structs.replace(event, delivery=Delivery())
