"""What an event does to each column of a row (rules R8).

In the order of the source each column simply holds what the last event said of it. Out of order it
must still end so, and every rule for the row as a whole fails. The shortest counterexamples (putN
and delN are at position N; put3.x tells x alone of x and y):

    tempting                               | it fails on
    ---------------------------------------+---------------------------------------------------
    the last writer of the row wins        | put2.x, put1: y is lost
    a delete older than the row is stale   | put1, put3.x, del2: y of the dead row stays
    ... it clears, but is not remembered   | put3.x, del2, put1 fills y
    an empty slot has no past              | put1, del2, reap, put3.x: put1 again fills y from the
                                           | dead row
    a late delete is stored as a tombstone | del3, reap, del1 is stored, put2 is applied
    the holes of a create inherit          | put1 (its delete is lost), create2.x: y of the dead
                                           | row shows in the new one
    one offset for all columns (R5)        | read4 at offset 0, put4.y at 2, put3.x at 1: x came
                                           | from the read, so put3.x is newer than it, and lost

Therefore each column is decided by itself, by two questions: what does the event say of it, and is
the event newer than the one that told it?

    the column was told by  | the event tells it  | it ends it  | it says nothing of it
    ------------------------+---------------------+-------------+----------------------
    something older         | TAKE                | CLEAR       | KEEP
    something newer         | KEEP                | KEEP        | KEEP
    nobody: it is a hole    | TAKE                | KEEP        | KEEP

A put tells a column, or says nothing of it: *unchanged since whatever was before*. A delete ends
all; a put that creates ends what it does not tell. Of two contents of the very position the greater
counts as the newer, and the column is disputed (ties.py). A hole is what was never told, or was
cleared; an event of an earlier, dead life must not fill it (past.py). An event newer than the row
is newer than each of its columns, and an empty slot, or a tombstone, is all holes.
"""

from __future__ import annotations

from collections.abc import Mapping

from anyorder._core.columns import CLEAR, ENDS, KEEP, NOTHING, TAKE, TELLS, Column, Columns, Move
from anyorder._core.memory import HOLE, OWN, Cell, NotDecided, Stamp
from anyorder._core.position import NEWER, OLDER, SAME, UNDECIDED, WAITING, Lineage, Order
from anyorder._core.ties import Ties

# The table above: how the event stands to what the column holds (None: it is a hole), and what it
# says of it. What is not listed is kept.
TABLE = {(NEWER, TELLS): TAKE, (NEWER, ENDS): CLEAR, (None, TELLS): TAKE}

Moves = dict[str, Move]
Orders = Mapping[str, Order | None]
"""How an event stands to what each column holds; None: a hole."""


def moves_of_older(columns: Columns, orders: Orders) -> Moves:
    """What an event does that is older than the row: what the table says of each column."""
    return {name: TABLE.get((orders[name], one.said), KEEP) for name, one in columns.items()}


def moves_of_newer(columns: Columns, orders: Orders, chosen: Ties) -> Moves:
    """What an event does that is newer than the row. It keeps also the columns for which a word
    chose a content, or an end, of its very position."""
    return moves_of_older(columns, orders) | dict.fromkeys(chosen, KEEP)


def orders_of_newer(columns: Columns, stamp: Stamp, lineage: Lineage) -> Orders:
    """How an event of this stamp, newer than the row, stands to each column: newer as well, but
    perhaps not than what an operator's word put beside the row's own event (rules R11).

    Raises NotDecided where it says something of such a column and the clocks do not tell.
    """
    by_word: dict[str, Stamp] = {}
    for name, column in columns.items():
        cell = column.cell
        if isinstance(cell, Stamp) and _is_by_word(cell, stamp):
            by_word[name] = cell
    orders: dict[str, Order | None] = dict.fromkeys(columns, NEWER)
    orders |= _compared(
        columns,
        by_word,
        stamp,
        lineage,
    )
    return orders


def outlasting(columns: Columns, stamp: Stamp, lineage: Lineage) -> Stamp | None:
    """What a delete of this stamp, newer than the row, does not end; None where it ends all.

    Raises NotDecided where the clocks do not tell.
    """
    orders = orders_of_newer(columns, stamp, lineage)
    for name in sorted(columns):
        cell = columns[name].cell
        if isinstance(cell, Stamp) and orders[name] is not NEWER:
            return cell
    return None


