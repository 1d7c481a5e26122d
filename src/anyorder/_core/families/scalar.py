"""Clocks that are a plain tuple of integers: versions, digit strings, binlog coordinates, resource
versions, SCNs, timestamps.

How each is spelled is its own module (`version`, `binlog`, `kubernetes`, `hexadecimal`,
`timestamp`); the order is here.
"""

from __future__ import annotations

import msgspec

from anyorder._core.floor import Floor
from anyorder._core.position import Above, Clocked, Lineage, Order
from anyorder.errors import NotReapable


class ScalarPosition(msgspec.Struct, frozen=True, array_like=True, tag="scalar", gc=False):
    """`kind`: the spelling. `value`: most significant first. `lineage`: coordinates of two known
    lineages are unrelated (MySQL server id).

    `group`: where the leading numbers are equal, only one group's are ordered by the rest (an
    Oracle transaction). `per_entity`: every key counts for itself, so nothing may be forgotten
    (rules, compare()). `as_of`: a snapshot read.
    """

    kind: str
    scope: str
    value: tuple[int, ...]
    lineage: str = ""
    group: str = ""
    per_entity: bool = False
    as_of: bool = False
    time: int | None = None

    def compare(self, other: Clocked, lineage: Lineage) -> Order:
        if not isinstance(other, ScalarPosition) or self.scope != other.scope:
            return Order.UNDECIDED
        if self.kind != other.kind or (
            self.lineage and other.lineage and self.lineage != other.lineage
        ):
            return Order.UNDECIDED
        if (
            self.value[0] == other.value[0]
            and self.group
            and other.group
            and self.group != other.group
        ):
            return Order.UNDECIDED
        if self.value == other.value:
            return (
                Order.SAME
                if self.as_of == other.as_of
                else Order.OLDER
                if self.as_of
                else Order.NEWER
            )
        return Order.NEWER if self.value > other.value else Order.OLDER

    def joined(self, other: Clocked, same: bool) -> ScalarPosition:
        return self

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        if not floor.entries:
            return Above.YES
        limit = floor.entries.get(self.entry)
        if limit is None:
            return Above.UNKNOWN
        return Above.YES if self.value > limit else Above.NO  # type: ignore[operator]  # tuples of integers

    @property
    def entry(self) -> str:
        """The name of this clock's floor entry."""
        return f"{self.kind}:{self.scope}|{self.lineage}"

    def raising(self, floor: Floor) -> Floor:
        if self.per_entity or any(entry != self.entry for entry in floor.entries):
            raise NotReapable
        return floor.raised({self.entry: self.value})

    def growing(self) -> tuple[str, int] | None:
        return None

    def identity(self) -> str:
        return f"{self.entry}@{','.join(map(str, self.value))}"

    def newest_first(self) -> tuple[int, ...]:
        return tuple(-part for part in self.value)

    def text(self) -> str:
        clock = f"{self.kind} {'.'.join(map(str, self.value))}"
        # a clock of one key says nothing by the key's name
        return clock if self.per_entity else f"{self.scope} at {clock}"
