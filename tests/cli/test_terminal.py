"""Nothing that a delivery, a name or an argument tells is obeyed by a terminal, whatever the verb
and the format."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import subprocess
import sys

import pytest

from anyorder.cli.main import VERBS
from anyorder.cli.terminal import ERASED, printable, printable_json
from tests.cli.home import AS_USERS_HAVE_IT, Home
from tests.streams import record

# clear the screen, a title, a C1 sequence, DEL, a new line and two turns of the writing
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\x7f\x85\x08\r\u202ereverse\u2066\u200f\u061c"
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)  # by our own list, not the product's
OURS = re.compile("\x1b\\[1m|\x1b\\[0m|\r\x1b\\[K|\r\n")
TABLE = f"t{HOSTILE}"
ARGUMENT = HOSTILE  # a shell gives any byte but NUL
PIPELINE = """
[source]
path = "day.jsonl"
[store]
url = "sqlite:///app.db"
[[table]]
match = "app.public.*"
retention = "0s"
[[table]]
match = "mine.*"
"""


def told(key: object, op: str, lsn: int, **after: object) -> dict[str, object]:
    """A change of the hostile table."""
    one = record(1, op, lsn, after={"id": key, **after} if after else None)
    value = json.loads(str(one["value"]))
    value["source"]["table"] = TABLE
    value["source"]["name"] = f"app{HOSTILE}"
    return {
        **one,
        "topic": f"app.public.{TABLE}",
        "key": json.dumps({"id": key}),
        "value": json.dumps(value),
        "headers": [[HOSTILE, HOSTILE]],
    }


RECORDS: list[dict[str, object]] = [
    told(HOSTILE, "c", 10, name=HOSTILE),
    told(HOSTILE, "u", 10, name=f"{HOSTILE}2"),  # a conflict
    told(f"{HOSTILE}9", "u", 20, **{f"c{HOSTILE}": "__debezium_unavailable_value"}),  # a hole
    told(f"{HOSTILE}8", "c", 25, name=HOSTILE),
    told(f"{HOSTILE}8", "d", 30),
    told(5, "c", 40, name=HOSTILE),  # of another kind
    {**told(HOSTILE, "c", 50), "value": f'{{"a{HOSTILE}": }}'},
    {**told(HOSTILE, "c", 60), "value": json.dumps({"op": HOSTILE, "source": HOSTILE})},
    {**told(HOSTILE, "c", 70, name="x"), "topic": f"other{HOSTILE}"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    found = Home(tmp_path_factory.mktemp("home"))
    (found.path / "pipeline.toml").write_text(PIPELINE)
    found.deliver(RECORDS)
    (found.path / "odd.txt").write_bytes(HOSTILE.encode() + b"\n")
    (found.path / f"{HOSTILE}.toml").write_text(PIPELINE.replace("day", f"day{HOSTILE[:4]}"))
    assert done(found, "run").returncode == 1
    return found


def done(home: Home, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "anyorder", *words],
        cwd=home.path,
        capture_output=True,
        check=False,
        env={**AS_USERS_HAVE_IT, **environment},
    )


LISTS = [
    ["why", TABLE, HOSTILE],
    ["why", TABLE, f"{HOSTILE}9"],
    ["why", TABLE, "nobody"],
    ["incomplete"],
    ["doctor"],
    ["reap"],
    ["quarantine", "list", "--state", "all"],
    *(["quarantine", "show", str(number)] for number in range(1, 6)),
    ["decode", "--count", "9", "day.jsonl"],
    ["run", "--from-start"],
]
ACTS = [
    ["run"],
    ["run", "--dry-run", "--from-start"],
    ["run", f"{HOSTILE}.toml"],
    ["run", ARGUMENT],
    ["quarantine", "retry"],
    ["quarantine", "settle", "1", "--accept"],
    ["quarantine", "settle", "2", "--drop"],
    ["quarantine", "dismiss", ARGUMENT],
    ["quarantine", "show", ARGUMENT],
    ["quarantine", ARGUMENT],
    ["schema", "print", "--table", ARGUMENT],
    ["schema", "apply"],
    ["decode", "odd.txt"],
    ["decode", ARGUMENT],
    ["completion", ARGUMENT],
    ["demo", "--seed", ARGUMENT],
    ["demo", "--act", "1", "--html", f"/nowhere/{ARGUMENT}"],
    ["why", ARGUMENT, ARGUMENT],
    [ARGUMENT],
    ["why", ARGUMENT],
]
FORMATS = ["--json", "--nl", "--csv"]
TAKES = {"why": ["--json"], "run": ["--json"]}


def cases() -> list[list[str]]:
    formatted = [[*words, format] for words in LISTS for format in TAKES.get(words[0], FORMATS)]
    return [*LISTS, *formatted, *ACTS]


def test_every_verb_is_tried() -> None:
    assert {words[0] for words in cases()} >= VERBS.keys()


@pytest.mark.parametrize("words", cases(), ids=lambda words: " ".join(map(ascii, words))[:60])
def test_no_control_sign_comes_out_of_any_verb_in_any_format(home: Home, words: list[str]) -> None:
    ended = done(home, *words)

    for stream in (ended.stdout, ended.stderr):
        assert OBEYED.findall(stream.decode()) == []
    assert b"a bug in anyorder" not in ended.stderr
    assert ended.stdout or ended.stderr


@pytest.mark.parametrize("words", [["quarantine", "show", "1"], ["why", TABLE, HOSTILE]])
def test_json_still_reads_back_what_was_told(home: Home, words: list[str]) -> None:
    whole = json.loads(done(home, *words, "--json").stdout)

    assert any(HOSTILE in text for text in texts_of(whole))


def texts_of(value: object) -> list[str]:
    """Every text in a document, names of members too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts_of(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_of(one)]
    return []


