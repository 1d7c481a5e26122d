"""Versions: an exact integer of any size, or a string of digits that is compared as the number it
spells, never as text."""

from __future__ import annotations

import re

from anyorder.errors import Malformed

# longest digit string accepted; the longest in use, a Kinesis sequence number, has 56
DIGITS = 1000
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # the beginning of a time
OF_A_TIME = '; a time is read with position_kind = "timestamp"'


def parse(value: object) -> tuple[int, ...]:
    """`7`, `"7"` or `"49590338271490256608559692538361571095921575989136588898"` as one integer.

    Raises Malformed for anything else: a float, a boolean, a sign, blanks, an empty or overlong
    string.
    """
    match value:
        # In Python a boolean is an integer, and in no source a version.
        case bool():
            pass
        case int() if value < 0:
            raise Malformed(f"a version is not negative: {value}")
        case int():
            return (value,)
        # int() also takes blanks, signs, underscores and the digits of other scripts.
        case str() if value.isascii() and value.isdigit() and len(value) <= DIGITS:
            return (int(value),)
    # Whoever orders by `updated_at` forgets the word first.
    hint = OF_A_TIME if isinstance(value, str) and DATE.match(value) else ""
    raise Malformed(f"not a version (an integer or a string of digits): {value!r:.80}{hint}")
