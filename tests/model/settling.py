"""R6, R11, R13: lives with hints, lives in which the row is read again at the source, and histories
that start again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from anyorder._core.reset import Growth, observe
from tests.model.connector import life_of
from tests.model.life import Life
from tests.model.source import event_of, histories, lives, read_again, streamed, with_hints

Bounds = tuple[int, int, int, int]


def lives_with_hints(
    bounds: Bounds, limit: int, *, lose_a_delete: bool = False, reaping: bool = False
) -> Iterator[Life]:
    for log in histories(*bounds):
        for plan in lives(log, lost=False, forgets=False, limit=5):
            if any(change.op == "d" for change in plan):
                emitted = with_hints(plan, lose_a_delete=lose_a_delete)
                if len(emitted) <= limit:
                    yield life_of(log, emitted, reaping)


def lives_with_a_read(
    bounds: Bounds, limit: int, lock: str, *, reaping: bool = False
) -> Iterator[Life]:
    for log in histories(*bounds):
        for plan in lives(log, lost=False, forgets=False, limit=limit):
            for read in read_again(log, lock):
                yield life_of(log, [*plan, read], reaping)


def alarms(bounds: tuple[int, int, int], margin: int) -> tuple[int, int]:
    """Healthy streams whose changes come in any order: ordered pairs, and those after which the
    second is suspected (R13)."""
    pairs = suspected = 0
    for log in histories(*bounds):
        emitted = [
            (event_of(change, {"x": 1}).position, change.time or 0) for change in streamed(log)
        ]
        judged = [(position.growing(), time) for position, time in emitted if position is not None]
        for first, time in judged:
            for second, later in judged:
                pairs += 1
                if first and second:
                    growth = observe(Growth(), first.value, time, margin)
                    suspected += observe(growth, second.value, later, margin).suspected
    return pairs, suspected


def restarts(margin: int, first: int, length: int = 6) -> tuple[int, int]:
    """A history of positions and times 1 to `length` starts again at any position and at time
    `first`, its new changes in any order.

    The new ones that are later than every old one by more than twice the margin, and those of them
    silently called stale.
    """
    judged = silent = 0
    for restart in range(1, length + 1):
        for order in itertools.permutations([(restart + i, first + i) for i in range(length)]):
            growth = Growth()
            for old in range(1, length + 1):
                growth = observe(growth, old, old, margin)
            for position, time in order:
                growth = observe(growth, position, time, margin)
                late = time > length + 2 * margin and position < length
                judged, silent = judged + late, silent + (late and not growth.suspected)
    return judged, silent
