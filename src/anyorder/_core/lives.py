"""Versions that count for each key, and start again with another life of it (rules R13).

The memory is the checkpoint. Version and own time of an event that contradict those of what is
remembered by more than the margin, in either direction, may be of another life: it is held, and
nothing is written. A person says which life is the later one. From then on the memory carries a
bound, how far the lives before had come, so that their stragglers do not pass for events of the new
one, whose versions are small.
"""

from __future__ import annotations

from anyorder._core.event import DELETE, Event
from anyorder._core.families.restarting import Told, bound_over, told, with_time_of
from anyorder._core.fold import Applied, Limits, apply
from anyorder._core.memory import Memory, replace
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
    stored, position = memory.stamp, event.position
    assert position is not None
    found = told(position, stored.position, memory.bound, MARGIN)
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
    taken = apply(None, event, Limits(lineage=limits.lineage))
    assert taken.memory is not None
    bound = bound_over(position, stored.position, memory.bound, MARGIN)
    return Applied(
        memory=replace(taken.memory, bound=bound),
        written=taken.written,
        reason=Reason.APPLIED,
        against=stored,
    )
