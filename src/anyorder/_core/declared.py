"""A row that an operator's word put there, although its key may have been deleted and forgotten
(rules R11).

Such a row is *declared*: it carries the floor under which it was put there, its birth. At or below
that it is somebody's word and no memory; above it all is ordinary. putN and delN are at position N:

    tempting                               | it fails on
    ---------------------------------------+---------------------------------------------------
    it is a row like any other             | del4, reap, accept put1, put3: put3 is applied
    a delete below its birth is stored     | ... put1 accepted, del2 stored, put3 is applied
    what such a delete clears is dead up   | ... put1 accepted, put5.x, del2: put3 is applied, and
    to that delete                         | y shows it
    the birth stays with the row           | put5 tells all of it, and put5 of a later life is late
"""

from __future__ import annotations

from anyorder._core.columns import is_holed
from anyorder._core.event import PUT, Event
from anyorder._core.floor import Floor
from anyorder._core.fold import APPLIED, Applied, stamp_of
from anyorder._core.memory import Base, Born, Memory, Stamp, replace
from anyorder._core.outcome import Reason
from anyorder._core.position import YES, Lineage


def on_declared(
    memory: Memory,
    birth: Floor,
    event: Event,
    applied: Applied,
    lineage: Lineage,
) -> Applied:
    """What becomes of an event on a row of this birth; `applied`: what would on an ordinary one."""
    after = applied.memory
    # Nothing moves, so whose word it is makes no difference: the common case.
    if after is memory:
        return applied
    if is_above(stamp_of(event), birth, lineage):
        return replace(applied, memory=still_declared(after, birth, lineage))

    is_put = event.kind is PUT
    if is_put and applied.reason is Reason.CONFLICT:
        # It is held for another content of its position, and tells the row nothing either.
        return replace(applied, memory=memory, written=None)
    if is_put and applied.reason is APPLIED:
        # Newer than the row, but whether it is dead itself only a person can tell, as before.
        return Applied(
            memory=memory,
            written=None,
            reason=Reason.LATE,
            against=birth,
        )
    if after is None or not after.live:
        # Stored as a tombstone it would let in what is late: put1 accepted, del2 stored, put3
        # applied.
        return Applied(
            memory=None,
            written=None,
            reason=Reason.ABSORBED,
            against=birth,
        )
    # An older delete may only clear columns, and leaves a row.
    return replace(applied, memory=declared(after, birth, lineage))


def declared(row: Memory, birth: Floor, lineage: Lineage) -> Memory:
    """The row with this birth: everything up to it may be dead, unless more is known to be."""
    row = replace(row, base=_born(row, birth, lineage))
    # It may be newer than all that was forgotten; then nothing of it is somebody's word.
    return _with_birth(row, birth, lineage)


def still_declared(row: Memory | None, birth: Floor, lineage: Lineage) -> Memory | None:
    """A memory that came of a declared row; without its birth where nothing of it is from then."""
    # An end of the row is an ordinary one.
    if row is None or not row.live:
        return row
    return _with_birth(row, birth, lineage)


def is_above(stamp: Stamp, birth: Floor, lineage: Lineage) -> bool:
    """Is it newer, for certain, than all that was forgotten when the row was put there?"""
    return stamp.position.above(birth, lineage) is YES


def _with_birth(row: Memory, birth: Floor, lineage: Lineage) -> Memory:
    # The birth goes when no column has a stamp at or below it: nothing is left of the word.
    if all(is_above(stamp, birth, lineage) for stamp in row.stamps):
        return replace(row, declared=None)
    return replace(row, declared=birth)


def _born(row: Memory, birth: Floor, lineage: Lineage) -> Base | None:
    # Nothing can fill a row that has no hole, so it needs no past.
    if not is_holed(row):
        return None
    ended = row.ended
    if ended is not None and is_above(ended, birth, lineage):
        return row.base
    return Born(birth)
