"""Django's connections, as they are lent to us."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from anyorder.errors import StoreError
from anyorder.stores.sqlite.borrowed import Borrowed
from anyorder.stores.sqlite.lender import Lender

DOOMED = (
    "Django will roll this transaction back, because a query in it failed and that was caught: let "
    "the exception leave `with guard.accepting(event)`, or a transaction.atomic() of its own, and "
    "catch it outside of that"
)


class DjangoLender(Lender):
    """`django.db.connection`, or one of `connections`. Inside transaction.atomic() that commits;
    else this opens one, so that the caller's own, and what he does on_commit, nest in it."""

    def __init__(self, connection: Any) -> None:
        connection.ensure_connection()
        super().__init__(connection.connection)
        self._connection = connection
        self._atomic: AbstractContextManager[object] | None = None

    def begin(self, borrowed: Borrowed) -> bool:
        if self._connection.in_atomic_block:
            borrowed.begin()
            return False
        if not self._connection.get_autocommit():
            return super().begin(borrowed)
        self._open()
        try:
            borrowed.begin()
        except BaseException:
            self.roll_back(borrowed)
            raise
        return True

    def _open(self) -> None:
        from django.db import DatabaseError, transaction

        atomic = transaction.atomic(using=self._connection.alias)
        try:
            atomic.__enter__()
        except DatabaseError as error:
            # Django's has none of the codes by which it is told.
            raise error.__cause__ or error from None
        self._atomic = atomic

    def commit(self, borrowed: Borrowed) -> None:
        if self._atomic is None:
            super().commit(borrowed)
        else:
            self._close(self._atomic)

    def roll_back(self, borrowed: Borrowed) -> None:
        if self._atomic is None:
            super().roll_back(borrowed)
            return
        self._connection.set_rollback(True)
        self._close(self._atomic)

    def _close(self, atomic: AbstractContextManager[object]) -> None:
        # Whatever comes of it, it is not closed twice.
        self._atomic = None
        atomic.__exit__(None, None, None)

    # ---- Django's word on it: it lets nobody commit after an exception that it saw

    def flush(self) -> None:
        if self._connection.needs_rollback:
            raise StoreError(DOOMED)

    def marked(self, mark: str) -> None:
        self.flush()

    def undone(self, mark: str) -> None:
        # When the savepoint was made all was well, and all since is undone.
        if self._connection.in_atomic_block:
            self._connection.set_rollback(False)
