"""Whether a batch reads before it writes: as long as many of its keys come to no write."""

from __future__ import annotations

# above this share of keys that come to no write, reading first is cheaper (a strong read costs a
# twentieth of a refused write)
STALE_SHARE = 0.05
STEADY = 1000  # keys over which the share is taken


class Staleness:
    """The share of keys that come to no write, over the last batches of a store. `read_first`: what
    its user said instead, None where the share decides."""

    def __init__(self, read_first: bool | None) -> None:
        self.read_first = read_first
        self._share = 1.0

    @property
    def skips_reading(self) -> bool:
        """May a batch be written without reading first?"""
        if self.read_first is not None:
            return not self.read_first
        return self._share < STALE_SHARE

    def observe(self, stale: int, keys: int) -> None:
        """How many keys of a batch came to no write."""
        if keys:
            weight = min(1.0, keys / STEADY)
            self._share += (stale / keys - self._share) * weight
