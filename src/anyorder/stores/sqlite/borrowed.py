"""A connection that belongs to the caller, as our statements use it.

Whatever he has set on it holds for his statements and not for ours: a row factory, a text factory,
an isolation level, Python 3.12's `autocommit`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
BEGIN = "BEGIN IMMEDIATE"
Parameters = Sequence[Any] | Mapping[str, Any]


class Answered(NamedTuple):
    """The answer to one statement of ours, read whole: the caller's own statements come next."""

    rows: Iterator[Any]
    description: Any
    rowcount: int

    def fetchone(self) -> Any:
        """The next row, or None."""
        return next(self.rows, None)

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        return list(self.rows)

    def __iter__(self) -> Iterator[Any]:
        return self.rows


class Borrowed:
    """The caller's connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        """Is a transaction open?"""
        return self._connection.in_transaction

    @property
    def total_changes(self) -> int:
        """Rows that were changed since the connection was opened."""
        return self._connection.total_changes

    def execute(self, statement: str, parameters: Parameters = ()) -> Answered:
        """One statement, with its rows as plain tuples."""
        with self._ours() as cursor:
            cursor.execute(statement, parameters)
            # Read to the end here, since the text factory counts while rows are read.
            rows = cursor.fetchall()
            return Answered(iter(rows), cursor.description, cursor.rowcount)

    def executemany(self, statement: str, parameters: Iterable[Parameters]) -> Answered:
        """One statement for many rows."""
        with self._ours() as cursor:
            cursor.executemany(statement, parameters)
            return Answered(iter(()), None, cursor.rowcount)

    @contextmanager
    def _ours(self) -> Iterator[sqlite3.Cursor]:
        connection = self._connection
        # Not by connection.cursor(), which hands the row factory on.
        cursor = sqlite3.Cursor(connection)
        theirs = connection.text_factory
        connection.text_factory = str
        try:
            yield cursor
        finally:
            connection.text_factory = theirs
            cursor.close()

    # ---- the transaction, whatever makes and ends one on this connection

    def begin(self) -> None:
        """Take the write lock, in a transaction that is open or in a new one."""
        if not self.in_transaction:
            self.execute(BEGIN)
        # In the middle it might be refused: nobody waits for a lock that was not taken first. And a
        # database that may only be read begins without a word.
        self.execute(SQL["lock"])

    def commit(self) -> None:
        """End the transaction, if one is open."""
        if self._always_open:
            self._connection.commit()
        elif self.in_transaction:
            # Not by commit(), which does nothing under `autocommit=True`.
            self.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo the transaction, if one is open."""
        if self._always_open:
            self._connection.rollback()
        elif self.in_transaction:
            self.execute("ROLLBACK")

    @property
    def _always_open(self) -> bool:
        """Python 3.12's `autocommit=False`: a transaction is open at any time, also after the end
        of one."""
        autocommit: object = getattr(self._connection, "autocommit", None)
        return autocommit is False
