"""Fixed-width hexadecimal strings such as a SQL Server LSN, `00000027:00000758:0003`: compared as
bytes, null first."""

from __future__ import annotations

from anyorder.errors import Malformed

DIGITS = frozenset("0123456789abcdefABCDEF")
WIDTH = 128  # longest string accepted, in digits


def parse(value: object, width: int | None = None) -> tuple[int, ...]:
    """The number that the digits spell, separators `:` and `-` left out; null is -1. `width`: how
    many digits there must be."""
    # A change of no log position comes before all others (SQL Server's first snapshot).
    if value is None:
        return (-1,)
    digits = ""
    if isinstance(value, str):
        digits = value.replace(":", "").replace("-", "")

    # By the set, because int() takes blanks, underscores and signs as well.
    is_number = 0 < len(digits) <= WIDTH and DIGITS.issuperset(digits)
    # A shorter one would sort as a smaller number, and may be another position cut off.
    is_wide_enough = width in (None, len(digits))
    if not is_number or not is_wide_enough:
        raise Malformed(f"not a hexadecimal position: {value!r:.80}")
    return (int(digits, 16),)
