"""Rows of a table of the user's own that take their positions from a column of it, in SQLite: what
they come to, and the pass that writes the positions down."""

from __future__ import annotations

import json
import logging
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder import errors
from anyorder._core.event import canonical
from anyorder.guard.adoption import adopt_rows
from anyorder.guard.contract import Adopted
from anyorder.stores.sqlite import adoption
from anyorder.stores.sqlite.store import SQLiteStore

BY_VERSION: dict[str, Any] = {
    "key": "/id",
    "position": "/version",
    "deleted": "/deleted",
    "adopt": "column:version",
}
MAKE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, note TEXT, version INTEGER)"
PASS = """
import sys, time
import anyorder
from anyorder.stores.sqlite import adoption

adoption.PAGE = int(sys.argv[2])
table = anyorder.table(
    f"sqlite:///{sys.argv[1]}", "t", key="/id", position="/version", adopt="column:version"
)
rounds = 0
while not table.store.adopt(table.spec, time.time()).is_done:
    rounds += 1
    print(rounds, flush=True)
print("done", flush=True)
"""


class Home:
    """A database file with a table `t` of the user's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    def sql(self, script: str) -> None:
        with closing(sqlite3.connect(self.path, timeout=60)) as database:
            database.executescript(script)

    def fill(self, rows: int) -> None:
        """Rows whose version is 2."""
        self.sql(MAKE)
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany(
                "INSERT INTO t VALUES (?, ?, 'mine', 2)",
                ((number, f"n{number}") for number in range(1, rows + 1)),
            )

    def rows(self, columns: str = "*", table: str = "t") -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as database:
            return sorted(database.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)

    def table(self, **options: Any) -> anyorder.Table:
        return anyorder.table(self.url, "t", **{**BY_VERSION, **options})

    def reasons(self, *documents: dict[str, Any], **options: Any) -> list[str]:
        """How each ends, a batch each."""
        with self.table(**options) as table:
            return [_reason(table.apply([json.dumps(one)])) for one in documents]

    def passing(self, page: int) -> subprocess.Popen[str]:
        """A process that makes the pass, and tells how many pages it has done."""
        words = [sys.executable, "-c", PASS, str(self.path), str(page)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def _reason(report: anyorder.Report) -> str:
    told = report.applied + report.ignored.total() + report.quarantined.total()
    assert told == 1
    (reason,) = [*report.ignored, *report.quarantined, *["applied"] * report.applied]
    return str(reason)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "app.db")


# ---- what a row comes to


def test_a_row_is_as_an_event_at_the_version_in_its_column(home: Home) -> None:
    """Late ones are stale, its own is a duplicate, another content or an end at its version is
    held, newer ones are applied; and what no event names stays the user's."""
    home.fill(9)
    found = home.reasons(
        {"id": 1, "version": 1, "name": "late"},
        {"id": 2, "version": 1, "deleted": True},
        {"id": 3, "version": 2, "name": "n3"},
        {"id": 4, "version": 2, "name": "other"},
        {"id": 5, "version": 2, "deleted": True},
        {"id": 6, "version": 3, "name": "new"},
        {"id": 7, "version": 3, "deleted": True},
        {"id": 10, "version": 1, "name": "first"},
    )

    assert found == [
        *("stale", "stale", "duplicate", "conflict", "conflict"),
        *("applied", "applied", "applied"),
    ]
    assert home.rows("id, name, note, version") == sorted(
        [
            *[(number, f"n{number}", "mine", 2) for number in (1, 2, 3, 4, 5, 8, 9)],
            (6, "new", "mine", 3),
            (10, "first", None, 1),
        ],
        key=repr,
    )


@pytest.mark.parametrize("first", [0, 1])
def test_the_row_s_own_event_and_another_content_come_to_one_end_in_any_order(
    home: Home, first: int
) -> None:
    home.fill(1)
    events = [{"id": 1, "version": 2, "name": "n1"}, {"id": 1, "version": 2, "name": "other"}]
    found = home.reasons(*(events if first == 0 else reversed(events)))

    assert sorted(found) == ["conflict", "duplicate"]
    assert home.rows("name, note") == [("n1", "mine")]
    with home.table() as table:
        (entry,) = table.quarantine.entries()
        assert entry.detail == 'the other content: {"id":1,"name":"other","version":2}'
        assert "the adopted row settled, says otherwise of name." in str(table.why(1))


