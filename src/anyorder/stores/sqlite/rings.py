"""Rows that hold each other's unique values: two that swap them, or a ring of any length. The end
state obeys the constraint, and no order of single writes comes there; so all let go first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from anyorder.guard.contract import Write
from anyorder.stores.sqlite.circles import circles
from anyorder.stores.sqlite.constraints import Blocker, Constraints, folded_row, place_of
from anyorder.stores.sqlite.evaluation import write_rows
from anyorder.stores.sqlite.values import RowRefused
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
FREE_NUMBER = -(1 << 60)  # numbers from here on stand where null may not, for a moment
Key = tuple[str, ...]


class Rings:
    """The rings among the writes of one table that a unique index refused."""

    def __init__(self, database: sqlite3.Connection, table: str) -> None:
        self._database = database
        self._table = table
        self._constraints = Constraints(database, with_partial=True)
        self._blockers: dict[Key, list[Blocker]] = {}

    def of(self, writes: Sequence[Write]) -> Iterator[list[Write]]:
        """Each ring, and each write that nothing holds up any more; first what others wait for. Who
        only waits for a ring is none of it, so a hopeless one keeps nobody out."""
        by_key = {_key(folded_row(write.key)): write for write in writes}
        self._blockers = {key: self._holders(write) for key, write in by_key.items()}
        awaited = {key: self._holding(key) for key in by_key}
        open_keys = set(by_key)
        for keys in circles(awaited):
            beyond = {other for key in keys for other in awaited[key]}
            # What waits for a row that no write moves is in no ring, and so on.
            if beyond <= open_keys:
                yield [by_key[key] for key in keys]
            else:
                open_keys.difference_update(keys)

    def release(self, ring: Sequence[Write]) -> None:
        """Take the unique values that others wait for out of the rows of a ring. Raises
        sqlite3.IntegrityError where one may not go."""
        by_key = {_key(folded_row(write.key)): write for write in ring}
        number = 0
        for key in by_key:
            for blocker in self._blockers[key]:
                holder = by_key.get(_key(blocker.known_by))
                number += 1
                # Another one that was waited for has had its turn.
                if holder is not None:
                    self._let_go(holder, blocker, number)

    def _holders(self, write: Write) -> list[Blocker]:
        own = folded_row(write.key)
        there = self._constraints.find(self._table, own) or {}
        row = {**there, **folded_row(write.values), **own}
        return self._constraints.holders(self._table, own, row)

    def _holding(self, key: Key) -> set[Key]:
        """The rows whose values a write waits for."""
        return {_key(blocker.known_by) for blocker in self._blockers[key]}

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
        values = self._free_values(column, number)
        # Null first; a CHECK may refuse it even where the column does not. It ends with the values.
        for place, value in enumerate(values, 1):
            try:
                columns = [[each] for each in (value, *own.values())]
                write_rows(self._database, self._table, statement, columns)
                return
            except (sqlite3.IntegrityError, RowRefused):
                # A trigger may have rolled everything back: then nothing more may be written.
                is_last = place == len(values)
                if is_last or not self._database.in_transaction:
                    raise

    def _free_values(self, column: str, number: int) -> list[object]:
        """What may stand in a column for a moment without being in anybody's way."""
        shape = self._constraints.shape(self._table)
        own: object = f"anyorder {FREE_NUMBER - number}"
        if column in shape.numeric:
            own = FREE_NUMBER - number
        return [None, own] if column in shape.nullable else [own]

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
