"""One table in many threads: nothing that one of them was told is undone by another."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import StoreError
from anyorder.guard.contract import EntryQuery
from anyorder.stores.sqlite import lock
from tests.streams import record
from tests.table.threads import run


@pytest.fixture
def table(tmp_path: Path) -> anyorder.Table:
    return anyorder.table(f"sqlite:///{tmp_path / 'app.db'}", "users", key="id")


def created(key: int) -> dict[str, Any]:
    return record(key, "c", 10 + key, after={"id": key})


def test_eight_threads_with_one_table_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    found = run(tmp_path / "app.db", 800)

    assert (found.acknowledged, found.missing, found.unsettled) == (720, 0, 0)


def test_a_question_inside_a_transaction_of_the_same_thread_sees_what_it_wrote(
    table: anyorder.Table,
) -> None:
    table.apply([created(1)])
    store = table.store
    with store.transaction(time.time()) as transaction:
        transaction.save_frontier("source", "7")
        with store.reading() as view, store.reading() as inner:
            assert view.frontier("source") == inner.frontier("source") == "7"
        assert table.why(1).state == "row"
    with store.reading() as view:
        assert view.frontier("source") == "7"


def test_a_second_transaction_of_the_same_thread_is_refused_and_the_first_goes_on(
    table: anyorder.Table,
) -> None:
    with table.store.transaction(time.time()) as transaction:
        with pytest.raises(StoreError, match="end it before you begin another"):
            table.apply([created(1)])
        with pytest.raises(StoreError, match="before you close it"):
            table.close()
        transaction.save_frontier("source", "7")

    table.apply([created(2)])
    assert table.why(2).state == "row"


def test_a_question_waits_for_another_thread_s_transaction_and_sees_it_whole(
    table: anyorder.Table,
) -> None:
    table.apply([created(1)])
    seen: list[str | None] = []
    began = threading.Event()

    def ask() -> None:
        began.set()
        with table.store.reading() as view:
            seen.append(view.frontier("source"))

    asking = threading.Thread(target=ask)
    with table.store.transaction(time.time()) as transaction:
        transaction.save_frontier("source", "7")
        asking.start()
        began.wait()
    asking.join()

    assert seen == ["7"]


@pytest.mark.parametrize("ask", [lambda table: table.why(1), lambda table: None])
def test_a_thread_that_waits_for_a_writer_keeps_no_question_of_that_writer_waiting(
    table: anyorder.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Any
) -> None:
    """The writer is a block of the caller's own SQL in another thread, which asks `why`, or begins
    a second table's block, before it commits."""
    monkeypatch.setattr(lock, "LOCKED_SECONDS", 3.0)
    other = anyorder.table(f"sqlite:///{tmp_path / 'app.db'}", "others", key="id")
    connection = sqlite3.connect(tmp_path / "app.db")
    applying = [
        threading.Thread(target=guarded.apply, args=[[created(7)]]) for guarded in (table, other)
    ]
    with table.transaction(connection):
        for thread in applying:
            thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        ask(table)
        with other.transaction(connection):
            pass
        took = time.monotonic() - began
    for thread in applying:
        thread.join()

    assert took < 2
    assert [guarded.why(7).state for guarded in (table, other)] == ["row", "row"]


USES: list[Callable[[anyorder.Table], object]] = [
    lambda table: table.apply([created(1)]),
    lambda table: table.why(1),
    lambda table: table.quarantine.entries(),
    lambda table: table.quarantine.drop(1),
    lambda table: list(table.store.check(table.spec)),
]


@pytest.mark.parametrize("use", USES)
def test_a_closed_table_says_so(table: anyorder.Table, use: Callable[..., object]) -> None:
    table.close()
    table.close()
    with pytest.raises(StoreError, match="was closed"):
        use(table)


