"""What is in these bytes? Names a payload's format and each field's role, or says why it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from anyorder._core.event import Delivery, canonical
from anyorder.envelopes.cloudevents import CloudEvents
from anyorder.envelopes.connect import Schemas
from anyorder.envelopes.debezium import Debezium, control
from anyorder.envelopes.debezium_sources import SOURCES
from anyorder.envelopes.eventbridge import EventBridge
from anyorder.envelopes.format import EVIDENCE, IDENTITY, IGNORED, KEY, ORDER, TIME, Format
from anyorder.envelopes.formats import FORMATS
from anyorder.envelopes.pointers import MISSING, Pointer, escaped
from anyorder.envelopes.raw import Raw, text_of
from anyorder.errors import Malformed

TOPIC = '"TopicArn"'  # in an SQS message of SNS
WIRE = 5  # bytes before a value: a zero, and the number of its schema
SHOWN = 60  # characters of a value


class Role(NamedTuple):
    """A field (a JSON pointer into the value, or the name of a record's part), what it is for, and
    its value, cut short."""

    field: str
    role: str
    value: str


class Detected(NamedTuple):
    """`format`: its name, "" where it is not known. `why`: what it is, or why nothing can be said.
    `roles`: every field's. `advice`: the lines of a pipeline's [source] that read it, if any do and
    its own envelope's name is not all."""

    format: str
    why: str
    roles: tuple[Role, ...] = ()
    advice: str = ""


def detect(delivery: Delivery) -> Detected:
    """What an unknown delivery is. Never raises."""
    headers = {name for name, _ in delivery.headers}
    if "ce_specversion" in headers:
        roles = tuple(
            Role(f"header {name}", _CLOUDEVENT.get(name, IGNORED), value or "")
            for name, value in delivery.headers
        )
        return Detected(
            "cloudevents",
            "a CloudEvent in Kafka's binary mode",
            roles + _transport(delivery, ordered=False),
        )
    if delivery.value is None:
        by = "debezium" if any(name.startswith("__debezium.") for name in headers) else "raw"
        return Detected(
            by,
            "a null value: a tombstone of its key, with no clock but its place in the topic",
            _transport(delivery, ordered=True),
        )
    try:
        value, _ = Schemas().open(delivery.value)
    except Malformed as error:
        return Detected(
            "", _no_json(delivery.value, str(error)), _transport(delivery, ordered=True)
        )
    if type(value) is not dict:
        return Detected(
            "", f"JSON, but no object: {_shown(value)}", _transport(delivery, ordered=True)
        )
    return _known(value, delivery) or Detected(
        "", _unknown(value), (*_roles(value, {}), *_transport(delivery, ordered=True))
    )


def envelopes_of(delivery: Delivery) -> frozenset[str]:
    """The envelopes of every known format that a delivery may be of, "" for one that has none: one
    format may contain another. None of what nothing is known of, a null value among it. Never
    raises."""
    found: set[str] = set()
    if any(name == "ce_specversion" for name, _ in delivery.headers):
        found.add(CloudEvents.name)
    try:
        value, _ = Schemas().open(delivery.value or b"null")
    except Malformed:
        return frozenset(found)
    if type(value) is dict:
        found.update(format.envelope for format in _marking(value) if not format.is_vague)
        # a heartbeat has marks of nothing else
        if control(value):
            found.add(Debezium.name)
    return frozenset(found)


def _known(value: dict[str, Any], delivery: Delivery) -> Detected | None:
    note = control(value)
    if note and "op" not in value:
        return Detected("debezium", f"{note} of Debezium: not a change", tuple(_roles(value, {})))
    for format in _marking(value):
        ordered = format.name == "debezium, flattened" and "/__lsn" not in format.roles
        roles = (*_roles(value, format.roles), *_transport(delivery, ordered))
        roles += _inside(format, delivery)
        return Detected(format.name, _why(format, value), roles, _advice(format, value))
    return None


def _advice(format: Format, value: dict[str, Any]) -> str:
    """With the key's columns as the record tells them: by one of several, rows become one."""
    key = Pointer(format.keyed_by, "key").find(value) if format.keyed_by else MISSING
    if type(key) is not dict or not key:
        return format.advice
    columns = [f"{format.keyed_by}/{escaped(name)}" for name in key]
    said = canonical(columns[0] if len(columns) == 1 else columns)
    return format.advice.replace(f'key = "{format.keyed_by}/id"', f"key = {said}")


def _marking(value: dict[str, Any]) -> Iterator[Format]:
    """The formats whose marks are all there, the narrower one first."""
    for format in FORMATS:
        if all(_marked(value, mark) for mark in format.marks):
            yield format


def _why(format: Format, value: dict[str, Any]) -> str:
    if format.name == "sqs" and TOPIC in str(value["body"]):
        return (
            f"{format.why}. The body is an SNS notification: the event is the text in its Message"
        )
    if format.name != "debezium":
        return format.why
    connector = value["source"]["connector"]
    known = SOURCES.get(connector) if type(connector) is str else None
    return (
        f"{format.why} of the connector {connector} "
        f"({known.evidence if known else 'its positions are not supported'})"
    )


def _inside(format: Format, delivery: Delivery) -> tuple[Role, ...]:
    """What the record inside an EventBridge event is."""
    if format.envelope != EventBridge.name:
        return ()
    try:
        inside = EventBridge(inside=Raw()).record(delivery)
    except Malformed:
        return ()
    return tuple(
        Role(f"/detail/value{role.field}", role.role, role.value)
        for role in detect(inside).roles
        if role.field.startswith("/")
    )


def _marked(value: Any, mark: str) -> bool:
    where, equals, text = mark.partition("=")
    found = Pointer(where, "mark").find(value)
    return found == text if equals else found is not MISSING


def _roles(value: Any, roles: dict[str, str], path: str = "") -> Iterator[Role]:
    """Every field's role; an object is opened where a role lies inside it."""
    for name, cell in value.items():
        field = f"{path}/{escaped(name)}"
        if type(cell) is dict and any(pointer.startswith(field + "/") for pointer in roles):
            yield from _roles(cell, roles, field)
        else:
            yield Role(field, roles.get(field, IGNORED), _shown(cell))


def _transport(delivery: Delivery, ordered: bool) -> tuple[Role, ...]:
    """The record's own parts; its offset is an order only where nothing better is told."""
    roles = []
    if delivery.topic:
        roles.append(Role("topic", IDENTITY, delivery.topic))
    if delivery.partition >= 0:
        role = ORDER if ordered else EVIDENCE
        roles += [
            Role("partition", role, str(delivery.partition)),
            Role("offset", role, str(delivery.offset)),
        ]
    if delivery.key is not None:
        roles.append(Role("key", KEY, _cut(text_of(delivery.key))))
    if delivery.timestamp is not None:
        roles.append(Role("timestamp", TIME if ordered else EVIDENCE, str(delivery.timestamp)))
    return tuple(roles)


def _no_json(data: bytes, reason: str) -> str:
    if data[:1] != b"\x00" or len(data) <= WIRE:
        return reason
    number = int.from_bytes(data[1:WIRE])
    told = f"Confluent's wire format: a value of schema {number} of a schema registry"
    if data[WIRE : WIRE + 1] in (b"{", b"["):
        return (
            f"{told}, which is JSON behind five bytes; no envelope takes them off: let the "
            "producer write plain JSON (JsonConverter)"
        )
    return (
        f"{told}, in Avro or Protobuf, which no envelope reads yet; let the producer write JSON "
        "(JsonConverter), or print it with kafka-avro-console-consumer"
    )


def _unknown(value: dict[str, Any]) -> str:
    names = ", ".join(list(value)[:8]) or "none"
    return (
        f"JSON of no known format (names: {names}). If it is your own, the envelope "
        'json reads it: say key = "/..." and position = "/..."; '
        "if it is a row on Kafka, the envelope raw goes by the offset"
    )


def _shown(value: Any) -> str:
    return _cut(value if type(value) is str else canonical(value))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


_CLOUDEVENT = {
    "ce_id": IDENTITY,
    "ce_source": ORDER,
    "ce_sequence": ORDER,
    "ce_sequencetype": ORDER,
    "ce_subject": KEY,
    "ce_partitionkey": KEY,
    "ce_type": "deletion",
    "ce_time": TIME,
    "ce_dataref": EVIDENCE,
}
