"""A PostgreSQL row seen through its write-ahead log, and a change-data connector that reads the
log.

One key is watched. A history is a list of log records; a record's position is its index + 1, a
record ends where the next begins.

    ("c" | "u" | "d", transaction)   a change of the watched key
    ("commit", transaction)          its commit; the transaction "x" touches other keys only
    ("w", "w")                       the closing watermark of an incremental snapshot; its
    ("commit", "w") follows

Row locks are modelled: `u` and `d` take the row's lock before they write their record; `c` (an
INSERT, or an UPDATE that moves a row to this key) writes its record first and then waits in the
unique check for whoever holds the key (rules R4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition, OwnCommitPosition

Log = tuple[tuple[str, str], ...]
Fields = dict[str, object]
SCOPE = "pg:main"
READS = "rix"
LOGS = 256  # whose transactions are kept at hand: one log is asked for many times in a row


class Change(NamedTuple):
    """What one record says; `value` None: the row is gone. `seq0`: the last commit that the
    connector had seen, or with `own_commit` the change's own."""

    op: str
    lsn: int
    seq0: int | None
    transaction: str | None
    value: str | None
    offset: int = -1
    partition: int = 0
    run: str = ""
    time: int | None = None
    history: int = 0
    own_commit: bool = False

    def text(self) -> str:
        """For traces: `u@4(b) o2 run 1`."""
        parts = [
            f"{self.op}@{self.lsn}" + (f"({self.transaction})" if self.transaction else ""),
            f"seq0={self.seq0}",
            f"offset {self.offset}",
        ]
        parts += [f"run {self.run}"] if self.run else []
        parts += ["own commit"] if self.own_commit else []
        return " ".join(parts + ([f"time {self.time}"] if self.time is not None else []))


class Transaction(NamedTuple):
    """`end` of its commit record, its name, and the (position, op) of its changes."""

    end: int
    name: str
    changes: tuple[tuple[int, str], ...]


def histories(changes: int, names: int, background: int, marks: int = 0) -> Iterator[Log]:
    """Every log with at most so many changes of the key, transactions on it, commits elsewhere, and
    watermarks."""
    seen = set()
    for log in _Writers("abcdef"[:names]).step(
        (), False, None, frozenset(), frozenset(), frozenset(), changes, background, marks
    ):
        if log not in seen:
            seen.add(log)
            yield log


class _Writers:
    """All that concurrent transactions may write next.

    `live`: the committed row exists. `holder`: (transaction, row exists for it) of the row lock.
    `waiting`: creators before their check.
    """

    def __init__(self, names: str) -> None:
        self.names = names

    def step(
        self,
        log: Log,
        live: bool,
        holder: tuple[str, bool] | None,
        begun: frozenset[str],
        waiting: frozenset[str],
        done: frozenset[str],
        left: int,
        background: int,
        marks: int,
    ) -> Iterator[Log]:
        if not begun and log and log[-1][0] == "commit":
            yield log
        for name in self.names:
            earlier = self.names[: self.names.index(name)]
            if name in done or (
                name not in begun
                and any(other not in begun and other not in done for other in earlier)
            ):
                continue  # names in the order of their start
            mine = holder is not None and holder[0] == name
            if name in waiting:
                if (holder is None and not live) or holder == (name, False):
                    yield from self.step(
                        log,
                        live,
                        (name, True),
                        begun,
                        waiting - {name},
                        done,
                        left,
                        background,
                        marks,
                    )
                continue
            sees = holder[1] if mine and holder else live if holder is None else None
            following = begun | {name}
            if left and sees:
                for op, exists in (("u", True), ("d", False)):
                    yield from self.step(
                        (*log, (op, name)),
                        live,
                        (name, exists),
                        following,
                        waiting,
                        done,
                        left - 1,
                        background,
                        marks,
                    )
            if left and sees is not True:  # the heap record now, the unique check later
                yield from self.step(
                    (*log, ("c", name)),
                    live,
                    holder,
                    following,
                    waiting | {name},
                    done,
                    left - 1,
                    background,
                    marks,
                )
            if name in begun:
                after = holder[1] if mine and holder else live
                rest = None if mine else holder
                yield from self.step(
                    (*log, ("commit", name)),
                    after,
                    rest,
                    begun - {name},
                    waiting,
                    done | {name},
                    left,
                    background,
                    marks,
                )
        if background and begun:
            yield from self.step(
                (*log, ("commit", "x")),
                live,
                holder,
                begun,
                waiting,
                done,
                left,
                background - 1,
                marks,
            )
        if marks and log:
            yield from self.step(
                (*log, ("w", "w")),
                live,
                holder,
                begun | {"w"},
                waiting,
                done,
                left,
                background,
                marks - 1,
            )
        if "w" in begun:
            yield from self.step(
                (*log, ("commit", "w")),
                live,
                holder,
                begun - {"w"},
                waiting,
                done,
                left,
                background,
                marks,
            )


