"""What Debezium writes where PostgreSQL did not send a value: an out-of-line (TOAST) column that an
update left as it was.

The connector's `unavailable.value.placeholder` takes the shape of the column's type (Debezium's
UnchangedToastedPlaceholder.java): the text; its base64, base64url or hexadecimal digits
(binary.handling.mode); a one-element array of it; an array of numbers that are its bytes, one by
one, in any spelling of a number (debezium#7815); an array of the UUID named after it; an hstore
with it as key and value, as a map or as the text of a JSON object (hstore.handling.mode); and three
fixed points for geometries.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import uuid
from base64 import b64decode, b64encode, urlsafe_b64encode
from decimal import Decimal, InvalidOperation
from typing import Any

from anyorder.envelopes.connect import number_of
from anyorder.errors import ConfigurationError

DEFAULT = "__debezium_unavailable_value"
HEXADECIMAL = "hex:"  # the option's own prefix for a placeholder that is given as bytes
# SRID=4326 POINT(-99999999 -99999999) and POINT(179.999999 89.999999), as extended WKB
NOWHERE = tuple(
    b64encode(bytes.fromhex(wkb)).decode()
    for wkb in (
        "0101000020E6100000000000FC83D797C1000000FC83D797C1",
        "0101000020E61000000C21E7FDFF7F66401842CEFBFF7F5640",
    )
)
NOWHERE_POINT = -99999999
LARGEST = 10**1000  # what a decimal of an array may be multiplied with


class Placeholder:
    """The shapes of one placeholder. `texts`: those that are strings."""

    def __init__(self, option: str = DEFAULT) -> None:
        octets = _octets(option)
        encoded = {
            b64encode(octets).decode(),
            urlsafe_b64encode(octets).decode(),
            octets.hex(),
            octets.hex().upper(),
        }
        try:
            encoded.add(octets.decode())
        except UnicodeDecodeError:
            encoded.add(octets.decode(errors="replace"))  # as Java reads it
        self._names = frozenset(encoded)
        self.texts = self._names.union(*map(_objects, encoded))
        named = hashlib.md5(octets, usedforsecurity=False).digest()
        self._elements = self.texts | {str(uuid.UUID(bytes=named, version=3))}
        self._integers = [octet - 256 if octet > 127 else octet for octet in octets]

    def holes(self, row: dict[str, Any]) -> frozenset[str]:
        """The columns of a row that hold it."""
        texts = self.texts
        try:
            if texts.isdisjoint(row.values()):
                return NO_HOLES
        except TypeError:  # arrays and objects have no hash: look at each cell
            pass
        return frozenset(
            [
                name
                for name, cell in row.items()
                if (cell in texts if cell.__class__ is str else self._shaped(cell))
            ]
        )

    def _shaped(self, cell: Any) -> bool:
        """Is it an array or an object of one of the shapes?"""
        if cell.__class__ is list:
            return self._shaped_array(cell)
        if cell.__class__ is dict:
            return self._shaped_object(cell)
        return False

    def _shaped_array(self, cell: list[Any]) -> bool:
        if len(cell) == 1 and cell[0].__class__ is str:
            return cell[0] in self._elements or self._spelled(cell)
        return len(cell) == len(self._integers) and self._spelled(cell)

    def _spelled(self, cell: list[Any]) -> bool:
        """Are these numbers the bytes, one by one?"""
        kinds = {one.__class__ for one in cell}
        # In Python true is 1, and in no array of numbers.
        if kinds <= {int, float, Decimal}:
            return bool(cell == self._integers)
        if kinds == {dict}:
            return [number_of(one) for one in cell] == self._integers
        return kinds == {str} and (
            [_decimal(one) for one in cell] == self._integers or self._scaled(cell)
        )

    def _scaled(self, cell: list[str]) -> bool:
        """Are they decimals of one scale, as their bytes? Without its schema nothing tells it."""
        unscaled = [_unscaled(one) for one in cell]
        scales = {_scale(one, octet) for one, octet in zip(unscaled, self._integers, strict=False)}
        return len(cell) == len(self._integers) and len(scales - {ANY}) <= 1 and None not in scales

    def _shaped_object(self, cell: dict[str, Any]) -> bool:
        if len(cell) == 1:
            name, value = next(iter(cell.items()))
            return name in self._names and name == value
        if cell.get("wkb") in NOWHERE:
            return True
        scaled = cell.get("value")
        if scaled.__class__ is str and scaled in self.texts and "scale" in cell:
            return True
        return bool(cell.get("x") == cell.get("y") == NOWHERE_POINT)


NO_HOLES: frozenset[str] = frozenset()


ANY = -1  # the scale of zero


def _objects(name: str) -> list[str]:
    """How an hstore that has it as key and value is written as JSON."""
    return [
        json.dumps({name: name}, ensure_ascii=is_ascii, separators=separators)
        for is_ascii in (False, True)
        for separators in ((",", ":"), (", ", ": "))
    ]


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _unscaled(text: str) -> int | None:
    """The integer of a decimal's bytes."""
    try:
        return int.from_bytes(b64decode(text, validate=True), "big", signed=True)
    except (binascii.Error, ValueError):
        return None


def _scale(unscaled: int | None, octet: int) -> int | None:
    """The number of zeros that an integer has behind those of a byte; None if it is another."""
    if unscaled is None:
        return None
    if octet == 0:
        return ANY if unscaled == 0 else None
    behind, rest = divmod(unscaled, octet)
    digits = str(behind) if rest == 0 and 0 < behind < LARGEST else ""
    return len(digits) - 1 if digits.rstrip("0") == "1" else None


def _octets(option: str) -> bytes:
    if not option.startswith(HEXADECIMAL):
        return option.encode()
    try:
        return bytes.fromhex(option.removeprefix(HEXADECIMAL))
    except ValueError:
        raise ConfigurationError(
            f"the envelope option placeholder is not hexadecimal after {HEXADECIMAL}: "
            f"{option!r:.80}"
        ) from None
