"""A race that can be run again: real threads, but one step at a time, in an order that the seed
decides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random


class Baton:
    """Whoever has it runs; whoever gives it away waits until it comes back. A runner that has
    finished is given it no more."""

    def __init__(self, random: Random, runners: int) -> None:
        self._random = random
        self._running = list(range(runners))
        self._turn = random.choice(self._running)
        self._moved = threading.Condition()

    def wait(self, runner: int) -> None:
        """Until it is this runner's turn."""
        with self._moved:
            self._moved.wait_for(lambda: self._turn == runner)

    def give(self, runner: int, *, finished: bool = False) -> None:
        """To somebody, perhaps to the same runner."""
        with self._moved:
            if finished:
                self._running.remove(runner)
            if self._running:
                self._turn = self._random.choice(self._running)
            self._moved.notify_all()

    def step(self, runner: int) -> None:
        """The end of one step and, when it is our turn again, the beginning of the next."""
        self.give(runner)
        self.wait(runner)


def race(random: Random, runners: Sequence[Callable[[Callable[[], None]], None]]) -> None:
    """Run each in its own thread. A runner calls what it is given wherever another may come in
    between."""
    baton = Baton(random, len(runners))

    def start(number: int) -> None:
        baton.wait(number)
        try:
            runners[number](lambda: baton.step(number))
        finally:
            baton.give(number, finished=True)

    together([partial(start, number) for number in range(len(runners))])


def together(runners: Sequence[Callable[[], None]]) -> None:
    """Run each in its own thread, as they come; raises what one of them raises."""
    with ThreadPoolExecutor(len(runners)) as pool:
        for result in [pool.submit(runner) for runner in runners]:
            result.result()
