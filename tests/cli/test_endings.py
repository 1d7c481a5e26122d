"""How `anyorder run` takes its options, how it ends, and what it says then."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from anyorder._core.event import Delivery
from anyorder.cli.main import main
from anyorder.cli.progress import Progress
from anyorder.guard.report import Report
from anyorder.sources.contract import Received
from anyorder.sources.records import delivery_of
from tests.streams import record, tombstone

PIPELINE = """
[source]
{source}
[store]
url = "sqlite:///app.db"
[[table]]
match = "app.public.*"
"""
FILE = 'path = "day.jsonl"'


class Signalled:
    """A source that a signal interrupts while it gives its second of three batches."""

    acknowledges = False
    name = place = "signalled"
    signals: ClassVar[Sequence[signal.Signals]] = ()

    def batches(self, frontier: str | None, size: int) -> Iterator[Sequence[Received]]:
        begin = int(frontier or 0) + 1
        for key in range(begin, 4):
            if key == 2 and begin == 1:
                for number in self.signals:
                    signal.raise_signal(number)
            yield [Received(created(key), str(key))]

    def done(self, batch: Sequence[Received]) -> None:
        pass

    def close(self) -> None:
        pass


class Sizes:
    """A source that only notes how many deliveries are asked of it at once."""

    acknowledges = False
    name = place = "sizes"
    asked: ClassVar[list[int]] = []

    def batches(self, frontier: str | None, size: int) -> Iterator[Sequence[Received]]:
        self.asked.append(size)
        return iter(())

    def done(self, batch: Sequence[Received]) -> None:
        pass

    def close(self) -> None:
        pass


def created(key: int) -> Delivery:
    return delivery_of(record(key, "c", 10 * key, after={"id": key}))


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A run takes the signals of its process; one that it does not take ends the test, not the
    process."""

    def not_taken(number: int, _: object) -> None:
        raise AssertionError(f"nobody took signal {number}")

    numbers = signal.SIGTERM, signal.SIGINT
    before = [signal.signal(number, not_taken) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pipeline(FILE)
    return tmp_path


def pipeline(source: str) -> None:
    Path("pipeline.toml").write_text(PIPELINE.format(source=source), encoding="utf-8")


def deliver(*records: dict[str, Any]) -> None:
    lines = "".join(json.dumps(one) + "\n" for one in records)
    Path("day.jsonl").write_text(lines, encoding="utf-8")


def books(said: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_after_the_batch_at_hand_and_the_next_run_goes_on(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    monkeypatch.setattr(Signalled, "signals", (number,))
    pipeline(f'kind = "{__name__}:Signalled"')

    codes = main(["run", "--json"]), main(["run", "--json"])

    read = [json.loads(line)["read"] for line in capsys.readouterr().out.splitlines()]
    assert (codes, read) == ((0, 0), [2, 1])


def test_a_second_signal_ends_a_run_at_once_and_loses_nothing(here: Path) -> None:
    """In a process of its own, since that is what ends."""
    pipeline(f'kind = "{__name__}:Signalled"')
    program = (
        f"import sys, signal; sys.path[:0] = {sys.path!r}\n"
        f"from {__name__} import Signalled\n"
        "from anyorder.cli.main import main\n"
        "Signalled.signals = (signal.SIGTERM, signal.SIGTERM)\n"
        "sys.exit(main(['run', '--json']))"
    )

    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    went_on = main(["run", "--json"])

    assert (ended.returncode, went_on) == (-signal.SIGTERM, 0), ended.stderr.decode()
    with closing(sqlite3.connect("app.db")) as database:
        assert database.execute("SELECT id FROM users ORDER BY id").fetchall() == [(1,), (2,), (3,)]


def test_what_settled_in_the_same_run_is_nothing_found(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = record(1, "d", 20)
    deliver(record(1, "c", 10, after={"id": 1}), tombstone(gone), gone)

    code = main(["run", "--json", "--batch", "1"])

    found = books(capsys.readouterr().out)
    assert (code, found["quarantined"], found["settled"]) == (
        0,
        {"waiting": 1},
        {"not_a_change": 1},
    )


def test_the_batch_size_is_asked_of_the_source(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sizes, "asked", [])
    pipeline(f'kind = "{__name__}:Sizes"\n[runtime]\nbatch = 7')

    assert [main(["run"]), main(["run", "--batch", "3"])] == [0, 0]

    assert Sizes.asked == [7, 3]


def test_adopting_may_be_said_on_the_command_line(here: Path) -> None:
    with Path("pipeline.toml").open("a", encoding="utf-8") as file:
        file.write('name = "users"')
    with closing(sqlite3.connect("app.db")) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
        database.execute("INSERT INTO users VALUES (1, 'old')")
        database.commit()
    deliver(record(2, "c", 10, after={"id": 2, "name": "new"}))

    assert main(["run"]) != 0
    assert main(["run", "--adopt", "older-than-everything"]) == 0

    with closing(sqlite3.connect("app.db")) as database:
        assert database.execute("SELECT count(*) FROM users").fetchone() == (2,)


def test_the_last_line_is_for_people_unless_json_is_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Done, only tried, and nothing to do are three lines; piped, nothing else is said."""
    deliver(record(1, "c", 10, after={"id": 1}))
    lines = []

    for words in (["--dry-run"], [], []):
        main(["run", *words])
        said = capsys.readouterr()
        assert said.err == ""
        lines.append(said.out)

    tried, done, nothing = lines
    assert "1 applied" in done
    assert "1 applied" in tried
    assert not tried.startswith(done[:10])
    assert "applied" not in nothing
    assert "day.jsonl" in nothing
    assert not any("{" in line for line in lines)


def test_progress_is_one_line_that_is_not_rewritten_for_every_batch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress()

    for _ in range(100):
        progress(Report(), None)

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("0 read") == 1
