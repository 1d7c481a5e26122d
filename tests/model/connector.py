"""Lives of a connector in one column: the scopes of the rules, A to H, those without
offsets and with both meanings of seq0, and pairs of changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import partial
from typing import NamedTuple

from anyorder._core.families import LogPosition
from tests.model.life import Life
from tests.model.source import (
    READS,
    Change,
    Log,
    event_of,
    final_state,
    histories,
    lives,
    rank,
    streamed,
    telling_own_commits,
    transactions,
)


class Offsets(Enum):
    """What the places of a life's records tell about their order."""

    ONE = "one partition"
    APART = "each its own partition"
    NOWHERE = "no offsets"

    def of(self, plan: Sequence[Change]) -> list[Change]:
        """The records there. Without offsets, copies that look alike are one record, delivered
        again."""
        if self is Offsets.ONE:
            return list(plan)
        if self is Offsets.APART:
            return [change._replace(partition=at) for at, change in enumerate(plan)]
        return list(dict.fromkeys(change._replace(partition=-1, offset=-1) for change in plan))


class Bounds(NamedTuple):
    """`history`: changes, transactions, commits elsewhere, watermarks; `records`: how many a life
    may emit.

    `lost`: offsets may be lost, `forgets`: a restart may not know the last commit, `resumes`: it
    may tell nothing again, `reaping`: a tombstone may be forgotten at any moment. `offsets`: all
    records lie in ONE partition, each in one of its own (APART), or NOWHERE: they have none at all.
    `own_commits`: the meaning of seq0 may have changed at any moment, either way; lives without
    reads only.
    """

    history: tuple[int, int, int, int]
    records: int
    lost: bool = False
    forgets: bool = False
    offsets: Offsets = Offsets.ONE
    reaping: bool = False
    own_commits: bool = False
    resumes: bool = False


class Scope(NamedTuple):
    """A part and the whole. `decides`: the row is never left wrong, be it loudly; `settles`: nor is
    anything left in the quarantine."""

    part: Bounds
    full: Bounds
    decides: bool = True
    settles: bool = False


SCOPES = {
    "A": Scope(Bounds((3, 2, 0, 1), 4), Bounds((3, 2, 0, 1), 6), settles=True),
    "B": Scope(Bounds((3, 2, 0, 0), 5, lost=True), Bounds((3, 2, 0, 0), 6, lost=True)),
    "C": Scope(
        Bounds((2, 2, 0, 1), 4, offsets=Offsets.APART),
        Bounds((3, 2, 0, 1), 5, offsets=Offsets.APART),
        decides=False,
    ),
    "D": Scope(
        Bounds((3, 2, 1, 0), 5, forgets=True), Bounds((3, 2, 1, 0), 6, forgets=True), settles=True
    ),
    "E": Scope(Bounds((3, 3, 0, 0), 4, lost=True), Bounds((4, 3, 0, 0), 6, lost=True)),
    "F": Scope(
        Bounds((3, 2, 0, 0), 4, reaping=True), Bounds((3, 2, 0, 1), 5, reaping=True), decides=False
    ),
    "G": Scope(
        Bounds((4, 2, 0, 0), 4, lost=True, reaping=True),
        Bounds((4, 2, 0, 0), 5, lost=True, reaping=True),
        decides=False,
    ),
    "H": Scope(
        Bounds((3, 2, 1, 0), 4, forgets=True, reaping=True),
        Bounds((3, 2, 1, 0), 5, forgets=True, reaping=True),
        decides=False,
    ),
    "I": Scope(
        Bounds((3, 2, 1, 0), 4, forgets=True, resumes=True, offsets=Offsets.NOWHERE),
        Bounds((3, 2, 1, 1), 5, forgets=True, resumes=True, offsets=Offsets.NOWHERE),
        decides=False,
    ),
    "J": Scope(
        Bounds((3, 2, 1, 0), 3, forgets=True, own_commits=True),
        Bounds((3, 2, 1, 0), 6, forgets=True, own_commits=True),
        settles=True,
    ),
    "K": Scope(
        Bounds(
            (3, 2, 1, 0), 3, forgets=True, resumes=True, offsets=Offsets.NOWHERE, own_commits=True
        ),
        Bounds(
            (3, 2, 1, 0), 6, forgets=True, resumes=True, offsets=Offsets.NOWHERE, own_commits=True
        ),
        decides=False,
    ),
}


