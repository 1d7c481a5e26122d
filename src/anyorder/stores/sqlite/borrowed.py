"""A connection that belongs to the caller, as our statements use it.

Whatever he has set on it holds for his statements and not for ours: a row factory, a text factory,
an isolation level, Python 3.12's `autocommit`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakSet

from anyorder.errors import StoreError
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


class Traffic:
    """Who uses one connection. `ours`: rows that our statements changed, whichever block's they
    were; `latest`: whose block's the last of them was."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.ours = 0
        self.latest: Borrowed | None = None


here = threading.local()  # `traffics`: of the connections on which this thread has blocks


class Borrowed:
    """The caller's connection, as one block uses it. `sealed`: the caller's changes when another
    block's statements came; None if none came."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._traffic = _traffic_on(connection)
        self.sealed: int | None = None

    @property
    def in_transaction(self) -> bool:
        """Is a transaction open?"""
        return self._connection.in_transaction

    @property
    def changes(self) -> int:
        """Rows that the caller's own statements changed since the first of these blocks began,
        and before."""
        return self._connection.total_changes - self._traffic.ours

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
        self._take_over()
        before = connection.total_changes
        theirs = connection.text_factory
        connection.text_factory = str
        try:
            yield cursor
        finally:
            connection.text_factory = theirs
            cursor.close()
            self._traffic.ours += connection.total_changes - before

    def leave(self) -> None:
        """The block has ended, and keeps no connection."""
        if self._traffic.latest is self:
            self._traffic.latest = None

    def _take_over(self) -> None:
        latest = self._traffic.latest
        if latest is self:
            return
        # What the caller writes from here on may be for this block.
        if latest is not None:
            latest.sealed = self.changes
        self._traffic.latest = self

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


def _traffic_on(connection: sqlite3.Connection) -> Traffic:
    """What all blocks on a connection share; it belongs to one thread."""
    traffics: WeakSet[Traffic] = here.__dict__.setdefault("traffics", WeakSet())
    for known in traffics:
        if known.connection is connection:
            return known
    traffic = Traffic(connection)
    traffics.add(traffic)
    return traffic


def check_same(path: str, ours: str, borrowed: Borrowed) -> None:
    """Memories that lie in another file would not be committed together with the rows. Raises
    StoreError. `ours`: the file of the store at `path`, "" for one in memory."""
    try:
        (theirs,) = borrowed.execute(SQL["main_file"]).fetchone()
        # A database in memory has no file, and is one connection's alone.
        is_same = bool(ours and theirs) and os.path.samefile(ours, theirs)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: your connection cannot be shared: {error}") from error
    if not is_same:
        raise StoreError(
            f"the connection is to {theirs or 'a database in memory'}, and the table's memories "
            f"are in {ours or 'another one in memory'}: a transaction can only be shared in one "
            "database; connect to that one, or give the table its URL"
        )
