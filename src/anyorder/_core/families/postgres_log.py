"""The PostgreSQL log as Debezium tells it (rules R4, R5, R14).

Log position alone is not commit order. An INSERT, or an UPDATE that moves a row to this key, writes
its record *before* the unique check and waits there, so a `c` may have a smaller LSN than the `d`
(or a whole earlier incarnation) that it follows. `u` and `d` take the row's lock before they write.
`seq0`, the first half of `source.sequence`, is the end of the last commit that the connector had
seen: a lower bound of the change's place in commit order. It can prove "newer", never "older". A
snapshot read says what the row was at S; a change is newer than it if its transaction committed
after S.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

import msgspec

from anyorder._core.floor import Floor
from anyorder._core.position import Above, Clocked, Lineage, Order
from anyorder.errors import NotReapable

# r: snapshot read, i: incremental snapshot read, x: our own read of the source
READS = frozenset("rix")
CHANGES = frozenset("cud")
LOCKED = frozenset("ud")  # they took the row's lock before they wrote
NEWER, OLDER = Order.NEWER, Order.OLDER
HINT = "h"  # a null record: only its place in the topic is known


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
            mine, theirs = self.op, other.op
            if self.lsn < other.lsn and mine in LOCKED and theirs in CHANGES:
                return OLDER
            if self.lsn > other.lsn and theirs in LOCKED and mine in CHANGES:
                return NEWER
            return compare_in_epoch(self, other)
        return self._compare_runs(other, lineage)

    def _compare_runs(self, other: LogPosition, lineage: Lineage) -> Order:
        mine, theirs = epoch(self, lineage), epoch(other, lineage)
        if mine != theirs:
            return (
                Order.UNDECIDED
                if mine is None or theirs is None
                else Order.NEWER
                if mine > theirs
                else Order.OLDER
            )
        return across_runs(self, other)

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
        better = other if _number(other.seq0) > _number(self.seq0) else self
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

    def above(self, floor: Floor, lineage: Lineage) -> Above:
        if not floor.entries:
            return Above.YES
        known = waiting = False
        mine = epoch(self, lineage)
        for entry, limit in floor.entries.items():
            scope, _, run = entry.partition("|")
            if scope != self.scope:
                continue
            known = True
            theirs = mine if run == self.run else epoch_of_run(run, lineage.get(scope, ()))
            if mine is None or theirs is None:
                return Above.UNKNOWN
            below = not self.passes(limit)
            if theirs > mine or (
                theirs == mine and (run > self.run or (run == self.run and below))
            ):
                return Above.NO
            # an earlier run's: this one may have begun with a snapshot
            waiting = waiting or (theirs == mine and below)
        if not known or waiting:
            return Above.UNKNOWN
        if self.op in "ri" and self.offset <= _number(
            floor.entries.get("offset:" + self.partition)
        ):
            return Above.NO
        return Above.YES

    def passes(self, limit: int | tuple[int, ...]) -> bool:
        """(lsn, rank) above (limit, 0): a put at the very position of a forgotten delete is a key
        change and may pass; reads may not."""
        return self.lsn > _number(limit) or (self.lsn == limit and self.op in "cu")

    def raising(self, floor: Floor) -> Floor:
        if not all(entry.startswith((self.scope + "|", "offset:")) for entry in floor.entries):
            raise NotReapable
        more: dict[str, int | tuple[int, ...]] = {
            f"{self.scope}|{self.run}": self.lsn - (self.op in READS)
        }
        if self.partition:
            more["offset:" + self.partition] = self.offset
        return floor.raised(more)

    def growing(self) -> tuple[str, int] | None:
        """Only changes with a seq0 are judged: by max(seq0, lsn) a healthy stream never alarms, by
        the raw LSN it does (rules R13)."""
        if self.seq0 is None or self.op in READS:
            return None
        return f"{self.scope}|{self.run}", max(self.seq0, self.lsn)

    def identity(self) -> str:
        if self.op == HINT:
            return f"hint {self.partition}@{self.offset}"
        return f"{self.scope}@{self.lsn} {self.op} {self.transaction} {self.time}"

    def newest_first(self) -> tuple[int, ...]:
        return (-max(self.lsn, self.seq0 or 0), -self.lsn)

    def text(self) -> str:
        if self.op == HINT:
            return f"{self.partition} offset {self.offset}"
        return f"{self.scope} at LSN {lsn_text(self.lsn)}"


class OwnCommitPosition(LogPosition, frozen=True, array_like=True, tag="pg_own", gc=False):
    """A log position whose seq0 is the end of the change's own commit: what Debezium may make of
    `sequence[0]` (debezium#7764, open; no envelope makes one today).

    The two meanings must not be taken for each other: mixed without the mark, 3,596 of 1,036,890
    pairs of changes end silently wrong (rules R4). The mark is the stored text's tag, because an
    array cannot leave a field out (msgspec#720): a position without it is spelled as ever, and a
    version that does not know it refuses the text instead of reading another meaning into it.
    """

    own_commit: ClassVar[bool] = True


def lsn_text(lsn: int) -> str:
    """As PostgreSQL writes it: `0/16B3F80`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def compare_in_epoch(a: LogPosition, b: LogPosition) -> Order:
    """R4, R5 and R10: how `a` stands to `b` inside one epoch of one log."""
    if a.op == "t" or b.op == "t":
        return _compare_truncate(a, b)
    if a.op in READS:
        return compare_reads(a, b) if b.op in READS else compare_change_to_read(b, a).opposite
    if b.op in READS:
        return compare_change_to_read(a, b)
    if a.lsn == b.lsn:
        return Order.SAME
    if a.lsn > b.lsn:
        return _high_is_newer(b, a)
    return _high_is_newer(a, b).opposite


def _high_is_newer(low: LogPosition, high: LogPosition) -> Order:
    """How the change with the higher LSN stands to the other (rules R4)."""
    if low.op != "c" or _is_one_transaction(low, high):
        return Order.NEWER
    if low.seq0 is None:
        # the evidence is missing; only offsets that say the same as the log can stand in for it
        return Order.NEWER if _is_later(high, low) else Order.UNDECIDED
    if not _is_proved_newer(low, low.seq0, high):
        return Order.NEWER
    if high.op == "c" and high.seq0 is None and not _is_later(low, high):
        # both wrote before they waited, and the other's evidence is missing. Records without
        # offsets, and those of two partitions, have nothing that could stand in for it.
        return Order.UNDECIDED
    return Order.OLDER


def _is_one_transaction(a: LogPosition, b: LogPosition) -> bool:
    return a.transaction == b.transaction and a.transaction is not None


def _is_proved_newer(low: LogPosition, seq0: int, high: LogPosition) -> bool:
    """Does the seq0 of the lower change prove that its transaction committed after the higher
    one's (rules R4)?"""
    if seq0 <= high.lsn:
        return False
    if high.op != "c" or high.seq0 is None:
        return True
    if high.own_commit and not low.own_commit:
        # the low one had seen a commit; where it is the very commit of the high one, that is proof
        return seq0 >= high.seq0
    return seq0 > high.seq0


def _is_later(a: LogPosition, b: LogPosition) -> bool:
    """Do offsets say so? Without a transport both are ("", -1), which says nothing."""
    return a.partition == b.partition and a.offset > b.offset


def compare_change_to_read(change: LogPosition, read: LogPosition) -> Order:
    """R5: how a change stands to a snapshot read."""
    if change.lsn >= read.lsn or (change.seq0 is not None and change.seq0 >= read.lsn):
        return Order.NEWER  # its transaction committed after S: proof
    if read.op == "i" and change.seq0 is not None:
        return Order.OLDER  # the window's semantics make the converse true as well
    if read.op == "x":
        return Order.UNDECIDED if change.op == "c" and change.seq0 is None else Order.OLDER
    if change.partition == read.partition != "":
        return Order.NEWER if change.offset > read.offset else Order.OLDER
    return Order.UNDECIDED


def compare_reads(a: LogPosition, b: LogPosition) -> Order:
    """Two reads: by S; at one S a tie unless their content is equal."""
    if a.lsn == b.lsn:
        return Order.SAME
    return Order.NEWER if a.lsn > b.lsn else Order.OLDER


def _compare_truncate(a: LogPosition, b: LogPosition) -> Order:
    """R10: TRUNCATE holds ACCESS EXCLUSIVE, so the LSN alone is exact against changes and reads; at
    one S it is later than the read."""
    if a.lsn == b.lsn:
        return Order.SAME if a.op == b.op else Order.NEWER if a.op == "t" else Order.OLDER
    return Order.NEWER if a.lsn > b.lsn else Order.OLDER


def epoch(position: LogPosition, lineage: Lineage) -> int | None:
    """How many snapshot runs of its log began by the position's own run; None: it names no run and
    there are epochs."""
    return epoch_of_run(position.run, lineage.get(position.scope, ()))


def epoch_of_run(run: str, snapshot_runs: tuple[str, ...]) -> int | None:
    """Run ids are UUIDv7 and sort by time (rules R14)."""
    if not snapshot_runs:
        return 0
    return bisect_right(snapshot_runs, run) if run else None


def across_runs(a: LogPosition, b: LogPosition) -> Order:
    """R14: two runs, one epoch as far as known. Either the later run went on in the same log, and
    tells again all that follows what it told; or it began with a snapshot that is not known yet,
    and whatever it tells is newer. The answer is right both ways, or it is to wait."""
    order = compare_in_epoch(a, b)
    if order is Order.UNDECIDED or not (a.run and b.run):
        return order
    later, earlier, told_later = (a, b, Order.NEWER) if a.run > b.run else (b, a, Order.OLDER)
    if order is told_later or later.op in READS:
        return told_later
    one_commit = (later.transaction, later.time) == (earlier.transaction, earlier.time)
    if order is Order.SAME:
        return order if one_commit and later.op == earlier.op else Order.WAITING
    return order if one_commit and later.time is not None else Order.WAITING


def _number(value: int | tuple[int, ...] | None) -> int:
    return value if isinstance(value, int) else -1
