"""An operator's word for what is held (rules R11). It is final: until something provably newer
comes, no duplicate, no tie and no redelivery undoes it; and it takes nothing newer away.

To `accept` a content shows it in the columns that it touches; to drop a dispute chooses what is
shown. Either marks what was chosen (marks.py). What a column holds decides what an accepted content
does to it:

    the column was told by        | the content tells it | it ends it | it says nothing of it
    ------------------------------+----------------------+------------+----------------------
    something provably newer      | KEEP                 | KEEP       | KEEP
    anything else                 | TAKE                 | CLEAR      | KEEP
    nobody, and a newer end is    | KEEP                 | KEEP       | KEEP
    known                         |                      |            |
    nobody: it is a hole          | TAKE                 | KEEP       | KEEP

"Anything else" is older, of the same position, or of a clock that does not compare with it. Only
what may have been forgotten makes the row a declared one (declared.py): for anything else the
memory is as exact as before.
"""

from __future__ import annotations

from anyorder._core import lives, past
from anyorder._core.columns import (
    CLEAR,
    ENDS,
    KEEP,
    NOTHING,
    TAKE,
    Columns,
    Written,
    memory_of,
    split,
    written_moves,
    written_new,
)
from anyorder._core.decide import decide_again, standing
from anyorder._core.declared import declared, is_above, still_declared
from anyorder._core.event import DELETE, PUT, Event
from anyorder._core.floor import Floor
from anyorder._core.fold import APPLIED, Applied, Limits, stamp_of
from anyorder._core.former import known_as
from anyorder._core.marks import marked
from anyorder._core.memory import HOLE, Base, Born, Dead, Memory, NotDecided, Stamp, replace
from anyorder._core.moves import Moves, Orders, after_newer, after_older
from anyorder._core.outcome import REASONS, Reason
from anyorder._core.position import OLDER, SAME, Lineage

FORGOTTEN = frozenset({Reason.LATE, Reason.UNKNOWN_SCOPE})
"""What is held for these may be of a life that ended, and whose tombstone is forgotten."""


def needs_word(memory: Memory | None, event: Event, limits: Limits) -> bool:
    """Would an operator's word count? What came since may have decided the event."""
    return _is_wordable(event, decide_again(memory, event, limits).reason)


def is_tied(memory: Memory | None, event: Event, limits: Limits) -> bool:
    """Does another content of the event's very position stand in the memory? Then to drop the event
    is a word for what is shown there (marks.py)."""
    decided = decide_again(memory, event, limits)
    against = decided.against
    if decided.reason is not Reason.CONFLICT or not isinstance(against, Stamp):
        return False
    position = event.position
    return position is not None and position.compare(against.position, limits.lineage) is SAME


def _is_wordable(event: Event, reason: Reason) -> bool:
    # Broken bytes have no row to write, whoever accepts them.
    return REASONS[reason].acceptable and event.kind in (PUT, DELETE)


