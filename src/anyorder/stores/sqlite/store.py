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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

from anyorder._core.decide import forget
from anyorder._core.memory import unpack
from anyorder.errors import StoreError
from anyorder.guard.contract import Adopted, Decode, Finding, Promises, TableSpec
from anyorder.stores.sqlite.block import Block
from anyorder.stores.sqlite.borrowed import BEGIN, Borrowed, check_same
from anyorder.stores.sqlite.check import findings, journal
from anyorder.stores.sqlite.connection import connect, connect_to_look, connect_to_read
from anyorder.stores.sqlite.lenders import lender_of
from anyorder.stores.sqlite.lock import Lock
from anyorder.stores.sqlite.presence import Presence
from anyorder.stores.sqlite.transaction import SQLiteTransaction, Tables
from anyorder.stores.sqlite.troubles import may_only_be_read, sentence, told, trouble
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
VERSION = 6
here = threading.local()  # `lent`: the files on which this thread has a block of its own SQL
Answer = TypeVar("Answer")


class SQLiteStore:
    """A SQLite database. `path`: a file, or `:memory:`. `decode` turns a held delivery back into
    its event.

    `synchronous`: "normal" keeps the database consistent through a power loss but may lose the last
    commits, which is right while the frontier lies in the same file; "full" when the
    acknowledgement lies elsewhere (a broker). `looks`: it is only read, and opening it leaves no
    trace. `patience`: seconds to wait for another process's write lock. Raises StoreError for a
    database written by a newer anyorder.
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
        *,
        looks: bool = False,
        patience: float | None = None,
    ) -> None:
        self.path = path
        self.decode = decode
        self._file = os.path.realpath(path)
        self._turn = threading.RLock()
        self._process = os.getpid()
        self._is_closed = False
        # The thread that is in a transaction; 0 if none is.
        self._owner = 0
        # Is there something left of a step that an exception cut off?
        self._is_torn = False
        self._current: SQLiteTransaction | None = None
        self._tables = Tables()
        self._lock = Lock(path, patience)
        self._presence = Presence(path)
        self._may_write = not looks
        if looks:
            self._look_only()
            return
        self._database = connect(path)
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
        """One atomic step; other threads with this store wait until it ends. Raises StoreBusy if
        another process holds the write lock for longer than our patience, StoreError where the disk
        does not take it."""
        with self._alone():
            self._refuse_second()
            self._refuse_beside_own_sql()
        thread = threading.get_ident()
        # A signal handler may raise between any two calls: from here on, what this thread is found
        # to have taken is this step's.
        try:
            self._waiting(partial(self._take_turn, thread))
            self._presence.check()
            transaction = self._begun(now)
            yield transaction
            # Nobody is told that it is written, if the file was taken away meanwhile.
            self._presence.check()
            # What a dry step has learned of the tables is undone with it.
            self._is_torn = dry
            # Without WAL a commit waits for those who read.
            self._waiting(self._undo if dry else transaction.commit)
        except BaseException:
            # Else it was still waiting, and the turn is another's.
            if self._owner == thread:
                self._is_torn = True
                # By no call of ours, where a signal handler might raise before it.
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                self._mend()
            raise
        finally:
            # No call comes before the release: nothing can be raised there.
            if self._owner == thread:
                self._current = None
                self._owner = 0
            # Not by `suppress`, whose own calls come first.
            try:  # noqa: SIM105
                self._turn.release()
            except RuntimeError:
                # It never had the turn; only the lock itself tells that for sure.
                pass

    def _take_turn(self, thread: int) -> None:
        """This thread's turn, and the write lock: both or neither. Who waits for another
        connection's writer keeps no other thread waiting: the writer may be one of them, in a block
        of its own SQL, and ask something here before it commits."""
        with self._alone():
            # Of the user's, who has this connection for reading: not ours to undo.
            was_open = self._database.in_transaction
            try:
                self._database.execute(BEGIN)
                self._owner = thread
                self._turn.acquire()
            except BaseException:
                self._owner = 0
                # What was begun is undone before the next thread's turn.
                self._is_torn = self._database.in_transaction and not was_open
                self._mend()
                raise

    def _mend(self) -> None:
        """Undo what is left of a step that an exception cut off."""
        if not self._is_torn:
            return
        if self._database.in_transaction:
            self._undo()
        self._tables.clear()
        self._is_torn = False

    @contextmanager
    @told
    def reading(self) -> Iterator[SQLiteTransaction]:
        """A consistent view; in WAL mode it neither waits for another connection's writer nor keeps
        one waiting. Inside a transaction of the same thread it is that transaction's view."""
        with self._alone():
            if self._current is not None:
                yield self._current
                return
            was_open = self._database.in_transaction
            try:
                self._database.execute("BEGIN")
                # The first read takes the view: only there may it have to wait.
                self._waiting(self._version)
                # What is only looked at, perhaps on a disk that nobody writes, makes no journal.
                if self._may_write:
                    self._presence.check()
                yield self._begun(0.0)
            finally:
                self._current = None
                # No call of ours: a signal handler that raises as it begins would leave it open.
                if self._database.in_transaction and not was_open:
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

    def _refuse_beside_own_sql(self) -> None:
        # The block ends only after this step, which would wait for it to end.
        if self._file in _lent_here():
            raise StoreError(
                f"{self.path}: this thread is in a block of `transaction` on this database, and "
                "would wait for itself: decide the event in the block, with `accept` of a "
                "`transaction` on the same connection, or do this after the block"
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
            # An exception may have cut off the mending, too.
            if self._current is None:
                self._mend()
            yield

    @contextmanager
    def shared(self, connection: Any, now: float) -> Iterator[Block]:
        """A transaction on the caller's own connection: the caller's SQL and our memory in one
        commit. One that has begun already is only joined, and takes the write lock now.

        `connection`: of the sqlite3 module, SQLAlchemy's (a session, too), or Django's. Raises
        StoreError for any other, and for one to another database.
        """
        lender = lender_of(connection)
        borrowed = Borrowed(lender.driver)

        def make(borrowed: Borrowed, tables: Tables) -> SQLiteTransaction:
            # It answers to our statements as a connection does, and to nothing else.
            database = cast(sqlite3.Connection, borrowed)
            return SQLiteTransaction(database, tables, now, self.decode)

        self._presence.check()
        self._check_same(borrowed, lender.driver)
        block = Block(borrowed, lender, make)
        with self._lent(lender.driver, block), block.running(self.path):
            yield block
            # Nobody is told that it is written, if the file was taken away meanwhile.
            self._presence.check()

    @contextmanager
    def _lent(self, driver: sqlite3.Connection, block: Block) -> Iterator[None]:
        """A turn of the store's own connection, if it is that which is lent."""
        if driver is not self._database:
            lent = _lent_here()
            # Without a call, so that nothing can be raised before the `try`.
            lent += [self._file]
            try:
                yield
            finally:
                lent.remove(self._file)
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
        """Raises StoreError for a connection to another database than ours."""
        if driver is self._database:
            return
        with self._alone():
            (ours,) = self._database.execute(SQL["main_file"]).fetchone()
        check_same(self.path, ours, borrowed)

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
                limits = forget(limits, unpack(text).greatest)
            if rows:
                transaction.save_limits(spec, limits)
                self._database.executemany(
                    SQL["forget_memory"].format(memory=memory), [(entity,) for entity, _ in rows]
                )
            return len(rows)

    def adopt(self, spec: TableSpec, now: float) -> Adopted:
        """Write down the positions of the next rows of a table of the user's own; see
        `contract.Adopting`."""
        with self.transaction(now) as transaction:
            return transaction.adopt(spec)

    def check(self, spec: TableSpec) -> Iterator[Finding]:
        """Is the database in WAL mode, and does the table keep what is written to it?"""
        with self._alone():
            # Who only looks has no say in how it is written.
            of_file = journal(self.path, self._database) if self._may_write else ()
            found = [*of_file, *findings(self._database, spec)]
        yield from found

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

    def _look_only(self) -> None:
        """Open a database of ours to look into it. Raises StoreError for one of another schema."""
        self._database = connect_to_look(self.path)
        try:
            version = self._version()
        except sqlite3.Error as error:
            self._database.close()
            raise trouble(self.path, error) from error
        if version != VERSION:
            self._database.close()
            raise StoreError(
                f"{self.path} is of another anyorder (schema {version}, this one has {VERSION}), "
                "and who only looks changes nothing: `anyorder schema apply` brings it up to date"
            )

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

    def _undo(self) -> None:
        self._database.execute("ROLLBACK")


def _lent_here() -> list[str]:
    """The files on which this thread is in a block of its own SQL."""
    lent: list[str] = here.__dict__.setdefault("lent", [])
    return lent
