"""What is measured: one generated stream, in any order and a fifth of it twice, decoded, decided
and written.

`bench --against` runs this module on another tree too, so it knows where older trees keep the
batch engine, and asks the product for no more than it must.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tests.streams import final_rows, stream, unordered

from anyorder._core.decide import decide
from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.memory import pack, unpack
from anyorder.envelopes import open_envelope
from anyorder.guard.contract import TableSpec
from anyorder.guard.intake import Share
from anyorder.sources.records import delivery_of
from anyorder.stores.sqlite.store import SQLiteStore
from bench.measure import Done, Stopwatch

try:
    from anyorder.guard.parts import take
    from anyorder.stores.sqlite.values import adapted
except ModuleNotFoundError:  # before a batch could be taken in parts
    from anyorder.guard.intake import take  # type: ignore[no-redef,attr-defined]
    from anyorder.stores.sqlite.rows import adapted  # type: ignore[no-redef,attr-defined]

BATCH = 500
SPEC = TableSpec("users", ("id",))
FIELDS = ("id", "name", "email", "age", "changed")
DOCUMENTS = {
    "key": "/id",
    "position": "/version",
    "deleted": "/deleted",
    "fields": "/row",
}
UPSERT = (
    f"INSERT INTO users VALUES ({', '.join('?' * len(FIELDS))}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{f} = excluded.{f}" for f in FIELDS[1:])
)
Item = TypeVar("Item")


class Work:
    """The stream, and each piece of work on it. `folder`: where the database is made."""

    def __init__(self, events: int, keys: int, folder: str) -> None:
        records = list(stream(events, keys))
        self.deliveries = [delivery_of(one) for one in unordered(records)]
        self.documents = [delivery_of(_document_of(one)) for one in unordered(records)]
        self.wanted = final_rows(records)
        self.winners = _winners([delivery_of(one) for one in records])
        self.folder = folder

    def decode(self) -> int:
        """Bytes to events."""
        return len(decoded(self.deliveries))

    def decide(self) -> Done:
        """As in a run: a batch is decoded, the memories of its keys are read, its events are
        decided. Only the deciding counts."""
        stored: dict[object, str] = {}
        limits, watch = Limits(), Stopwatch()
        for batch in batches(self.deliveries):
            events = decoded(batch)
            memories: dict[object, Any] = {event.key["id"]: None for event in events}
            memories |= {key: unpack(stored[key]) for key in memories.keys() & stored.keys()}
            with watch:
                for event in events:
                    key = event.key["id"]
                    memories[key] = decide(memories[key], event, limits).memory
            stored |= {key: pack(memory) for key, memory in memories.items() if memory is not None}
        known = {key: unpack(text) for key, text in stored.items()}
        live = {key: memory.stamp.fingerprint for key, memory in known.items() if memory.live}
        return Done(len(self.deliveries), watch.spent, judged(live, self.winners))

    def write(self, events: Sequence[Event]) -> Done:
        """Events that are decoded already, into a fresh database."""
        with Stopwatch() as watch:
            store = SQLiteStore(fresh(self.folder))
            for number, batch in enumerate(batches(events)):
                take(store, [Share(SPEC, batch)], now=float(number), token=f"{number}")
            store.close()
        return self.done(watch)

    def pipeline(self) -> Done:
        """All of it: decode, decide, write rows and memories, keep the frontier."""
        return self._piped(self.deliveries, open_envelope("debezium"))

    def pipeline_of_json(self) -> Done:
        """The same of documents of one's own that tell the same rows."""
        return self._piped(self.documents, open_envelope("json", **DOCUMENTS))

    def _piped(self, deliveries: Sequence[Delivery], envelope: Any) -> Done:
        with Stopwatch() as watch:
            store = SQLiteStore(fresh(self.folder))
            for number, batch in enumerate(batches(deliveries)):
                take(
                    store,
                    [Share(SPEC, list(map(envelope.decode, batch)))],
                    now=float(number),
                    token=f"{number}",
                    frontier=("bench", str(number)),
                )
            store.close()
        return self.done(watch)

    def unguarded(self) -> Done:
        """The same batches, decoded the same way, upserted as they come: what a careful
        hand-written consumer does."""
        with Stopwatch() as watch:
            database = sqlite3.connect(fresh(self.folder), isolation_level=None)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(f"CREATE TABLE users ({', '.join(FIELDS)}, PRIMARY KEY (id))")
            database.execute("CREATE TABLE frontier (source PRIMARY KEY, position)")
            for number, batch in enumerate(batches(self.deliveries)):
                database.execute("BEGIN IMMEDIATE")
                for event in decoded(batch):
                    _upsert(database, event)
                frontier = "INSERT OR REPLACE INTO frontier VALUES ('bench', ?)"
                database.execute(frontier, (str(number),))
                database.execute("COMMIT")
            database.close()
        return self.done(watch)

    def done(self, watch: Stopwatch) -> Done:
        """What a run of the whole stream came to."""
        database = sqlite3.connect(f"{self.folder}/bench.db")
        database.row_factory = sqlite3.Row
        names = ", ".join(FIELDS)
        found = {row["id"]: dict(row) for row in database.execute(f"SELECT {names} FROM users")}
        database.close()
        return Done(len(self.deliveries), watch.spent, judged(found, self.wanted))


def _upsert(database: sqlite3.Connection, event: Event) -> None:
    assert event.key is not None
    if event.kind is Kind.DELETE:
        database.execute("DELETE FROM users WHERE id = ?", (event.key["id"],))
    elif event.fields is not None:
        database.execute(UPSERT, [adapted(event.fields[field]) for field in FIELDS])


def _document_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record's change as a document of one's own."""
    key, change = json.loads(record["key"]), json.loads(record["value"])
    document = {
        "id": key["id"],
        "version": change["source"]["lsn"],
        "deleted": change["op"] == "d",
        "row": change["after"] or key,
    }
    return {**record, "topic": "users", "value": json.dumps(document), "headers": []}


def _winners(deliveries: Sequence[Delivery]) -> dict[object, str]:
    """The content that each living key ends with, in the source's order."""
    winners = {event.key["id"]: event for event in decoded(deliveries)}
    puts = {key: event for key, event in winners.items() if event.kind is Kind.PUT}
    return {key: event.fingerprint for key, event in puts.items()}


def decoded(deliveries: Sequence[Delivery]) -> list[Any]:
    return list(map(open_envelope("debezium").decode, deliveries))


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def fresh(folder: str) -> str:
    """A database that is not there yet."""
    for path in Path(folder).glob("bench.db*"):
        path.unlink()
    return f"{folder}/bench.db"


def judged(found: Mapping[Any, object], wanted: Mapping[Any, object]) -> str:
    """wrong / resurrected / missing."""
    differing = sum(found[key] != wanted[key] for key in found.keys() & wanted.keys())
    return f"{differing}/{len(found.keys() - wanted.keys())}/{len(wanted.keys() - found.keys())}"
