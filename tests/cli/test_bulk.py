"""Many entries at once: which are meant, what becomes of them, and what is asked before."""

from __future__ import annotations

import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from anyorder.cli.main import main
from anyorder.stores.statements import load_statements
from tests.cli.forgetful import pipeline
from tests.streams import record

LATE, BAD = range(1, 31), 7
SCHEMA = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT CHECK (name <> 'bad'))"
Home = tuple[Path, pytest.CaptureFixture[str]]


def lines(*records: object) -> str:
    told = [one if isinstance(one, str) else json.dumps(one) for one in records]
    return "".join(f"{one}\n" for one in told)


def held_in(path: Path) -> None:
    """30 late puts, one of which the table refuses; a dispute; three broken lines."""
    (path / "pipeline.toml").write_text(pipeline())
    deletes = [{"id": key, "v": 20, "gone": True} for key in LATE]
    (path / "day.jsonl").write_text(lines(*deletes))
    sqlite3.connect(path / "app.db").execute(SCHEMA)
    run(path)
    late = [{"id": key, "v": 9, "name": "bad" if key == BAD else f"n{key}"} for key in LATE]
    dispute = [{"id": 99, "v": 50, "name": "a"}, {"id": 99, "v": 50, "name": "b"}]
    broken = ['{"id": 1,', '{"id": 22, "v"', '{"id":']
    with (path / "day.jsonl").open("a") as file:
        file.write(lines(*late, *dispute, *broken))
    run(path)


def run(path: Path) -> None:
    words = [sys.executable, "-m", "anyorder", "run"]
    subprocess.run(words, cwd=path, capture_output=True, check=False)


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Home:
    held_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path, capsys


def said(home: Home, *words: str, code: int) -> str:
    _, capsys = home
    found = main(["quarantine", *words])
    out, err = capsys.readouterr()
    assert found == code, (out, err)
    return out + err


def listed(home: Home, *words: str, code: int = 1) -> list[dict[str, object]]:
    found = said(home, "list", *words, "--nl", code=code)
    return [json.loads(line) for line in found.splitlines()]


def states(home: Home) -> dict[str, int]:
    found = listed(home, "--state", "all", code=1 if listed_open(home) else 0)
    return dict(Counter(str(entry["state"]) for entry in found))


def listed_open(home: Home) -> bool:
    _, capsys = home
    is_open = main(["quarantine", "list"]) == 1
    capsys.readouterr()
    return is_open


def rows(path: Path) -> list[tuple[object, ...]]:
    return sqlite3.connect(path / "app.db").execute("SELECT * FROM users ORDER BY id").fetchall()


# --- which


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--table", "users", "--reason", "late"], 30),
        (["--reason", "malformed"], 3),
        (["--key", "7"], 1),
        (["--key", '{"id": 7}'], 1),
        (["--key", '{"id": "7"}'], 0),
        (["--detail", "not JSON*"], 3),
        (["--detail", "NOT json*"], 0),
        (["--detail", "*content: {?id*"], 1),
        (["--older", "0s"], 34),
        (["--older", "2d"], 0),
        (["--reason", "late", "--limit", "4"], 4),
        (["--table", "nobody"], 0),
    ],
)
def test_a_filter_narrows_what_is_meant(home: Home, words: list[str], count: int) -> None:
    assert len(listed(home, *words, code=int(count > 0))) == count


