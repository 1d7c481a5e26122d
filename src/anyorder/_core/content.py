"""What a put tells, with each number in one spelling, so that one content is one content (rules
R12): 1, 1.0 and 1e0 are one number, and so are 0, 0.0 and -0.0.

A whole number and an ordinary decimal are spelled as they always were, so the fingerprints in
memories of before hold. Only of a content whose numbers were spelled otherwise has the fingerprint
changed; there the event still goes by its former one (`Event.former_fingerprint`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

DIGITS = 4300  # of a number written out; what is longer keeps its exponent
SPELLED = frozenset({str, int, bool, type(None)})
"""The types of nearly all values; each of these has one spelling."""


def spelled_fields(fields: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields with each number in its one spelling; themselves, where they have."""
    if fields is None:
        return None
    for value in fields.values():
        if value.__class__ not in SPELLED:
            return {column: spelled_value(each) for column, each in fields.items()}
    return fields


def spelled_value(value: object) -> object:
    """A value with each number in it, however deep, in its one spelling."""
    if value.__class__ in SPELLED:
        return value
    match value:
        case float():
            return _number(value, repr(value))
        case Decimal():
            return _number(value, str(value))
        case list() | tuple():
            return [spelled_value(each) for each in value]
        case dict():
            return {name: spelled_value(each) for name, each in value.items()}
    return value


def _number(value: float | Decimal, text: str) -> object:
    # An ordinary decimal, as nearly all are: a point, no exponent, no zeros at its end.
    if "." in text and text[-1] != "0" and "e" not in text.lower():
        return value
    number = Decimal(text)
    # An infinity has no digits, and of what is no number there is one.
    if not number.is_finite():
        return value
    return _shortest(number)


def _shortest(number: Decimal) -> int | Decimal:
    """An integer where it is one, else a decimal without zeros at its end."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    significant = text.rstrip("0")
    # Minus zero is zero.
    if not significant:
        return 0
    exponent += len(text) - len(significant)
    if 0 <= exponent <= DIGITS - len(significant):
        whole = int(significant + "0" * exponent)
        return -whole if sign else whole
    return Decimal((sign, tuple(map(int, significant)), exponent))
