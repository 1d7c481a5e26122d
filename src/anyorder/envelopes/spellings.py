"""What else a user's own event spells: which life of its key it is of, and when it happened."""

from __future__ import annotations

from anyorder._core.families import timestamp
from anyorder._core.families.life import INTEGER, TIME, UID
from anyorder._core.families.spellings import LONGEST
from anyorder.errors import Malformed


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
