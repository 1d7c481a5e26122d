"""Why SQLite refuses a row for now: its error names nothing, or only the column. So the other rows
that stand in the way are found by the table's own foreign keys and unique indexes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import msgspec

from anyorder.stores.sqlite.names import folded
from anyorder.stores.sqlite.references import ForeignKey, References, Shape
from anyorder.stores.sqlite.values import adapted
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE | re.ASCII)
"""A text that SQLite may take for a number."""
MOST_SHOWN = 60  # characters of a value in a sentence
MOST_CHILDREN = 100  # of one row that are waited for at once; the others follow
Row = Mapping[str, object]
NOBODY: Row = {}


def folded_row(row: Row) -> dict[str, object]:
    """A row with such names, and the values as SQLite gets them."""
    return {folded(name): adapted(value) for name, value in row.items()}


class Blocker(NamedTuple):
    """A row that must come, or go (`absent`), before the store takes another one.

    `condition`: what stands in it. `known_by`: the columns by which a write of its table is told to
    be of this row: its key where it must go, else those of the condition. `why`: what it is to the
    row that waits, for a person.
    """

    table: str
    absent: bool
    condition: dict[str, object]
    known_by: dict[str, object]
    why: str


class Constraints:
    """The constraints between rows of a database, as one transaction sees them. Names are in lower
    case, as SQLite compares them.

    `with_partial`: indexes on a part of a table count as if they were on all of it. What waits for
    such a row might wait for ever; who only lets go of a value loses nothing.
    """

    def __init__(self, database: sqlite3.Connection, *, with_partial: bool = False) -> None:
        self._database = database
        self._with_partial = with_partial
        self._references = References(database)
        self._uniques: dict[str, list[tuple[str, ...]]] = {}

    def blockers(
        self,
        table: str,
        key: Mapping[str, object],
        after: Mapping[str, object] | None,
    ) -> list[Blocker]:
        """The rows that stand in the way of a row as it would be (`after`), or of its end (None).
        Nothing, where that is not a question of foreign keys and plain unique indexes."""
        name, own = folded(table), folded_row(key)
        there = self.find(name, own)
        if after is None:
            return list(islice(self._referring(name, there, {}), MOST_CHILDREN))
        row = {**(there or {}), **folded_row(after), **own}
        found = self.obstacles(name, own, row)
        # Who names what a holder of it may take in exchange is in nobody's way, unless the database
        # would change him for good. If nobody takes it, the next refusal tells.
        is_held = any(blocker.absent for blocker in found)
        children = self._referring(name, there, row, moved=is_held, renamed=not is_held)
        return [*found, *islice(children, MOST_CHILDREN)]

    def followers(
        self,
        table: str,
        key: Row,
        after: Row | None,
    ) -> Iterator[Blocker]:
        """The rows that the database would change, or take, together with this one, though no event
        tells that of them (ON DELETE CASCADE and its like)."""
        name, own = folded(table), folded_row(key)
        there = self.find(name, own)
        row = {} if after is None else {**(there or {}), **folded_row(after), **own}
        return self._referring(name, there, row, moved=True)

    def renamed(self, table: str, own: Row, row: Row) -> Iterator[tuple[str, Row, Row]]:
        """The rows that would follow this one to its new name: their table, their key, and what
        they name it by."""
        there = self.find(table, own)
        for constraint in self._references.of_parent(table):
            if there is None or not constraint.is_guarded or not constraint.renames(goes=not row):
                continue
            named = [there.get(column) for column in constraint.referenced]
            for child in self._children(constraint, there, named):
                told = {column: child.condition[column] for column in constraint.columns}
                yield constraint.child, child.known_by, told

    def obstacles(self, table: str, own: Row, row: Row) -> list[Blocker]:
        """What stands in the way of a row by what it holds itself: parents that are not there, and
        rows that hold its unique values."""
        return [*self._missing(table, row, own), *self.holders(table, own, row)]

    def is_tied(self, table: str) -> bool:
        """Does any foreign key name this table, or has it one?"""
        return bool(
            self._references.of_child(folded(table)) or self._references.of_parent(folded(table))
        )

    def is_named_by_any(self, table: str) -> bool:
        """Does any foreign key name this table, its own among them?"""
        return bool(self._references.of_parent(folded(table)))

    def is_named(self, table: str, columns: Collection[str]) -> bool:
        """Do children name its rows by these columns?"""
        keys = self._references.of_parent(folded(table))
        return any(set(constraint.referenced) == set(columns) for constraint in keys)

    def is_followed(self, table: str, column: str) -> bool:
        """Does a change of this column change the children that name it?"""
        return any(
            column in constraint.referenced and constraint.on_update == "CASCADE"
            for constraint in self._references.of_parent(folded(table))
        )

    def is_missed(self, table: str, before: Row) -> bool:
        """Do children still name a row as it was before, though no row is that by now?"""
        for constraint in self._references.of_parent(table):
            named = {column: before.get(column) for column in constraint.referenced}
            condition = dict(zip(constraint.columns, named.values(), strict=True))
            # A reference that is null in part is none.
            if None in named.values() or self.find(table, named) is not None:
                continue
            if self.find(constraint.child, condition) is not None:
                return True
        return False

    def has_parents(self, table: str) -> bool:
        """Has the table any foreign key?"""
        return bool(self._references.of_child(folded(table)))

    def parent_to_come(self, table: str) -> str:
        """A table that a foreign key names and that is not made yet, "" if all are there."""
        found = self._database.execute(SQL["foreign_keys"], {"name": table}).fetchall()
        for _, parent, *_ in found:
            there = self._database.execute(SQL["table_exists"], {"name": parent}).fetchone()
            if there is None:
                return str(parent)
        return ""

    def is_orphan(self, table: str, key: Row) -> bool:
        """Does the row, as it stands, name a parent that is not there?"""
        row = self.find(folded(table), folded_row(key))
        return row is not None and bool(self._missing(folded(table), row))

    def holders(self, table: str, own: Row, row: Row) -> list[Blocker]:
        """The rows that hold unique values of this one."""
        found: list[Blocker] = []
        for columns in self.uniques(table):
            condition = {column: row.get(column) for column in columns}
            # Null equals nothing, not even in a unique index; and the key is the row's own.
            if None in condition.values() or set(columns) == set(own):
                continue
            holder = self.find(table, condition)
            if holder is not None and not _is(holder, own):
                known_by = self._key_of(table, holder)
                why = (
                    f"its {_listed(condition)} must be unique, "
                    f"and the row of {table} with {_listed(known_by)} holds it"
                )
                found.append(Blocker(table, True, condition, known_by, why))
        return found

    def _missing(self, table: str, row: Row, own: Row = NOBODY) -> list[Blocker]:
        """The parents that are not there when the row is so. `own`: its key, if it is not yet."""
        found: list[Blocker] = []
        for constraint in self._references.of_child(table):
            values = [row.get(column) for column in constraint.columns]
            condition = dict(zip(constraint.referenced, values, strict=True))
            # A reference that is null in part is none; and a row may be its own parent.
            is_own = constraint.parent == table and _is(row, condition)
            if None in values or is_own:
                continue
            parent = self.find(constraint.parent, condition)
            # It named itself until now.
            is_leaving = constraint.parent == table and own != NOBODY and _is(parent or {}, own)
            if parent is None or is_leaving:
                why = (
                    f"its {', '.join(constraint.columns)} names the row of {constraint.parent} "
                    f"with {_listed(condition)}, which is not there"
                )
                found.append(Blocker(constraint.parent, False, condition, condition, why))
        return found

    def _referring(
        self,
        table: str,
        there: Row | None,
        row: Row,
        *,
        moved: bool = False,
        renamed: bool = True,
    ) -> Iterator[Blocker]:
        """The children of a row that goes, or whose columns they name change (`row`). `moved`: only
        those that the database would change or take itself; `renamed`: also those that it would
        only rename."""
        # Nobody refers to a row that is not there.
        if there is None:
            return
        goes = not row
        for constraint in self._references.of_parent(table):
            named = {column: there.get(column) for column in constraint.referenced}
            is_kept = not goes and _is(row, named)
            is_asked = constraint.moves(goes=goes) if moved else constraint.hinders(goes=goes)
            if constraint.renames(goes=goes) and not renamed:
                is_asked = False
            if is_asked and not is_kept and None not in named.values():
                yield from self._children(constraint, there, list(named.values()))

    def _children(
        self,
        constraint: ForeignKey,
        there: Row,
        named: list[object],
    ) -> Iterator[Blocker]:
        """The children that name a row by these values, that row itself apart."""
        condition = dict(zip(constraint.columns, named, strict=True))
        for child in self._rows(constraint.child, condition):
            # A row may be its own parent, and goes together with itself.
            if constraint.child == constraint.parent and _is(child, there):
                continue
            known_by = self._key_of(constraint.child, child)
            why = (
                f"the row of {constraint.child} with {_listed(known_by)} "
                f"still names it by its {_listed(condition)}"
            )
            yield Blocker(constraint.child, True, condition | known_by, known_by, why)

    def find(self, table: str, condition: Row) -> dict[str, object] | None:
        """A row in which these values stand, if there is one."""
        return next(self._rows(table, condition), None)

    def _rows(self, table: str, condition: Row) -> Iterator[dict[str, object]]:
        """The rows in which these values stand."""
        where = " AND ".join(f"{quoted(column)} = ?" for column in condition)
        statement = SQL["find_rows"].format(table=quoted(table), condition=where or "TRUE")
        try:
            found = self._database.execute(statement, list(condition.values()))
        except sqlite3.OperationalError:
            # A constraint may name a table, or a column, that does not exist.
            return
        names = [folded(column) for column, *_ in found.description]
        for row in found:
            yield dict(zip(names, row, strict=True))

    def uniques(self, table: str) -> list[tuple[str, ...]]:
        """The columns of each unique index; the key's own among them."""
        if table not in self._uniques:
            indexes: dict[str, list[str | None]] = {}
            found = self._database.execute(SQL["unique_columns"], {"name": table})
            for index, is_partial, column in found.fetchall():
                if self._with_partial or not is_partial:
                    indexes.setdefault(index, []).append(column)
            plain = [columns for columns in indexes.values() if None not in columns]
            named = [tuple(folded(str(column)) for column in columns) for columns in plain]
            # The number of a row is unique without an index.
            every = dict.fromkeys([self._references.shape(table).key, *named])
            self._uniques[table] = [columns for columns in every if columns]
        return self._uniques[table]

    def shape(self, table: str) -> Shape:
        """What the table's columns are."""
        return self._references.shape(table)

    def _key_of(self, table: str, row: Row) -> dict[str, object]:
        """By what a write of this row is known: the key that memories go by."""
        recorded = self._database.execute(SQL["recorded_key"], {"name": table}).fetchone()
        names = self._references.shape(table).key
        if recorded is not None:
            names = tuple(map(folded, msgspec.json.decode(recorded[0]))) or names
        return {name: row.get(name) for name in names}


def _listed(row: Row) -> str:
    """Columns and their values, for a person."""
    told = ((name, msgspec.json.encode(value).decode()) for name, value in row.items())
    return ", ".join(f"{name} = {value:.{MOST_SHOWN}}" for name, value in told)


def _is(row: Row, condition: Row) -> bool:
    """Do these values stand in the row?"""
    return all(place_of(row.get(name)) == place_of(value) for name, value in condition.items())


def place_of(value: object) -> str:
    """A value so that all which SQLite may take for one (affinity, collation) are one text here.
    Different values may be one text too: it is only where to look."""
    if isinstance(value, bytes):
        return value.hex()
    text = value if isinstance(value, str) else _spelled(value)
    # Beyond the range of a double SQLite calls it infinite, and so does this.
    if NUMBER.fullmatch(text):
        return repr(float(text))
    return text.rstrip(" ").lower()


def _spelled(value: object) -> str:
    # A truth value is 1 or 0 in SQLite.
    return str(int(value)) if isinstance(value, bool) else str(value)
