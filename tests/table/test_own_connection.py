"""Whose connection it is: SQLAlchemy's, and Python 3.12's `autocommit`. `make test-connections`
runs this module in Python 3.12."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import StoreError
from tests.table.own_sql import event_of, order, orders, state, write

sqlalchemy = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("sqlalchemy.orm")
AUTOCOMMIT: list[bool] = [True, False] if sys.version_info >= (3, 12) else []


class Failed(Exception):
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def table(path: Path) -> anyorder.Table:
    return orders(path)


def take(table: anyorder.Table, connection: Any, document: dict[str, Any], *, fails: bool) -> None:
    """One event, written by the driver's own statements or by SQLAlchemy's."""
    with table.transaction(connection) as guard:
        decision = guard.accept(event_of(table, document))
        write(Written(connection), decision)
        if fails:
            raise Failed


class Written:
    """`execute` with a string and named values, on any of these connections."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str, told: dict[str, Any]) -> Any:
        if isinstance(self._connection, sqlalchemy.Connection):
            return self._connection.execute(sqlalchemy.text(statement), told)
        return self._connection.execute(statement, told)


# ---- Python 3.12


@pytest.mark.skipif(not AUTOCOMMIT, reason="Python 3.12 has it: make test-connections")
def test_autocommit_true_commits_at_the_end_of_the_block_and_undoes_a_failed_one(
    table: anyorder.Table, path: Path
) -> None:
    connection = sqlite3.connect(path, autocommit=True)

    take(table, connection, order("a", 1), fails=False)
    with pytest.raises(Failed):
        take(table, connection, order("b", 1), fails=True)

    assert not connection.in_transaction
    assert state(table, path, "a") == ("row", 1)
    assert state(table, path, "b") == ("unknown", None)


@pytest.mark.skipif(not AUTOCOMMIT, reason="Python 3.12 has it: make test-connections")
def test_autocommit_false_is_always_a_transaction_of_the_caller_s(
    table: anyorder.Table, path: Path
) -> None:
    connection = sqlite3.connect(path, autocommit=False)

    take(table, connection, order("a", 1), fails=False)
    with pytest.raises(Failed):
        take(table, connection, order("b", 1), fails=True)
    assert state(table, path, "a") == ("unknown", None)
    connection.commit()
    take(table, connection, order("c", 1), fails=False)
    connection.rollback()

    assert state(table, path, "a") == ("row", 1)
    assert state(table, path, "b") == ("unknown", None)
    assert state(table, path, "c") == ("unknown", None)
    connection.close()


@pytest.mark.parametrize("autocommit", AUTOCOMMIT)
@pytest.mark.parametrize("fails", [True, False])
def test_a_commit_inside_the_block_is_an_error_whatever_autocommit_says(
    table: anyorder.Table, path: Path, autocommit: bool, fails: bool
) -> None:
    connection = sqlite3.connect(path, autocommit=autocommit)

    def block() -> None:
        with table.transaction(connection) as guard:
            decision = guard.accept(event_of(table, order("a", 1)))
            connection.execute("COMMIT")
            if not autocommit:
                connection.execute("BEGIN")
            if fails:
                raise Failed
            write(connection, decision)

    with pytest.raises(Failed if fails else StoreError):
        block()

    if not autocommit:
        connection.commit()
    assert state(table, path, "a") == (("unknown", None) if fails else ("row", 1))
    connection.close()


# ---- SQLAlchemy


@pytest.fixture(params=["default", "AUTOCOMMIT", "recipe", *AUTOCOMMIT])
def engine(request: pytest.FixtureRequest, path: Path) -> Iterator[Any]:
    """Of every way to end a transaction: the driver's, none, SQLAlchemy's page on savepoints in
    SQLite, and Python 3.12's."""
    kind = request.param
    options: dict[str, Any] = (
        {"connect_args": {"autocommit": kind}} if kind in (True, False) else {}
    )
    if kind == "AUTOCOMMIT":
        options["isolation_level"] = "AUTOCOMMIT"
    made = sqlalchemy.create_engine(f"sqlite:///{path}", **options)
    made.kind = kind
    if kind == "recipe":
        sqlalchemy.event.listen(made, "connect", _no_begin)
        sqlalchemy.event.listen(made, "begin", lambda to: to.exec_driver_sql("BEGIN"))
    yield made
    made.dispose()


