"""Deciding in the caller's own transaction: one commit, one lock, and rows that are his alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import anyorder
from anyorder.errors import ConfigurationError, StoreError
from tests.streams import record


@pytest.fixture
def table(tmp_path: Path) -> anyorder.Table:
    return anyorder.table(f"sqlite:///{tmp_path}/app.db", "users", key="id", retention=0)


@pytest.fixture
def connection(tmp_path: Path, table: anyorder.Table) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "app.db")) as database:
        yield database


def event(table: anyorder.Table, key: int, lsn: int) -> anyorder.Event:
    return next(iter(table.decode([record(key, "c", lsn, after={"id": key, "name": "a"})])))


def test_the_rows_are_the_caller_s_alone(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    with table.transaction(connection) as guard:
        assert guard.accept(event(table, 1, 10))

    found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'users'")
    assert found.fetchone() == (0,)


def test_what_was_accepted_is_there_for_everybody_when_the_block_ends(
    tmp_path: Path, table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    connection.execute("CREATE TABLE totals (id PRIMARY KEY)")
    with table.transaction(connection) as guard:
        assert guard.accept(event(table, 1, 10))
        connection.execute("INSERT INTO totals VALUES (1)")

    with closing(sqlite3.connect(tmp_path / "app.db")) as other:
        assert other.execute("SELECT id FROM totals").fetchall() == [(1,)]
    assert table.why(1).state == "row"
    assert not connection.in_transaction


def test_a_transaction_that_ends_in_an_exception_is_over(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    def fail() -> None:
        with table.transaction(connection) as guard:
            assert guard.accept(event(table, 1, 10))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert not connection.in_transaction
    assert table.apply([record(2, "d", 20)]).applied == 1


def test_a_transaction_of_the_caller_s_own_is_his_to_end_after_an_exception_too(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    connection.execute("CREATE TABLE totals (id PRIMARY KEY)")
    connection.execute("INSERT INTO totals VALUES (1)")
    with pytest.raises(ZeroDivisionError), table.transaction(connection):
        raise ZeroDivisionError

    assert connection.in_transaction
    connection.commit()
    assert connection.execute("SELECT id FROM totals").fetchall() == [(1,)]


@pytest.mark.parametrize("begun", [False, True], ids=["ours", "the caller's"])
def test_nobody_else_writes_from_the_first_line_of_the_block_on(
    tmp_path: Path, table: anyorder.Table, connection: sqlite3.Connection, begun: bool
) -> None:
    """Else another writer would move a key between its decision and its row."""
    # Known before: making a table takes the lock by itself.
    table.apply([record(9, "d", 1)])
    if begun:
        connection.execute("BEGIN")
    with (
        closing(sqlite3.connect(tmp_path / "app.db", timeout=0)) as other,
        table.transaction(connection),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_what_is_held_of_a_key_is_not_decided_behind_the_caller_s_back(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    """Its row would have to be written by SQL that nobody runs."""
    table.apply([record(1, "d", 20)])
    table.apply([record(1, "c", 10, after={"id": 1, "name": "late"})])

    with table.transaction(connection) as guard, guard.accepting(event(table, 1, 30)) as decision:
        assert decision

    assert [entry.state for entry in table.quarantine.entries()] == ["open"]


def test_a_record_that_was_not_decoded_is_refused(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    with pytest.raises(ConfigurationError), table.transaction(connection) as guard:
        guard.accept(anyorder.Delivery("app.public.users", value=b"{}"))


def test_what_a_guard_holds_is_held_once_and_read_again_by_the_table(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    table.apply([record(1, "d", 20)])
    for _ in range(2):
        with table.transaction(connection) as guard:
            assert not guard.accept(event(table, 1, 10))

    (entry,) = table.quarantine.entries()
    shown = table.quarantine.show(entry.id)
    assert (entry.reason, entry.count) == ("late", 2)
    assert shown.provenance
    assert shown.delivery is not None


def test_a_batch_inside_the_block_of_its_own_thread_is_refused_at_once(
    tmp_path: Path, table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    """It would wait for the block, and the block for it."""
    orders = anyorder.table(f"sqlite:///{tmp_path}/app.db", "orders", key="id")
    with table.transaction(connection) as guard:
        guard.accept(event(table, 1, 10))
        for one in (table, orders):
            with pytest.raises(StoreError, match="would wait for itself"):
                one.apply([record(1, "c", 20, after={"id": 1})])
        assert table.why(1).state == "unknown"

    assert orders.apply([record(1, "c", 20, after={"id": 1})]).applied == 1
    orders.close()


def test_blocks_of_several_tables_on_one_connection_are_one_commit(
    tmp_path: Path, table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    orders = anyorder.table(f"sqlite:///{tmp_path}/app.db", "orders", key="id")

    def fail() -> None:
        with table.transaction(connection) as guard:
            guard.accept(event(table, 1, 10))
            with orders.transaction(connection) as other:
                other.accept(event(orders, 2, 10))
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert (table.why(1).state, orders.why(2).state) == ("unknown", "unknown")
    orders.close()
