"""Whatever a user has in hand as a record, as a `Delivery`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

import msgspec

from anyorder._core.event import Delivery, Event, Kind
from anyorder.envelopes import DEFAULT_ENVELOPE, Envelope, open_envelope
from anyorder.errors import ConfigurationError, Malformed

FIELDS = frozenset(
    {"key", "value", "topic", "partition", "offset", "timestamp", "timestamp_type", "headers"}
)
UNENCODABLE = b"{a record that is no JSON}"
"""What the quarantine keeps of a record without bytes, before its text. No envelope reads it."""
WORDS = (b"null", b"NaN", b"Infinity")  # how numbers that are none come out of an encoder


class _Where(msgspec.Struct):
    """Kafka's record fields that say where a record comes from."""

    topic: str = ""
    partition: int = -1
    offset: int = -1
    timestamp: int | None = None
    timestamp_type: str = ""
    headers: tuple[tuple[str, str | None], ...] = ()


def decode(
    records: Iterable[object], envelope: str = DEFAULT_ENVELOPE, **options: Any
) -> Iterator[Event]:
    """The event of each record, in order, one at a time as you ask for it. `options` are the
    envelope's.

    What cannot be decoded is an event of kind `malformed` whose `note` says why, never an
    exception; give it to a table like any other, and it ends in the quarantine.
    """
    return events_of(records, open_envelope(envelope, **options))


def events_of(records: Iterable[object], envelope: Envelope) -> Iterator[Event]:
    """The event of each record. Raises ConfigurationError for one record that stands alone: its
    names or letters would be taken for records."""
    if isinstance(records, Mapping | str | bytes | Delivery):
        raise ConfigurationError(
            f"records are a list, or any other iterable of them, not one {type(records).__name__}: "
            "put it into a list"
        )
    return (event_of(record, envelope) for record in records)


def event_of(record: object, envelope: Envelope) -> Event:
    """The event in a record; of kind MALFORMED where Python has a value that JSON has not. Raises
    ConfigurationError for what is no record."""
    try:
        delivery = delivery_of(record)
    except Malformed as problem:
        # What it holds is kept for a person to read, so that no envelope takes it for its own.
        shown = f"{record!r:.10000}".encode("utf-8", "backslashreplace")
        kept = Delivery(value=UNENCODABLE + b" " + shown)
        return Event(Kind.MALFORMED, note=str(problem), delivery=kept)
    return envelope.decode(delivery)


def delivery_of(record: object) -> Delivery:
    """A delivery of: a Delivery, bytes or text (the value), a mapping of Kafka's record fields, a
    confluent_kafka.Message, or a JSON document.

    A mapping counts as a record if it has `value` and nothing but record fields; any other is the
    document itself. Raises Malformed for values that JSON does not have, ConfigurationError for
    other types.
    """
    if isinstance(record, Delivery):
        return record
    if isinstance(record, bytes | str):
        return Delivery(value=_bytes(record))
    if isinstance(record, Mapping):
        is_record = "value" in record and record.keys() <= FIELDS
        return _from_mapping(record) if is_record else Delivery(value=_encoded(dict(record)))
    if callable(getattr(record, "topic", None)) and callable(getattr(record, "value", None)):
        return _from_message(record)
    raise ConfigurationError(
        f"not a record: {type(record).__name__}; "
        "give bytes, text, a mapping, a Delivery or a Kafka message"
    )


def _bytes(value: object) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return _encoded(value)


def _encoded(value: object) -> bytes:
    """A value as JSON. Raises Malformed for what JSON does not have."""
    try:
        data = msgspec.json.encode(value)
        # An encoder writes null for NaN, which would be another value; few records hold any null.
        if any(word in data for word in WORDS):
            _check_numbers(msgspec.to_builtins(value, builtin_types=(Decimal,)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Malformed(f"the record cannot be written as JSON: {error}") from None
    return data


def _check_numbers(value: object) -> None:
    """Raises Malformed for NaN and the infinities, however deep."""
    if isinstance(value, float | Decimal) and not isfinite(value):
        raise Malformed(f"NaN and Infinity are no numbers: {value!r}")
    if isinstance(value, Mapping):
        for inner in value.values():
            _check_numbers(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            _check_numbers(inner)


def _from_mapping(record: Mapping[str, Any]) -> Delivery:
    plain: dict[str, object] = {
        name: record[name]
        for name in ("topic", "partition", "offset", "timestamp", "timestamp_type")
        if record.get(name) is not None
    }
    try:
        plain["headers"] = tuple(
            (str(name), None if text is None else str(text))
            for name, text in record.get("headers") or ()
        )
        where = msgspec.convert(plain, _Where)
    except (TypeError, ValueError) as error:
        raise Malformed(f"a record with a wrong member: {error}") from None
    return Delivery(
        where.topic,
        where.partition,
        where.offset,
        where.timestamp,
        where.timestamp_type,
        _bytes(record.get("key")),
        _bytes(record["value"]),
        where.headers,
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
