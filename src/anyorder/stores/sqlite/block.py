"""A block of the caller's own SQL and our memories, in one transaction on his connection.

A transaction that he has begun is his to end; else it begins and ends here. What may have to be
undone by itself has a savepoint, and each of ours a name of its own: between them may lie those of
the caller, and of another table's block. They are gone where he commits or rolls back inside: this
is how it is noticed.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyorder.errors import StoreBusy, StoreError
from anyorder.guard.contract import TableSpec
from anyorder.stores.sqlite.borrowed import Borrowed
from anyorder.stores.sqlite.lender import Lender
from anyorder.stores.sqlite.transaction import SQLiteTransaction, Tables
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
GONE = "no such savepoint"
numbers = itertools.count(1)
Make = Callable[[Borrowed, Tables], SQLiteTransaction]


class Block:
    """See `sharing.Shared`. `make`: a transaction, with what is known of the tables."""

    def __init__(self, borrowed: Borrowed, lender: Lender, make: Make) -> None:
        self._borrowed = borrowed
        self._lender = lender
        self._make = make
        self._tables = Tables()
        self._is_ours = False
        self._is_over = False
        self._changes = 0
        self._is_telling = False

    @contextmanager
    def running(self, name: str) -> Iterator[Block]:
        """From its beginning to its end. `name`: of the database, for messages."""
        try:
            self._is_ours = self._lender.begin(self._borrowed)
        except sqlite3.Error as error:
            raise _refusal(name, error) from error
        try:
            self._check_plain(name)
            yield self
            if self._is_ours:
                self._lender.commit(self._borrowed)
        except BaseException:
            # Where the caller has ended it, what followed is undone already, or kept.
            if self._is_ours and not self._is_over:
                self._lender.roll_back(self._borrowed)
            raise
        finally:
            self._borrowed.leave()

    def _check_plain(self, name: str) -> None:
        """What the caller's own converters make of a column cannot be read back."""
        row = self._borrowed.execute(SQL["plain"]).fetchone()
        if row is None or [type(value) for value in row] != [int, str]:
            raise StoreError(
                f"{name}: your connection converts INTEGER or TEXT columns (detect_types and "
                "register_converter): give one that does not"
            )

    @property
    def transaction(self) -> SQLiteTransaction:
        # A new one each time: the caller may have undone what an earlier one has read.
        return self._make(self._borrowed, self._tables)

    @property
    def commits(self) -> bool:
        return self._is_ours

    @property
    def is_open(self) -> bool:
        return self._borrowed.in_transaction

    # ---- what may have to be undone by itself

    def mark(self) -> str:
        name = f"anyorder_{next(numbers)}"
        self._lender.marking()
        self._borrowed.execute(f"SAVEPOINT {name}")
        self._lender.marked(name)
        return name

    def keep(self, mark: str) -> bool:
        self._lender.kept(mark)
        return self._is_there(f"RELEASE {mark}")

    def undo(self, mark: str) -> bool:
        # What was learned since is not so any more.
        self._tables.clear()
        self._lender.undone(mark)
        return self._is_there(f"ROLLBACK TO {mark}") and self._is_there(f"RELEASE {mark}")

    def _is_there(self, statement: str) -> bool:
        """Carry it out; False if its savepoint is gone."""
        try:
            self._borrowed.execute(statement)
        except sqlite3.OperationalError as error:
            if GONE in str(error):
                return False
            raise
        return True

    # ---- what the caller writes

    def flush(self) -> None:
        self._lender.flush()

    def shows(self, spec: TableSpec) -> bool:
        found = self._borrowed.execute(SQL["table_exists"], {"name": spec.name})
        return found.fetchone() is not None

    def watch(self) -> None:
        self._is_telling = self._changed() > 0
        self._changes = self._borrowed.changes
        self._borrowed.sealed = None

    @property
    def changes(self) -> int:
        return self._borrowed.changes

    @property
    def is_followed(self) -> bool:
        sealed = self._borrowed.sealed
        written = self._borrowed.changes if sealed is None else sealed
        return written != self._changes

    @property
    def is_missed(self) -> bool:
        # Our last statement changed a row; so 0 is of a later one, which failed or met none.
        # After another block's statements nobody can tell.
        if self._borrowed.sealed is not None:
            return False
        return self._is_telling and not self.is_followed and self._changed() == 0

    def _changed(self) -> int:
        """Rows that the last statement changed, of those that write."""
        (changed,) = self._borrowed.execute(SQL["changes"]).fetchone()
        return int(changed)

    # ---- after the caller has ended the transaction

    def ended(self, *, keep: bool) -> None:
        self._is_over = True
        self._tables.clear()
        if keep:
            self._borrowed.commit()
        else:
            self._borrowed.roll_back()

    @contextmanager
    def repairing(self) -> Iterator[SQLiteTransaction]:
        self.ended(keep=False)
        self._borrowed.begin()
        try:
            yield self.transaction
        except BaseException:
            self._borrowed.roll_back()
            raise
        self._borrowed.commit()


def _refusal(name: str, error: sqlite3.Error) -> StoreError:
    """Why the block cannot begin."""
    code = getattr(error, "sqlite_errorname", "")
    # His transaction has read, and somebody has written since: no waiting makes it current again.
    if code == "SQLITE_BUSY_SNAPSHOT":
        return StoreBusy(
            f"{name}: your transaction began by reading, and another process has written since; "
            "roll it back and begin it again, best with BEGIN IMMEDIATE"
        )
    if code.startswith("SQLITE_BUSY"):
        return StoreBusy(
            f"{name}: another connection holds the write lock for longer than yours waits; look "
            "for a writer that never commits, or connect with a longer timeout"
        )
    return StoreError(f"{name}: your connection cannot be shared: {error}")
