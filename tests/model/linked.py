"""Two tables whose rows depend on each other: a source that obeys the constraints after every
statement, and its changes on their way to the product's own guard and SQLite store."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from anyorder._core.batch import Decision
from anyorder._core.event import Event
from anyorder._core.outcome import Outcome
from anyorder.guard.contract import EntryQuery, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores.sqlite.store import SQLiteStore
from anyorder.stores.sqlite.transaction import SQLiteTransaction
from anyorder.testing.change import Change, decode

SCHEMA = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, name);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES parent (id) {when}, tag UNIQUE);
"""
AT_ONCE, AT_COMMIT = "", "DEFERRABLE INITIALLY DEFERRED"
CASCADE, SET_NULL = "ON DELETE CASCADE", "ON DELETE SET NULL"
KEYS = (1, 2, 3)
Told = tuple[str, Change]
Rows = dict[str, dict[int, dict[str, object]]]


class Source:
    """The two tables as they are, and every change that was told of them. `when`: what the foreign
    key says besides; the source tells what becomes of the children, too."""

    def __init__(self, chance: random.Random, when: str = AT_ONCE) -> None:
        self._when = when
        self.rows: Rows = {"parent": {}, "child": {}}
        self.told: list[Told] = []
        self._chance = chance
        self._versions: dict[tuple[str, int], int] = {}

    def step(self) -> None:
        """One statement that the constraints allow."""
        self._chance.choice([self._put_parent, self._put_child, self._swap, self._delete])()

    def _tell(self, table: str, key: int, row: dict[str, object] | None) -> None:
        version = self._versions[table, key] = self._versions.get((table, key), 0) + 1
        self.told.append((table, Change(key, version, row)))
        if row is None:
            del self.rows[table][key]
        else:
            self.rows[table][key] = row

    def _put_parent(self) -> None:
        self._tell("parent", self._chance.choice(KEYS), {"name": self._chance.random()})

    def _put_child(self) -> None:
        key = self._chance.choice(KEYS)
        taken = {row["tag"] for other, row in self.rows["child"].items() if other != key}
        tags = [tag for tag in ("a", "b", "c", None) if tag is None or tag not in taken]
        parents = [*self.rows["parent"], None]
        parent, tag = self._chance.choice(parents), self._chance.choice(tags)
        self._tell("child", key, {"parent": parent, "tag": tag})

    def _swap(self) -> None:
        """All children take the tags of each other, in one statement."""
        children = dict(self.rows["child"])
        tags = [row["tag"] for row in children.values()]
        for (key, row), tag in zip(children.items(), tags[1:] + tags[:1], strict=True):
            self._tell("child", key, {**row, "tag": tag})

    def _delete(self) -> None:
        used = {row["parent"] for row in self.rows["child"].values()}
        # Where the children see to themselves, any parent may go.
        if self._when in (CASCADE, SET_NULL):
            used = set()
        free = [("parent", key) for key in self.rows["parent"] if key not in used]
        rows = free + [("child", key) for key in self.rows["child"]]
        if not rows:
            return
        table, key = self._chance.choice(rows)
        self._tell(table, key, None)
        if table == "parent":
            self._follow(key)

    def _follow(self, parent: int) -> None:
        """What becomes of the children of a parent that went."""
        for key, row in list(self.rows["child"].items()):
            if row["parent"] == parent:
                left = None if self._when == CASCADE else {**row, "parent": None}
                self._tell("child", key, left)


class Crash(Exception):
    """The process ends here."""


class CrashingStore(SQLiteStore):
    """Ends `crashes` of its transactions just before they are committed."""

    crashes = 0

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        with super().transaction(now, dry=dry) as transaction:
            yield transaction
            if self.crashes:
                self.crashes -= 1
                raise Crash


class Ended(NamedTuple):
    """What one delivery of everything came to."""

    rows: Rows
    open: int
    read: int
    counted: int


def delivered(path: Path, when: str, batches: Sequence[Sequence[Told]], crashes: int) -> Ended:
    """Deliver these batches; each is delivered again when the process died in it."""
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA.format(when=when))
    decisions: list[Decision] = []
    for number, batch in enumerate(batches):
        # Every third batch is met by a crash, and then by a process that starts anew.
        store = CrashingStore(str(path), decode)
        store.crashes = crashes if number % 3 == 0 else 0
        while True:
            try:
                decisions += take(store, _shares(batch), now=float(number), token="t").decisions
                break
            except Crash:
                store.close()
                left, store = store.crashes, CrashingStore(str(path), decode)
                store.crashes = left
        store.close()
    return _ended(path, decisions, sum(map(len, batches)))


def _shares(batch: Sequence[Told]) -> list[Share]:
    events: dict[str, list[Event]] = {}
    for table, change in batch:
        events.setdefault(table, []).append(change.event())
    return [Share(TableSpec(table, ("id",)), found) for table, found in events.items()]


def _ended(path: Path, decisions: Sequence[Decision], read: int) -> Ended:
    store = SQLiteStore(str(path), decode)
    store.database.row_factory = sqlite3.Row
    rows: Rows = {}
    for table in ("parent", "child"):
        found = [dict(row) for row in store.database.execute(f"SELECT * FROM {table}")]
        rows[table] = {row.pop("id"): row for row in found}
    store.database.row_factory = None
    with store.reading() as transaction:
        held = len(list(transaction.entries(EntryQuery())))
    store.close()
    counted = sum(decision.outcome in set(Outcome) for decision in decisions)
    return Ended(rows, held, read, counted)


def cut(told: Sequence[Told], chance: random.Random) -> Iterator[Sequence[Told]]:
    """Batches of one to five."""
    start = 0
    while start < len(told):
        size = chance.randint(1, 5)
        yield told[start : start + size]
        start += size
