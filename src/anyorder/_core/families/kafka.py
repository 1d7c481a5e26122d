"""The offset of a Kafka record: exact inside one partition of one life of a topic, and nowhere else
(rules R3, compare())."""

from __future__ import annotations

import msgspec

from anyorder._core.floor import Floor
from anyorder._core.position import Above, Clocked, Lineage, Order
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
        """Without a declared partition count nothing tells that keys moved (rules R3), so every
        empty slot is unknown; beyond it, they did."""
        if not floor.entries:
            return Above.YES
        entries = {
            name: value
            for name, value in floor.entries.items()
            if name.startswith(self.scope + "#")
        }
        places = [name[len(self.scope) + 1 :].split("/") for name in entries]
        if (
            not places
            or floor.partitions is None
            or max(self.partition, *(int(part) for _, part in places)) >= floor.partitions
        ):
            return Above.UNKNOWN
        if any(int(epoch) > self.epoch for epoch, _ in places):
            return Above.NO
        limit = entries.get(f"{self.scope}#{self.epoch}/{self.partition}", -1)
        return Above.YES if self.offset > limit else Above.NO  # type: ignore[operator]  # offsets are integers

    def raising(self, floor: Floor) -> Floor:
        if not all(entry.startswith(self.scope + "#") for entry in floor.entries):
            raise NotReapable
        return floor.raised({f"{self.scope}#{self.epoch}/{self.partition}": self.offset})

    def growing(self) -> tuple[str, int] | None:
        return f"{self.scope}#{self.epoch}/{self.partition}", self.offset

    def identity(self) -> str:
        return f"{self.scope}#{self.epoch}/{self.partition}@{self.offset}"

    def newest_first(self) -> tuple[int, ...]:
        return (-self.epoch, -self.offset)

    def text(self) -> str:
        return f"{self.scope}/{self.partition} at offset {self.offset}"
