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
from typing import Protocol

from anyorder._core.position import Order

# r: snapshot read, i: incremental snapshot read, x: our own read of the source
READS = frozenset("rix")
CHANGES = frozenset("cud")
LOCKED = frozenset("ud")  # they took the row's lock before they wrote


class Record(Protocol):
    """What decides where a record of the log stands; `LogPosition` says what each is."""

    @property
    def lsn(self) -> int: ...
    @property
    def op(self) -> str: ...
    @property
    def seq0(self) -> int | None: ...
    @property
    def own_commit(self) -> bool: ...
    @property
    def transaction(self) -> int | None: ...
    @property
    def partition(self) -> str: ...
    @property
    def offset(self) -> int: ...
    @property
    def run(self) -> str: ...
    @property
    def time(self) -> int | None: ...


# ---------------------------------------------------------------- inside one epoch: R4, R5, R10


def compare_in_epoch(a: Record, b: Record) -> Order:
    """How `a` stands to `b` inside one epoch of one log."""
    if a.op == "t" or b.op == "t":
        return compare_truncate(a, b)
    if a.op in READS and b.op in READS:
        # two reads: by S; at one S a tie unless their content is equal
        return by_lsn(a, b)
    if a.op in READS:
        return compare_change_to_read(b, a).opposite
    if b.op in READS:
        return compare_change_to_read(a, b)
    return compare_changes(a, b)


def by_lsn(a: Record, b: Record) -> Order:
    """By the log position alone."""
    if a.lsn == b.lsn:
        return Order.SAME
    return Order.NEWER if a.lsn > b.lsn else Order.OLDER


def compare_truncate(a: Record, b: Record) -> Order:
    """R10: how two records stand of which one is a truncate, or both."""
    # TRUNCATE holds ACCESS EXCLUSIVE, so the LSN alone is exact against changes and reads; a read
    # at its very position waited for its lock, and is older.
    if a.lsn != b.lsn or a.op == b.op:
        return by_lsn(a, b)
    return Order.NEWER if a.op == "t" else Order.OLDER


def compare_changes(a: Record, b: Record) -> Order:
    """R4: two changes of one key."""
    if a.lsn == b.lsn:
        return Order.SAME
    if a.lsn > b.lsn:
        return _high_is_newer(b, a)
    return _high_is_newer(a, b).opposite


def _high_is_newer(low: Record, high: Record) -> Order:
    """R4: how the change with the higher LSN stands to the other."""
    # Only a `c` may have written before it waited; inside one transaction the log is the order.
    if low.op != "c" or _is_one_transaction(low, high):
        return Order.NEWER
    if low.seq0 is None:
        # The evidence is missing; only offsets that say the same as the log can stand in for it.
        return Order.NEWER if _is_later(high, low) else Order.UNDECIDED
    if not _is_proved_newer(low, low.seq0, high):
        return Order.NEWER
    if high.op == "c" and high.seq0 is None and not _is_later(low, high):
        # Both wrote before they waited, and the other's evidence is missing. Records without
        # offsets, and those of two partitions, have nothing that could stand in for it.
        return Order.UNDECIDED
    return Order.OLDER


def _is_one_transaction(a: Record, b: Record) -> bool:
    return a.transaction == b.transaction and a.transaction is not None


def _is_proved_newer(low: Record, seq0: int, high: Record) -> bool:
    """Does the seq0 of the lower change prove that its transaction committed after the higher
    one's (rules R4)?"""
    if seq0 <= high.lsn:
        return False
    if high.op != "c" or high.seq0 is None:
        return True
    if high.own_commit and not low.own_commit:
        # The low one had seen a commit; where it is the very commit of the high one, that is proof.
        return seq0 >= high.seq0
    return seq0 > high.seq0


def _is_later(a: Record, b: Record) -> bool:
    """Do offsets say so? Without a transport both are ("", -1), which says nothing."""
    return a.partition == b.partition and a.offset > b.offset


def compare_change_to_read(change: Record, read: Record) -> Order:
    """R5: how a change stands to a snapshot read."""
    # Its record, or a commit before its own, lies after S: so it committed after S. That is proof.
    if change.lsn >= read.lsn or (change.seq0 is not None and change.seq0 >= read.lsn):
        return Order.NEWER
    # The semantics of an incremental snapshot's window make the converse true as well.
    if read.op == "i" and change.seq0 is not None:
        return Order.OLDER
    # Our own read holds the row's lock, so what had written had committed, but for a `c`.
    if read.op == "x":
        return Order.UNDECIDED if change.op == "c" and change.seq0 is None else Order.OLDER
    if change.partition == read.partition != "":
        return Order.NEWER if change.offset > read.offset else Order.OLDER
    return Order.UNDECIDED


# ---------------------------------------------------------------- runs and epochs: R14


def epoch_of_run(run: str, snapshot_runs: tuple[str, ...]) -> int | None:
    """How many known snapshot runs of its log had begun by this run; None: no run is named, and
    there are epochs. Run ids are UUIDv7 and sort by time."""
    if not snapshot_runs:
        return 0
    return bisect_right(snapshot_runs, run) if run else None


def compare_epochs(mine: int | None, theirs: int | None) -> Order:
    """The later epoch is newer, whatever the log says (rules R14)."""
    if mine is None or theirs is None:
        return Order.UNDECIDED
    return Order.NEWER if mine > theirs else Order.OLDER


def across_runs(a: Record, b: Record) -> Order:
    """R14: two runs, one epoch as far as known. Either the later run went on in the same log, and
    tells again all that follows what it told; or it began with a snapshot that is not known yet,
    and whatever it tells is newer. The answer is right both ways, or it is to wait."""
    order = compare_in_epoch(a, b)
    if order is Order.UNDECIDED or not (a.run and b.run):
        return order
    if a.run > b.run:
        return _later_to_earlier(a, b, order)
    return _later_to_earlier(b, a, order.opposite).opposite


def _later_to_earlier(later: Record, earlier: Record, order: Order) -> Order:
    """How the later run's record stands to the earlier one's; `order`: as the log alone says."""
    # If the later run began with a snapshot, it is newer as well.
    if order is Order.NEWER or later.op in READS:
        return Order.NEWER
    # One commit is told by both runs only if the later one went on in the same log. Where the same
    # place of the log was told again, its time may be unknown; where it is older, it must agree.
    if (later.transaction, later.time) != (earlier.transaction, earlier.time):
        return Order.WAITING
    agrees = later.op == earlier.op if order is Order.SAME else later.time is not None
    return order if agrees else Order.WAITING
