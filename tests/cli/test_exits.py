"""What content causes is a reason, what infrastructure causes ends in one sentence and exit code 3:
tried on real full disks, locks, broken files and users without rights."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from anyorder import errors
from anyorder.cli import reap
from anyorder.cli.exits import CODES, code_of, sentence_of
from anyorder.cli.main import main, overview
from tests.cli.home import Home, lines_of
from tests.streams import record, stream

OTHERS = {
    "ConfigurationError": 2,
    "Malformed": 1,
    "MissingExtra": 2,
    "NotReapable": 2,
    "QuarantineFull": 1,
    "TableNotEmpty": 2,
    "TooManyQuarantined": 1,
}
"""The exceptions that do not end with 3."""
LIMIT = 150_000  # bytes that a file may have in a full "disk"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path)
    found.pipeline()
    return found


@contextmanager
def locked(home: Home, how: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """Somebody who writes and does not commit."""
    with closing(sqlite3.connect(home.path / "app.db", isolation_level=None)) as writer:
        writer.execute(f"BEGIN {how}")
        yield writer


def one_sentence(said: str) -> bool:
    return "Traceback" not in said and len(said.strip().splitlines()) == 1


# --- the table


def test_every_exception_ends_with_the_code_that_the_design_gives_it() -> None:
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    found = {name: code_of(kind()) for name, kind in kinds.items()}

    assert {name: code for name, code in found.items() if code != 3} == OTHERS
    assert {"StoreError", "StoreBusy", "SourceError", "BooksUnbalanced"} <= found.keys()
    assert code_of(PermissionError()) == 3


def test_an_exception_that_nobody_thought_of_is_a_sentence_that_says_what_to_do() -> None:
    said = sentence_of(KeyError("x"))

    assert code_of(KeyError("x")) == 3
    assert "KeyError" in said
    assert "report" in said


def test_the_help_names_all_codes() -> None:
    assert "0 fine, 1 found something, 2 misuse, 3 could not go on" in overview()


def test_a_kind_comes_after_those_that_are_more_special() -> None:
    """Else its line would never count."""
    kinds = [kind for kind, _ in CODES]

    for place, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[place + 1 :])


# --- the disk and the file


def test_a_full_disk_ends_with_a_sentence_and_what_was_committed_stays(home: Home) -> None:
    home.deliver(list(stream(6000, 3000)))

    done = home.ended("run", "--batch", "100", limit=LIMIT)

    assert done.returncode == 3
    assert one_sentence(done.stderr)
    assert "start again" in done.stderr
    # the next run, with room, goes on where this one stopped
    rest = home.books()
    assert 0 < int(str(rest["read"])) <= 6000


@pytest.mark.parametrize("verb", [["run"], ["why", "users", "1"], ["doctor"], ["reap"]])
def test_a_file_that_is_no_database_ends_with_a_sentence(home: Home, verb: list[str]) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    (home.path / "app.db").write_bytes(b"this is no database, but long enough to be looked at" * 99)

    done = home.ended(*verb)

    assert done.returncode == 3
    assert one_sentence(done.stderr)
    assert "is not a SQLite database" in done.stderr


def test_a_damaged_database_ends_with_a_sentence(home: Home) -> None:
    home.deliver(list(stream(500, 200)))
    home.books()
    file = home.path / "app.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    done = home.ended("run", "--from-start")

    assert done.returncode == 3
    assert one_sentence(done.stderr)
    assert "damaged" in done.stderr


def test_a_directory_that_is_not_there_ends_with_a_sentence(home: Home) -> None:
    home.pipeline(url="sqlite:///nowhere/app.db")
    home.deliver([record(1, "c", 10, after={"id": 1})])

    done = home.ended("run")

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert "does its directory exist" in done.stderr


def test_a_target_that_somebody_dropped_ends_with_a_sentence_and_is_read_again(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1, "name": "Ada"})])
    home.books()
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        (made,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'users'").fetchone()
        database.execute("DROP TABLE users")
    with (home.path / "day.jsonl").open("ab") as file:
        file.write(lines_of([record(1, "u", 20, after={"id": 1, "name": "Bea"})]))

    done = home.ended("run")
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute(made)
    again = home.books()

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert "users" in done.stderr
    assert again["read"] == 1


def test_our_own_tables_dropped_end_with_a_sentence(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("DROP TABLE anyorder_frontier")

    done = home.ended("run")

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert "no such table" in done.stderr


def test_a_source_that_may_not_be_read_is_no_misuse(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.ended("run")
    (home.path / "day.jsonl").chmod(0)

    done = home.ended("run")

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert "Permission denied" in done.stderr


def test_a_missing_source_is_a_mistake_in_the_pipeline(home: Home) -> None:
    done = home.ended("run")

    assert (done.returncode, one_sentence(done.stderr)) == (2, True)


# --- a database that one may only read


@pytest.mark.parametrize("directory", [0o555, 0o755], ids=["", "files may be made beside it"])
def test_a_database_that_one_may_only_read_can_be_looked_into(home: Home, directory: int) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1}), {**record(2, "c", 20), "topic": "other"}])
    home.books(code=1)

    with home.read_only(directory):
        why = home.ended("why", "users", "1")
        held = home.ended("quarantine", "list", "--nl")
        doctor = home.ended("doctor")

    assert (why.returncode, why.stderr) == (0, "")
    assert "a row" in why.stdout
    assert (held.returncode, held.stdout.count("unrouted")) == (1, 1)
    assert (doctor.returncode, doctor.stderr) == (1, "")
    assert "journal" not in doctor.stdout


def test_who_may_only_read_is_told_what_he_cannot_see(home: Home) -> None:
    """A writer keeps its latest commits beside the database, where only who may write sees them."""
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()
    with closing(sqlite3.connect(home.path / "app.db")) as writer:
        writer.execute("UPDATE users SET id = id")
        writer.commit()
        with home.read_only():
            (home.path / "app.db-wal").chmod(0)
            done = home.ended("why", "users", "1")

    assert done.returncode == 0
    assert "are not seen" in done.stderr


@pytest.mark.parametrize("verb", [["run"], ["quarantine", "settle", "1", "--drop"], ["reap"]])
def test_who_may_only_read_and_writes_is_told_so(home: Home, verb: list[str]) -> None:
    before = [record(1, "d", 10), {**record(2, "c", 20), "topic": "other"}]
    home.deliver(before)
    home.ended("run")
    home.deliver([*before, record(1, "c", 30, after={"id": 1})])
    home.pipeline(retention="0s")

    with home.read_only():
        done = home.ended(*verb)

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert "may only be read" in done.stderr


def test_who_may_only_read_a_database_of_before_is_told_who_must_come_first(home: Home) -> None:
    with closing(sqlite3.connect(home.path / "app.db")) as database:
        database.execute("CREATE TABLE something (id)")

    with home.read_only():
        done = home.ended("doctor")

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert "schema apply" in done.stderr


# --- locks


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_wait_for_a_lock_says_for_whom_and_a_signal_ends_it(
    home: Home, signal_number: signal.Signals
) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()
    home.deliver([record(1, "c", 10, after={"id": 1}), record(2, "c", 20, after={"id": 2})])
    with locked(home):
        holder = holder_shown()
        process = home.started("run", "--json")
        assert process.stderr is not None
        said = process.stderr.readline()
        began = time.monotonic()
        process.send_signal(signal_number)
        out, rest = process.communicate(timeout=20)

    assert f"waiting for {holder}" in said
    assert time.monotonic() - began < 2
    assert process.returncode == 0
    assert '"read":0' in out
    assert "Traceback" not in rest
    assert home.books()["applied"] == 1


def holder_shown() -> str:
    """Who has the lock that this process has now, as far as the system tells."""
    # Where nothing is listed though there is this lock, nobody can know.
    locks = Path("/proc/locks")
    if not locks.exists() or not locks.read_text(encoding="ascii"):
        return "another process"
    return f"process {os.getpid()} ("


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_signal_ends_the_wait_for_a_database_that_cannot_be_opened_yet(
    home: Home, how: str
) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    with locked(home, how):
        process = home.started("run", "--json")
        assert process.stderr is not None
        said = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=20)

    assert "waiting for" in said
    assert (process.returncode, rest) == (130, "")


def test_a_lock_that_comes_free_is_waited_for(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])
    home.books()
    home.deliver([record(1, "c", 10, after={"id": 1}), record(2, "c", 20, after={"id": 2})])
    with locked(home) as writer:
        process = home.started("run", "--json")
        time.sleep(0.5)
        writer.execute("COMMIT")
        out, said = process.communicate(timeout=20)

    assert (process.returncode, said) == (0, "")
    assert '"applied":1' in out


# --- what nobody thought of


def test_a_bug_is_a_sentence_and_a_traceback_only_for_who_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reap, "run", failing)

    assert main(["reap"]) == 3
    assert one_sentence(capsys.readouterr().err)
    monkeypatch.setenv("ANYORDER_TRACEBACK", "1")
    assert main(["reap"]) == 3
    assert "Traceback" in capsys.readouterr().err


def failing(_: object) -> int:
    raise KeyError("x")


ASKING = [
    ["why", "users", "1"],
    ["doctor"],
    ["incomplete"],
    ["reap"],
    ["quarantine", "list"],
    ["quarantine", "show", "1"],
    ["quarantine", "retry"],
    ["quarantine", "settle", "1", "--accept"],
    ["quarantine", "settle", "1", "--drop"],
    ["quarantine", "dismiss", "pg:x|"],
]


@pytest.mark.parametrize("verb", ASKING)
def test_a_verb_that_asks_makes_no_database(home: Home, verb: list[str]) -> None:
    """It would say that all is well, in the wrong directory."""
    done = home.ended(*verb)

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert f"there is no database {home.path / 'app.db'}" in done.stderr
    assert not list(home.path.glob("app.db*"))


def test_a_dry_run_decides_as_if_the_database_were_empty_and_makes_none(home: Home) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])

    done = home.ended("run", "--dry-run")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("would have: 1 applied")
    assert done.stdout.endswith("; app.db is not there yet\n")
    assert not list(home.path.glob("app.db*"))


def test_a_dry_run_in_a_directory_that_is_not_there_ends_as_a_run(home: Home) -> None:
    home.pipeline(url="sqlite:///nowhere/app.db")
    home.deliver([record(1, "c", 10, after={"id": 1})])

    done = home.ended("run", "--dry-run")

    assert (done.returncode, one_sentence(done.stderr)) == (3, True)
    assert "does its directory exist" in done.stderr


@pytest.mark.parametrize("verb", [["run"], ["schema", "apply"]])
def test_a_run_makes_the_database_and_so_does_schema(home: Home, verb: list[str]) -> None:
    home.deliver([record(1, "c", 10, after={"id": 1})])

    assert home.ended(*verb).returncode == 0
    assert home.ended("doctor").returncode == 0
