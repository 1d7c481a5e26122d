"""A place in the PostgreSQL log as Debezium tells it, and all that it answers. How two places stand
is `log_order`'s."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from anyorder._core.families import log_order, lsn
from anyorder._core.families.floor_entry import (
    FloorEntry,
    LogEntry,
    OffsetEntry,
    entries_of,
    raised,
)
from anyorder._core.families.log_order import CHANGES, LOCKED, READS
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

NEWER, OLDER = Order.NEWER, Order.OLDER  # looked up once: they end most comparisons
HINT = "h"  # a null record: only its place in the topic is known
ACTS = {
    "c": "a create",
    "u": "an update",
    "d": "a delete",
    "r": "a snapshot read",
    "i": "an incremental snapshot read",
    "t": "a truncate",
    "x": "a read of the source",
}


class LogPosition(msgspec.Struct, frozen=True, array_like=True, tag="pg", gc=False):
    """One record's place: `lsn` of the change (S for a read), `op`, `seq0`, transaction id,
    (partition, offset), run, commit time (us).

    `op` is one of c u d r i x t. `offset` of a *stored* position is the joined one: the greatest of
    any event of this partition that was judged not newer than it (rules R5). `run` of an x is the
    latest that the key's memory or held events name (rules R14).
    """

    scope: str
    lsn: int
    op: str
    seq0: int | None = None
    transaction: int | None = None
    partition: str = ""
    offset: int = -1
    run: str = ""
    time: int | None = None

    own_commit: ClassVar[bool] = False
    """Is seq0 the end of the change's own commit, instead of the last one seen before it?"""

    def compare(self, other: Clocked, lineage: Lineage) -> Order:
        if not isinstance(other, LogPosition) or self.scope != other.scope:
            return Order.UNDECIDED
        if self.run == other.run:
            # first the common cases of compare_in_epoch, without its calls
            if self.lsn < other.lsn and self.op in LOCKED and other.op in CHANGES:
                return OLDER
            if self.lsn > other.lsn and other.op in LOCKED and self.op in CHANGES:
                return NEWER
            return log_order.compare_in_epoch(self, other)
        mine, theirs = self.epoch(lineage), other.epoch(lineage)
        if mine != theirs:
            return log_order.compare_epochs(mine, theirs)
        return log_order.across_runs(self, other)

    def joined(self, other: Clocked, same: bool) -> LogPosition:
        """The joined offset, and of two copies of one change the better lower bound and the later
        run (rules R4, R5, R14)."""
        if not isinstance(other, LogPosition):
            return self
        if not same and other.offset <= self.offset:
            return self
        offset = self.offset
        if other.partition == self.partition:
            offset = max(offset, other.offset)
        if not same:
            return self._replaced(self, offset, self.run)
        # A seq0 moves together with its meaning. Of one change its own commit is always later than
        # the last commit seen before it, so the greater copy is the better one whichever they are.
        better = other if _proves_more(other.seq0, self.seq0) else self
        return self._replaced(better, offset, max(self.run, other.run))

    def _replaced(self, evidence: LogPosition, offset: int, run: str) -> LogPosition:
        """This position with another copy's seq0 and what that means, another offset and run."""
        if evidence is self and offset == self.offset and run == self.run:
            return self
        return type(evidence)(
            self.scope,
            self.lsn,
            self.op,
            evidence.seq0,
            self.transaction,
            self.partition,
            offset,
            run,
            self.time,
        )

    def identity(self) -> str:
        if self.op == HINT:
            return f"hint {self.partition}@{self.offset}"
        return f"{self.scope}@{self.lsn} {self.op} {self.transaction} {self.time}"

    def newest_first(self) -> tuple[int, ...]:
        return (-max(self.lsn, self.seq0 or 0), -self.lsn)

    def epoch(self, lineage: Lineage) -> int | None:
        """How many snapshot runs of its log had begun by the position's own run; None: it names no
        run and there are epochs (rules R14)."""
        return log_order.epoch_of_run(self.run, lineage.get(self.scope, ()))

    # ---- the floor

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        if not floor.entries:
            return Above.YES
        logs = [one for one in entries_of(floor) if isinstance(one, LogEntry)]
        answers = {self._above_entry(one, lineage) for one in logs if one.scope == self.scope}
        # One entry that proves it older is enough. Where none does, each must prove it newer.
        if Above.NO in answers:
            return Above.NO
        if not answers or Above.UNKNOWN in answers:
            return Above.UNKNOWN
        return Above.NO if self.op in "ri" and not self._is_above_offset(floor) else Above.YES

    def _above_entry(self, entry: LogEntry, lineage: Lineage) -> Above:
        """May it fill what this run has forgotten (rules R3, R14)?"""
        mine = self.epoch(lineage)
        theirs = log_order.epoch_of_run(entry.run, lineage.get(self.scope, ()))
        if mine is None or theirs is None:
            return Above.UNKNOWN
        if mine != theirs:
            return Above.YES if mine > theirs else Above.NO
        # Of one epoch, what a later run forgot had been told after all that this one tells.
        if entry.run > self.run:
            return Above.NO
        if self.passes(entry.lsn):
            return Above.YES
        # An earlier run's: this one may have begun with a snapshot that is not known yet.
        return Above.NO if entry.run == self.run else Above.UNKNOWN

    def passes(self, limit: int) -> bool:
        """(lsn, rank) above (limit, 0): a put at the very position of a forgotten delete is a key
        change and may pass; reads may not (rules R4)."""
        return self.lsn > limit or (self.lsn == limit and self.op in "cu")

    def _is_above_offset(self, floor: Floor) -> bool:
        """R5: of a read, the log alone is no proof, because a delete that was open at S has a
        smaller LSN. Without a transport nothing is."""
        forgotten = self._forgotten_offset(floor)
        return self.offset >= 0 if forgotten is None else self.offset > forgotten

    def _forgotten_offset(self, floor: Floor) -> int | None:
        """How far its partition was forgotten; None: nothing of it was."""
        known = [one for one in entries_of(floor) if isinstance(one, OffsetEntry)]
        return next((one.offset for one in known if one.partition == self.partition), None)

    def raising(self, floor: Floor) -> Floor:
        if not all(self._shares_a_floor_with(entry) for entry in entries_of(floor)):
            raise NotReapable
        # What is at or after a read's position is newer than the read.
        limit = self.lsn - 1 if self.op in READS else self.lsn
        floor = raised(floor, LogEntry(self.scope, self.run, limit))
        if not self.partition:
            return floor
        return raised(floor, OffsetEntry(self.partition, self.offset))

    def _shares_a_floor_with(self, entry: FloorEntry) -> bool:
        if isinstance(entry, LogEntry):
            return entry.scope == self.scope
        return isinstance(entry, OffsetEntry)

    # ---- a hint

    def seen_by(self, stored: Clocked) -> bool:
        if not isinstance(stored, LogPosition) or not self.partition:
            return False
        return stored.partition == self.partition and stored.offset >= self.offset

    def forgotten_in(self, floor: Floor) -> bool:
        forgotten = self._forgotten_offset(floor)
        # The delete that a hint follows is the record before it.
        return forgotten is not None and forgotten >= self.offset - 1

    # ---- what may be overtaken unread

    def guard(self) -> Guard | None:
        if self.op in READS:
            return self._guard_at(self.lsn - 1)
        if self.op != "c":
            return self._guard_at(self.lsn)
        # Without its seq0 nothing tells how late the transaction of a `c` committed.
        return None if self.seq0 is None else self._guard_at(max(self.lsn, self.seq0))

    def overtaking(self) -> Guard | None:
        # A read is not ordered by the log alone (rules R5).
        return None if self.op in READS else self._guard_at(self.lsn)

    def _guard_at(self, limit: int) -> Guard | None:
        return guard_of((self.scope, self.run, self.partition), (limit,), self.offset)

    # ---- suspicion and runs

    def growing(self) -> tuple[str, int] | None:
        """Only changes with a seq0 are judged: by max(seq0, lsn) a healthy stream never alarms, by
        the raw LSN it does (rules R13)."""
        if self.seq0 is None or self.op in READS:
            return None
        return f"{self.scope}|{self.run}", max(self.seq0, self.lsn)

    def told_by(self) -> tuple[str, str] | None:
        return (self.scope, self.run) if self.run else None

    def is_of_latest_epoch(self, lineage: Lineage) -> bool:
        return self.epoch(lineage) == len(lineage.get(self.scope, ()))

    # ---- for people

    def text(self) -> str:
        if self.op == HINT:
            return f"{self.partition} offset {self.offset}"
        return f"{self.scope} at LSN {lsn.text(self.lsn)}"

    def describe(self) -> Description:
        transport = f"{self.partition} offset {self.offset}" if self.partition else ""
        return Description(ACTS.get(self.op, ""), self.text(), transport)


class OwnCommitPosition(LogPosition, frozen=True, array_like=True, tag="pg_own", gc=False):
    """A log position whose seq0 is the end of the change's own commit: what Debezium may make of
    `sequence[0]` (debezium#7764, open; no envelope makes one today).

    The two meanings must not be taken for each other: mixed without the mark, 3,596 of 1,036,890
    pairs of changes end silently wrong (rules R4). The mark is the stored text's tag, because an
    array cannot leave a field out (msgspec#720): a position without it is spelled as ever, and a
    version that does not know it refuses the text instead of reading another meaning into it.
    """

    own_commit: ClassVar[bool] = True


def _proves_more(seq0: int | None, than: int | None) -> bool:
    """Is it the better lower bound? A missing one is smaller than any number (rules R4)."""
    if seq0 is None:
        return False
    return than is None or seq0 > than
