"""Django's connection, given as such: who commits, and what Django would roll back without a
word."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import StoreBusy, StoreError
from tests.table.own_sql import event_of, order, orders, rows, state, write

pytest.importorskip("django", reason="Django is not installed")


class Failed(Exception):
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def table(path: Path) -> anyorder.Table:
    return orders(path)


@pytest.fixture(params=[None, "IMMEDIATE"])
def connection(request: pytest.FixtureRequest, path: Path) -> Iterator[Any]:
    """`django.db.connection`, to the test's own file."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3"}})
        django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = str(path)
    connection.settings_dict["OPTIONS"] = {"transaction_mode": request.param, "timeout": 0.2}
    yield connection
    connection.close()


class Written:
    """`execute` with named values, by Django's own cursor."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str, told: dict[str, Any]) -> Any:
        for name in told:
            statement = statement.replace(f":{name}", f"%({name})s")
        cursor = self._connection.cursor()
        cursor.execute(statement, told)
        return cursor


def take(table: anyorder.Table, connection: Any, *keys: str, fails: bool = False) -> None:
    with table.transaction(connection) as guard:
        for key in keys:
            with guard.accepting(event_of(table, order(key, 1))) as decision:
                write(Written(connection), decision)
        if fails:
            raise Failed


def test_outside_of_atomic_the_block_commits_and_undoes_a_failed_one(
    table: anyorder.Table, path: Path, connection: Any
) -> None:
    take(table, connection, "a")
    with pytest.raises(Failed):
        take(table, connection, "b", fails=True)
    take(table, connection, "c")

    assert connection.get_autocommit()
    assert not connection.in_atomic_block
    assert [state(table, path, key)[1] for key in "abc"] == [1, None, 1]
    assert [table.why(key).state for key in "abc"] == ["row", "unknown", "row"]


@pytest.mark.parametrize("commits", [True, False])
def test_inside_of_atomic_that_commits(
    table: anyorder.Table, path: Path, connection: Any, commits: bool
) -> None:
    from django.db import transaction

    def request() -> None:
        with transaction.atomic():
            take(table, connection, "a")
            with pytest.raises(Failed):
                take(table, connection, "b", fails=True)
            assert state(table, path, "a") == ("unknown", None)
            if not commits:
                raise Failed

    if commits:
        request()
    else:
        with pytest.raises(Failed):
            request()

    assert state(table, path, "a") == (("row", 1) if commits else ("unknown", None))
    assert state(table, path, "b") == ("unknown", None)


def test_what_opens_atomic_by_itself_nests_in_the_block_and_on_commit_waits_for_its_end(
    table: anyorder.Table, path: Path, connection: Any
) -> None:
    """As `save()` and `update_or_create()` of a model do."""
    from django.db import transaction

    told: list[str] = []
    with table.transaction(connection) as guard:
        decision = guard.accept(event_of(table, order("a", 1)))
        with transaction.atomic():
            write(Written(connection), decision)
        transaction.on_commit(lambda: told.append("committed"))
        assert told == []

    assert told == ["committed"]
    assert state(table, path, "a") == ("row", 1)


def test_the_driver_s_own_connection_outside_of_atomic_is_a_transaction_that_django_does_not_see(
    table: anyorder.Table, path: Path, connection: Any
) -> None:
    """So the page advises against it: nothing that opens atomic works in it."""
    from django.db import OperationalError, transaction

    connection.ensure_connection()

    def block() -> None:
        with table.transaction(connection.connection) as guard:
            decision = guard.accept(event_of(table, order("a", 1)))
            with transaction.atomic():
                write(Written(connection), decision)

    with pytest.raises(OperationalError, match="within a transaction"):
        block()

    assert state(table, path, "a") == ("unknown", None)


def test_a_query_that_fails_inside_accepting_undoes_that_event_and_no_other(
    table: anyorder.Table, path: Path, connection: Any
) -> None:
    """Django would roll all of it back at the end, without a word, as after a failed `save()`."""
    from django.db import IntegrityError, transaction

    with table.transaction(connection) as guard:
        for key, version in {"a": 1, "b": 100, "c": 3}.items():
            event = event_of(table, order(key, version))
            try:
                with guard.accepting(event) as decision, transaction.atomic(savepoint=False):
                    write(Written(connection), decision)
            except IntegrityError as error:
                guard.refuse(event, f"the shop cannot take it: {error}")

    assert rows(path) == {"a": 1, "c": 3}
    assert [table.why(key).state for key in "abc"] == ["row", "unknown", "row"]
    assert [entry.reason for entry in table.quarantine.entries()] == ["malformed"]


@pytest.mark.parametrize("is_inside", [True, False])
def test_a_failure_that_was_caught_is_told_where_django_would_roll_back_without_a_word(
    table: anyorder.Table, path: Path, connection: Any, is_inside: bool
) -> None:
    from django.db import IntegrityError, transaction

    def fail() -> None:
        with transaction.atomic(savepoint=False):
            connection.cursor().execute("INSERT INTO orders VALUES ('b', 100, '')")

    def block() -> None:
        with table.transaction(connection) as guard:
            write(Written(connection), guard.accept(event_of(table, order("a", 1))))
            with contextlib.suppress(IntegrityError):
                fail()

    around = transaction.atomic() if is_inside else contextlib.nullcontext()
    with pytest.raises(StoreError, match="Django will roll this transaction back"), around:
        block()

    assert state(table, path, "a") == ("unknown", None)


def test_where_atomic_is_doomed_no_block_begins(table: anyorder.Table, connection: Any) -> None:
    from django.db import transaction

    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(StoreError, match="Django will roll"):
            take(table, connection, "a")


def test_without_autocommit_it_is_as_with_the_driver_s_own_connection(
    table: anyorder.Table, path: Path, connection: Any
) -> None:
    connection.set_autocommit(False)
    take(table, connection, "a")
    connection.cursor().execute("UPDATE orders SET note = 'mine'")
    take(table, connection, "b")
    connection.rollback()
    connection.set_autocommit(True)

    assert rows(path) == {"a": 1}
    assert table.why("b").state == "unknown"


def test_a_lock_that_is_held_is_told_and_leaves_no_atomic_block_open(
    table: anyorder.Table, path: Path, connection: Any
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        take(table, connection, "a")
    other.execute("ROLLBACK")

    assert not connection.in_atomic_block
    take(table, connection, "a")
    assert state(table, path, "a") == ("row", 1)
    other.close()


def test_a_connection_to_another_kind_of_database_is_refused(table: anyorder.Table) -> None:
    class Elsewhere:
        in_atomic_block = False
        connection = object()

        def ensure_connection(self) -> None:
            pass

    with pytest.raises(StoreError, match=r"to share a transaction.*Elsewhere"):
        take(table, Elsewhere(), "a")