def _no_begin(driver: Any, _: object) -> None:
    driver.isolation_level = None


def test_a_sqlalchemy_connection_commits_at_the_end_of_the_block(
    table: anyorder.Table, path: Path, engine: Any
) -> None:
    with engine.connect() as connection:
        take(table, connection, order("a", 1), fails=False)
        with pytest.raises(Failed):
            take(table, connection, order("b", 1), fails=True)
        take(table, connection, order("c", 1), fails=False)

    assert [state(table, path, key)[1] for key in "abc"] == [1, None, 1]
    assert [table.why(key).state for key in "abc"] == ["row", "unknown", "row"]


@pytest.mark.parametrize("reads_first", [True, False])
@pytest.mark.parametrize("commits", [True, False])
def test_a_sqlalchemy_transaction_is_committed_by_its_owner(
    table: anyorder.Table, path: Path, engine: Any, commits: bool, reads_first: bool
) -> None:
    if engine.kind in ("AUTOCOMMIT", True):
        pytest.skip("there is no transaction that its owner could end")
    with engine.connect() as connection:
        transaction = connection.begin()
        if reads_first:
            connection.execute(sqlalchemy.text("SELECT count(*) FROM orders")).all()
        take(table, connection, order("a", 1), fails=False)
        with pytest.raises(Failed):
            take(table, connection, order("b", 1), fails=True)
        assert state(table, path, "a") == ("unknown", None)
        if commits:
            transaction.commit()
        else:
            transaction.rollback()

    assert state(table, path, "a") == (("row", 1) if commits else ("unknown", None))
    assert state(table, path, "b") == ("unknown", None)


def test_sqlalchemy_s_driver_connection_before_any_statement(
    table: anyorder.Table, path: Path, engine: Any
) -> None:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        take(table, driver, order("a", 1), fails=False)
        take(table, connection.connection, order("b", 1), fails=False)
        # With `autocommit=False` it always has a transaction, and its owner ends it.
        driver.commit()

    assert [state(table, path, key) for key in "ab"] == [("row", 1)] * 2


def test_a_sqlalchemy_session_lends_its_connection(
    table: anyorder.Table, path: Path, engine: Any
) -> None:
    from sqlalchemy.orm import Session

    with Session(engine) as session:
        take(table, session.connection(), order("a", 1), fails=False)
        session.commit()

    assert state(table, path, "a") == ("row", 1)


def test_what_an_object_mapper_writes_later_is_in_the_same_commit(
    table: anyorder.Table, path: Path, engine: Any
) -> None:
    """A session writes its objects when it is committed, long after they were accepted."""
    if engine.kind in ("AUTOCOMMIT", True):
        pytest.skip("there is no transaction that its owner could end")
    from sqlalchemy.orm import Session

    mapped = type("Order", (), {})
    columns = sqlalchemy.Table("orders", sqlalchemy.MetaData(), autoload_with=engine)
    sqlalchemy.orm.registry().map_imperatively(mapped, columns)
    with Session(engine) as session:
        with table.transaction(session.connection()) as guard:
            for key in "ab":
                decision = guard.accept(event_of(table, order(key, 1)))
                made = mapped()
                made.id, made.total = key, decision.values["total"]
                session.add(made)
        session.commit()

    assert [state(table, path, key) for key in "ab"] == [("row", 1)] * 2
    assert table.quarantine.entries() == []


