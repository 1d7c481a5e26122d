"""The caller's own SQL and the memory beside it come to one end, whatever fails between them."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import anyorder
from anyorder import Reason
from anyorder.errors import ConfigurationError, StoreBusy, StoreError
from anyorder.guard.batch import apply
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.routes import Unrouted
from anyorder.runtime.again import Reading
from anyorder.runtime.retry import Retried, Retry
from anyorder.tables import Guard
from tests.streams import record
from tests.table.own_sql import agree, event_of, order, orders, rows, state, write
from tests.table.test_table import of_orders


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def table(path: Path) -> anyorder.Table:
    return orders(path)


@pytest.fixture
def connection(table: anyorder.Table, path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path)


class Failed(Exception):
    pass


def take(table: anyorder.Table, connection: sqlite3.Connection, *documents: dict) -> list:
    with table.transaction(connection) as guard:
        answers = []
        for document in documents:
            with guard.accepting(event_of(table, document)) as decision:
                if decision:
                    write(connection, decision)
            answers.append(decision)
        return answers


# ---- an exception that the caller catches


def test_an_exception_caught_outside_undoes_memory_and_row_though_the_transaction_goes_on(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    connection.execute("CREATE TABLE mine (a)")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO mine VALUES (1)")

    def block() -> None:
        with table.transaction(connection) as guard:
            write(connection, guard.accept(event_of(table, order("a", 1))))
            raise Failed

    with pytest.raises(Failed):
        block()
    connection.commit()

    assert state(table, path, "a") == ("unknown", None)
    assert connection.execute("SELECT * FROM mine").fetchall() == [(1,)]
    assert take(table, connection, order("a", 1))[0].reason is Reason.APPLIED
    assert rows(path) == {"a": 1}


def test_an_exception_that_leaves_accepting_undoes_that_event_and_no_other(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    def step(guard: object, document: dict, *, fails: bool) -> None:
        with guard.accepting(event_of(table, document)) as decision:  # type: ignore[attr-defined]
            write(connection, decision)
            if fails:
                raise Failed

    with table.transaction(connection) as guard:
        step(guard, order("a", 1), fails=False)
        with pytest.raises(Failed):
            step(guard, order("b", 2), fails=True)
        step(guard, order("c", 3), fails=False)

    assert rows(path) == {"a": 1, "c": 3}
    assert [table.why(key).state for key in "abc"] == ["row", "unknown", "row"]


def test_the_first_event_of_a_table_may_be_the_one_that_fails(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    with table.transaction(connection) as guard:
        with pytest.raises(Failed), guard.accepting(event_of(table, order("a", 1))):
            raise Failed
        write(connection, guard.accept(event_of(table, order("b", 2))))

    assert [state(table, path, key) for key in "ab"] == [("unknown", None), ("row", 2)]


@pytest.mark.parametrize("there", [False, True])
def test_sql_that_fails_after_a_bare_accept_and_is_caught_leaves_no_memory_and_is_told(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, there: bool
) -> None:
    if there:
        take(table, connection, order("b", 1))
    with table.transaction(connection) as guard:
        for document in (order("a", 5), order("b", 999), order("c", 7)):
            try:
                write(connection, guard.accept(event_of(table, document)))
            except sqlite3.IntegrityError:
                continue

    assert rows(path) == {"a": 5, "c": 7, **({"b": 1} if there else {})}
    assert [agree(table, path, key) for key in "abc"] == [True] * 3
    (entry,) = table.quarantine.entries()
    assert (entry.key, entry.reason) == ({"id": "b"}, "malformed")
    assert "no row was written" in entry.detail
    assert take(table, connection, order("b", 3))[0].reason is Reason.APPLIED


def test_an_update_that_meets_no_row_is_not_applied(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    with table.transaction(connection) as guard:
        assert guard.accept(event_of(table, order("a", 5)))
        connection.execute("UPDATE orders SET total = 5 WHERE id = 'a'")

    assert state(table, path, "a") == ("unknown", None)
    assert [entry.reason for entry in table.quarantine.entries()] == ["malformed"]


def test_a_delete_that_fails_and_is_caught_leaves_the_row_and_its_memory(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    take(table, connection, order("a", 1))
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE lines (of REFERENCES orders (id))")
    connection.execute("INSERT INTO lines VALUES ('a')")
    connection.commit()

    with table.transaction(connection) as guard:
        gone = [event_of(table, order(key, 9, gone=True)) for key in ("a", "never there")]
        for event in gone:
            try:
                write(connection, guard.accept(event))
            except sqlite3.IntegrityError:
                continue

    assert state(table, path, "a") == ("row", 1)
    assert table.why("never there").state == "tombstone"
    assert [entry.key for entry in table.quarantine.entries()] == [{"id": "a"}]


@pytest.mark.parametrize("fault", ["column", "binding", "code"])
def test_the_last_event_of_a_block_after_which_nothing_was_written_is_not_applied_over_its_row(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, fault: str
) -> None:
    take(table, connection, order("a", 1))
    with table.transaction(connection) as guard:
        write(connection, guard.accept(event_of(table, order("b", 1))))
        assert guard.accept(event_of(table, order("a", 2)))
        with contextlib.suppress(sqlite3.Error, KeyError):
            if fault == "column":
                connection.execute("UPDATE orders SET nobody = 1 WHERE id = 'a'")
            elif fault == "binding":
                connection.execute("UPDATE orders SET total = ? WHERE id = 'a'", [object()])
            raise KeyError(fault)

    assert state(table, path, "a") == ("row", 1)
    assert table.why("a").position == "version 1"
    assert [entry.key for entry in table.quarantine.entries()] == [{"id": "a"}]


@pytest.mark.parametrize("last", [True, False])
def test_code_that_fails_before_its_sql_and_is_caught_leaves_no_memory_and_is_told(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, last: bool
) -> None:
    keys = "ab" if last else "ba"
    with table.transaction(connection) as guard:
        for key in keys:
            try:
                decision = guard.accept(event_of(table, order(key, 1)))
                if key == "b":
                    raise KeyError(key)
                write(connection, decision)
            except KeyError:
                continue

    assert [state(table, path, key) for key in "ab"] == [("row", 1), ("unknown", None)]
    assert [entry.key for entry in table.quarantine.entries()] == [{"id": "b"}]


def test_rows_may_be_written_together_at_the_end_of_the_block(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    with table.transaction(connection) as guard:
        answers = [guard.accept(event_of(table, order(key, 1))) for key in "ab"]
        for answer in answers:
            write(connection, answer)

    assert [state(table, path, key) for key in "ab"] == [("row", 1)] * 2
    assert table.quarantine.entries() == []


def test_rows_may_lie_in_a_table_of_another_name_or_nowhere(path: Path) -> None:
    orders(path)
    seen = anyorder.table(f"sqlite:///{path}", "seen", key="/id", position="/version")
    with seen.transaction(sqlite3.connect(path)) as guard:
        answers = [guard.accept(event_of(seen, order("a", version))) for version in (2, 1)]

    assert [bool(answer) for answer in answers] == [True, False]
    assert seen.why("a").state == "row"
    assert seen.quarantine.entries() == []


def test_a_deferred_constraint_that_fails_at_the_end_undoes_both(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(
        "CREATE TABLE lines (of REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED)"
    )

    def block() -> None:
        with table.transaction(connection) as guard:
            write(connection, guard.accept(event_of(table, order("a", 1))))
            connection.execute("INSERT INTO lines VALUES ('nobody')")

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        block()

    assert not connection.in_transaction
    assert state(table, path, "a") == ("unknown", None)


# ---- refused by the caller's word


def test_refuse_takes_back_what_was_just_accepted_and_holds_it_with_the_caller_s_words(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    take(table, connection, order("b", 1))
    with table.transaction(connection) as guard:
        write(connection, guard.accept(event_of(table, order("a", 1))))
        event = event_of(table, order("b", 2))
        assert guard.accept(event)
        refused = guard.refuse(event, "no such customer")
        write(connection, guard.accept(event_of(table, order("c", 3))))

    assert refused.reason is Reason.MALFORMED
    assert not refused
    assert rows(path) == {"a": 1, "b": 1, "c": 3}
    (entry,) = table.quarantine.entries()
    assert (entry.key, entry.detail) == ({"id": "b"}, "no such customer")
    assert table.why("b").position == "version 1"


def test_refuse_is_too_late_once_something_is_written(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    event = event_of(table, order("a", 1))
    with table.transaction(connection) as guard:
        write(connection, guard.accept(event))
        with pytest.raises(ConfigurationError, match="something was written"):
            guard.refuse(event, "too late")

    assert state(table, path, "a") == ("row", 1)


@pytest.mark.parametrize("inside", [True, False])
def test_the_caller_s_own_savepoints_undo_memory_and_row_together(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, inside: bool
) -> None:
    connection.isolation_level = None
    if not inside:
        connection.execute("BEGIN")
    with table.transaction(connection) as guard:
        for key, end in (
            ("a", "ROLLBACK TO mine"),
            ("b", "RELEASE mine"),
            ("c", "ROLLBACK TO mine"),
        ):
            connection.execute("SAVEPOINT mine")
            write(connection, guard.accept(event_of(table, order(key, 1))))
            connection.execute(end)
        write(connection, guard.accept(event_of(table, order("d", 1))))
    if not inside:
        connection.commit()

    assert rows(path) == {"b": 1, "d": 1}
    assert [table.why(key).state for key in "abcd"] == ["unknown", "row", "unknown", "row"]


@pytest.mark.parametrize("again", ["accept", "refuse", "nothing"])
@pytest.mark.parametrize("refused", [True, False])
def test_a_savepoint_that_undoes_what_was_taken_back_leaves_no_memory_without_its_row(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, refused: bool, again: str
) -> None:
    first, second = (event_of(table, order(key, 1)) for key in "ab")
    with table.transaction(connection) as guard:
        assert guard.accept(first)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO orders SELECT 'x', 1, 1 UNION ALL SELECT 'x', 2, 2")
        connection.execute("SAVEPOINT mine")
        if refused:
            guard.refuse(first, "the shop cannot take it")
        write(connection, guard.accept(second))
        connection.execute("ROLLBACK TO mine")
        if again == "accept":
            write(connection, guard.accept(first))
        elif again == "refuse":
            guard.refuse(first, "the shop cannot take it")

    assert [state(table, path, key) for key in "ab"] == [
        ("row", 1) if again == "accept" else ("unknown", None),
        ("unknown", None),
    ]
    assert again == "accept" or [entry.key for entry in table.quarantine.entries()] == [{"id": "a"}]


def test_of_two_events_of_a_key_that_wrote_nothing_neither_is_remembered_and_both_are_held(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    with table.transaction(connection) as guard:
        for version in (1, 2):
            assert guard.accept(event_of(table, order("a", version)))

    assert state(table, path, "a") == ("unknown", None)
    assert len(table.quarantine.entries()) == 2


def test_a_savepoint_that_undoes_the_second_of_two_unwritten_events_leaves_not_the_first(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    with table.transaction(connection) as guard:
        guard.accept(event_of(table, order("a", 1)))
        connection.execute("SAVEPOINT mine")
        guard.accept(event_of(table, order("a", 2)))
        guard.accept(event_of(table, order("b", 2)))
        connection.execute("ROLLBACK TO mine")

    assert state(table, path, "a") == ("unknown", None)


def test_two_tables_on_one_connection_take_turns(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    connection.execute("CREATE TABLE lines (id TEXT PRIMARY KEY, total INTEGER)")
    connection.commit()
    lines = anyorder.table(f"sqlite:///{path}", "lines", key="/id", position="/version")

    def both(order_guard: Guard, line_guard: Guard, key: str) -> None:
        with order_guard.accepting(event_of(table, order(key, 1))) as decision:
            write(connection, decision)
            line = line_guard.accept(event_of(lines, order(key, 1)))
            connection.execute("INSERT INTO lines VALUES (:id, :total)", line.values)
            if key == "b":
                raise Failed

    with table.transaction(connection) as order_guard, lines.transaction(connection) as line_guard:
        for key in "abc":
            try:
                both(order_guard, line_guard, key)
            except Failed:
                continue

    assert rows(path) == {"a": 1, "c": 1}
    assert [table.why(key).state for key in "abc"] == ["row", "unknown", "row"]
    assert [lines.why(key).state for key in "abc"] == ["row", "unknown", "row"]


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_what_another_guard_writes_hides_no_event_whose_sql_wrote_nothing(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, there: bool, fails: bool
) -> None:
    connection.execute("CREATE TABLE lines (id TEXT PRIMARY KEY, total INTEGER)")
    connection.commit()
    lines = anyorder.table(f"sqlite:///{path}", "lines", key="/id", position="/version")
    if there:
        take(table, connection, order("a", 1))

    with table.transaction(connection) as order_guard, lines.transaction(connection) as line_guard:
        assert order_guard.accept(event_of(table, order("a", 2)))
        if fails:
            connection.execute("UPDATE orders SET total = 1 WHERE id = 'nobody'")
        line = line_guard.accept(event_of(lines, order("a", 1)))
        if not there:
            connection.execute("INSERT INTO lines VALUES (:id, :total)", line.values)

    assert state(table, path, "a") == (("row", 1) if there else ("unknown", None))
    if there:
        assert table.why("a").position == "version 1"
    assert {"id": "a"} in [entry.key for entry in table.quarantine.entries()]


def test_of_two_guards_each_may_write_after_the_other_has_accepted(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    connection.execute("CREATE TABLE lines (id TEXT PRIMARY KEY, total INTEGER)")
    connection.commit()
    lines = anyorder.table(f"sqlite:///{path}", "lines", key="/id", position="/version")

    with table.transaction(connection) as order_guard, lines.transaction(connection) as line_guard:
        decision = order_guard.accept(event_of(table, order("a", 2)))
        line = line_guard.accept(event_of(lines, order("a", 1)))
        write(connection, decision)
        connection.execute("INSERT INTO lines VALUES (:id, :total)", line.values)

    assert state(table, path, "a") == ("row", 2)
    assert lines.why("a").state == "row"
    assert table.quarantine.entries() == []


def test_refuse_holds_though_the_exception_goes_on_and_after_its_block_too(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    def step(guard: object, event: object, *, early: bool) -> None:
        with guard.accepting(event):  # type: ignore[attr-defined]
            if early:
                guard.refuse(event, "early")  # type: ignore[attr-defined]
            raise Failed

    events = [event_of(table, order(key, 1)) for key in "ab"]
    with table.transaction(connection) as guard:
        for event, early in zip(events, (True, False), strict=True):
            with pytest.raises(Failed):
                step(guard, event, early=early)
        guard.refuse(events[1], "late")

    assert sorted(entry.detail for entry in table.quarantine.entries()) == ["early", "late"]
    assert rows(path) == {}
    assert table.why("a").state == "unknown"


def test_an_event_that_was_never_accepted_can_be_refused(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    with table.transaction(connection) as guard:
        guard.refuse(event_of(table, order("a", 1)), "we do not ship there")

    assert [entry.detail for entry in table.quarantine.entries()] == ["we do not ship there"]


def test_an_event_cannot_be_refused_once_the_next_is_accepted(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    first, second = (event_of(table, order(key, 1)) for key in "ab")
    with table.transaction(connection) as guard:
        for event in (first, second):
            write(connection, guard.accept(event))
        with pytest.raises(ConfigurationError, match="before the next is accepted"):
            guard.refuse(first, "too late")
        with pytest.raises(ConfigurationError, match="say why"):
            guard.refuse(second, " ")


@pytest.mark.parametrize("given", [b"{}", {"id": "a"}, "events"])
def test_what_is_no_event_is_refused_with_a_sentence_and_the_block_goes_on(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, given: object
) -> None:
    """A body as a server has it, or all events at once."""
    told = table.decode([order("a", 1)]) if given == "events" else given
    with table.transaction(connection) as guard:
        with pytest.raises(ConfigurationError, match="the guard takes events, one at a time"):
            guard.accept(told)
        with pytest.raises(ConfigurationError, match=r"for event in table\.decode"):
            guard.refuse(told, "no")
        with pytest.raises(ConfigurationError), guard.accepting(told):
            pass
        write(connection, guard.accept(event_of(table, order("b", 1))))

    assert rows(path) == {"b": 1}


def test_a_second_event_inside_accepting_is_refused(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    first, second = (event_of(table, order(key, 1)) for key in "ab")
    with (
        table.transaction(connection) as guard,
        guard.accepting(first),
        pytest.raises(ConfigurationError, match="accept the next one after it"),
    ):
        guard.accept(second)


def test_a_guard_is_not_used_after_its_block(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    with table.transaction(connection) as guard:
        pass
    with pytest.raises(StoreError, match="has ended"):
        guard.accept(event_of(table, order("a", 1)))


# ---- commit() and rollback() inside the block


def commit(connection: sqlite3.Connection) -> None:
    connection.commit()


def commit_by_with(connection: sqlite3.Connection) -> None:
    with connection:
        pass


def roll_back(connection: sqlite3.Connection) -> None:
    connection.rollback()


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("level", ["", "IMMEDIATE", None])
@pytest.mark.parametrize("end", [commit, commit_by_with, roll_back])
@pytest.mark.parametrize("steps", ["write end", "end write", "write end fail", "end fail"])
def test_ending_the_transaction_inside_the_block_is_an_error_and_nothing_is_half(
    table: anyorder.Table,
    path: Path,
    steps: str,
    end: Callable[[sqlite3.Connection], None],
    level: str | None,
    joined: bool,
) -> None:
    if (steps, end, level) == ("end write", roll_back, None):
        pytest.skip("written after a rollback without a transaction: the row is the caller's alone")
    connection = sqlite3.connect(path, isolation_level=level)
    if joined:
        connection.execute("BEGIN")

    def block() -> None:
        with table.transaction(connection) as guard:
            decision = guard.accept(event_of(table, order("a", 1)))
            for step in steps.split():
                if step == "write":
                    write(connection, decision)
                elif step == "end":
                    end(connection)
                else:
                    raise Failed

    with pytest.raises((StoreError, Failed)) as failure:
        block()
    connection.rollback()

    told = [str(failure.value), *getattr(failure.value, "__notes__", [])]
    assert any("inside the guard's block" in line for line in told)
    is_whole = end is not roll_back and steps != "end fail"
    assert state(table, path, "a") == (("row", 1) if is_whole else ("unknown", None))


def test_the_next_event_after_a_commit_is_refused_and_the_first_is_whole(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    first, second = (event_of(table, order(key, 1)) for key in "ab")

    def block() -> None:
        with table.transaction(connection) as guard:
            for event in (first, second):
                write(connection, guard.accept(event))
                connection.commit()

    with pytest.raises(StoreError, match="inside the guard's block"):
        block()

    assert state(table, path, "a") == ("row", 1)
    assert state(table, path, "b") == ("unknown", None)


def test_an_end_that_was_said_and_caught_is_said_again_at_the_end_of_the_block(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    def block() -> None:
        with table.transaction(connection) as guard:
            guard.accept(event_of(table, order("a", 1)))
            connection.rollback()
            with pytest.raises(StoreError):
                guard.accept(event_of(table, order("b", 1)))

    with pytest.raises(StoreError, match="inside the guard's block"):
        block()


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("refused", [True, False])
def test_a_savepoint_after_a_rollback_of_the_first_block_ever_is_an_error_with_a_sentence(
    table: anyorder.Table,
    connection: sqlite3.Connection,
    path: Path,
    accepted: bool,
    written: bool,
    refused: bool,
) -> None:
    def block() -> None:
        with table.transaction(connection) as guard:
            if accepted:
                decision = guard.accept(event_of(table, order("a", 1)))
            if accepted and written:
                write(connection, decision)
            connection.rollback()
            connection.execute("SAVEPOINT mine")
            event = event_of(table, order("b", 1))
            if refused:
                guard.refuse(event, "we do not ship there")
            else:
                with guard.accepting(event):
                    pass

    with pytest.raises(StoreError, match="inside the guard's block"):
        block()

    assert not connection.in_transaction
    assert [state(table, path, key) for key in "ab"] == [("unknown", None)] * 2


# ---- ties


@pytest.mark.parametrize("contents", list(itertools.permutations([1, 2, 3])))
def test_of_two_contents_of_one_position_row_and_memory_show_the_same_whatever_came_first(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, contents: tuple[int, ...]
) -> None:
    told = [order("a", 7, total=total) for total in contents]

    answers = [take(table, connection, document)[0] for document in told]
    by_us = anyorder.table("memory://", "orders", key="/id", position="/version")
    by_us.apply(told)

    assert rows(path)["a"] == by_us.store.state.rows["orders"]['{"id":"a"}']["total"]  # type: ignore[attr-defined]
    assert [bool(answer) for answer in answers].count(True) >= 1
    assert answers[1].reason is Reason.CONFLICT
    assert table.why("a").disputed
    assert len(table.quarantine.entries()) == 1


@pytest.mark.parametrize("gone_first", [True, False])
def test_a_delete_and_a_put_of_one_position_show_the_same_whatever_came_first(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path, gone_first: bool
) -> None:
    told = [order("a", 7, gone=True), order("a", 7)]
    if not gone_first:
        told.reverse()

    for document in told:
        take(table, connection, document)

    assert state(table, path, "a") == ("row", 7)


# ---- which connection


def test_another_database_is_refused_with_both_names(
    table: anyorder.Table, path: Path, tmp_path: Path
) -> None:
    for other in (tmp_path / "other.db", ":memory:"):
        orders(tmp_path / "other.db")
        with (
            pytest.raises(StoreError, match="shared in one database"),
            table.transaction(sqlite3.connect(other)) as guard,
        ):
            guard.accept(event_of(table, order("a", 1)))


def test_the_same_file_by_another_name_is_the_same_database(
    table: anyorder.Table, path: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)

    take(table, sqlite3.connect(link), order("a", 1))

    assert state(table, path, "a") == ("row", 1)


def test_a_database_in_memory_is_shared_by_its_own_connection_only() -> None:
    table = anyorder.table("sqlite:///:memory:", "orders", key="/id", position="/version")
    connection = table.store.database  # type: ignore[attr-defined]
    connection.execute("CREATE TABLE orders (id PRIMARY KEY, total, note)")

    take(table, connection, order("a", 1))

    assert table.why("a").state == "row"
    with (
        pytest.raises(StoreError, match="in memory"),
        table.transaction(sqlite3.connect(":memory:")),
    ):
        pass


@pytest.mark.parametrize("given", [None, "a string", object()])
def test_what_is_no_connection_is_refused_with_a_sentence(
    table: anyorder.Table, given: object
) -> None:
    with pytest.raises(StoreError, match="give a connection"), table.transaction(given):
        pass


def test_a_closed_connection_is_refused_with_a_sentence(
    table: anyorder.Table, connection: sqlite3.Connection
) -> None:
    connection.close()
    with pytest.raises(StoreError, match="cannot be shared"), table.transaction(connection):
        pass


def test_a_connection_that_converts_what_we_read_is_refused(
    table: anyorder.Table, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sqlite3.converters, "TEXT", bytes.upper)
    connection = sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES)

    with pytest.raises(StoreError, match="converts"), table.transaction(connection):
        pass
    assert not connection.in_transaction


def test_a_connection_that_may_only_read_is_refused(table: anyorder.Table, path: Path) -> None:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    with pytest.raises(StoreError, match="readonly"), table.transaction(connection):
        pass
    assert not connection.in_transaction


def test_a_lock_that_does_not_come_free_is_told(table: anyorder.Table, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(StoreBusy, match="write lock"),
        table.transaction(sqlite3.connect(path, timeout=0.01)),
    ):
        pass


def test_a_transaction_that_has_read_what_is_old_by_now_is_told_so(
    table: anyorder.Table, path: Path
) -> None:
    mine, other = sqlite3.connect(path, isolation_level=None), sqlite3.connect(path)
    mine.execute("BEGIN")
    mine.execute("SELECT count(*) FROM orders").fetchall()
    take(table, other, order("a", 1))

    with pytest.raises(StoreBusy, match="began by reading"), table.transaction(mine):
        pass


# ---- what the caller has set on the connection


def dictionary(cursor: sqlite3.Cursor, row: tuple) -> dict:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


@pytest.mark.parametrize("level", ["", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", None])
@pytest.mark.parametrize("rows_as", [None, sqlite3.Row, dictionary, lambda cursor, row: None])
@pytest.mark.parametrize("text_as", [str, bytes, lambda told: told.decode().upper()])
def test_the_caller_s_settings_hold_for_him_and_not_for_us(
    table: anyorder.Table, path: Path, level: str | None, rows_as: object, text_as: object
) -> None:
    connection = sqlite3.connect(path, isolation_level=level)
    connection.row_factory, connection.text_factory = rows_as, text_as  # type: ignore[assignment]

    for version in (2, 1, 2, 3):
        take(table, connection, order("a", version))
    take(table, connection, order("a", 3, note="another content"))

    assert (connection.row_factory, connection.text_factory) == (rows_as, text_as)
    assert connection.isolation_level == level
    assert not connection.in_transaction
    assert state(table, path, "a") == ("row", 3)
    assert len(table.quarantine.entries()) == 1


def test_a_connection_of_the_caller_s_own_class_works(table: anyorder.Table, path: Path) -> None:
    class Own(sqlite3.Connection):
        def cursor(self, *_: object) -> sqlite3.Cursor:  # type: ignore[override]
            raise Failed

    connection = sqlite3.connect(path, factory=Own)
    with table.transaction(connection) as guard:
        write(sqlite3.Cursor(connection), guard.accept(event_of(table, order("a", 1))))

    assert table.why("a").state == "row"


# ---- what his own code held is written by his own code only


@pytest.fixture
def refused(table: anyorder.Table, connection: sqlite3.Connection) -> anyorder.Event:
    """An event that his code did not want yet."""
    event = event_of(table, order("a", 1))
    with table.transaction(connection) as guard:
        guard.refuse(event, "its customer is not known")
    return event


def test_a_person_cannot_accept_past_his_sql(
    table: anyorder.Table, refused: anyorder.Event, path: Path
) -> None:
    """The row would be written as the event tells it, and nothing else that his code does."""
    (entry,) = table.quarantine.entries()
    with pytest.raises(ConfigurationError, match="deliver the event again"):
        table.quarantine.accept(entry.id)
    assert (rows(path), table.why("a").state) == ({}, "unknown")


def test_retry_leaves_it_to_his_sql(table: anyorder.Table, refused: anyorder.Event) -> None:
    """All of them, or one."""
    with table.store.reading() as transaction:
        catalogue = Catalogue(lambda *_: Unrouted(""))
        catalogue.load(transaction)
    retry = Retry(
        table.store, catalogue, lambda told, sent: Reading(table._decode(told, sent), told)
    )
    assert retry.run() == Retried(settled=0, open=1, own=1)
    with pytest.raises(ConfigurationError, match="deliver the event again"):
        retry.run([1])
    assert table.why("a").state == "unknown"


def test_what_moves_its_key_by_another_way_leaves_it_to_his_sql(
    table: anyorder.Table, refused: anyorder.Event, path: Path
) -> None:
    """As a run that decides again all that is held in the store."""
    table.apply([json.dumps(order("a", 2, note="n")).encode()])
    with table.store.transaction(0.0) as transaction:
        apply(transaction, table.spec, [], "token", reconsider=True)
    (entry,) = table.quarantine.entries()
    assert (entry.state, rows(path)) == ("open", {"a": 2})


def test_the_same_event_accepted_later_closes_the_entry(
    table: anyorder.Table, connection: sqlite3.Connection, refused: anyorder.Event, path: Path
) -> None:
    """Delivered again, as the page says."""
    take(table, connection, order("b", 1), order("a", 1))
    assert table.quarantine.entries() == []
    (entry,) = table.quarantine.entries("settled")
    assert entry.detail == "its customer is not known; then applied"
    assert rows(path) == {"a": 1, "b": 1}


def test_accepted_later_and_not_written_it_stays_open(
    table: anyorder.Table, connection: sqlite3.Connection, refused: anyorder.Event
) -> None:
    """By an exception, or by SQL that met no row: nothing of it is there."""

    def failing() -> None:
        with table.transaction(connection) as guard, guard.accepting(refused):
            raise Failed

    with pytest.raises(Failed):
        failing()
    assert [entry.id for entry in table.quarantine.entries()] == [1]
    with table.transaction(connection) as guard:
        assert guard.accept(refused)
        connection.execute("UPDATE orders SET total = 1 WHERE id = 'a'")
    assert [entry.id for entry in table.quarantine.entries()] == [1]
    assert table.why("a").state == "unknown"


def test_a_newer_one_accepted_leaves_the_older_to_be_delivered_again(
    table: anyorder.Table, connection: sqlite3.Connection, refused: anyorder.Event
) -> None:
    """Then it is known what became of it."""
    take(table, connection, order("a", 2))
    assert len(table.quarantine.entries()) == 1
    (decision,) = take(table, connection, order("a", 1))
    assert decision.reason is Reason.STALE
    assert table.quarantine.entries() == []


def test_what_his_code_refused_and_ties_by_now_is_listed_by_the_entry_of_its_dispute(
    table: anyorder.Table, connection: sqlite3.Connection, path: Path
) -> None:
    refused, other = order("a", 5, note="x"), order("a", 5, note="y")
    with table.transaction(connection) as guard:
        guard.refuse(event_of(table, refused), "not yet")

    take(table, connection, other)
    take(table, connection, refused)

    (entry,) = table.quarantine.entries()
    assert entry.identity.startswith("dispute ")
    assert len(table.quarantine.show(entry.id).contents) == 2
    assert [one.state for one in table.quarantine.entries("")] == ["settled", "open"]
    assert agree(table, path, "a")


def test_a_dispute_stays_open_while_one_of_the_contents_that_it_lists_is_disputed(
    connection: sqlite3.Connection, path: Path
) -> None:
    """One of them was overtaken in the column that it told."""
    table = orders(path, partial=True)
    told = {"id": "a", "version": 5}
    one, other = {**told, "total": 1}, {**told, "total": 2, "note": "x"}
    take(table, connection, other, one, {**told, "total": 3, "note": "y"})
    take(table, connection, {"id": "a", "version": 6, "total": 4})

    (decision,) = take(table, connection, one)

    assert decision.reason is Reason.STALE
    assert table.why("a").disputed == ["note"]
    assert [entry.id for entry in table.quarantine.entries()] == [1]
    # What is newer than all of them ends it, as soon as one of them is told again.
    take(table, connection, {"id": "a", "version": 7, "total": 5, "note": "z"}, one)
    assert table.quarantine.entries() == []


@pytest.mark.parametrize("way", ["refused", "refused in accepting", "never written"])
def test_what_was_taken_back_has_taught_nothing_of_the_key(path: Path, way: str) -> None:
    """The first key was a text; the table's are numbers."""
    table = anyorder.table(f"sqlite:///{path}", "plain", key="/id", position="/version")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE plain (id PRIMARY KEY, total)")
        first, second = (event_of(table, order(key, 1)) for key in ("a-1", 7))
        with table.transaction(connection) as guard:
            if way == "refused":
                guard.accept(first)
                guard.refuse(first, "not one of ours")
            elif way == "never written":
                guard.accept(first)
                connection.execute("UPDATE plain SET total = 1 WHERE id = 'a-1'")
            else:
                with guard.accepting(first):
                    guard.refuse(first, "not one of ours")
            decision = guard.accept(second)
            connection.execute("INSERT INTO plain VALUES (7, 1)")

        assert decision.reason is Reason.APPLIED


def test_what_is_refused_claims_no_table(path: Path) -> None:
    table = anyorder.table(f"sqlite:///{path}", "users", key="id")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (id PRIMARY KEY, name)")
        (mistaken,) = table.decode([of_orders(record(1, "c", 10, after={"id": 1}))])
        (meant,) = table.decode([record(2, "c", 20, after={"id": 2})])
        with table.transaction(connection) as guard:
            guard.accept(mistaken)
            guard.refuse(mistaken, "of another table")
            decision = guard.accept(meant)
            connection.execute("INSERT INTO users VALUES (2, NULL)")

        assert decision.reason is Reason.APPLIED
