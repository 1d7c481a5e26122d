"""What lay in a slot before its row, so that nothing dead fills the row's holes (rules R8).

A hole is *unchanged since whatever was before*, so an event that is older than the row may still
fill it, unless a delete lies between them. The base of a row remembers up to where that is so:
`Dead`, for certain; `Born`, perhaps, because tombstones up to that floor were forgotten.
"""

from __future__ import annotations

from anyorder._core.event import PUT, Event
from anyorder._core.families import Position
from anyorder._core.families.life import beginning
from anyorder._core.floor import Floor
from anyorder._core.memory import Base, Born, Dead, Memory, NotDecided, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import NEWER, NO, OLDER, SAME, WAITING, YES, Lineage


def of_empty_slot(floor: Floor, truncated: Stamp | None, lineage: Lineage) -> Base | None:
    """What may lie dead in an empty slot; None where nothing was ever forgotten of the table."""
    # A truncate is exact (rules R10), so where it is the later of the two it says more.
    if truncated is not None and truncated.position.above(floor, lineage) is YES:
        return Dead(truncated)
    if floor:
        return Born(floor)
    return None


def of_slot(memory: Memory) -> Base | None:
    """What lay there before a put that takes this slot."""
    if memory.live:
        return memory.base
    # A tombstone: it and all before it are dead.
    return Dead(memory.stamp)


def before_life(position: Position, memory: Memory | None) -> Memory | None:
    """What is remembered of the key when a life of it begins: a tombstone at its beginning, where
    the events tell that, and what was there is of an earlier life. Else the memory as it is."""
    stored = None if memory is None else memory.stamp.position
    begun = beginning(position, stored)
    # Hardly any event says when its life began.
    if begun is None:
        return memory
    return Memory(Stamp(begun, 0, ""))


def of_put(event: Event, own: Stamp, base: Base | None) -> Base | None:
    """What lies behind a put that takes a slot of this past."""
    if event.creates:
        # It acts as a delete just before itself, whenever it arrives: a key change onto a key whose
        # own delete was lost would else inherit a dead row's values.
        return Dead(own)
    return base


def refusal(
    base: Base | None,
    event: Event,
    stamp: Stamp,
    lineage: Lineage,
    *,
    tells: bool,
) -> Reason | None:
    """May an event older than the row change it? The reason why not.

    `tells`: there is a column that it would tell. Raises NotDecided where the clocks do not tell on
    which side of a certain death it lies.
    """
    changes = tells or event.creates
    # A delete is never refused: it takes no hole, it only says more of what is dead.
    if base is None or event.kind is not PUT or not changes:
        return None
    if isinstance(base, Dead):
        if stamp.decided(base.stamp, lineage) is OLDER:
            return Reason.STALE
        return None
    if stamp.position.above(base.floor, lineage) is YES:
        return None
    # It may be dead or not: only a person can tell, and is asked where there is something to win.
    # Filled without asking, del2, reap, put3.x, put1 shows y of a dead row.
    if tells:
        return Reason.LATE
    return Reason.STALE


def dead_up_to(base: Base | None, stamp: Stamp, lineage: Lineage) -> Base:
    """The past after learning that everything up to this event is dead: the later of the two.

    Raises NotDecided where the clocks do not tell which that is.
    """
    if base is None:
        return Dead(stamp)
    if isinstance(base, Dead):
        order = stamp.decided(base.stamp, lineage)
        if order is NEWER:
            return Dead(stamp)
        # It met what is not newer, as a row does (rules R5).
        return Dead(base.stamp.joined(stamp, same=order is SAME))
    above = stamp.position.above(base.floor, lineage)
    if above is YES:
        return Dead(stamp)
    if above is NO:
        return base
    # Neither covers the other, and a base is only one of them.
    raise NotDecided(WAITING, stamp)


def met_again(base: Base | None, stamp: Stamp) -> Base | None:
    """The past after the row's own event came again.

    A put that creates is itself the end of what was before, so its stamp stands twice in the
    memory; both are joined (rules R5).
    """
    if not isinstance(base, Dead) or not base.stamp.has_content_of(stamp):
        return base
    if base.stamp.position.identity() != stamp.position.identity():
        return base
    return Dead(base.stamp.joined(stamp, same=True))
