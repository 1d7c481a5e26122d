"""Whose connection is lent to us, and who ends its transaction: here, one of Python's own
`sqlite3`."""

from __future__ import annotations

import sqlite3

from anyorder.stores.sqlite.borrowed import Borrowed


class Lender:
    """A connection of the sqlite3 module. `driver`: it."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver

    def begin(self, borrowed: Borrowed) -> bool:
        """Take the write lock; True if the transaction is ours to end."""
        is_ours = not borrowed.in_transaction
        try:
            borrowed.begin()
        except BaseException:
            if is_ours:
                borrowed.roll_back()
            raise
        return is_ours

    def commit(self, borrowed: Borrowed) -> None:
        """End a transaction that is ours."""
        borrowed.commit()

    def roll_back(self, borrowed: Borrowed) -> None:
        """Undo a transaction that is ours."""
        borrowed.roll_back()

    # ---- what the lender itself keeps, beside what lies in the database

    def flush(self) -> None:
        """Write what it keeps for later, and raise what is wrong with it."""

    def marking(self) -> None:
        """A savepoint of ours is made next: what it keeps from before belongs in front of it."""

    def marked(self, mark: str) -> None:
        """A savepoint of ours was made: from here on, something may have to be undone."""

    def kept(self, mark: str) -> None:
        """What came since the mark stays; its savepoint goes next."""

    def undone(self, mark: str) -> None:
        """What came since the mark is forgotten; its savepoint is undone next."""
