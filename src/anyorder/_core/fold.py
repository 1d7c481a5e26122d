"""Put one event into one memory (rules R8 with R5, R10 and R12).

The law is FOLD: after any order, repetition, batching and reaping, the row equals the in-order fold
of the accepted events. What that asks of each column is the table of moves.py. Here is what it asks
of the slot, whose stamp is that of the newest event it took:

    the slot holds      | an event that is newer         | an event that is older
    --------------------+--------------------------------+----------------------------------------
    nothing             | a new row or tombstone; but at or below the table's truncate: stale,
                        | at or below its floor: late or absorbed
    a tombstone         | takes the slot                 | stale: its columns are all dead
    a row of one event  | takes it, column by column     | stale: all its columns are newer
    a row of several    | takes it, column by column     | may take, or clear, what is older still,
                        |                                | and fill holes, if their past lets it

The row's own event, again: a duplicate. Another content of its position: a tie (ties.py); the
greater counts as the newer, and what an operator's word chose is greater than all others. Where
the clocks do not tell, nothing moves.
"""

from __future__ import annotations

import msgspec

from anyorder._core import past
from anyorder._core.columns import (
    KEEP,
    TAKE,
    Written,
    both,
    memory_of,
    split,
    written_moves,
    written_new,
)
from anyorder._core.event import PUT, Event
from anyorder._core.families import Position
from anyorder._core.floor import NOTHING_FORGOTTEN, Floor
from anyorder._core.former import known_as
from anyorder._core.memory import Memory, NotDecided, Stamp, replace
from anyorder._core.moves import (
    after_newer,
    after_older,
    moves_of_newer,
    moves_of_older,
    orders_of_newer,
    orders_of_older,
    outlasting,
)
from anyorder._core.outcome import Reason
from anyorder._core.position import NEWER, OLDER, SAME, UNDECIDED, WAITING, YES, Above, Lineage
from anyorder._core.ties import NOBODY, Met, claimed, is_own_disputed, meet

NOT_DECIDED = {UNDECIDED: Reason.CONFLICT, WAITING: Reason.WAITING}
# Looked up once, as in columns.py: they end most decisions.
APPLIED, STALE, DUPLICATE = Reason.APPLIED, Reason.STALE, Reason.DUPLICATE


class Limits(msgspec.Struct, frozen=True):
    """What a table knows beyond its rows: its floor, its greatest truncate, and the snapshot runs
    of its log."""

    floor: Floor = NOTHING_FORGOTTEN
    truncated: Stamp | None = None
    lineage: Lineage = {}


class Applied(msgspec.Struct, frozen=True, gc=False):
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
    return Stamp(event.position, int(event.kind is PUT), event.fingerprint)


