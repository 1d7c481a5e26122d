"""SQLite: a file that is taken away, or replaced, while it is in use takes nothing more."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import anyorder
from anyorder.errors import StoreError
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
