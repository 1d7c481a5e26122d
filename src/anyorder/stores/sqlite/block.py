"""A block of the caller's own SQL and our memories, in one transaction on his connection.

A transaction that he has begun is his to end; else it begins and ends here. Around all of it is a
savepoint, so that an exception which he catches outside undoes memories and rows together although
his transaction goes on; and around each event's step another one. Savepoints are gone where he
commits or rolls back inside: this is how it is noticed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyorder.errors import StoreBusy, StoreError
from anyorder.stores.sqlite.borrowed import Borrowed
from anyorder.stores.sqlite.lenders import Lender
from anyorder.stores.sqlite.transaction import SQLiteTransaction
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
BLOCK, STEP = "anyorder_block", "anyorder_step"
GONE = "no such savepoint"


class Block:
    """See `contract.Shared`. `make`: a transaction that remembers nothing of before."""

    def __init__(
        self, borrowed: Borrowed, lender: Lender, make: Callable[[], SQLiteTransaction]
    ) -> None:
        self.transaction = make()
        self._borrowed = borrowed
        self._lender = lender
        self._make = make
        self._is_ours = False
        self._is_over = False
        self._changes = 0

    @contextmanager
    def running(self, name: str) -> Iterator[Block]:
        """From its beginning to its end. `name`: of the database, for messages."""
        self._begin(name)
        try:
            yield self
            self._end()
        except BaseException:
            self._undo_all()
            raise

    def _begin(self, name: str) -> None:
        try:
            self._is_ours = self._lender.begin(self._borrowed)
            self._borrowed.execute(f"SAVEPOINT {BLOCK}")
            self._borrowed.execute(f"SAVEPOINT {STEP}")
        except sqlite3.Error as error:
            raise _refusal(name, error) from error

    def _end(self) -> None:
        if not self._release(BLOCK):
            raise StoreError("the transaction was ended inside the block")
        if self._is_ours:
            self._lender.commit(self._borrowed)

    def _undo_all(self) -> None:
        # The caller has ended it, and what was to be said of that is said.
        if self._is_over:
            return
        if self._is_ours:
            self._lender.roll_back(self._borrowed)
        elif self._roll_back_to(BLOCK):
            self._release(BLOCK)

    # ---- one event's step

    def step(self) -> bool:
        if not self._release(STEP):
            return False
        self._borrowed.execute(f"SAVEPOINT {STEP}")
        return True

    def undo(self) -> bool:
        # What was learned in the step is not so any more.
        self.transaction = self._make()
        return self._roll_back_to(STEP)

    def watch(self) -> None:
        self._changes = self._borrowed.total_changes

    def is_unwritten(self) -> bool:
        if self._borrowed.total_changes != self._changes:
            return False
        # What we wrote changed a row; so 0 is of a later statement, which failed or met none.
        (changed,) = self._borrowed.execute(SQL["changes"]).fetchone()
        return bool(changed == 0)

    # ---- after the caller has ended the transaction

    def ended(self, *, keep: bool) -> None:
        self._is_over = True
        if keep:
            self._borrowed.commit()
        else:
            self._borrowed.roll_back()

    @contextmanager
    def repairing(self) -> Iterator[SQLiteTransaction]:
        self.ended(keep=False)
        self._borrowed.begin()
        try:
            yield self._make()
        except BaseException:
            self._borrowed.roll_back()
            raise
        self._borrowed.commit()

    # ---- savepoints

    def _release(self, name: str) -> bool:
        return self._is_there(f"RELEASE {name}")

    def _roll_back_to(self, name: str) -> bool:
        return self._is_there(f"ROLLBACK TO {name}")

    def _is_there(self, statement: str) -> bool:
        """Carry it out; False if its savepoint is gone."""
        try:
            self._borrowed.execute(statement)
        except sqlite3.OperationalError as error:
            if GONE in str(error):
                return False
            raise
        return True


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
