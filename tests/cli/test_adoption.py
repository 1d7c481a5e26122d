"""`adopt = "column:version"` in a pipeline: rows that were there before, each with its position in
a column of its own."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anyorder._core.row_clock import WORDS
from anyorder.cli.run import ADOPTION
from tests.cli.home import Home

PIPELINE = """
[source]
path = "day.jsonl"
envelope = "json"
options = {{ key = "/id", position = "/version", deleted = "/deleted"{options} }}
[store]
url = "{url}"
[[table]]
name = "{name}"
{more}
"""
TABLE = ', table = "users"'
BY_VERSION = 'adopt = "column:version"'
ROWS = "INSERT INTO users VALUES (1, 'Ana', 5), (2, 'Ben', 5), (3, 'Cid', NULL)"
EVENTS: list[dict[str, Any]] = [
    {"id": 1, "version": 4, "name": "late"},
    {"id": 2, "version": 6, "name": "Bo"},
    {"id": 3, "version": 1, "name": "Cy"},
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def prepared(
    home: Home,
    *,
    name: str = "users",
    more: str = BY_VERSION,
    options: str = TABLE,
    url: str = "sqlite:///app.db",
    rows: str = ROWS,
) -> None:
    told = PIPELINE.format(name=name, more=more, options=options, url=url)
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8")
    sql(home, f"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, version INT); {rows}")
    home.deliver(EVENTS)


def sql(home: Home, script: str) -> None:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.executescript(script)


def names(home: Home) -> list[str]:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        return [name for (name,) in database.execute("SELECT name FROM users ORDER BY id")]


@pytest.mark.parametrize("name", ["users", "{table}"], ids=["spelled out", "from the events"])
def test_a_run_writes_positions_down_first_and_decides_by_them(home: Home, name: str) -> None:
    prepared(home, name=name)
    told = home.anyorder("run")

    assert "2 applied, 1 ignored (stale), 0 quarantined" in told
    assert names(home) == ["Ana", "Bo", "Cy"]
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM anyorder_memory_users").fetchone()
    assert count == 3
    assert "by what was there at adoption, version 5" in home.anyorder("why", "users", "1")
    assert "1 of 3 rows had no position in the column version" in home.anyorder("doctor", code=1)


def test_the_word_may_be_said_on_the_command_line(home: Home) -> None:
    prepared(home, more="")
    home.anyorder("run", "--adopt", "columns", code=2)
    home.anyorder("run", "--adopt", "column:version")

    assert names(home) == ["Ana", "Bo", "Cy"]


def test_a_dry_run_decides_by_positions_and_writes_nothing(home: Home) -> None:
    prepared(home)
    told = home.anyorder("run", "--dry-run")

    assert "2 applied, 1 ignored (stale), 0 quarantined" in told
    assert names(home) == ["Ana", "Ben", "Cid"]
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        found = database.execute("SELECT 1 FROM sqlite_master WHERE name LIKE '%memory_users'")
        assert found.fetchall() == []


@pytest.mark.parametrize("name", ["users", "{table}"], ids=["spelled out", "from the events"])
def test_rows_without_a_position_keep_the_run_from_starting_if_that_is_said(
    home: Home, name: str
) -> None:
    prepared(home, name=name, more=f'{BY_VERSION}\nadopt_without = "refuse"')
    told = home.anyorder("run", code=2)

    assert (
        'has 1 row without a position in its column version, for example {"id":3} with None'
    ) in told
    assert names(home) == ["Ana", "Ben", "Cid"]
    # Nothing was read: once the row has a position, all of it is.
    sql(home, "UPDATE users SET version = 5 WHERE id = 3")
    assert "1 applied, 2 ignored (stale), 0 quarantined" in home.anyorder("run")


@pytest.mark.parametrize(
    ("options", "more", "told"),
    [
        ("", BY_VERSION, 'say options = { table = "...", ... }'),
        (TABLE, 'adopt = "column:v"', "table users has no column v"),
        (TABLE, 'adopt = "column:"', "adopt is"),
        (TABLE, 'adopt = "maybe"', "adopt is"),
        (TABLE, f'{BY_VERSION}\nadopt_without = "maybe"', "adopt_without is"),
        (TABLE, 'adopt_without = "refuse"', "adopt_without is of rows"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_read(
    home: Home, options: str, more: str, told: str
) -> None:
    prepared(home, options=options, more=more)

    assert told in home.anyorder("run", code=2)
    assert names(home) == ["Ana", "Ben", "Cid"]


@pytest.mark.parametrize("envelope", ["debezium", "raw", "cloudevents", "dynamodb_streams"])
def test_positions_that_no_column_holds_refuse_it(home: Home, envelope: str) -> None:
    prepared(home)
    file = home.path / "pipeline.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("envelope", "options"))]
    kept.insert(2, f'envelope = "{envelope}"')
    file.write_text("\n".join(kept), encoding="utf-8")

    told = home.anyorder("run", code=2)
    assert f"compares with those of the envelope {envelope}" in told
    assert 'say adopt = "older-than-everything", or use an empty table' in told


def test_a_table_of_another_source_table_is_not_touched(home: Home) -> None:
    """The rows of a target that belongs to somebody else are not positions of our clock."""
    prepared(home, more='adopt = "older-than-everything"', options=', table = "people"')
    home.deliver([{"id": 9, "version": 1, "name": "Di"}])
    home.anyorder("run")
    told = PIPELINE.format(name="users", more=BY_VERSION, options=TABLE, url="sqlite:///app.db")
    (home.path / "pipeline.toml").write_text(told, encoding="utf-8")
    home.deliver(EVENTS)

    assert "3 quarantined (unrouted)" in home.anyorder("run", code=1)
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM anyorder_memory_users").fetchone()
    assert count == 1


def test_a_list_of_ranks_is_told_with_what_it_cannot_tell(home: Home) -> None:
    prepared(home, more="", options=f'{TABLE}, ranks = ["new", "old"]', rows="")
    home.anyorder("run", code=1)

    assert "positions are ranks (new < old): two events of one rank tie" in home.anyorder(
        "doctor", code=1
    )


def test_dynamodb_says_that_it_cannot(home: Home) -> None:
    pytest.importorskip("boto3")
    url = "dynamodb://{table}?region=eu-central-1&endpoint=http://127.0.0.1:9"
    prepared(home, url=url.replace("{", "{{").replace("}", "}}").format())
    told = home.anyorder("run", code=2)

    assert "takes no positions from a column" in told


def test_a_run_that_is_killed_while_it_adopts_goes_on(home: Home) -> None:
    """With SIGKILL, as often as it takes; the rows end as if nobody had killed it."""
    rows = 60_000
    made = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
    made += " INSERT INTO users SELECT i, 'n' || i, 5 FROM n"
    prepared(home, rows=made.format(rows))
    late = [{"id": key, "version": 4, "name": "late"} for key in range(1, rows, 997)]
    home.deliver([*late, {"id": 7, "version": 6, "name": "new"}])
    kills = 0
    while True:
        words = [sys.executable, "-m", "anyorder", "run", "--json"]
        process = subprocess.Popen(words, cwd=home.path, stdout=subprocess.PIPE)
        began = time.monotonic()
        # Each is given a little longer, so that it ends.
        while process.poll() is None and time.monotonic() - began < 0.4 + 0.25 * kills:
            time.sleep(0.01)
        if process.poll() is not None:
            out, _ = process.communicate()
            break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
    assert kills > 0
    assert process.returncode == 0
    if out:
        assert json.loads(out.splitlines()[-1])["quarantined"] == {}
    found = names(home)
    assert [name for name in found if not name.startswith("n")] == []
    assert found.count("new") == 1
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM anyorder_memory_users").fetchone()
    assert count == rows


def test_the_command_line_offers_the_words_that_the_rules_know() -> None:
    assert tuple(ADOPTION) == WORDS