def test_a_commit_by_sqlalchemy_inside_the_block_is_an_error(
    table: anyorder.Table, path: Path, engine: Any
) -> None:
    if engine.kind is True:
        pytest.skip("SQLAlchemy's commit() does nothing there")

    def block() -> None:
        with engine.connect() as connection, table.transaction(connection) as guard:
            write(Written(connection), guard.accept(event_of(table, order("a", 1))))
            connection.commit()

    with pytest.raises(StoreError, match="inside the guard's block"):
        block()

    assert state(table, path, "a") == ("row", 1)


# ---- a session as such, which keeps objects and writes them when it likes


@pytest.fixture
def mapped(table: anyorder.Table, path: Path) -> Any:
    """A class whose objects are rows of `orders`."""
    made = type("Order", (), {})
    plain = sqlalchemy.create_engine(f"sqlite:///{path}")
    columns = sqlalchemy.Table("orders", sqlalchemy.MetaData(), autoload_with=plain)
    plain.dispose()
    sqlalchemy.orm.registry().map_imperatively(made, columns)
    return made


@pytest.fixture(params=["session", "scoped"])
def session(request: pytest.FixtureRequest, engine: Any) -> Iterator[Any]:
    from sqlalchemy.orm import Session, scoped_session, sessionmaker

    if request.param == "session":
        with Session(engine) as made:
            yield made
    else:
        scoped = scoped_session(sessionmaker(engine))
        yield scoped
        scoped.remove()


def add(session: Any, mapped: Any, decision: anyorder.Decision, **columns: Any) -> None:
    """The row of a decision, which the session writes later."""
    assert decision.values is not None
    made = mapped()
    for name, value in {**decision.key, "total": decision.values["total"], **columns}.items():
        setattr(made, name, value)
    session.add(made)


def test_a_session_that_is_in_no_transaction_commits_at_the_end_of_the_block(
    table: anyorder.Table, path: Path, session: Any, mapped: Any
) -> None:
    def block(key: str, *, fails: bool) -> None:
        with table.transaction(session) as guard:
            add(session, mapped, guard.accept(event_of(table, order(key, 1))))
            if fails:
                raise Failed

    block("a", fails=False)
    with pytest.raises(Failed):
        block("b", fails=True)
    block("c", fails=False)

    assert [state(table, path, key)[1] for key in "abc"] == [1, None, 1]
    assert [table.why(key).state for key in "abc"] == ["row", "unknown", "row"]


@pytest.mark.parametrize("commits", [True, False])
def test_a_session_in_a_transaction_is_committed_by_its_owner(
    table: anyorder.Table, path: Path, session: Any, mapped: Any, commits: bool
) -> None:
    if session.get_bind().kind in ("AUTOCOMMIT", True):
        pytest.skip("there is no transaction that its owner could end")
    session.begin()
    with table.transaction(session) as guard:
        add(session, mapped, guard.accept(event_of(table, order("a", 1))))
    assert state(table, path, "a") == ("unknown", None)
    if commits:
        session.commit()
    else:
        session.rollback()

    assert state(table, path, "a") == (("row", 1) if commits else ("unknown", None))


def test_an_object_that_the_database_refuses_is_told_in_its_own_accepting_and_undone(
    table: anyorder.Table, path: Path, session: Any, mapped: Any
) -> None:
    from sqlalchemy.exc import IntegrityError

    with table.transaction(session) as guard:
        for key, total in {"a": 1, "b": 100, "c": 3}.items():
            event = event_of(table, order(key, 1))
            try:
                with guard.accepting(event) as decision:
                    add(session, mapped, decision, total=total)
            except IntegrityError as error:
                guard.refuse(event, f"the shop cannot take it: {error.orig}")

    assert [state(table, path, key) for key in "abc"] == [("row", 1), ("unknown", None), ("row", 3)]
    assert [entry.reason for entry in table.quarantine.entries()] == ["malformed"]


def test_an_object_of_an_event_that_was_undone_is_not_written_later(
    table: anyorder.Table, path: Path, session: Any, mapped: Any
) -> None:
    """It was added before the exception, and the session would write it with the next ones."""
    with table.transaction(session) as guard:
        event = event_of(table, order("a", 1))
        try:
            with guard.accepting(event) as decision:
                add(session, mapped, decision)
                raise Failed
        except Failed:
            guard.refuse(event, "it failed")
        with guard.accepting(event_of(table, order("b", 1))) as decision:
            add(session, mapped, decision)

    assert [state(table, path, key) for key in "ab"] == [("unknown", None), ("row", 1)]


