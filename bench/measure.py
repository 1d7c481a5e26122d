"""Medians of at least five runs; the two sides of a ratio take turns, so that a drifting machine
hurts both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

RUNS = 5


class Rate(NamedTuple):
    """Events a second: the median, and the range that was seen."""

    name: str
    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.name:<44} {self.median:>12,.0f}/s   [{self.low:,.0f} .. {self.high:,.0f}]"


Work = Callable[[], int | tuple[int, float]]
"""Returns how many events it did; and in how many seconds, where not all that it does counts."""


def rates(
    work: dict[str, Work], runs: int = RUNS, before: Callable[[], object] = lambda: None
) -> list[Rate]:
    """The rate of each piece of work. One round is not counted, nor what goes `before` each
    piece."""
    seen: dict[str, list[float]] = {name: [] for name in work}
    for round_ in range(runs + 1):
        for name, act in work.items():
            before()
            began = time.perf_counter()
            done = act()
            events, seconds = (
                done if isinstance(done, tuple) else (done, time.perf_counter() - began)
            )
            if round_:
                seen[name].append(events / seconds)
    return [
        Rate(name, statistics.median(values), min(values), max(values))
        for name, values in seen.items()
    ]