def test_a_person_may_choose_the_other_content_and_the_row_s_again(home: Home) -> None:
    home.fill(1)
    home.reasons({"id": 1, "version": 2, "name": "other"})
    with home.table() as table:
        (entry,) = table.quarantine.entries()
        table.quarantine.accept(entry.id)
    assert home.rows("name, note") == [("other", "mine")]
    assert home.reasons({"id": 1, "version": 2, "name": "n1"}) == ["conflict"]
    with home.table() as table:
        (entry,) = table.quarantine.entries()
        table.quarantine.accept(entry.id)

    assert home.rows("name, note") == [("n1", "mine")]


@pytest.mark.parametrize(
    ("declared", "there", "told"),
    [
        ("TEXT", '["a", {"b": 1.50}]', ["a", {"b": 1.5}]),
        ("BOOLEAN", 1, True),
        ("DECIMAL(9, 2)", "12.50", 12.5),
        ("DECIMAL(9, 2)", 12.5, 12.50),
        ("", 12.5, 12.5),
        ("TEXT", "12.5", 12.5),
        ("INTEGER", 3, 3),
        ("TEXT", None, None),
        ("TEXT", str(2**70), 2**70),
    ],
)
def test_what_a_column_makes_of_a_value_is_the_value_that_was_told(
    home: Home, declared: str, there: object, told: object
) -> None:
    home.sql(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared}, version INTEGER)")
    with closing(sqlite3.connect(home.path)) as database, database:
        database.execute("INSERT INTO t VALUES (1, ?, 2)", (there,))

    assert home.reasons({"id": 1, "version": 2, "v": told}) == ["duplicate"]


@pytest.mark.parametrize(
    ("there", "told"), [("a", "A"), ("a", "a "), ("1", "01"), ("[1]", [2]), ("null", None)]
)
def test_what_a_text_column_holds_otherwise_is_another_content(
    home: Home, there: str, told: object
) -> None:
    home.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT COLLATE NOCASE, version INTEGER);"
        f"INSERT INTO t VALUES (1, '{there}', 2)"
    )

    assert home.reasons({"id": 1, "version": 2, "v": told}) == ["conflict"]


@pytest.mark.parametrize("is_passed", [True, False])
def test_a_column_that_events_name_later_keeps_in_adopted_rows_what_lay_there(
    home: Home, is_passed: bool
) -> None:
    home.fill(2)
    with home.table() as table:
        if is_passed:
            adopt_rows(table.store, table.spec, 1.0)
        table.apply([{"id": 1, "version": 3, "name": "new"}])
        table.apply([{"id": 3, "version": 1, "name": "third", "note": "told"}])

    # The first was told whole without it, as if the event that names it had come before.
    assert home.rows("id, note") == [(1, None), (2, "mine"), (3, "told")]


def test_a_column_that_is_named_later_stays_in_a_row_that_was_told_in_part(home: Home) -> None:
    """An event told the name alone; the rest is what lay there."""
    home.fill(1)
    home.reasons({"id": 1, "version": 3, "name": "new"}, partial=True)
    home.reasons({"id": 2, "version": 1, "note": "told"})

    assert home.rows("id, name, note") == [(1, "new", "mine"), (2, None, "told")]


@pytest.mark.parametrize("is_passed", [True, False])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_delete_ends_what_lay_there_also_in_columns_that_no_event_names(
    home: Home, order: tuple[int, int], batch: int, is_passed: bool
) -> None:
    """A part that is newer than the delete begins a row of its own, whichever of them came
    first."""
    home.fill(1)
    events = [{"id": 1, "version": 3, "deleted": True}, {"id": 1, "version": 4, "name": "new"}]
    came = [events[place] for place in order]
    with home.table(partial=True) as table:
        if is_passed:
            adopt_rows(table.store, table.spec, 1.0)
        for place in range(0, 2, batch):
            table.apply(came[place : place + batch])

    assert home.rows("id, name, note, version") == [(1, "new", None, 4)]