def test_an_object_that_was_added_before_the_event_stays_when_the_event_is_undone(
    table: anyorder.Table, path: Path, session: Any, mapped: Any
) -> None:
    """Only what is written for the event goes with it."""
    with table.transaction(session) as guard:
        add(session, mapped, guard.accept(event_of(table, order("a", 1))))
        with (
            contextlib.suppress(Failed),
            guard.accepting(event_of(table, order("b", 1))) as decision,
        ):
            add(session, mapped, decision)
            raise Failed

    assert state(table, path, "a") == ("row", 1)
    assert state(table, path, "b") == ("unknown", None)


@pytest.mark.parametrize("fails", [False, True])
def test_a_session_s_own_savepoints_may_be_around_each_event(
    table: anyorder.Table, path: Path, session: Any, mapped: Any, fails: bool
) -> None:
    """A session makes its savepoint when it is first used, which may be long after it was said."""
    with table.transaction(session) as guard:
        for key in "abc":
            with contextlib.suppress(Failed), session.begin_nested():
                with guard.accepting(event_of(table, order(key, 1))) as decision:
                    add(session, mapped, decision)
                if fails and key == "b":
                    raise Failed

    assert state(table, path, "a") == state(table, path, "c") == ("row", 1)
    assert state(table, path, "b") == (("unknown", None) if fails else ("row", 1))


def test_an_object_of_a_block_that_was_undone_is_not_written_by_the_session_that_goes_on(
    table: anyorder.Table, path: Path, session: Any, mapped: Any
) -> None:
    if session.get_bind().kind in ("AUTOCOMMIT", True):
        pytest.skip("there is no transaction that its owner could end")

    def block() -> None:
        with table.transaction(session) as guard:
            add(session, mapped, guard.accept(event_of(table, order("a", 1))))
            raise Failed

    session.begin()
    with pytest.raises(Failed):
        block()
    session.commit()

    assert state(table, path, "a") == ("unknown", None)


def test_what_a_session_cannot_write_undoes_the_block_though_its_transaction_goes_on(
    table: anyorder.Table, path: Path, session: Any, mapped: Any
) -> None:
    """It is found when the block ends, after the last line of the caller's."""
    from sqlalchemy.exc import IntegrityError

    if session.get_bind().kind in ("AUTOCOMMIT", True):
        pytest.skip("there is no transaction that its owner could end")

    def block() -> None:
        with table.transaction(session) as guard:
            add(session, mapped, guard.accept(event_of(table, order("a", 1))), total=100)

    session.begin()
    with pytest.raises(IntegrityError):
        block()
    session.commit()

    assert state(table, path, "a") == ("unknown", None)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_session_that_is_ended_inside_the_block_is_an_error(
    table: anyorder.Table, path: Path, session: Any, mapped: Any, end: str
) -> None:
    if session.get_bind().kind is True:
        pytest.skip("SQLAlchemy's commit() does nothing there")

    def block() -> None:
        with table.transaction(session) as guard:
            add(session, mapped, guard.accept(event_of(table, order("a", 1))))
            getattr(session, end)()
            guard.accept(event_of(table, order("b", 1)))

    with pytest.raises(StoreError, match="inside the guard's block"):
        block()

    assert state(table, path, "a") == (("row", 1) if end == "commit" else ("unknown", None))
    assert state(table, path, "b") == ("unknown", None)


def test_a_session_of_another_database_is_refused(table: anyorder.Table, tmp_path: Path) -> None:
    from sqlalchemy.orm import Session

    other = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with (
        Session(other) as session,
        pytest.raises(StoreError, match="can only be shared in one database"),
        table.transaction(session),
    ):
        pass
    other.dispose()
