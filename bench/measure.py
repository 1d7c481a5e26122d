"""Medians of at least five runs, in the processor's time and by the clock; what is compared takes
turns, so that a drifting machine hurts all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

RUNS = 5
COLUMNS = "{:<40} {:>14} {:>12}   {:<24} {}"
HEADER = COLUMNS.format("", "a CPU second", "a second", "of CPU, seen", "wrong/resurrected/missing")


class Spent(NamedTuple):
    """Seconds: of this process's processor time, and by the clock."""

    cpu: float
    wall: float


class Done(NamedTuple):
    """What one run did: events, the time that counts, and what became of the rows."""

    events: int
    spent: Spent
    rows: str = ""


class Rate(NamedTuple):
    """Events a second: of processor time (its median and range) and by the clock. `rows`: wrong /
    resurrected / missing, of the last run."""

    name: str
    cpu: float
    wall: float
    low: float
    high: float
    rows: str = ""

    def __str__(self) -> str:
        seen = f"[{self.low:,.0f} .. {self.high:,.0f}]"
        cpu, wall = f"{self.cpu:,.0f}/s", f"{self.wall:,.0f}/s"
        return COLUMNS.format(self.name, cpu, wall, seen, self.rows).rstrip()


Work = Callable[[], int | Done]
"""Returns how many events it did; or `Done`, where not all that it does counts."""


class Stopwatch:
    """Adds up the time that is spent inside it."""

    def __init__(self) -> None:
        self.spent = Spent(0.0, 0.0)

    def __enter__(self) -> Stopwatch:
        self._began = _now()
        return self

    def __exit__(self, *_: object) -> None:
        cpu, wall = _now()
        self.spent = Spent(
            self.spent.cpu + cpu - self._began.cpu, self.spent.wall + wall - self._began.wall
        )


def _now() -> Spent:
    return Spent(time.process_time(), time.perf_counter())


def rates(
    work: Mapping[str, Work], runs: int = RUNS, before: Callable[[], object] = lambda: None
) -> list[Rate]:
    """The rate of each piece of work, in turns. One round is not counted, nor what goes `before`
    each piece."""
    seen: dict[str, list[Done]] = {name: [] for name in work}
    for round_ in range(runs + 1):
        for name, act in work.items():
            before()
            watch = Stopwatch()
            with watch:
                done = act()
            if round_:
                seen[name].append(done if isinstance(done, Done) else Done(done, watch.spent))
    return [rate_of(name, runs) for name, runs in seen.items()]


def rate_of(name: str, runs: Sequence[Done]) -> Rate:
    """The medians of some runs."""
    cpu = [done.events / done.spent.cpu for done in runs]
    wall = [done.events / done.spent.wall for done in runs]
    median = statistics.median
    return Rate(name, median(cpu), median(wall), min(cpu), max(cpu), runs[-1].rows)


def ratio(what: str, one: Rate, other: Rate) -> str:
    """One rate as a share of the other's: of processor time first."""
    return f"{what}: {one.cpu / other.cpu:.2f} in CPU, {one.wall / other.wall:.2f} by the clock"
