"""Two tables and a person, through the product's own functions: any order, any batches, waiting for
a parent, contents that the table refuses, a word at any moment.

A child's events are whole, so the row of a key is told by its greatest position that has a content
which the store takes: what a word chose of it, or else the greatest (`Meant`). No rule of the
product is asked for that.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from anyorder._core.batch import identity_of
from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Entry, EntryQuery, TableSpec
from anyorder.guard.holdings import is_dispute
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.guard.quarantine import Quarantine
from anyorder.runtime.again import Reading
from anyorder.runtime.bulk import Bulk
from anyorder.runtime.retry import Retry
from anyorder.stores.sqlite.store import SQLiteStore

SCHEMA = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, name);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES parent (id) {when},
    name CHECK (name <> 'bad'));
"""
WHEN = {"at once": "", "at commit": "DEFERRABLE INITIALLY DEFERRED"}
SPECS = {name: TableSpec(name, ("id",)) for name in ("parent", "child")}
ENDED = frozenset({Reason.DUPLICATE, Reason.STALE})
Place = tuple[str, int]
"""A table and a version; each table has one key."""


class Told(NamedTuple):
    """One event of the key 1 of a table."""

    table: str
    version: int
    fields: dict[str, Any] | None

    def event(self) -> Event:
        return decode("", Delivery(topic=self.table, value=msgspec.json.encode(self)))

    @property
    def rank(self) -> tuple[bool, str]:
        return self.fields is not None, self.event().fingerprint

    @property
    def name(self) -> tuple[str, str]:
        return self.table, identity_of(self.event())


_told = msgspec.json.Decoder(Told)


def decode(_: str, delivery: Delivery) -> Event:
    assert delivery.value is not None
    told = _told.decode(delivery.value)
    kind = Kind.DELETE if told.fields is None else Kind.PUT
    position = ScalarPosition("version", "x", (told.version,))
    return Event(kind, told.table, {"id": 1}, position, told.fields, delivery=delivery)


def child(version: int, parent: int | None, name: str) -> Told:
    return Told("child", version, {"parent": parent, "name": name})


CHILDREN = (
    *(child(5, 1, name) for name in "ab"),
    *(child(5, None, name) for name in "cd"),
    Told("child", 5, None),
    child(5, None, "bad"),
    child(5, 2, "e"),
    child(6, 1, "f"),
    child(6, None, "g"),
    child(4, None, "h"),
)
"""Of the parents 1 may come, and 2 never does."""
PARENTS = tuple(Told("parent", 1, {"name": name}) for name in "pq")


class Wrong(AssertionError):
    """The product shows or lists something else than what is meant."""


class Meant:
    """What the rows are to be. `words`: what was chosen, by its place. `refused`: what was dropped
    alone, beside nothing."""

    def __init__(self) -> None:
        self.words: dict[Place, Told] = {}
        self.refused: set[tuple[str, str]] = set()
        self.told: dict[Place, list[Told]] = {}

    def tell(self, batch: Sequence[Told]) -> None:
        for one in batch:
            there = self.told.setdefault((one.table, one.version), [])
            if one not in there:
                there.append(one)
        for one in batch:
            if self.is_taken(one):
                self.refused.discard(one.name)

    def is_taken(self, one: Told) -> bool:
        """Does the table take it?"""
        fields = one.fields or {}
        is_at_home = fields.get("parent") is None or self.top("parent") is not None
        return fields.get("name") != "bad" and fields.get("parent") != 2 and is_at_home

    def at(self, place: Place) -> list[Told]:
        """The contents of a place that the row may show."""
        return [
            one for one in self.told[place] if self.is_taken(one) and one.name not in self.refused
        ]

    def top(self, table: str) -> Told | None:
        """What the row shows."""
        for place in sorted(self.told, reverse=True):
            if place[0] != table:
                continue
            if place in self.words:
                return self.words[place]
            found = self.at(place)
            if found:
                return max(found, key=lambda one: one.rank)
        return None


