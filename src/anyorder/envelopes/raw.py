"""Any Kafka topic: the key names the row, the offset orders it, a null value deletes it. The offset
is the only clock."""

from __future__ import annotations

import re
from base64 import b64encode
from decimal import Decimal, InvalidOperation
from typing import Any

from anyorder._core.event import Delivery, Event, KeyFields, Kind
from anyorder._core.key import spelled
from anyorder.envelopes import strict
from anyorder.envelopes.envelope import (
    KeyOption,
    Reader,
    chosen,
    named,
    offset_position,
    one_column,
)
from anyorder.envelopes.keys import agreed, key_fields
from anyorder.envelopes.limits import Limits
from anyorder.errors import Malformed

ENCODED = "base64:"
BLANKS = b" \t\r\n"
KEY_KINDS = ("text", "number")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class Raw(Reader):
    """`key`: the column of a key that is no JSON object; `key_kind`: what such a key is, "text"
    (also where it looks like a number) or "number". A value that is a JSON object gives its
    columns, any other the column `value`."""

    name = "raw"

    def __init__(self, *, key: str = "id", key_kind: str = "text") -> None:
        self._column = named(key, "key")
        self._is_number = chosen(key_kind, "key_kind", KEY_KINDS) == "number"

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
        row = _columns(delivery.value, self.limits)
        if row is None:
            row = {"value": text_of(delivery.value)}
        row = agreed(row, key, bare=True)
        return Event(
            Kind.PUT, delivery.topic, key, position, row, time=position.time, delivery=delivery
        )

    def _key(self, data: bytes) -> KeyFields:
        """The columns of a JSON object; a JSON text as it is; any other key as the text of its
        bytes, or the number that it spells."""
        columns = _columns(data, self.limits)
        if columns is not None:
            if not columns:
                raise Malformed("the key is an empty object, which names no row")
            return key_fields(columns)
        value = _bare(data, self.limits)
        return {self._column: spelled(_number(value)) if self._is_number else value}

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        return None if delivery.key is None else self._key(delivery.key)


def _columns(data: bytes, limits: Limits) -> dict[str, Any] | None:
    """The members of a JSON object, or None. Raises Malformed for what begins as one and is
    none."""
    if not data.lstrip(BLANKS).startswith(b"{"):
        return None
    found: dict[str, Any] = strict.parse(data, limits=limits)
    return found


def _bare(data: bytes, limits: Limits) -> str:
    """A key that is no object. What looks like a number is a text as any other: in one topic come
    42, 0042 and A-17, and each is a key of its own."""
    if data[:1] == b'"':
        try:
            value = strict.parse(data, limits=limits)
        except Malformed:  # "a is a key all the same, though no JSON
            return text_of(data)
        if type(value) is str:
            return value
    return text_of(data)


def _number(text: str) -> Decimal:
    """The decimal that a bare key spells, as JSON does."""
    if not NUMBER.fullmatch(text):
        raise Malformed(
            f'the key {text!r:.80} is no number, and key_kind = "number" says that all of this '
            "topic are: mend the producer, or leave the option out"
        )
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Malformed(f"a number with an exponent beyond any use: {text:.80}") from None


def text_of(data: bytes) -> str:
    """Bytes as a text, two different ones never alike: UTF-8 as it stands, anything else as
    `base64:...`."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ENCODED + b64encode(data).decode()
    return ENCODED + b64encode(data).decode() if text.startswith(ENCODED) else text
