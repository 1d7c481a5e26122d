"""What SQLite refused for now, and what each delivery of it waits for.

A line for each row that stands in the way (`constraints`), found by the writes of that row's table:
what is hopeless costs nothing. What cannot be derived is tried in turn, a few a batch. Keys that
wait for each other, as two rows that swap a unique value, are told together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from anyorder._core.event import Event, Kind
from anyorder._core.fold import Applied
from anyorder.guard.contract import Write
from anyorder.stores.sqlite.coming import Coming
from anyorder.stores.sqlite.constraints import Blocker, Constraints, folded_row
from anyorder.stores.sqlite.lines import UNDOING, UNKNOWN, Key, Lines, place_by, told_of
from anyorder.stores.sqlite.looking import Looked
from anyorder.stores.sqlite.names import folded
from anyorder.stores.sqlite.turns import Turns
from anyorder.stores.sqlite.waiters import Place, Waiter, Waiters
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
MOST_CHILDREN = 10_000  # rows with parents that are looked at again where COMMIT is refused
NOT_DERIVED = "its table refuses it for now, and no row that stands in the way is known"


Foreseen = Callable[[str, Event], Applied | None]
"""What becomes of an event of a table if the store takes it; None if nobody knows."""


class Mark(NamedTuple):
    """What is known of a transaction at a savepoint."""

    moved: list[tuple[str, Sequence[Write]]]
    written: list[tuple[str, Sequence[Write]]]
    children: int
    told: dict[int, Key]


class Waiting:
    """Of one transaction. `read_event`: the event of an entry. `foreseen`: what becomes of it if it
    is taken."""

    def __init__(
        self,
        database: sqlite3.Connection,
        read_event: Callable[[int], Event | None],
        looked: Looked,
        foreseen: Foreseen,
    ) -> None:
        self._database = database
        self._read_event = read_event
        self._foreseen = foreseen
        self._constraints = Constraints(database)
        self._lines = Lines(database, self._constraints)
        self._coming = Coming(database, self._constraints, looked)
        self._turns = Turns(database)
        self._waiters = Waiters(database, self._row_of)
        self._moved: list[tuple[str, Sequence[Write]]] = []
        self._written: list[tuple[str, Sequence[Write]]] = []
        self._children = 0
        self._told: dict[int, Key] = {}
        self._rings: set[frozenset[int]] = set()
        self._crossing: list[list[Key]] = []

    def moved(self, table: str, writes: Sequence[Write]) -> None:
        """These were taken: what waits for their rows may be settleable."""
        self._moved.append((table, writes))
        # Where all was refused, what was held may still close a ring with what is.
        if not writes:
            return
        # Only what has parents may be refused at COMMIT; and of very many nothing is kept.
        if self._constraints.has_parents(table):
            self._children += len(writes)
            self._written.append((table, writes))
        if self._children > MOST_CHILDREN:
            self._written.clear()

    def unfit(self) -> frozenset[tuple[str, str]]:
        """Table and entity of the rows that were written although their parents are missing, as far
        as they were kept."""
        found: set[tuple[str, str]] = set()
        for table, writes in self._written:
            for write in writes:
                if self._constraints.is_orphan(table, write.key):
                    found.add((table, write.entity))
        return frozenset(found)

    def parent_to_come(self, table: str) -> str:
        """A table that a foreign key of this one names and that is not made yet, or ""."""
        return self._constraints.parent_to_come(table)

    def wait(self, entry: int, table: str, event: Event) -> None:
        """A delivery is held that was refused for now. Raises nothing: what cannot be derived is
        tried in turn."""
        blockers = self._blockers(table, event)
        self._lines.write(entry, table, event, blockers, UNKNOWN)

    def _blockers(self, table: str, event: Event) -> list[Blocker]:
        # A truncate concerns every key: which of its rows was refused is not known here.
        if event.key is None:
            return []
        return self._constraints.blockers(table, event.key, self._told_by(table, event))

    def _told_by(self, table: str, event: Event) -> Mapping[str, object] | None:
        """The columns that an event writes; None if the row goes."""
        applied = self._foreseen(table, event)
        # What a newer event of the key told of a column stays: of that it waits for nobody.
        if applied is not None and applied.written is not None:
            return applied.written.values
        if event.kind is Kind.DELETE:
            return None
        return event.fields or {}

    def has_turn(self, entry: int) -> bool:
        """Is it tried in this transaction although nobody knows what it waits for?"""
        return entry in self._turns

    def refused_again(self, entry: int) -> None:
        """A held delivery was tried again: since its key has moved, or what it waited for."""
        found = self._database.execute(SQL["waiting_entry"], {"entry": entry}).fetchone()
        # It is derived anew before anything is looked for.
        if found is not None:
            self._told[entry] = found

    def closed(self, entry: int) -> None:
        """The entry waits for nothing any more."""
        self._lines.strike_all(entry)

    @property
    def is_any(self) -> bool:
        """Does anything wait?"""
        (is_any,) = self._database.execute(SQL["any_waiting"]).fetchone()
        return bool(is_any)

    def settleable(self) -> list[tuple[str, str]]:
        """See `contract.Transaction`."""
        # Hardly any database waits for anything.
        if not self.is_any:
            self._moved.clear()
            return []
        self._derive_again()
        found: dict[int, Key] = {}
        is_start = self._coming.is_start
        found |= self._lines.strike(self._coming.by_others())
        moved, self._moved = self._moved, []
        if any(writes for _, writes in moved):
            self._rings.clear()
        found |= self._lines.strike(self._coming.with_writes(moved))
        for ring in self._rings_of_fresh():
            keys = list(dict.fromkeys(ring.values()))
            # What lies in one table is taken by one write.
            if len({folded(table) for table, _ in keys}) > 1:
                self._crossing.append(keys)
            else:
                found |= ring
        self._told |= found
        if moved or is_start:
            found |= self._in_turn(sum(len(writes) for _, writes in moved))
        return list(dict.fromkeys(found.values()))

    def postpone(self, entries: Iterable[int], table: str) -> None:
        """See `contract.Transaction`: what is not derived waits for a person."""
        for entry in entries:
            self._derive(entry, table, UNDOING)
            # Not others: the ring that one of them closes is still to be looked at.
            self._lines.seen(entry)

    def _derive_again(self) -> None:
        """What was told and is still open was refused again: it may wait for something else now."""
        told, self._told = self._told, {}
        for entry, (table, _) in told.items():
            if self._lines.of(entry):
                self._derive(entry, table, UNKNOWN)

    def _derive(self, entry: int, table: str, otherwise: str) -> None:
        event = self._read_event(entry)
        # What cannot be decoded any more tells nothing of its row; it keeps its turn.
        if event is None or event.key is None:
            return
        blockers = self._blockers(table, event)
        self.closed(entry)
        self._lines.write(entry, table, event, blockers, otherwise)
        # The row that its detail named has come, and it was refused again all the same.
        if not blockers and otherwise == UNKNOWN:
            self._lines.tell(entry, NOT_DERIVED)

    def _in_turn(self, written: int) -> dict[int, Key]:
        """A few of those of which nobody knows what they wait for."""
        turns = self._turns.take(written)
        # An older anyorder did not look what it waits for.
        self._told |= {turn.entry: turn.key for turn in turns if not turn.is_derived}
        return {turn.entry: turn.key for turn in turns}

    # ---- rings

    def crossing(self) -> list[list[Key]]:
        """See `contract.Transaction`."""
        crossing, self._crossing = self._crossing, []
        return crossing

    def any_waits(self, places: Iterable[Place]) -> bool:
        """Is anything of these rows still refused?"""
        return any(self._waiters.of(place) for place in places)

    def mark(self) -> Mark:
        """What is known now."""
        return Mark(list(self._moved), list(self._written), self._children, dict(self._told))

    def back_to(self, mark: Mark) -> None:
        """After a rollback: what was known at the mark."""
        self._moved, self._written, self._children, self._told = mark

    def _row_of(self, entry: int, table: str) -> Mapping[str, object] | None:
        """The row as a held delivery would leave it, as far as it tells it; None if it goes."""
        event = self._read_event(entry)
        if event is None or event.key is None:
            return None
        told = self._told_by(table, event)
        return None if told is None else folded_row({**told, **event.key})

    def _rings_of_fresh(self) -> Iterator[dict[int, tuple[str, str]]]:
        """The keys that wait for each other, with one of them that is new, or waits for another one
        by now."""
        fresh = self._database.execute(SQL["fresh"]).fetchall()
        # Each is looked at once: a ring closes when its last key is held, or waits for another.
        if fresh:
            self._database.execute(SQL["not_fresh"])
        starts = [(folded(table), own) for table, own in fresh]
        for ring in self._waiters.rings(starts) if starts else ():
            entries = frozenset(one.entry for found in ring.values() for one in found)
            # A ring that was refused as a whole is told again once something was written.
            if entries not in self._rings:
                self._rings.add(entries)
                yield {
                    one.entry: (one.table, one.entity) for found in ring.values() for one in found
                }

    def blocked_by(self, table: str, event: Event) -> list[str]:
        """The entities that close a ring with an event which is refused, whatever it is held
        for."""
        assert event.key is not None
        start = (folded(table), place_by(folded_row(event.key)))
        told = [told_of(blocker) for blocker in self._blockers(table, event)]
        places = [(str(one["awaited"]), str(one["place"])) for one in told]
        if not places:
            return []
        ring = self._waiters.ring(start, [Waiter(-1, table, event.entity, places)])
        others = [one for place, found in ring.items() if place != start for one in found]
        return list(dict.fromkeys(one.entity for one in others if one.table == table))
