"""Any Kafka topic: the key names the row, the offset orders it, a null value deletes it. The offset
is the only clock."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from anyorder._core.event import Delivery, Event, KeyFields, Kind
from anyorder.envelopes import strict
from anyorder.envelopes.envelope import KeyOption, Reader, named, offset_position, one_column
from anyorder.errors import Malformed

ENCODED = "base64:"
BLANKS = b" \t\r\n"


class Raw(Reader):
    """`key`: the column of a key that is no JSON object. A value that is a JSON object gives its
    columns, any other the column `value`."""

    name = "raw"

    def __init__(self, *, key: str = "id") -> None:
        self._column = named(key, "key")

    @classmethod
    def key_columns(cls, key: KeyOption) -> tuple[tuple[str, ...], dict[str, Any]]:
        columns, _ = super().key_columns(key)
        return columns, one_column(key)

    def read(self, delivery: Delivery) -> Event:
        if delivery.key is None:
            table = delivery.topic or "the table"
            raise Malformed(
                f"a record without a key names no row of {table}: have the producer set one"
            )
        key = self._key(delivery.key)
        position = offset_position(delivery)
        if delivery.value is None:
            return Event(
                Kind.DELETE, delivery.topic, key, position, time=position.time, delivery=delivery
            )
        row = _columns(delivery.value)
        if row is None:
            row = {"value": text_of(delivery.value)}
        return Event(
            Kind.PUT, delivery.topic, key, position, row, time=position.time, delivery=delivery
        )

    def _key(self, data: bytes) -> KeyFields:
        """The columns of a JSON object; a JSON integer or text as it is; any other key as the text
        of its bytes."""
        columns = _columns(data)
        if columns is not None:
            if not columns:
                raise Malformed("the key is an empty object, which names no row")
            return columns
        return {self._column: _bare(data)}

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        return None if delivery.key is None else self._key(delivery.key)


def _columns(data: bytes) -> dict[str, Any] | None:
    """The members of a JSON object, or None. Raises Malformed for what begins as one and is
    none."""
    if not data.lstrip(BLANKS).startswith(b"{"):
        return None
    found: dict[str, Any] = strict.parse(data)
    return found


def _bare(data: bytes) -> int | str:
    """A key that is no object. A number that is not an integer stays its text: 1.0 and 1.00 are two
    keys."""
    if data[:1] == b'"' or data.removeprefix(b"-").isdigit():
        try:
            value = strict.parse(data)
        except Malformed:  # 007 and "a are keys all the same, though no JSON
            return text_of(data)
        if type(value) is int or type(value) is str:
            return value
    return text_of(data)


def text_of(data: bytes) -> str:
    """Bytes as a text, two different ones never alike: UTF-8 as it stands, anything else as
    `base64:...`."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ENCODED + b64encode(data).decode()
    return ENCODED + b64encode(data).decode() if text.startswith(ENCODED) else text
