"""`anyorder run` and the verbs around it, as a script sees them: outputs, exit codes, resuming,
stopping."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anyorder import Delivery
from anyorder.runtime.pipeline import load_pipeline
from tests.cli.home import Home, lines_of
from tests.streams import final_rows, record, stream, unordered


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path)
    found.pipeline()
    return found


def test_a_run_ends_with_balanced_books_and_the_source_s_rows(home: Home) -> None:
    records = list(stream(1500, 80))
    home.deliver(unordered(records))

    books = home.books()

    assert books["read"] == books["applied"] + sum(books["ignored"].values()) + sum(
        books["quarantined"].values()
    )  # type: ignore[operator,attr-defined]
    assert home.rows() == final_rows(records)


@pytest.mark.parametrize("batch", [1, 7, 10_000])
def test_the_batch_size_changes_nothing(home: Home, batch: int) -> None:
    records = list(stream(600, 40))
    home.deliver(unordered(records, seed=batch))

    home.books("--batch", str(batch))

    assert home.rows() == final_rows(records)


@pytest.mark.parametrize("batch", ["0", "-5", "many", "0.5"])
def test_a_batch_of_less_than_one_delivery_is_refused_wherever_it_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch, batch: str
) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    sentence = f"a batch is a whole number of deliveries, 1 or more, not '{batch}'"

    assert sentence in home.anyorder("run", f"--batch={batch}", code=2)
    monkeypatch.setenv("ANYORDER_BATCH", batch)
    assert sentence in home.anyorder("run", code=2)
    assert not (home.path / "app.db").exists()


def test_a_second_run_reads_only_what_was_added(home: Home) -> None:
    records = list(stream(300, 20))
    home.deliver(records[:200])
    first = home.books()
    home.deliver(records)

    second = home.books()

    assert (first["read"], second["read"]) == (200, 100)
    assert home.rows() == final_rows(records)


def test_another_file_of_the_same_name_is_read_from_its_beginning(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()
    home.deliver([record(2, "c", 20, after={"id": 2})])

    assert home.books()["read"] == 1


@pytest.mark.parametrize(
    ("name", "opener"), [("day.jsonl.gz", gzip.open), ("day.jsonl.xz", lzma.open)]
)
def test_packed_files_are_unpacked(home: Home, name: str, opener: object) -> None:
    home.pipeline(path=name)
    with opener(home.path / name, "wb") as file:  # type: ignore[operator]
        file.write(lines_of([record(1, "c", 10, after={"id": 1})]))

    assert home.books()["applied"] == 1


def test_standard_input_is_a_source(home: Home) -> None:
    home.pipeline(path="-")

    assert home.books(text=lines_of([record(1, "c", 10, after={"id": 1})]))["applied"] == 1


def test_a_dry_run_decides_and_writes_nothing(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])

    dry = home.books("--dry-run")
    wet = home.books()

    assert (dry["applied"], wet["applied"]) == (1, 1)


def test_records_of_no_table_are_quarantined_and_ignored_ones_counted(home: Home) -> None:
    home.deliver(
        [
            {**record(1, "c", 10, after={"id": 1}), "topic": "other"},
            {**record(1, "c", 20, after={"id": 1}), "topic": "x.heartbeat"},
        ]
    )

    books = home.books(code=1)

    assert (books["quarantined"], books["ignored"]) == ({"unrouted": 1}, {"not_a_change": 1})


def test_a_line_that_is_no_json_is_kept_with_its_bytes(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    with (home.path / "day.jsonl").open("ab") as file:
        file.write(b'{"topic": broken\n')

    books = home.books(code=1)
    shown = home.anyorder("quarantine", "show", "1")

    assert (books["applied"], books["quarantined"]) == (1, {"malformed": 1})
    assert '{"topic": broken' in shown


def test_the_quarantine_is_listed_and_settled_from_the_command_line(home: Home) -> None:
    home.pipeline(retention="0s")
    home.deliver([record(1, "d", 20)])
    home.books()
    home.deliver([record(1, "d", 20), record(1, "c", 10, after={"id": 1, "name": "Ada"})])
    home.books(code=1)

    entry = json.loads(home.anyorder("quarantine", "list", "--nl", code=1))
    why = json.loads(home.anyorder("why", "users", "1", "--json"))
    home.anyorder("quarantine", "settle", str(entry["id"]), "--accept")

    assert {"id", "table", "key", "reason", "state"} <= entry.keys()
    assert (entry["table"], entry["key"], entry["reason"], entry["state"]) == (
        "users",
        {"id": 1},
        "late",
        "open",
    )
    assert (why["outcome"], why["reason"]) == ("quarantined", "late")
    assert home.rows() == {1: {"id": 1, "name": "Ada"}}
    assert home.anyorder("quarantine", "list") == "the quarantine is empty\n"


def test_why_tells_the_story_of_a_row(home: Home) -> None:
    home.deliver([record(1, "u", 20, after={"id": 1, "photo": "__debezium_unavailable_value"})])
    home.books()

    told = json.loads(home.anyorder("why", "users", "1", "--json"))
    incomplete = json.loads(home.anyorder("incomplete", "--nl", code=1))

    assert (told["outcome"], told["reason"], told["holes"]) == ("applied", "applied", ["photo"])
    assert told["position"] == "pg:app at LSN 0/14"
    assert incomplete == {"table": "users", "key": {"id": 1}, "holes": ["photo"]}


def test_why_of_a_key_nobody_spoke_of_is_found_nothing(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()

    assert "nothing is remembered" in home.anyorder("why", "users", "99", code=1)


def test_reap_forgets_by_the_retention_and_says_how_many(home: Home) -> None:
    home.deliver([record(1, "d", 20), record(2, "d", 30)])
    home.books()
    home.pipeline(retention="0s")

    assert json.loads(home.anyorder("reap", "--nl"))["forgotten"] == 2


def test_doctor_finds_nothing_wrong_with_a_healthy_store_and_says_what_is(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()
    healthy = home.anyorder("doctor")
    database = sqlite3.connect(home.path / "app.db")
    database.execute("DELETE FROM users")
    database.commit()

    assert healthy == "nothing found\nusers is kept from the source table app.public.users\n"
    assert "remembered as live" in home.anyorder("doctor", code=1)


def test_a_stopped_run_ends_clean_and_goes_on_where_it_stopped(home: Home) -> None:
    records = list(stream(30_000, 500))
    home.deliver(records)
    process = subprocess.Popen(
        [sys.executable, "-m", "anyorder", "run", "--json", "--batch", "50"],
        cwd=home.path,
        stdout=subprocess.PIPE,
        text=True,
    )
    while not (home.path / "app.db").exists():
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)

    first, second = json.loads(out.splitlines()[-1]), home.books()

    assert process.returncode == 0
    assert 0 < first["read"] < 30_000
    assert first["read"] + int(str(second["read"])) == 30_000
    assert home.rows() == final_rows(records)


def test_a_stream_that_cannot_be_right_stops_the_pipeline_instead_of_filling_the_quarantine(
    home: Home,
) -> None:
    home.deliver([{**record(n, "c", n, after={"id": n}), "topic": "other"} for n in range(1, 3000)])

    said = home.anyorder("run", code=1)

    assert "of the latest 1000 deliveries went to the quarantine" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fly"], "no verb 'fly'"),
        (["run", "missing.toml"], "cannot read the pipeline"),
        (["why", "users", "{broken"], "not a JSON object"),
        (["quarantine", "settle", "1"], "How"),
        (["quarantine", "show", "77"], "no entry 77"),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(home: Home, words: list[str], message: str) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()

    assert message.lower() in home.anyorder(*words, code=2).lower()


def test_a_pipeline_with_an_unknown_name_says_which(home: Home) -> None:
    (home.path / "pipeline.toml").write_text('[store]\nurl = "sqlite://"\n[runtime]\nbach = 1\n')

    assert "bach" in home.anyorder("run", code=2)


def test_json_from_a_queue_without_a_table_of_its_own_is_refused_before_anything_is_read(
    home: Home,
) -> None:
    """A queue's name may not become part of a clock: the pipeline says what to write instead, and
    takes it."""
    text = (
        '[source]\nkind = "sqs"\nqueue = "q"\nenvelope = "json"\noptions = { key = '
        '"/id", position = "/version" }\n[store]\nurl = "sqlite://"\n'
    )
    file = home.path / "pipeline.toml"
    file.write_text(text)

    assert 'options = { table = "users"' in home.anyorder("run", code=2)
    file.write_text(text.replace("{ key", '{ table = "users", key'))
    assert (
        load_pipeline(str(file)).envelope.decode(Delivery("q", value=b'{"id":1,"version":2}')).table
        == "users"
    )


def test_what_the_environment_does_not_set_is_refused_not_guessed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.pipeline(path="$DAY.jsonl", url="sqlite:///${PLACE}.db")

    assert "sets no PLACE" in home.anyorder("run", code=2)
    monkeypatch.setenv("PLACE", "")
    assert "sets no PLACE" in home.anyorder("run", code=2)
    monkeypatch.setenv("PLACE", "app")
    assert "sets no DAY" in home.anyorder("run", code=2)
    monkeypatch.setenv("DAY", "day")
    assert home.books()["applied"] == 1
    assert home.rows() == {1: {"id": 1}}


def test_every_option_may_come_from_the_environment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    (home.path / "pipeline.toml").rename(home.path / "other.toml")
    monkeypatch.setenv("ANYORDER_PIPELINE", str(home.path / "other.toml"))

    assert home.books()["applied"] == 1
    assert "ANYORDER_BATCH" in home.anyorder("run", "--help")
    assert os.environ["ANYORDER_PIPELINE"].endswith("other.toml")


def test_a_run_that_reads_nothing_and_settles_something_says_so(home: Home) -> None:
    database = sqlite3.connect(home.path / "app.db")
    database.executescript(
        "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE users (id PRIMARY KEY, p REFERENCES p)"
    )
    home.deliver([record(1, "c", 10, after={"id": 1, "p": 7})])
    home.anyorder("run", code=1)
    with database:
        database.execute("INSERT INTO p VALUES (7)")

    assert home.anyorder("run").endswith("done up to its end; 1 settled by themselves\n")
