"""SQLite: one database file holds the user's tables, their memories beside them, the quarantine and
the frontier.

Every batch is one `BEGIN IMMEDIATE` transaction, so what is read stays true until it is written,
floor included (rules R2). A deferred BEGIN would fail with "database is locked" without waiting as
soon as it turns from reading to writing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from anyorder._core.decide import forget
from anyorder._core.memory import unpack
from anyorder.errors import StoreError
from anyorder.guard.contract import Decode, Finding, Promises, TableSpec
from anyorder.stores.sqlite.connection import connect, connect_to_read
from anyorder.stores.sqlite.lock import Lock
from anyorder.stores.sqlite.transaction import SQLiteTransaction, Tables
from anyorder.stores.sqlite.troubles import may_only_be_read, sentence, told, trouble
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
VERSION = 3
BEGIN = "BEGIN IMMEDIATE"
LOCK = "UPDATE anyorder_schema SET version = version"  # takes the write lock, changes nothing
Answer = TypeVar("Answer")


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
        self._tables = Tables()
        self._lock = Lock(path)
        self._database = connect(path)
        self._may_write = True
        try:
            self._prepare(synchronous)
        except (sqlite3.Error, StoreError) as error:
            self._database.close()
            if not may_only_be_read(error):
                raise sentence(path, error) from error
            self._only_read(error)

    @contextmanager
    @told
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        """One atomic step. Raises StoreBusy if another process holds the write lock for five
        minutes, StoreError where the disk does not take it."""
        self._waiting(lambda: self._database.execute(BEGIN))
        try:
            yield SQLiteTransaction(self._database, self._tables, now, self.decode)
            end = "ROLLBACK" if dry else "COMMIT"
            # without WAL a commit waits for those who read
            self._waiting(lambda: self._database.execute(end))
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            self._tables.clear()
            raise
        if dry:
            self._tables.clear()

    @contextmanager
    @told
    def reading(self) -> Iterator[SQLiteTransaction]:
        """A consistent view; in WAL mode it neither waits for a writer nor keeps one waiting."""
        self._database.execute("BEGIN")
        try:
            # the first read takes the view: only there may it have to wait
            self._waiting(self._version)
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
        if mode != "wal" and self.path != ":memory:" and self._may_write:
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

    def stop_waiting(self) -> None:
        """End the wait at hand with StoreBusy, and from now on wait for nobody."""
        self._lock.stop()

    def _waiting(self, act: Callable[[], Answer]) -> Answer:
        """What `act` gives once nobody holds a lock against it; see `Lock.until_free`."""
        return self._lock.until_free(act)

    def _prepare(self, synchronous: str) -> None:
        for pragma in SQL["pragmas"].splitlines():
            self._waiting(partial(self._database.execute, pragma))
        self._database.execute(
            "PRAGMA synchronous = FULL" if synchronous == "full" else "PRAGMA synchronous = NORMAL"
        )
        self._migrate()

    def _only_read(self, refused: sqlite3.Error | StoreError) -> None:
        """Open a database that this process may not write, to look into it. Raises StoreError where
        there is nothing to see."""
        self._may_write = False
        self._database = connect_to_read(self.path, sentence(self.path, refused))
        try:
            version = self._version() if self._has_schema() else 0
        except sqlite3.Error as error:
            raise trouble(self.path, error) from error
        if version != VERSION:
            self._database.close()
            raise StoreError(
                f"{self.path} may only be read, and is not yet of this anyorder (schema {version}, "
                f"this one has {VERSION}): let somebody who may write it run `anyorder schema "
                "apply` once"
            ) from refused

    def _migrate(self) -> None:
        if not self._has_schema():
            with self.transaction(0.0):
                if not self._has_schema():
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

    def _has_schema(self) -> bool:
        found = self._waiting(lambda: self._database.execute(SQL["has_schema"]))
        return found.fetchone() is not None

    def _version(self) -> int:
        (version,) = self._database.execute(SQL["schema_version"]).fetchone()
        return int(version)

    def _upgrade(self, version: int) -> None:
        """From the version before this one to it."""
        for statement in SQL[f"schema_{version}"].split(";"):
            self._database.execute(statement)
