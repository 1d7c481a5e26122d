"""What lay in a slot before its row, so that nothing dead fills the row's holes (rules R8).

A hole is *unchanged since whatever was before*, so an event that is older than the row may still
fill it, unless a delete lies between them. The base of a row remembers up to where that is so:
`Dead`, for certain; `Born`, perhaps, because tombstones up to that floor were forgotten.
"""

from __future__ import annotations

from anyorder._core.event import Event, Kind
from anyorder._core.floor import Floor
from anyorder._core.memory import Base, Born, Dead, NotDecided, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import Above, Lineage, Order


def of_empty_slot(floor: Floor, truncated: Stamp | None, lineage: Lineage) -> Base | None:
    """What may lie dead in an empty slot; None where nothing was ever forgotten of the table."""
    # a truncate is exact, so where it is the later of the two it says more than the floor (R10)
    if truncated is not None and truncated.position.above(floor, lineage) is Above.YES:
        return Dead(truncated)
    return Born(floor) if floor else None


def refusal(
    base: Base | None, event: Event, stamp: Stamp, lineage: Lineage, *, tells: bool
) -> Reason | None:
    """May an event older than the row change it? The reason why not. `tells`: there is a column
    that it would tell.

    Raises NotDecided where the clocks do not tell on which side of a certain death it lies.
    """
    # a delete adds to the past and takes nothing from it
    if base is None or event.kind is not Kind.PUT:
        return None
    if not tells and not event.creates:
        return None
    if isinstance(base, Dead):
        is_dead = stamp.decided(base.stamp, lineage) is Order.OLDER
        return Reason.STALE if is_dead else None
    if stamp.position.above(base.floor, lineage) is Above.YES:
        return None
    # it may be dead or not: a person decides, if there is anything to win (`put1 del2 put3.x`:
    # del2, reap, put1 late, put3.x, and put1 again would fill y from the dead row)
    return Reason.LATE if tells else Reason.STALE


def dead_up_to(base: Base | None, stamp: Stamp, lineage: Lineage) -> Base:
    """The past after learning that everything up to this event is dead: the later of the two.

    Raises NotDecided where the clocks do not tell which that is.
    """
    if base is None:
        return Dead(stamp)
    if isinstance(base, Dead):
        order = stamp.decided(base.stamp, lineage)
        if order is Order.NEWER:
            return Dead(stamp)
        return Dead(base.stamp.joined(stamp, same=order is Order.SAME))
    above = stamp.position.above(base.floor, lineage)
    if above is Above.UNKNOWN:
        raise NotDecided(Order.WAITING, stamp)
    return Dead(stamp) if above is Above.YES else base


def met_again(base: Base | None, stamp: Stamp) -> Base | None:
    """The past after the row's own event came again: a put that creates is the end of what was
    before it, so the base carries the same stamp and is joined with it (rules R5)."""
    if not isinstance(base, Dead) or not base.stamp.has_content_of(stamp):
        return base
    if base.stamp.position.identity() != stamp.position.identity():
        return base
    return Dead(base.stamp.joined(stamp, same=True))
