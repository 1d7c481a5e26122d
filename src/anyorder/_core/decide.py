"""What becomes of one event: rules.md, "decide(), whole". Pure; the order of the tests below is the
order of the rules.

What the decoder already knows (malformed, incomplete, not a change) comes first, then hints, then
the fold, and what a declared row (declared.py) makes of its answer. Truncates and resets concern
more than one key: see `truncate` here and reset.py.
"""

from __future__ import annotations

from anyorder._core import lives
from anyorder._core.declared import on_declared
from anyorder._core.event import DELETE, HINT, PUT, Event, Kind
from anyorder._core.families.restarting import is_restartable
from anyorder._core.fold import APPLIED, NOT_DECIDED, Applied, Limits, apply, stamp_of
from anyorder._core.memory import Memory, Stamp, replace
from anyorder._core.outcome import REASONS, Reason
from anyorder._core.position import NEWER, OLDER, SAME
from anyorder._core.ties import disputed_at

BY_DECODER = {
    Kind.CONTROL: Reason.NOT_A_CHANGE,
    Kind.NO_CONTENT: Reason.NO_CONTENT,
    Kind.MALFORMED: Reason.MALFORMED,
}
NOT_NEWER = NOT_DECIDED | {SAME: Reason.DUPLICATE, OLDER: Reason.STALE}
HINTED = {True: Reason.NOT_A_CHANGE, False: Reason.WAITING}


def decide(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """One event against the memory of its key, read in the step that will write."""
    kind = event.kind
    if kind is HINT:
        return _hint(memory, event, limits)
    if kind is not PUT and kind is not DELETE:
        # What the decoder knows does not depend on what is remembered.
        return Applied(memory, None, BY_DECODER[kind])
    # Nearly no table was ever truncated.
    if limits.truncated is not None:
        memory = standing(memory, limits)
    applied = _compared(memory, event, limits)
    if memory is None or memory.declared is None:
        return applied
    return on_declared(
        memory,
        memory.declared,
        event,
        applied,
        limits.lineage,
    )


def _compared(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """The event against the memory, unless its version and its time contradict each other."""
    if memory is None:
        return apply(None, event, limits)
    # Nearly every clock counts for a whole stream, and never starts again for one key.
    if memory.bound is None and not is_restartable(event.position):
        return apply(memory, event, limits)
    judged = lives.judge(memory, event)
    if judged is None:
        judged = apply(memory, event, limits)
    return lives.bounded(memory, judged)


def decide_again(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """Decide what is held once more.

    The entry of a dispute stands for all contents of its position, so it stays while any of them is
    disputed (rules R12).
    """
    applied = decide(memory, event, limits)
    memory = applied.memory
    # The common case: nothing of the row is disputed, or the event is held anyway.
    if memory is None or not memory.disputed or applied.reason.quarantined:
        return applied
    disputed = None
    if event.position is not None:
        disputed = disputed_at(memory, event.position)
    # The row shows a dispute of another position, which has an entry of its own.
    if disputed is None:
        return applied
    return replace(applied, reason=Reason.CONFLICT, against=disputed)


def standing(memory: Memory | None, limits: Limits) -> Memory | None:
    """The memory; none where it is from before the table's truncate: its slot is empty, though
    nobody has emptied it yet."""
    if memory is None or limits.truncated is None:
        return memory
    # A truncate takes what is older, so such a memory is gone. But when it came, the clocks may not
    # have told yet which of the two was first (rules R14); then it was left.
    if limits.truncated.compare(memory.stamp, limits.lineage) is NEWER:
        return None
    return memory


def _hint(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """R6: a null record without a source block changes nothing. It waits until the delete that it
    follows is known to be done."""
    hint = event.position
    assert hint is not None
    if memory is None:
        # The delete stands one offset before its hint, and may have been reaped since.
        done = hint.is_settled(None, limits.floor)
        return Applied(
            memory=None,
            written=None,
            reason=HINTED[done],
            against=limits.floor,
        )
    # A row is looked at, a tombstone is enough by itself: it is the delete, or a later one.
    done = not memory.live or hint.is_settled(memory.stamp.position, limits.floor)
    return Applied(
        memory=memory,
        written=None,
        reason=HINTED[done],
        against=memory.stamp,
    )


def truncated_by(limits: Limits, event: Event) -> tuple[Limits, Reason]:
    """R10: a truncate is a tombstone of every key at its position, kept for ever. The limits
    afterwards, and the reason."""
    stamp, known = stamp_of(event), limits.truncated
    if known is None:
        return replace(limits, truncated=stamp), APPLIED
    order = stamp.compare(known, limits.lineage)
    # Of all that ever came only the greatest counts: what the others ended, it ends as well.
    if order is NEWER:
        return replace(limits, truncated=stamp), APPLIED
    # A copy of the very truncate may carry a better proof, or a later run (rules R4, R14).
    if order is SAME:
        limits = replace(limits, truncated=known.joined(stamp, same=True))
    return limits, NOT_NEWER[order]


def accept_truncate(limits: Limits, event: Event) -> tuple[Limits, Reason]:
    """R11: an operator's word for a held truncate, decided again first. Where the clocks cannot
    tell, it takes the place of the one known."""
    decided = truncated_by(limits, event)
    _, reason = decided
    if not REASONS[reason].acceptable:
        return decided
    return replace(limits, truncated=stamp_of(event)), APPLIED


def truncate(memory: Memory, event: Event, limits: Limits) -> Applied:
    """What a truncate leaves of one memory: an empty slot, or the newer row without what it had
    from before."""
    order = stamp_of(event).compare(memory.stamp, limits.lineage)
    if order is NEWER:
        # No tombstone is left: the truncate itself is remembered, and is one for every key.
        return Applied(
            memory=None,
            written=None,
            reason=APPLIED,
            against=memory.stamp,
        )
    if order is OLDER and memory.live:
        applied = apply(memory, event, limits)
        if memory.declared is None:
            return applied
        return on_declared(
            memory,
            memory.declared,
            event,
            applied,
            limits.lineage,
        )
    return Applied(
        memory=memory,
        written=None,
        reason=NOT_NEWER[order],
        against=memory.stamp,
    )


def forget(limits: Limits, tombstone: Stamp) -> Limits:
    """R3: the limits after this very tombstone is forgotten. The store deletes it, if unchanged, in
    the same step."""
    return replace(limits, floor=tombstone.position.raising(limits.floor))
