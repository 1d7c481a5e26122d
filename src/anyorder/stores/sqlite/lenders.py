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
        # It may think of a transaction that nobody will ever commit.
        if self._is_autocommit and not borrowed.in_transaction:
            return super().begin(borrowed)
        borrowed.begin()
        return False

    @property
    def _is_autocommit(self) -> bool:
        """SQLAlchemy's AUTOCOMMIT, or Python 3.12's `autocommit=True`."""
        autocommit: object = getattr(self.driver, "autocommit", None)
        return self.driver.isolation_level is None or autocommit is True

    def _lock(self, borrowed: Borrowed) -> None:
        try:
            borrowed.begin()
        except BaseException:
            self.roll_back(borrowed)
            raise

    def commit(self, borrowed: Borrowed) -> None:
        # First: SQLAlchemy's own commit may do nothing (`autocommit=True`).
        super().commit(borrowed)
        if self._is_begun:
            self._begun.commit()

    def roll_back(self, borrowed: Borrowed) -> None:
        super().roll_back(borrowed)
        if self._is_begun:
            self._begun.rollback()

    @property
    def _is_begun(self) -> bool:
        """Is a transaction of SQLAlchemy's open that we began? The caller may have ended it."""
        return self._begun is not None and self._begun.is_active


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