@lru_cache(LOGS)
def transactions(log: Log) -> tuple[Transaction, ...]:
    """In commit order."""
    found = []
    for at, (kind, name) in enumerate(log, 1):
        if kind == "commit":
            changes = (
                tuple(
                    (p, op)
                    for p, (op, owner) in enumerate(log[:at], 1)
                    if owner == name and op != "commit"
                )
                if name != "x"
                else ()
            )
            found.append(Transaction(at + 1, name, changes))
    return tuple(found)


def state_at(log: Log, position: int) -> str | None:
    """The key's committed value when every commit that ends at or before `position` is visible.

    A TRUNCATE is seen at once: a read at its position waits for its lock, and finds nothing.
    """
    value = None
    for end, name, changes in transactions(log):
        if end <= position or any(op == "t" and lsn < position for lsn, op in changes):
            for lsn, op in changes:
                if op != "w":
                    value = None if op in "dt" else f"{name}{lsn}"
    return value


def truncated(log: Log) -> Iterator[Log]:
    """The log and a TRUNCATE at its end, which waits for every other transaction (R10); perhaps the
    row comes to life again."""
    yield (*log, ("t", "y"), ("commit", "y"))
    yield (*log, ("t", "y"), ("commit", "y"), ("c", "z"), ("commit", "z"))


def final_state(log: Log) -> str | None:
    """What the source's row is in the end."""
    return state_at(log, len(log) + 1)


def streamed(
    log: Log, *, after: int = 0, seq0: int | None = None, empty_seen: bool = True
) -> list[Change]:
    """What a run that starts at position `after` emits for the key: transactions whose commit ends
    later, in commit order.

    A watermark emits the incremental read, unless the key's row is not there or was touched inside
    the window. `empty_seen`: commits without changes of captured tables raise seq0 too.
    """
    emitted, commits = [], transactions(log)
    for commit, name, changes in commits:
        if commit <= after:
            continue
        for lsn, op in changes:
            if op != "w":
                emitted.append(
                    Change(op, lsn, seq0, name, None if op in "dt" else f"{name}{lsn}", time=commit)
                )
                continue
            value = state_at(log, lsn)
            touched = any(
                lsn < end <= commit for end, other, inner in commits if other != "w" and inner
            )
            if value is not None and not touched:
                emitted.append(Change("i", lsn, seq0, None, value))
        if changes or empty_seen:
            seq0 = commit
    return emitted


def telling_own_commits(log: Log, changes: Iterable[Change]) -> list[Change]:
    """The records as they would be if seq0 were the change's own commit (rules R4); a null stays
    null."""
    ends = {name: end for end, name, _ in transactions(log)}
    return [
        change._replace(seq0=ends[change.transaction], own_commit=True)
        if change.seq0 is not None and change.transaction is not None
        else change
        for change in changes
    ]


def lives(
    log: Log, *, lost: bool, forgets: bool, limit: int, resumes: bool = False
) -> Iterator[tuple[Change, ...]]:
    """Everything a connector emits in its life: a snapshot at any moment, the log, then one crash.

    After the crash the log is emitted again from any earlier point; `forgets`: the restart may not
    know the last commit; `resumes`: it may also go on where it stopped, telling nothing again;
    `lost`: offsets may be lost, then a second snapshot follows (with a sweep:
    a read of what is absent) and changes in between are never emitted. At most `limit` records.
    """
    seen = set()
    for start in range(1, len(log) + 2):
        value = state_at(log, start)
        first = ([Change("r", start, None, None, value)] if value is not None else []) + streamed(
            log, after=start
        )
        plans = [first, *_restarted(first, forgets, resumes)]
        if lost:
            plans += _snapshot_again(log, first, start)
        for plan in plans:
            life = tuple(change._replace(offset=at) for at, change in enumerate(plan))
            if 0 < len(life) <= limit and life not in seen:
                seen.add(life)
                yield life


