"""Consumers as everybody writes them, each with care, each right under conditions that do not
always hold.

`Upsert` is right while events arrive in order. `Comparing` is right while nobody else writes.
`Expiring` is right while it remembers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from anyorder._core.event import Delivery

Change = dict[str, Any]


class Consumer:
    """What the three have in common: a table in SQLite, and how a change is written to it."""

    def __init__(
        self, database: sqlite3.Connection, columns: Sequence[str], table: str = "users"
    ) -> None:
        self.database = database
        names, places = ", ".join(columns), ", ".join(f":{column}" for column in columns)
        assignments = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
        self.upsert = (
            f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE "
            f"SET {assignments}"
        )
        self.delete = f"DELETE FROM {table} WHERE id = :id"
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({names}, PRIMARY KEY (id))")
        database.execute(
            "CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, position, live, since)"
        )

    def close(self) -> None:
        """Release the connection."""
        self.database.close()

    def write(self, change: Change) -> None:
        """Write what the change says."""
        if change["op"] == "d":
            self.database.execute(self.delete, change["before"])
        else:
            self.database.execute(self.upsert, change["after"])


class Upsert(Consumer):
    """Writes what arrives."""

    def take(self, delivery: Delivery) -> None:
        """Handle one delivery."""
        if delivery.value is not None:  # null: the record that follows a delete
            self.write(msgspec.json.decode(delivery.value))


class Comparing(Consumer):
    """Reads what it remembers of a batch's keys, compares, writes what is newer. `turn` is called
    where another consumer may come in between."""

    def __init__(
        self,
        database: sqlite3.Connection,
        columns: Sequence[str],
        turn: Callable[[str, dict[int, int]], None] = lambda *_: None,
    ) -> None:
        super().__init__(database, columns)
        self._turn = turn

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Handle a batch."""
        changes = [
            msgspec.json.decode(delivery.value)
            for delivery in deliveries
            if delivery.value is not None
        ]
        seen = self._remembered([key_of(change) for change in changes])
        self._turn("reads", dict(seen))
        written = {}
        self.database.execute("BEGIN IMMEDIATE")
        for change in changes:
            key, position = key_of(change), change["source"]["lsn"]
            if seen.get(key, 0) < position:
                self.write(change)
                self.database.execute(
                    "INSERT OR REPLACE INTO seen (id, position) VALUES (?, ?)", [key, position]
                )
                seen[key] = written[key] = position
        self.database.execute("COMMIT")
        self._turn("writes", written)

    def _remembered(self, keys: Sequence[int]) -> dict[int, int]:
        found = self.database.execute(
            "SELECT id, position FROM seen WHERE id IN (SELECT value FROM json_each(?))",
            [msgspec.json.encode(keys).decode()],
        )
        return {**dict.fromkeys(keys, 0), **dict(found)}


class Expiring(Consumer):
    """Compares inside one statement, so nobody comes in between; forgets a tombstone when its time
    to live is over."""

    def take(self, delivery: Delivery, now: float) -> bool:
        """Handle one delivery; true if it was written."""
        assert delivery.value is not None
        change = msgspec.json.decode(delivery.value)
        newer = self.database.execute(
            "INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET position "
            "= excluded.position, live = excluded.live, "
            "since = excluded.since WHERE excluded.position > seen.position",
            [key_of(change), change["source"]["lsn"], change["op"] != "d", now],
        ).rowcount
        if newer:
            self.write(change)
        return newer > 0

    def expire(self, before: float) -> None:
        """What a time-to-live does: tombstones from before this time are gone."""
        self.database.execute("DELETE FROM seen WHERE live = 0 AND since <= ?", [before])


def key_of(change: Change) -> int:
    """The id that a change is about."""
    key: int = (change["after"] or change["before"])["id"]
    return key


def in_memory() -> sqlite3.Connection:
    """A database for one consumer, in this process's memory."""
    return sqlite3.connect(":memory:", isolation_level=None)


def rows_of(database: sqlite3.Connection, table: str = "users") -> dict[int, dict[str, Any]]:
    """A table's rows by id, the naive consumers' or anyorder's: they have the same columns."""
    cursor = database.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    rows = (dict(zip(names, row, strict=True)) for row in cursor)
    return {row["id"]: row for row in rows}
