"""The foreign keys of a database as it declares them, and what its tables' columns are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from anyorder.stores.sqlite.names import folded
from anyorder.stores.sqlite.values import means_number
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
HINDERING = frozenset({"NO ACTION", "RESTRICT"})


class ForeignKey(NamedTuple):
    """Columns of a child that must name a row of the parent. `on_update`, `on_delete`: what becomes
    of the child where the parent's columns change or go. `is_guarded`: events tell the child's
    rows."""

    child: str
    parent: str
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    on_update: str
    on_delete: str
    is_guarded: bool

    def action(self, *, goes: bool) -> str:
        """What becomes of the child: the parent `goes`, or it changes."""
        return self.on_delete if goes else self.on_update

    def moves(self, *, goes: bool) -> bool:
        """Would the database change, or take, a row of which only events may tell that?"""
        return self.is_guarded and self.action(goes=goes) not in HINDERING

    def renames(self, *, goes: bool) -> bool:
        """Would it go on naming the same parent by its new name?"""
        return not goes and self.on_update == "CASCADE"

    def hinders(self, *, goes: bool) -> bool:
        """Does a child keep its parent as it is?"""
        return self.action(goes=goes) in HINDERING or self.moves(goes=goes)


class Shape(NamedTuple):
    """A table's columns: which may be null, which hold numbers or bytes, and which are its key."""

    nullable: frozenset[str]
    numeric: frozenset[str]
    binary: frozenset[str]
    key: tuple[str, ...]


class References:
    """As one transaction sees them. Names are in lower case, as SQLite compares them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._parents: dict[str, list[ForeignKey]] = {}
        self._children: dict[str, list[ForeignKey]] = {}
        self._shapes: dict[str, Shape] = {}

    def shape(self, table: str) -> Shape:
        """What the table's columns are."""
        if table not in self._shapes:
            rows = self._database.execute(SQL["shape_of"], {"name": table}).fetchall()
            key = sorted((place, folded(name)) for name, _, _, place in rows if place)
            self._shapes[table] = Shape(
                nullable=frozenset(folded(name) for name, _, needed, _ in rows if not needed),
                numeric=frozenset(folded(name) for name, kind, _, _ in rows if means_number(kind)),
                binary=frozenset(folded(name) for name, kind, _, _ in rows if _is_binary(kind)),
                key=tuple(name for _, name in key),
            )
        return self._shapes[table]

    def of_child(self, table: str) -> list[ForeignKey]:
        """Those that a table has."""
        if table not in self._parents:
            parts: dict[int, list[tuple[str, str, str | None, str, str]]] = {}
            for number, *part in self._database.execute(SQL["foreign_keys"], {"name": table}):
                parts.setdefault(number, []).append(tuple(part))
            found = [self._foreign_key(table, part) for part in parts.values()]
            # One that does not fit its parent is refused whatever the row holds.
            fitting = [one for one in found if len(one.referenced) == len(one.columns)]
            self._parents[table] = fitting
        return self._parents[table]

    def _foreign_key(
        self,
        table: str,
        parts: Sequence[tuple[str, str, str | None, str, str]],
    ) -> ForeignKey:
        parent, _, to, on_update, on_delete = parts[0]
        referenced = tuple(folded(str(part[2])) for part in parts)
        # It may name no columns: then the parent's primary key is meant.
        if to is None:
            referenced = self.shape(folded(parent)).key
        columns = tuple(folded(part[1]) for part in parts)
        return ForeignKey(
            child=table,
            parent=folded(parent),
            columns=columns,
            referenced=referenced,
            on_update=on_update,
            on_delete=on_delete,
            is_guarded=self._is_guarded(table),
        )

    def of_parent(self, table: str) -> list[ForeignKey]:
        """Those that name a table."""
        if table not in self._children:
            found: list[ForeignKey] = []
            for (child,) in self._database.execute(SQL["referring"], {"name": table}).fetchall():
                own = self.of_child(folded(child))
                found += [constraint for constraint in own if constraint.parent == table]
            self._children[table] = found
        return self._children[table]

    def _is_guarded(self, table: str) -> bool:
        found = self._database.execute(SQL["recorded_key"], {"name": table}).fetchone()
        return found is not None


def _is_binary(declared: str) -> bool:
    """Does a column of this declared type hold bytes?"""
    return "BLOB" in declared.upper()