def _restarted(first: list[Change], forgets: bool, resumes: bool) -> Iterator[list[Change]]:
    reads = 1 if first and first[0].op == "r" else 0
    for crash in range(reads + 1, len(first) + 1):
        for back in range(reads, crash + resumes):
            tail = [
                change
                for at, change in enumerate(first[back:], back)
                if change.op != "i" or at >= crash
            ]
            yield first[:crash] + tail
            if forgets and tail:
                opening = tail[0].transaction
                yield first[:crash] + [
                    change._replace(seq0=None) if change.transaction == opening else change
                    for change in tail
                ]


def _snapshot_again(log: Log, first: list[Change], start: int) -> Iterator[list[Change]]:
    ends = [end for end, _, _ in transactions(log)]
    for crash in range(len(first) + 1):
        told = {"w" if change.op == "i" else change.transaction for change in first[:crash]}
        done = max([end for end, name, _ in transactions(log) if name in told], default=start)
        for again in [end for end in ends if end >= done] + [done]:
            yield [
                *first[:crash],
                Change("r", again, None, None, state_at(log, again)),
                *streamed(log, after=again),
            ]


BLOCKED = {"for share": frozenset("ud"), "for key share": frozenset("d"), "no lock": frozenset()}


def read_again(log: Log, lock: str) -> Iterator[Change]:
    """R11: every moment at which the row can be read with this row lock: the position is taken
    while the lock is held."""
    for at in range(1, len(log) + 2):
        written = {
            op
            for end, name, changes in transactions(log)
            if end > at and name != "w"
            for lsn, op in changes
            if lsn < at
        }
        value = state_at(log, at)
        if value is not None and not written & BLOCKED[lock]:
            yield Change("x", at, None, None, value, partition=-1)


def with_hints(life: Sequence[Change], *, lose_a_delete: bool = False) -> tuple[Change, ...]:
    """R6: after each delete comes a null record, of which only the place is known. Compaction may
    have removed the last delete."""
    emitted: list[Change] = []
    for change in life:
        emitted += [change, Change("h", 0, None, None, None)] if change.op == "d" else [change]
    numbered = [change._replace(offset=at) for at, change in enumerate(emitted)]
    if lose_a_delete:
        numbered.remove([change for change in numbered if change.op == "d"][-1])
    return tuple(numbered)


@lru_cache(LOGS)
def rank(log: Log, change: Change) -> float:
    """A record's place in the source's own order of states."""
    order: list[tuple[int, str | None]] = [
        (lsn, name) for _, name, changes in transactions(log) for lsn, op in changes if op != "w"
    ]
    if change.op in READS:
        return (
            sum(
                end <= change.lsn
                for end, _, changes in transactions(log)
                for _, op in changes
                if op != "w"
            )
            - 0.1
        )
    return order.index((change.lsn, change.transaction)) + 0.6


def event_of(change: Change, fields: Fields | None, holes: frozenset[str] = frozenset()) -> Event:
    """The record as the product sees it; `fields` None is a delete."""
    name, partition = change.transaction, "" if change.partition < 0 else str(change.partition)
    kind = OwnCommitPosition if change.own_commit else LogPosition
    position = kind(
        SCOPE,
        change.lsn,
        change.op,
        change.seq0,
        ord(name) if name else None,
        partition,
        change.offset,
        change.run,
        change.time,
    )
    if change.op in "ht":
        return Event(Kind.HINT if change.op == "h" else Kind.TRUNCATE, position=position)
    if fields is None:
        return Event(Kind.DELETE, position=position)
    return Event(Kind.PUT, position=position, fields=fields, holes=holes, creates=change.op == "c")
