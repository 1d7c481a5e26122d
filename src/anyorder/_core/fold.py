"""Put one event into one memory (rules R8 with R5, R10 and R12).

The law is FOLD: after any order, repetition, batching and reaping, the row equals the in-order fold
of the accepted events. In that order each column simply holds what the last event said of it. Out
of order it must still end so, and therefore each column is decided by itself, by two questions:
what does the event say of it, and is the event newer than the one that told it?

    the column was told by   | the event tells it | it ends it | it says nothing
    -------------------------+--------------------+------------+----------------
    something older          | TAKE               | CLEAR      | KEEP
    something newer          | KEEP               | KEEP       | KEEP
    nobody: a hole           | TAKE, if the past  | KEEP       | KEEP
                             | of the row lets it |            |

A put tells a column, or says nothing of it (a hole: *unchanged since whatever was before*). A
delete ends all; a put that creates ends what it does not tell. Of two contents of the very position
the greater counts as the newer, and the column is disputed (ties.py). What is cleared, or never
told, is a hole, and what must not fill it is an event of an earlier, dead life: the row's past
(past.py) says up to where all is dead. An event newer than the row is newer than every column of
it; an empty slot and a tombstone are all holes, written anew.

Each simpler rule is wrong. The shortest counterexamples (putN and delN are at position N, put3.x
tells x alone of x and y):

    tempting                               | it fails on
    ---------------------------------------+--------------------------------------------------
    the last writer of the row wins        | put2.x, put1: y is lost
    a delete older than the row is stale   | put1, put3.x, del2: y of the dead row stays
    ... it clears, and is not remembered   | put3.x, del2, put1 fills y
    an empty slot has no past              | put1 del2 put3.x as del2, reap, put1 late, put3.x,
                                           | put1 again: it fills y from the dead row
    a late delete is stored as a tombstone | del3, reap, del1 is stored, put2 is applied
    the holes of a create inherit          | put1 (its delete is lost), create2.x: y of the dead
                                           | row shows in the new one
    one offset for the whole row (R5)      | read4 at offset 0, put4.y at 2, put3.x at 1: x came
                                           | from the read, so put3.x is newer than it, and lost
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from anyorder._core import past
from anyorder._core.columns import (
    Columns,
    Move,
    Says,
    Written,
    both,
    is_inheriting,
    join,
    split,
    written_moves,
    written_new,
)
from anyorder._core.event import Event, Kind
from anyorder._core.families import Position
from anyorder._core.floor import NOTHING_FORGOTTEN, Floor
from anyorder._core.memory import (
    HOLE,
    OWN,
    Base,
    Cell,
    Dead,
    Memory,
    NotDecided,
    Stamp,
    replace,
)
from anyorder._core.outcome import Reason
from anyorder._core.position import Above, Lineage, Order
from anyorder._core.ties import Ties, claimed, is_own_disputed, ties

NOT_DECIDED = {Order.UNDECIDED: Reason.CONFLICT, Order.WAITING: Reason.WAITING}
# how the event stands to what a column holds (None: a hole), what it says of it -> what happens;
# everything else is kept
TABLE = {
    (Order.NEWER, Says.TELLS): Move.TAKE,
    (Order.NEWER, Says.ENDS): Move.CLEAR,
    (None, Says.TELLS): Move.TAKE,
}


class Limits(msgspec.Struct, frozen=True):
    """What a table knows beyond its rows: its floor, its greatest truncate, and the snapshot runs
    of its log."""

    floor: Floor = NOTHING_FORGOTTEN
    truncated: Stamp | None = None
    lineage: Lineage = {}


class Applied(NamedTuple):
    """What became of one event. `memory` afterwards (None: an empty slot); what is `written` to the
    row (None: it stays as it is; it goes where the memory is no longer live); the reason; and what
    the event was judged against."""

    memory: Memory | None
    written: Written | None
    reason: Reason
    against: Stamp | Floor | None = None

    def written_after(self, earlier: Written | None) -> Written | None:
        """What an earlier step and this one write, as one write; of a row that goes, nothing."""
        if self.memory is None or not self.memory.live:
            return None
        return both(earlier, self.written)


def stamp_of(event: Event) -> Stamp:
    """The stamp of a put, delete or truncate. It must carry a position."""
    assert event.position is not None
    return Stamp(event.position, int(event.kind is Kind.PUT), event.fingerprint)


def apply(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """Decide a put or a delete against what is remembered of its key."""
    try:
        if memory is None:
            return _onto_empty(event, stamp_of(event), limits)
        return _onto_memory(memory, event, limits)
    except NotDecided as undecided:
        return Applied(memory, None, NOT_DECIDED[undecided.order], undecided.against)


def _onto_empty(event: Event, arriving: Stamp, limits: Limits) -> Applied:
    """An empty slot: a truncate is exact (rules R10), then the floor decides (rules R3)."""
    truncated, floor, lineage = limits.truncated, limits.floor, limits.lineage
    if truncated is not None and arriving.decided(truncated, lineage) is not Order.NEWER:
        return Applied(None, None, Reason.STALE, truncated)
    above = arriving.position.above(floor, lineage)
    if above is not Above.YES:
        # nothing is stored, not even a delete: as a tombstone it would re-open the door
        return Applied(None, None, _beyond(above, event), floor)
    if event.kind is not Kind.PUT:
        return Applied(Memory(arriving), None, Reason.APPLIED)
    base = past.of_empty_slot(floor, truncated, lineage)
    columns = split(None, event)
    moves = _moves(columns, dict.fromkeys(columns, Order.NEWER))
    row = join(arriving, _taken(columns, moves, arriving, {}), _past_of(event, arriving, base))
    return Applied(row, written_new(event), Reason.APPLIED)


def _beyond(above: Above, event: Event) -> Reason:
    if above is Above.UNKNOWN:
        return Reason.UNKNOWN_SCOPE
    return Reason.LATE if event.kind is Kind.PUT else Reason.ABSORBED


def _onto_memory(memory: Memory, event: Event, limits: Limits) -> Applied:
    held, position = memory.stamp, event.position
    assert position is not None
    order = position.compare(held.position, limits.lineage)
    is_plain = memory.cells is None and not memory.disputed
    if order is Order.OLDER and is_plain:
        # a whole row or a tombstone has nothing to fill and nothing to clear: the common case
        return Applied(_met(memory, position), None, Reason.STALE, held)
    if order is Order.UNDECIDED or order is Order.WAITING:
        return Applied(memory, None, NOT_DECIDED[order], held)
    arriving = stamp_of(event)
    tied = order is Order.SAME
    if tied and arriving.has_content_of(held):
        return _again(memory, arriving)
    if order is Order.NEWER or (tied and arriving.tag > held.tag):
        return _newer(memory, event, arriving, limits.lineage, tied=tied)
    if not memory.live:
        return Applied(_met(memory, position), None, Reason.STALE, held)
    return _older(memory, event, arriving, limits.lineage)


def _met(memory: Memory, position: Position) -> Memory:
    """The memory after meeting what is older: its offset is joined (rules R5)."""
    held = memory.stamp
    joined = held.position.joined(position, False)
    if joined is held.position:
        return memory
    return replace(memory, stamp=replace(held, position=joined))


def _again(memory: Memory, arriving: Stamp) -> Applied:
    """The row's own event came again. While its content is disputed, it is still a conflict."""
    held = memory.stamp
    stamp = held.joined(arriving, same=True)
    reason = Reason.CONFLICT if is_own_disputed(memory) else Reason.DUPLICATE
    if stamp is held:
        return Applied(memory, None, reason, held)
    met = replace(memory, stamp=stamp, base=past.met_again(memory.base, arriving))
    return Applied(met, None, reason, held)