def test_ids_come_from_standard_input_as_numbers_or_as_the_lines_of_a_list(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = said(home, "list", "--reason", "malformed", "--nl", code=1)
    monkeypatch.setattr(sys, "stdin", io.StringIO(first))
    assert [entry["reason"] for entry in listed(home, "-")] == ["malformed"] * 3

    monkeypatch.setattr(sys, "stdin", io.StringIO("1 2\n3\n2"))
    assert "3 dropped" in said(home, "settle", "-", "--drop", code=0)
    monkeypatch.setattr(sys, "stdin", io.StringIO("3 4 777"))
    told = said(home, "settle", "-", "--drop", code=1)

    assert "1 dropped" in told
    assert "3: it is dropped already" in told
    assert "777: there is no such entry" in told


@pytest.mark.parametrize("text", ["1 two", '{"key": 3}', "{", "9" * 40])
def test_a_word_that_is_no_id_is_misuse_and_nothing_is_done(
    home: Home, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n" + text))

    said(home, "settle", "-", "--drop", code=2)

    assert states(home) == {"open": 34}


@pytest.mark.parametrize(
    "words",
    [
        ["settle", "--drop", "--yes"],
        ["settle", "--reason", "late", "--yes"],
        ["settle", "1", "--drop", "--reason", "late"],
        ["settle", "-", "--drop", "--reason", "late"],
        ["retry", "1", "--reason", "late"],
        ["retry", "--yes"],
        ["list", "1"],
        ["show", "1", "--table", "users"],
        ["settle", "--older", "soon", "--drop"],
        ["settle", "--older", "forever", "--drop"],
        ["settle", "--limit", "0", "--drop"],
        # What a script's variable that is not set comes to.
        ["settle", "--reason", "late", "--table", "", "--drop", "--yes"],
        ["settle", "--table", "users", "--reason", "", "--drop", "--yes"],
        ["settle", "--table", "users", "--key", "", "--drop", "--yes"],
        ["settle", "--table", "users", "--detail", "", "--drop", "--yes"],
    ],
)
def test_words_that_do_not_say_which_entries_are_misuse(home: Home, words: list[str]) -> None:
    _, capsys = home
    try:
        code = main(["quarantine", *words])
    except SystemExit as stopped:
        code = int(str(stopped.code))

    assert code == 2
    capsys.readouterr()
    assert states(home) == {"open": 34}


# --- settled


def test_a_bulk_word_by_filter_needs_yes_where_nobody_can_be_asked(home: Home) -> None:
    for word in ("--drop", "--accept"):
        told = said(home, "settle", "--reason", "late", word, code=2)
        assert "30 entries (late 30)" in told
        assert "--yes" in told

    assert states(home) == {"open": 34}
    assert "30 dropped" in said(home, "settle", "--reason", "late", "--drop", "--yes", code=0)
    assert states(home) == {"open": 4, "dropped": 30}


def test_what_one_entry_is_refused_for_stops_no_other(home: Home, tmp_path: Path) -> None:
    told = said(home, "settle", "--reason", "late", "--accept", "--yes", code=1)

    (bad,) = listed(home, "--reason", "late")
    assert "29 accepted" in told
    assert f"1 was refused, and nothing was done with them:\n  {bad['id']}: the store " in told
    assert bad["key"] == {"id": BAD}
    wanted = [(key, f"n{key}") for key in LATE if key != BAD] + [(99, rows(tmp_path)[-1][1])]
    assert rows(tmp_path) == wanted


def test_a_dispute_is_not_guessed_for_many_and_accepted_alone(home: Home) -> None:
    (dispute,) = listed(home, "--reason", "conflict")

    told = said(home, "settle", "--reason", "conflict", "--accept", "--yes", code=1)

    assert "1 was refused" in told
    assert f"{dispute['id']}: it lists several contents" in told
    assert states(home) == {"open": 34}


def test_a_dry_run_says_how_many_and_shows_some_and_changes_nothing(home: Home) -> None:
    for words in (
        ["settle", "--reason", "late", "--accept"],
        ["settle", "--reason", "late", "--drop"],
        ["retry", "--reason", "late"],
    ):
        code = int(words[0] == "retry")
        told = said(home, *words, "--dry-run", code=code)
        assert "30 entries (late 30)" in told
        assert told.count("\n") == 12
        scripts = json.loads(said(home, *words, "--dry-run", "--json", code=code))
        assert (scripts["count"], len(scripts["sample"])) == (30, 10)

    assert states(home) == {"open": 34}


def test_retry_takes_only_what_the_filters_name(home: Home) -> None:
    assert "0 settled, 3 still open" in said(home, "retry", "--reason", "malformed", code=1)
    found = json.loads(said(home, "retry", "--reason", "late", "--limit", "2", "--json", code=1))
    assert found == {"settled": 0, "open": 2, "own": 0, "refused": {}}


@pytest.mark.parametrize("format", ["--json", "--nl", "--csv"])
def test_every_act_answers_scripts_as_they_ask(home: Home, format: str) -> None:
    for words, code in (
        (["settle", "1", "--drop"], 0),
        (["settle", "2", "--accept"], 0),
        (["settle", "--key", "3", "--drop", "--yes"], 0),
        (["settle", "--key", "4", "--accept", "--yes"], 0),
        (["retry"], 1),
        (["summary"], 1),
        (["list"], 1),
    ):
        told = said(home, *words, format, code=code)
        if format == "--csv":
            assert "," in told.splitlines()[0]
        else:
            for line in told.splitlines():
                json.loads(line)


def test_a_word_for_one_never_asks(home: Home) -> None:
    assert "entry 1 is dropped" in said(home, "settle", "1", "--drop", code=0)
    assert "By your word" in said(home, "settle", "2", "--accept", code=0)


@pytest.mark.parametrize(("answer", "dropped"), [("y", 30), ("yes", 30), ("n", 0), ("", 0)])
def test_on_a_terminal_a_word_for_many_is_asked_for(home: Home, answer: str, dropped: int) -> None:
    path, _ = home
    mine, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "anyorder", "quarantine", "settle", "--reason", "late", "--drop"],
        cwd=path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    asked = b""
    ends = time.monotonic() + 30
    while b"[y/N]" not in asked and time.monotonic() < ends:
        asked += os.read(mine, 1000)
    os.write(mine, answer.encode() + b"\n")
    started.communicate(timeout=30)
    os.close(mine)
    os.close(theirs)

    assert b"drop 30 entries (late 30)? [y/N]" in asked
    assert started.returncode == int(dropped == 0)
    assert states(home).get("dropped", 0) == dropped


# --- summed up


def test_a_summary_tells_a_kind_in_a_line_with_an_example(home: Home) -> None:
    found = json.loads(said(home, "summary", "--json", code=1))

    told = [(row["count"], row["table"], row["reason"], row["detail"]) for row in found]
    assert told[0] == (30, "users", "late", "")
    assert sorted((count, reason) for count, _, reason, _ in told[1:]) == [
        (1, "conflict"),
        (3, "malformed"),
    ]
    assert found[0]["example"] == listed(home, "--reason", "late")[0]["id"]
    assert {"first_seen", "last_seen"} <= found[0].keys()
    pattern = next(row["detail"] for row in found if row["reason"] == "malformed")
    assert len(listed(home, "--detail", pattern)) == 3


def test_a_summary_of_nothing_open_is_exit_code_0(home: Home) -> None:
    said(home, "settle", "--older", "0s", "--drop", "--yes", code=0)

    assert said(home, "summary", code=0) == "no such entry\n"
    assert "30" in said(home, "summary", "--state", "dropped", code=0)


# --- a suspicion dismissed


RESET = """
[source]
path = "day.jsonl"
[store]
url = "sqlite:///app.db"
[[table]]
match = "app.public.*"
"""
HOUR = 3_600_000_000  # microseconds
RUN = "01a20af6-f975-7c5c-8cd3-1a7b3383604a"


def later(made: dict[str, object]) -> dict[str, object]:
    """A record whose source says that it is an hour later."""
    text = str(made["value"])
    value = json.loads(text)
    value["source"]["ts_us"] += HOUR
    value["source"]["ts_ms"] += HOUR // 1000
    return {**made, "value": json.dumps(value)}


@pytest.fixture
def suspected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Home:
    """Two positions fell: one is of a key that has something newer, one of a new key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.toml").write_text(RESET)
    told = [
        record(1, "u", 1000, after={"id": 1, "name": "new"}),
        record(2, "u", 2000, after={"id": 2, "name": "new"}),
        later(record(1, "u", 10, after={"id": 1, "name": "old"})),
        later(record(3, "u", 20, after={"id": 3, "name": "old"})),
    ]
    (tmp_path / "day.jsonl").write_text(lines(*told))
    run(tmp_path)
    return tmp_path, capsys


def test_a_dismissal_says_first_what_it_will_do_and_needs_yes(suspected: Home) -> None:
    scope = scope_of(suspected)
    told = said(suspected, "dismiss", scope, code=2)
    assert "2 entries are decided again; 1 of them become stale (never written), 1 applied" in told
    assert "--yes" in told
    assert states(suspected) == {"open": 2}

    dry = json.loads(said(suspected, "dismiss", scope, "--dry-run", "--json", code=0))
    assert (dry["again"], dry["stale"], dry["settled"]) == (2, 1, {"stale": 1, "applied": 1})
    assert states(suspected) == {"open": 2}

    done = json.loads(said(suspected, "dismiss", scope, "--yes", "--json", code=0))
    assert done["closed"] == 2
    assert states(suspected) == {"settled": 2}


def test_a_word_for_many_settles_nothing_of_a_suspected_clock(suspected: Home) -> None:
    words = ("--reason", "suspected_reset", "--accept", "--yes")
    told = said(suspected, "settle", *words, code=1)

    assert "dismiss" in told
    assert states(suspected) == {"open": 2}


@pytest.mark.parametrize(
    ("headers", "advice"),
    [
        ([["__debezium.context.runId", RUN]], "first a new snapshot with a new run"),
        ([], "build the table anew in another store, from a new snapshot"),
    ],
)
def test_doctor_says_how_a_history_that_started_again_is_mended_and_how_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    headers: list[list[str]],
    advice: str,
) -> None:
    """Without a known run a new snapshot is suspected too, and a dismissal throws it away."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.toml").write_text(RESET)
    told = [record(1, "u", 1000, after={"id": 1}), later(record(1, "u", 10, after={"id": 1}))]
    (tmp_path / "day.jsonl").write_text(lines(*[{**one, "headers": headers} for one in told]))
    run(tmp_path)
    capsys.readouterr()

    assert main(["doctor", "--json"]) == 1

    found = json.loads(capsys.readouterr().out)
    (to_do,) = [one["what to do"] for one in found if one["where"].startswith("pg:app|")]
    assert f"if it did: {advice}" in to_do


