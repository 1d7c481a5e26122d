"""SQLite: a file that is taken away, or replaced, while it is in use takes nothing more."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import anyorder
from anyorder.errors import StoreError
from anyorder.stores.sqlite.address import SQLiteAddress
from anyorder.stores.sqlite.store import SQLiteStore

Act = Callable[[Path], None]


def removed(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_suffix(".old"))


def restored(path: Path) -> None:
    """As a restore from a backup does it: another file, moved over this one."""
    shutil.copy(path, path.with_suffix(".backup"))
    os.replace(path.with_suffix(".backup"), path)


def without_journal(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def emptied(path: Path) -> None:
    """As a person does it who wants to begin anew."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


ACTS: list[Act] = [removed, moved, restored, without_journal, emptied]


def save(store: SQLiteStore, path: Path, act: Act) -> None:
    """A batch in whose middle the file is taken away."""
    with store.transaction(1.0) as transaction:
        transaction.save_frontier("source", "1")
        act(path)


def document(version: int) -> str:
    return json.dumps({"id": 1, "version": version})


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_written_into_a_file_that_is_gone(tmp_path: Path, act: Act) -> None:
    """The next batch says so with the file's name, and so does every later one."""
    path = tmp_path / "app.db"
    with closing(anyorder.table(f"sqlite:///{path}", "t", key="/id", position="/version")) as table:
        assert table.apply([document(1)]).applied == 1
        act(path)

        for version in (2, 3):
            with pytest.raises(StoreError, match=r"app\.db(-wal)? was (removed|replaced)"):
                table.apply([document(version)])


@pytest.mark.parametrize("act", ACTS)
def test_what_is_taken_away_in_the_middle_of_a_batch_is_not_told_to_be_written(
    tmp_path: Path, act: Act
) -> None:
    path = tmp_path / "app.db"
    with closing(SQLiteStore(str(path))) as store:
        with store.transaction(1.0):
            pass
        with pytest.raises(StoreError, match=r"was (removed|replaced)"):
            save(store, path, act)


def test_another_connection_that_ends_and_another_directory_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a checkpoint; a link that leads to the file is as good as its name."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("app.db").symlink_to("data/app.db")
    with closing(anyorder.table("sqlite:///app.db", "t", key="/id", position="/version")) as table:
        assert table.apply([document(1)]).applied == 1
        monkeypatch.chdir(tmp_path / "data")
        with closing(sqlite3.connect("app.db")) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert table.apply([document(2)]).applied == 1


def test_a_store_that_is_opened_anew_takes_what_lies_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.db"
    first = anyorder.table(f"sqlite:///{path}", "t", key="/id", position="/version")
    first.apply([document(1)])
    emptied(path)
    second = anyorder.table(f"sqlite:///{path}", "t", key="/id", position="/version")

    with closing(first), closing(second):
        assert second.apply([document(1)]).applied == 1
        with pytest.raises(StoreError, match="replaced"):
            first.apply([document(2)])
        assert second.apply([document(2)]).applied == 1


def left_behind(path: Path) -> sqlite3.Connection:
    """The file is removed while a connection that has written has it open: what belongs to it stays
    beside it."""
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (a)")
    path.unlink()
    return other


def test_no_database_is_made_beside_what_is_left_of_one(tmp_path: Path) -> None:
    """It would be taken for the former one, whose commits lie there, by whoever still has that."""
    path = tmp_path / "app.db"
    with closing(SQLiteStore(str(path))), closing(left_behind(path)):
        with pytest.raises(StoreError) as found:
            SQLiteStore(str(path))

        assert str(found.value).startswith(f"{path} is gone, and {path}-shm, {path}-wal are left")
        assert not path.exists()


def test_who_asks_is_told_what_is_left_of_a_database(tmp_path: Path) -> None:
    """He would else be told that nothing has run yet."""
    path = tmp_path / "app.db"
    with closing(SQLiteStore(str(path))), closing(left_behind(path)):
        address = SQLiteAddress(place=f"/{path}")

        assert address.missing() == ""
        with pytest.raises(StoreError, match="is gone, and"):
            SQLiteStore(str(path), looks=True)
        emptied(path)
        assert address.missing() == str(path)


def test_where_the_rest_is_removed_as_well_a_database_is_made(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(SQLiteStore(str(path))), closing(left_behind(path)):
        emptied(path)
        with closing(SQLiteStore(str(path))):
            assert path.exists()


HOLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("CREATE TABLE theirs (a)")
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[None]:
    """Another process has the file open, and has written to it."""
    words = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield
        finally:
            holder.communicate()


def test_a_file_that_was_made_beside_what_is_left_says_so(tmp_path: Path) -> None:
    """By another program, or by hand: SQLite has no other words for it than the disk's."""
    path = tmp_path / "app.db"
    with closing(SQLiteStore(str(path))):
        pass
    with held_elsewhere(path):
        path.unlink()
        path.touch()
        with pytest.raises(StoreError, match="while another process has it open"):
            SQLiteStore(str(path))


@pytest.mark.parametrize("act", ACTS)
def test_what_a_file_that_is_gone_holds_is_told_to_nobody(tmp_path: Path, act: Act) -> None:
    """What is asked for lies in the file of this name, or nowhere."""
    path = tmp_path / "app.db"
    with closing(anyorder.table(f"sqlite:///{path}", "t", key="/id", position="/version")) as table:
        table.apply([document(1)])
        act(path)

        for ask in (lambda: table.why(1), table.quarantine.entries):
            with pytest.raises(StoreError, match=r"app\.db(-wal)? was (removed|replaced)"):
                ask()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("in_block", [False, True])
def test_a_block_of_the_user_s_own_sql_is_not_committed_into_a_file_that_is_gone(
    tmp_path: Path, act: Act, in_block: bool
) -> None:
    path = tmp_path / "app.db"
    with closing(anyorder.table(f"sqlite:///{path}", "t", key="/id", position="/version")) as table:
        table.apply([document(1)])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT * FROM t").fetchall()
            with pytest.raises(StoreError, match=r"was (removed|replaced)"):
                run_block(table, connection, path, act, in_block=in_block)


def run_block(
    table: anyorder.Table,
    connection: sqlite3.Connection,
    path: Path,
    act: Act,
    *,
    in_block: bool,
) -> None:
    if not in_block:
        act(path)
    with table.transaction(connection):
        connection.execute("UPDATE t SET id = 1")
        if in_block:
            act(path)