def _newer(
    memory: Memory, event: Event, arriving: Stamp, lineage: Lineage, *, tied: bool
) -> Applied:
    """The event takes the slot; what a put says nothing of, it inherits."""
    held = memory.stamp
    own = arriving.joined(held)  # with the joined offset of what it replaces (rules R5)
    if event.kind is not Kind.PUT:
        return Applied(Memory(own), None, Reason.APPLIED, held)
    if event.whole and not tied:
        # nothing is told apart, and nothing of before is left to be tied with: the common case
        return Applied(Memory(own), written_new(event), Reason.APPLIED, held)
    begins = event.whole or event.creates or not memory.live
    columns = split(memory, event)
    found = ties(memory, columns, arriving, lineage) if tied or not begins else {}
    moves = _moves(columns, dict.fromkeys(columns, Order.NEWER))
    base = _past_of(event, own, memory.base if memory.live else Dead(held))
    row = join(own, _taken(columns, moves, held, found), base)
    if memory.declared is not None and is_inheriting(row):
        row = replace(row, declared=memory.declared)  # what it inherits is an operator's word still
    written = written_new(event) if begins else written_moves(event, moves)
    reason = Reason.CONFLICT if tied and not memory.live else Reason.APPLIED
    return _judged(Applied(row, written, reason, held), found)


def _past_of(event: Event, own: Stamp, base: Base | None) -> Base | None:
    """A put that creates acts as a delete just before itself, whenever it arrives (rules R8)."""
    return Dead(own) if event.creates else base


