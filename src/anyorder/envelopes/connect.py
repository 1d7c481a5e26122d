"""Kafka Connect's JSON: the {"schema", "payload"} wrapper of JsonConverter, and the types that only
their schema explains.

With schemas.enable=true every record carries its whole schema, the same bytes again and again, so
what a schema says is remembered by its bytes. A decimal becomes its text with the scale of its
schema, "12.30"; without a schema the scale is nowhere in the record, and the base64 text stays what
it is. Every other value is as JsonConverter wrote it: the elements of arrays and maps, and
Debezium's VariableScaleDecimal, {"scale", "value"}, which tells its scale with or without a schema.

In a key a number is a number, so that one entity has one key: both kinds of decimals become the
decimal that they are.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from anyorder.envelopes import strict
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import Malformed

DECIMAL = "org.apache.kafka.connect.data.Decimal"
VARIABLE_SCALE = "io.debezium.data.VariableScaleDecimal"
SCALE = re.compile(r"-?[0-9]{1,7}")
LARGEST_SCALE = strict.LARGEST_EXPONENT
LONGEST = 61_230  # bytes of an unscaled value of that many digits
SHORT = 1_700  # bytes that Python writes as digits at once; longer ones go through Decimal
REMEMBERED = 1_000  # schemas
WRAPPER = {"schema", "payload"}
BEGIN, MIDDLE = b'{"schema":', b',"payload":'

Conversion = Callable[[Any], Any]
Leaves = Mapping[str, Callable[[dict[str, Any]], Conversion]]
"""The types that need a conversion, by the name of their schema: what makes it of a schema."""


class Schemas:
    """Opens records that may carry a schema. Remembers what up to a thousand schemas say.
    `of_keys`: the records are keys."""

    def __init__(self, *, of_keys: bool = False) -> None:
        self._known: dict[bytes, Conversion | None] = {}
        self._leaves = KEY_LEAVES if of_keys else LEAVES

    def open(self, data: bytes, limits: Limits = DEFAULT) -> tuple[Any, Conversion | None]:
        """The payload, and how its values are to be converted (None: as they are). Raises
        Malformed."""
        if data.startswith(BEGIN):  # as JsonConverter writes it
            strict.check_size(data, limits)
            between = data.find(MIDDLE)
            schema = data[len(BEGIN) : between]
            if between > 0 and schema in self._known and data.endswith(b"}"):
                try:
                    payload = strict.parse(data[between + len(MIDDLE) : -1], 1, limits)
                    return payload, self._known[schema]
                # the payload is no document, or not the last member: to be said of the whole
                except Malformed:
                    pass
            return self._opened(data, limits)
        value = strict.parse(data, limits=limits)
        if type(value) is dict and value.keys() == WRAPPER:
            return self._unwrapped(value)
        return value, None

    def _opened(self, data: bytes, limits: Limits) -> tuple[Any, Conversion | None]:
        """A record whose schema is not known yet."""
        payload, found = self._unwrapped(strict.parse(data, limits=limits))
        members = strict.members(data, limits)
        if members.keys() == WRAPPER and _is_schema(strict.parse(members["schema"], limits=limits)):
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[members["schema"]] = found
        return payload, found

    def _unwrapped(self, value: Any) -> tuple[Any, Conversion | None]:
        if type(value) is dict and value.keys() == WRAPPER and _is_schema(value["schema"]):
            return value["payload"], _conversion(value["schema"], self._leaves)
        return value, None


def _is_schema(value: object) -> bool:
    """Connect's schema, rather than a column that happens to be called so."""
    return value is None or (isinstance(value, dict) and isinstance(value.get("type"), str))


class StructConversion:
    """Converts the fields of a struct that need it."""

    def __init__(self, fields: dict[str, Conversion]) -> None:
        self.fields = fields

    def __call__(self, value: Any) -> Any:
        if value is None:
            return None
        if value.__class__ is not dict:
            raise Malformed(f"the schema says struct, the payload has {value!r:.80}")
        return {
            name: self.fields[name](cell) if name in self.fields else cell
            for name, cell in value.items()
        }