def test_threads_that_meet_the_end_are_told_in_a_sentence_and_what_they_did_stays(
    table: anyorder.Table, tmp_path: Path
) -> None:
    told: list[int] = []
    ends: list[Exception] = []

    def go_on(number: int) -> None:
        key = number * 10_000
        try:
            while True:
                key += 1
                table.apply([created(key)])
                told.append(key)
                with table.store.reading() as view:
                    list(view.entries(EntryQuery("")))
        except Exception as error:
            ends.append(error)

    running = [threading.Thread(target=go_on, args=[number]) for number in range(4)]
    for thread in running:
        thread.start()
    while len(told) < 40:
        time.sleep(0.001)
    table.close()
    for thread in running:
        thread.join()

    assert [type(end) for end in ends] == [StoreError] * 4
    again = anyorder.table(f"sqlite:///{tmp_path / 'app.db'}", "users", key="id")
    assert all(again.why(key).state == "row" for key in told)


@pytest.mark.parametrize("use", USES)
def test_a_table_that_was_opened_before_a_fork_is_refused_after_it(
    table: anyorder.Table, use: Callable[..., object]
) -> None:
    table.apply([created(1)])
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            use(table)
            os.write(writing, b"it went on")
        except StoreError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)

    assert b"after the fork" in os.read(reading, 1000)
    os.close(reading)
    assert table.why(1).state == "row"


@pytest.mark.parametrize("use", USES[:2])
def test_a_transaction_of_the_user_s_on_the_store_s_connection_is_not_undone_by_a_refused_step(
    table: anyorder.Table, use: Callable[..., object]
) -> None:
    database = table.store.database  # type: ignore[attr-defined]
    database.execute("CREATE TABLE mine (a)")
    database.execute("BEGIN")
    database.execute("INSERT INTO mine VALUES (1)")

    with pytest.raises(StoreError):
        use(table)
    database.execute("COMMIT")

    assert database.execute("SELECT a FROM mine").fetchall() == [(1,)]


# ---- the exception of a signal handler, at any moment


class Late(BaseException):
    """What a signal handler raises."""


def cut(act: Callable[[], object], number: int) -> bool:
    """Carry it out, and raise at the n-th of the moments of SQLite's store at which Python carries
    out signal handlers: where a function begins, and where one of C's ends. False if it has fewer.
    """
    left = number

    def look(frame: Any, event: str, _: object) -> None:
        nonlocal left
        is_ours = "stores/sqlite" in frame.f_code.co_filename
        # A generator that goes on with an exception handles no signal before it.
        is_resumed = event == "call" and bool(frame.f_code.co_flags & inspect.CO_GENERATOR)
        if not is_ours or is_resumed or event not in ("call", "c_return", "c_exception"):
            return
        left -= 1
        if left == 0:
            raise Late

    sys.setprofile(look)
    try:
        act()
    except Late:
        return True
    finally:
        sys.setprofile(None)
    return left <= 0


def test_an_exception_at_any_moment_leaves_a_table_that_goes_on(
    table: anyorder.Table, tmp_path: Path
) -> None:
    table.apply([created(1)])
    connection = sqlite3.connect(tmp_path / "app.db", timeout=0.1)

    def own() -> None:
        with table.transaction(connection) as guard:
            guard.accept(next(iter(table.decode([created(2)]))))

    def fail() -> None:
        with contextlib.suppress(KeyError), table.store.transaction(time.time()) as transaction:
            transaction.save_frontier("source", "7")
            raise KeyError

    acts: list[Callable[[], object]] = [
        fail,
        lambda: table.apply([created(2)]),
        lambda: table.why(1),
        own,
    ]
    for act in acts:
        for number in itertools.count(1):
            if not cut(act, number):
                break
            # what the exception has left behind is gone: no transaction, no lock, no turn
            assert not table.store.database.in_transaction  # type: ignore[attr-defined]
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
            other = threading.Thread(target=table.apply, args=[[created(number)]], daemon=True)
            other.start()
            other.join(10)
            assert not other.is_alive()
            table.apply([created(1000 + number)])
        assert number > 5
    assert table.why(1).state == table.why(1001).state == "row"
