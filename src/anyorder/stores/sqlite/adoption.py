"""The pass over a table of the user's own that writes down the positions of its rows, as its own
column has them: some rows in a transaction, and how far it came in the same one. It is kept as the
frontier of a source is, because that is what the rows are.

A pass that was killed goes on from there. Two processes take turns, each with the rows behind those
of the other. What somebody puts in front of it meanwhile has its position from the column as soon
as it is asked for (`Lookup.adopted`), as all rows have that the pass has not come to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from anyorder._core.event import canonical
from anyorder._core.floor import Floor
from anyorder._core.key import KeyKind
from anyorder._core.memory import pack
from anyorder._core.row_clock import REFUSE, RowClock
from anyorder.errors import ConfigurationError, TableNotEmpty
from anyorder.guard.contract import Adopted, TableSpec
from anyorder.stores.sqlite.declared import Declared
from anyorder.stores.sqlite.keys import dictated_kinds
from anyorder.stores.sqlite.values import as_told
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
PAGE = 5000  # rows of one transaction
LOWEST = -(2**63)  # a rowid before all others
ROWIDS = ("rowid", "_rowid_", "oid")
SHOWN = 40  # characters of a value
Row = tuple[Any, ...]


class Pass(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far it came: `after` which row, by its place, none before the first; the rest as in
    `Adopted`."""

    clock: RowClock
    after: list[Any] = []
    rows: int = 0
    without: int = 0
    example: str = ""
    is_done: bool = False

    @property
    def adopted(self) -> Adopted:
        return Adopted(self.rows, self.without, self.example, self.is_done)


_pass = msgspec.json.Decoder(Pass)


def _source(table: str) -> str:
    """Under which name the frontiers have it."""
    return f"adoption:{table}"


def known_pass(database: sqlite3.Connection, table: str) -> Pass | None:
    """How far the pass over a table came; None where no pass is to come."""
    row = database.execute(SQL["frontier"], {"source": _source(table)}).fetchone()
    return None if row is None else _pass.decode(row[0])


def save_pass(database: sqlite3.Connection, table: str, reached: Pass) -> None:
    """Keep how far it came."""
    position = msgspec.json.encode(reached).decode()
    database.execute(SQL["save_frontier"], {"source": _source(table), "position": position})


def check_column(
    database: sqlite3.Connection, table: str, declared: Declared, clock: RowClock
) -> None:
    """Raises ConfigurationError where there is no such column, and TableNotEmpty for rows without a
    position in it, if those are to be refused."""
    if clock.column not in declared.names.values():
        there = ", ".join(declared.columns)
        raise ConfigurationError(
            f"table {table} has no column {clock.column}, from which its rows are to take their "
            f"positions; it has: {there:.400}"
        )
    if clock.without == REFUSE:
        _refuse_without(database, table, declared, clock)


def _refuse_without(
    database: sqlite3.Connection, table: str, declared: Declared, clock: RowClock
) -> None:
    rows = Rows(database, table, declared, clock, {})
    without = 0
    example = ""
    for row in rows.every():
        if not clock.is_told_by(rows.value_of(row)):
            without += 1
            example = example or rows.example_of(row)
    if without:
        number = "1 row" if without == 1 else f"{without} rows"
        raise TableNotEmpty(
            f"table {table} has {number} without a position in its column {clock.column}, "
            f"for example {example}. Give them one, or let such rows be older than every event: "
            'adopt_without = "older-than-everything"'
        )


class Rows:
    """A table's keys, with the column that tells their positions, in the order of their places: the
    rowid, or the key where the table has none."""

    def __init__(
        self,
        database: sqlite3.Connection,
        table: str,
        declared: Declared,
        clock: RowClock,
        kinds: Mapping[str, KeyKind],
    ) -> None:
        self._database = database
        self._table = table
        self._key = clock.key
        self._column = clock.column
        kinds = {**kinds, **dictated_kinds(declared)}
        self._flags = {name for name, kind in kinds.items() if kind is KeyKind.BOOLEAN}
        has_rowids = database.execute(SQL["has_rowids"], {"name": table}).fetchone() == (1,)
        taken = {name.lower() for name in declared.names}
        free = [name for name in ROWIDS if name not in taken]
        self._place = list(clock.key)
        if has_rowids and free:
            self._place = free[:1]

    def every(self) -> Iterator[Row]:
        """All of them, one at a time."""
        statement = SQL["every_row"].format(table=quoted(self._table), columns=self._columns())
        yield from self._database.execute(statement)

    def page(self, after: Sequence[Any]) -> list[Row]:
        """The next ones behind a place."""
        statement = SQL["next_rows"]
        if not after:
            statement = SQL["first_rows"]
        place = ", ".join(map(quoted, self._place))
        words = {
            "table": quoted(self._table),
            "columns": self._columns(),
            "place": place,
            "places": ", ".join("?" * len(self._place)),
        }
        return self._database.execute(statement.format(**words), [*after, PAGE]).fetchall()

    def place_of(self, row: Row) -> list[Any]:
        """Where a row lies."""
        return list(row[: len(self._place)])

    def value_of(self, row: Row) -> object:
        """What its column holds, as an event would tell it."""
        return as_told(row[-1])

    def entity_of(self, row: Row) -> str:
        """Its canonical key."""
        return canonical(self._key_of(row))

    def example_of(self, row: Row) -> str:
        """A row for a person."""
        return f"{self.entity_of(row)} with {row[-1]!r:.{SHOWN}}"

    def _key_of(self, row: Row) -> dict[str, object]:
        values = row[len(self._place) : -1]
        key = dict(zip(self._key, map(as_told, values), strict=True))
        # SQLite has no truth values.
        for name in self._flags.intersection(key):
            key[name] = bool(key[name])
        return key

    def _columns(self) -> str:
        return ", ".join(map(quoted, chain(self._place, self._key, [self._column])))


def take_page(
    database: sqlite3.Connection,
    spec: TableSpec,
    declared: Declared,
    floor: Floor,
    now: float,
    memory: str,
) -> Adopted:
    """The next rows of the pass. `memory`: the quoted name of the table's memory. Raises
    ConfigurationError if the pass was begun by another clock."""
    reached = known_pass(database, spec.name)
    # A table that is ours has no rows to adopt; and what was said of a pass is not said again.
    if reached is None or reached.is_done or spec.clock is None:
        return Adopted(is_done=True)
    clock = reached.clock
    if _is_other(clock, spec.clock):
        raise ConfigurationError(
            f"the rows of table {spec.name} began to take their positions from the column "
            f"{clock.column} as those of {clock.scope}, and now they are to be those of the column "
            f"{spec.clock.column} and {spec.clock.scope}: say it as it was"
        )
    rows = Rows(database, spec.name, declared, clock, spec.kinds)
    page = rows.page(reached.after)
    without = 0
    example = reached.example
    memories: list[tuple[str, float, str]] = []
    for row in page:
        value = rows.value_of(row)
        if clock.is_told_by(value):
            entity = rows.entity_of(row)
            memories.append((entity, now, pack(clock.memory_of(value, entity, floor))))
        else:
            without += 1
            example = example or rows.example_of(row)
    database.executemany(SQL["adopt_memory"].format(memory=memory), memories)
    is_done = len(page) < PAGE
    after = [] if is_done else rows.place_of(page[-1])
    reached = Pass(
        clock, after, reached.rows + len(page), reached.without + without, example, is_done
    )
    save_pass(database, spec.name, reached)
    return reached.adopted


def _is_other(known: RowClock, told: RowClock) -> bool:
    """Would it give other positions?"""
    return msgspec.structs.replace(told, without=known.without) != known
