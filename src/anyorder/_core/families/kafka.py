"""The offset of a Kafka record: exact inside one partition of one life of a topic, and nowhere else
(rules R3, compare())."""

from __future__ import annotations

import msgspec

from anyorder._core.families.adopted import order_to_unrelated
from anyorder._core.families.floor_entry import TopicEntry, entries_in, raised
from anyorder._core.floor import Floor
from anyorder._core.position import (
    UNDECIDED,
    YES,
    Above,
    Clocked,
    Description,
    Growing,
    Lineage,
    Order,
    Threshold,
    above_if,
    by_number,
    threshold_of,
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
            return order_to_unrelated(other)
        # A declared layout, or a life of the topic, began after all that the one before it told.
        if self.epoch != other.epoch:
            return by_number(self.epoch, other.epoch)
        # Inside one of them a key stays in its partition, and offsets of two say nothing.
        if self.partition != other.partition:
            return UNDECIDED
        return by_number(self.offset, other.offset)

    def joined(self, other: Clocked, same: bool) -> OffsetPosition:
        # Its offset is all that it knows, and what did not win tells nothing (rules R7).
        return self

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        if not floor.entries:
            return YES
        topics = entries_in(floor, TopicEntry, self.scope)
        if not topics or self._may_have_moved(topics, floor.partitions):
            return Above.UNKNOWN
        # A later layout, or life, of the topic began after all that this one tells.
        if max(entry.epoch for entry in topics) > self.epoch:
            return Above.NO
        place = self.epoch, self.partition
        limits = [entry.offset for entry in topics if (entry.epoch, entry.partition) == place]
        return above_if(self.offset > max(limits, default=-1))

    def _may_have_moved(self, topics: list[TopicEntry], partitions: int | None) -> bool:
        """May its key have come from another partition?"""
        # Two partitions that become three move keys to old partitions as well, and no record tells
        # of it. So without a declared count every empty slot is unknown; and a partition beyond the
        # count says that the count is not true (rules R3).
        if partitions is None:
            return True
        return max(self.partition, *(entry.partition for entry in topics)) >= partitions

    def raising(self, floor: Floor) -> Floor:
        # An entry of another clock: a later event that carries only one of the two would pass.
        if len(entries_in(floor, TopicEntry, self.scope)) < len(floor.entries):
            raise NotReapable
        return raised(floor, TopicEntry(self.scope, self.epoch, self.partition, self.offset))

    def is_settled(self, stored: Clocked | None, floor: Floor) -> bool:
        # Here a null record is a delete at its offset, and no hint.
        return False

    def threshold(self, *, incoming: bool) -> Threshold | None:
        # Inside one partition of one life the offset is the whole order, on both sides.
        return threshold_of((self.scope, self.epoch, self.partition), (self.offset,))

    def growing(self) -> Growing | None:
        return Growing(self.clock(), self.offset)

    def clock(self) -> str:
        return f"{self.scope}#{self.epoch}/{self.partition}"

    def identity(self) -> str:
        return f"{self.scope}#{self.epoch}/{self.partition}@{self.offset}"

    def newest_first(self) -> tuple[int, ...]:
        return (-self.epoch, -self.offset)

    def told_by(self) -> tuple[str, str] | None:
        # Offsets are given by the broker, whoever produced.
        return None

    def is_of_latest_epoch(self, lineage: Lineage) -> bool:
        # Its epochs are declared, not begun by a snapshot that could show what is gone.
        return True

    def text(self) -> str:
        return f"{self.scope}/{self.partition} at offset {self.offset}"

    def describe(self) -> Description:
        return Description("", f"{self.scope}/{self.partition} offset {self.offset}")
