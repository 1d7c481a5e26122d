"""A `Table` as a handle: what it records, what it reads by which envelope, and how it is closed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

import anyorder
from anyorder.envelopes import ENVELOPES, EnvelopeName
from anyorder.guard.contract import Recorded
from tests.streams import record

JSON: dict[str, Any] = {
    "envelope": "json",
    "position": "/version",
    "position_scope": "stream",
    "key": "/id",
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/app.db"


def recorded(table: anyorder.Table) -> list[Recorded | None]:
    with table.store.reading() as transaction:
        return [target.recorded for target in transaction.catalogue()]


def broken() -> Iterator[dict[str, Any]]:
    """The input breaks off after its first thousand records."""
    for key in range(1100):
        yield record(key, "c", 10, after={"id": key})
    raise BrokenPipeError


def test_what_is_declared_is_recorded_with_the_first_records_that_commit(url: str) -> None:
    table = anyorder.table(url, "users", key="id", retention="2h")
    table.apply([])
    with pytest.raises(BrokenPipeError):
        table.apply(broken())
    before = recorded(table)

    table.apply([record(1, "c", 10, after={"id": 1})])

    (now,) = recorded(table)
    assert before == []
    assert now is not None
    assert now.retention == 7200


def test_a_guard_takes_the_settings_of_its_table(tmp_path: Path, url: str) -> None:
    connection = sqlite3.connect(tmp_path / "app.db")
    connection.executescript(
        "CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (1)"
    )
    table = anyorder.table(url, "users", key="id", retention="2h", adopt="older-than-everything")

    with table.transaction(connection) as guard:
        for event in table.decode([record(1, "u", 10, after={"id": 1})]):
            assert guard.accept(event)
    connection.close()

    (now,) = recorded(table)
    assert now is not None
    assert (now.retention, now.adopt) == (7200, "older-than-everything")


def test_at_most_so_many_are_forgotten_as_is_said(url: str) -> None:
    forever = anyorder.table(url, "users", key="id")
    forever.apply([record(key, "d", 10 * key) for key in (1, 2, 3)])
    table = anyorder.table(url, "users", key="id", retention=0)

    assert [table.reap(2), table.reap(), table.reap()] == [2, 1, 0]
    assert forever.reap() == 0


def test_records_of_another_format_are_read_by_it_and_so_is_what_is_held_of_them(url: str) -> None:
    """The table's own envelope, said by its name, keeps its options."""
    table = anyorder.table(url, "users", retention=0, **JSON)
    told = b'{"id": 1, "version": 5, "name": "a"}'

    own = table.apply([told], envelope="json")
    decoded = [
        [event.kind.name for event in table.decode([record(2, "d", 20)], envelope=envelope)]
        for envelope in (None, "debezium")
    ]
    by_name = [event.key for event in table.decode([told], envelope="json")]

    assert own.applied == 1
    assert decoded == [["MALFORMED"], ["DELETE"]]
    assert by_name == [{"id": 1}]


def test_what_was_held_of_another_format_is_shown_and_settled_by_that_format(url: str) -> None:
    """A later table of another envelope reads each entry by the envelope that held it."""
    first = anyorder.table(url, "users", key="id", retention=0)
    first.apply([record(1, "d", 20)])
    first.apply([record(1, "c", 10, after={"id": 1, "name": "late"})])
    first.close()
    table = anyorder.table(url, "users", retention=0, **JSON)

    (entry,) = table.quarantine.entries()
    table.quarantine.accept(entry.id)

    assert table.quarantine.entries() == []
    assert table.why(1).state == "row"


def test_a_closed_table_leaves_one_file(tmp_path: Path, url: str) -> None:
    table = anyorder.table(url, "users", key="id")
    table.apply([record(1, "c", 10, after={"id": 1})])

    table.close()

    assert [file.name for file in tmp_path.iterdir()] == ["app.db"]


def test_a_table_is_closed_at_the_end_of_a_block(tmp_path: Path, url: str) -> None:
    with anyorder.table(url, "users", key="id") as table:
        table.apply([record(1, "c", 10, after={"id": 1})])

    assert [file.name for file in tmp_path.iterdir()] == ["app.db"]
    with pytest.raises(anyorder.AnyorderError, match="closed"):
        table.apply([record(1, "c", 10, after={"id": 1})])


def test_every_envelope_is_a_name_that_a_checker_of_types_knows() -> None:
    assert set(get_args(EnvelopeName)) == set(ENVELOPES)


def test_values_without_their_keys_have_the_key_that_the_table_names(url: str) -> None:
    values = [record(1, "c", 10, after={"id": 1})["value"]]

    with anyorder.table(url, "users", key="id") as table:
        report = table.apply(values)

    assert (report.applied, report.quarantined) == (1, {})


def test_what_a_clock_is_of_may_be_said(url: str) -> None:
    """By default it is the target's name; two targets may follow one clock."""
    tables = [
        anyorder.table(url, "users", table=table, **JSON)
        if table
        else anyorder.table(url, "users", **JSON)
        for table in ("", "people")
    ]

    names = [next(iter(one.decode([b'{"id": 1, "version": 1}']))).table for one in tables]

    assert names == ["users", "people"]
