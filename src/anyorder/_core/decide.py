"""What becomes of one event: rules.md, "decide(), whole". Pure; the order of the tests below is the
order of the rules.

What the decoder already knows (malformed, incomplete, not a change) comes first, then hints, then
an operator's word (a declared row), then the fold. Truncates and resets concern more than one key:
see `truncate` here and reset.py.
"""

from __future__ import annotations

from anyorder._core import lives
from anyorder._core.columns import is_holed
from anyorder._core.event import DELETE, HINT, PUT, Event, Kind
from anyorder._core.floor import Floor
from anyorder._core.fold import APPLIED, NOT_DECIDED, Applied, Limits, apply, stamp_of
from anyorder._core.memory import Base, Born, Dead, Memory, Stamp, replace
from anyorder._core.outcome import REASONS, Reason
from anyorder._core.position import NEWER, OLDER, SAME, Above

BY_DECODER = {
    Kind.CONTROL: Reason.NOT_A_CHANGE,
    Kind.INCOMPLETE: Reason.INCOMPLETE,
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
    if memory is not None and _is_truncated(memory, limits):
        # Its slot is empty, though nobody has emptied it yet.
        memory = None
    applied = _compared(memory, event, limits)
    if memory is None or memory.declared is None:
        return applied
    if applied.reason is not APPLIED:
        # Nothing of the row moves, so whose word it is makes no difference.
        return applied
    return _on_declared(memory, memory.declared, applied, event, limits)


def _compared(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """The event against the memory, unless its version and its time contradict each other."""
    if memory is None:
        return apply(None, event, limits)
    judged = lives.judge(memory, event)
    if judged is None:
        judged = apply(memory, event, limits)
    return lives.bounded(memory, judged)


def _is_truncated(memory: Memory, limits: Limits) -> bool:
    """Is the memory from before the table's truncate?"""
    if limits.truncated is None:
        return False
    # A truncate takes what is older, so such a memory is gone. But when it came, the clocks may not
    # have told yet which of the two was first (rules R14); then it was left.
    order = limits.truncated.compare(memory.stamp, limits.lineage)
    return order is NEWER


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


def _on_declared(
    memory: Memory,
    birth: Floor,
    applied: Applied,
    event: Event,
    limits: Limits,
) -> Applied:
    """R11: a row put there by an operator's word is no memory for what lies at or below its birth;
    above it, all is ordinary."""
    stamp = stamp_of(event)
    if stamp.position.above(birth, limits.lineage) is Above.YES:
        return applied
    if event.kind is PUT:
        # Newer than the row, but whether it is dead itself only a person can tell, as before.
        return Applied(
            memory=memory,
            written=None,
            reason=Reason.LATE,
            against=birth,
        )
    # An older delete may only clear columns, and leaves a row.
    if applied.memory is not None and applied.memory.live:
        return applied
    # Stored as a tombstone it would let in what is late: put1 accepted, del2 stored, put3 applied.
    return Applied(
        memory=None,
        written=None,
        reason=Reason.ABSORBED,
        against=birth,
    )


def accept(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """R11: an operator's word for a held put or delete. It is decided again first; only if it is
    still held, the word counts.

    A late put fills or replaces what it would have, had nothing been forgotten; where the clocks
    cannot tell, the event takes the slot. The row then carries the floor as its birth (`declared`),
    so another put at or below it is late again.
    """
    decided = decide(memory, event, limits)
    # What is decided by now needs no word, and broken bytes have no row to write.
    if not REASONS[decided.reason].acceptable or event.kind not in (PUT, DELETE):
        return decided
    # A key whose versions seem to start again: the word says which life is the later one.
    if memory is not None and decided.reason is Reason.SUSPECTED_RESET:
        return lives.accept(memory, event, limits)

    known, birth = None, limits.floor
    if memory is not None and memory.declared is not None:
        # A row keeps the birth that its first word gave it.
        birth = memory.declared
    if memory is not None and decided.reason is Reason.LATE:
        # It is held because of what may be forgotten, and for that the operator gives his word.
        known = replace(memory, base=None, declared=None)
    row, written, _, _ = apply(known, event, Limits(lineage=limits.lineage))
    assert row is not None
    if row.live:
        row = replace(row, declared=birth, base=_born(row, birth, limits))
    return Applied(
        memory=row,
        written=written,
        reason=APPLIED,
        against=limits.floor,
    )


def _born(row: Memory, birth: Floor, limits: Limits) -> Base | None:
    """The past of a declared row: everything up to its birth may be dead, unless more is known to
    be."""
    # Nothing can fill a row that has no hole, so it needs no past.
    if not is_holed(row):
        return None
    base = row.base
    if isinstance(base, Dead) and base.stamp.position.above(birth, limits.lineage) is Above.YES:
        return base
    return Born(birth)


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
        return apply(memory, event, limits)
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
