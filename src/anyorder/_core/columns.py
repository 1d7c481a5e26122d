"""A row, column by column: who told each, what an event says of it, and what a step writes of it.

A memory lists only the columns that differ from the others, and so does an event. What is not
listed is *the rest*: one more column, as it were, which stands for all that nobody mentions, also
for those that no event has named yet. `split` cuts a row and an event along the same lines: of each
part the row and the event say one thing, and the rest is one of the parts. `join` writes the parts
down as a memory again. Nothing outside this module knows how the rest is spelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from anyorder._core.event import Event, Kind
from anyorder._core.memory import HOLE, OWN, Base, Cell, Memory, Stamp

REST = "*"
NOTHING: frozenset[str] = frozenset()


class Says(Enum):
    """What an event says of one column."""

    TELLS = "a value"
    ENDS = "what it held is gone"
    NOTHING = "unchanged since whatever was before"


class Move(Enum):
    """What a step does to one column."""

    TAKE = "the event's value"
    CLEAR = "null: nobody has told it"
    KEEP = "as it was"


class Column(NamedTuple):
    """One column of a row, or the rest of them: who told it, what the event says of it, and do two
    contents claim it?"""

    cell: Cell
    said: Says
    disputed: bool = False

    def told_by(self, row: Stamp) -> Stamp | None:
        """The stamp of the event that told it, in a row of this stamp; None is a hole."""
        return told_by(self.cell, row)


Columns = dict[str, Column]


class Written(NamedTuple):
    """What a decision writes to the user's row.

    `values` are written. `spared` is None: every other column stays as it is. Otherwise every other
    known column becomes null, but for those in `spared`, which stay.
    """

    values: dict[str, Any]
    spared: frozenset[str] | None = None

    @property
    def replaces(self) -> bool:
        """Is nothing left of the row that was there?"""
        return self.spared is not None and not self.spared

    def then(self, later: Written) -> Written:
        """This step and a later one as one write."""
        if later.spared is None:
            values, spared = {**self.values, **later.values}, self.spared
        else:
            kept = {name: self.values[name] for name in self.values if name in later.spared}
            values, spared = {**kept, **later.values}, later.spared
            if self.spared is not None:
                spared &= self.spared
        return Written(values, None if spared is None else spared.difference(values))

    def onto(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row afterwards; a column that is missing is null."""
        if self.spared is None:
            return {**row, **self.values}
        return {name: row[name] for name in row if name in self.spared} | self.values


def both(first: Written | None, later: Written | None) -> Written | None:
    """Two steps as one write; None is a step that leaves the row as it is."""
    if first is None or later is None:
        return first or later
    return first.then(later)


def written_new(event: Event) -> Written:
    """A row that begins with this put: nothing stays of what was there."""
    values = event.fields or {}
    if event.holes:
        values = {**dict.fromkeys(sorted(event.holes)), **values}
    return Written(_named(values), NOTHING)


def written_moves(event: Event, moves: Mapping[str, Move]) -> Written | None:
    """What the moves of one step write; None where every column is kept."""
    moved = [name for name, move in moves.items() if move is not Move.KEEP]
    if not moved:
        return None
    told = event.fields or {}
    values = {name: told.get(name) if moves[name] is Move.TAKE else None for name in moved}
    if moves[REST] is Move.KEEP:
        return Written(values)
    return Written(_named(values), frozenset(moves).difference(moved))


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """Without the rest, which no row has a column for."""
    if REST not in values:
        return values
    return {name: value for name, value in values.items() if name != REST}


def says(event: Event, name: str) -> Says:
    """What does a put or a delete say of this column?

    A put that creates begins a life, so it ends what it does not tell (rules R8).
    """
    if event.kind is not Kind.PUT:
        return Says.ENDS
    tells = not event.partial if name == REST else event.names(name)
    if tells:
        return Says.TELLS
    return Says.ENDS if event.creates else Says.NOTHING


def split(memory: Memory | None, event: Event) -> Columns:
    """The parts of which the row and the event each say one thing. A slot that is empty, or holds a
    tombstone, is all holes."""
    # the event's own columns come first, in its order: so has them a table that is made from it
    names = dict.fromkeys((*sorted(event.holes), *(event.fields or ()), REST))
    if memory is None or not memory.live:
        return {name: Column(HOLE, says(event, name)) for name in names}
    names |= dict.fromkeys((*(memory.cells or ()), *sorted(memory.disputed)))
    return {
        name: Column(_cell(memory, name), says(event, name), is_disputed(memory, name))
        for name in names
    }


def join(stamp: Stamp, columns: Columns, base: Base | None) -> Memory:
    """The memory of these columns: what is as the rest is not listed, a row all its own lists
    nothing, and a row without holes needs no past."""
    rest = columns[REST].cell
    # a hole has no value that two contents could claim
    disputed = {name for name, (cell, _, mark) in columns.items() if mark and cell is not HOLE}
    # a column that is not listed shares the rest's mark, so one without it must be
    apart = columns.keys() - disputed if REST in disputed else ()
    cells = {name: cell for name, (cell, _, _) in columns.items() if cell != rest or name in apart}
    if rest is not OWN:
        cells[REST] = rest
    if REST in disputed:
        disputed &= {REST, *cells}
    holed = HOLE in cells.values()
    return Memory(stamp, cells or None, base if holed else None, frozenset(disputed))


def _cell(memory: Memory, name: str) -> Cell:
    if memory.cells is None:
        return OWN
    if name in memory.cells:
        return memory.cells[name]
    return memory.cells.get(REST, OWN)


def told_by(cell: Cell, row: Stamp) -> Stamp | None:
    """The stamp of the event that told this cell, in a row of this stamp; None is a hole."""
    if isinstance(cell, Stamp):
        return cell
    return row if cell is OWN else None


def source_of(memory: Memory, name: str) -> Stamp | None:
    """The stamp of the event that told this column; None is a hole."""
    return told_by(_cell(memory, name), memory.stamp)


def is_disputed(memory: Memory, name: str) -> bool:
    """Do two contents of one position claim this column? A column that is not listed apart shares
    the rest's answer."""
    if name in memory.disputed:
        return True
    return REST in memory.disputed and name not in (memory.cells or ())


def is_holed(memory: Memory) -> bool:
    """Is there a column that nobody has told?"""
    return HOLE in (memory.cells or {}).values()


def is_inheriting(memory: Memory) -> bool:
    """Is there a column that another event told than the row's own?"""
    return any(isinstance(cell, Stamp) for cell in (memory.cells or {}).values())


def holes(memory: Memory, known: Iterable[str] = ()) -> list[str]:
    """The columns whose value no event has told. `known`: the table's, for rows of partial events,
    whose rest may be a hole."""
    if memory.cells is None or not memory.live:
        return []
    names = {*known, *memory.cells} - {REST}
    return sorted(name for name in names if _cell(memory, name) is HOLE)


def in_words(name: str, rest: str) -> str:
    """A column's name in a sentence; these words for the rest."""
    return rest if name == REST else name
