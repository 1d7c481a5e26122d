"""Versions that count for each key, and start again with another life of it (rules R13).

The memory is the checkpoint. Version and own time of an event that contradict those of what is
remembered by more than the margin, in either direction, may be of another life: it is held, and
nothing is written. A person says which life is the later one. From then on the memory carries a
bound, how far the lives before had come, so that their stragglers do not pass for events of the new
one, whose versions are small.

A row of several events is contradicted by what contradicts any of them: its own may be of the later
life, and a column of it from the one before.
"""

from __future__ import annotations

from anyorder._core.columns import CLEAR, KEEP, Written, respelled, written_moves
from anyorder._core.event import DELETE, Event
from anyorder._core.families import Position
from anyorder._core.families.restarting import Told, bound_over, told, with_time_of
from anyorder._core.fold import Applied, Limits, apply
from anyorder._core.memory import HOLE, OWN, Memory, Stamp, replace
from anyorder._core.names import REST
from anyorder._core.outcome import Reason
from anyorder._core.reset import PRODUCER_MARGIN as MARGIN

REASONS_TOLD = {
    Told.STRAGGLER: Reason.STALE,
    Told.UNBOUND: Reason.SUSPECTED_RESET,
    Told.FALLEN: Reason.SUSPECTED_RESET,
    Told.RISEN: Reason.SUSPECTED_RESET,
}


def judge(memory: Memory, event: Event) -> Applied | None:
    """What an event's version and own time say together; None: its position decides, as ever."""
    position = event.position
    assert position is not None
    found, stored = _met(memory, position)
    # Nearly every event agrees with what is remembered.
    if found is Told.NOTHING:
        return None
    if found is Told.FALLEN and event.kind is DELETE and not memory.live:
        # Deleted is deleted, in whichever life. What comes from before this delete is older.
        later = replace(stored, position=with_time_of(stored.position, position))
        return Applied(
            memory=replace(memory, stamp=later),
            written=None,
            reason=Reason.STALE,
            against=stored,
        )
    return Applied(
        memory=memory,
        written=None,
        reason=REASONS_TOLD[found],
        against=stored,
    )


def _met(memory: Memory, position: Position) -> tuple[Told, Stamp]:
    """What an event here says against the row's own event, or against the first of the others that
    it contradicts."""
    for stamp in (memory.stamp, *_others(memory)):
        found = told(position, stamp.position, memory.bound, MARGIN)
        if found is not Told.NOTHING:
            return found, stamp
    return Told.NOTHING, memory.stamp


def _others(memory: Memory) -> list[Stamp]:
    """What told columns of a row beside its own event, and what ended the row before it."""
    # Nearly every row is of one event.
    if memory.cells is None:
        return []
    _, *others = memory.stamps
    if memory.ended is not None:
        others.append(memory.ended)
    return others


def bounded(before: Memory, applied: Applied) -> Applied:
    """The answer with the bound of the memory that it was given for: a life keeps it to its end,
    and so does its tombstone."""
    after = applied.memory
    if before.bound is None or after is None or after.bound is not None:
        return applied
    after = replace(after, bound=before.bound)
    # Where nothing moved it is the very same memory, so that nothing is written.
    if after == before:
        after = before
    return replace(applied, memory=after)


def accept(memory: Memory, event: Event, limits: Limits) -> Applied:
    """An operator's word that what is suspected is of the later life: the row is the event's alone,
    or the key is deleted by it."""
    stored, position = memory.stamp, event.position
    assert position is not None
    if told(position, stored.position, memory.bound, MARGIN) is Told.NOTHING:
        return _let_in(memory, event, position, limits)
    taken = apply(None, event, Limits(lineage=limits.lineage))
    assert taken.memory is not None
    bound = bound_over(position, stored.position, memory.bound, MARGIN)
    return Applied(
        memory=replace(taken.memory, bound=bound),
        written=taken.written,
        reason=Reason.APPLIED,
        against=stored,
    )


def _let_in(memory: Memory, event: Event, position: Position, limits: Limits) -> Applied:
    """The same where the row's own event is of that life: it goes on, without what was told of it
    in the lives before. Inside one life the versions are the order."""
    dead: list[Stamp] = []
    bound = memory.bound
    for stamp in _others(memory):
        if told(position, stamp.position, memory.bound, MARGIN) is Told.FALLEN:
            dead.append(stamp)
            bound = bound_over(position, stamp.position, bound, MARGIN)
    alive, cleared = _without(memory, dead, event)
    taken = apply(replace(alive, bound=bound), event, limits)
    assert taken.memory is not None
    return Applied(
        memory=replace(taken.memory, bound=bound),
        written=taken.written_after(cleared),
        reason=Reason.APPLIED,
        against=memory.stamp,
    )


def _without(memory: Memory, dead: list[Stamp], event: Event) -> tuple[Memory, Written | None]:
    """The row without what these events told or ended, and what that writes."""
    cells = memory.listed
    moves = {name: CLEAR if cell in dead else KEEP for name, cell in {REST: OWN, **cells}.items()}
    holed = {name: HOLE if moves[name] is CLEAR else cell for name, cell in cells.items()}
    # The bound says of all that was before it what this end said.
    base = None if memory.ended in dead else memory.base
    alive = respelled(replace(memory, cells=holed, base=base))
    return alive, written_moves(event, moves)
