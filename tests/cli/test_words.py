"""What a person types by mistake, or a shell puts there, is a sentence and exit code 2; and what he
looks at may be broken."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.home import AS_USERS_HAVE_IT, Home
from tests.streams import record

ODD = "\udcff"  # a byte that is no UTF-8, as Python takes it from a command line


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path)
    found.pipeline()
    found.deliver([record(1, "c", 10, after={"id": 1}), {**record(2, "c", 20), "topic": "other"}])
    return found


@pytest.mark.parametrize(
    "words",
    [
        ["why", "users", ODD],
        ["why", ODD, "1"],
        ["quarantine", "show", "9" * 30],
        ["quarantine", "show", "²"],
        ["quarantine", "show", "-1"],
        ["quarantine", "settle", "9" * 5000, "--drop"],
        ["quarantine", "dismiss", ODD],
        ["decode", "."],
        ["decode", ODD],
        ["decode", "--count", "-5", "day.jsonl"],
        ["decode", "--count", "9" * 5000, "day.jsonl"],
        ["decode", "--count", "many", "day.jsonl"],
        ["run", "."],
        ["run", "app.db"],
        ["run", ODD],
        ["run", "--batch", "-1"],
        ["quarantine", "list", "1"],
        ["quarantine", "list", "--drop"],
        ["quarantine", "show", "1", "--reason", "unrouted"],
        ["quarantine", "retry", "--state", "open"],
        ["quarantine", "retry", "--drop"],
        ["quarantine", "settle", "1", "--drop", "--state", "open"],
        ["quarantine", "dismiss", "pg:app|", "--accept"],
    ],
)
def test_a_mistaken_word_is_exit_code_2_and_no_traceback(home: Home, words: list[str]) -> None:
    home.ended("run")

    done = home.ended(*words)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "a bug" not in done.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('name = "{tabel}"', "{tabel}"),
        ('name = "{Table}_copy"', "{Table}"),
        ("merge = true\nignore = true", "one of the two"),
        ('kinds = { id = "string" }', "number, text, boolean"),
        ('key = "id"\nkinds = { uid = "text" }', "uid"),
        ('source = ""', "empty"),
    ],
)
def test_a_word_of_a_table_that_means_nothing_is_misuse_before_anything_is_read(
    home: Home, line: str, told: str
) -> None:
    with (home.path / "pipeline.toml").open("a") as file:
        file.write(f'[[table]]\nmatch = "nothing"\n{line}\n')

    done = home.ended("run")

    assert done.returncode == 2
    assert told in done.stderr
    assert not (home.path / "app.db").exists()


@pytest.mark.parametrize(
    ("column", "kinds", "finding"),
    [
        ("id INTEGER", 'id = "text"', "kinds says id is a text"),
        ("id", 'uid = "text"', "kinds names uid"),
    ],
)
def test_the_doctor_says_which_declared_kind_counts_for_nothing(
    home: Home, column: str, kinds: str, finding: str
) -> None:
    sqlite3.connect(home.path / "app.db").execute(
        f"CREATE TABLE users ({column} PRIMARY KEY, name)"
    )
    text = (home.path / "pipeline.toml").read_text()
    (home.path / "pipeline.toml").write_text(
        text.replace('match = "app.public.*"', f'match = "app.public.*"\nkinds = {{ {kinds} }}')
    )
    home.ended("run")

    assert finding in home.ended("doctor").stdout


def test_what_no_table_matches_is_told_with_its_topic(home: Home) -> None:
    home.deliver([{**record(2, "c", 20, after={"id": 2}), "topic": "other"}])
    home.ended("run")

    assert "no [[table]] matches 'other'" in home.ended("quarantine", "list").stdout
    assert (
        "no [[table]] matches 'other'" in home.ended("quarantine", "settle", "1", "--accept").stderr
    )


def test_a_word_that_was_not_needed_is_told_so(home: Home) -> None:
    home.deliver([{**record(2, "c", 20, after={"id": 2}), "topic": "other"}])
    home.ended("run")
    with (home.path / "pipeline.toml").open("a") as file:
        file.write('[[table]]\nmatch = "other"\nname = "others"\n')

    assert home.anyorder("quarantine", "settle", "1", "--accept").startswith("It needed no word")


def test_a_table_that_is_piped_is_not_cut(home: Home) -> None:
    columns = {f"a_column_with_a_name_of_some_length_{number}": 1 for number in range(5)}
    sqlite3.connect(home.path / "app.db").execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    home.deliver([record(1, "c", 10, after={"id": 1, **columns})])
    home.ended("run")

    told = home.ended("doctor").stdout

    assert all(name in told for name in columns)


def test_any_batch_may_be_larger_than_all_there_is(home: Home) -> None:
    assert home.books("--batch", "9" * 5000, code=1)["read"] == 2


def test_one_payload_over_several_lines_is_decoded_as_one(home: Home) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "a"}
    (home.path / "one.json").write_text(json.dumps(event, indent=2) + "\n", encoding="utf-8")

    assert "CloudEvent" in home.anyorder("decode", "one.json")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{\n broken\n", "line 1"),
        (b'{"a":1}\n{broken\n', "line 2"),
        (b"\xff\xfe\x00\n", "line 1"),
    ],
)
def test_broken_bytes_are_what_decode_finds_and_it_says_in_which_line(
    home: Home, content: bytes, told: str
) -> None:
    (home.path / "broken").write_bytes(content)

    done = home.ended("decode", "--count", "5", "broken")

    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["quarantine", "list"], ["run"]])
def test_a_full_output_is_a_disk_that_is_full(home: Home, words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    home.ended("run")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "anyorder", *words],
            cwd=home.path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=AS_USERS_HAVE_IT,
        )

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_no_standard_input_at_all_is_said(home: Home) -> None:
    home.pipeline(path="-")

    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m anyorder run <&-"],
        cwd=home.path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert "standard input is closed" in done.stderr


@pytest.mark.parametrize("said", ["\x1b[31m", "\x9b31m", "\r", "\x7f", "\u202e"])
def test_nothing_of_a_delivery_is_obeyed_by_a_terminal(home: Home, said: str) -> None:
    """Neither where it is decoded, nor in the quarantine, nor in the story of its row."""
    (home.path / "pipeline.toml").write_text(
        '[source]\npath = "day.jsonl"\nenvelope = "raw"\n[store]\nurl = "sqlite:///app.db"\n'
        "[runtime]\nquarantine_share = 1.0\n",
        encoding="utf-8",
    )
    event = {"specversion": "1.0", "id": said, "source": said, "type": said, "subject": said}
    (home.path / "one.json").write_text(json.dumps(event), encoding="utf-8")
    place = {"topic": "t", "partition": 0}
    home.deliver(
        [
            {**place, "offset": 0, "key": said, "value": json.dumps({"a": said})},
            {**place, "offset": 1, "key": "{" + said, "value": said},
        ]
    )
    told = [
        home.anyorder("decode", "one.json"),
        home.anyorder("run", code=1),
        home.anyorder("quarantine", "list", code=1),
        home.anyorder("quarantine", "show", "1"),
        home.anyorder("why", "t", said),
        home.anyorder("doctor", code=1),
        home.ended("quarantine", "show", "9").stderr,
    ]

    assert [text for text in told if said in text] == []
    assert ascii(said)[1:-1] in told[0]


@pytest.mark.parametrize(
    "key",
    [
        "1e99999999999999999999999",
        "1e-99999999999999999999",
        "[" * 5000,
        "1" * 5000,
        "nan",
        "\x1b",
    ],
)
def test_a_key_that_no_row_can_have_is_unknown(home: Home, key: str) -> None:
    home.anyorder("run", code=None)

    assert "nothing is remembered" in home.anyorder("why", "users", key, code=1)
