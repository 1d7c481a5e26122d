"""What every position has in common: the five answers of a comparison, and what a family of clocks
must say.

A *family* is one kind of clock (`families/`, one module each). Positions of different families or
scopes do not compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from anyorder._core.floor import Floor


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


for _order in Order:
    _order.opposite = {Order.NEWER: Order.OLDER, Order.OLDER: Order.NEWER}.get(_order, _order)

Lineage = Mapping[str, tuple[str, ...]]
"""Scope of a log -> the ids of its known snapshot runs, ascending. They part the log into epochs
(rules R14)."""


class Clocked(Protocol):
    """What a family's position answers. Implementations are frozen and hold no more than numbers
    and names."""

    @property
    def scope(self) -> str:
        """Only positions of one scope compare."""

    def compare(self, other: Clocked, lineage: Lineage) -> Order:
        """How this position stands to `other` (a stored one carries its joined offset)."""

    def joined(self, other: Clocked, same: bool) -> Clocked:
        """This stored position after meeting `other`, which is not newer; `same`: another copy of
        the very event."""

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        """May an event here fill an empty slot under this floor?"""

    def raising(self, floor: Floor) -> Floor:
        """The floor after a tombstone at this position is forgotten. Raises NotReapable where that
        can never be safe."""

    def growing(self) -> tuple[str, int] | None:
        """(scope, value) of a clock that should only grow, for the reset detector (rules R13);
        None: not judged."""

    def identity(self) -> str:
        """Equal for all copies of one event at this position, whatever their transport says."""

    def newest_first(self) -> tuple[int, ...]:
        """A sort key, ascending = newest first, roughly; correctness never depends on it."""

    def text(self) -> str:
        """For people: `pg:main at LSN 0/16B3F80`."""
