"""Standard input that somebody else is still writing: a pipe, a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from anyorder.sources.live import Live
from anyorder.sources.shapes import shape_of
from tests.cli.home import Home

PIPELINE = """
[source]
path = "-"
envelope = "json"
options = {{ key = "/id", position = "/version", table = "t" }}
[store]
url = "sqlite:///app.db"
[[table]]
name = "t"
"""
SAID = (
    b"Option --property is deprecated and will be removed in a future version. "
    b"Use --formatter-property instead.\n"
)
SOON = 60.0  # seconds in which it must have happened, on a machine that has other things to do
PRETTY = '{\n  "id": 1,\n  "version": 1,\n  "tags": [\n    {}\n  ]\n}\n'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "pipeline.toml").write_text(PIPELINE.format(), encoding="utf-8")
    return Home(tmp_path)


def started(home: Home, stdin: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "anyorder", "run", "--json"],
        cwd=home.path,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def rows(home: Home) -> int:
    if not (home.path / "app.db").exists():
        return 0
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        try:
            found: int = database.execute("SELECT count(*) FROM t").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
    return found


def seen(home: Home, expected: int) -> bool:
    until = time.monotonic() + SOON
    # It is another process, which says nothing when it has committed.
    while time.monotonic() < until:
        if rows(home) == expected:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("first", ['{"id": 1, "version": 1}\n', PRETTY], ids=["line", "pretty"])
def test_what_came_through_a_pipe_is_applied_while_the_pipe_is_open(home: Home, first: str) -> None:
    reading, writing = os.pipe()
    process = started(home, reading)
    os.close(reading)

    os.write(writing, first.encode())
    is_first_seen = seen(home, 1)
    os.write(writing, first.replace("1,", "2,", 1).encode())
    is_second_seen = seen(home, 2)
    os.close(writing)
    said, _ = process.communicate(timeout=SOON)

    assert (is_first_seen, is_second_seen, process.returncode) == (True, True, 0)
    assert json.loads(said)["applied"] == 2


def test_half_a_line_does_not_keep_back_those_before_it(home: Home) -> None:
    reading, writing = os.pipe()
    process = started(home, reading)
    os.close(reading)

    os.write(writing, b'{"id": 1, "version": 1}\n{"id": 2, "ver')
    is_seen = seen(home, 1)
    os.write(writing, b'sion": 1}\n')
    os.close(writing)
    process.communicate(timeout=SOON)

    assert is_seen
    assert rows(home) == 2


def test_on_a_terminal_it_says_what_it_reads_and_the_first_interrupt_ends_it(home: Home) -> None:
    keyboard, terminal = pty.openpty()
    process = started(home, terminal)
    os.close(terminal)
    assert process.stderr is not None
    # It may say nothing, and then nobody waits for it.
    ready, _, _ = select.select([process.stderr], [], [], SOON)
    said = process.stderr.readline().decode() if ready else ""
    os.write(keyboard, b'{"id": 1, "version": 1}\n')
    is_seen = seen(home, 1)

    process.send_signal(signal.SIGINT)
    books, _ = process.communicate(timeout=SOON)
    os.close(keyboard)

    assert "one record a line" in said
    assert "Ctrl-D" in said
    assert is_seen
    assert (process.returncode, json.loads(books)["applied"]) == (0, 1)


def test_a_pipe_is_told_nothing_of_typing(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "anyorder", "run", "--json"],
        cwd=home.path,
        input=b'{"id": 1, "version": 1}\n',
        capture_output=True,
        check=True,
    )

    assert done.stderr == b""


def test_what_the_console_consumer_says_of_itself_is_not_the_first_record_of_a_pipe() -> None:
    """It comes long before the first record, which alone tells what the columns are."""
    reading, writing = os.pipe()
    os.write(writing, SAID)
    later = threading.Timer(0.2, os.write, [writing, b"Partition:0\tOffset:1\t{}\t{}\n"])
    later.start()

    shape = shape_of(Live(reading).peek(1 << 16))

    later.join()
    os.close(reading)
    os.close(writing)
    assert shape.words == "columns: partition, offset, key, value, separated by '\\t'"
