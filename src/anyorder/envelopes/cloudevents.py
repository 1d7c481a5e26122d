"""CloudEvents 1.0: structured JSON, and Kafka's binary mode (`ce_` headers, the data as the value;
a null value is a tombstone).

`id` is not an order, and `time` is the sender's own; the only order there is is the `sequence`
extension, inside one `source`. Two texts of the specification order it differently ("10" and "9"),
so it must be said which holds, unless the event itself says `sequencetype` = Integer: a signed
32-bit counter that wraps (tag v1.0.2).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from anyorder._core.event import Delivery, Event, KeyFields, Kind, canonical
from anyorder._core.families import LifePosition, ScalarPosition
from anyorder._core.families.spellings import SPELLINGS
from anyorder.envelopes import strict
from anyorder.envelopes.document import INSIDE_A_LIFE, life_at
from anyorder.envelopes.envelope import KeyOption, Reader, chosen, points
from anyorder.envelopes.keys import agreed
from anyorder.envelopes.limits import Limits
from anyorder.envelopes.pointers import KeyPointers, Pointer, pointed
from anyorder.envelopes.raw import BLANKS, text_of
from anyorder.envelopes.spellings import microseconds
from anyorder.errors import ConfigurationError, Malformed

HEADER = "ce_"
BATCH = "application/cloudevents-batch"
SEQUENCES = {
    "integer": "version",
    "lexicographic": "lexicographic",
    "integer32-wrap": "integer32-wrap",
}
ATTRIBUTES = ("subject", "partitionkey")
"""Attributes that may be the key."""
REQUIRED = ("id", "source", "type")
ABSENT = object()


class Attributes(NamedTuple):
    """An event taken apart: its attributes, and its data (ABSENT where there is none)."""

    attributes: dict[str, Any]
    data: Any
    tombstone: bool = False

    def text(self, name: str) -> str:
        """An attribute that must be a text, "" where it is not there."""
        value = self.attributes.get(name)
        if value is not None and type(value) is not str:
            raise Malformed(f"the attribute {name} is no text: {value!r:.80}")
        return value or ""


class CloudEvents(Reader):
    """`sequence`: "integer", "lexicographic" or "integer32-wrap". `key`: "subject", "partitionkey",
    or JSON pointers into the data.

    `deleted_type`: a glob over `type`; what matches deletes. `incarnation`: an attribute, or a JSON
    pointer into the data, that says which life of its key an event is of, as in the envelope json.
    `table`: its name, by default the topic, else the source.
    """

    name = "cloudevents"

    def __init__(
        self,
        *,
        sequence: str | None = None,
        key: object = "subject",
        deleted_type: str = "",
        incarnation: str = "",
        table: str = "",
    ) -> None:
        self._kind = (
            None if sequence is None else SEQUENCES[chosen(sequence, "sequence", tuple(SEQUENCES))]
        )
        self._attribute = key if key in ATTRIBUTES else ""
        self._pointers = None if self._attribute else KeyPointers(key)
        if not isinstance(deleted_type, str) or not isinstance(table, str):
            raise ConfigurationError("the envelope options deleted_type and table must be texts")
        self._deleted_type, self._table = deleted_type, table
        if not isinstance(incarnation, str):
            raise ConfigurationError(
                "the envelope option incarnation must name an attribute, or be a JSON pointer such "
                f'as "/created_at", not {incarnation!r:.80}'
            )
        # An attribute's name has no slash.
        where = incarnation
        if where and not where.startswith("/"):
            where = f"/{where}"
        self._in_data = where == incarnation
        self._life = Pointer(where, "incarnation") if where else None

    @classmethod
    def key_columns(cls, key: KeyOption) -> tuple[tuple[str, ...], dict[str, Any]]:
        if key in ATTRIBUTES:
            return (), {"key": key}
        return pointed(key) if points(key) else super().key_columns(key)

    @classmethod
    def keeps_for_ever(cls, options: Mapping[str, Any]) -> str:
        return INSIDE_A_LIFE if options.get("incarnation") else ""

    def read(self, delivery: Delivery) -> Event:
        event = _taken_apart(delivery, self.limits)
        for name in REQUIRED:
            if not event.text(name):
                raise Malformed(f"no CloudEvent: the attribute {name} is missing")
        key, table, time = (
            self._key(event),
            self._table_of(event, delivery),
            microseconds(event.text("time") or None),
        )
        position = self._position(event, key, time)
        if event.tombstone or (
            self._deleted_type and fnmatchcase(event.text("type"), self._deleted_type)
        ):
            return Event(
                Kind.DELETE,
                table,
                key,
                position,
                time=time,
                delivery=delivery,
                source=self._table,
            )
        if event.data is ABSENT or event.data is None:
            reference = event.text("dataref")
            where = f": it lies at {reference}" if reference else ""
            note = f"the event has no data{where}"
            return Event(
                Kind.NO_CONTENT,
                table,
                key,
                position,
                time=time,
                note=note,
                delivery=delivery,
                source=self._table,
            )
        row = event.data if type(event.data) is dict else {"value": event.data}
        return Event(
            Kind.PUT,
            table,
            key,
            position,
            agreed(row, key, bare=bool(self._attribute)),
            time=time,
            delivery=delivery,
            source=self._table,
        )

    def _position(self, event: Attributes, key: KeyFields, time: int | None) -> ScalarPosition:
        kind, scope = self._kind_of(event), f"cloudevents:{event.text('source')}"
        if self._life is None:
            return ScalarPosition(kind, scope, self._sequence(event), time=time)
        life_kind, life = life_at(self._life, event.data if self._in_data else event.attributes)
        # What counts inside one life says nothing of other keys.
        return LifePosition(
            kind,
            f"{scope}/{canonical(key)}",
            self._sequence(event),
            per_entity=True,
            time=time,
            life_kind=life_kind,
            life=life,
        )

    def _kind_of(self, event: Attributes) -> str:
        if event.attributes.get("sequence") is None:
            raise Malformed(
                "the event has no sequence, so nothing orders it: "
                "have the producer set the sequence extension, "
                "or read its data with the envelope json and a position inside"
            )
        if self._kind is not None:
            return self._kind
        if event.text("sequencetype") == "Integer":
            return "integer32-wrap"
        raise Malformed(
            'how to compare sequence is not said ("10" and "9"): '
            'set the envelope option sequence = "integer" or "lexicographic"'
        )

    def _sequence(self, event: Attributes) -> tuple[int, ...]:
        return SPELLINGS[self._kind_of(event)](event.attributes["sequence"])

    def _key(self, event: Attributes) -> KeyFields:
        if self._pointers is not None:
            if event.tombstone:
                raise Malformed(
                    "a tombstone has no data in which to find its key: "
                    'set the envelope option key = "subject" or "partitionkey"'
                )
            return self._pointers.find(event.data)
        found = event.text(str(self._attribute))
        if not found:
            raise Malformed(
                f"the event has no {self._attribute}, which is to be its key; "
                "the envelope option key may also point into the data"
            )
        return {"id": found}

    def _table_of(self, event: Attributes, delivery: Delivery) -> str:
        return self._table or delivery.topic or event.text("source")

    def table_of(self, delivery: Delivery) -> str:
        return (
            self._table
            or delivery.topic
            or self._table_of(_taken_apart(delivery, self.limits), delivery)
        )

    def source_table_of(self, delivery: Delivery) -> str:
        return self._table

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        return self._key(_taken_apart(delivery, self.limits))


def _taken_apart(delivery: Delivery, limits: Limits) -> Attributes:
    headers = dict(delivery.headers)
    if f"{HEADER}specversion" in headers or f"{HEADER}id" in headers:
        attributes = {
            name.removeprefix(HEADER): value
            for name, value in headers.items()
            if name.startswith(HEADER)
        }
        _check_version(attributes.get("specversion"))
        if delivery.value is None:
            return Attributes(attributes, ABSENT, tombstone=True)
        return Attributes(attributes, _document(delivery.value, limits))
    return _structured(delivery, headers.get("content-type") or "", limits)


def _structured(delivery: Delivery, content: str, limits: Limits) -> Attributes:
    if delivery.value is None:
        raise Malformed(
            "a null value without ce_ headers is no CloudEvent, "
            "and nothing tells its place in the order"
        )
    found = strict.parse(delivery.value, limits=limits)
    if content.startswith(BATCH) or type(found) is list:
        raise Malformed("a batch of CloudEvents: deliver its events one by one")
    if type(found) is not dict:
        raise Malformed(f"no CloudEvent: {found!r:.80}")
    _check_version(found.get("specversion"))
    data, encoded = found.pop("data", ABSENT), found.pop("data_base64", None)
    if encoded is not None:
        data = _encoded(data, encoded, limits)
    return Attributes(found, data)


def _encoded(data: Any, encoded: Any, limits: Limits) -> Any:
    if data is not ABSENT:
        raise Malformed("the event has both data and data_base64")
    try:
        return _document(b64decode(encoded, validate=True), limits)
    except (binascii.Error, ValueError, TypeError):
        raise Malformed(f"data_base64 is not base64: {encoded!r:.80}") from None


def _check_version(found: Any) -> None:
    if found != "1.0":
        raise Malformed(f'no CloudEvent 1.0: specversion is {found!r:.80}, not "1.0"')


def _document(data: bytes, limits: Limits) -> Any:
    """Data that came as bytes: a JSON object if it begins as one, else a text."""
    if data.lstrip(BLANKS).startswith(b"{"):
        return strict.parse(data, limits=limits)
    return text_of(data)