@pytest.mark.parametrize(
    ("columns", "row", "key"),
    [
        ("(a TEXT, b INTEGER, version, PRIMARY KEY (a, b))", "'x', 1, 2", {"a": "x", "b": 1}),
        (
            "(a TEXT, b INTEGER, version, PRIMARY KEY (b, a)) WITHOUT ROWID",
            "'x', 1, 2",
            {"a": "x", "b": 1},
        ),
        ("(a BOOLEAN, b TEXT, version, UNIQUE (a, b))", "1, 'y', 2", {"a": True, "b": "y"}),
        ("(a DOUBLE, b REAL, version, UNIQUE (a, b))", "1.5, 2, 2", {"a": 1.5, "b": 2}),
        ("(rowid TEXT, oid TEXT, version, UNIQUE (rowid))", "'r', 'o', 2", {"rowid": "r"}),
    ],
    ids=["two columns", "without rowid", "boolean", "doubles", "called rowid"],
)
def test_a_row_is_found_whatever_its_key(
    home: Home, columns: str, row: str, key: dict[str, object]
) -> None:
    """Written down by the pass, and under the key that its events have."""
    home.sql(f"CREATE TABLE t {columns}; INSERT INTO t VALUES ({row})")
    with home.table(key=[f"/{name}" for name in key]) as table:
        assert adopt_rows(table.store, table.spec, 1.0) == ""
        ((entity,),) = home.rows("entity", "anyorder_memory_t")
        assert entity == canonical(key)
        assert table.apply([json.dumps({**key, "version": 1})]).ignored == {"stale": 1}


def test_a_column_that_is_called_rowid_is_no_place_of_a_row(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PAGE", 2)
    home.sql("CREATE TABLE t (id TEXT PRIMARY KEY, rowid TEXT, version)")
    home.sql("INSERT INTO t VALUES ('a', 'x', 1), ('b', 'x', 1), ('c', 'x', 1), ('d', NULL, 1)")
    with home.table() as table:
        assert adopt_rows(table.store, table.spec, 1.0) == ""

    assert len(home.rows("entity", "anyorder_memory_t")) == 4


def test_times_of_a_declared_unit_compare_with_those_of_events(home: Home) -> None:
    home.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, updated);"
        "INSERT INTO t VALUES (1, 'a', 1798761600), (2, 'b', '2027-01-01T00:00:00Z'),"
        "(3, 'c', '2027-01-01 00:00:00')"
    )
    options = {
        "position": "/updated",
        "position_kind": "timestamp",
        "unit": "s",
        "adopt": "column:updated",
    }
    late = "2026-12-31T23:59:59Z"
    with home.table(**options) as table:
        report = table.apply([{"id": key, "updated": late, "name": "late"} for key in (1, 2, 3)])

    # The third has no zone, so it is no moment: older than every event.
    assert (report.applied, report.ignored) == (1, {"stale": 2})
    assert home.rows("name") == [("a",), ("b",), ("late",)]


def test_ranks_of_a_status_are_positions_of_rows(home: Home) -> None:
    home.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, status TEXT);"
        "INSERT INTO t VALUES (1, 'sent'), (2, 'sent'), (3, 'unheard of')"
    )
    options = {
        "position": "/status",
        "ranks": ["queued", "sent", "delivered"],
        "adopt": "column:status",
    }
    found = home.reasons(
        {"id": 1, "status": "queued"},
        {"id": 1, "status": "sent"},
        {"id": 2, "status": "delivered"},
        {"id": 3, "status": "queued"},
        **options,
    )

    assert found == ["stale", "duplicate", "applied", "applied"]


def test_a_block_of_the_user_s_own_sql_knows_adopted_rows(home: Home) -> None:
    home.fill(2)
    table = home.table()
    events = [{"id": 1, "version": 1, "name": "late"}, {"id": 2, "version": 3, "name": "new"}]
    with closing(sqlite3.connect(home.path, isolation_level=None)) as own:
        with table.transaction(own) as guard:
            late, new = table.decode([json.dumps(one) for one in events])
            assert not guard.accept(late)
            assert guard.accept(new)
            own.execute("UPDATE t SET name = 'new', version = 3 WHERE id = 2")
        assert table.apply(events).ignored.total() == 2
    table.close()


# ---- without a position


