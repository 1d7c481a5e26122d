"""The order of a PostgreSQL log's records, as Debezium tells them (rules R4, R5, R10, R14).

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

from anyorder._core.position import (
    NEWER,
    OLDER,
    SAME,
    UNDECIDED,
    WAITING,
    Order,
    by_number,
    newer_if,
    order_if,
)

# r: snapshot read, i: incremental snapshot read, x: our own read of the source
READS = frozenset("rix")
# Between a change that held the row's lock when it wrote, and any change above it, the log is the
# order.
LOCKED, CHANGES = frozenset("ud"), frozenset("cud")


class LogRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one record tells of its place: `lsn` of the change (S for a read), `op`, `seq0`,
    transaction id, (partition, offset), run, commit time (us).

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


def number(seq0: int | None) -> int:
    """For a comparison: a missing seq0 is smaller than any number (rules R4)."""
    return -1 if seq0 is None else seq0


# ---------------------------------------------------------------- inside one epoch: R4, R5, R10


def compare_in_epoch(a: LogRecord, b: LogRecord) -> Order:
    """How `a` stands to `b` inside one epoch of one log."""
    # A truncate has a rule of its own against everything (rules R10).
    if "t" in (a.op, b.op):
        return compare_truncate(a, b)
    if a.op in READS and b.op in READS:
        # Both say what the row was, at S. At one S they tie, unless their content is equal.
        return by_number(a.lsn, b.lsn)
    if a.op in READS:
        return compare_change_to_read(b, a).opposite
    if b.op in READS:
        return compare_change_to_read(a, b)

    # Two changes: what the log's order is worth depends on the lower one (rules R4).
    if a.lsn == b.lsn:
        return SAME
    if a.lsn > b.lsn:
        return _high_is_newer(b, a)
    return _high_is_newer(a, b).opposite


def compare_truncate(a: LogRecord, b: LogRecord) -> Order:
    """R10: how two records stand of which one is a truncate, or both."""
    # TRUNCATE holds ACCESS EXCLUSIVE, so the LSN alone is exact, against changes and reads.
    if a.lsn != b.lsn:
        return by_number(a.lsn, b.lsn)
    # A read at the truncate's very position had waited for its lock, and comes before it.
    return by_number(a.op == "t", b.op == "t")


def _high_is_newer(low: LogRecord, high: LogRecord) -> Order:
    """R4: how the change with the higher LSN stands to the other."""
    # Only a `c` writes before it waits. Whatever follows a `u` or a `d` wrote after them.
    if low.op != "c":
        return NEWER
    # Inside one transaction the log is the order, and copies of it may differ in their seq0.
    if low.transaction is not None and low.transaction == high.transaction:
        return NEWER

    if low.seq0 is None:
        # The evidence is missing. Only offsets that agree with the log can stand in for it.
        return order_if(_is_later(high, low), NEWER)
    if not _is_proved_newer(low, high):
        return NEWER
    if high.op == "c" and high.seq0 is None:
        # Both wrote before they waited, and the other's evidence is missing: its seq0 may be the
        # greater one. Only offsets that agree with the proof can stand in for it.
        return order_if(_is_later(low, high), OLDER)
    return OLDER


def _is_later(one: LogRecord, other: LogRecord) -> bool:
    """Do offsets say so?"""
    # Offsets of two partitions say nothing. Records without a transport are all at ("", -1): what
    # is equal says nothing either, neither that one is later nor that the other is.
    return one.partition == other.partition and one.offset > other.offset


def _is_proved_newer(low: LogRecord, high: LogRecord) -> bool:
    """Does the seq0 of the lower change prove that its transaction committed later (rules R4)?"""
    seen, other = number(low.seq0), number(high.seq0)
    # A commit that it had seen, or its own, lies above the other's record. Of a `u` or a `d` that
    # is enough: had they committed later, they would have waited for this one and written above.
    if seen <= high.lsn or high.op != "c":
        return seen > high.lsn
    # Both are creates, so the one whose transaction had seen the later commit is newer. Where the
    # low one had seen the very commit of the high one, that is proof as well.
    if high.own_commit and not low.own_commit:
        return seen >= other
    return seen > other


def compare_change_to_read(change: LogRecord, read: LogRecord) -> Order:
    """R5: how a change stands to a snapshot read."""
    # Its record, or a commit before its own, lies at S or after: so it committed after S.
    if max(change.lsn, number(change.seq0)) >= read.lsn:
        return NEWER
    # The semantics of an incremental snapshot's window make the converse true as well.
    if read.op == "i" and change.seq0 is not None:
        return OLDER
    # Our own read holds the row's lock, so what had written before it had committed; but a `c`
    # waits for the same lock after it wrote, and without its seq0 nothing tells.
    if read.op == "x":
        return order_if(change.op != "c" or change.seq0 is not None, OLDER)
    # One partition has the connector's own order, in which a read stands where it was taken.
    # Records without a transport are in none.
    if change.partition != read.partition or not read.partition:
        return UNDECIDED
    return newer_if(change.offset > read.offset)


# ---------------------------------------------------------------- runs and epochs: R14


def epoch_of_run(run: str, snapshot_runs: tuple[str, ...]) -> int | None:
    """How many known snapshot runs of its log had begun by this run; None: no run is named, and
    there are epochs."""
    if not snapshot_runs:
        return 0
    if not run:
        return None
    # Run ids are UUIDv7, which sort by time.
    return bisect_right(snapshot_runs, run)


def across_runs(a: LogRecord, b: LogRecord) -> Order:
    """R14: how two records of two runs stand, of one epoch as far as known."""
    order = compare_in_epoch(a, b)
    is_named = "" not in (a.run, b.run)
    # Who names no run tells no other history.
    if order is UNDECIDED or not is_named:
        return order
    if a.run > b.run:
        return _later_to_earlier(a, b, order)
    return _later_to_earlier(b, a, order.opposite).opposite


def _later_to_earlier(later: LogRecord, earlier: LogRecord, order: Order) -> Order:
    """How the later run's record stands to the earlier one's; `order`: as the log alone says."""
    # Either the later run went on in the same log, and tells again all that follows what it told;
    # or it began with a snapshot that is not known yet, and whatever it tells is newer. The answer
    # must be right both ways, or it is to wait. "Newer" is right both ways.
    if order is NEWER or later.op in READS:
        return NEWER
    # One commit told by both: the later run went on in the same log, which then decides.
    if (later.transaction, later.time) != (earlier.transaction, earlier.time):
        return WAITING
    # Where the log says "older", a missing commit time may hide two histories. At one place of it,
    # the same act of the same transaction is the same change told again.
    certain = later.time is not None
    if order is SAME:
        certain = later.op == earlier.op
    return order if certain else WAITING
