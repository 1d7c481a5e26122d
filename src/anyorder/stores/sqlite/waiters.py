"""Which held deliveries wait for each other: a key, the keys whose rows it waits for, and so on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from anyorder.stores.sqlite.circles import circles, is_circle
from anyorder.stores.sqlite.lines import place_in
from anyorder.stores.sqlite.names import folded
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
LONGEST_RING = 1000  # keys that are looked at for one that waits for itself
Place = tuple[str, str]
"""A row: its table in lower case, and its key as a place."""
RowOf = Callable[[int, str], Mapping[str, object] | None]


class Waiter(NamedTuple):
    """What a held delivery waits for, as far as it is another row's key."""

    entry: int
    table: str
    entity: str
    places: list[Place]


class Waiters:
    """What is held of each row and refused for now, as one transaction sees it. `row_of`: a row as
    a held delivery of a table would leave it."""

    def __init__(self, database: sqlite3.Connection, row_of: RowOf) -> None:
        self._database = database
        self._row_of = row_of
        self._made: dict[tuple[str, str], dict[str, str]] = {}

    def rings(self, starts: Sequence[Place]) -> list[dict[Place, list[Waiter]]]:
        """The rows that wait for each other, among these and those that they wait for; each waits
        for such rows only."""
        # What is held has changed since.
        self._made.clear()
        found = self._found(starts, {})
        awaited = _awaited(found)
        rings = [places for places in circles(awaited) if is_circle(places, awaited)]
        return [{place: found[place] for place in places} for places in rings]

    def ring(self, start: Place, first: Sequence[Waiter]) -> dict[Place, list[Waiter]]:
        """The rows that a row waits for, each of which waits for others of them only; nothing if
        one of them waits for something else. `first`: what the row itself waits for."""
        self._made.clear()
        found = self._found([start], {start: list(first)})
        return _reached(found, start) if start in found else {}

    def _found(
        self,
        starts: Sequence[Place],
        known: Mapping[Place, list[Waiter]],
    ) -> dict[Place, list[Waiter]]:
        """What is held of rows and of those that they wait for, without what waits for a row of
        which nothing is held."""
        found: dict[Place, list[Waiter]] = {}
        unseen = list(starts)
        # It ends: every place is looked at once, and not too many of them.
        while unseen and len(found) <= LONGEST_RING * len(starts):
            place = unseen.pop()
            if place in found:
                continue
            found[place] = known.get(place) or self.of(place)
            self._hand_over(place, found[place])
            unseen += [other for one in found[place] for other in one.places]
        _prune(found)
        return found

    def _hand_over(self, place: Place, waiters: Sequence[Waiter]) -> None:
        """Who waits for children that name it, of which nothing is held, may go on together with
        the row that takes its value over, and so waits for that one instead."""
        for one in waiters:
            if all(self._is_held(other) for other in one.places):
                continue
            takers = self._takers(place)
            if takers:
                kept = [other for other in one.places if self._is_held(other)]
                one.places[:] = [*kept, *takers]

    def _is_held(self, place: Place) -> bool:
        table, own = place
        asked = {"table": table, "own": own}
        return self._database.execute(SQL["waiting_of"], asked).fetchone() is not None

    def _takers(self, place: Place) -> list[Place]:
        """The rows that wait for this one to go."""
        asked = {"awaited": place[0], "place": place[1]}
        found = self._database.execute(SQL["takers"], asked).fetchall()
        return [(folded(table), own) for table, own in found]

    def of(self, place: Place) -> list[Waiter]:
        """What is held of a row and refused for now."""
        table, own = place
        asked = {"table": table, "own": own}
        found: dict[int, Waiter] = {}
        for entry, name, entity, _, awaited, columns, where in self._database.execute(
            SQL["waiting_of"], asked
        ):
            one = found.setdefault(entry, Waiter(entry, name, entity, []))
            # Of what cannot be derived nobody knows whom it waits for.
            one.places.append(self._place(awaited, columns, where) if columns else (awaited, ""))
        return list(found.values())

    def _place(self, table: str, columns: str, where: str) -> Place:
        """The row that is awaited, by its key: a parent may be named by other columns, and be to
        come by what is held of it."""
        made = self._made.get((table, columns))
        if made is None:
            made = self._made[table, columns] = self._rows_by(table, msgspec.json.decode(columns))
        return table, made.get(where, where)

    def _rows_by(self, table: str, names: Sequence[str]) -> dict[str, str]:
        """The rows that what is held of a table would make, by these columns; nothing, where they
        are its key."""
        found: dict[str, str] = {}
        recorded = self._database.execute(SQL["recorded_key"], {"name": table}).fetchone()
        key = [] if recorded is None else msgspec.json.decode(recorded[0])
        # Nearly all are awaited by their key, and then nothing that is held need be read.
        if {folded(name) for name in key} == set(names):
            return found
        asked = {"table": table, "limit": LONGEST_RING}
        for entry, own in self._database.execute(SQL["waiting_in"], asked).fetchall():
            row = self._row_of(entry, table)
            place = None if row is None else place_in(row, names)
            if place is not None and place != own:
                found[place] = own
        return found


def _prune(found: dict[Place, list[Waiter]]) -> None:
    """Strike what waits for something that is not held."""
    waiting: dict[Place, list[Place]] = {}
    for place, waiters in found.items():
        for other in {other for one in waiters for other in one.places}:
            waiting.setdefault(other, []).append(place)
    doubtful = list(found)
    # It ends: a place is looked at again only after one that it waits for was struck.
    while doubtful:
        place = doubtful.pop()
        left = [one for one in found.get(place, ()) if all(other in found for other in one.places)]
        if left:
            found[place] = left
        elif found.pop(place, None) is not None:
            doubtful += waiting.get(place, ())


def _awaited(found: Mapping[Place, Sequence[Waiter]]) -> dict[Place, list[Place]]:
    """The rows that each row waits for."""
    return {
        place: list(dict.fromkeys(chain.from_iterable(one.places for one in waiters)))
        for place, waiters in found.items()
    }


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