def _moves(columns: Columns, orders: Mapping[str, Order | None]) -> dict[str, Move]:
    """What the table says of each column."""
    return {
        name: TABLE.get((orders[name], column.said), Move.KEEP) for name, column in columns.items()
    }


def _taken(columns: Columns, moves: Mapping[str, Move], held: Stamp, found: Ties) -> Columns:
    """The columns after an event that takes a row of the stamp `held`."""
    after = {}
    for name, column in columns.items():
        if moves[name] is Move.TAKE:
            after[name] = column._replace(cell=OWN, disputed=name in found)
        elif moves[name] is Move.CLEAR:
            after[name] = column._replace(cell=HOLE)
        else:
            after[name] = column._replace(cell=column.told_by(held))
    return after


def _older(memory: Memory, event: Event, arriving: Stamp, lineage: Lineage) -> Applied:
    """An event older than the row may still take, or clear, what the row has from events before it,
    and fill its holes."""
    columns = split(memory, event)
    orders = _orders(columns, arriving, memory.stamp, lineage)
    found = ties(memory, columns, arriving, lineage)
    moves = _moves(columns, orders)
    tells = Move.TAKE in moves.values()
    refused = past.refusal(memory.base, event, arriving, lineage, tells=tells)
    base = memory.base
    if refused is not None:
        moves = dict.fromkeys(moves, Move.KEEP)
    elif _ends_for_good(columns, moves):
        base = past.dead_up_to(base, arriving, lineage)
    row = join(
        memory.stamp.joined(arriving), _met_by(columns, moves, orders, arriving, found), base
    )
    row = replace(row, declared=memory.declared, token=memory.token)
    written = written_moves(event, moves)
    reason = refused or (Reason.STALE if written is None else Reason.APPLIED)
    # where nothing moved, it is the very same memory, so that nothing is written
    applied = Applied(memory if row == memory else row, written, reason, memory.stamp)
    return _judged(applied, found)


def _orders(
    columns: Columns, arriving: Stamp, row: Stamp, lineage: Lineage
) -> dict[str, Order | None]:
    """How the event stands to what each column holds; None: a hole.

    Raises NotDecided where it says something of a column and the clocks do not tell.
    """
    orders: dict[str, Order | None] = dict.fromkeys(columns)
    undecided: dict[str, tuple[Order, Stamp]] = {}
    for name, column in columns.items():
        held = column.told_by(row)
        if held is None:
            continue
        order = orders[name] = arriving.compare(held, lineage)
        if order in NOT_DECIDED and column.said is not Says.NOTHING:
            undecided[name] = order, held
    if undecided:
        # a conflict stays one whatever else is told, so it is named before what may yet come; of
        # several the first by name, so that the answer depends on nothing but the columns
        conflicts = [name for name, (order, _) in undecided.items() if order is Order.UNDECIDED]
        raise NotDecided(*undecided[min(conflicts or undecided)])
    return orders


def _ends_for_good(columns: Columns, moves: Mapping[str, Move]) -> bool:
    """Does the event end what holes are left of? Then it must be remembered as their past, or an
    event before it fills them again (rules R8)."""
    ends = any(column.said is Says.ENDS for column in columns.values())
    leaves = Move.CLEAR in moves.values() or any(c.cell is HOLE for c in columns.values())
    return ends and leaves


def _met_by(
    columns: Columns,
    moves: Mapping[str, Move],
    orders: Mapping[str, Order | None],
    arriving: Stamp,
    found: Ties,
) -> Columns:
    """The columns after an event that is older than their row; each stamp has an offset of its own
    (rules R5)."""
    after = {}
    for name, column in columns.items():
        tied = name in found
        if moves[name] is Move.TAKE:
            after[name] = column._replace(cell=_taking(arriving, column.cell), disputed=tied)
        elif moves[name] is Move.CLEAR:
            after[name] = column._replace(cell=HOLE)
        else:
            kept = _kept(column.cell, arriving, orders[name])
            after[name] = column._replace(cell=kept, disputed=column.disputed or tied)
    return after


def _taking(arriving: Stamp, cell: Cell) -> Stamp:
    return arriving.joined(cell) if isinstance(cell, Stamp) else arriving


def _kept(cell: Cell, arriving: Stamp, order: Order | None) -> Cell:
    """An event that is not newer than a column raises the offset of that column."""
    if isinstance(cell, Stamp) and order in (Order.OLDER, Order.SAME):
        return cell.joined(arriving, same=order is Order.SAME)
    return cell


def _judged(applied: Applied, found: Ties) -> Applied:
    """... or a conflict, where the row shows a column as disputed that the event claims too."""
    held = claimed(applied.memory, found) if applied.memory is not None else None
    return applied if held is None else applied._replace(reason=Reason.CONFLICT, against=held)
