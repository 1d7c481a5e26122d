"""Keys of several tables that SQLite takes only together: rows that name each other across tables,
or a parent and the children that are to name it otherwise. All are written before their foreign
keys are looked at, children first, so that a parent which goes takes nobody along."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from anyorder._core.event import key_of
from anyorder.stores.sqlite.circles import circles
from anyorder.stores.sqlite.constraints import Constraints, folded_row
from anyorder.stores.sqlite.lines import place_by
from anyorder.stores.sqlite.names import folded
from anyorder.stores.sqlite.references import References
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
Key = tuple[str, str]
"""A table's name and an entity."""


class Crossing:
    """Of one transaction. `keys`: what is taken together. `places`: the same, as rows are found."""

    def __init__(self, database: sqlite3.Connection, keys: Sequence[Key]) -> None:
        self._database = database
        self._keys = keys
        self._constraints = Constraints(database)
        self._rows = [(name, folded_row(key_of(entity))) for name, entity in keys]
        self._before = [self._constraints.find(folded(name), own) for name, own in self._rows]
        self.places = frozenset((folded(name), place_by(own)) for name, own in self._rows)

    def children_first(self) -> list[Key]:
        """The keys, those of a child before those of its parents; where tables name each other, in
        any order."""
        references = References(self._database)
        tables = dict.fromkeys(folded(name) for name, _ in self._keys)
        awaited = {
            table: {one.child for one in references.of_parent(table) if one.child != table}
            for table in tables
        }
        order = [table for circle in circles(awaited) for table in circle]
        return sorted(self._keys, key=lambda key: order.index(folded(key[0])))

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within this, foreign keys are not looked at."""
        (is_deferred,) = self._database.execute(SQL["defers_foreign_keys"]).fetchone()
        self._database.execute(SQL["defer_foreign_keys"].format(value=1))
        try:
            yield
        finally:
            # What was rolled back has ended this, too.
            if self._database.in_transaction:
                self._database.execute(SQL["defer_foreign_keys"].format(value=is_deferred))

    def is_sound(self) -> bool:
        """Has each row its parents, and each child of one that was moved?"""
        for (name, own), there in zip(self._rows, self._before, strict=True):
            if self._constraints.is_orphan(name, own):
                return False
            if there is not None and self._constraints.is_missed(folded(name), there):
                return False
        return True
