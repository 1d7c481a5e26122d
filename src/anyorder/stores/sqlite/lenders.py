"""Who lends us a connection, and who ends its transaction: a connection of Python's own `sqlite3`,
or one of SQLAlchemy's."""

from __future__ import annotations

import sqlite3
from typing import Any

from anyorder.errors import StoreError
from anyorder.stores.sqlite.borrowed import Borrowed

UNFIT = (
    "to share a transaction, give a connection of Python's sqlite3 module, or a SQLAlchemy "
    "Connection to SQLite (of a Session: session.connection()), not {}"
)


class Lender:
    """A connection of the sqlite3 module. `driver`: it."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver

    def begin(self, borrowed: Borrowed) -> bool:
        """Take the write lock; True if the transaction is ours to end."""
        is_ours = not borrowed.in_transaction
        borrowed.begin()
        return is_ours

    def commit(self, borrowed: Borrowed) -> None:
        """End a transaction that is ours."""
        borrowed.commit()

    def roll_back(self, borrowed: Borrowed) -> None:
        """Undo a transaction that is ours."""
        borrowed.roll_back()


class SQLAlchemyLender(Lender):
    """A SQLAlchemy connection. It begins a transaction of its own long before the driver does, so
    the driver cannot tell whose it is."""

    def __init__(self, connection: Any, driver: sqlite3.Connection) -> None:
        super().__init__(driver)
        self._connection = connection
        self._begun: Any = None

    def begin(self, borrowed: Borrowed) -> bool:
        if not self._connection.in_transaction():
            self._begun = self._connection.begin()
            self._lock(borrowed)
            return True
        # SQLAlchemy's AUTOCOMMIT: it thinks of a transaction that nobody will ever commit.
        if self.driver.isolation_level is None and not borrowed.in_transaction:
            return super().begin(borrowed)
        borrowed.begin()
        return False

    def _lock(self, borrowed: Borrowed) -> None:
        try:
            borrowed.begin()
        except BaseException:
            self._begun.rollback()
            raise

    def commit(self, borrowed: Borrowed) -> None:
        if self._begun is None:
            super().commit(borrowed)
        else:
            self._begun.commit()

    def roll_back(self, borrowed: Borrowed) -> None:
        if self._begun is None:
            super().roll_back(borrowed)
        else:
            self._begun.rollback()


def lender_of(connection: Any) -> Lender:
    """Who lends this connection. Raises StoreError for what is none, or not to SQLite."""
    if isinstance(connection, sqlite3.Connection):
        return Lender(connection)
    # SQLAlchemy's own wrapper of a driver's connection (raw_connection()).
    driver = getattr(connection, "driver_connection", None)
    if isinstance(driver, sqlite3.Connection):
        return Lender(driver)
    proxied = getattr(connection, "connection", None)
    driver = getattr(proxied, "driver_connection", None)
    if isinstance(driver, sqlite3.Connection):
        return SQLAlchemyLender(connection, driver)
    raise StoreError(UNFIT.format(f"{type(connection).__module__}.{type(connection).__name__}"))