class World:
    """One history in SQLite; `steps` are what happened."""

    def __init__(self, path: Path, when: str) -> None:
        with sqlite3.connect(path) as database:
            database.executescript(SCHEMA.format(when=when))
        self.store = SQLiteStore(str(path), decode)
        self.store.database.execute("PRAGMA synchronous = OFF")
        self.meant = Meant()
        self.steps: list[str] = []

    def deliver(self, batch: Sequence[Told]) -> list[Reason]:
        tables: dict[str, list[Told]] = {}
        for one in batch:
            tables.setdefault(one.table, []).append(one)
        shares = [
            Share(SPECS[name], [one.event() for one in found]) for name, found in tables.items()
        ]
        taken = take(self.store, shares, now=float(len(self.steps)), token=f"t{len(self.steps)}")
        reasons = [one.reason for one in taken.decisions]
        assert len(reasons) == len(batch), "the books do not balance"
        self.meant.tell(batch)
        self.steps.append(f"{batch}: {reasons}")
        return reasons

    def accept(self, entry: Entry, content: int) -> None:
        """A word for one of its contents, or for what it holds alone."""
        number, identity = None, _identity(entry)
        if entry.contents:
            chosen = entry.contents[content % len(entry.contents)]
            number, identity = chosen.number, chosen.identity
        try:
            said = Quarantine(self.store, SPECS[entry.table], decode).given(
                entry.id, content=number
            )
        except ConfigurationError as refused:
            self.steps.append(f"accept {entry.id}.{number}: {refused}")
            return
        self.steps.append(f"accept {entry.id}.{number}: {said}")
        if said.decision.reason is not Reason.STALE:
            self._word(entry, identity)

    def drop(self, entry: Entry) -> None:
        event, top = _event(entry), self.meant.top(entry.table)
        Quarantine(self.store, SPECS[entry.table], decode).drop(entry.id)
        self.steps.append(f"drop {entry.id}")
        assert event.position is not None
        version = event.position.value[0]  # type: ignore[union-attr]
        if top is not None and top.version == version:
            self.meant.words[top.table, top.version] = top
        elif not is_dispute(entry):
            self.meant.refused.add((entry.table, identity_of(event)))

    def accept_all(self) -> None:
        before = self.entries()
        done = Bulk(self.store, lambda entry: SPECS[entry.table], decode).accept(before)
        self.steps.append(f"accept all: {done}")
        states = {entry.id: entry.state for entry in self.entries("")}
        for entry in before:
            if states[entry.id] == "accepted":
                self._word(entry, _identity(entry))

    def retry(self) -> None:
        with self.store.reading() as transaction:
            catalogue = Catalogue(lambda _topic, table, _source: SPECS[table])
            catalogue.load(transaction)
        done = Retry(self.store, catalogue, _read_anew).run()
        self.steps.append(f"retry: {done}")

    def _word(self, entry: Entry, identity: str) -> None:
        told = [one for found in self.meant.told.values() for one in found]
        chosen = next(one for one in told if one.name == (entry.table, identity))
        self.meant.words[chosen.table, chosen.version] = chosen

    # ---- what there is

    def rows(self) -> dict[str, dict[str, Any] | None]:
        found: dict[str, dict[str, Any] | None] = dict.fromkeys(SPECS)
        for table in SPECS:
            cursor = self.store.database.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            for row in cursor:
                told = dict(zip(names, row, strict=True))
                del told["id"]
                found[table] = told
        return found

    def entries(self, state: str = "open") -> list[Entry]:
        with self.store.reading() as transaction:
            asked = [one.id for one in transaction.entries(EntryQuery(state))]
            found = [transaction.entry(number) for number in asked]
        return [entry for entry in found if entry is not None]

    def check(self) -> None:
        """Raises Wrong where the rows are not what is meant, or a content is listed nowhere."""
        rows = self.rows()
        for table in SPECS:
            top = self.meant.top(table)
            wanted = None if top is None else top.fields
            if rows[table] != wanted:
                raise Wrong(f"{table} is {rows[table]}, not {wanted}: {self.steps}")
            if top is not None:
                self._check_listed(top)

    def _check_listed(self, top: Told) -> None:
        place = top.table, top.version
        told, taken = self.meant.told[place], self.meant.at(place)
        is_disputed = place not in self.meant.words and len(taken) > 1
        listing = [one for one in self.entries("") if one.state != "settled"]
        for one in told:
            found = [entry for entry in listing if one.name in _names(entry)]
            if not found and one != top:
                raise Wrong(f"{one} is listed nowhere: {self.steps}")
            opened = [entry for entry in found if entry.state == "open"]
            if is_disputed and one in taken and (len(opened) != 1 or not is_dispute(opened[0])):
                raise Wrong(f"{one} is listed by {len(opened)} open entries: {self.steps}")
        disputes = [one for one in listing if one.state == "open" and is_dispute(one)]
        if len({one.table for one in disputes}) < len(disputes):
            raise Wrong(f"two disputes of one position are open: {self.steps}")

    def check_replay(self) -> None:
        """Everything again, and a retry: nothing moves, and no entry changes."""
        before = self.rows(), self._states()
        told = [one for found in self.meant.told.values() for one in found]
        for one in [*told, *reversed(told)]:
            (reason,) = self.deliver([one])
            if reason not in ENDED or self.rows() != before[0]:
                raise Wrong(f"{one} comes again and is {reason}: {self.steps}")
        self.retry()
        if (self.rows(), self._states()) != before:
            raise Wrong(f"a replay makes {self._states()} of {before[1]}: {self.steps}")

    def _states(self) -> list[tuple[int, str, int]]:
        return [(one.id, one.state, len(one.contents)) for one in self.entries("")]


