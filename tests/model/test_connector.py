"""R4 and R5: every small life of a connector, in every order and repetition of what it emitted, ends in the source's state."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from tests.model.life import Life, tally
from tests.model.source import Log, event_of, final_state, histories, lives, rank


class Scope(NamedTuple):
    """Bounds of the histories and of the lives in them."""

    history: tuple[int, int, int, int]  # changes, transactions, commits elsewhere, watermarks
    records: int
    lost: bool = False
    forgets: bool = False
    offsets: bool = True  # False: every record in a partition of its own
    reaping: bool = False


def all_lives(scope: Scope) -> Iterator[Life]:
    for log in histories(*scope.history):
        yield from lives_of(log, scope)


def lives_of(log: Log, scope: Scope) -> Iterator[Life]:
    value = final_state(log)
    truth = None if value is None else {"x": value}
    for plan in lives(log, lost=scope.lost, forgets=scope.forgets, limit=scope.records):
        changes = [change if scope.offsets else change._replace(partition=at) for at, change in enumerate(plan)]
        emitted = [(change, event_of(change, None if change.value is None else {"x": change.value})) for change in changes]
        yield Life(emitted, truth, reaping=scope.reaping, rank=partial(rank, log))
