"""Rows that hold each other's unique values: two that swap them, or a ring of any length. The end
state obeys the constraint, and no order of single writes comes there; so all let go first. Or rows
of one table that name each other: so all are written before their foreign keys are looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from anyorder.guard.contract import Write
from anyorder.stores.sqlite.circles import circles
from anyorder.stores.sqlite.constraints import Blocker, Constraints, Row, folded_row, place_of
from anyorder.stores.sqlite.evaluation import write_rows
from anyorder.stores.sqlite.lines import place_by
from anyorder.stores.sqlite.names import folded
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
# Numbers from here down stand where null may not, for a moment; a float tells them apart.
FREE_NUMBER = -(1 << 52)
Key = tuple[str, ...]
NOBODY: Key = ()
NO_ROWS: frozenset[tuple[str, str]] = frozenset()


class Rings:
    """The rings among the writes of one table that a unique index, or a foreign key, refused.
    `spared`: rows that follow those of a ring for a moment, and are put back."""

    def __init__(self, database: sqlite3.Connection, table: str) -> None:
        self._database = database
        self._table = table
        self._constraints = Constraints(database, with_partial=True)
        self._blockers: dict[Key, list[Blocker]] = {}
        self._rows: dict[Key, dict[str, object]] = {}
        self._parents: dict[tuple[str, ...], dict[Key, Key]] = {}
        self.spared = NO_ROWS

    @property
    def is_tied(self) -> bool:
        """Do rows name those of the table: each other, or from another table?"""
        return self._constraints.is_named_by_any(self._table)

    def of(self, writes: Sequence[Write]) -> Iterator[list[Write]]:
        """Each ring, and each write that nothing holds up any more; first what others wait for. Who
        only waits for a ring is none of it, so a hopeless one keeps nobody out."""
        by_key = {_key(folded_row(write.key)): write for write in writes}
        self._blockers = {key: self._holders(write) for key, write in by_key.items()}
        awaited = {key: self._holding(key) for key in by_key}
        for giver, taker in list(self._handed_over()):
            if giver in awaited:
                awaited[giver].add(taker)
        open_keys = set(by_key)
        for keys in circles(awaited):
            beyond = {other for key in keys for other in awaited[key]}
            # What waits for a row that no write moves is in no ring, and so on.
            if beyond <= open_keys:
                yield [by_key[key] for key in keys]
            else:
                open_keys.difference_update(keys)

    def _handed_over(self) -> Iterator[tuple[Key, Key]]:
        """Who holds a value by which children name it, and who wants it: the first may let it go
        only when the second takes it, in exchange or not."""
        for key, blockers in self._blockers.items():
            for blocker in blockers:
                if blocker.absent and self._constraints.is_named(self._table, blocker.condition):
                    yield _key(blocker.known_by), key

    def release(self, ring: Sequence[Write]) -> None:
        """Take the unique values that others wait for out of the rows of a ring. Raises RowRefused,
        sqlite3.IntegrityError where one may not go."""
        (is_ignored,) = self._database.execute(SQL["ignores_checks"]).fetchone()
        # What stands in a row for a moment is no value: no CHECK of its table is about it.
        self._database.execute(SQL["ignore_checks"].format(value=1))
        try:
            self._release(ring)
        finally:
            self._database.execute(SQL["ignore_checks"].format(value=is_ignored))

    def _release(self, ring: Sequence[Write]) -> None:
        by_key = {_key(folded_row(write.key)): write for write in ring}
        number = 0
        for key in by_key:
            for blocker in self._blockers[key]:
                holder = by_key.get(_key(blocker.known_by))
                number += 1
                # Another one that was waited for has had its turn; and a parent is to come.
                if holder is not None and blocker.absent:
                    self._let_go(holder, blocker, number)

    @contextmanager
    def together(self, ring: Sequence[Write]) -> Iterator[None]:
        """Within this, foreign keys are looked at when all rows of a ring are written. Raises
        sqlite3.IntegrityError where one is broken then."""
        # Most tables have none.
        if not self._constraints.is_tied(self._table):
            yield
            return
        table = folded(self._table)
        before = [self._constraints.find(table, folded_row(write.key)) for write in ring]
        renamed = list(self._renamed(ring))
        self.spared = frozenset((child, place_by(key)) for child, key, _ in renamed)
        (is_deferred,) = self._database.execute(SQL["defers_foreign_keys"]).fetchone()
        self._database.execute(SQL["defer_foreign_keys"].format(value=1))
        try:
            yield
            # Only their own events rename them.
            for child, key, told in renamed:
                self._put_back(child, key, told)
            self._require_parents(ring, before)
        finally:
            self.spared = NO_ROWS
            self._database.execute(SQL["defer_foreign_keys"].format(value=is_deferred))

    def _renamed(self, ring: Sequence[Write]) -> Iterator[tuple[str, Row, Row]]:
        """The rows that SQLite would rename with those of a ring."""
        for write in ring:
            own = folded_row(write.key)
            after = self._rows.get(_key(own), {})
            yield from self._constraints.renamed(folded(self._table), own, after)

    def _put_back(self, table: str, key: Row, told: Row) -> None:
        statement = SQL["update_row"].format(
            table=quoted(table),
            assignments=", ".join(f"{quoted(column)} = ?" for column in told),
            condition=" AND ".join(f"{quoted(column)} = ?" for column in key),
        )
        self._database.execute(statement, [*told.values(), *key.values()])

    def _require_parents(
        self,
        ring: Sequence[Write],
        before: Sequence[Mapping[str, object] | None],
    ) -> None:
        """What SQLite would only look at when it commits."""
        for write, there in zip(ring, before, strict=True):
            is_orphan = self._constraints.is_orphan(self._table, write.key)
            is_missed = there is not None and self._constraints.is_missed(
                folded(self._table), there
            )
            if is_orphan or is_missed:
                raise sqlite3.IntegrityError("FOREIGN KEY constraint failed")

    def _holders(self, write: Write) -> list[Blocker]:
        own = folded_row(write.key)
        there = self._constraints.find(self._table, own) or {}
        row = {**there, **folded_row(write.values), **own}
        self._rows[_key(own)] = row
        return self._constraints.obstacles(folded(self._table), own, row)

    def _holding(self, key: Key) -> set[Key]:
        """The rows whose values a write waits for, or which are to be its parents."""
        return {self._place(blocker) for blocker in self._blockers[key]}

    def _place(self, blocker: Blocker) -> Key:
        """The key of a row that stands in the way; of one that no write of this table makes,
        nobody's."""
        if blocker.absent:
            return _key(blocker.known_by)
        if blocker.table != folded(self._table):
            return NOBODY
        # A parent may be named by other columns than its key.
        names = tuple(sorted(blocker.condition))
        if names not in self._parents:
            self._parents[names] = {
                tuple(place_of(row.get(name)) for name in names): key
                for key, row in self._rows.items()
            }
        return self._parents[names].get(_key(blocker.condition), NOBODY)

    def _let_go(self, holder: Write, blocker: Blocker, number: int) -> None:
        column = self._free_column(holder, blocker)
        # It does not change this value, so it will not let it go: the ring is refused as it is.
        is_going = holder.after is None or not holder.after.live
        if column is None or is_going:
            return
        own = folded_row(holder.key)
        statement = SQL["update_row"].format(
            table=quoted(self._table),
            assignments=f"{quoted(column)} = ?",
            condition=" AND ".join(f"{quoted(name)} = ?" for name in own),
        )
        columns = [[each] for each in (self._free_value(column, number), *own.values())]
        write_rows(self._database, self._table, statement, columns)

    def _free_value(self, column: str, number: int) -> object:
        """What may stand in a column for a moment without being in anybody's way."""
        shape = self._constraints.shape(self._table)
        # Children would lose a row that they follow.
        is_followed = self._constraints.is_followed(self._table, column)
        if column in shape.nullable and not is_followed:
            return None
        if column in shape.numeric:
            return FREE_NUMBER - number
        text = f"anyorder {FREE_NUMBER - number}"
        return text.encode() if column in shape.binary else text

    def _free_column(self, holder: Write, blocker: Blocker) -> str | None:
        """A column of the unique value that the holder's write gives another value."""
        told = folded_row(holder.values)
        own = folded_row(holder.key)
        free = [name for name in blocker.condition if name in told and name not in own]
        nullable = self._constraints.shape(self._table).nullable
        free.sort(key=lambda name: name not in nullable)
        return free[0] if free else None


def _key(row: Mapping[str, object]) -> Key:
    """A row's key, whatever the order and the kind of its values."""
    return tuple(place_of(row[name]) for name in sorted(row))
