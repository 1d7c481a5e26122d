"""SQLAlchemy's connections and sessions, as they are lent to us."""

from __future__ import annotations

import sqlite3
from typing import Any

from anyorder.stores.sqlite.borrowed import Borrowed
from anyorder.stores.sqlite.lender import Lender


class ConnectionLender(Lender):
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


class SessionLender(ConnectionLender):
    """A SQLAlchemy session. It keeps objects, and writes them when it likes: each savepoint of ours
    has one of the session's own inside, so that both know what was undone."""

    def __init__(self, session: Any) -> None:
        # The next line begins a transaction where none is.
        self._is_free = not session.in_transaction()
        connection = session.connection()
        super().__init__(connection, connection.connection.driver_connection)
        self._session = session
        self._nested: dict[str, Any] = {}

    def begin(self, borrowed: Borrowed) -> bool:
        if not self._is_free:
            return super().begin(borrowed)
        self._begun = self._session.get_transaction()
        self._lock(borrowed)
        return True

    def flush(self) -> None:
        self._session.flush()

    def marking(self) -> None:
        # What the caller has added before goes with no event; and a savepoint of his that he has
        # only announced would else lie inside ours, and end with it.
        self._session.flush()
        self._session.connection()

    def marked(self, mark: str) -> None:
        self._nested[mark] = self._session.begin_nested()
        # Else its savepoint is made when it is first used, perhaps inside a later one of ours.
        self._session.connection()

    def kept(self, mark: str) -> None:
        nested = self._nested.pop(mark)
        if self._is_inner(nested):
            nested.commit()

    def undone(self, mark: str) -> None:
        nested = self._nested.pop(mark)
        if self._is_inner(nested):
            nested.rollback()

    def _is_inner(self, nested: Any) -> bool:
        """Is it still open? The caller may have ended the whole transaction."""
        return self._session.get_nested_transaction() is nested
