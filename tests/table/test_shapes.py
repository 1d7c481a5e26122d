"""What a table looks like is found in the store, and believed no longer than the store says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import StoreError
from anyorder.guard.contract import TableSpec
from anyorder.stores.sqlite.store import SQLiteStore
from tests.streams import record

NAMES = {1: "a", 2: "never", 3: "c"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def users(path: Path, **options: Any) -> anyorder.Table:
    return anyorder.table(f"sqlite:///{path}", "users", **options)


def rows(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM users ORDER BY id")]


def execute(path: Path, statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(statements)


def keyed(made: dict[str, Any], key: str) -> dict[str, Any]:
    return {**made, "key": key}


def test_a_key_of_other_columns_is_malformed_wherever_it_stands_in_its_batch(path: Path) -> None:
    table = users(path)
    table.apply([record(1, "c", 10, after={"id": 1, "name": "a"})])
    wider = keyed(
        record(1, "c", 30, after={"id": 2, "name": "other", "region": "eu"}),
        '{"id": 2, "region": "eu"}',
    )
    narrower = keyed(record(1, "c", 40, after={"id": 3, "name": "third"}), '{"number": 3}')

    report = table.apply([record(1, "u", 20, after={"id": 1, "name": "b"}), wider, narrower])

    assert (report.applied, report.quarantined) == (1, {"malformed": 2})
    assert [(row["id"], row["name"]) for row in rows(path)] == [(1, "b")]


def test_an_index_that_is_unique_for_some_rows_only_is_no_key(path: Path) -> None:
    """Refused when the table is first looked at, whatever the first event is."""
    execute(path, "CREATE TABLE users (id INTEGER, name TEXT)")
    execute(path, "CREATE UNIQUE INDEX named ON users (id) WHERE name IS NOT NULL")

    with pytest.raises(StoreError):
        users(path, key="id").apply([record(1, "d", 10)])

    execute(path, "CREATE UNIQUE INDEX each ON users (id)")
    assert users(path, key="id").apply([record(1, "d", 10)]).applied == 1


def test_an_index_that_is_not_unique_is_no_key(path: Path) -> None:
    execute(path, "CREATE TABLE users (id INTEGER, name TEXT)")
    execute(path, "CREATE INDEX often ON users (id)")

    with pytest.raises(StoreError):
        users(path, key="id").apply([record(1, "d", 10)])


def test_a_column_that_went_with_a_refused_batch_is_made_again(path: Path) -> None:
    """The store takes back the new column together with the rows; then each comes by itself."""
    table = users(path)
    table.apply([record(1, "c", 10, after={"id": 1, "name": "a"})])
    execute(
        path,
        "CREATE TRIGGER never BEFORE INSERT ON users WHEN NEW.name = 'never' "
        "BEGIN SELECT RAISE(ABORT, 'never'); END",
    )

    report = table.apply(
        [
            record(2, "c", 20, after={"id": 2, "name": "b", "city": "Oslo"}),
            record(3, "c", 30, after={"id": 3, "name": "never", "city": "Rome"}),
        ]
    )

    assert (report.applied, report.quarantined.total()) == (1, 1)
    assert rows(path) == [
        {"id": 1, "name": "a", "city": None},
        {"id": 2, "name": "b", "city": "Oslo"},
    ]


def test_nothing_of_a_refused_row_stays_however_late_it_is_refused(path: Path) -> None:
    """The user's trigger speaks after the row was written, and takes nothing back itself."""
    execute(path, "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    execute(
        path,
        "CREATE TRIGGER never AFTER INSERT ON users WHEN NEW.name = 'never' "
        "BEGIN SELECT RAISE(FAIL, 'never'); END",
    )

    report = users(path, key="id").apply(
        [record(key, "c", 10, after={"id": key, "name": name}) for key, name in NAMES.items()]
    )

    assert (report.applied, report.quarantined.total()) == (2, 1)
    assert rows(path) == [{"id": 1, "name": "a"}, {"id": 3, "name": "c"}]


def test_a_key_that_a_refused_event_told_is_not_learned(path: Path) -> None:
    """Whatever this process saw before: another one, started now, would not know of it."""
    table = users(path)
    refused = keyed(record(1, "c", 10, after={"n": 1, "name": "a", "Name": "b"}), '{"n": 1}')

    reports = [table.apply([one]) for one in (refused, record(1, "c", 20, after={"id": 1}))]

    assert [(report.applied, report.quarantined) for report in reports] == [
        (0, {"malformed": 1}),
        (1, {}),
    ]
    assert rows(path) == [{"id": 1}]


def test_a_table_that_went_with_a_transaction_is_made_again(path: Path) -> None:
    """The input breaks off after more records than are decided together."""
    records = [record(key, "c", key, after={"id": key}) for key in range(1, 1201)]

    def broken() -> Iterator[dict[str, Any]]:
        yield from records
        raise BrokenPipeError

    table = users(path)
    with pytest.raises(BrokenPipeError):
        table.apply(broken())
    report = table.apply(records[:10])

    assert report.applied == 10
    assert len(rows(path)) == 10


def test_a_table_that_went_with_a_dry_run_is_made_again(path: Path) -> None:
    store, spec = SQLiteStore(str(path)), TableSpec("users", ("id",))

    for dry in (True, True, False):
        with store.transaction(1.0, dry=dry) as transaction:
            transaction.open_table(spec)
            found = [target.name for target in transaction.catalogue()]
            assert found == ["users"]
    store.close()


