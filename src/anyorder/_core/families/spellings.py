"""How a position may be spelled in a user's own event, or in a column of his own table, and the
numbers that it stands for."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from anyorder._core.families import hexadecimal, kubernetes, timestamp, version
from anyorder._core.families.ranks import RANK, chain
from anyorder._core.families.timestamp import BY_TIMES, TIMESTAMP
from anyorder.errors import Malformed

LONGEST = 250  # bytes of a text that is compared as text
INT32 = 2**31


def lexicographic(value: object) -> tuple[int, ...]:
    """A text compared as text: its UTF-8 bytes, whose order is that of the code points."""
    if not isinstance(value, str) or not 0 < len(value.encode()) <= LONGEST:
        raise Malformed(f"not a text of 1 to {LONGEST} bytes: {value!r:.80}")
    return tuple(value.encode())


def integer32_wrap(value: object) -> tuple[int, ...]:
    """A signed 32-bit counter that starts at 1 and goes on at -2147483648 after 2147483647
    (CloudEvents sequence, tag v1.0.2).

    It is read as unsigned, so it counts right up to 4,294,967,295 events of one source. A second
    round is not told from the first.
    """
    found = value
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if digits.isdigit() and value.isascii() and len(value) <= 11:
            found = int(value)
    if not isinstance(found, int) or isinstance(found, bool) or not -INT32 <= found < INT32:
        raise Malformed(f"not a signed 32-bit integer: {value!r:.80}")
    return (found % (2 * INT32),)


def hexadecimal_digits(value: object) -> tuple[int, ...]:
    """Hexadecimal digits, `:` and `-` left out. Unlike in a log position, null is no value here."""
    if value is None:
        raise Malformed("not a hexadecimal position: None")
    return hexadecimal.parse(value)


SPELLINGS: dict[str, Callable[[object], tuple[int, ...]]] = {
    "version": version.parse,
    "timestamp": timestamp.parse,
    "kubernetes": kubernetes.parse,
    "hex": hexadecimal_digits,
    "lexicographic": lexicographic,
    "integer32-wrap": integer32_wrap,
}
"""The words for `position_kind`, and what reads each. A timestamp is a last resort: two changes of
one instant are a conflict."""


class Spelling(msgspec.Struct, frozen=True):
    """How the positions of one clock are spelled. `kind`: a word of `SPELLINGS`, or "rank". `unit`:
    of a time that is an integer. `ranks`: the texts that are the positions, the first one first."""

    kind: str
    unit: str = ""
    ranks: tuple[str, ...] = ()

    def value_of(self, found: object) -> tuple[int, ...]:
        """The numbers that a spelled position stands for. Raises Malformed."""
        if self.kind == TIMESTAMP:
            return timestamp.parse(found, self.unit)
        if self.kind == RANK:
            return self._place_of(found)
        return SPELLINGS[self.kind](found)

    def _place_of(self, found: object) -> tuple[int, ...]:
        # A text alone: to Python true equals 1, and an object cannot be looked for.
        if isinstance(found, str) and found in self.ranks:
            return (self.ranks.index(found),)
        known = ", ".join(self.ranks)
        raise Malformed(
            f"{found!r:.80} has no rank, so nothing orders the event; the ranks are: {known:.800}"
        )

    def lineage_of(self, value: tuple[int, ...]) -> str:
        """What says, of a value, with which others it compares; "" for all."""
        return chain(self.ranks, value[0]) if self.kind == RANK else ""

    @property
    def text(self) -> str:
        """What the name of a scope says of it. Under another unit, and before units were said, the
        same number was another moment: such positions do not compare."""
        if self.kind == RANK:
            return " by ranks"
        if self.kind != TIMESTAMP:
            return ""
        return f"{BY_TIMES} in {self.unit}" if self.unit else BY_TIMES
