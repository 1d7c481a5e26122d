"""How many requests may be under way at once: as many as the table takes."""

from __future__ import annotations

import threading

DECREASE, LEAST = 0.5, 1.0  # AIMD: halve when throttled, one more after each full round without


class Concurrency:
    """AIMD: how many requests may be under way. Additive increase, halved when the table is
    throttled."""

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._limit = float(most)
        self._running = 0
        self._free = threading.Condition()

    @property
    def limit(self) -> float:
        """Requests at once, now."""
        return self._limit

    def __enter__(self) -> None:
        with self._free:
            while self._running >= max(LEAST, int(self._limit)):
                self._free.wait()
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._free:
            self._running -= 1
            self._free.notify()

    def throttled(self) -> None:
        """The table refuses the pace."""
        with self._free:
            self._limit = max(LEAST, self._limit * DECREASE)

    def succeeded(self) -> None:
        """A request went through at once."""
        with self._free:
            self._limit = min(self._most, self._limit + 1 / self._limit)
            self._free.notify()