def of(found: Conversion | None, field: str) -> Conversion | None:
    """The conversion of one field of a struct."""
    return found.fields.get(field) if isinstance(found, StructConversion) else None


def conversion(schema: Any) -> Conversion | None:
    """How values of a schema are converted; None: as they are. Raises Malformed for a schema that
    contradicts itself."""
    return _conversion(schema, LEAVES)


def _conversion(schema: Any, leaves: Leaves) -> Conversion | None:
    if schema is None:
        return None
    name = schema.get("name")
    leaf = leaves.get(name) if isinstance(name, str) else None
    if leaf is not None:
        return leaf(schema)
    return _struct(schema, leaves) if schema.get("type") == "struct" else None


def _struct(schema: dict[str, Any], leaves: Leaves) -> StructConversion | None:
    found = {}
    for field in _listed(schema.get("fields")):
        inner = _conversion(field, leaves)
        if inner is not None:
            found[field["field"]] = inner
    return StructConversion(found) if found else None


def _listed(fields: Any) -> list[dict[str, Any]]:
    if not isinstance(fields, list) or not all(
        isinstance(field, dict) and isinstance(field.get("field"), str) for field in fields
    ):
        raise Malformed("a struct schema without a list of named fields")
    return fields


def _decimal(schema: dict[str, Any]) -> Conversion:
    parameters = schema.get("parameters")
    scale = _scale(parameters.get("scale") if isinstance(parameters, dict) else None)
    return lambda value: None if value is None else decimal_text(value, scale)


def _decimal_of_key(schema: dict[str, Any]) -> Conversion:
    text = _decimal(schema)
    return lambda value: None if value is None else Decimal(text(value))


def _variable_scale(_: dict[str, Any]) -> Conversion:
    """It tells its scale itself."""
    return number_of


LEAVES: Leaves = {DECIMAL: _decimal}
KEY_LEAVES: Leaves = {DECIMAL: _decimal_of_key, VARIABLE_SCALE: _variable_scale}


def number_of(value: Any) -> Any:
    """The decimal of a VariableScaleDecimal, as it comes with or without its schema; any other
    value as it is."""
    if type(value) is not dict or value.keys() != {"scale", "value"}:
        return value
    try:
        return Decimal(decimal_text(value["value"], _scale(value["scale"])))
    # another struct with two members of these names
    except Malformed:
        return value


def _scale(value: object) -> int:
    if isinstance(value, str) and SCALE.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_SCALE:
        raise Malformed(f"not the scale of a decimal: {value!r:.80}")
    return value


def _with_digits(number: Decimal, scale: int) -> str:
    text = f"{number:.{scale}f}"
    if Decimal(text) != number:
        raise Malformed(f"the decimal {number!s:.80} has more digits than its scale, {scale}")
    return text


def decimal_text(value: object, scale: int) -> str:
    """The decimal as people write it: `"BBo="` (the unscaled integer, big-endian) at scale 2 is
    "10.50".

    Numbers (JsonConverter's decimal.format=NUMERIC) get the digits of their scale. Raises Malformed
    for anything else.
    """
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _with_digits(Decimal(str(value)), max(scale, 0))
    try:
        encoded = b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        encoded = b""
    if not 0 < len(encoded) <= LONGEST:
        raise Malformed(f"not a decimal: {value!r:.80}")
    unscaled = int.from_bytes(encoded, "big", signed=True)
    digits = str(abs(unscaled)) if len(encoded) <= SHORT else str(Decimal(abs(unscaled)))
    # No noughts follow a zero.
    text = _scaled(digits, scale if unscaled else max(scale, 0))
    return f"-{text}" if unscaled < 0 else text


def _scaled(digits: str, scale: int) -> str:
    """Digits of which so many stand behind the point; below zero, so many noughts follow."""
    if scale <= 0:
        return digits + "0" * -scale
    digits = digits.zfill(scale + 1)
    return f"{digits[:-scale]}.{digits[-scale:]}"