def scope_of(home: Home) -> str:
    _, capsys = home
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    return str(next(row["where"] for row in found if "started again" in row["finding"]))


# --- the story of a key


@pytest.mark.parametrize("key", ['{"sku": 1}', '{"id": 1, "sku": 2}', "{}"])
def test_why_of_a_key_with_other_columns_says_which_there_are(home: Home, key: str) -> None:
    _, capsys = home

    assert main(["why", "users", key]) == 2
    told = capsys.readouterr().err
    assert "the key of table users is (id)" in told


def test_why_of_half_a_key_says_its_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    both = pipeline().replace('key = "/id"', 'key = { sku = "/sku", place = "/place" }')
    (tmp_path / "pipeline.toml").write_text(both)
    (tmp_path / "day.jsonl").write_text(lines({"sku": 1, "place": "b", "v": 1}))
    run(tmp_path)

    for half in ("1", '{"sku": 1}'):
        assert main(["why", "users", half]) == 2
        told = capsys.readouterr().err
        assert "the key of table users is (" in told
        assert "sku" in told
        assert "place" in told
    assert main(["why", "users", '{"sku": 1, "place": "b"}']) == 0


def test_the_entries_of_a_key_are_found_by_an_index(home: Home) -> None:
    path, _ = home
    statement = load_statements("sqlite/sqlite.sql")["entries_of_key"]
    asked = dict.fromkeys(("table", "entity", "state", "reason", "former"), "") | {
        "after": 0,
        "limit": 9,
    }
    database = sqlite3.connect(path / "app.db")

    plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", asked).fetchall()

    assert "USING INDEX anyorder_quarantine_identity (table_name=? AND entity=?)" in str(plan)