def apply(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """Decide a put or a delete against what is remembered of its key."""
    try:
        if memory is None:
            return _onto_empty(event, stamp_of(event), limits)
        return _onto_memory(memory, event, limits)
    except NotDecided as undecided:
        # The whole event is held, even if some of its columns were decided: what it says of the
        # others would be lost.
        return Applied(memory, None, NOT_DECIDED[undecided.order], undecided.against)


def _onto_empty(event: Event, stamp: Stamp, limits: Limits) -> Applied:
    """Nothing is remembered of the key, but perhaps of the table."""
    truncated, floor, lineage = limits.truncated, limits.floor, limits.lineage
    # A truncate is exact (rules R10), so it comes before the floor (rules R3), which is not.
    if truncated is not None and stamp.decided(truncated, lineage) is not NEWER:
        return Applied(
            memory=None,
            written=None,
            reason=STALE,
            against=truncated,
        )
    above = stamp.position.above(floor, lineage)
    if above is not YES:
        # Nothing is stored, not even a delete: as a tombstone it would open the door again.
        return Applied(
            memory=None,
            written=None,
            reason=_below(above, event),
            against=floor,
        )
    if event.kind is not PUT:
        return Applied(Memory(stamp), None, APPLIED)
    if event.whole:
        return Applied(Memory(stamp), written_new(event), APPLIED)
    base = past.of_empty_slot(floor, truncated, lineage)
    begun = past.before_life(stamp.position, None)
    if begun is not None:
        base = past.of_slot(begun)
    columns = split(None, event)
    after = after_newer(
        columns, moves_of_newer(columns, dict.fromkeys(columns, NEWER), {}), stamp, {}
    )
    row = memory_of(stamp, after, past.of_put(event, stamp, base))
    return Applied(row, written_new(event), APPLIED)


def _below(above: Above, event: Event) -> Reason:
    """Why an event that is not above the floor may not fill an empty slot."""
    # It lacks the clock by which something was forgotten (rules R3).
    if above is Above.UNKNOWN:
        return Reason.UNKNOWN_SCOPE
    if event.kind is PUT:
        # It may be of a life whose tombstone is forgotten, or of one that nobody ended.
        return Reason.LATE
    # A delete of what is not there; of what was there, its own tombstone is the forgotten one.
    return Reason.ABSORBED


def _onto_memory(memory: Memory, event: Event, limits: Limits) -> Applied:
    """The key is remembered, so nothing but its memory decides, however late the event."""
    stored, position = memory.stamp, event.position
    assert position is not None
    order = position.compare(stored.position, limits.lineage)
    if order is OLDER and memory.is_simple:
        # There is nothing to fill and nothing to clear: the common case of what is not applied.
        return Applied(_met(memory, position), None, STALE, stored)
    if order is UNDECIDED or order is WAITING:
        return Applied(memory, None, NOT_DECIDED[order], stored)
    stamp, tied = stamp_of(event), order is SAME
    if tied or memory.cells is not None:
        stamp = known_as(memory, event, stamp, limits.lineage)
    if tied:
        # Of two contents the greater is shown, whichever came first (rules R12).
        order = stamp.compare_content(stored)
    if order is SAME:
        return _again(memory, stamp)
    if order is NEWER:
        return _newer(memory, event, stamp, limits.lineage, tied=tied)
    # A tombstone has no columns: what is older than it is dead as a whole.
    if not memory.live:
        if tied:
            # A put is greater than a delete of its position, unless an operator chose the delete.
            return Applied(memory, None, Reason.CONFLICT, stored)
        return Applied(_met(memory, position), None, STALE, stored)
    return _older(memory, event, stamp, limits.lineage)


def _met(memory: Memory, position: Position) -> Memory:
    """The memory after meeting what is older: its offset is joined (rules R5)."""
    stored = memory.stamp
    joined = stored.position.joined(position, False)
    # The very same memory, so that nothing is written: most of what is stale is not re-emitted.
    if joined is stored.position:
        return memory
    return replace(memory, stamp=replace(stored, position=joined))


def _again(memory: Memory, stamp: Stamp) -> Applied:
    """The row's own event came again."""
    stored, reason = memory.stamp, DUPLICATE
    if is_own_disputed(memory):
        # Its content is one of two, however often it comes (rules R12).
        reason = Reason.CONFLICT
    joined = stored.joined(stamp, same=True)
    if joined is stored:
        return Applied(memory, None, reason, stored)
    met = replace(memory, stamp=joined, base=past.met_again(memory.base, stamp))
    return Applied(met, None, reason, stored)


def _newer(memory: Memory, event: Event, stamp: Stamp, lineage: Lineage, *, tied: bool) -> Applied:
    """The event takes the slot, and carries on the joined offset of what it replaces (R5)."""
    stored = memory.stamp
    # Of an earlier life nothing is inherited, though its delete may not have come yet.
    memory = past.before_life(stamp.position, memory) or memory
    if event.kind is PUT:
        return _put_on(memory, event, stamp, stored, lineage, tied=tied)
    if memory.cells is not None:
        kept = outlasting(split(memory, event), stamp, lineage)
        if kept is not None:
            # Held, as long as nothing is newer than all of the row.
            return Applied(memory, None, Reason.CONFLICT, kept)
    return Applied(Memory(stamp.joined(stored)), None, APPLIED, stored)


def _put_on(
    memory: Memory,
    event: Event,
    stamp: Stamp,
    stored: Stamp,
    lineage: Lineage,
    *,
    tied: bool,
) -> Applied:
    """A put takes the slot; `stored`: what lay there."""
    own = stamp.joined(stored)
    if event.whole and not tied and memory.cells is None:
        # Nothing is told apart, and nothing is left that it could be tied with: the common case.
        return Applied(Memory(own), written_new(event), APPLIED, stored)
    begins = event.whole or event.creates or not memory.live
    columns = split(memory, event)
    met = meet(memory, columns, stamp, lineage)
    if begins and not tied:
        # A row that begins shows nothing of what was before, so it shares a column only with the
        # content of its own position.
        met = met._replace(ties={})
    orders = orders_of_newer(columns, stamp, lineage)
    moves = moves_of_newer(columns, orders, met.chosen)
    base = past.of_put(event, own, past.of_slot(memory))
    row = memory_of(own, after_newer(columns, moves, stored, met.ties), base)
    is_kept = memory.live and KEEP in moves.values()
    written: Written | None = written_new(event)
    if is_kept or not begins:
        written = written_moves(event, moves)
    if tied and not memory.live:
        # A delete and a put of one position claim the row itself, even if the put tells nothing.
        return Applied(row, written, Reason.CONFLICT, stored)
    return _judged(Applied(row, written, APPLIED, stored), met, stamp)


def _older(memory: Memory, event: Event, stamp: Stamp, lineage: Lineage) -> Applied:
    """The event is older than the row, but perhaps newer than some of its columns."""
    stored, base = memory.stamp, memory.base
    columns = split(memory, event)
    orders = orders_of_older(columns, stamp, stored, lineage)
    met = meet(memory, columns, stamp, lineage)
    moves = moves_of_older(columns, orders)
    refused = past.refusal(base, event, stamp, lineage, tells=TAKE in moves.values())
    if refused is not None:
        moves = dict.fromkeys(columns, KEEP)
    elif event.kind is not PUT or event.creates:
        # What it ends must not come back: an event before it would fill the holes that it leaves.
        base = past.dead_up_to(base, stamp, lineage)
    after = after_older(columns, moves, orders, stamp, met.ties)
    row = memory_of(stored.joined(stamp), after, base)
    # It is the same row of the same write, so an operator's mark and the attempt's token stay.
    row = replace(row, declared=memory.declared, token=memory.token)
    written = written_moves(event, moves)
    reason = refused or APPLIED
    if written is None:
        reason = refused or STALE
    if row == memory:
        # Nothing moved: it is the very same memory, so that nothing is stored.
        row = memory
    return _judged(Applied(row, written, reason, stored), met, stamp)


def _judged(applied: Applied, met: Met, stamp: Stamp) -> Applied:
    """... or a conflict, with the other content of a column that is disputed from now on, or that a
    word chose instead."""
    # Most events claim nothing that another one has claimed.
    if met == NOBODY:
        return applied
    assert applied.memory is not None
    other = claimed(applied.memory, met.ties)
    if other is None:
        other = met.other_than(stamp)
    if other is not None:
        return replace(applied, reason=Reason.CONFLICT, against=other)
    if met.chosen and applied.reason is STALE:
        # What was chosen came again, and told nothing else.
        return replace(applied, reason=DUPLICATE)
    return applied
