"""Records of DynamoDB Streams, and of Kinesis Data Streams for DynamoDB: items with their types, in
the order of each item's changes.

The clock is the record's `SequenceNumber`, an integer of 21 to 40 digits that orders the changes of
one item inside one stream (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html).
A table has at most one stream that is switched on, and a stream's ARN ends in the time when that
happened: of two streams of a table everything in the later one is newer. Through Kinesis there is
no sequence number: `ApproximateCreationDateTime` orders, in milli- or microseconds; changes of one
item at the same time are a tie (rules R12).
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from anyorder._core.event import Delivery, Event, KeyFields, Kind, canonical
from anyorder._core.families import ScalarPosition, version
from anyorder.envelopes import strict
from anyorder.envelopes.envelope import Reader, chosen
from anyorder.envelopes.keys import key_fields
from anyorder.envelopes.limits import Limits
from anyorder.errors import ConfigurationError, Malformed

ARN = re.compile(
    r"(?P<table>arn:[^:]+:dynamodb:[^:]*:[^:]*:table/(?P<name>[A-Za-z0-9_.-]{1,255}))"
    r"/stream/(?P<label>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)"
)
SERVICE = "dynamodb.amazonaws.com"
PUTS, REMOVE = ("INSERT", "MODIFY"), "REMOVE"
EXPIRED = "DynamoDB's TTL deleted it"
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# of ApproximateCreationDateTimePrecision, Kinesis only
MICROSECONDS = {"MILLISECOND": 1_000, "MICROSECOND": 1}
LATEST = 2**63 - 1  # microseconds
LARGEST_EXPONENT = 130  # DynamoDB's numbers end at 1E+125 and 1E-130


class DynamoDBStreams(Reader):
    """`expired`: "delete", or "ignore" to keep rows that DynamoDB's TTL deleted. `table`: its name,
    by default the one in the ARN."""

    name = "dynamodb_streams"

    def __init__(self, *, expired: str = "delete", table: str = "") -> None:
        self._keeps_expired = chosen(expired, "expired", ("delete", "ignore")) == "ignore"
        if not isinstance(table, str):
            raise ConfigurationError(f"the envelope option table must be a text, not {table!r:.80}")
        self._table = table

    @classmethod
    def keeps_for_ever(cls, options: Mapping[str, Any]) -> str:  # noqa: ARG003
        return "a stream of DynamoDB orders the changes of one item only: leave the retention out"

    def read(self, delivery: Delivery) -> Event:
        record, change = _record(delivery, self.limits)
        table, key = self._table or _table(record), _key(change)
        source = self._source_table(record)
        time = _time(change)
        position = _position(record, change, key, time)
        name, expired = record.get("eventName"), _by_ttl(record)
        if expired and self._keeps_expired:
            return Event(
                Kind.CONTROL,
                table,
                key,
                position,
                time=time,
                note=f"{EXPIRED}, and rows that expired are kept",
                delivery=delivery,
                source=source,
            )
        if name == REMOVE:
            return Event(
                Kind.DELETE,
                table,
                key,
                position,
                time=time,
                note=EXPIRED if expired else "",
                delivery=delivery,
                source=source,
            )
        if name not in PUTS:
            raise Malformed(f"eventName {name!r:.80} is none of INSERT, MODIFY, REMOVE")
        if "NewImage" not in change:
            note = (
                "no new image came with it (view type "
                f"{change.get('StreamViewType', 'unknown')!s:.40}): the stream needs "
                "NEW_AND_OLD_IMAGES"
            )
            return Event(
                Kind.NO_CONTENT,
                table,
                key,
                position,
                time=time,
                note=note,
                delivery=delivery,
                source=source,
            )
        row = {**_item(change["NewImage"]), **key}
        return Event(
            Kind.PUT,
            table,
            key,
            position,
            row,
            creates=name == PUTS[0],
            time=time,
            delivery=delivery,
            source=source,
        )

    def table_of(self, delivery: Delivery) -> str:
        return self._table or _table(_record(delivery, self.limits)[0]) or delivery.topic

    def source_table_of(self, delivery: Delivery) -> str:
        return self._source_table(_record(delivery, self.limits)[0])

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        return _key(_record(delivery, self.limits)[1])

    def _source_table(self, record: dict[str, Any]) -> str:
        """With its account and Region where the ARN tells them: two of them may have tables of one
        name."""
        found = ARN.fullmatch(str(record.get("eventSourceARN")))
        return self._table or (found["table"] if found else _table(record))


def _record(delivery: Delivery, limits: Limits) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record, and the change in it."""
    record = strict.parse(delivery.value or b"null", limits=limits)
    change = record.get("dynamodb") if type(record) is dict else None
    if type(change) is not dict or record.get("eventSource") != "aws:dynamodb":
        raise Malformed(
            "no record of DynamoDB Streams: it has no eventSource aws:dynamodb with a "
            "member dynamodb"
        )
    return record, change


def _table(record: dict[str, Any]) -> str:
    """Named in the stream's ARN, through Kinesis by itself."""
    found, name = ARN.fullmatch(str(record.get("eventSourceARN"))), record.get("tableName", "")
    if found is None and type(name) is not str:
        raise Malformed(f"tableName is no text: {name!r:.80}")
    return found["name"] if found else name


