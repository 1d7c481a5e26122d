"""`anyorder run --check`: what the next ten records would become. Nothing is written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.home import Home
from tests.streams import record, stream

RECORDS = list(stream(40, 12))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path)
    found.pipeline(retention="48h")
    found.deliver(RECORDS)
    return found


def bytes_of(home: Home) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.path.iterdir()}


def test_a_check_tells_table_key_position_retention_and_match_of_ten_records(home: Home) -> None:
    found = json.loads(home.anyorder("run", "--check", "--json"))

    assert len(found) == 10
    first = {name: found[0][name] for name in ("table", "key", "retention", "match", "problem")}
    assert first == {
        "table": "users",
        "key": json.loads(str(RECORDS[0]["key"])),
        "retention": "48h",
        "match": "app.public.*",
        "problem": "",
    }
    assert found[0]["position"].startswith("pg:app at LSN 0/")
    assert found[0]["row"] == json.loads(str(RECORDS[0]["value"]))["after"]


def test_a_check_makes_no_store(home: Home) -> None:
    before = bytes_of(home)

    home.anyorder("run", "--check")

    assert bytes_of(home) == before


def test_a_check_leaves_a_store_as_it_is(home: Home) -> None:
    home.anyorder("run")
    before = bytes_of(home)

    home.anyorder("run", "--check")
    home.anyorder("run", "--check", "--from-start")

    assert bytes_of(home) == before


def test_a_check_leaves_no_trace_while_somebody_writes(home: Home) -> None:
    """What lies in the WAL is seen, and the WAL does not grow."""
    home.anyorder("run")
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("UPDATE anyorder_frontier SET position = '0:0:'")
        database.commit()
        before = bytes_of(home)
        assert before["app.db-wal"] != b""

        home.anyorder("run", "--check")

        after = bytes_of(home)
    assert after["app.db-wal"] == before["app.db-wal"]
    assert after["app.db"] == before["app.db"]


def test_a_database_of_the_user_s_own_gets_nothing_of_ours(home: Home) -> None:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    before = bytes_of(home)

    home.anyorder("run", "--check")

    assert bytes_of(home) == before


def test_a_check_goes_on_where_a_run_would(home: Home) -> None:
    home.anyorder("run")

    assert "nothing new: --from-start shows the first" in home.anyorder("run", "--check")
    assert len(json.loads(home.anyorder("run", "--check", "--from-start", "--json"))) == 10


def test_what_would_be_held_is_told_and_is_found(home: Home) -> None:
    """No [[table]], another source table's target, and what cannot be read."""
    elsewhere = {**record(1, "c", 900, after={"id": 1}), "topic": "other.public.users"}
    broken = {**record(2, "c", 910), "value": "{"}
    text = (home.path / "pipeline.toml").read_text().replace('"app.public.*"', '"app.*"')
    (home.path / "pipeline.toml").write_text(text)
    home.deliver([elsewhere, broken])

    told = home.anyorder("run", "--check", code=1)

    assert "unrouted: no [[table]] matches 'other.public.users'" in told
    assert "malformed: " in told


def test_a_target_of_another_source_table_is_told(home: Home) -> None:
    home.anyorder("run")
    value = json.loads(str(RECORDS[0]["value"]))
    value["source"]["schema"] = "audit"
    home.deliver([{**RECORDS[0], "value": json.dumps(value)}])

    (found,) = json.loads(home.anyorder("run", "--check", "--json", code=1).splitlines()[0])

    assert "belongs to the source table" in found["problem"]


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("id INTEGER PRIMARY KEY, name TEXT, must TEXT NOT NULL", "NOT NULL constraint failed"),
        ("id INTEGER PRIMARY KEY, name TEXT CHECK (name = '')", "CHECK constraint failed"),
        ("id TEXT PRIMARY KEY, name TEXT", "the key column 'id' of table users is a text"),
        ("id INTEGER, name TEXT", "has no primary key or unique index on (id)"),
        ("ID INTEGER PRIMARY KEY, name TEXT", "the table calls it ID"),
        ("number INTEGER PRIMARY KEY, name TEXT", "users has no column id, the key of its events"),
    ],
)
def test_a_table_that_refuses_everything_is_found_and_stays_as_it_is(
    home: Home, schema: str, why: str
) -> None:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute(f"CREATE TABLE users ({schema})")
    before = bytes_of(home)

    told = home.anyorder("run", "--check", "--json", code=1)

    found = [one["problem"] for one in json.loads(told.splitlines()[0]) if one["table"]]
    assert len(found) > 5
    assert [problem for problem in found if why not in problem] == []
    assert bytes_of(home) == before


def test_rows_that_no_event_explains_are_found(home: Home) -> None:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
        database.execute("INSERT INTO users VALUES (900, 'of before')")
        database.commit()

    assert "already has rows that no event explains" in home.anyorder("run", "--check", code=1)


def test_what_a_table_remembers_counts(home: Home) -> None:
    """The same version with another content; what is only older, or a duplicate, is no problem."""
    home.deliver([record(1, "c", 10, after={"id": 1, "name": "a"})])
    home.anyorder("run")
    home.deliver([record(1, "c", 10, after={"id": 1, "name": "b"})])

    told = home.anyorder("run", "--check", "--from-start", code=1)

    assert "conflict: " in told


def test_a_child_before_its_parent_is_no_problem_if_the_parent_comes(home: Home) -> None:
    """Also where it is of another table, which is tried before the parent's."""
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
        database.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES users (id))"
        )
    child = record(1, "c", 10, after={"id": 1, "owner": 2})
    value = json.loads(str(child["value"]))
    value["source"]["table"] = "orders"
    child |= {"topic": "app.public.orders", "value": json.dumps(value)}

    home.deliver([child, record(2, "c", 20, after={"id": 2, "name": "a"})])
    home.anyorder("run", "--check")
    home.deliver([child])
    assert "waiting: " in home.anyorder("run", "--check", code=1)


def test_a_store_that_is_not_copied_says_that_nothing_was_tried(home: Home) -> None:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("CREATE TABLE large AS SELECT zeroblob(68000000) AS bytes")
        database.commit()

    assert "whether the tables take them was not tried" in home.anyorder("run", "--check")


def test_of_your_own_json_decode_is_said_to_know_no_format(home: Home) -> None:
    """Nothing is wrong with it, so the sentence must not sound like that."""
    home.deliver([{"id": 1, "version": 1}])
    (home.path / "pipeline.toml").write_text(
        '[source]\npath = "day.jsonl"\nenvelope = "json"\n'
        'options = { key = "/id", position = "/version", table = "users" }\n'
        '[store]\nurl = "sqlite:///app.db"\n'
    )

    told = home.anyorder("run", "--check", "--from-start", code=None)

    assert "says: no known format (of your own JSON it cannot say more)" in told


def test_another_envelope_is_seen(home: Home) -> None:
    """`raw` reads anything: only a person sees that these are no rows."""
    text = (home.path / "pipeline.toml").read_text()
    (home.path / "pipeline.toml").write_text(
        text.replace('path = "day.jsonl"', 'path = "day.jsonl"\nenvelope = "raw"')
    )

    told = home.anyorder("run", "--check")

    assert "read with the envelope raw; `anyorder decode` says: debezium" in told
    assert '{"before":null,"after":{' in told
    assert "nothing was written" in told