def test_rows_without_a_position_are_older_than_everything_and_that_is_said(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.fill(2)
    home.sql("INSERT INTO t VALUES (3, 'c', '', NULL), (4, 'd', '', 'x'), (5, 'e', '', -1)")
    with caplog.at_level(logging.WARNING):
        found = home.reasons(*({"id": key, "version": 1, "name": "new"} for key in range(1, 6)))

    assert found == ["stale", "stale", "applied", "applied", "applied"]
    said = "table t: 3 of 5 rows have no position in the column version"
    assert [said in one for one in caplog.messages] == [True]
    assert '({"id":3} with None), and are older than every event' in caplog.text
    with home.table() as table:
        findings = [finding for _, finding, _ in table.store.check(table.spec)]
    assert any("3 of 5 rows had no position in the column version" in one for one in findings)


@pytest.mark.parametrize("known", [True, False], ids=["adopted before", "new"])
def test_rows_without_a_position_are_refused_if_that_is_said_and_nothing_is_written(
    home: Home, known: bool
) -> None:
    home.fill(2)
    home.sql("INSERT INTO t VALUES (3, 'c', '', NULL), (4, 'd', '', 'x')")
    if known:
        home.reasons({"id": 9, "version": 1}, adopt="older-than-everything")
    before = home.rows()

    refused = 'has 2 rows without a position in its column version, for example {"id":3} with None'
    with pytest.raises(errors.TableNotEmpty, match="without a position") as error:
        home.reasons({"id": 1, "version": 3}, adopt_without="refuse")
    assert refused in str(error.value)
    assert home.rows() == before
    if known:
        assert home.reasons({"id": 1, "version": 1}, adopt="older-than-everything") == ["applied"]


# ---- what is refused


def test_a_table_without_the_column_is_refused(home: Home) -> None:
    home.fill(1)
    with pytest.raises(errors.ConfigurationError, match=r"no column v, .* it has: id, name"):
        home.reasons({"id": 1, "version": 1}, adopt="column:v")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"envelope": "debezium"}, "of the envelope debezium"),
        ({"envelope": "raw"}, "envelope raw"),
        ({"envelope": "cloudevents", "key": "subject"}, "envelope cloudevents"),
        ({"envelope": "dynamodb_streams"}, "envelope dynamodb_streams"),
        ({"envelope": "eventbridge"}, "envelope debezium"),
        ({"key": "/id", "position": "/v", "incarnation": "/born"}, "in one life of its key"),
    ],
)
def test_positions_that_no_column_holds_refuse_it(
    home: Home, options: dict[str, Any], told: str
) -> None:
    """A log position, an offset or a producer's sequence is of a scope that no row knows, and a
    version in one of several lives of one that no row tells."""
    with pytest.raises(errors.ConfigurationError, match=told):
        anyorder.table(home.url, "t", **{"key": "id", "adopt": "column:version", **options})


@pytest.mark.parametrize("adopt", ["column:", "columns:version", "version", ""])
def test_a_word_that_says_nothing_is_refused(home: Home, adopt: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="adopt is"):
        home.table(adopt=adopt)


@pytest.mark.parametrize(
    "options",
    [{"adopt_without": "guess"}, {"adopt": "older-than-everything", "adopt_without": "refuse"}],
)
def test_what_a_row_without_a_position_is_has_two_words(
    home: Home, options: dict[str, Any]
) -> None:
    with pytest.raises(errors.ConfigurationError, match="adopt_without is"):
        home.table(**options)


