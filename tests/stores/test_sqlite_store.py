"""The SQLite store's own: its file, its locks, its versions."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from anyorder import table
from anyorder.errors import ConfigurationError, StoreBusy, StoreError
from anyorder.guard.contract import TableSpec
from anyorder.stores import open_store
from anyorder.stores.sqlite.store import SQLiteStore
from tests.stores.older import set_back

USERS = TableSpec("users", ("id",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def setting(store: SQLiteStore, name: str) -> object:
    (value,) = store.database.execute(f"PRAGMA {name}").fetchone()
    return value


def test_readers_do_not_wait_and_the_user_s_references_count(path: Path) -> None:
    with closing(SQLiteStore(str(path))) as store:
        assert setting(store, "journal_mode") == "wal"
        assert setting(store, "foreign_keys") == 1


@pytest.mark.parametrize(("said", "level"), [("normal", 1), ("full", 2)])
def test_how_much_a_power_loss_may_take_is_said(path: Path, said: str, level: int) -> None:
    with closing(SQLiteStore(str(path), synchronous=said)) as store:
        assert setting(store, "synchronous") == level


def test_a_file_that_keeps_readers_waiting_is_found_and_memory_is_not(path: Path) -> None:
    with closing(SQLiteStore(str(path))) as store:
        healthy = list(store.check(USERS))
        store.database.execute("PRAGMA journal_mode = DELETE")
        assert (len(healthy), len(list(store.check(USERS)))) == (0, 1)

    with closing(SQLiteStore(":memory:")) as store:
        assert list(store.check(USERS)) == []


def test_a_database_of_the_version_before_is_brought_up_to_date_once(path: Path) -> None:
    """Also by two that start at once: the second waits, and finds nothing left to do."""
    SQLiteStore(str(path)).close()
    set_back(path, 1)
    opened: list[SQLiteStore | BaseException] = []

    def start() -> None:
        try:
            opened.append(SQLiteStore(str(path)))
        except BaseException as error:
            opened.append(error)

    with closing(sqlite3.connect(path, isolation_level=None)) as locked:
        locked.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=start) for _ in range(2)]
        for thread in threads:
            thread.start()
        threads[0].join(0.3)  # both have seen the old version by now, and wait for the lock
        locked.execute("ROLLBACK")
    for thread in threads:
        thread.join()

    assert [type(one) for one in opened] == [SQLiteStore, SQLiteStore]
    for store in opened:
        assert isinstance(store, SQLiteStore)
        with store.transaction(1.0) as transaction:
            transaction.open_table(USERS)
        store.close()


def test_two_that_make_one_database_at_once_make_it_once(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as locked:
        locked.execute("PRAGMA journal_mode = WAL")
        locked.execute("BEGIN IMMEDIATE")
        opened: list[str] = []

        def start() -> None:
            SQLiteStore(str(path)).close()
            opened.append("whole")

        threads = [threading.Thread(target=start) for _ in range(2)]
        for thread in threads:
            thread.start()
        threads[0].join(0.3)
        locked.execute("ROLLBACK")
    for thread in threads:
        thread.join()

    assert opened == ["whole", "whole"]


def test_a_url_says_how_long_to_wait_for_a_writer(path: Path) -> None:
    """A web server answers in seconds, and is asked again."""
    with (
        closing(open_store(f"sqlite:///{path}?wait=0.3s")) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as locked,
    ):
        locked.execute("BEGIN IMMEDIATE")
        # Else a wait of five minutes would tell it.
        stop = threading.Timer(5, store.stop_waiting)
        stop.start()
        with pytest.raises(StoreBusy, match=r"for 0\.3 s"), store.transaction(1.0):
            pass
        stop.cancel()


@pytest.mark.parametrize("wait", ["5", "-5s", "soon", "5m", ""])
def test_a_wait_that_is_no_time_in_seconds_is_refused(path: Path, wait: str) -> None:
    with pytest.raises(ConfigurationError, match="not a SQLite URL"):
        open_store(f"sqlite:///{path}?wait={wait}")
    assert not path.exists()


def test_a_writer_that_never_commits_is_given_up_in_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyorder.stores.sqlite.lock.LOCKED_SECONDS", 0.1)
    with (
        closing(SQLiteStore(str(path))) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as locked,
    ):
        locked.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy), store.transaction(1.0):
            pass
        locked.execute("ROLLBACK")
        with store.transaction(1.0) as transaction:
            transaction.open_table(USERS)


def test_what_is_no_lock_is_not_waited_for(path: Path) -> None:
    with closing(SQLiteStore(str(path))) as store:
        store.database.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError), store.transaction(1.0) as transaction:
            transaction.open_table(USERS)


def test_a_reader_leaves_nothing_behind(path: Path) -> None:
    with closing(SQLiteStore(str(path))) as store:
        with store.reading():
            pass
        assert not store.database.in_transaction
        with pytest.raises(ZeroDivisionError), store.reading():
            raise ZeroDivisionError
        assert not store.database.in_transaction


def test_a_table_that_somebody_dropped_is_not_made_anew_by_what_is_known_already(
    path: Path,
) -> None:
    """Else the next event would be written to an empty table beside the memory of its rows."""
    url, known = f"sqlite:///{path}", [{"id": 1, "version": 1, "name": "Ada"}]
    with closing(table(url, "users", key="/id", position="/version")) as users:
        users.apply(known)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE users")

    with closing(table(url, "users", key="/id", position="/version")) as users:
        report = users.apply(known)
        with pytest.raises(StoreError, match="gone from the database"):
            users.apply([{"id": 2, "version": 1, "name": "Ben"}])

    assert report.ignored == {"duplicate": 1}
