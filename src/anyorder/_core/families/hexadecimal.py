"""Fixed-width hexadecimal strings such as a SQL Server LSN, `00000027:00000758:0003`: compared as
bytes, null first."""

from __future__ import annotations

from anyorder.errors import Malformed

DIGITS = frozenset("0123456789abcdefABCDEF")
WIDTH = 128  # longest string accepted, in digits


def parse(value: object, width: int | None = None) -> tuple[int, ...]:
    """The number that the digits spell, separators `:` and `-` left out; null is -1. `width`: how
    many digits there must be."""
    if value is None:
        return (-1,)
    digits = ""
    if isinstance(value, str):
        digits = value.replace(":", "").replace("-", "")
    wrong_width = width is not None and len(digits) != width
    # By the set, because int() takes blanks, underscores and signs as well.
    if wrong_width or not 0 < len(digits) <= WIDTH or not DIGITS.issuperset(digits):
        raise Malformed(f"not a hexadecimal position: {value!r:.80}")
    return (int(digits, 16),)
