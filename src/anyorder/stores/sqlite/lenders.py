"""Which connections may be lent to us: Python's own `sqlite3`, SQLAlchemy's, Django's. Neither of
these libraries is imported to find out: a connection is known by what it has."""

from __future__ import annotations

import sqlite3
from typing import Any

from anyorder.errors import StoreError
from anyorder.stores.sqlite.django import DjangoLender
from anyorder.stores.sqlite.lender import Lender
from anyorder.stores.sqlite.sqlalchemy import ConnectionLender, SessionLender

UNFIT = (
    "to share a transaction, give a connection to SQLite, none that is asynchronous: of Python's "
    "sqlite3 module, a SQLAlchemy Connection or Session, or django.db.connection; not {}"
)
SESSION = ("begin_nested", "get_nested_transaction", "flush")


def lender_of(connection: Any) -> Lender:
    """Who lends this connection. Raises StoreError for what is none, or not to SQLite."""
    lender = _lender_of(connection)
    if lender is None or not isinstance(lender.driver, sqlite3.Connection):
        name = f"{type(connection).__module__}.{type(connection).__name__}"
        raise StoreError(UNFIT.format(name))
    return lender


def _lender_of(connection: Any) -> Lender | None:
    if isinstance(connection, sqlite3.Connection):
        return Lender(connection)
    # SQLAlchemy's own wrapper of a driver's connection (raw_connection()).
    if hasattr(connection, "driver_connection"):
        return Lender(connection.driver_connection)
    if hasattr(connection, "in_atomic_block"):
        return DjangoLender(connection)
    session = _session_of(connection)
    if session is not None:
        return SessionLender(session)
    proxied: Any = getattr(connection, "connection", None)
    if hasattr(proxied, "driver_connection"):
        return ConnectionLender(connection, proxied.driver_connection)
    return None


def _session_of(given: Any) -> Any:
    """A SQLAlchemy session; of a scoped one, this thread's. None for anything else."""
    session = given() if hasattr(given, "session_factory") else given
    # An asynchronous one has another inside.
    is_session = all(hasattr(session, name) for name in SESSION)
    return session if is_session and not hasattr(session, "sync_session") else None
