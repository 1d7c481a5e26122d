"""The envelope of the EventBridge sink connector for Kafka Connect, around any envelope inside.

`detail` restates the Kafka record: topic, partition, offset, timestamp, timestampType, headers (an
array of one-entry objects), key and value. EventBridge's own id, time and replay-name say nothing
about order: they are of this copy (SinkRecordJsonMapper.java of
awslabs/eventbridge-kafka-connector). A `value` that is null is a tombstone; one that is absent was
offloaded (`dataref`). A rule may hand on less than the event: with InputPath "$.detail", or an
input transformer that keeps the members of `detail`, everything needed is still there; what has
lost the record's place or key is refused.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import msgspec

from anyorder._core.event import Delivery, Event, KeyFields, Kind, canonical
from anyorder._core.row_clock import RowClock
from anyorder.envelopes import strict
from anyorder.envelopes.envelope import Reader
from anyorder.errors import ConfigurationError, Malformed

ERRORS = "__connect.errors."
REFERENCE, REFERENCE_PATH = "dataref", "datarefJsonPath"
HARMLESS_PATH = "$.detail.value.before"  # nothing is read from there
DECIDED = frozenset((Kind.DELETE, Kind.TRUNCATE, Kind.HINT, Kind.CONTROL))
LARGEST = 2**63 - 1
TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
DIGITS = re.compile(r"[0-9]{1,18}")


PLACE = frozenset(("topic", "partition", "offset"))
WHOLE = (
    "let the rule hand on the whole event (neither InputPath nor input "
    'transformer), or InputPath = "$.detail"'
)


class _Detail(msgspec.Struct):
    """Key and value as they are written."""

    key: msgspec.Raw = msgspec.Raw(b"null")
    value: msgspec.Raw = msgspec.Raw(b"null")


class _Body(msgspec.Struct):
    """What the inner record is cut out of."""

    detail: _Detail


_cut = msgspec.json.Decoder(_Body).decode
_cut_detail = msgspec.json.Decoder(_Detail).decode


class Inside(NamedTuple):
    """The Kafka record inside, whether it has a value at all, and where an offloaded part went."""

    delivery: Delivery
    valued: bool
    reference: str
    path: str


class EventBridge(Reader):
    """`inner`: the name of the envelope inside; its options stand beside. `dead_letter_topics`:
    globs of Connect's dead-letter topics, whose offsets say nothing about order.
    """

    name = "eventbridge"

    def __init__(self, *, inside: Reader, dead_letter_topics: Iterable[str] = ()) -> None:
        if isinstance(dead_letter_topics, str) or not all(
            isinstance(glob, str) for glob in dead_letter_topics
        ):
            raise ConfigurationError(
                "the envelope option dead_letter_topics must be a list of texts"
            )
        self._inner = inside
        self._dead_letter_topics = tuple(dead_letter_topics)

    def row_clock(self, column: str, without: str) -> RowClock:
        return self._inner.row_clock(column, without)

    def read(self, delivery: Delivery) -> Event:
        inside = self._inside(delivery)
        if not inside.valued:
            note = f"the record has no value, which is not a null one{_lies_at(inside)}"
            return msgspec.structs.replace(
                self._inner.unread(inside.delivery, note),
                kind=Kind.NO_CONTENT,
                delivery=_arrived(delivery, inside),
            )
        event = self._inner.decode(inside.delivery)
        if inside.reference and event.kind not in DECIDED and inside.path != HARMLESS_PATH:
            note = f"{inside.path or 'a part'} of the record is missing{_lies_at(inside)}"
            return Event(
                Kind.NO_CONTENT,
                event.table,
                event.key,
                event.position,
                time=event.time,
                note=note,
                delivery=_arrived(delivery, inside),
                source=event.source,
            )
        return msgspec.structs.replace(event, delivery=_arrived(delivery, inside))

    def _inside(self, delivery: Delivery) -> Inside:
        if delivery.value is None:
            raise Malformed("an EventBridge event has a body, this delivery has none")
        body = strict.parse(delivery.value, limits=self.limits)
        detail = body.get("detail") if type(body) is dict else None
        if type(detail) is dict and detail.keys() >= PLACE:
            raw = _cut(delivery.value).detail
        # a rule with InputPath = "$.detail"
        elif detail is None and type(body) is dict and body.keys() >= PLACE:
            detail, raw = body, _cut_detail(delivery.value)
        else:
            raise Malformed(_no_record(body))
        headers = _headers(detail.get("headers"))
        # the first of a name: the first failure knew the original
        topic, partition, offset = self._place(detail, dict(reversed(headers)))
        record = Delivery(
            topic,
            partition,
            offset,
            _timestamp(detail.get("timestamp")),
            str(detail.get("timestampType") or ""),
            _key(detail.get("key"), raw.key),
            _value(detail.get("value"), raw.value),
            headers,
        )
        return Inside(
            record, "value" in detail, _text(detail, REFERENCE), _text(detail, REFERENCE_PATH)
        )

    def _place(
        self, detail: dict[str, Any], headers: dict[str, str | None]
    ) -> tuple[str, int, int]:
        """Topic, partition and offset of the record; of the original where it comes from a
        dead-letter topic.

        Without the original offset there is no transport clock: the dead-letter topic's own order
        is that of failures.
        """
        topic, partition, offset = (
            detail["topic"],
            _number(detail, "partition"),
            _number(detail, "offset"),
        )
        if type(topic) is not str:
            raise Malformed(f"detail.topic is no text: {topic!r:.80}")
        redriven = any(name.startswith(ERRORS) for name in headers)
        if not redriven and not any(fnmatchcase(topic, glob) for glob in self._dead_letter_topics):
            return topic, partition, offset
        original = {
            name: headers.get(ERRORS + name) or "" for name in ("topic", "partition", "offset")
        }
        if not TOPIC.fullmatch(original["topic"]):
            return topic, -1, -1
        if all(DIGITS.fullmatch(original[name]) for name in ("partition", "offset")):
            return original["topic"], int(original["partition"]), int(original["offset"])
        return original["topic"], -1, -1

    def record(self, delivery: Delivery) -> Delivery:
        """The Kafka record inside. Raises Malformed where there is none."""
        return self._inside(delivery).delivery

    def table_of(self, delivery: Delivery) -> str:
        return self._inner.unread(self._inside(delivery).delivery, "").table

    def source_table_of(self, delivery: Delivery) -> str:
        return self._inner.unread(self._inside(delivery).delivery, "").source

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        return self._inner.unread(self._inside(delivery).delivery, "").key


def _arrived(delivery: Delivery, inside: Inside) -> Delivery:
    """The delivery as it arrived, byte for byte; from a queue or a file, which are no topics, under
    the topic of the record inside."""
    return (
        delivery
        if delivery.partition >= 0
        else msgspec.structs.replace(delivery, topic=inside.delivery.topic)
    )


def _said(body: Any) -> str:
    if body is None:
        return "no value at all"
    return "a text" if type(body) is str else f"no JSON object but {body!r:.40}"


def _no_record(body: Any) -> str:
    """Why a body is no event of the connector, and what to do about it."""
    if type(body) is not dict:
        return (
            f"{_said(body)}, not an event: the rule's input path or transformer took the rest "
            f"away; {WHOLE}"
        )
    if type(body.get("detail")) is dict and "detail-type" in body:
        return (
            "no event of the Kafka sink connector: detail does not tell topic, partition "
            "and offset. "
            'An event of another producer is read with the envelope json: key = "/detail/..."'
        )
    if "op" in body and "source" in body:
        return (
            'detail.value alone (InputPath = "$.detail.value"): the key and the '
            f"tombstones are lost; {WHOLE}"
        )
    names = ", ".join(sorted(map(str, body))[:8])
    return (
        f"neither an EventBridge event nor its detail (names: {names:.80}): an input "
        f"transformer made something else of it; {WHOLE}"
    )


def _number(detail: dict[str, Any], name: str) -> int:
    value = detail[name]
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise Malformed(f"detail.{name} is no whole number: {value!r:.80}")
    return value


def _timestamp(value: Any) -> int | None:
    if value is not None and (type(value) is not int or abs(value) > LARGEST):
        raise Malformed(f"detail.timestamp is no whole number of milliseconds: {value!r:.80}")
    return value


def _text(detail: dict[str, Any], name: str) -> str:
    value = detail.get(name)
    if value is not None and type(value) is not str:
        raise Malformed(f"detail.{name} is no text: {value!r:.80}")
    return value or ""


def _headers(listed: Any) -> tuple[tuple[str, str | None], ...]:
    """An array of one-entry objects; names may repeat. What is no text becomes its JSON."""
    if listed is None:
        return ()
    if type(listed) is not list or not all(
        type(header) is dict and len(header) == 1 for header in listed
    ):
        raise Malformed(f"detail.headers is no array of objects with one entry: {listed!r:.80}")
    entries = [next(iter(header.items())) for header in listed]
    return tuple(
        (name, value if value is None or type(value) is str else canonical(value))
        for name, value in entries
    )


def _key(value: Any, raw: msgspec.Raw) -> bytes | None:
    """The key's bytes. A text that is no object in disguise stays a JSON text."""
    if value is None:
        return None
    if type(value) is list:
        raise Malformed(f"detail.key is a JSON array, which names no row: {value!r:.80}")
    return (_object(value) if type(value) is str else None) or bytes(raw)


def _value(value: Any, raw: msgspec.Raw) -> bytes | None:
    """The value's bytes: of a text, those that StringConverter read."""
    if value is None:
        return None
    if type(value) is str:
        return _object(value) or value.encode()
    return bytes(raw)


def _object(text: str) -> bytes | None:
    """The object that a converter made a text: StringConverter as it stands, ByteArrayConverter in
    base64."""
    if text.lstrip().startswith("{"):
        return text.encode()
    if not text.startswith("ey"):  # how base64 of an object begins
        return None
    try:
        decoded = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if decoded.startswith(b"{") else None


def _lies_at(inside: Inside) -> str:
    return f": it lies at {inside.reference}" if inside.reference else ""
