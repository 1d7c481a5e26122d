"""python -m bench.waiting: what a batch costs while the quarantine holds deliveries that the
database refused for now, and whether hopeless ones starve those that can settle."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from anyorder.guard.contract import EntryQuery, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores.sqlite.store import SQLiteStore
from anyorder.testing.change import Change, decode

BATCH, BATCHES = 500, 30
HELD = (0, 500, 50_000)
ORPHANS, CHILDREN = 600, 99
ALLOWED = 1.2  # times the CPU of a batch with nothing held
PARENT, CHILD = TableSpec("parent", ("id",)), TableSpec("child", ("id",))
SCHEMA = """
CREATE TABLE parent (id PRIMARY KEY, a, b);
CREATE TABLE child (id PRIMARY KEY, parent REFERENCES parent (id), day);
"""
CLOSED = """
CREATE TRIGGER closed BEFORE INSERT ON child WHEN NEW.day = 'closed'
BEGIN SELECT RAISE(ABORT, 'closed'); END;
"""


class Bed(NamedTuple):
    """A store that holds some deliveries, and what they wait for."""

    held: int
    waits_for: str
    store: SQLiteStore


def made(directory: Path, held: int, waits_for: str) -> Bed:
    """A store in which so many children wait: for parents that never come, or for nobody knows
    what."""
    path = directory / f"{waits_for} {held}.db"
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA + CLOSED)
    store = SQLiteStore(str(path), decode)
    fields = {"parent": None, "day": "closed"}
    for start in range(0, held, BATCH):
        numbers = range(start, min(held, start + BATCH))
        if waits_for == "parents":
            put(store, CHILD, [Change(f"o{n}", 1, {"parent": f"none{n}"}) for n in numbers])
        else:
            put(store, CHILD, [Change(f"o{n}", 1, fields) for n in numbers])
    return Bed(held, waits_for, store)


def put(store: SQLiteStore, spec: TableSpec, changes: Sequence[Change]) -> float:
    """Take a batch; its seconds of CPU, decoding included."""
    began = time.process_time()
    events = [change.event() for change in changes]
    take(store, [Share(spec, events)], now=1.0, token="bench")
    return time.process_time() - began


def costs(beds: Sequence[Bed]) -> list[float]:
    """Seconds of CPU of a batch of parents in each store; they take turns, so that a drifting
    machine hurts all."""
    seconds: list[list[float]] = [[] for _ in beds]
    for number in range(BATCHES):
        changes = [Change(f"{number}-{row}", 1, {"a": row, "b": "x" * 20}) for row in range(BATCH)]
        for bed, found in zip(beds, seconds, strict=True):
            found.append(put(bed.store, PARENT, changes))
    return [statistics.median(found) for found in seconds]


def starved(directory: Path) -> int:
    """How many of the children that came after the orphans are still held when their parents have
    come."""
    bed = made(directory, ORPHANS, "parents")
    keys = range(CHILDREN)
    for key in keys:
        put(bed.store, CHILD, [Change(f"c{key}", 1, {"parent": key})])
    for key in keys:
        put(bed.store, PARENT, [Change(key, 1, {"a": 1, "b": 2})])
    with bed.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery()))
    return len(entries) - ORPHANS


def main() -> None:
    """Print a line for each number of held deliveries, then the orphans."""
    with tempfile.TemporaryDirectory(prefix="anyorder-bench-") as name:
        directory = Path(name)
        for waits_for in ("parents", "nobody knows what"):
            beds = [made(directory, held, waits_for) for held in HELD]
            found = costs(beds)
            for bed, seconds in zip(beds, found, strict=True):
                ratio = seconds / found[0]
                print(
                    f"{bed.held:>7} held, waiting for {bed.waits_for:<18}"
                    f"{seconds * 1000:8.2f} ms of CPU a batch of {BATCH}: {ratio:.2f} times"
                    f" (at most {ALLOWED})"
                )
                bed.store.close()
        left = starved(directory)
        print(f"{ORPHANS} orphans, {CHILDREN} children whose parents came: {left} still held")


if __name__ == "__main__":
    main()