def test_two_names_that_differ_only_in_case_are_never_one_column(path: Path) -> None:
    """Whether they come in one event, in one batch, or one after the other."""
    table = users(path)
    both = record(3, "c", 30, after={"id": 3, "city": "Rome", "City": "Roma"})

    reports = [
        table.apply([record(1, "c", 10, after={"id": 1, "name": "a"}), both]),
        table.apply([record(2, "c", 20, after={"id": 2, "Name": "b"})]),
    ]

    assert [report.quarantined for report in reports] == [{"malformed": 1}, {"malformed": 1}]
    assert [(row["id"], row["name"]) for row in rows(path)] == [(1, "a")]


def test_a_column_that_another_process_added_is_written_and_emptied_as_any(path: Path) -> None:
    mine, theirs = users(path, key="id"), users(path, key="id")
    mine.apply([record(1, "c", 10, after={"id": 1, "name": "a"})])
    theirs.apply([record(1, "u", 20, after={"id": 1, "name": "b", "city": "Oslo"})])

    mine.apply([record(2, "c", 30, after={"id": 2, "name": "c", "city": "Rome"})])
    mine.apply([record(1, "u", 40, after={"id": 1, "name": "d"})])

    assert rows(path) == [
        {"id": 1, "name": "d", "city": None},
        {"id": 2, "name": "c", "city": "Rome"},
    ]


def test_a_row_that_is_told_in_part_keeps_a_column_that_may_not_be_null(path: Path) -> None:
    execute(path, "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, photo TEXT NOT NULL)")
    table = users(path, key="id")
    table.apply([record(1, "c", 10, after={"id": 1, "name": "a", "photo": "png"})])

    report = table.apply(
        [record(1, "u", 20, after={"id": 1, "name": "b", "photo": "__debezium_unavailable_value"})]
    )

    assert report.applied == 1
    assert rows(path) == [{"id": 1, "name": "b", "photo": "png"}]


def test_a_value_that_a_delete_frees_may_be_taken_in_the_same_batch(path: Path) -> None:
    """Whichever of the two keys is the greater."""
    execute(path, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE)")
    table = users(path, key="id")
    table.apply([record(5, "c", 10, after={"id": 5, "email": "a@x"})])

    first = table.apply(
        [record(5, "d", 20), record(3, "c", 30, after={"id": 3, "email": "a@x"})],
    )
    second = table.apply(
        [record(3, "d", 40), record(7, "c", 50, after={"id": 7, "email": "a@x"})],
    )

    assert (first.applied, second.applied) == (2, 2)
    assert rows(path) == [{"id": 7, "email": "a@x"}]


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**70, -(2**63), -(2**63) - 1])
def test_a_key_of_any_size_has_a_row_of_its_own_its_disputes_and_its_end(
    path: Path, number: int
) -> None:
    table = users(path, key="id")
    table.apply([record(number, "c", 10, after={"id": number, "name": "first"})])
    table.apply([record(number, "u", 20, after={"id": number, "name": "one"})])
    table.apply([record(number, "u", 20, after={"id": number, "name": "two"})])
    (entry,) = table.quarantine.entries()
    shown = [int(row["id"]) for row in rows(path)]
    table.apply([record(number, "d", 30)])

    assert entry.reason == "conflict"
    assert "one" in entry.detail or "two" in entry.detail
    assert (shown, rows(path)) == ([number], [])


def test_an_integer_of_64_bits_is_stored_as_one(path: Path) -> None:
    numbers = (-(2**63), 2**63 - 1)
    users(path, key="id").apply(
        [record(key, "c", 10, after={"id": key, "n": n}) for key, n in enumerate(numbers)]
    )

    assert [row["n"] for row in rows(path)] == list(numbers)


PARENT = "CREATE TABLE groups (id PRIMARY KEY);"
CHILD = 'CREATE TABLE users (id INTEGER PRIMARY KEY, "group" REFERENCES groups);'
ALONE = 'CREATE TABLE users (id INTEGER PRIMARY KEY, "group");'
ASKS = (
    'CREATE TRIGGER asks BEFORE INSERT ON users WHEN NEW."group" NOT IN (SELECT id FROM groups) '
    "BEGIN SELECT RAISE(ABORT, 'no such group'); END;"
)


@pytest.mark.parametrize("made", [PARENT + CHILD, PARENT + ALONE + ASKS], ids=["FK", "trigger"])
def test_what_another_row_is_missing_for_waits_for_it(path: Path, made: str) -> None:
    execute(path, made + "INSERT INTO groups VALUES (1)")
    table = users(path, key="id")

    waiting = table.apply([record(1, "c", 10, after={"id": 1, "group": 2})])
    execute(path, "INSERT INTO groups VALUES (2)")
    # by a hand, of which nothing tells: what waits is looked through at the next start
    table = users(path, key="id")
    table.apply([record(2, "c", 20, after={"id": 2, "group": 1})])

    assert waiting.quarantined == {"waiting": 1}
    assert [(row["id"], row["group"]) for row in rows(path)] == [(1, 2), (2, 1)]
    assert table.quarantine.entries() == []
