"""What SQLite refused for now, and what each delivery of it waits for.

A line for each row that stands in the way (`constraints`), found by the writes of that row's table:
what is hopeless costs nothing. What cannot be derived is tried in turn, a few a batch. Keys that
wait for each other, as two rows that swap a unique value, are told together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from anyorder._core.event import Event, Kind
from anyorder._core.fold import Applied
from anyorder.guard.contract import Write
from anyorder.stores.sqlite.constraints import Blocker, Constraints, folded_row, place_of
from anyorder.stores.sqlite.looking import Looked
from anyorder.stores.sqlite.names import folded
from anyorder.stores.sqlite.waiters import Waiter, Waiters
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
IN_TURN = 20  # deliveries that a batch tries again although nobody knows what they wait for
LEAST_IN_TURN, WRITES_FOR_ONE = 10, 50  # so many, and one more for so many writes: a try costs CPU
MOST_TOLD = 3  # rows that the detail of an entry names
MOST_CHILDREN = 10_000  # rows with parents that are looked at again where COMMIT is refused
UNKNOWN, UNDOING = "", "!"
NOT_DERIVED = "its table refuses it for now, and no row that stands in the way is known"
BETWEEN = "\x1f"  # the values of a key with several columns
_encode = msgspec.json.encode
_decode = msgspec.json.decode


Foreseen = Callable[[str, Event], Applied | None]
"""What becomes of an event of a table if the store takes it; None if nobody knows."""


class Line(NamedTuple):
    """One row that a held delivery waits for."""

    id: int
    entry: int
    table: str
    entity: str
    own: str
    awaited: str
    columns: str
    place: str
    absent: bool
    checked: str
    wanted: str


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
        self._looked = looked
        self._foreseen = foreseen
        self._is_turn_taken = False
        self._having_turn: set[int] = set()
        self._is_looked = False
        self._constraints = Constraints(database)
        self._waiters = Waiters(database)
        self._moved: list[tuple[str, Sequence[Write]]] = []
        self._written: list[tuple[str, Sequence[Write]]] = []
        self._children = 0
        self._told: dict[int, tuple[str, str]] = {}
        self._rings: set[frozenset[int]] = set()

    def moved(self, table: str, writes: Sequence[Write]) -> None:
        """These were taken: what waits for their rows may be settleable."""
        self._moved.append((table, writes))
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
        self._write(entry, table, event, blockers, UNKNOWN)

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
        return None if event.kind is Kind.DELETE else event.fields or {}

    def _write(
        self,
        entry: int,
        table: str,
        event: Event,
        blockers: Sequence[Blocker],
        otherwise: str,
    ) -> None:
        own = "" if event.key is None else _place(folded_row(event.key))
        entity = "" if event.key is None else event.entity
        line = {
            "entry": entry,
            "table": table,
            "entity": entity,
            "own": own,
        }
        unknown = {
            "awaited": otherwise,
            "columns": "",
            "place": "",
            "absent": 0,
            "checked": "",
            "wanted": "",
            "fresh": 0,
        }
        for told in [_told(blocker) for blocker in blockers] or [unknown]:
            self._database.execute(SQL["wait"], line | told)
        # The database's own error names no row.
        if blockers:
            why = "; ".join(blocker.why for blocker in blockers[:MOST_TOLD])
            self._tell(entry, why)

    def _tell(self, entry: int, why: str) -> None:
        self._database.execute(SQL["waits_for"], {"entry": entry, "why": why})

    def refused_again(self, entry: int) -> None:
        """A held delivery was tried again: since its key has moved, or what it waited for."""
        # What has its turn is tried again anyway.
        if entry in self._having_turn:
            return
        found = self._database.execute(SQL["waiting_entry"], {"entry": entry}).fetchone()
        # It is derived anew before anything is looked for.
        if found is not None:
            self._told[entry] = found

    def closed(self, entry: int) -> None:
        """The entry waits for nothing any more."""
        self._database.execute(SQL["wait_no_more"], {"entry": entry})

    def settleable(self) -> list[tuple[str, str]]:
        """See `contract.Transaction`."""
        (is_any,) = self._database.execute(SQL["any_waiting"]).fetchone()
        # Hardly any database waits for anything.
        if not is_any:
            self._moved.clear()
            return []
        self._derive_again()
        found: dict[int, tuple[str, str]] = {}
        is_start = not self._looked.through
        found |= self._come(self._fulfilled())
        moved, self._moved = self._moved, []
        if any(writes for _, writes in moved):
            self._rings.clear()
        found |= self._come(self._awaiting(moved))
        for ring in self._rings_of_fresh():
            found |= ring
        self._told |= found
        if moved or is_start:
            found |= self._in_turn(sum(len(writes) for _, writes in moved))
        return list(dict.fromkeys(found.values()))

    def postpone(self, entries: Iterable[int], table: str) -> None:
        """See `contract.Transaction`: what is not derived waits for a person."""
        for entry in entries:
            self._derive(entry, table, UNDOING)
        self._database.execute(SQL["not_fresh"])

    def _derive_again(self) -> None:
        """What was told and is still open was refused again: it may wait for something else now."""
        told, self._told = self._told, {}
        for entry, (table, _) in told.items():
            (is_open,) = self._database.execute(SQL["still_waits"], {"entry": entry}).fetchone()
            if is_open:
                self._derive(entry, table, UNKNOWN)

    def _derive(self, entry: int, table: str, otherwise: str) -> None:
        event = self._read_event(entry)
        # What cannot be decoded any more tells nothing of its row; it keeps its turn.
        if event is None or event.key is None:
            return
        blockers = self._blockers(table, event)
        self.closed(entry)
        self._write(entry, table, event, blockers, otherwise)
        # The row that its detail named has come, and it was refused again all the same.
        if not blockers and otherwise == UNKNOWN:
            self._tell(entry, NOT_DERIVED)

    # ---- what moved

    def _awaiting(self, moved: Sequence[tuple[str, Sequence[Write]]]) -> Iterator[Line]:
        """The lines that wait for a row which was written."""
        by_table: dict[str, list[Write]] = {}
        for table, writes in moved:
            by_table.setdefault(folded(table), []).extend(writes)
        for table, together in by_table.items():
            # Most tables are awaited by nobody, so their rows are not looked at.
            for columns in self._awaited_columns(table):
                yield from self._lines(table, columns, together)

    def _awaited_columns(self, table: str) -> Iterator[str]:
        after = ""
        # It ends: each step goes on behind the columns of the one before.
        while True:
            asked = {"awaited": table, "after": after}
            (columns,) = self._database.execute(SQL["next_awaited_columns"], asked).fetchone()
            if columns is None:
                return
            yield columns
            after = columns

    def _lines(self, table: str, columns: str, writes: Sequence[Write]) -> Iterator[Line]:
        names = _decode(columns)
        there: dict[str, bool] = {}
        for write in writes:
            place = _place_in(write.key, names)
            if place is None:
                place = self._place_of_row(table, write, names)
            # A row that goes tells its key only: what waits for other columns waits for it to come.
            if place is not None:
                there[place] = _is_there(write)
        asked = {
            "awaited": table,
            "columns": columns,
            "places": _encode(list(there)).decode(),
        }
        for found in self._database.execute(SQL["awaiting"], asked).fetchall():
            line = Line._make(found)
            # Nobody's parent comes with a delete.
            if line.absent or there[line.place]:
                yield line

    def _place_of_row(self, table: str, write: Write, names: Sequence[str]) -> str | None:
        """The place of a row by other columns than its key, or by a key that is spelled in another
        case."""
        own = folded_row(write.key)
        if not _is_there(write):
            return _place_in(own, names)
        place = _place_in(folded_row(write.values) | own, names)
        if place is not None:
            return place
        # It was told in part: the others stand in it.
        return _place_in(self._constraints.find(table, own) or {}, names)

    def _fulfilled(self) -> Iterator[Line]:
        """The lines whose rows came, or went, by whatever hand: all at the start, then some in each
        transaction, since a row may be moved by a trigger, a cascade, or somebody else."""
        # Once a transaction: what it writes itself is known.
        if self._is_looked:
            return
        self._is_looked = True
        window = self._looked.window(self._database)
        conditions = self._database.execute(SQL["conditions"], window).fetchall()
        for awaited, absent, checked in conditions:
            names = _decode(checked)
            condition = " AND ".join(
                f"t.{quoted(name)} = json_extract(w.wanted, '$[{number}]')"
                for number, name in enumerate(names)
            )
            statement = SQL["fulfilled"].format(table=quoted(awaited), condition=condition)
            asked = window | {"awaited": awaited, "absent": absent, "checked": checked}
            try:
                found = self._database.execute(statement, asked).fetchall()
            except sqlite3.OperationalError:
                # The table, or a column of it, is not there: then nothing has come.
                continue
            for (number,) in found:
                line = self._database.execute(SQL["waiting_line"], {"id": number}).fetchone()
                yield Line._make(line)

    def _come(self, lines: Iterable[Line]) -> dict[int, tuple[str, str]]:
        """Strike these lines; the entries that wait for nothing else."""
        found: dict[int, tuple[str, str]] = {}
        for line in list(lines):
            if line.absent and self._is_still_there(line):
                continue
            self._database.execute(SQL["come"], {"id": line.id})
            asked = {"entry": line.entry}
            (waits,) = self._database.execute(SQL["still_waits"], asked).fetchone()
            if waits:
                # What is left may close a ring now: without this one.
                self._database.execute(SQL["fresh_again"], asked)
            else:
                found[line.entry] = (line.table, line.entity)
                self._unknown(line)
        return found

    def _is_still_there(self, line: Line) -> bool:
        """Does any row hold what must go? Then the line waits for that one."""
        condition = dict(zip(_decode(line.checked), _decode(line.wanted), strict=True))
        row = self._constraints.find(line.awaited, condition)
        if row is None:
            return False
        place = _place({name: row.get(name) for name in _decode(line.columns)})
        is_own = (folded(line.table), line.own) == (line.awaited, place)
        if not is_own:
            self._database.execute(SQL["await_another"], {"id": line.id, "place": place})
        return not is_own

    def _unknown(self, line: Line) -> None:
        """What is told keeps a line until it closes: if nobody asks again, it has its turn."""
        self._database.execute(
            SQL["wait"],
            {
                "entry": line.entry,
                "table": line.table,
                "entity": line.entity,
                "own": line.own,
                "awaited": UNKNOWN,
                "columns": "",
                "place": "",
                "absent": 0,
                "checked": "",
                "wanted": "",
                "fresh": 0,
            },
        )

    def _in_turn(self, written: int) -> dict[int, tuple[str, str]]:
        """A few of those of which nobody knows what they wait for; once a transaction."""
        found: dict[int, tuple[str, str]] = {}
        if self._is_turn_taken:
            return found
        self._is_turn_taken = True
        limit = min(IN_TURN, max(LEAST_IN_TURN, written // WRITES_FOR_ONE))
        asked = {"limit": limit}
        for entry, table, entity, own in self._database.execute(SQL["in_turn"], asked).fetchall():
            self._database.execute(SQL["next_turn"], {"entry": entry})
            found[entry] = (table, entity)
            self._having_turn.add(entry)
            # An older anyorder did not look what it waits for.
            if not own:
                self._told[entry] = (table, entity)
        return found

    # ---- rings

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
        start = (folded(table), _place(folded_row(event.key)))
        told = [_told(blocker) for blocker in self._blockers(table, event)]
        places = [(str(one["awaited"]), str(one["place"])) for one in told]
        if not places:
            return []
        ring = self._waiters.ring(start, [Waiter(-1, table, event.entity, places)])
        others = [one for place, found in ring.items() if place != start for one in found]
        return list(dict.fromkeys(one.entity for one in others if one.table == table))


def _is_there(write: Write) -> bool:
    """Is there a row after this write?"""
    after = write.after
    return after is not None and after.live


def _place_in(row: Mapping[str, object], names: Sequence[str]) -> str | None:
    """The place of a row by these columns; None if it does not tell all of them."""
    # Asked for every row of a batch, and most are awaited by their key as it is spelled.
    try:
        return BETWEEN.join([place_of(row[name]) for name in names])
    except KeyError:
        return None


def _told(blocker: Blocker) -> dict[str, Any]:
    """A blocker as the columns of its line."""
    return {
        "awaited": blocker.table,
        "columns": _encode(sorted(blocker.known_by)).decode(),
        "place": _place(blocker.known_by),
        "absent": int(blocker.absent),
        "checked": _encode(list(blocker.condition)).decode(),
        "wanted": _encode(list(blocker.condition.values())).decode(),
        "fresh": 1,
    }


def _place(row: Mapping[str, object]) -> str:
    """Values by which a row is found, in the order of their columns' names."""
    return BETWEEN.join([place_of(row[name]) for name in sorted(row)])
