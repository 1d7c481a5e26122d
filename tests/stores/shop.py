"""A database with a schema of its user's, and guarded tables in it."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from anyorder._core.batch import Settled
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.guard.contract import EntryQuery, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores.sqlite.store import SQLiteStore
from anyorder.testing.change import Change, decode

Told = tuple[str, Change]
NO_SPECS: Mapping[str, TableSpec] = {}


class Shop:
    """A database with a schema of its user's, and guarded tables in it."""

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self.by_hand(schema)
        self._begun = 0
        self.closed: list[Settled] = []
        self.reopen()
        self._batches = itertools.count(1)

    def by_hand(self, script: str) -> None:
        """Somebody else writes to the database."""
        database = sqlite3.connect(self.path)
        database.executescript(script)
        database.close()

    def reopen(self) -> None:
        self.store = SQLiteStore(str(self.path), decode)
        self.store.database.set_trace_callback(self._traced)

    def _traced(self, statement: str) -> None:
        self._begun += statement.startswith("BEGIN IMMEDIATE")

    def take(self, *told: Told, specs: Mapping[str, TableSpec] = NO_SPECS) -> list[Reason]:
        """A batch; the reason of each delivery, in the order given. `specs`: of tables that have
        another key than `id`, or options."""
        number = next(self._batches)
        events: dict[str, list[tuple[int, Event]]] = {}
        for place, (table, change) in enumerate(told):
            events.setdefault(table, []).append((place, change.event()))
        shares = [
            Share(specs.get(table, TableSpec(table, ("id",))), [event for _, event in found])
            for table, found in events.items()
        ]
        frontier = ("source", str(number))
        taken = take(self.store, shares, now=float(number), token=f"t{number}", frontier=frontier)
        self.closed = taken.closed
        places = [place for found in events.values() for place, _ in found]
        by_place = dict(zip(places, taken.decisions, strict=True))
        return [by_place[place].reason for place in range(len(told))]

    def begun(self) -> int:
        """How many transactions have begun that write."""
        return self._begun

    def rows(self, table: str) -> dict[object, object]:
        """The second column of each row, by its key."""
        found = self.store.database.execute(f"SELECT * FROM {table}").fetchall()
        return {row[0]: row[-1] for row in found}

    def open(self) -> list[tuple[str, object, str]]:
        """Table, key and reason of what is open."""
        with self.store.reading() as transaction:
            entries = list(transaction.entries(EntryQuery()))
        return [(entry.table, dict(entry.key)["id"], entry.reason) for entry in entries]  # type: ignore[call-overload]

    def details(self) -> list[str]:
        """What each open entry says."""
        with self.store.reading() as transaction:
            return [entry.detail for entry in transaction.entries(EntryQuery())]

    def numbers(self) -> list[int]:
        with self.store.reading() as transaction:
            return [entry.id for entry in transaction.entries(EntryQuery())]

    def frontier(self) -> str | None:
        with self.store.reading() as transaction:
            return transaction.frontier("source")


Make = Callable[[str], Shop]
