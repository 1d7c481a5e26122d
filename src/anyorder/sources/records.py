"""Whatever a user has in hand as a record, as a `Delivery`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any

import msgspec

from anyorder._core.event import Delivery, Event, Kind, canonical
from anyorder.envelopes import DEFAULT_ENVELOPE, Envelope, EnvelopeName, open_envelope
from anyorder.errors import ConfigurationError, Malformed
from anyorder.sources.fractions import has_fraction, without_fractions

FIELDS = frozenset(
    {"key", "value", "topic", "partition", "offset", "timestamp", "timestamp_type", "headers"}
)
UNENCODABLE = b"{a record that is no JSON}"
"""What the quarantine keeps of a record without bytes, before its text. No envelope reads it."""
LONGEST = 10_000  # characters of that text
WORDS = (b"null", b"NaN", b"Infinity")  # how numbers that are none come out of an encoder
Number = Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)]
Time = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# A decimal is a number as a document spells it, in a key, too.
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Where(msgspec.Struct):
    """Kafka's record fields that say where a record comes from, as every store can keep them."""

    topic: str = ""
    partition: Number = -1
    offset: Number = -1
    timestamp: Time | None = None
    timestamp_type: str = ""
    headers: tuple[tuple[str, str | None], ...] = ()


class _Whole(_Where):
    """All of a delivery."""

    key: bytes | None = None
    value: bytes | None = None


def decode(
    records: Iterable[object], envelope: EnvelopeName = DEFAULT_ENVELOPE, **options: Any
) -> Iterator[Event]:
    """The event of each record, in order, one at a time as you ask for it. `options` are the
    envelope's.

    What cannot be decoded is an event of kind `malformed` whose `note` says why, never an
    exception; give it to a table like any other, and it ends in the quarantine.
    """
    return events_of(records, open_envelope(envelope, **options))


def events_of(records: Iterable[object], envelope: Envelope) -> Iterator[Event]:
    """The event of each record. Raises ConfigurationError for what is no number of records, and for
    one that stands alone: its names or letters would be taken for records."""
    alone = isinstance(records, Mapping | str | bytes | Delivery)
    if alone or not isinstance(records, Iterable):
        raise ConfigurationError(
            f"records are a list, or any other iterable of them, not one {type(records).__name__}: "
            "put it into a list"
        )
    return (event_of(record, envelope) for record in records)


def event_of(record: object, envelope: Envelope) -> Event:
    """The event in a record; of kind MALFORMED where Python has a value that JSON has not. Raises
    ConfigurationError for what is no record."""
    try:
        event = envelope.decode(delivery_of(record))
        # Bytes and text spell their numbers; a mapping may have a float instead.
        if isinstance(record, Mapping) and has_fraction(event):
            _check_key(event, record, envelope)
    except Malformed as problem:
        # What it holds is kept for a person to read, so that no envelope takes it for its own.
        shown = _shown(record)[:LONGEST].encode("utf-8", "backslashreplace")
        kept = Delivery(value=UNENCODABLE + b" " + shown)
        return Event(Kind.MALFORMED, note=str(problem), delivery=kept)
    return event


def _check_key(event: Event, record: Mapping[Any, Any], envelope: Envelope) -> None:
    """Raises Malformed where the key has a float with a fraction: without such floats, it is
    another key."""
    emptied: dict[Any, Any] = {**record}
    parts = ("key", "value") if _is_record(record) else tuple(record)
    for name in parts:
        emptied[name] = without_fractions(record.get(name))
    if envelope.decode(delivery_of(emptied)).key != event.key:
        raise Malformed(
            f"its key {canonical(event.key):.80} has a float with a fraction, and nobody knows "
            "which decimal that was: give a Decimal or a text"
        )


def _shown(value: object) -> str:
    """A record as a person reads it, whatever is in it."""
    text = _words(value)
    if text or not isinstance(value, dict):
        return text or _nameless(value)
    # Its other members tell most of it.
    return "{" + ", ".join(_member(name, inner) for name, inner in value.items()) + "}"


def _member(name: object, value: object) -> str:
    return f"{_words(name) or _nameless(name)}: {_words(value) or _nameless(value)}"


def _words(value: object) -> str:
    """Python's words for a value, "" if it has none."""
    try:
        return repr(value)
    # It may be too deep, have too many digits, or be of a class whose own words fail.
    except Exception:
        return ""


def _nameless(value: object) -> str:
    return f"<{type(value).__name__}, which cannot be shown>"


def delivery_of(record: object) -> Delivery:
    """A delivery of: a Delivery, bytes or text (the value), a mapping of Kafka's record fields, a
    confluent_kafka.Message, or a JSON document.

    A mapping counts as a record if it has `value` and nothing but record fields; any other is the
    document itself. Raises Malformed for values that JSON does not have, ConfigurationError for
    other types.
    """
    if isinstance(record, Delivery):
        return _checked(record)
    if isinstance(record, bytes | str):
        return Delivery(value=_bytes(record))
    if isinstance(record, Mapping):
        is_record = _is_record(record)
        return _from_mapping(record) if is_record else Delivery(value=_encoded(dict(record)))
    if callable(getattr(record, "topic", None)) and callable(getattr(record, "value", None)):
        return _checked(_from_message(record))
    raise ConfigurationError(
        f"not a record: {type(record).__name__}; "
        "give bytes, text, a mapping, a Delivery or a Kafka message"
    )


def _is_record(record: Mapping[Any, Any]) -> bool:
    return "value" in record and record.keys() <= FIELDS


def _checked(delivery: Delivery) -> Delivery:
    """A delivery that every store can keep. Raises Malformed for any other: whoever made it may
    have put anything into it."""
    try:
        msgspec.convert(delivery, _Whole, from_attributes=True)
        _check_texts(delivery)
    except ValueError as error:
        raise Malformed(f"a record with a wrong member: {error}") from None
    return delivery


def _check_texts(where: Delivery | _Where) -> None:
    """Raises UnicodeEncodeError for half of a surrogate pair, which no store can keep."""
    for text in (where.topic, where.timestamp_type):
        text.encode()
    # Most records have none.
    if where.headers:
        _encode(where.headers)


def _bytes(value: object) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return _encoded(value)


def _encoded(value: object) -> bytes:
    """A value as JSON. Raises Malformed for what JSON does not have."""
    try:
        data = _encode(value)
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
            (str(name), _text(text)) for name, text in record.get("headers") or ()
        )
        where = msgspec.convert(plain, _Where)
        _check_texts(where)
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


def _text(header: object) -> str | None:
    """A header's value, of which Kafka knows nothing but bytes."""
    if isinstance(header, bytes | bytearray | memoryview):
        return bytes(header).decode("utf-8", "replace")
    return None if header is None else str(header)


def _from_message(message: Any) -> Delivery:
    """A confluent_kafka.Message: falsy for a tombstone, so always compare with None."""
    kind, timestamp = message.timestamp()
    names = {1: "CreateTime", 2: "LogAppendTime"}
    headers = tuple((name, _text(text)) for name, text in message.headers() or ())
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
