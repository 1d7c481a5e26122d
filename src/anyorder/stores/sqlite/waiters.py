"""Which held deliveries wait for each other: a key, the keys whose rows it waits for, and so on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
LONGEST_RING = 1000  # keys that are looked at for one that waits for itself
Place = tuple[str, str]
"""A row: its table in lower case, and its key as a place."""


class Waiter(NamedTuple):
    """What a held delivery waits for, as far as it is another row's key."""

    entry: int
    table: str
    entity: str
    places: list[Place]


class Waiters:
    """What is held of each row and refused for now, as one transaction sees it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def ring(
        self,
        start: Place,
        first: Sequence[Waiter] | None = None,
    ) -> dict[Place, list[Waiter]]:
        """The rows that a row waits for, each of which waits for others of them only; nothing if
        one of them waits for something else. `first`: what the row itself waits for."""
        found: dict[Place, list[Waiter]] = {start: list(first or self.of(start))}
        unseen = [start]
        # It ends: every place is looked at once, and not too many of them.
        while unseen and len(found) <= LONGEST_RING:
            for one in found[unseen.pop()]:
                for place in one.places:
                    if place not in found:
                        found[place] = self.of(place)
                        unseen.append(place)
        _prune(found)
        return _reached(found, start) if start in found else {}

    def of(self, place: Place) -> list[Waiter]:
        """What is held of a row and refused for now."""
        table, own = place
        asked = {"table": table, "own": own}
        found: dict[int, Waiter] = {}
        for entry, name, entity, _, awaited, columns, where in self._database.execute(
            SQL["waiting_of"], asked
        ):
            one = found.setdefault(entry, Waiter(entry, name, entity, []))
            # The columns are the key's wherever a row is found; else nobody is.
            one.places.append((awaited, where) if columns else (awaited, ""))
        return list(found.values())


def _prune(found: dict[Place, list[Waiter]]) -> None:
    """Strike what waits for something that is not held."""
    is_settled = False
    # It ends: each further round has struck something.
    while not is_settled:
        is_settled = True
        for place, waiters in tuple(found.items()):
            left = [one for one in waiters if all(other in found for other in one.places)]
            is_struck = not left or len(left) < len(waiters)
            is_settled = is_settled and not is_struck
            found[place] = left
            if not left:
                del found[place]


def _reached(found: dict[Place, list[Waiter]], start: Place) -> dict[Place, list[Waiter]]:
    """Those that a row waits for, directly or not, with itself."""
    reached = {start: found[start]}
    unseen = [start]
    while unseen:
        for one in found[unseen.pop()]:
            for place in one.places:
                if place not in reached:
                    reached[place] = found[place]
                    unseen.append(place)
    return reached