def accept(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """An operator's word for a held put or delete. It is decided again first; if it is not held any
    more, that is the answer, and what is shown of its position is what he chose."""
    # As an entry is: what it lists may touch nothing that is disputed, and ends the dispute still.
    decided = decide_again(memory, event, limits)
    if not _is_wordable(event, decided.reason):
        return _chosen_already(event, decided, limits.lineage)
    memory = standing(memory, limits)
    if memory is None:
        return _taken(None, event, decided, limits)
    # A key whose versions seem to start again: the word says which life is the later one.
    if decided.reason is Reason.SUSPECTED_RESET:
        return _chosen(event, lives.accept(memory, event, limits), limits.lineage)
    return lives.bounded(memory, _taken(memory, event, decided, limits))


def _taken(memory: Memory | None, event: Event, decided: Applied, limits: Limits) -> Applied:
    """What a held event comes to by the word."""
    lineage = limits.lineage
    stamp = stamp_of(event)
    if memory is not None:
        stamp = known_as(memory, event, stamp, lineage)
    birth = _birth(memory, stamp, decided.reason, limits)
    columns = split(memory, event)
    orders = _orders(memory, columns, stamp, lineage)
    moves = _moves(memory, columns, orders, stamp, lineage)
    if event.kind is DELETE and not _leaves_any(columns, moves):
        return _ended(memory, stamp, birth, lineage)

    row = _row(memory, event, stamp, columns, moves, orders, limits)
    row = marked(row, stamp.position, lineage)
    if birth is not None and not is_above(stamp, birth, lineage):
        after: Memory | None = declared(row, birth, lineage)
    elif birth is not None:
        after = still_declared(row, birth, lineage)
    else:
        after = row
    return Applied(
        memory=after,
        written=_written(memory, event, moves),
        reason=APPLIED,
        against=decided.against,
    )


def _chosen_already(event: Event, decided: Applied, lineage: Lineage) -> Applied:
    """The answer for what is not held: its entry may list other contents of its position, which the
    word refuses."""
    memory, position = decided.memory, event.position
    is_change = event.kind in (PUT, DELETE) and not decided.reason.quarantined
    if memory is None or position is None or not is_change:
        return decided
    return _chosen(event, decided, lineage)


def _chosen(event: Event, applied: Applied, lineage: Lineage) -> Applied:
    """The answer, and what the memory shows of the event's position is what he chose."""
    assert applied.memory is not None
    assert event.position is not None
    return replace(applied, memory=marked(applied.memory, event.position, lineage))


def _birth(
    memory: Memory | None,
    stamp: Stamp,
    reason: Reason,
    limits: Limits,
) -> Floor | None:
    """The floor under which the accepted row is put there; None: the memory is exact."""
    if memory is None:
        is_forgotten = reason in FORGOTTEN or not is_above(stamp, limits.floor, limits.lineage)
        return limits.floor if is_forgotten else None
    # A row keeps the birth that its first word gave it.
    if memory.declared is not None or reason not in FORGOTTEN:
        return memory.declared
    # What was forgotten since the slot was filled is of other keys: above that floor the memory is
    # exact, and nothing there may be late.
    if isinstance(memory.base, Born):
        return memory.base.floor
    return limits.floor


def _orders(memory: Memory | None, columns: Columns, stamp: Stamp, lineage: Lineage) -> Orders:
    """How the position of the accepted content stands to what each column holds."""
    orders = dict.fromkeys(columns)
    # A slot that is empty or holds a tombstone is all holes.
    if memory is None:
        return orders
    for name, column in columns.items():
        stored = column.told_by(memory.stamp)
        if stored is not None:
            orders[name] = stamp.position.compare(stored.position, lineage)
    return orders


def _moves(
    memory: Memory | None,
    columns: Columns,
    orders: Orders,
    stamp: Stamp,
    lineage: Lineage,
) -> Moves:
    """What the accepted content does to each column: the table above."""
    is_dead = memory is not None and _is_ended(memory, stamp, lineage)
    moves: Moves = {}
    for name, column in columns.items():
        is_hole = column.cell is HOLE
        is_kept = orders[name] is OLDER or (is_hole and (is_dead or column.said is ENDS))
        if is_kept or column.said is NOTHING:
            moves[name] = KEEP
        elif column.said is ENDS:
            moves[name] = CLEAR
        else:
            moves[name] = TAKE
    return moves


def _is_ended(memory: Memory, stamp: Stamp, lineage: Lineage) -> bool:
    """Is it known of a row that what was before it ended after this event?"""
    ended = memory.ended
    if ended is None:
        return False
    return stamp.position.compare(ended.position, lineage) is OLDER


def _leaves_any(columns: Columns, moves: Moves) -> bool:
    """Is anything told that is not cleared?"""
    kept = {column.cell for name, column in columns.items() if moves[name] is KEEP}
    # Of what was a hole before, nothing was told.
    return not kept <= {HOLE}


def _ended(memory: Memory | None, stamp: Stamp, birth: Floor | None, lineage: Lineage) -> Applied:
    """An accepted delete that leaves nothing of the row."""
    if birth is not None and not is_above(stamp, birth, lineage):
        # Stored as a tombstone it would let in what is late, as any delete below a birth.
        return Applied(
            memory=None,
            written=None,
            reason=Reason.ABSORBED,
            against=birth,
        )
    if memory is not None:
        stamp = stamp.joined(memory.stamp)
    return Applied(Memory(stamp.marked()), None, APPLIED)


def _row(
    memory: Memory | None,
    event: Event,
    stamp: Stamp,
    columns: Columns,
    moves: Moves,
    orders: Orders,
    limits: Limits,
) -> Memory:
    """The row of an accepted content, not marked yet."""
    lineage = limits.lineage
    if memory is None:
        base = past.of_empty_slot(limits.floor, limits.truncated, lineage)
        after = after_newer(columns, moves, stamp, {})
        return memory_of(stamp, after, _ended_by(event, stamp, base, lineage))

    base = _ended_by(event, stamp, past.of_slot(memory), lineage)
    is_row_newer = stamp.position.compare(memory.stamp.position, lineage) is OLDER
    # A delete is no row's stamp; what it leaves is newer than it.
    if memory.live and (is_row_newer or event.kind is DELETE):
        after = after_older(columns, moves, orders, stamp, {})
        return memory_of(memory.stamp.joined(stamp), after, base)
    own = stamp.joined(memory.stamp)
    return memory_of(own, after_newer(columns, moves, memory.stamp, {}), base)


def _ended_by(event: Event, stamp: Stamp, base: Base | None, lineage: Lineage) -> Base | None:
    """What lies behind the row, where the accepted content ends what was before it."""
    if event.kind is PUT and not event.creates:
        return base
    try:
        return past.dead_up_to(base, stamp, lineage)
    except NotDecided:
        # Of two ends that do not compare the operator chose this one; but a floor stays, since what
        # it covers is still asked for.
        return base if isinstance(base, Born) else Dead(stamp)


def _written(memory: Memory | None, event: Event, moves: Moves) -> Written | None:
    """What the user's row shows of it."""
    if memory is None or not memory.live:
        return written_new(event)
    return written_moves(event, moves)