def test_a_pass_that_another_clock_began_is_not_gone_on_with(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PAGE", 2)
    home.fill(5)
    with home.table() as table:
        table.store.adopt(table.spec, 1.0)
    with pytest.raises(errors.ConfigurationError, match="say it as it was"):
        home.reasons({"id": 1, "version": 1}, position_kind="hex")


# ---- the pass


def test_the_pass_is_of_few_rows_at_a_time_and_writes_each_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PAGE", 3)
    home.fill(7)
    with home.table() as table:
        found = [table.store.adopt(table.spec, float(now)) for now in range(1, 5)]

    assert [one.rows for one in found] == [3, 6, 7, 0]
    assert found[-1] == Adopted(is_done=True)
    since = home.rows("since", "anyorder_memory_t")
    assert since == [(1.0,)] * 3 + [(2.0,)] * 3 + [(3.0,)]


def test_a_pass_that_is_stopped_goes_on_where_it_was(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PAGE", 2)
    home.fill(5)
    asked: list[int] = []

    def stops() -> bool:
        asked.append(1)
        return len(asked) > 1

    with home.table() as table:
        assert adopt_rows(table.store, table.spec, 1.0, stops) is None
        assert len(home.rows("entity", "anyorder_memory_t")) == 2
        assert adopt_rows(table.store, table.spec, 1.0) == ""
    assert len(home.rows("entity", "anyorder_memory_t")) == 5


def test_an_event_that_came_before_the_pass_is_not_undone_by_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PAGE", 2)
    home.fill(4)
    # The column keeps what lay there: the event does not name it.
    with home.table(fields="/row") as table:
        table._is_adopted = True
        table.apply([{"id": 4, "version": 7, "row": {"name": "new"}}])
        adopt_rows(table.store, table.spec, 1.0)
        late = {"id": 4, "version": 6, "row": {"name": "late"}}
        assert table.apply([late]).ignored == {"stale": 1}
    assert home.rows("version") == [(2,)] * 4


def test_rows_that_a_hand_puts_before_and_behind_the_pass_have_their_own_position(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PAGE", 2)
    home.fill(4)
    with home.table() as table:
        table.store.adopt(table.spec, 1.0)
        home.sql(
            "INSERT INTO t VALUES (-5, 'a', '', 9), (99, 'b', '', 9); DELETE FROM t WHERE id=3"
        )
        adopt_rows(table.store, table.spec, 1.0)
    late = [{"id": key, "version": 8, "name": "late"} for key in (-5, 99)]

    assert home.reasons(*late, {"id": 3, "version": 1, "name": "x"}) == [
        "stale",
        "stale",
        "applied",
    ]


def test_a_row_that_is_changed_by_hand_after_the_pass_is_as_it_was_remembered(home: Home) -> None:
    home.fill(1)
    with home.table() as table:
        adopt_rows(table.store, table.spec, 1.0)
    home.sql("UPDATE t SET version = 9")

    assert home.reasons({"id": 1, "version": 3, "name": "new"}) == ["applied"]


def test_what_was_older_than_everything_may_take_its_position_from_a_column_later(
    home: Home,
) -> None:
    home.fill(2)
    home.reasons({"id": 1, "version": 1, "name": "a"}, adopt="older-than-everything")

    late = [{"id": key, "version": 0, "name": "late"} for key in (1, 2)]
    assert home.reasons(*late) == ["stale", "stale"]
    assert home.rows("name") == [("a",), ("n2",)]


def test_a_dry_step_decides_as_the_pass_would_and_writes_nothing(home: Home) -> None:
    home.fill(1)
    with home.table() as table, table.store.transaction(1.0, dry=True) as transaction:
        transaction.open_table(table.spec)
        (known,) = transaction.remembered(table.spec, ['{"id":1}']).values()
        assert known.memory is not None
        assert known.memory.stamp.position.value == (2,)
    assert home.rows("name", "sqlite_master WHERE name LIKE 'anyorder_memory%'") == []


def _is_right(home: Home, rows: int) -> None:
    """Every row has the memory of its own version, once."""
    memories = home.rows("entity, memory", "anyorder_memory_t")
    assert len(memories) == rows
    versions = {json.loads(text)[0][0][3][0] for _, text in memories}
    assert versions == {2}
    with closing(sqlite3.connect(home.path)) as database:
        (told,) = database.execute("SELECT position FROM anyorder_frontier").fetchone()
    reached = json.loads(told)
    assert reached["is_done"]
    assert reached["rows"] == rows


def test_a_pass_that_is_killed_goes_on_where_it_was(home: Home) -> None:
    """With SIGKILL, again and again, wherever it is; and nothing is written twice."""
    rows, kills = 3000, 0
    home.fill(rows)
    while True:
        process = home.passing(page=300)
        assert process.stdout is not None
        line = process.stdout.readline()
        if line.strip() == "done":
            process.communicate()
            break
        time.sleep(0.003 * (kills % 7))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
    assert kills > 1
    _is_right(home, rows)


def test_two_passes_at_once_take_turns(home: Home) -> None:
    rows, page = 6000, 40
    home.fill(rows)
    both: Sequence[subprocess.Popen[str]] = [home.passing(page), home.passing(page)]
    told = [process.communicate(timeout=120)[0].split() for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert [words[-1] for words in told] == ["done", "done"]
    # No page was taken by both.
    assert sum(len(words) - 1 for words in told) <= rows // page + 1
    _is_right(home, rows)


def test_a_store_of_another_kind_says_that_it_cannot() -> None:
    """One that takes no positions from a column is asked for none."""

    class Bare:
        promises = SQLiteStore.promises

    from anyorder.guard.adoption import check_store

    spec = anyorder.table("sqlite://", "t", **BY_VERSION).spec
    with pytest.raises(errors.ConfigurationError, match="takes no positions from a column"):
        check_store(Bare(), spec)  # type: ignore[arg-type]
