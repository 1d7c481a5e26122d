"""What a careful person writes by hand: typed decoding, a dict that folds a batch by key, and one
`executemany` for all that is written and one for all that goes.

Unguarded, what arrives last wins. Guarded, the greater version of a batch does, and is written over
a smaller one only; but a row that is gone has no version, so what was deleted comes back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from anyorder._core.event import Delivery
from bench.measure import Done, Stopwatch
from bench.work import Work, batches, fresh

COLUMNS = ("id", "name", "email", "age", "changed")
NAMES = ", ".join((*COLUMNS, "version"))
PLACES = ", ".join("?" * (len(COLUMNS) + 1))
ASSIGNED = ", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[1:], "version"))
UPSERT = f"INSERT INTO users ({NAMES}) VALUES ({PLACES}) ON CONFLICT (id) DO UPDATE SET {ASSIGNED}"
DELETE = "DELETE FROM users WHERE id = ?"


class Key(msgspec.Struct):
    """The key of a record."""

    id: int


class Row(msgspec.Struct):
    """A row of the table, typed."""

    id: int
    name: str
    email: str
    age: int
    changed: int


class Source(msgspec.Struct):
    """Of the source block, what orders."""

    lsn: int


class Value(msgspec.Struct):
    """Of a record's value, what is needed."""

    op: str
    source: Source
    after: Row | None = None


class Change(NamedTuple):
    """One change: `row` is None where it deletes."""

    key: int
    version: int
    row: Row | None


_key = msgspec.json.Decoder(Key)
_value = msgspec.json.Decoder(Value)


def unguarded(work: Work) -> Done:
    """Last arrival wins."""
    return _consumed(work, _last, UPSERT, DELETE)


def guarded(work: Work) -> Done:
    """The greater version wins, as far as there is a row that has one."""
    upsert = f"{UPSERT} WHERE excluded.version > version"
    return _consumed(work, _newest, upsert, f"{DELETE} AND version < ?")


Fold = Callable[[Iterator[Change]], dict[int, Change]]


def _consumed(work: Work, fold: Fold, upsert: str, delete: str) -> Done:
    with Stopwatch() as watch:
        database = sqlite3.connect(fresh(work.folder), isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"CREATE TABLE users ({NAMES}, PRIMARY KEY (id))")
        database.execute("CREATE TABLE frontier (source PRIMARY KEY, position)")
        for number, batch in enumerate(batches(work.deliveries)):
            changes = fold(_changes(batch)).values()
            database.execute("BEGIN IMMEDIATE")
            gone = [one[: delete.count("?")] for one in changes if one.row is None]
            database.executemany(delete, gone)
            database.executemany(upsert, _told(changes))
            frontier = "INSERT OR REPLACE INTO frontier VALUES ('bench', ?)"
            database.execute(frontier, (str(number),))
            database.execute("COMMIT")
        database.close()
    return work.done(watch)


def _changes(batch: Sequence[Delivery]) -> Iterator[Change]:
    for delivery in batch:
        # A null record follows a delete, and changes nothing.
        if delivery.value is None or delivery.key is None:
            continue
        value = _value.decode(delivery.value)
        yield Change(_key.decode(delivery.key).id, value.source.lsn, value.after)


def _last(changes: Iterator[Change]) -> dict[int, Change]:
    return {one.key: one for one in changes}


def _newest(changes: Iterator[Change]) -> dict[int, Change]:
    found: dict[int, Change] = {}
    for one in changes:
        there = found.get(one.key)
        if there is None or one.version > there.version:
            found[one.key] = one
    return found


def _told(changes: Iterator[Change] | Sequence[Change]) -> Iterator[tuple[object, ...]]:
    for one in changes:
        row = one.row
        if row is not None:
            yield row.id, row.name, row.email, row.age, row.changed, one.version
