"""A table that was there before and cannot be a target: named by events it stops nobody, named by
a person it stops the run."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.home import Home

PIPELINE = """
[source]
path = "day.jsonl"
envelope = "raw"
[store]
url = "sqlite:///app.db"
[[table]]
name = "{name}"
{more}
"""
OBSTACLES = {
    "rows that no event explains": (
        "CREATE TABLE notes (id PRIMARY KEY, x); INSERT INTO notes VALUES ('old', 'mine')",
        "",
        "notes already has rows that no event explains. If a column of it has the version that its "
        'events carry, say adopt="column:NAME"',
    ),
    "no key": (
        "CREATE TABLE notes (id, x)",
        "",
        "notes has no primary key or unique index on (id), the key of its events: CREATE UNIQUE",
    ),
    "a key that the table lacks": (
        "CREATE TABLE notes (number INTEGER PRIMARY KEY, x)",
        "",
        "notes has no column id, the key of its events: call it as the table does in key=",
    ),
    "a key that the table makes": (
        "CREATE TABLE notes (id AS (x + 1) UNIQUE, x)",
        "",
        "key column id of table notes is generated",
    ),
    "rows that no event can have": (
        "CREATE TABLE notes (id PRIMARY KEY, x); INSERT INTO notes VALUES (NULL, 'mine')",
        'adopt = "older-than-everything"',
        "rows whose key no event can have (1 by id, as NULL: no value)",
    ),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def prepared(home: Home, script: str, name: str, more: str) -> None:
    """A pipeline, a table of the user's own, and events of two tables."""
    told = PIPELINE.format(name=name, more=more)
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8")
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.executescript(script)
    home.deliver(
        [
            {
                "topic": topic,
                "partition": 0,
                "offset": place,
                "key": f'{{"id": "{place}"}}',
                "value": '{"x": "new"}',
            }
            for place, topic in enumerate(("notes", "users", "notes"))
        ]
    )


def contents(home: Home, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        return database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_name_from_an_event_stops_nobody(home: Home, obstacle: str) -> None:
    """What leads to a table that cannot take it is unrouted and says what to do, its neighbours are
    applied, and the table is as it was."""
    script, more, said = OBSTACLES[obstacle]
    prepared(home, script, "{table}", more)
    before = contents(home, "notes")

    books = json.loads(home.anyorder("run", "--json", code=1).splitlines()[0])

    assert (books["applied"], books["quarantined"]) == (1, {"unrouted": 2})
    shown = home.anyorder("quarantine", "list", "--nl", code=1)
    assert said in json.loads(shown.splitlines()[0])["detail"]
    assert "with ignore = true" in shown
    assert (contents(home, "notes"), contents(home, "users")) == (before, [("1", "new")])


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_name_that_a_person_spelled_out_stops_the_run(home: Home, obstacle: str) -> None:
    """Before the first delivery is taken."""
    script, more, said = OBSTACLES[obstacle]
    prepared(home, script, "notes", more)

    code = 2 if "rows" in obstacle else 3
    told = home.anyorder("run", code=code)

    assert said in told
    assert "Traceback" not in told


def test_what_was_mended_takes_what_was_held(home: Home) -> None:
    script, more, _ = OBSTACLES["no key"]
    prepared(home, script, "{table}", more)
    home.anyorder("run", code=1)
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("CREATE UNIQUE INDEX notes_key ON notes (id)")

    home.anyorder("quarantine", "retry")

    assert contents(home, "notes") == [("0", "new"), ("2", "new")]


def test_what_is_adopted_after_all_takes_what_was_held(home: Home) -> None:
    script, _, _ = OBSTACLES["rows that no event explains"]
    prepared(home, script, "{table}", "")
    home.anyorder("run", code=1)
    told = PIPELINE.format(name="{table}", more='adopt = "older-than-everything"')
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8")

    home.anyorder("quarantine", "retry")

    assert contents(home, "notes") == [("0", "new"), ("2", "new"), ("old", "mine")]


def test_what_is_held_for_rows_is_not_told_to_adopt_by_a_word_that_it_will_not_hear(
    home: Home,
) -> None:
    """`run --adopt` finds nothing new to read, so what is held would stay held."""
    script, _, _ = OBSTACLES["rows that no event explains"]
    prepared(home, script, "{table}", "")
    home.anyorder("run", code=1)

    shown = home.anyorder("quarantine", "list", "--nl", code=1)

    detail = json.loads(shown.splitlines()[0])["detail"]
    assert 'adopt="column:NAME" (in a pipeline: in its [[table]])' in detail
    assert "--adopt" not in detail


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ('[tables]\nmatch = "*"', "there can be: store, source, runtime, limits, table"),
        ("[runtime]\nbach = 1", "there can be: batch, quarantine_size, quarantine_share"),
        ('[[table]]\nmach = "*"', "there can be: match, "),
    ],
)
def test_a_key_that_a_pipeline_file_cannot_have_is_answered_by_those_that_it_can(
    home: Home, line: str, known: str
) -> None:
    told = f'[source]\npath = "day.jsonl"\n[store]\nurl = "sqlite:///app.db"\n{line}\n'
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8")

    assert known in home.anyorder("run", code=2)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[[table]]\npartitions = 0", "a topic has at least 1 of partitions"),
        ("[[table]]\npartitions = -4", "a topic has at least 1 of partitions"),
        ('[[table]]\nname = "{table"', "a brace without the other: {table"),
        ('[[table]]\nname = "table}"', "a brace without the other: table}"),
        ('[[table]]\nname = "{{table}}"', "a brace without the other: {{table}}"),
    ],
)
def test_a_word_of_a_pipeline_file_that_can_mean_nothing_is_misuse(
    home: Home, line: str, said: str
) -> None:
    told = f'[source]\npath = "day.jsonl"\n[store]\nurl = "sqlite:///app.db"\n{line}\n'
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8")
    (home.path / "day.jsonl").write_bytes(b"")

    assert said in home.anyorder("run", code=2)


def test_a_share_that_is_none_is_misuse(home: Home) -> None:
    """No comparison holds for nan, so the run would never stop."""
    for share in ("nan", "-1", "50"):
        more = f"[runtime]\nquarantine_share = {share}"
        told = f'[source]\npath = "day.jsonl"\n[store]\nurl = "sqlite:///app.db"\n{more}\n'
        (home.path / "pipeline.toml").write_text(told, encoding="utf-8")

        assert "quarantine_share is a share: 0 to 1" in home.anyorder("run", code=2)


def test_a_path_that_no_file_can_have_is_misuse(home: Home) -> None:
    told = '[source]\npath = "day\\u0000.jsonl"\n[store]\nurl = "sqlite:///app.db"\n'
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8")

    assert "no file has a NUL in its name" in home.anyorder("run", code=2)


def test_a_pipeline_file_that_begins_with_a_byte_order_mark_is_read(home: Home) -> None:
    told = '[source]\npath = "day.jsonl"\n[store]\nurl = "sqlite:///app.db"\n'
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8-sig")
    (home.path / "day.jsonl").write_bytes(b"")

    home.anyorder("run")
