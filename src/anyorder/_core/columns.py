"""A row, column by column: who told each, what an event says of it, and what a step writes of it.

A memory lists only the columns that differ from the others, and so does an event. What is not
listed is *the rest*: one more column, as it were, which stands for all that nobody mentions, also
for those that no event has named yet. `split` cuts a row and an event along the same lines: of each
part the row and the event say one thing, and the rest is one of the parts. `memory_of` writes the
parts down as a memory again. Nothing outside this module knows of the rest (names.py spells it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import msgspec

from anyorder._core.event import PUT, Event
from anyorder._core.memory import HOLE, OWN, Base, Cell, Memory, Stamp, replace
from anyorder._core.names import NAMED_AS_THE_REST, REST, column_of, part_of

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


# Looked up once, as the orders are (position.py).
TELLS, ENDS, NOTHING = Says.TELLS, Says.ENDS, Says.NOTHING
TAKE, CLEAR, KEEP = Move.TAKE, Move.CLEAR, Move.KEEP


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


class Written(msgspec.Struct, frozen=True, gc=False):
    """What a decision writes to the user's row.

    `values` are written. `spared` is None: every other column stays as it is. Otherwise every other
    known column becomes null, but for those in `spared`, which stay.
    """

    values: dict[str, Any]
    spared: frozenset[str] | None = None

    @property
    def replaces(self) -> bool:
        """Is nothing left of the row that was there?"""
        return self.spared == NONE_SPARED

    def then(self, later: Written) -> Written:
        """This step and a later one as one write."""
        values, spared = self.values, later.spared
        if spared is None:
            # The later step only adds: nothing more becomes null than after this one.
            spared = self.spared
        else:
            # What this step wrote, or spared, is left only where the later one spares it too.
            values = {name: value for name, value in values.items() if name in spared}
            if self.spared is not None:
                spared &= self.spared
        values = {**values, **later.values}
        if spared is not None:
            # A column is written or spared, not both: so that equal writes look alike.
            spared = spared.difference(values)
        return Written(values, spared)

    def onto(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row afterwards; a column that is missing is null."""
        kept = dict(row)
        if self.spared is not None:
            # Null is spelled by leaving the column out.
            kept = {name: value for name, value in row.items() if name in self.spared}
        return kept | self.values


def both(first: Written | None, later: Written | None) -> Written | None:
    """Two steps as one write; None is a step that leaves the row as it is."""
    # Where one of them does nothing, the other is all.
    if first is None:
        return later
    if later is None:
        return first
    return first.then(later)


def written_new(event: Event) -> Written:
    """A row that begins with this put: nothing stays of what was there."""
    values = event.fields or {}
    if event.holes:
        # A hole is written too, as null, so that a table made from events has a column for it.
        values = {**dict.fromkeys(sorted(event.holes)), **values}
    return Written(values, NONE_SPARED)


def written_moves(event: Event, moves: Mapping[str, Move]) -> Written | None:
    """What the moves of one step write; None where every column is kept."""
    told = _told(event)
    values: dict[str, Any] = {}
    spared: set[str] = set()
    for name, move in moves.items():
        if move is TAKE:
            # A put of all columns tells also those that it does not spell out: they are null.
            values[name] = told.get(name)
        elif move is CLEAR:
            values[name] = None
        else:
            spared.add(name)
    # No write at all, so that a store need not look for the row.
    if not values:
        return None
    if REST in spared:
        # The columns that nobody mentions stay, so it need not be said which others do.
        return Written(_named(values))
    return Written(_named(values), frozenset(map(column_of, spared)))


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """By the user's own names, and without the rest, which no row has a column for."""
    if REST in values:
        values = dict(values)
        del values[REST]
    if NAMED_AS_THE_REST in values:
        values = {column_of(part): value for part, value in values.items()}
    return values


def split(memory: Memory | None, event: Event) -> Columns:
    """The parts of which the row and the event each say one thing. A slot that is empty, or holds a
    tombstone, is all holes."""
    # The event's own columns come first, in its order, so a table that is made from it has them so.
    names = dict.fromkeys((*sorted(_holes(event)), *_told(event), REST))
    columns: Columns = {}
    if memory is None or not memory.live:
        for name, said in _sayings(event, names).items():
            columns[name] = Column(HOLE, said)
        return columns
    # Those that the row tells apart follow. They are sorted where they come from a set, so that the
    # text of a memory does not depend on the set's order.
    cells = memory.listed
    names |= dict.fromkeys((*cells, *sorted(memory.disputed)))
    rest = cells.get(REST, OWN)
    for name, said in _sayings(event, names).items():
        columns[name] = Column(cells.get(name, rest), said, is_disputed(memory, name))
    return columns


