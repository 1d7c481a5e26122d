"""Medians of at least five runs; the two sides of a ratio take turns, so that a drifting machine hurts both."""

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


def rates(work: dict[str, Callable[[], int]], runs: int = RUNS, before: Callable[[], object] = lambda: None) -> list[Rate]:
    """The rate of each piece of work; a piece returns how many events it did. One round is not counted, nor what goes `before` each piece."""
    seen: dict[str, list[float]] = {name: [] for name in work}
    for round_ in range(runs + 1):
        for name, act in work.items():
            before()
            began = time.perf_counter()
            events = act()
            if round_:
                seen[name].append(events / (time.perf_counter() - began))
    return [Rate(name, statistics.median(values), min(values), max(values)) for name, values in seen.items()]
