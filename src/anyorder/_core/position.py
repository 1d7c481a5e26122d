"""What every position has in common: the five answers of a comparison, and what a family of clocks
must say.

A *family* is one kind of clock (`families/`, one module each). Positions of different families or
scopes do not compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

import msgspec

from anyorder._core.encoding import Part, encode
from anyorder._core.floor import Floor, Value
from anyorder.errors import PositionTooLarge


class Order(Enum):
    """How one position stands to another."""

    NEWER = "newer"
    OLDER = "older"
    SAME = "same"
    UNDECIDED = "undecided"
    WAITING = "waiting"  # undecided, but what can tell is expected to come (rules R14)

    opposite: Order
    """The same answer seen from the other position."""


class Above(Enum):
    """May an event fill an empty slot?"""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# Looked up once: in Python 3.11 a member of an enum takes longer to find than to compare.
NEWER, OLDER, SAME = Order.NEWER, Order.OLDER, Order.SAME
UNDECIDED, WAITING = Order.UNDECIDED, Order.WAITING
YES, NO = Above.YES, Above.NO

for _order in Order:
    _order.opposite = {Order.NEWER: Order.OLDER, Order.OLDER: Order.NEWER}.get(_order, _order)


def newer_if(later: bool) -> Order:
    """Newer if it is later, else older."""
    # Where it cannot be the same: that was asked before.
    return NEWER if later else OLDER


def order_if(certain: bool, order: Order) -> Order:
    """The order, where the evidence makes it certain; else undecided."""
    # Without evidence nobody guesses: the event is held as a conflict (rules R4, R5).
    return order if certain else UNDECIDED


def by_number(mine: int, other: int) -> Order:
    """How the first of two numbers of one line stands to the other: the greater is newer."""
    if mine == other:
        return SAME
    # Without newer_if, since most comparisons end here.
    if mine > other:
        return NEWER
    return OLDER


def above_if(higher: bool) -> Above:
    """May it fill the slot, where the floor's own clock tells?"""
    # At the floor is not above it: that very position was forgotten (rules R3).
    return YES if higher else NO


Lineage = Mapping[str, tuple[str, ...]]
"""Scope of a log -> the ids of its known snapshot runs, ascending. They part the log into epochs
(rules R14)."""


class Threshold(NamedTuple):
    """A place that can be compared in a store, byte by byte (rules R9). `scope`: what two positions
    must share; it is a prefix of `value`. `offset`: the joined offset, where there is one.
    """

    scope: bytes
    value: bytes
    offset: int | None = None


def threshold_of(
    scope: Sequence[Part],
    value: Sequence[Part],
    offset: int | None = None,
) -> Threshold | None:
    """The threshold at this place; None if its numbers are too large for the encoding."""
    try:
        shared = encode(scope)
        return Threshold(shared, shared + encode(value), offset)
    except PositionTooLarge:
        return None


class Growing(msgspec.Struct, frozen=True, gc=False):
    """How far a clock has come that should only grow (rules R13): its scope, and the number, or
    numbers, there.

    `is_stamped_in_order`: one clock gave the times, in the order of the positions. Else healthy
    ones contradict each other by minutes: producers' clocks differ, and a long transaction is
    stamped long before it gets its place. `is_read`: a snapshot is as of this place.
    """

    scope: str
    value: Value
    is_stamped_in_order: bool = True
    is_read: bool = False


class Description(NamedTuple):
    """A position for people. `act`: what was done there, "" where the position does not tell;
    `clock`: where, by its own clock; `transport`: by which way it came."""

    act: str
    clock: str
    transport: str = ""


class Clocked(Protocol):
    """What a family's position answers, so that nobody else need know its kind. Implementations are
    frozen and hold no more than numbers and names; each has a `scope`, since only positions of one
    scope compare, and a `time`, the source's own in microseconds since 1970, on which no order
    rests.
    """

    # ---- order

    def compare(self, other: Clocked, lineage: Lineage) -> Order:
        """How this position stands to `other` (a stored one carries its joined offset)."""

    def joined(self, other: Clocked, same: bool) -> Clocked:
        """This stored position after meeting `other`, which is not newer; `same`: another copy of
        the very event."""

    def identity(self) -> str:
        """Equal for all copies of one event at this position, whatever their transport says."""

    def newest_first(self) -> tuple[int, ...]:
        """A sort key, ascending = newest first, roughly; correctness never depends on it."""

    # ---- empty slots

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        """May an event here fill an empty slot under this floor (rules R3)?"""

    def raising(self, floor: Floor) -> Floor:
        """The floor after a tombstone at this position is forgotten. Raises NotReapable where that
        can never be safe."""

    def is_settled(self, stored: Clocked | None, floor: Floor) -> bool:
        """R6, of a hint: is the delete that it follows known to be done? `stored`: the position of
        the live row, None for an empty slot. False of what is no hint."""

    # ---- what may be overtaken unread

    def threshold(self, *, incoming: bool) -> Threshold | None:
        """R9: a change above the threshold of a stored position is newer for certain. `incoming`:
        this is the change, and what it gives must lie above. None: nothing is certain."""

    # ---- suspicion and runs

    def growing(self) -> Growing | None:
        """How far a clock has come that should only grow, for the reset detector (rules R13);
        None: not judged."""

    def clock(self) -> str:
        """The scope of the clock that should only grow, also of what is not judged by itself: what
        a suspected clock tells is held, whatever it is. "" if there is none."""

    def told_by(self) -> tuple[str, str] | None:
        """(scope, run) that told it, where the runs of a source are known (rules R14)."""

    def is_of_latest_epoch(self, lineage: Lineage) -> bool:
        """Was it told since the latest known snapshot of its source (rules R14)? True where there
        are no epochs."""

    # ---- for people

    def text(self) -> str:
        """In a line: `pg:main at LSN 0/16B3F80`."""

    def describe(self) -> Description:
        """In parts, for a sentence about the event here."""
