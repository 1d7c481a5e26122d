"""The floor: what makes forgetting safe. Per table and clock scope, the highest position of any
tombstone ever forgotten.

It is raised before, or in the same step as, the delete of the very tombstone that was examined, and
is read in the same step as an insert on an empty slot (rules R2). Then any retention is safe, even
0, without a clock and without a bound on lateness.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Value = int | tuple[int, ...]


class Floor(msgspec.Struct, frozen=True):
    """`entries`: clock scope -> highest forgotten value. `partitions`: the declared partition count
    of a raw Kafka topic (rules R3)."""

    entries: dict[str, Value] = {}
    partitions: int | None = None

    def __bool__(self) -> bool:
        return bool(self.entries)

    def raised(self, more: Mapping[str, Value]) -> Floor:
        """The floor with each entry at least as high as in `more`."""
        # A floor that fell would let what it once refused fill a slot: it only rises (rules R2).
        entries = dict(self.entries)
        for scope, value in more.items():
            entries[scope] = max(value, entries.get(scope, value))
        return Floor(entries, self.partitions)


NOTHING_FORGOTTEN = Floor()
LOST = "lost"
EVERYTHING = Floor({LOST: 0})
"""A floor over everything (rules R2): no clock knows its entry, so nothing is above it, and nothing
can raise it."""
