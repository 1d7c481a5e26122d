"""Keys in the user's own SQLite table: whatever its column makes of them, two entities never share
a row."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import anyorder
from anyorder.stores.sqlite.keys import kind_of_type
from anyorder.testing import Place, check_store
from anyorder.testing.places import sqlite_place

COLUMNS = (
    "INTEGER",
    "BIGINT UNSIGNED",
    "TEXT",
    "TEXT COLLATE NOCASE",
    "TEXT COLLATE RTRIM",
    "REAL",
    "NUMERIC",
    "DECIMAL(10, 2)",
    "STRING",
    "BOOLEAN",
    "BLOB",
    "COLLATE NOCASE",
)
EVERY = 5  # pairs of the zoo of which one is tried, where there are so many columns


def place(declared: str, value: str = "") -> Place:
    """A store whose table is the user's, with a key column that is declared so; `value`: its other
    ones."""
    made = sqlite_place(refusing=False)
    assert made.url is not None
    database = sqlite3.connect(made.url.removeprefix("sqlite:///"))
    database.execute(f"CREATE TABLE kit (id {declared} PRIMARY KEY, x {value}, y)")
    database.commit()
    database.close()
    return made._replace(sample=EVERY)


@pytest.mark.parametrize("declared", COLUMNS)
def test_no_two_entities_share_a_row_of_the_user_s_own_table(declared: str) -> None:
    check_store(lambda: place(declared), only=["key kinds"])


@pytest.mark.parametrize("declared", [one for one in COLUMNS if "TEXT" not in one])
def test_a_number_is_stored_exactly_or_refused_whatever_its_column_is_declared(
    declared: str,
) -> None:
    """10^30 has a shortest double of one digit, and that double is another number."""
    check_store(lambda: place("INTEGER", declared), only=["values"])


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("BIGINT UNSIGNED", "number"),
        ("double precision", "number"),
        ("Number(10)", "number"),
        ("DEC(3)", "number"),
        ("varchar(20)", "text"),
        ("CLOB", "text"),
        ("Boolean", "boolean"),
        ("INTEGER AUTO_INCREMENT", "number"),
        ("TINYTEXT", "text"),
        ("ENUM", None),
        ("INTERVAL", None),
        ("REALM", None),
        ("DECODED", None),
        ("BOOLIAN_TEXT", "text"),
        ("STRING", None),
        ("UUID", None),
        ("DATE", None),
        ("", None),
    ],
)
def test_a_declared_type_dictates_the_kind_that_its_user_means(
    declared: str, kind: str | None
) -> None:
    assert kind_of_type(declared) == kind


def test_a_column_s_type_counts_before_what_is_declared(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE t (id TEXT PRIMARY KEY, version)")
    database.close()
    table = anyorder.table(
        f"sqlite:///{path}", "t", key="/id", position="/version", kinds={"id": "number"}
    )

    report = table.apply([{"id": 7, "version": 1}, {"id": "7", "version": 1}])

    assert (report.applied, report.quarantined) == (1, {"malformed": 1})
    (entry,) = table.quarantine.entries()
    assert "'id' of table t is a text, and this event has the number 7" in entry.detail


def test_a_second_index_that_folds_the_key_is_no_trigger(tmp_path: Path) -> None:
    """The sentence names what is there."""
    path = tmp_path / "app.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE t (id TEXT PRIMARY KEY, version)")
    database.execute("CREATE UNIQUE INDEX folded ON t (id COLLATE NOCASE)")
    database.close()
    table = anyorder.table(f"sqlite:///{path}", "t", key="/id", position="/version")

    table.apply([{"id": "a", "version": 1}, {"id": "A", "version": 1}])

    (entry,) = table.quarantine.entries()
    assert "table t does not tell them apart (id: COLLATE NOCASE)" in entry.detail
