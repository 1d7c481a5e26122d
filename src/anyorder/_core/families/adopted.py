"""A row that was there before its table was guarded: a put older than every event, of whatever
clock (rules R8)."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from anyorder._core.floor import Floor
from anyorder._core.position import (
    NEWER,
    OLDER,
    SAME,
    UNDECIDED,
    Above,
    Clocked,
    Description,
    Growing,
    Lineage,
    Order,
    Threshold,
)
from anyorder.errors import NotReapable


class AdoptedPosition(msgspec.Struct, frozen=True, array_like=True, tag="adopted", gc=False):
    """Before all that any source told. It is stored only while a row shows a column from then."""

    scope: ClassVar[str] = ""
    time: ClassVar[None] = None

    def compare(self, other: Clocked, lineage: Lineage) -> Order:
        return SAME if isinstance(other, AdoptedPosition) else OLDER

    def joined(self, other: Clocked, same: bool) -> AdoptedPosition:
        # It has no offset, and nothing is older.
        return self

    def identity(self) -> str:
        return "adopted"

    def newest_first(self) -> tuple[int, ...]:
        # It is no event's, so none is sorted by it.
        return ()

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        return Above.NO if floor else Above.YES

    def raising(self, floor: Floor) -> Floor:
        # Only tombstones are forgotten, and it is never one's.
        raise NotReapable

    def is_settled(self, stored: Clocked | None, floor: Floor) -> bool:
        # It is no hint.
        return False

    def threshold(self, *, incoming: bool) -> Threshold | None:
        # Thresholds compare in one scope, and this has none: whoever meets it must read it.
        return None

    def growing(self) -> Growing | None:
        return None

    def clock(self) -> str:
        return ""

    def told_by(self) -> tuple[str, str] | None:
        return None

    def is_of_latest_epoch(self, lineage: Lineage) -> bool:
        # No run told it, so no later one can have left it out.
        return True

    def text(self) -> str:
        return "before every event"

    def describe(self) -> Description:
        return Description("what was there", "adoption, before every event")


def order_to_unrelated(other: Clocked) -> Order:
    """How an event's position stands to one of another family or scope."""
    # Nothing relates two clocks (rules R7), but what was there before is older than any event.
    return NEWER if isinstance(other, AdoptedPosition) else UNDECIDED