def _is_by_word(cell: Stamp, stamp: Stamp) -> bool:
    # Nothing but a word mixes two clocks in a row; what was there before all events has none.
    is_of_other_clock = cell.position.scope not in ("", stamp.position.scope)
    return cell.is_marked or is_of_other_clock


def orders_of_older(columns: Columns, stamp: Stamp, row: Stamp, lineage: Lineage) -> Orders:
    """How an event of this stamp, older than the row, stands to what the row has from others.

    Raises NotDecided where it says something of a column and the clocks do not tell.
    """
    told: dict[str, Stamp] = {}
    for name, column in columns.items():
        stored = column.told_by(row)
        # A hole has no position to compare with; the past of the row decides of it.
        if stored is not None:
            told[name] = stored
    orders: dict[str, Order | None] = dict.fromkeys(columns)
    orders |= _compared(
        columns,
        told,
        stamp,
        lineage,
    )
    return orders


def _compared(
    columns: Columns, told: Mapping[str, Stamp], stamp: Stamp, lineage: Lineage
) -> dict[str, Order | None]:
    """How an event of this stamp stands to these columns, and to who told them."""
    orders: dict[str, Order | None] = {}
    undecided: dict[str, tuple[Order, Stamp]] = {}
    for name, stored in told.items():
        order = orders[name] = stamp.compare(stored, lineage)
        is_open = order is UNDECIDED or order is WAITING
        if is_open and columns[name].said is not NOTHING:
            undecided[name] = order, stored
    if undecided:
        raise _first(undecided)
    return orders


def _first(undecided: Mapping[str, tuple[Order, Stamp]]) -> NotDecided:
    """Of several columns that are not decided, the one that the answer names."""
    # A conflict goes first: it stays one whatever comes, but what waits may be told by itself. Then
    # by name: the answer depends on what is asked, not on the order of a set (`PYTHONHASHSEED`).
    conflicts = [name for name, (order, _) in undecided.items() if order is UNDECIDED]
    order, stored = undecided[min(conflicts or undecided)]
    return NotDecided(order, stored)


def after_newer(columns: Columns, moves: Moves, row: Stamp, ties: Ties) -> Columns:
    """The columns after an event that takes a row of this stamp: it is their own from now on."""
    after: Columns = {}
    for name, column in columns.items():
        move = moves[name]
        if move is TAKE:
            # Anything newer ends a dispute, unless it is the other content itself (rules R12).
            after[name] = Column(
                cell=OWN,
                said=column.said,
                disputed=name in ties,
            )
        elif move is CLEAR:
            after[name] = Column(HOLE, column.said)
        else:
            # It is inherited: what the row's own event told is another event's from now on.
            after[name] = Column(
                cell=column.told_by(row),
                said=column.said,
                disputed=column.disputed,
            )
    return after


def after_older(
    columns: Columns,
    moves: Moves,
    orders: Orders,
    stamp: Stamp,
    ties: Ties,
) -> Columns:
    """The columns after an event of this stamp that is older than their row."""
    after: Columns = {}
    for name, column in columns.items():
        move = moves[name]
        if move is TAKE:
            # The row stays another event's, so the column is told apart from it.
            after[name] = Column(
                cell=_taken(column.cell, stamp),
                said=column.said,
                disputed=name in ties,
            )
        elif move is CLEAR:
            after[name] = Column(HOLE, column.said)
        else:
            # A content of the same position that is the lesser changes nothing but the mark.
            cell = _kept(column.cell, stamp, orders[name])
            after[name] = Column(
                cell=cell,
                said=column.said,
                disputed=column.disputed or name in ties,
            )
    return after


# Each stamp has a joined offset of its own (rules R5): what is taken goes on with that of what was
# there, and what is kept has met an event that is not newer.


def _taken(cell: Cell, stamp: Stamp) -> Stamp:
    if isinstance(cell, Stamp):
        return stamp.joined(cell)
    return stamp


def _kept(cell: Cell, stamp: Stamp, order: Order | None) -> Cell:
    if not isinstance(cell, Stamp):
        # A hole, or the row's own: that stamp is joined with the row.
        return cell
    if order is OLDER or order is SAME:
        return cell.joined(stamp, same=order is SAME)
    # It is newer, or nobody can tell; but it says nothing of the column.
    return cell
