"""A batch changes nothing (rules R9), over recorded streams: whatever the size of the batches, a
stream in one order ends in the same rows, the same memories and the same open entries.

`python -m tests.runtime.cuts [STREAM...]` (`make cuts`) takes every telling of every recorded
stream, or of those named, as it was recorded and in two other orders, and prints what it came to.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import zlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import chdir, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.recordings import Telling, chosen
from tests.runtime.mistakes import books, command

PIPELINE = """
[source]
path = "records.jsonl"
[store]
url = "sqlite:///app.db"
[runtime]
batch = {batch}
quarantine_share = 1.0
quarantine_size = "100GB"
[[table]]
match = "{match}"
[[table]]
match = "*"
ignore = true
"""
SIZES = (1, 7, 50, 500, 5000)
ORDERS = (0, 1, 2)  # as it was recorded, and two others
EVERY = "*"
MOST = 30_000  # records of a telling that are taken; of a larger one, those of some keys


class Ended(NamedTuple):
    """What a store holds in the end, and how much was applied. `memories`: by table and key,
    without the attempts that wrote them; `held`: what is open, with its reason."""

    applied: int
    rows: dict[str, list[str]]
    memories: Collection[tuple[str, ...]]
    held: Collection[tuple[str, ...]]

    def of(self, table: str) -> Ended:
        """One table's part. How much of it was applied is not kept."""
        rows = {table: self.rows.get(table, [])}
        memories = [one for one in self.memories if one[0] == table]
        return Ended(0, rows, memories, [one for one in self.held if one[0] == table])

    def __str__(self) -> str:
        rows = sum(map(len, self.rows.values()))
        return f"{self.applied} applied, {rows} rows, {len(self.held)} open"


def told(telling: Telling, order: int, share: int = 1) -> list[bytes]:
    """The records of a telling in some order; of every `share`th key, and all without a key."""
    records = [line for line in telling.lines() if _is_of(line, share)]
    # 0 is the order that it was recorded in.
    if order:
        random.Random(order).shuffle(records)
    return records


def _is_of(line: bytes, share: int) -> bool:
    if share == 1:
        return True
    key = json.loads(line)["key"]
    # The envelope of a key with a schema is not what it says.
    return key is None or zlib.crc32(_said(key).encode()) % share == 0


def _said(key: str) -> str:
    found = json.loads(key)
    if isinstance(found, dict):
        found = found.get("payload", found)
    return json.dumps(found, sort_keys=True)


def ended(records: Iterable[bytes], batch: int, here: Path, match: str = EVERY) -> Ended:
    """Take these records in batches of this size into a fresh store, in this folder."""
    with chdir(here):
        Path("pipeline.toml").write_text(PIPELINE.format(batch=batch, match=match), "utf-8")
        Path("records.jsonl").write_bytes(b"".join(records))
        code, printed = command("run", "--json", "--no-preflight")
        assert code < 2, printed
        found = json.loads(printed.splitlines()[-1])
        kept = books()
        memories = _memories()
    # What SQLite's own tables hold is the rows'.
    rows = {name: lines for name, lines in kept.rows.items() if not name.startswith("sqlite_")}
    held = sorted((table, entity or "", reason) for table, entity, reason, _ in kept.held)
    return Ended(found["applied"], rows, memories, held)


def _memories() -> list[tuple[str, str, str]]:
    memories: list[tuple[str, str, str]] = []
    with closing(sqlite3.connect("app.db")) as database:
        query = "SELECT name FROM sqlite_master WHERE name LIKE 'anyorder_memory_%'"
        for (name,) in database.execute(f"{query} AND type = 'table'").fetchall():
            table = name.removeprefix("anyorder_memory_")
            for entity, memory in database.execute(f'SELECT entity, memory FROM "{name}"'):
                memories.append((table, entity, _meant(memory)))
    return sorted(memories)


def _meant(memory: str) -> str:
    """A memory without the token of the attempt that wrote it."""
    stamp, _, *more = json.loads(memory)
    return json.dumps([stamp, *more], sort_keys=True)


def by_size(
    telling: Telling,
    order: int,
    sizes: Sequence[int] = SIZES,
    share: int = 1,
    match: str = EVERY,
) -> dict[int, Ended]:
    """What a telling in some order comes to, by the size of the batches."""
    records = told(telling, order, share)
    found: dict[int, Ended] = {}
    for size in sizes:
        with TemporaryDirectory() as here:
            found[size] = ended(records, size, Path(here), match)
    return found


def differing(found: dict[int, Ended]) -> list[str]:
    """What differs between the smallest batches and others, and how much of it."""
    first, *others = found
    wanted = found[first]
    told: list[str] = []
    for size in others:
        for what in ("rows", "memories", "held"):
            one, other = _parts(wanted, what), _parts(found[size], what)
            if one != other:
                told.append(f"{what} at {size}: {len(one ^ other)} of {len(one)}")
    return told


def _parts(one: Ended, what: str) -> set[tuple[str, ...]]:
    if what == "rows":
        return {(table, row) for table, rows in one.rows.items() for row in rows}
    return set(getattr(one, what))


def alone(telling: Telling, together: Ended, batch: int, share: int = 1) -> list[str]:
    """The tables that come out otherwise where the pipeline takes only them."""
    wrong: list[str] = []
    records = told(telling, 0, share)
    for table in sorted(together.rows):
        with TemporaryDirectory() as here:
            found = ended(records, batch, Path(here), f"*.{table}")
        if found.of(table) != together.of(table):
            wrong.append(table)
    return wrong


def _all(streams: list[str]) -> int:
    """Every telling of these streams; how many comparisons differ."""
    wrong = 0
    for telling in chosen(streams):
        share = 1 + sum(1 for _ in telling.lines()) // MOST
        for order in ORDERS:
            found = by_size(telling, order, share=share)
            told = differing(found)
            wrong += len(told)
            said = "; ".join(told) or "equal"
            print(f"{telling}, 1 key of {share}, order {order}: {found[1]}: {said}", flush=True)
            if order == 0:
                tables = alone(telling, found[500], 500, share)
                wrong += len(tables)
                print(f"{telling}: otherwise alone: {tables or 'none'}", flush=True)
    print(f"{wrong} differ")
    return wrong


if __name__ == "__main__":
    sys.exit(min(_all(sys.argv[1:]), 1))
