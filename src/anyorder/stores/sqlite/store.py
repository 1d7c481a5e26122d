"""SQLite: one database file holds the user's tables, their memories beside them, the quarantine and
the frontier.

Every batch is one `BEGIN IMMEDIATE` transaction, so what is read stays true until it is written,
floor included (rules R2). A deferred BEGIN would fail with "database is locked" without waiting as
soon as it turns from reading to writing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from anyorder._core.decide import forget
from anyorder._core.memory import unpack
from anyorder.errors import StoreBusy, StoreError
from anyorder.guard.contract import Decode, Finding, Promises, TableSpec
from anyorder.stores.sqlite.transaction import SQLiteTransaction, Tables
from anyorder.stores.statements import load_statements

BUSY_SECONDS = 60.0  # how long one statement waits for another writer
LOCKED_SECONDS = 300.0  # how long a transaction waits to begin before StoreBusy
SQL = load_statements("sqlite/sqlite.sql")
VERSION = 4
BEGIN = "BEGIN IMMEDIATE"
LOCK = "UPDATE anyorder_schema SET version = version"  # takes the write lock, changes nothing


class SQLiteStore:
    """A SQLite database. `path`: a file, or `:memory:`. `decode` turns a held delivery back into
    its event.

    `synchronous`: "normal" keeps the database consistent through a power loss but may lose the last
    commits, which is right while the frontier lies in the same file; "full" when the
    acknowledgement lies elsewhere (a broker). Raises StoreError for a database written by a newer
    anyorder.
    """

    promises = Promises(
        "SQLite",
        guard="BEGIN IMMEDIATE around read, decision and write",
        memory="beside: a sibling table in the same transaction",
        forgets=True,
        one_transaction=True,
        exact_outcome=True,
        note="one writer at a time; not on network file systems",
    )

    def __init__(
        self,
        path: str,
        decode: Decode | None = None,
        synchronous: str = "normal",
    ) -> None:
        self.path = path
        self.decode = decode
        self._database = connect(path)
        for pragma in SQL["pragmas"].splitlines():
            self._waiting(partial(self._database.execute, pragma))
        self._database.execute(
            "PRAGMA synchronous = FULL" if synchronous == "full" else "PRAGMA synchronous = NORMAL"
        )
        self._tables = Tables()
        self._migrate()

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        """One atomic step. Raises StoreBusy if another process holds the write lock for five
        minutes."""
        self._waiting(lambda: self._database.execute(BEGIN))
        try:
            transaction = SQLiteTransaction(self._database, self._tables, now, self.decode)
            yield transaction
            if dry:
                self._database.execute("ROLLBACK")
            else:
                transaction.commit()
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            self._tables.clear()
            raise
        if dry:
            self._tables.clear()

    @contextmanager
    def reading(self) -> Iterator[SQLiteTransaction]:
        """A consistent view; in WAL mode it neither waits for a writer nor keeps one waiting."""
        self._database.execute("BEGIN")
        try:
            yield SQLiteTransaction(self._database, self._tables, 0.0, self.decode)
        finally:
            self._database.execute("ROLLBACK")

    @contextmanager
    def shared(self, connection: sqlite3.Connection, now: float) -> Iterator[SQLiteTransaction]:
        """A transaction on the caller's own connection: the caller's SQL and our memory in one
        commit. One that has begun already is only joined, and takes the write lock now."""
        ours = not connection.in_transaction
        connection.execute(BEGIN if ours else LOCK)
        try:
            yield SQLiteTransaction(connection, Tables(), now, self.decode)
        except BaseException:
            if ours:
                connection.rollback()
            raise
        if ours:
            connection.commit()

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        """Forget tombstones written before a time: the floor is raised and the very rows deleted in
        one transaction (rules R2, R3)."""
        with self.transaction(before) as transaction:
            limits = transaction.open_table(spec)
            memory = transaction.memory_of(spec)
            rows = self._database.execute(
                SQL["old_tombstones"].format(memory=memory), {"before": before, "limit": limit}
            ).fetchall()
            for _, text in rows:
                limits = forget(limits, unpack(text).stamp)
            if rows:
                transaction.save_limits(spec, limits)
                self._database.executemany(
                    SQL["forget_memory"].format(memory=memory), [(entity,) for entity, _ in rows]
                )
            return len(rows)

    def check(self, spec: TableSpec) -> Iterator[Finding]:
        """Is the database in WAL mode, and is what a power loss may take known to be in it?"""
        (mode,) = self._database.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal" and self.path != ":memory:":
            to_do = (
                "move the file to a local disk: WAL needs shared memory, "
                "which network file systems lack"
            )
            yield (
                self.path,
                f"the journal mode is {mode}, so readers and the writer block each other",
                to_do,
            )

    def close(self) -> None:
        self._database.close()

    @property
    def database(self) -> sqlite3.Connection:
        """The connection, for the user's own reading."""
        return self._database

    def _migrate(self) -> None:
        if self._database.execute(SQL["has_schema"]).fetchone() is None:
            with self.transaction(0.0):
                if self._database.execute(SQL["has_schema"]).fetchone() is None:
                    self._upgrade(1)
        version = self._version()
        if version < VERSION:
            with self.transaction(0.0):
                # read again under the lock: another process may have been quicker
                for step in range(self._version() + 1, VERSION + 1):
                    self._upgrade(step)
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer anyorder "
                f"(schema {version}, this one knows {VERSION}): upgrade anyorder"
            )

    def _version(self) -> int:
        (version,) = self._database.execute(SQL["schema_version"]).fetchone()
        return int(version)

    def _upgrade(self, version: int) -> None:
        """From the version before this one to it."""
        for statement in SQL[f"schema_{version}"].split(";"):
            self._database.execute(statement)

    def _waiting(self, act: Callable[[], Any]) -> None:
        """SQLite's own waiting gives up in some cases although the lock will come free; ours ends
        in StoreBusy."""
        until = time.monotonic() + LOCKED_SECONDS
        while True:
            try:
                act()
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) and "busy" not in str(error):
                    raise StoreError(f"{self.path}: {error}") from error
                if time.monotonic() > until:
                    raise StoreBusy(
                        f"{self.path}: another process held the write lock for "
                        f"{LOCKED_SECONDS:.0f} s; find the writer that never commits"
                    ) from error
                time.sleep(0.01)


def connect(path: str) -> sqlite3.Connection:
    """A connection in autocommit mode: this module says BEGIN and COMMIT itself."""
    try:
        return sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"cannot open {path}: {error}; does its directory exist, and may this user write there?"
        ) from error
