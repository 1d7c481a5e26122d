"""Lives of a connector in one column: the scopes of the rules, A to H, and pairs of changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from anyorder._core.families import LogPosition
from tests.model.life import Life
from tests.model.source import Change, Log, event_of, final_state, histories, lives, rank, streamed


class Bounds(NamedTuple):
    """`history`: changes, transactions, commits elsewhere, watermarks; `records`: how many a life
    may emit.

    `lost`: offsets may be lost, `forgets`: a restart may not know the last commit, `offsets`: False
    where no two records share a partition, `reaping`: a tombstone may be forgotten at any moment.
    """

    history: tuple[int, int, int, int]
    records: int
    lost: bool = False
    forgets: bool = False
    offsets: bool = True
    reaping: bool = False


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
        Bounds((2, 2, 0, 1), 4, offsets=False),
        Bounds((3, 2, 0, 1), 5, offsets=False),
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
}


def all_lives(bounds: Bounds) -> Iterator[Life]:
    for log in histories(*bounds.history):
        for plan in lives(log, lost=bounds.lost, forgets=bounds.forgets, limit=bounds.records):
            yield life_of(
                log,
                plan
                if bounds.offsets
                else [change._replace(partition=at) for at, change in enumerate(plan)],
                bounds.reaping,
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


def copies(bounds: tuple[int, int, int], *, forgets: bool) -> Iterator[list[list[LogPosition]]]:
    """Of every history, in commit order, each change's position in one run. `forgets`: also the
    copy whose seq0 is lost, and no offsets compare."""
    for log in histories(*bounds):
        emitted = [
            event_of(change._replace(offset=at, partition=at * forgets), None).position
            for at, change in enumerate(streamed(log))
        ]
        known = [position for position in emitted if isinstance(position, LogPosition)]
        yield [
            [p, msgspec.structs.replace(p, seq0=None)] if forgets and p.seq0 is not None else [p]
            for p in known
        ]