def _read_anew(provenance: str, delivery: Delivery) -> Reading:
    return Reading(decode(provenance, delivery), provenance, is_ours=True)


def _event(entry: Entry) -> Event:
    assert entry.delivery is not None
    return decode("", entry.delivery)


def _identity(entry: Entry) -> str:
    return entry.contents[0].identity if entry.contents else identity_of(_event(entry))


def _names(entry: Entry) -> set[tuple[str, str]]:
    contents = [one.identity for one in entry.contents] or [identity_of(_event(entry))]
    return {(entry.table, identity) for identity in contents}


def played(path: Path, when: str, seed: int) -> World:
    """A history by chance, with up to two words; checked after every step, and replayed."""
    chance = random.Random(seed)
    world = World(path, when)
    try:
        steps = list(_batches(chance))
        for _ in range(chance.randint(0, 2)):
            steps.insert(chance.randint(1, len(steps)), None)
        for batch in steps:
            if batch is None:
                _say(world, chance)
            else:
                world.deliver(batch)
            world.check()
        # What was refused beside nothing may come again.
        if not world.meant.refused:
            world.check_replay()
    finally:
        world.store.close()
    return world


def _batches(chance: random.Random) -> Iterator[list[Told] | None]:
    told = chance.sample(CHILDREN, chance.randint(2, 4))
    told += chance.sample(PARENTS, chance.choice([0, 1, 1, 2]))
    chance.shuffle(told)
    told += chance.sample(told, chance.randint(0, 2))
    while told:
        size = chance.choice([1, 1, 1, 2, 3])
        yield told[:size]
        told = told[size:]


def _say(world: World, chance: random.Random) -> None:
    """What a person may do now."""
    entries = world.entries()
    act = chance.choice(["accept", "accept", "accept", "drop", "drop", "all", "retry"])
    if act == "all":
        world.accept_all()
    elif act == "retry":
        world.retry()
    elif entries and act == "accept":
        world.accept(chance.choice(entries), chance.randrange(4))
    elif entries:
        world.drop(chance.choice(entries))
