"""What Debezium writes where PostgreSQL did not send a value: an out-of-line (TOAST) column that an
update left as it was.

The connector's `unavailable.value.placeholder` takes the shape of the column's type (Debezium's
UnchangedToastedPlaceholder.java): the text; its base64, base64url or hexadecimal digits
(binary.handling.mode); a one-element array of it; an integer array of its bytes; an array of the
UUID named after it; an hstore with it as key and value; and three fixed points for geometries.
"""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64encode, urlsafe_b64encode
from typing import Any

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
        self.texts = frozenset(encoded)
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
            return cell[0] in self._elements
        return bool(cell == self._integers) and all(one.__class__ is int for one in cell)

    def _shaped_object(self, cell: dict[str, Any]) -> bool:
        if len(cell) == 1:
            name, value = next(iter(cell.items()))
            return name in self.texts and name == value
        if cell.get("wkb") in NOWHERE:
            return True
        scaled = cell.get("value")
        if scaled.__class__ is str and scaled in self.texts and "scale" in cell:
            return True
        return bool(cell.get("x") == cell.get("y") == NOWHERE_POINT)


NO_HOLES: frozenset[str] = frozenset()


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