def _by_ttl(record: dict[str, Any]) -> bool:
    """Did DynamoDB itself delete the item? The streams API spells the members in capitals
    (time-to-live-ttl-streams.html)."""
    identity = record.get("userIdentity")
    told = (
        {name.lower(): value for name, value in identity.items()} if type(identity) is dict else {}
    )
    return told.get("type") == "Service" and told.get("principalid") == SERVICE


def _position(
    record: dict[str, Any], change: dict[str, Any], key: KeyFields, time: int | None
) -> ScalarPosition:
    """Where the change lies among those of its item; nothing orders the changes of different
    items."""
    number = change.get("SequenceNumber")
    if number is None:
        if time is None or not record.get("tableName"):
            raise Malformed(
                "neither a SequenceNumber nor tableName and ApproximateCreationDateTime, so "
                "nothing orders the change"
            )
        scope = (
            f"dynamodb-kinesis:{record.get('awsRegion', '')}/{record['tableName']}/{canonical(key)}"
        )
        return ScalarPosition("time", scope, (time,), per_entity=True, time=time)
    arn = record.get("eventSourceARN")
    found = ARN.fullmatch(arn) if type(arn) is str else None
    if found is None:
        raise Malformed(
            f"eventSourceARN {arn!r:.120} is no stream of a table: nothing tells which "
            "one the sequence number is of"
        )
    scope = f"dynamodb:{found['table']}/{canonical(key)}"
    return ScalarPosition(
        "sequence",
        scope,
        (_switched_on(found["label"]), *version.parse(number)),
        per_entity=True,
        time=time,
    )


def _switched_on(label: str) -> int:
    """The time in a stream's label, in milliseconds."""
    try:
        moment = datetime.fromisoformat(label).replace(tzinfo=UTC)
    except ValueError:
        raise Malformed(f"the stream's label is no time: {label!r:.80}") from None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _time(change: dict[str, Any]) -> int | None:
    """When the change happened, in microseconds: seconds in DynamoDB Streams, as its precision says
    in Kinesis."""
    value = change.get("ApproximateCreationDateTime")
    if value is None:
        return None
    if type(value) not in (int, float, Decimal) or not 0 <= value <= LATEST:
        raise Malformed(f"ApproximateCreationDateTime is no time: {value!r:.80}")
    if change.get("SequenceNumber") is not None:
        return round(Decimal(str(value)) * 1_000_000)
    return int(value) * MICROSECONDS.get(
        str(change.get("ApproximateCreationDateTimePrecision", "MILLISECOND")), 1_000
    )


def _key(change: dict[str, Any]) -> KeyFields:
    """The key's columns. Binary ones are their base64 text, since a key must be JSON."""
    keys = change.get("Keys")
    if type(keys) is not dict or not keys:
        raise Malformed("the record has no Keys, so no row can be found")
    return key_fields({name: _part(cell) for name, cell in keys.items()})


def _part(cell: Any) -> Any:
    is_binary = type(cell) is dict and cell.keys() == {"B"}
    return _text(cell["B"]) if is_binary else plain(cell)


def _item(image: Any) -> dict[str, Any]:
    if type(image) is not dict:
        raise Malformed(f"the image is no item: {image!r:.80}")
    return {name: plain(cell) for name, cell in image.items()}


def plain(cell: Any) -> Any:
    """DynamoDB's typed JSON as a value, exactly: numbers as integers or decimals, binary as bytes,
    a set as a sorted list. Raises Malformed."""
    if type(cell) is not dict or len(cell) != 1:
        raise Malformed(f"not an attribute of DynamoDB, which has one type: {cell!r:.80}")
    ((kind, value),) = cell.items()
    reader = _TYPES.get(kind)
    if reader is None:
        raise Malformed(f"no type of DynamoDB: {kind!r:.80}")
    return reader(value)


def _of(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise Malformed(f"not the value that its type says ({kind.__name__}): {value!r:.80}")
        return value

    return read


def _number(value: Any) -> int | float | Decimal:
    if type(value) is not str or not NUMBER.fullmatch(value):
        raise Malformed(f"not a number of DynamoDB, which is a text of digits: {value!r:.80}")
    try:
        exact = Decimal(value)
    except InvalidOperation:
        raise Malformed(f"a number with an exponent beyond any use: {value:.80}") from None
    if abs(exact.adjusted()) > LARGEST_EXPONENT and exact:
        raise Malformed(f"a number beyond DynamoDB's range: {value:.80}")
    whole = int(exact)
    return whole if whole == exact else strict.number(value)


def _binary(value: Any) -> bytes:
    try:
        return b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"not base64: {value!r:.80}") from None


def _set(reader: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    return lambda value: sorted(reader(one) for one in _list(value))


_text, _list, _object, _flag = _of(str), _of(list), _of(dict), _of(bool)
_TYPES: dict[str, Callable[[Any], Any]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": _flag,
    "NULL": lambda _: None,
    "L": lambda value: [plain(one) for one in _list(value)],
    "M": lambda value: {name: plain(one) for name, one in _object(value).items()},
    "SS": _set(_text),
    "NS": _set(_number),
    "BS": _set(_binary),
}
