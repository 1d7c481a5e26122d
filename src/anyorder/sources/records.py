"""Whatever a user has in hand as a record, as a `Delivery`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from anyorder._core.event import Delivery, Event
from anyorder.envelopes import DEFAULT_ENVELOPE, open_envelope
from anyorder.errors import ConfigurationError

FIELDS = frozenset(
    {"key", "value", "topic", "partition", "offset", "timestamp", "timestamp_type", "headers"}
)


def decode(
    records: Iterable[object], envelope: str = DEFAULT_ENVELOPE, **options: Any
) -> Iterator[Event]:
    """The event of each record, in order. `options` are the envelope's.

    What cannot be decoded is an event of kind `malformed` whose `note` says why, never an
    exception; give it to a table like any other, and it ends in the quarantine.
    """
    decoder = open_envelope(envelope, **options)
    return (decoder.decode(delivery_of(record)) for record in records)


def delivery_of(record: object) -> Delivery:
    """A delivery of: a Delivery, bytes or text (the value), a mapping of Kafka's record fields, a
    confluent_kafka.Message, or a JSON document.

    A mapping counts as a record if it has `value` and nothing but record fields; any other is the
    document itself. Raises ConfigurationError for other types.
    """
    if isinstance(record, Delivery):
        return record
    if isinstance(record, bytes | str):
        return Delivery(value=_bytes(record))
    if isinstance(record, Mapping):
        return (
            _from_mapping(record)
            if "value" in record and record.keys() <= FIELDS
            else Delivery(value=msgspec.json.encode(dict(record)))
        )
    if callable(getattr(record, "topic", None)) and callable(getattr(record, "value", None)):
        return _from_message(record)
    raise ConfigurationError(
        f"not a record: {type(record).__name__}; "
        "give bytes, text, a mapping, a Delivery or a Kafka message"
    )


def _bytes(value: object) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    return (
        value.encode("utf-8", "surrogatepass")
        if isinstance(value, str)
        else msgspec.json.encode(value)
    )


def _from_mapping(record: Mapping[str, Any]) -> Delivery:
    plain = {
        name: record[name]
        for name in ("topic", "partition", "offset", "timestamp", "timestamp_type")
        if record.get(name) is not None
    }
    headers = tuple(
        (str(name), None if text is None else str(text))
        for name, text in record.get("headers") or ()
    )
    return Delivery(
        key=_bytes(record.get("key")), value=_bytes(record["value"]), headers=headers, **plain
    )


def _from_message(message: Any) -> Delivery:
    """A confluent_kafka.Message: falsy for a tombstone, so always compare with None."""
    kind, timestamp = message.timestamp()
    names = {1: "CreateTime", 2: "LogAppendTime"}
    headers = tuple(
        (name, None if text is None else bytes(text).decode("utf-8", "replace"))
        for name, text in message.headers() or ()
    )
    return Delivery(
        message.topic(),
        message.partition(),
        message.offset(),
        timestamp if kind else None,
        names.get(kind, ""),
        message.key(),
        message.value(),
        headers,
    )
