"""What becomes of one event: rules.md, "decide(), whole". Pure; the order of the tests below is the
order of the rules.

What the decoder already knows (malformed, incomplete, not a change) comes first, then hints, then
an operator's word (a declared row), then the fold. Truncates and resets concern more than one key:
see `truncate` here and reset.py.
"""

from __future__ import annotations

from anyorder._core.columns import is_holed
from anyorder._core.event import Event, Kind
from anyorder._core.floor import Floor
from anyorder._core.fold import NOT_DECIDED, Applied, Limits, apply, stamp_of
from anyorder._core.memory import Base, Born, Dead, Memory, Stamp, replace
from anyorder._core.outcome import REASONS, Reason
from anyorder._core.position import Above, Order

BY_DECODER = {
    Kind.CONTROL: Reason.NOT_A_CHANGE,
    Kind.INCOMPLETE: Reason.INCOMPLETE,
    Kind.MALFORMED: Reason.MALFORMED,
}
KNOWN_TRUNCATE = NOT_DECIDED | {Order.SAME: Reason.DUPLICATE, Order.OLDER: Reason.STALE}


def decide(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """One event against the memory of its key, read in the step that will write."""
    kind = event.kind
    if kind is not Kind.PUT and kind is not Kind.DELETE:
        if kind is Kind.HINT:
            return _hint(memory, event, limits)
        return Applied(memory, None, BY_DECODER[kind])
    if memory is not None and _is_truncated(memory, limits):
        memory = None
    applied = apply(memory, event, limits)
    if memory is None or memory.declared is None or applied.reason is not Reason.APPLIED:
        return applied
    return _on_declared(memory, memory.declared, applied, event, limits)


def _is_truncated(memory: Memory, limits: Limits) -> bool:
    """Is the memory from before the table's truncate? When that came, it may not have been known
    yet which of the two was first (rules R14), so it was left."""
    truncated = limits.truncated
    if truncated is None:
        return False
    return truncated.compare(memory.stamp, limits.lineage) is Order.NEWER


def _hint(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """R6: a null record without a source block changes nothing. It waits until the delete that it
    follows is known to be done."""
    hint = event.position
    assert hint is not None
    if memory is None:
        done = hint.forgotten_in(limits.floor)
        return Applied(None, None, _hinted(done=done), limits.floor)
    done = not memory.live or hint.seen_by(memory.stamp.position)
    return Applied(memory, None, _hinted(done=done), memory.stamp)


def _hinted(*, done: bool) -> Reason:
    return Reason.NOT_A_CHANGE if done else Reason.WAITING


def _on_declared(
    memory: Memory, birth: Floor, applied: Applied, event: Event, limits: Limits
) -> Applied:
    """R11: a row put there by an operator's word is no memory for what lies at or below its birth;
    above it, all is ordinary."""
    stamp = stamp_of(event)
    if stamp.position.above(birth, limits.lineage) is Above.YES:
        return applied
    if event.kind is Kind.PUT:
        return Applied(memory, None, Reason.LATE, birth)
    if applied.memory is not None and applied.memory.live:
        return applied
    # a delete that leaves nothing: stored as a tombstone, it would let in what is late
    return Applied(None, None, Reason.ABSORBED, birth)


def accept(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """R11: an operator's word for a held put or delete. It is decided again first; only if it is
    still held, the word counts.

    A late put fills or replaces what it would have, had nothing been forgotten; where the clocks
    cannot tell, the event takes the slot. The row then carries the floor as its birth (`declared`),
    so another put at or below it is late again.
    """
    decided = decide(memory, event, limits)
    if not REASONS[decided.reason].acceptable or event.kind not in (Kind.PUT, Kind.DELETE):
        return decided
    known = None
    if memory is not None and decided.reason is Reason.LATE:
        known = replace(memory, base=None, declared=None)
    row, written, _, _ = apply(known, event, Limits(lineage=limits.lineage))
    assert row is not None
    if row.live:
        birth = limits.floor
        if memory is not None and memory.declared is not None:
            birth = memory.declared
        row = replace(row, declared=birth, base=_born(row, birth, limits))
    return Applied(row, written, Reason.APPLIED, limits.floor)


def _born(row: Memory, birth: Floor, limits: Limits) -> Base | None:
    """What may not fill the holes of a declared row: everything up to its birth, unless more is
    known to be dead."""
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
    order = Order.NEWER if known is None else stamp.compare(known, limits.lineage)
    if known is None or order is Order.NEWER:
        return replace(limits, truncated=stamp), Reason.APPLIED
    if order is Order.SAME:
        limits = replace(limits, truncated=known.joined(stamp, same=True))
    return limits, KNOWN_TRUNCATE[order]


def accept_truncate(limits: Limits, event: Event) -> tuple[Limits, Reason]:
    """R11: an operator's word for a held truncate, decided again first. Where the clocks cannot
    tell, it takes the place of the one known."""
    decided = truncated_by(limits, event)
    if not REASONS[decided[1]].acceptable:
        return decided
    return replace(limits, truncated=stamp_of(event)), Reason.APPLIED


def truncate(memory: Memory, event: Event, limits: Limits) -> Applied:
    """What a truncate leaves of one memory: an empty slot, or the newer row without what it had
    from before."""
    order = stamp_of(event).compare(memory.stamp, limits.lineage)
    if order is Order.NEWER:
        return Applied(None, None, Reason.APPLIED, memory.stamp)
    if order is Order.OLDER and memory.live:
        return apply(memory, event, limits)
    return Applied(memory, None, KNOWN_TRUNCATE[order], memory.stamp)


def forget(limits: Limits, tombstone: Stamp) -> Limits:
    """R3: the limits after this very tombstone is forgotten. The store deletes it, if unchanged, in
    the same step."""
    return replace(limits, floor=tombstone.position.raising(limits.floor))
