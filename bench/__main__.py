"""python -m bench [--events N] [--keys N]: decode, decide, batch, SQLite guarded write, the whole
pipeline against an unguarded one."""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from tests.streams import final_rows, stream, unordered

from anyorder._core.batch import arrivals_of, coalesce
from anyorder._core.decide import decide
from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.memory import pack, unpack
from anyorder.envelopes import open_envelope
from anyorder.guard.batch import sort_out
from anyorder.guard.contract import TableSpec
from anyorder.guard.intake import Share, take
from anyorder.sources.records import delivery_of
from anyorder.stores.sqlite.rows import adapted
from anyorder.stores.sqlite.store import SQLiteStore
from bench.measure import rates

BATCH = 500
SPEC = TableSpec("users", ("id",))
FIELDS = ("id", "name", "email", "age", "changed")
UPSERT = (
    f"INSERT INTO users VALUES ({', '.join('?' * len(FIELDS))}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{f} = excluded.{f}" for f in FIELDS[1:])
)


def decoded(deliveries: Sequence[Delivery]) -> list[Event]:
    return list(map(open_envelope("debezium").decode, deliveries))


def decode_all(deliveries: Sequence[Delivery]) -> int:
    return len(decoded(deliveries))


def decide_all(deliveries: Sequence[Delivery]) -> tuple[int, float]:
    """As in a run: a batch is decoded, the memories of its keys are read, its events are decided.
    Only the deciding counts."""
    stored, limits, seconds = {}, Limits(), 0.0
    for batch in batches(deliveries):
        events = decoded(batch)
        memories = {event.key["id"]: None for event in events}
        memories |= {entity: unpack(stored[entity]) for entity in memories.keys() & stored.keys()}
        began = time.perf_counter()
        for event in events:
            entity = event.key["id"]
            memories[entity] = decide(memories[entity], event, limits).memory
        seconds += time.perf_counter() - began
        stored |= {
            entity: pack(memory) for entity, memory in memories.items() if memory is not None
        }
    return len(deliveries), seconds


def coalesce_all(events: Sequence[Event]) -> int:
    limits = Limits()
    for start in range(0, len(events), 10_000):
        for found in sort_out(arrivals_of(events[start : start + 10_000])).keys.values():
            coalesce(None, found, (), limits)
    return len(events)


def batches(items: Sequence, size: int = BATCH):
    return (items[start : start + size] for start in range(0, len(items), size))


def guarded_write(events: Sequence[Event], folder: str) -> int:
    """Events that are decoded already, into a fresh database."""
    store = SQLiteStore(fresh(folder))
    for number, batch in enumerate(batches(events)):
        take(store, [Share(SPEC, batch)], now=float(number), token=f"{number}")
    store.close()
    return len(events)


def guarded(deliveries: Sequence[Delivery], folder: str) -> int:
    """The whole pipeline: decode, decide, write rows and memories, keep the frontier."""
    store, decode = SQLiteStore(fresh(folder)), open_envelope("debezium").decode
    for number, batch in enumerate(batches(deliveries)):
        take(
            store,
            [Share(SPEC, list(map(decode, batch)))],
            now=float(number),
            token=f"{number}",
            frontier=("bench", str(number)),
        )
    store.close()
    return len(deliveries)


def unguarded(deliveries: Sequence[Delivery], folder: str) -> int:
    """The same batches, decoded the same way, upserted as they come: what a careful hand-written
    consumer does."""
    database, decode = (
        sqlite3.connect(fresh(folder), isolation_level=None),
        open_envelope("debezium").decode,
    )
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("CREATE TABLE users (id, name, email, age, changed, PRIMARY KEY (id))")
    database.execute("CREATE TABLE frontier (source PRIMARY KEY, position)")
    for number, batch in enumerate(batches(deliveries)):
        database.execute("BEGIN IMMEDIATE")
        for event in map(decode, batch):
            if event.kind is Kind.DELETE:
                database.execute("DELETE FROM users WHERE id = ?", (event.key["id"],))
            elif event.kind is Kind.PUT:
                database.execute(UPSERT, [adapted(event.fields[f]) for f in FIELDS])
        database.execute("INSERT OR REPLACE INTO frontier VALUES ('bench', ?)", (str(number),))
        database.execute("COMMIT")
    database.close()
    return len(deliveries)


def fresh(folder: str) -> str:
    for path in Path(folder).glob("bench.db*"):
        path.unlink()
    return f"{folder}/bench.db"


def wrong(folder: str, wanted: dict[int, dict[str, object]]) -> str:
    """wrong / resurrected / missing rows of the table that the last run left."""
    database = sqlite3.connect(f"{folder}/bench.db")
    database.row_factory = sqlite3.Row
    found = {row["id"]: dict(row) for row in database.execute("SELECT * FROM users")}
    differing = sum(found[key] != wanted[key] for key in found.keys() & wanted.keys())
    return f"{differing}/{len(found.keys() - wanted.keys())}/{len(wanted.keys() - found.keys())}"


def peak_memory(events: int, keys: int) -> str:
    """Peak resident memory of a real `anyorder run` over a file of this many deliveries."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with (home / "day.jsonl").open("w", encoding="utf-8") as lines:
            for one in stream(events, keys, seed=5):
                lines.write(json.dumps(one) + "\n")
        (home / "p.toml").write_text(
            f'[source]\npath = "{home}/day.jsonl"\n[store]\nurl = "sqlite:///{home}/a.db"\n[[table]]\nname = "users"\n'
        )
        subprocess.run(
            [sys.executable, "-m", "anyorder", "run", str(home / "p.toml")],
            check=True,
            capture_output=True,
        )
        return f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB peak over {events:,} deliveries of {keys:,} keys"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=60_000)
    options.add_argument(
        "--memory", type=int, default=0, help="also measure peak memory over this many events"
    )
    chosen = options.parse_args()
    # first: a child begins with its parent's peak, so the parent must still be small
    if chosen.memory:
        print(peak_memory(chosen.memory, chosen.memory // 5))
    for keys in (chosen.events // 5, 1000):
        measure(chosen.events, keys)
    return 0


def measure(events: int, keys: int) -> None:
    records = list(stream(events, keys))
    deliveries = [delivery_of(one) for one in unordered(records)]
    known, wanted = decoded(deliveries), final_rows(records)
    size = sum(len(d.value or b"") for d in deliveries) // len(deliveries)
    print(
        f"\n{len(deliveries):,} deliveries of {keys:,} keys, any order, 20 % twice, {size} bytes each; msgspec {msgspec.__version__}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for rate in rates(
            {
                "decode": partial(decode_all, deliveries),
                "decide": partial(decide_all, deliveries),
                "coalesce, batches of 10,000": partial(coalesce_all, known),
            }
        ):
            print(rate)
        found = rates(
            {
                "SQLite guarded write, batches of 500": partial(guarded_write, known, folder),
                "whole pipeline, guarded": partial(guarded, deliveries, folder),
                "the same batches upserted, unguarded": partial(unguarded, deliveries, folder),
            }
        )
        print(*found, sep="\n")
        unguarded(deliveries, folder)
        theirs = wrong(folder, wanted)
        guarded(deliveries, folder)
        print(
            f"guarded / unguarded = {found[1].median / found[2].median:.2f};  wrong/resurrected/missing rows: ours {wrong(folder, wanted)}, theirs {theirs}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
