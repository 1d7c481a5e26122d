"""R4 and R5: every small life of a connector, in every order and repetition of what it emitted, ends in the source's state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from tests.model.life import Life, tally
from tests.model.source import Change, Log, event_of, final_state, histories, lives, rank


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
        for plan in lives(log, lost=scope.lost, forgets=scope.forgets, limit=scope.records):
            yield life_of(log, plan if scope.offsets else [change._replace(partition=at) for at, change in enumerate(plan)], scope.reaping)


def life_of(log: Log, plan: Sequence[Change], reaping: bool = False) -> Life:
    """What is emitted in one column, and the source's row in the end."""
    emitted = [(change, event_of(change, None if change.value is None else {"x": change.value})) for change in plan]
    value = final_state(log)
    return Life(emitted, None if value is None else {"x": value}, reaping=reaping, rank=partial(rank, log))
