"""The values of a key: each has one spelling, and is of one kind.

Two entities never share a row, and one entity never has two. So a number is spelled once, whatever
wrote it (1, 1.0 and 1e0 are 1), and a column of a key is a number, a text or a boolean for all of
its entities (`KeyKind`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import msgspec

DIGITS = 4300  # of a number in a key, before and behind its point; Python's own limit for a text
TRUTHS = {"true": True, "false": False}
EXACT = Context(prec=2 * DIGITS)


class KeyKind(StrEnum):
    """What the values of a key column are. Integers of any size and exact decimals are one kind;
    bytes are the text of their base64."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"


Kinds = Mapping[str, KeyKind]
"""The kinds of a table's key columns, by name; a column that is missing is not known yet."""
NO_KINDS: Kinds = {}

KINDS: dict[type, KeyKind] = {
    int: KeyKind.NUMBER,
    str: KeyKind.TEXT,
    bool: KeyKind.BOOLEAN,
}
"""The types of nearly all values of a key; a decimal is a number too, if it has a spelling."""


def kind_of(value: object) -> KeyKind | None:
    """The kind of a value as `spelled` leaves it; None for one that is no value of a key."""
    kind = KINDS.get(value.__class__)
    # A number without a spelling is no key: it is infinite, or has more digits than anybody needs.
    if kind is None and isinstance(value, Decimal) and _is_spelled(value):
        return KeyKind.NUMBER
    return kind


def spelled_key(key: dict[str, Any]) -> dict[str, Any]:
    """A key whose values have one spelling each; itself, where they have."""
    for value in key.values():
        if value.__class__ not in KINDS:
            return {column: spelled(each) for column, each in key.items()}
    return key


def spelled(value: object) -> object:
    """A value of a key in its one spelling: a number without a fraction is an integer, any other
    number a decimal without zeros at its end, bytes are the text of their base64.

    What is no value of a key stays as it is: a float with a fraction, whose decimal nobody knows;
    null, a list, an object.
    """
    match value:
        case bool():
            return value
        # An enumeration's member is its value.
        case int():
            return int(value)
        case str():
            return str.__str__(value)
        case float():
            # An integer is exact in a float; of a fraction only the nearest one is known.
            return int(value) if value.is_integer() else value
        case Decimal():
            return _spelled_number(value)
        case None | list() | tuple() | dict() | set() | frozenset():
            return value
    return _spelled_text(value)


def _spelled_text(value: object) -> object:
    """Bytes, identifiers and times as their JSON text; anything else stays as it is."""
    try:
        text = msgspec.to_builtins(value)
    except TypeError:
        return value
    return text if isinstance(text, str) else value


def _spelled_number(value: Decimal) -> object:
    # One with an exponent of a million would be a million digits: it is no key, and stays short.
    if not _is_spelled(value):
        return value
    # Minus zero is zero, and an integer too.
    if value == value.to_integral_value():
        return int(value)
    return value.normalize(EXACT)


def _is_spelled(value: Decimal) -> bool:
    """Is it finite, and short enough to be written without an exponent?"""
    if not value.is_finite():
        return False
    # Zero is short, whatever its exponent.
    if not value:
        return True
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    # Readers of JSON count the sign as well.
    is_short = sign + len(digits) + max(exponent, 0) <= DIGITS
    return is_short and exponent >= -DIGITS


def is_readable(key: object) -> bool:
    """Is there a key whose entity can be read again? A number without a spelling may have more
    digits than readers take."""
    if not isinstance(key, Mapping):
        return False
    numbers = [value for value in key.values() if isinstance(value, Decimal)]
    return all(map(_is_spelled, numbers))


def asked(key: Mapping[str, object], kinds: Kinds) -> dict[str, object]:
    """The key that a person means who asks for it: `42` where the column is text is the text, and
    "1.0" where it is a number is 1. What cannot be meant so stays as it was said."""
    meant: dict[str, object] = {}
    for column, value in key.items():
        # Who asks says the digits that he sees.
        if isinstance(value, float):
            value = Decimal(repr(value))
        meant[column] = _meant(spelled(value), kinds.get(column))
    return meant


def _meant(value: object, wanted: KeyKind | None) -> object:
    match wanted, value:
        # A truth value is spelled as JSON spells it.
        case KeyKind.TEXT, bool():
            return str(value).lower()
        case KeyKind.TEXT, int() | Decimal():
            return str(value)
        case KeyKind.BOOLEAN, str():
            return TRUTHS.get(value, value)
        case KeyKind.NUMBER, str():
            return _number_meant(value)
    return value


def _number_meant(text: str) -> object:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return spelled(number)
