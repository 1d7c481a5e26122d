"""`python -m bench.quarantine [--entries N] [--store URL]`: what a person waits for when very much
lies in the quarantine: every verb that reads or settles it, as CPU of the whole command."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.cli.forgetful import pipeline

from anyorder import table

ENTRIES = 100_000
ASKED = 20  # keys whose story is told through the API


def records(entries: int) -> Iterator[dict[str, object]]:
    """Deletes that are forgotten at once; then a put below the floor of each key: all late."""
    for key in range(entries):
        yield {"id": key, "v": 2, "gone": True}
    for key in range(entries):
        yield {"id": key, "v": 1, "name": f"name {key}"}


def command(home: Path, *words: str) -> tuple[float, float, str]:
    """Run a verb: its seconds of CPU, its seconds by the clock, and the last line that it says."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "anyorder", *words],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = (done.stdout + done.stderr).strip().splitlines()
    return cpu, ended - began, said[-1] if said else ""


def measured(home: Path, *words: str) -> None:
    """Print the figures of one verb."""
    cpu, seconds, said = command(home, *words)
    print(f"{' '.join(words):<48}{cpu:8.1f} s of CPU{seconds:8.1f} s   {said:.60}", flush=True)


def asked(url: str) -> None:
    """Print what a question of `why` through the API takes."""
    users = table(url, "users", key="id")
    users.why(0)
    began = time.perf_counter()
    for key in range(ASKED):
        users.why(key)
    each = (time.perf_counter() - began) / ASKED * 1000
    print(f"{'users.why(key)':<48}{each:8.2f} ms each")


def made(home: Path, url: str, entries: int) -> None:
    """A store with so many open entries."""
    (home / "pipeline.toml").write_text(pipeline(url, "batch = 1000"), encoding="utf-8")
    with (home / "day.jsonl").open("w", encoding="utf-8") as lines:
        for record in records(entries):
            lines.write(json.dumps(record) + "\n")
    measured(home, "run")


def figures(home: Path, url: str, entries: int) -> None:
    """Each verb in turn, the settling ones last."""
    made(home, url, entries)
    asked(url)
    half = str(entries // 2)
    for words in (
        ["run"],
        ["doctor"],
        ["quarantine", "list", "--nl"],
        ["quarantine", "summary"],
        ["quarantine", "retry"],
        ["quarantine", "settle", "--reason", "late", "--limit", half, "--drop", "--yes"],
        ["quarantine", "settle", "--reason", "late", "--accept", "--yes"],
        ["quarantine", "summary"],
    ):
        measured(home, *words)


def main(words: Sequence[str] | None = None) -> None:
    """Print a line for each verb."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--store", default=None, help="a store's URL; by default a SQLite file")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="anyorder-bench-") as name:
        home = Path(name)
        url = options.store or f"sqlite:///{home}/app.db"
        os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
        figures(home, url, options.entries)


if __name__ == "__main__":
    main()
