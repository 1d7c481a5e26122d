"""The lines of what SQLite refused for now: one for each row that a held delivery waits for, by the
columns in which that row is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from anyorder._core.event import Event
from anyorder.stores.sqlite.constraints import Blocker, Constraints, folded_row, place_of
from anyorder.stores.sqlite.names import folded
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
MOST_TOLD = 3  # rows that the detail of an entry names
UNKNOWN, UNDOING = "", "!"  # waited for: nobody knows what; what undoes the transaction
BETWEEN = "\x1f"  # the values of a key with several columns
Key = tuple[str, str]
"""A table's name and an entity."""
_encode = msgspec.json.encode
_decode = msgspec.json.decode


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


class Lines:
    """Of one transaction."""

    def __init__(self, database: sqlite3.Connection, constraints: Constraints) -> None:
        self._database = database
        self._constraints = constraints

    def write(
        self,
        entry: int,
        table: str,
        event: Event,
        blockers: Sequence[Blocker],
        otherwise: str,
    ) -> None:
        """A line for each row that stands in the way; `otherwise`: what is waited for if none is
        known."""
        own = "" if event.key is None else place_by(folded_row(event.key))
        entity = "" if event.key is None else event.entity
        line = {"entry": entry, "table": table, "entity": entity, "own": own}
        for told in [told_of(blocker) for blocker in blockers] or [_of_nothing(otherwise)]:
            self._database.execute(SQL["wait"], line | told)
        # The database's own error names no row.
        if blockers:
            why = "; ".join(blocker.why for blocker in blockers[:MOST_TOLD])
            self.tell(entry, why)

    def tell(self, entry: int, why: str) -> None:
        """What an entry waits for, for a person."""
        self._database.execute(SQL["waits_for"], {"entry": entry, "why": why})

    def of(self, entry: int) -> bool:
        """Does an entry wait for anything?"""
        (waits,) = self._database.execute(SQL["still_waits"], {"entry": entry}).fetchone()
        return bool(waits)

    def seen(self, entry: int) -> None:
        """Whether it closes a ring is asked no more."""
        self._database.execute(SQL["not_fresh_entry"], {"entry": entry})

    def strike_all(self, entry: int) -> None:
        """The entry waits for nothing any more."""
        self._database.execute(SQL["wait_no_more"], {"entry": entry})

    def strike(self, lines: Iterable[Line]) -> dict[int, Key]:
        """These rows came, or went; the entries that wait for nothing else."""
        found: dict[int, Key] = {}
        for line in list(lines):
            if line.absent and self._is_still_there(line):
                continue
            self._database.execute(SQL["come"], {"id": line.id})
            if self.of(line.entry):
                # What is left may close a ring now: without this one.
                self._database.execute(SQL["fresh_again"], {"entry": line.entry})
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
        place = place_by({name: row.get(name) for name in _decode(line.columns)})
        is_own = (folded(line.table), line.own) == (line.awaited, place)
        if not is_own:
            self._database.execute(SQL["await_another"], {"id": line.id, "place": place})
        return not is_own

    def _unknown(self, line: Line) -> None:
        """What is told keeps a line until it closes: if nobody asks again, it has its turn."""
        kept = {
            "entry": line.entry,
            "table": line.table,
            "entity": line.entity,
            "own": line.own,
        }
        self._database.execute(SQL["wait"], kept | _of_nothing(UNKNOWN))


def place_in(row: Mapping[str, object], names: Sequence[str]) -> str | None:
    """The place of a row by these columns; None if it does not tell all of them."""
    # Asked for every row of a batch, and most are awaited by their key as it is spelled.
    try:
        return BETWEEN.join([place_of(row[name]) for name in names])
    except KeyError:
        return None


def place_by(row: Mapping[str, object]) -> str:
    """Values by which a row is found, in the order of their columns' names."""
    return BETWEEN.join([place_of(row[name]) for name in sorted(row)])


def told_of(blocker: Blocker) -> dict[str, str | int]:
    """A blocker as the columns of its line."""
    return {
        "awaited": blocker.table,
        "columns": _encode(sorted(blocker.known_by)).decode(),
        "place": place_by(blocker.known_by),
        "absent": int(blocker.absent),
        "checked": _encode(list(blocker.condition)).decode(),
        "wanted": _encode(list(blocker.condition.values())).decode(),
        "fresh": 1,
    }


def _of_nothing(awaited: str) -> dict[str, str | int]:
    """The columns of a line that names no row."""
    return {
        "awaited": awaited,
        "columns": "",
        "place": "",
        "absent": 0,
        "checked": "",
        "wanted": "",
        "fresh": 0,
    }
