"""Offsets completed in any order -> the highest that is safe to commit. Everything below the
frontier is done."""

from __future__ import annotations

from heapq import heappop, heappush


class Frontier:
    """One partition's. `next` is the first offset that is not known to be done, counting only
    offsets that were started.

    Gaps are normal (compaction, transaction markers), so an offset counts only once `started` has
    named it; they are started in ascending order and done in any.
    """

    def __init__(self, next: int = 0) -> None:
        self._open: list[int] = []
        self._done: set[int] = set()
        self._highest = next - 1

    def started(self, offset: int) -> None:
        """A delivery was read. Raises ValueError if its offset is not above all that were started
        before."""
        if offset <= self._highest:
            raise ValueError(f"offset {offset} was started after {self._highest}")
        self._highest = offset
        heappush(self._open, offset)

    def done(self, offset: int) -> None:
        """A delivery is durable: applied, ignored or quarantined."""
        self._done.add(offset)
        while self._open and self._open[0] in self._done:
            self._done.remove(heappop(self._open))

    @property
    def next(self) -> int:
        """The offset to commit: where a successor starts to read."""
        return self._open[0] if self._open else self._highest + 1
