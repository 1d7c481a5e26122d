"""Mistakes in a pipeline that hold what they cannot place, over recorded streams: corrected and
retried, they come to what would have come at once.

`python -m tests.runtime.mistakes [STREAM...]` (`make mistakes`) takes every telling of every
recorded stream, or of those named, and prints what it came to.
"""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import time
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from anyorder.cli.main import main
from anyorder.envelopes import open_envelope
from anyorder.errors import ConfigurationError
from anyorder.runtime.preflight import check_first
from anyorder.sources.jsonl import JSONLinesSource
from tests.recordings import Telling, chosen

PIPELINE = """
[source]
path = "{path}"
envelope = "{envelope}"
options = {options}
[store]
url = "sqlite:///app.db"
[runtime]
batch = 1000
quarantine_share = 1.0
quarantine_size = "100GB"
{tables}
"""
IGNORED = """
[[table]]
match = "*.message"
ignore = true
[[table]]
match = "*.transaction"
ignore = true
"""
EVERY = f'{IGNORED}[[table]]\nmatch = "*"\n'
BATCH = 500  # deliveries that are looked at together for a false alarm


class Pipeline(NamedTuple):
    """What a person wrote, rightly or not. `told`: does a preflight tell that it is wrong?"""

    envelope: str = "debezium"
    options: str = "{}"
    tables: str = EVERY
    told: bool = False


class Books(NamedTuple):
    """What a store holds in the end: the rows of each table, and what is open, with its reason."""

    rows: dict[str, list[str]]
    held: list[tuple[str, str, str, str]]


class Mended(NamedTuple):
    """What became of a mistake: how many deliveries it held, the words of the retry, the seconds of
    CPU that it took, and the books."""

    held: int
    answer: str
    seconds: float
    books: Books


RIGHT = Pipeline()
MISTAKES = {
    "no [[table]] matches": Pipeline(tables=f'{IGNORED}[[table]]\nmatch = "nowhere.*"\n'),
    "one [[table]] is missing": Pipeline(tables=f'{IGNORED}[[table]]\nmatch = "*s"\n'),
    "a key pointer finds nothing": Pipeline(
        "json", '{ key = "/nowhere/id", position = "/source/lsn" }', told=True
    ),
    "another envelope": Pipeline("cloudevents", told=True),
}


def write(pipeline: Pipeline, telling: Telling) -> None:
    """The pipeline file, here."""
    text = PIPELINE.format(path=telling.path, **pipeline._asdict())
    Path("pipeline.toml").write_text(text, encoding="utf-8")


def command(*words: str) -> tuple[int, str]:
    """Exit code and standard output of a command, here."""
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(io.StringIO()):
        code = main(list(words))
    return code, printed.getvalue()


def books() -> Books:
    """What the store here holds."""
    with closing(sqlite3.connect("app.db")) as database:
        database.row_factory = sqlite3.Row
        names = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("anyorder_")
        ]
        rows = {name: _rows(database, name) for name in names}
        held = database.execute(
            "SELECT table_name, entity, reason, detail FROM anyorder_quarantine "
            "WHERE state = 'open'"
        )
        return Books(rows, sorted(map(tuple, held)))


def _rows(database: sqlite3.Connection, table: str) -> list[str]:
    # In a table that we made, the order of the columns is that of the events, and says nothing.
    found = database.execute(f'SELECT * FROM "{table}"')
    return sorted(json.dumps(dict(row), sort_keys=True, default=str) for row in found)


def at_once(telling: Telling, here: Path) -> Books:
    """The books of a pipeline that was right at once."""
    with chdir(here):
        write(RIGHT, telling)
        command("run")
        return books()


def mended(telling: Telling, mistake: Pipeline, here: Path) -> Mended:
    """Run a mistaken pipeline, correct it, retry."""
    with chdir(here):
        write(mistake, telling)
        _, printed = command("run", "--json", "--no-preflight")
        told = json.loads(printed.splitlines()[-1])
        write(RIGHT, telling)
        began = time.process_time()
        _, answer = command("quarantine", "retry")
        took = time.process_time() - began
        return Mended(sum(told["quarantined"].values()), answer.strip(), took, books())


def alarms(telling: Telling, envelope: str = "debezium") -> int:
    """How many of a telling's batches a preflight would take for something else."""
    opened, found = open_envelope(envelope), 0
    for batch in JSONLinesSource(str(telling.path)).batches(None, BATCH):
        try:
            check_first(opened, batch, str(telling))
        except ConfigurationError:
            found += 1
    return found


def _all(streams: list[str]) -> int:
    """Every mistake over every telling of these streams; how many were not mended."""
    wrong = 0
    for telling in chosen(streams):
        found = alarms(telling)
        wrong += found
        print(f"{telling}: {found} false alarms", flush=True)
        with TemporaryDirectory() as here:
            wanted = at_once(telling, Path(here))
        for name, mistake in MISTAKES.items():
            with TemporaryDirectory() as here:
                done = mended(telling, mistake, Path(here))
            is_right = done.books == wanted
            wrong += not is_right
            print(
                f"{telling}: {name}: {done.held} held; {done.answer} in {done.seconds:.1f} s of "
                f"CPU; {len(wanted.held)} were open at once; {'equal' if is_right else 'DIFFERS'}",
                flush=True,
            )
    print(f"{wrong} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(min(_all(sys.argv[1:]), 1))