def _told(event: Event) -> dict[str, Any]:
    """The parts that a put tells, with their values. A delete tells none."""
    fields = event.fields or {}
    if REST in fields:
        # None of them is the rest, whatever the user calls his columns.
        fields = {part_of(column): value for column, value in fields.items()}
    return fields


def _holes(event: Event) -> frozenset[str]:
    """The parts that it says are there and does not tell."""
    if REST in event.holes:
        return frozenset(map(part_of, event.holes))
    return event.holes


def _sayings(event: Event, names: Iterable[str]) -> dict[str, Says]:
    """What a put or a delete says of each of these columns."""
    if event.kind is not PUT:
        return dict.fromkeys(names, ENDS)
    untold = NOTHING
    if event.creates:
        # It begins a life, so it ends what it does not tell (rules R8).
        untold = ENDS
    if event.partial:
        # It tells its own columns.
        told = dict.fromkeys(_told(event), TELLS)
        return dict.fromkeys(names, untold) | told | {REST: untold}
    # It tells all columns but those that it says are there and does not tell.
    return dict.fromkeys(names, TELLS) | dict.fromkeys(_holes(event), untold) | {REST: TELLS}


def memory_of(stamp: Stamp, columns: Columns, base: Base | None) -> Memory:
    """The memory of these columns: what is as the rest is not listed, a row all its own lists
    nothing, and a row without holes needs no past."""
    rest = columns[REST].cell
    # A hole has no value that two contents could claim.
    disputed = {name for name, one in columns.items() if one.disputed and one.cell is not HOLE}
    unmarked = set[str]()
    if REST in disputed:
        # Who is not listed shares the rest's mark; so those without it must be listed.
        unmarked = columns.keys() - disputed
    cells: dict[str, Cell] = {}
    for name, column in columns.items():
        if column.cell != rest or name in unmarked:
            cells[name] = column.cell
    # The rest comes last, and only where it is not as in a row of one event.
    if rest is not OWN:
        cells[REST] = rest
    if REST in disputed:
        # The rest's mark says it of all that are not listed.
        disputed &= {REST, *cells}
    # Nothing can fill a row without holes, so its past does not matter any more (rules R8).
    if HOLE not in cells.values():
        base = None
    return Memory(stamp, cells or None, base, frozenset(disputed))


def respelled(row: Memory) -> Memory:
    """The same row in the one spelling, where its stamps or its disputes have changed."""
    cells = row.listed
    rest = cells.get(REST, OWN)
    columns: Columns = {}
    for name in dict.fromkeys((*cells, *sorted(row.disputed), REST)):
        columns[name] = Column(cells.get(name, rest), NOTHING, is_disputed(row, name))
    spelled = memory_of(row.stamp, columns, row.base)
    # Whatever else is remembered of it stays.
    return replace(row, cells=spelled.cells, base=spelled.base, disputed=spelled.disputed)


def told_by(cell: Cell, row: Stamp) -> Stamp | None:
    """The stamp of the event that told this cell, in a row of this stamp; None is a hole."""
    if cell is OWN:
        # Not spelled out, so that it is joined with the row (rules R5).
        return row
    if isinstance(cell, Stamp):
        return cell
    return None


def source_of(memory: Memory, column: str) -> Stamp | None:
    """The stamp of the event that told this column of the user's; None is a hole."""
    return source_of_part(memory, part_of(column))


def source_of_part(memory: Memory, name: str) -> Stamp | None:
    """The stamp of the event that told this part; None is a hole."""
    cells = memory.listed
    # A column that is not listed is as the rest, and a row that lists no rest has it from its own
    # event.
    rest = cells.get(REST, OWN)
    return told_by(cells.get(name, rest), memory.stamp)


def is_disputed(memory: Memory, name: str) -> bool:
    """Do two contents of one position claim this column?"""
    disputed = memory.disputed
    if not disputed:
        return False
    # A column that is not listed shares the rest's mark.
    shares = REST in disputed and name not in memory.listed
    return shares or name in disputed


def is_holed(memory: Memory) -> bool:
    """Is there a column that nobody has told?"""
    # The rest may be one too, in a row of partial events.
    return HOLE in memory.listed.values()


def holes(memory: Memory, known: Iterable[str] = ()) -> list[str]:
    """The columns whose value no event has told. `known`: the table's, for rows of partial events,
    whose rest may be a hole."""
    if memory.cells is None:
        # A tombstone, or a row of one event that told it whole: nearly all are.
        return []
    names = {*map(part_of, known), *memory.cells}
    names.discard(REST)
    empty = [name for name in names if source_of_part(memory, name) is None]
    return sorted(map(column_of, empty))