def test_csv_has_as_many_cells_as_its_header(home: Home) -> None:
    text = done(home, "quarantine", "list", "--state", "all", "--csv").stdout.decode()
    header, *rows = csv.reader(text.splitlines())

    assert rows
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--from-start"],
        ["quarantine", "list", "--state", "all"],
        ["doctor"],
        ["run", ARGUMENT],
    ],
)
def test_on_a_terminal_only_our_own_bold_and_our_own_erasing_come_out(
    home: Home, words: list[str]
) -> None:
    """The progress line and the bold header are written there only."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "anyorder", *words],
        cwd=home.path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=AS_USERS_HAVE_IT,
    )
    os.close(theirs)
    said = b""
    try:
        while block := os.read(ours, 65536):
            said += block
    except OSError:  # Linux says so where the other end is closed
        pass
    process.wait()
    os.close(ours)

    text = said.decode()
    assert OURS.search(text) is not None
    assert OBEYED.findall(OURS.sub("", text)) == []


@pytest.mark.parametrize(
    "words", [["doctor", ARGUMENT], ["run", "--adopt", "refuse", "x", ARGUMENT]]
)
def test_an_argument_that_is_one_too_many_is_told_as_a_terminal_may_have_it(
    home: Home, words: list[str]
) -> None:
    ended = done(home, *words)

    assert b"unrecognized arguments" in ended.stderr
    assert OBEYED.findall(ended.stderr.decode()) == []


def test_a_traceback_is_printed_as_a_terminal_may_have_it(home: Home) -> None:
    ended = done(home, "why", TABLE, "x", "--pipeline", HOSTILE, ANYORDER_TRACEBACK="1")

    assert b"Traceback" in ended.stderr
    assert OBEYED.findall(ended.stderr.decode()) == []


def test_a_warning_of_the_log_is_printed_as_a_terminal_may_have_it(home: Home) -> None:
    path = home.path / f"half{HOSTILE}"
    path.write_bytes(b'{"a"')
    (home.path / "half.toml").write_text(PIPELINE.replace("day.jsonl", json.dumps(path.name)[1:-1]))

    ended = done(home, "run", "half.toml")

    assert b"its last line has no end yet" in ended.stderr
    assert OBEYED.findall(ended.stderr.decode()) == []


@pytest.mark.parametrize("sign", HOSTILE)
def test_a_sign_is_spelled_out_for_people_and_reads_back_from_json(sign: str) -> None:
    document = json.dumps({sign: sign}, ensure_ascii=False)

    assert json.loads(printable_json(document)) == {sign: sign}
    assert OBEYED.findall(printable_json(document)) == []
    assert OBEYED.findall(printable(sign)) == []


def test_our_own_erasing_is_the_only_control_that_the_progress_line_has() -> None:
    assert ERASED == "\r\x1b[K"
