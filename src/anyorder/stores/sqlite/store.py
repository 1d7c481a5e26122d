"""SQLite: one database file holds the user's tables, their memories beside them, the quarantine and
the frontier.

Every batch is one `BEGIN IMMEDIATE` transaction, so what is read stays true until it is written,
floor included (rules R2). A deferred BEGIN would fail with "database is locked" without waiting as
soon as it turns from reading to writing.

One connection is used by one thread at a time: who begins a transaction has it to its end, and
others wait. A rollback would else undo what another thread was told is done.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

from anyorder._core.decide import forget
from anyorder._core.memory import unpack
from anyorder.errors import StoreBusy, StoreError
from anyorder.guard.contract import Decode, Finding, Promises, TableSpec
from anyorder.stores.sqlite.block import Block
from anyorder.stores.sqlite.borrowed import BEGIN, Borrowed
from anyorder.stores.sqlite.lenders import lender_of
from anyorder.stores.sqlite.transaction import SQLiteTransaction, Tables
from anyorder.stores.statements import load_statements

BUSY_SECONDS = 60.0  # how long one statement waits for another writer
LOCKED_SECONDS = 300.0  # how long a transaction waits to begin before StoreBusy
SQL = load_statements("sqlite/sqlite.sql")
VERSION = 3


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
        self._turn = threading.RLock()
        self._process = os.getpid()
        self._is_closed = False
        self._current: SQLiteTransaction | None = None
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
        """One atomic step; other threads with this store wait until it ends. Raises StoreBusy if
        another process holds the write lock for five minutes."""
        with self._alone():
            self._refuse_second()
            self._waiting(lambda: self._database.execute(BEGIN))
            try:
                yield self._begun(now)
                self._database.execute("ROLLBACK" if dry else "COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                self._tables.clear()
                raise
            finally:
                self._current = None
            if dry:
                self._tables.clear()

    @contextmanager
    def reading(self) -> Iterator[SQLiteTransaction]:
        """A consistent view; in WAL mode it neither waits for another connection's writer nor keeps
        one waiting. Inside a transaction of the same thread it is that transaction's view."""
        with self._alone():
            if self._current is not None:
                yield self._current
                return
            self._waiting(lambda: self._database.execute("BEGIN"))
            try:
                yield self._begun(0.0)
            finally:
                self._current = None
                self._database.execute("ROLLBACK")

    def _begun(self, now: float) -> SQLiteTransaction:
        self._current = SQLiteTransaction(self._database, self._tables, now, self.decode)
        return self._current

    def _refuse_second(self) -> None:
        # To join the first would make it keep what the second is told to undo.
        if self._current is not None:
            raise StoreError(
                f"{self.path}: a transaction of this thread is open already; end it before you "
                "begin another"
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """This thread's turn. Raises StoreError for a closed store, or another process's."""
        # First: a thread that the fork left behind may have had the lock, and never gives it back.
        if os.getpid() != self._process:
            raise StoreError(
                f"{self.path} was opened before this process was forked, and SQLite's locks do not "
                "survive that: open it in each process, after the fork"
            )
        with self._turn:
            if self._is_closed:
                raise StoreError(f"{self.path} was closed here; open it again to use it")
            yield

    @contextmanager
    def shared(self, connection: Any, now: float) -> Iterator[Block]:
        """A transaction on the caller's own connection: the caller's SQL and our memory in one
        commit. One that has begun already is only joined, and takes the write lock now.

        `connection`: of the sqlite3 module, or SQLAlchemy's. Raises StoreError for any other, and
        for one to another database.
        """
        lender = lender_of(connection)
        borrowed = Borrowed(lender.driver)

        def make(borrowed: Borrowed, tables: Tables) -> SQLiteTransaction:
            # It answers to our statements as a connection does, and to nothing else.
            database = cast(sqlite3.Connection, borrowed)
            return SQLiteTransaction(database, tables, now, self.decode)

        self._check_same(borrowed, lender.driver)
        block = Block(borrowed, lender, make)
        with self._lent(lender.driver, block), block.running(self.path):
            yield block

    @contextmanager
    def _lent(self, driver: sqlite3.Connection, block: Block) -> Iterator[None]:
        """A turn of the store's own connection, if it is that which is lent."""
        if driver is not self._database:
            yield
            return
        with self._alone():
            self._refuse_second()
            self._current = block.transaction
            try:
                yield
            finally:
                self._current = None
                self._tables.clear()

    def _check_same(self, borrowed: Borrowed, driver: sqlite3.Connection) -> None:
        """Memories that lie in another file would not be committed together with the rows."""
        if driver is self._database:
            return
        with self._alone():
            (ours,) = self._database.execute(SQL["main_file"]).fetchone()
        try:
            (theirs,) = borrowed.execute(SQL["main_file"]).fetchone()
            # A database in memory has no file, and is one connection's alone.
            is_same = bool(ours and theirs) and os.path.samefile(ours, theirs)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: your connection cannot be shared: {error}") from error
        if not is_same:
            raise StoreError(
                f"the connection is to {theirs or 'a database in memory'}, and the table's "
                f"memories are in {ours or 'another one in memory'}: a transaction can only be "
                "shared in one database; connect to that one, or give the table its URL"
            )

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
        with self._alone():
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
        """Release the connection, after the transaction of another thread. Raises StoreError inside
        a transaction of this thread."""
        with self._turn:
            if self._current is not None:
                raise StoreError(f"{self.path}: end this thread's transaction before you close it")
            self._is_closed = True
            self._database.close()

    @property
    def database(self) -> sqlite3.Connection:
        """The connection, for the user's own reading, in one thread."""
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
