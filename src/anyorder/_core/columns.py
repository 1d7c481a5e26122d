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

import msgspec

from anyorder._core.event import Event, Kind
from anyorder._core.memory import HOLE, OWN, Base, Cell, Memory, Stamp

REST = "*"
NONE_SPARED: frozenset[str] = frozenset()


class Says(Enum):
    """What an event says of one column."""

    TELLS = "a value"
    ENDS = "what it held is gone"
    NOTHING = "unchanged since whatever was before"


class Move(Enum):
    """What a step does to one column."""

    TAKE = "it shows the event's value"
    CLEAR = "it is null, and a hole"
    KEEP = "it stays as it was"


# Looked up once: in Python 3.11 a member of an enum takes longer to find than to compare.
TELLS, ENDS, NOTHING = Says.TELLS, Says.ENDS, Says.NOTHING
TAKE, CLEAR, KEEP = Move.TAKE, Move.CLEAR, Move.KEEP
PUT = Kind.PUT


class Column(msgspec.Struct, frozen=True, gc=False):
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
        values, spared = self.values, later.spared
        if spared is None:
            # nothing more becomes null than after the first step
            spared = self.spared
        else:
            # what the first step wrote, or spared, is left only if the later one spares it too
            values = {name: value for name, value in values.items() if name in spared}
            if self.spared is not None:
                spared &= self.spared
        values = {**values, **later.values}
        if spared is not None:
            spared = spared.difference(values)
        return Written(values, spared)

    def onto(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row afterwards; a column that is missing is null."""
        if self.spared is None:
            return {**row, **self.values}
        kept = {name: value for name, value in row.items() if name in self.spared}
        return {**kept, **self.values}


def both(first: Written | None, later: Written | None) -> Written | None:
    """Two steps as one write; None is a step that leaves the row as it is."""
    if first is None:
        return later
    if later is None:
        return first
    return first.then(later)


def written_new(event: Event) -> Written:
    """A row that begins with this put: nothing stays of what was there."""
    values = event.fields or {}
    if event.holes:
        # a hole has its column too, so that it shows in the table as null
        values = {**dict.fromkeys(sorted(event.holes)), **values}
    return Written(_named(values), NONE_SPARED)


def written_moves(event: Event, moves: Mapping[str, Move]) -> Written | None:
    """What the moves of one step write; None where every column is kept."""
    told = event.fields or {}
    values: dict[str, Any] = {}
    spared: set[str] = set()
    for name, move in moves.items():
        if move is TAKE:
            values[name] = told.get(name)
        elif move is CLEAR:
            values[name] = None
        else:
            spared.add(name)
    if not values:
        return None
    if REST in spared:
        return Written(values)
    return Written(_named(values), frozenset(spared))


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """Without the rest, which no row has a column for."""
    if REST not in values:
        return values
    return {name: value for name, value in values.items() if name != REST}


def split(memory: Memory | None, event: Event) -> Columns:
    """The parts of which the row and the event each say one thing. A slot that is empty, or holds a
    tombstone, is all holes."""
    # the event's own columns come first, in its order: so has them a table that is made from it
    names = dict.fromkeys((*sorted(event.holes), *(event.fields or ()), REST))
    if memory is None or not memory.live:
        return {name: Column(HOLE, said) for name, said in _sayings(event, names).items()}
    cells = memory.cells or {}
    rest = cells.get(REST, OWN)
    names |= dict.fromkeys((*cells, *sorted(memory.disputed)))
    return {
        name: Column(cells.get(name, rest), said, is_disputed(memory, name))
        for name, said in _sayings(event, names).items()
    }


def _sayings(event: Event, names: Iterable[str]) -> dict[str, Says]:
    """What a put or a delete says of each of these columns."""
    if event.kind is not PUT:
        return dict.fromkeys(names, ENDS)
    # a put that creates begins a life, so it ends what it does not tell (rules R8)
    untold = ENDS if event.creates else NOTHING
    if not event.partial:
        return dict.fromkeys(names, TELLS) | dict.fromkeys(event.holes, untold)
    told = dict.fromkeys(event.fields or (), TELLS)
    return dict.fromkeys(names, untold) | told | {REST: untold}


def join(stamp: Stamp, columns: Columns, base: Base | None) -> Memory:
    """The memory of these columns: what is as the rest is not listed, a row all its own lists
    nothing, and a row without holes needs no past."""
    rest = columns[REST].cell
    # a hole has no value that two contents could claim
    disputed = {name for name, one in columns.items() if one.disputed and one.cell is not HOLE}
    # a column that is not listed shares the rest's mark, so one without it must be
    unmarked = columns.keys() - disputed if REST in disputed else NONE_SPARED
    cells: dict[str, Cell] = {}
    for name, column in columns.items():
        if column.cell != rest or name in unmarked:
            cells[name] = column.cell
    if rest is not OWN:
        cells[REST] = rest
    if REST in disputed:
        disputed &= {REST, *cells}
    if HOLE not in cells.values():
        base = None
    return Memory(stamp, cells or None, base, frozenset(disputed))


def told_by(cell: Cell, row: Stamp) -> Stamp | None:
    """The stamp of the event that told this cell, in a row of this stamp; None is a hole."""
    if cell is OWN:
        return row
    return cell if isinstance(cell, Stamp) else None


def source_of(memory: Memory, name: str) -> Stamp | None:
    """The stamp of the event that told this column; None is a hole."""
    cells = memory.cells or {}
    return told_by(cells.get(name, cells.get(REST, OWN)), memory.stamp)


def is_disputed(memory: Memory, name: str) -> bool:
    """Do two contents of one position claim this column? A column that is not listed apart shares
    the rest's answer."""
    disputed = memory.disputed
    if not disputed or name in disputed:
        return bool(disputed)
    return REST in disputed and name not in (memory.cells or ())


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
    return sorted(name for name in names if source_of(memory, name) is None)


def in_words(name: str, rest: str) -> str:
    """A column's name in a sentence; these words for the rest."""
    return rest if name == REST else name
