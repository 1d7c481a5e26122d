"""Eight threads with one `Table`: is every event that one was told is applied there in the end?

python -m tests.table.threads [RUNS] [EVENTS]
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import anyorder
from tests.streams import record

THREADS = 8
BATCH = 10  # the first of each is broken, and settled


class Count(NamedTuple):
    """Of one run."""

    acknowledged: int
    missing: int
    settled: int
    unsettled: int


def run(path: Path, events: int) -> Count:
    """Apply, ask and settle at once; then compare with the rows."""
    table = anyorder.table(f"sqlite:///{path}", "users", key="id")
    start = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(
            pool.map(lambda one: _one(table, start, one, events // THREADS), range(THREADS))
        )
    database = sqlite3.connect(path)
    rows = {key for (key,) in database.execute("SELECT id FROM users")}
    settled = sum(entry.state == "dropped" for entry in table.quarantine.entries(""))
    left = len(table.quarantine.entries())
    table.close()
    database.close()
    acknowledged = {key for keys, _ in told for key in keys}
    dropped = sum(count for _, count in told)
    return Count(
        len(acknowledged), len(acknowledged - rows), settled, left + abs(settled - dropped)
    )


def _one(
    table: anyorder.Table, start: threading.Barrier, number: int, events: int
) -> tuple[list[int], int]:
    acknowledged: list[int] = []
    dropped = 0
    start.wait()
    for first in range(0, events, BATCH):
        keys = [number * events + first + place for place in range(1, BATCH)]
        broken = f"broken {number} {first}".encode()
        report = table.apply([broken, *(_created(key) for key in keys)])
        assert report.applied == len(keys), report
        acknowledged += keys
        assert table.why(keys[0]).state == "row"
        dropped += _settle(table, broken)
    return acknowledged, dropped


def _created(key: int) -> dict[str, object]:
    return record(key, "c", 1000 + key, after={"id": key, "name": f"{key}"})


def _settle(table: anyorder.Table, broken: bytes) -> int:
    """Drop the entry of these bytes."""
    for entry in table.quarantine.entries():
        delivery = table.quarantine.show(entry.id).delivery
        if delivery is not None and delivery.value == broken:
            table.quarantine.drop(entry.id)
            return 1
    raise AssertionError(f"nothing holds {broken!r}")


def main(arguments: Sequence[str]) -> None:
    """Figures of many runs."""
    runs, events = (int(told) for told in (*arguments, 30, 4000)[:2])
    found: list[Count] = []
    began = time.monotonic()
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            found.append(run(Path(folder) / "app.db", events))
    total = Count(*(sum(each) for each in zip(*found, strict=True)))
    print(f"{runs} runs of {THREADS} threads and {events} events: {total}, ", end="")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
