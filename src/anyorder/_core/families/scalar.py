"""Clocks that are a plain tuple of integers: versions, digit strings, binlog coordinates, resource
versions, SCNs, timestamps.

How each is spelled is its own module (`version`, `binlog`, `kubernetes`, `hexadecimal`,
`timestamp`); the order is here.
"""

from __future__ import annotations

import msgspec

from anyorder._core.families.floor_entry import FloorEntry, ScalarEntry, entries_of, raised
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
        if not isinstance(other, ScalarPosition) or not self._is_one_clock(other):
            return Order.UNDECIDED
        if self.value == other.value:
            return self._tied(other)
        return Order.NEWER if self.value > other.value else Order.OLDER

    def _is_one_clock(self, other: ScalarPosition) -> bool:
        """Are the two of one line of numbers? What one of them does not name is no difference."""
        if self.scope != other.scope or self.kind != other.kind:
            return False
        if _differ(self.lineage, other.lineage):
            return False
        return self.value[0] != other.value[0] or not _differ(self.group, other.group)

    def _tied(self, other: ScalarPosition) -> Order:
        """At one place: a snapshot read is as of it, so a change at it is newer."""
        if self.as_of == other.as_of:
            return Order.SAME
        return Order.OLDER if self.as_of else Order.NEWER

    def joined(self, other: Clocked, same: bool) -> ScalarPosition:
        return self

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        if not floor.entries:
            return Above.YES
        clocks = [one for one in entries_of(floor) if isinstance(one, ScalarEntry)]
        limits = [one.value for one in clocks if self._is_of(one)]
        if not limits:
            return Above.UNKNOWN
        return Above.YES if self.value > max(limits) else Above.NO

    def raising(self, floor: Floor) -> Floor:
        # A clock of one key says nothing of the others (rules, compare()).
        if self.per_entity or not all(self._is_of(entry) for entry in entries_of(floor)):
            raise NotReapable
        return raised(floor, self._entry)

    @property
    def _entry(self) -> ScalarEntry:
        return ScalarEntry(self.kind, self.scope, self.lineage, self.value)

    def _is_of(self, entry: FloorEntry) -> bool:
        """Is the entry this very clock's?"""
        return isinstance(entry, ScalarEntry) and entry[:3] == self._entry[:3]

    def seen_by(self, stored: Clocked) -> bool:
        return False

    def forgotten_in(self, floor: Floor) -> bool:
        return False

    def guard(self) -> Guard | None:
        # Numbers that are equal at first compare inside one group only (an Oracle transaction).
        if self.group:
            return None
        return guard_of((self.kind, self.scope, self.lineage), self.value)

    def overtaking(self) -> Guard | None:
        return self.guard()

    def growing(self) -> tuple[str, int] | None:
        return None

    def identity(self) -> str:
        return f"{self._entry.stored[0]}@{','.join(map(str, self.value))}"

    def newest_first(self) -> tuple[int, ...]:
        return tuple(-part for part in self.value)

    def told_by(self) -> tuple[str, str] | None:
        return None

    def is_of_latest_epoch(self, lineage: Lineage) -> bool:
        return True

    def text(self) -> str:
        clock = f"{self.kind} {'.'.join(map(str, self.value))}"
        # a clock of one key says nothing by the key's name
        return clock if self.per_entity else f"{self.scope} at {clock}"

    def describe(self) -> Description:
        return Description("", self.text())


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other
