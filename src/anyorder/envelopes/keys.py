"""A key as a format spells it: its numbers are exactly the decimals that are written, and what the
row says of its columns is compared with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from anyorder._core.event import KeyFields, canonical
from anyorder._core.key import KINDS, spelled, spelled_key

PLAIN = frozenset(KINDS)


def key_fields(decoded: KeyFields) -> KeyFields:
    """The key of decoded JSON. A float there is one that prints back to the number as it was
    written (`strict.number`), so its digits are that number."""
    # Nearly every key is of integers and texts.
    if is_plain(decoded):
        return decoded
    return spelled_key({column: written(value) for column, value in decoded.items()})


def is_plain(decoded: KeyFields) -> bool:
    """Is every value spelled in the only way that there is?"""
    return PLAIN.issuperset(map(type, decoded.values()))


def written(value: Any) -> Any:
    """The number that was written where a reader of JSON made a float of it; else the value."""
    return Decimal(repr(value)) if value.__class__ is float else value


def agreed(row: dict[str, Any], key: KeyFields, *, bare: bool = False) -> dict[str, Any]:
    """A row whose columns of the key are spelled as the key spells them, where they say the same.

    `bare`: the key came without a type, as text, so that 42 in the row is its `42`.
    """
    for column, value in otherwise(row, key).items():
        if _says_the_same(row[column], value, bare=bare):
            row = {**row, column: value}
    return row


def otherwise(row: dict[str, Any], key: KeyFields) -> KeyFields:
    """The columns of the key which the row tells too, by a value of another type; nearly always
    none."""
    found: KeyFields = {}
    for column, value in key.items():
        cell = row.get(column)
        if cell.__class__ is not value.__class__ and cell is not None:
            found[column] = value
    return found


def _says_the_same(cell: Any, value: Any, *, bare: bool) -> bool:
    exact = spelled(written(cell))
    if exact.__class__ is value.__class__:
        return bool(exact == value)
    is_plain = exact.__class__ in (int, bool, Decimal)
    return bare and is_plain and canonical(exact) == value
