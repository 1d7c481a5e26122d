"""What becomes of one event: rules.md, "decide(), whole". Pure; the order of the tests below is the
order of the rules.

What the decoder already knows (malformed, incomplete, not a change) comes first, then hints, then
an operator's word (a declared row), then the fold. Truncates and resets concern more than one key:
see `truncate` here and reset.py.
"""

from __future__ import annotations

from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition
from anyorder._core.floor import Floor
from anyorder._core.fold import Applied, Limits, apply, compare, joined, replace, stamp_of
from anyorder._core.memory import HOLE, Base, Born, Dead, Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import Above, Order

BY_DECODER = {
    Kind.CONTROL: Reason.NOT_A_CHANGE,
    Kind.INCOMPLETE: Reason.INCOMPLETE,
    Kind.MALFORMED: Reason.MALFORMED,
}
_ACCEPTABLE = frozenset({Reason.LATE, Reason.CONFLICT, Reason.UNKNOWN_SCOPE, Reason.WAITING})


def decide(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """One event against the memory of its key, read in the step that will write."""
    kind = event.kind
    if kind is not Kind.PUT and kind is not Kind.DELETE:
        return (
            _hint(memory, event, limits) if kind is Kind.HINT else Applied(memory, BY_DECODER[kind])
        )
    if (
        memory is not None
        and limits.truncated is not None
        and compare(limits.truncated, memory.stamp, limits.lineage) is Order.NEWER
    ):
        # when the table was truncated, it was not yet known that this came before (rules R14)
        memory = None
    applied = apply(memory, event, limits)
    if memory is not None and memory.declared is not None and applied.reason is Reason.APPLIED:
        return _on_declared(memory, memory.declared, applied, event, limits)
    return applied


def _hint(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """R6: a null record without a source block changes nothing. It waits until the delete that it
    follows is known to be done."""
    hint = event.position
    assert isinstance(hint, LogPosition)
    if memory is not None:
        stored = memory.stamp.position
        seen = (
            isinstance(stored, LogPosition)
            and stored.partition == hint.partition != ""
            and stored.offset >= hint.offset
        )
        done = not memory.live or seen
        return Applied(memory, Reason.NOT_A_CHANGE if done else Reason.WAITING, memory.stamp)
    forgotten = limits.floor.entries.get("offset:" + hint.partition)
    done = isinstance(forgotten, int) and forgotten >= hint.offset - 1
    return Applied(None, Reason.NOT_A_CHANGE if done else Reason.WAITING, limits.floor)


def _on_declared(
    memory: Memory, birth: Floor, applied: Applied, event: Event, limits: Limits
) -> Applied:
    """R11: a row put there by an operator's word is no memory for what lies at or below its birth;
    above it, all is ordinary."""
    stamp = stamp_of(event)
    if stamp.position.above(birth, limits.lineage) is Above.YES:
        return applied
    if stamp.rank:
        return Applied(memory, Reason.LATE, birth)
    return (
        applied
        if applied.memory is not None and applied.memory.live
        else Applied(None, Reason.ABSORBED, birth)
    )


def accept(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """R11: an operator's word for a held put or delete. It is decided again first; only if it is
    still held, the word counts.

    A late put fills or replaces what it would have, had nothing been forgotten; where the clocks
    cannot tell, the event takes the slot. The row then carries the floor as its birth (`declared`),
    so another put at or below it is late again.
    """
    decided = decide(memory, event, limits)
    if decided.reason not in _ACCEPTABLE or event.kind not in (Kind.PUT, Kind.DELETE):
        return decided
    known = (
        replace(memory, base=None, declared=None)
        if memory is not None and decided.reason is Reason.LATE
        else None
    )
    row = apply(known, event, Limits(lineage=limits.lineage)).memory
    assert row is not None
    if row.live:
        birth = (
            memory.declared if memory is not None and memory.declared is not None else limits.floor
        )
        row = replace(row, declared=birth, base=_born(row, birth, limits))
    return Applied(row, Reason.APPLIED, limits.floor)


def _born(row: Memory, birth: Floor, limits: Limits) -> Base | None:
    """What may not fill the holes of a declared row: everything up to its birth, unless more is
    known to be dead."""
    if HOLE not in (row.cells or {}).values():
        return None
    known = (
        isinstance(row.base, Dead)
        and row.base.stamp.position.above(birth, limits.lineage) is Above.YES
    )
    return row.base if known else Born(birth)


def truncated_by(limits: Limits, event: Event) -> tuple[Limits, Reason]:
    """R10: a truncate is a tombstone of every key at its position, kept for ever. The limits
    afterwards, and the reason."""
    stamp = stamp_of(event)
    if limits.truncated is not None:
        order = compare(stamp, limits.truncated, limits.lineage)
        if order is Order.SAME:
            limits = replace(limits, truncated=joined(limits.truncated, stamp, same=True))
        if order is not Order.NEWER:
            known = {
                Order.SAME: Reason.DUPLICATE,
                Order.OLDER: Reason.STALE,
                Order.WAITING: Reason.WAITING,
            }
            return limits, known.get(order, Reason.CONFLICT)
    return replace(limits, truncated=stamp), Reason.APPLIED


def accept_truncate(limits: Limits, event: Event) -> tuple[Limits, Reason]:
    """R11: an operator's word for a held truncate, decided again first. Where the clocks cannot
    tell, it takes the place of the one known."""
    decided = truncated_by(limits, event)
    return (
        (replace(limits, truncated=stamp_of(event)), Reason.APPLIED)
        if decided[1] in _ACCEPTABLE
        else decided
    )


def truncate(memory: Memory, event: Event, limits: Limits) -> Memory | None:
    """What a truncate leaves of one memory: None, or the newer row without what it had from
    before."""
    order = compare(stamp_of(event), memory.stamp, limits.lineage)
    if order is Order.NEWER:
        return None
    return apply(memory, event, limits).memory if order is Order.OLDER and memory.live else memory


def forget(limits: Limits, tombstone: Stamp) -> Limits:
    """R3: the limits after this very tombstone is forgotten. The store deletes it, if unchanged, in
    the same step."""
    return replace(limits, floor=tombstone.position.raising(limits.floor))