def all_lives(bounds: Bounds) -> Iterator[Life]:
    for log in histories(*bounds.history):
        for plan in lives(
            log,
            lost=bounds.lost,
            forgets=bounds.forgets,
            limit=bounds.records,
            resumes=bounds.resumes,
        ):
            for told in meanings(log, plan) if bounds.own_commits else [plan]:
                yield life_of(log, bounds.offsets.of(told), bounds.reaping)


def meanings(log: Log, plan: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """The life with seq0 as the change's own commit: in what comes before, or after, any moment.
    None of a life with a read: R5 is not searched under that meaning."""
    if any(change.op in READS for change in plan):
        return
    before, after = tuple(plan), tuple(telling_own_commits(log, plan))
    moments = range(len(plan) + 1)
    yield from dict.fromkeys(
        [before[:at] + after[at:] for at in moments] + [after[:at] + before[at:] for at in moments]
    )


def life_of(log: Log, plan: Sequence[Change], reaping: bool = False) -> Life:
    """What is emitted in one column, and the source's row in the end."""
    emitted = [
        (change, event_of(change, None if change.value is None else {"x": change.value}))
        for change in plan
    ]
    value = final_state(log)
    return Life(
        emitted, None if value is None else {"x": value}, reaping=reaping, rank=partial(rank, log)
    )


class Copies(NamedTuple):
    """Which copies of each change there are. `forgets`: also one whose seq0 is lost, and no offsets
    compare. `restarts`: also a second run's, which tells again from any commit on and does not know
    the last one; `offsets` lie in one partition, or nowhere. `seen`: commits elsewhere raise seq0.
    `own_commits`: of each run, is its seq0 the change's own commit?"""

    forgets: bool = False
    restarts: bool = False
    offsets: Offsets = Offsets.ONE
    seen: bool = True
    own_commits: tuple[bool, bool] = (False, False)

    def of(self, log: Log) -> Iterator[list[list[LogPosition]]]:
        """Of every change, in commit order, the positions of its copies."""
        first = streamed(log, empty_seen=self.seen)
        if self.forgets:
            apart = Offsets.APART.of(_numbered(first))
            yield [_positions(dict.fromkeys([c, c._replace(seq0=None)])) for c in apart]
            return
        if not self.restarts:
            yield [_positions([change]) for change in _numbered(first)]
            return
        for again in (0, *(end for end, _, _ in transactions(log))):
            yield self._two_runs(log, first, streamed(log, after=again, empty_seen=self.seen))

    def _two_runs(
        self, log: Log, first: list[Change], second: list[Change]
    ) -> list[list[LogPosition]]:
        told = [
            telling_own_commits(log, run) if own else run
            for run, own in zip((first, second), self.own_commits, strict=True)
        ]
        emitted = self.offsets.of(_numbered(told[0] + told[1]))
        found = [_positions(copy for copy in emitted if copy.lsn == change.lsn) for change in first]
        return [_met(positions) for positions in found]


def copies(bounds: tuple[int, int, int], which: Copies) -> Iterator[list[list[LogPosition]]]:
    """Of every history, each change's positions, in commit order."""
    for log in histories(*bounds):
        yield from which.of(log)


def _met(positions: list[LogPosition]) -> list[LogPosition]:
    """The copies of one change, and what a memory makes of one that meets another."""
    met = [one.joined(other, True) for one, other in itertools.permutations(positions, 2)]
    return list(dict.fromkeys(positions + met))


def _numbered(changes: Sequence[Change]) -> list[Change]:
    return [change._replace(offset=at) for at, change in enumerate(changes)]


def _positions(changes: Iterable[Change]) -> list[LogPosition]:
    positions = [event_of(change, None).position for change in changes]
    return [position for position in positions if isinstance(position, LogPosition)]
