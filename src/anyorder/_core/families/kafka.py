"""The offset of a Kafka record: exact inside one partition of one life of a topic, and nowhere else
(rules R3, compare())."""

from __future__ import annotations

import msgspec

from anyorder._core.families.floor_entry import FloorEntry, TopicEntry, entries_of, raised
from anyorder._core.floor import Floor
from anyorder._core.position import (
    Above,
    Clocked,
    Description,
    Guard,
    Lineage,
    Order,
    guard_of,
)
from anyorder.errors import NotReapable


class OffsetPosition(msgspec.Struct, frozen=True, array_like=True, tag="kafka", gc=False):
    """`scope` names cluster and topic; `epoch` is a declared layout or life of the topic (0 unless
    a manifest says more)."""

    scope: str
    partition: int
    offset: int
    epoch: int = 0
    time: int | None = None

    def compare(self, other: Clocked, lineage: Lineage) -> Order:
        if not isinstance(other, OffsetPosition) or self.scope != other.scope:
            return Order.UNDECIDED
        if self.epoch != other.epoch:
            return Order.NEWER if self.epoch > other.epoch else Order.OLDER
        if self.partition != other.partition:
            return Order.UNDECIDED
        if self.offset == other.offset:
            return Order.SAME
        return Order.NEWER if self.offset > other.offset else Order.OLDER

    def joined(self, other: Clocked, same: bool) -> OffsetPosition:
        return self

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        if not floor.entries:
            return Above.YES
        topics = [one for one in entries_of(floor) if isinstance(one, TopicEntry)]
        known = [one for one in topics if one.scope == self.scope]
        if not known or self._may_have_moved(known, floor.partitions):
            return Above.UNKNOWN
        # A later life, or layout, of the topic began after all that this one tells.
        if any(entry.epoch > self.epoch for entry in known):
            return Above.NO
        place = self.epoch, self.partition
        below = [one for one in known if (one.epoch, one.partition) == place]
        return Above.YES if all(self.offset > one.offset for one in below) else Above.NO

    def _may_have_moved(self, known: list[TopicEntry], partitions: int | None) -> bool:
        """R3: without a declared partition count nothing tells that keys moved to another
        partition; one beyond it tells that they did."""
        if partitions is None:
            return True
        return max(self.partition, *(entry.partition for entry in known)) >= partitions

    def raising(self, floor: Floor) -> Floor:
        if not all(self._shares_a_floor_with(entry) for entry in entries_of(floor)):
            raise NotReapable
        return raised(floor, TopicEntry(self.scope, self.epoch, self.partition, self.offset))

    def _shares_a_floor_with(self, entry: FloorEntry) -> bool:
        return isinstance(entry, TopicEntry) and entry.scope == self.scope

    def seen_by(self, stored: Clocked) -> bool:
        return False

    def forgotten_in(self, floor: Floor) -> bool:
        return False

    def guard(self) -> Guard | None:
        return guard_of((self.scope, self.epoch, self.partition), (self.offset,))

    def overtaking(self) -> Guard | None:
        return self.guard()

    def growing(self) -> tuple[str, int] | None:
        return f"{self.scope}#{self.epoch}/{self.partition}", self.offset

    def identity(self) -> str:
        return f"{self.scope}#{self.epoch}/{self.partition}@{self.offset}"

    def newest_first(self) -> tuple[int, ...]:
        return (-self.epoch, -self.offset)

    def told_by(self) -> tuple[str, str] | None:
        return None

    def is_of_latest_epoch(self, lineage: Lineage) -> bool:
        return True

    def text(self) -> str:
        return f"{self.scope}/{self.partition} at offset {self.offset}"

    def describe(self) -> Description:
        return Description("", f"{self.scope}/{self.partition} offset {self.offset}")
