"""How a position may be spelled in a user's own event, and the numbers that it stands for."""

from __future__ import annotations

from collections.abc import Callable

from anyorder._core.families import hexadecimal, kubernetes, timestamp, version
from anyorder._core.families.life import INTEGER, TIME, UID
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
    found = (
        int(value)
        if isinstance(value, str)
        and value.removeprefix("-").isdigit()
        and value.isascii()
        and len(value) <= 11
        else value
    )
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


def life(value: object) -> tuple[str, int | str]:
    """Which life of its key an event is of, with the kind of that answer: when it began, as an
    integer or an RFC 3339 time, has an order; any other text is an id, and has none.

    Raises Malformed for what is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return INTEGER, value
    if not isinstance(value, str) or not 0 < len(value.encode()) <= LONGEST:
        raise Malformed(f"no time, integer or id (1 to {LONGEST} bytes): {value!r:.80}")
    if value.isascii() and value.isdigit():
        return INTEGER, int(value)
    # An id may look like anything, so only what is wholly a time is one.
    if timestamp.PATTERN.fullmatch(value):
        (nanoseconds,) = timestamp.parse(value)
        return TIME, nanoseconds
    return UID, value


def microseconds(value: object) -> int | None:
    """An RFC 3339 time, or an integer of milliseconds, in microseconds; null stays null."""
    if value is None:
        return None
    # It only tells when, and orders nothing, so whatever it counts to is taken.
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 1000
    (found,) = timestamp.parse(value)
    return found // 1000
