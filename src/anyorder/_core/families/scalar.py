"""Clocks that are a plain tuple of integers: versions, digit strings, binlog coordinates, resource
versions, SCNs, timestamps.

How each is spelled is its own module (`version`, `binlog`, `kubernetes`, `hexadecimal`,
`timestamp`); the order is here.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from anyorder._core.families.adopted import order_to_unrelated
from anyorder._core.families.floor_entry import ScalarEntry, entries_in, raised
from anyorder._core.families.ranks import RANK, is_of_other_list, rank_of
from anyorder._core.families.timestamp import BY_TIMES, TIMESTAMP, moment
from anyorder._core.families.wrapping import half_round, is_wrapped
from anyorder._core.floor import Floor
from anyorder._core.position import (
    SAME,
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
    newer_if,
    threshold_of,
)
from anyorder.errors import NotReapable

TIMES = frozenset({"timestamp", "time"})
"""Kinds that are times themselves: a second opinion on them says nothing new."""
LASTING = TIMES | {"sequence"}
"""Kinds that never begin again: DynamoDB's sequence numbers outlive an item, and a stream that was
switched on anew is known."""
STAMPED_IN_ORDER = frozenset({"sqlserver"})
"""Kinds whose events tell when their transaction was committed."""


class ScalarPosition(msgspec.Struct, frozen=True, array_like=True, tag="scalar", gc=False):
    """`kind`: the spelling. `value`: most significant first. `lineage`: coordinates of two known
    lineages are unrelated (MySQL server id); of ranks, the list up to this one (ranks.py).

    `group`: where the leading numbers are equal, only one group's are ordered by the rest (an
    Oracle transaction). `per_entity`: every key counts for itself, so nothing may be forgotten
    (rules, compare()). `as_of`: a snapshot read.
    """

    tells_life: ClassVar[bool] = False

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
            return order_to_unrelated(other)
        # Two spellings have no order, and two servers count for themselves (rules, compare()).
        if self.kind != other.kind or self._is_of_other_lineage(other):
            return UNDECIDED
        # The changes of an Oracle transaction share its SCN, so at one SCN the rest of the numbers
        # compares inside one transaction only.
        if self.value[0] == other.value[0] and _differ(self.group, other.group):
            return UNDECIDED
        # Where only one of the two tells its life, a small version may begin a later one.
        if self.tells_life is not other.tells_life and _is_smaller_told(self, other):
            return UNDECIDED
        # A round of 32 bits later the same numbers come again (wrapping.py).
        if is_wrapped(self.kind, self.value, other.value):
            return UNDECIDED
        # The most significant number first, as tuples compare.
        if self.value != other.value:
            return newer_if(self.value > other.value)
        # A snapshot read is as of its place, so a change at it is newer.
        if self.as_of != other.as_of:
            return newer_if(other.as_of)
        return SAME

    def _is_of_other_lineage(self, other: ScalarPosition) -> bool:
        if self.kind == RANK:
            return is_of_other_list(self.lineage, other.lineage)
        return _differ(self.lineage, other.lineage)

    def joined(self, other: Clocked, same: bool) -> ScalarPosition:
        # Its value is all that it knows, and what did not win tells nothing (rules R7).
        return self

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        if not floor.entries:
            return YES
        limits = self._limits(floor)
        # An empty slot that another clock has forgotten: nothing tells (rules R3).
        if not limits:
            return Above.UNKNOWN
        # What is forgotten may lie a round of 32 bits later, however low its numbers are.
        if any(is_wrapped(self.kind, self.value, limit) for limit in limits):
            return Above.UNKNOWN
        return above_if(self.value > max(limits))

    def raising(self, floor: Floor) -> Floor:
        # A clock of one key says nothing of the others, and a floor is everybody's. Beside another
        # clock's entry, a later event that carries only one of the two would pass.
        if self.per_entity or len(self._limits(floor)) < len(floor.entries):
            raise NotReapable
        return raised(floor, self.entry)

    def _limits(self, floor: Floor) -> list[tuple[int, ...]]:
        """What this very clock has forgotten."""
        clock = self.kind, self.lineage
        entries = entries_in(floor, ScalarEntry, self.scope)
        return [entry.value for entry in entries if (entry.kind, entry.lineage) == clock]

    @property
    def entry(self) -> ScalarEntry:
        """What a floor remembers of it."""
        return ScalarEntry(self.scope, self.kind, self.lineage, self.value)

    def is_settled(self, stored: Clocked | None, floor: Floor) -> bool:
        # Hints come beside a log (rules R6).
        return False

    def threshold(self, *, incoming: bool) -> Threshold | None:
        # Inside a group the numbers are not the whole order (see `compare`).
        if self.group:
            return None
        # Its version alone does not say whether it is of the life that is stored (lives.py).
        if incoming and self.is_restartable:
            return None
        shared = half_round(self.kind, self.value)
        return threshold_of((self.kind, self.scope, self.lineage, *shared), self.value)

    def growing(self) -> Growing | None:
        # A read is as of its place, whenever it was read. And without the source's own time nothing
        # can contradict the position (rules R13).
        if self.time is None or self.as_of or not self.is_of_one_sequence:
            return None
        # Inside a group the rest of the numbers is the group's own.
        value = self.value[:1] if self.group else self.value
        return Growing(self.clock(), value, self.kind in STAMPED_IN_ORDER)

    def clock(self) -> str:
        if not self.is_of_one_sequence:
            return ""
        name, _ = self.entry.stored
        return name

    @property
    def is_of_one_sequence(self) -> bool:
        """Does one sequence give the positions of all keys?"""
        # CloudEvents says so of a source, and producers count for each subject all the same: an
        # alarm over all of them would be false.
        is_promised = self.scope.startswith("cloudevents:")
        return not (self.per_entity or is_promised or self.kind in TIMES)

    @property
    def is_restartable(self) -> bool:
        """May its numbers begin again with another life of its key, and does its time show it
        (rules R13, lives.py)?"""
        tells_when = self.time is not None and not self.as_of
        is_lasting = self.kind in LASTING or self.is_of_one_sequence
        return tells_when and not is_lasting

    def identity(self) -> str:
        # A change at the place that a read is as of is another event, and newer.
        told = " read" if self.as_of else ""
        return f"{self.entry.stored[0]}@{','.join(map(str, self.value))}{told}"

    def newest_first(self) -> tuple[int, ...]:
        return tuple(-part for part in self.value)

    def told_by(self) -> tuple[str, str] | None:
        # No connector of these clocks is known to name its runs.
        return None

    def is_of_latest_epoch(self, lineage: Lineage) -> bool:
        # Without runs there are no epochs.
        return True

    def text(self) -> str:
        place = ".".join(map(str, self.value))
        if self.kind == RANK:
            place = rank_of(self.lineage)
        # A person sees in a date, not in a number, that a unit is wrong. Before units were said,
        # nobody knows which moment a number was.
        elif self.kind == TIMESTAMP and BY_TIMES in self.scope:
            place = moment(self.value[0])
        clock = f"{self.kind} {place}"
        # a clock of one key says nothing by the key's name
        return clock if self.per_entity else f"{self.scope} at {clock}"

    def describe(self) -> Description:
        return Description("", self.text())


def _is_smaller_told(one: ScalarPosition, other: ScalarPosition) -> bool:
    """Is the version that tells its life the smaller of the two?"""
    told, bare = (one, other) if one.tells_life else (other, one)
    return told.value < bare.value


def _differ(one: str, other: str) -> bool:
    """Do both name something, and not the same? What is not named is no difference."""
    return one != other and "" not in (one, other)
