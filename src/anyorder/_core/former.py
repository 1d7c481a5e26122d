"""How an event goes in memories of before, whose fingerprints were made otherwise (content.py).

An event that one of them knows is that very event, however often it comes again; else each would
end as a conflict with itself. A copy that spells its numbers otherwise is another content there, as
it was before.
"""

from __future__ import annotations

from anyorder._core.event import Event
from anyorder._core.memory import Memory, Stamp, replace
from anyorder._core.position import SAME, Lineage


def known_as(memory: Memory, event: Event, stamp: Stamp, lineage: Lineage) -> Stamp:
    """The stamp of a put or delete, with the fingerprint by which this memory knows it."""
    known = memory.stamps
    if memory.ended is not None:
        known.append(memory.ended)
    for stored in known:
        # First what is cheap: nearly always it is the same content, or another position's.
        is_put = stored.is_put and stamp.is_put
        is_other = is_put and stored.fingerprint != stamp.fingerprint
        if not is_other:
            continue
        if stamp.position.compare(stored.position, lineage) is not SAME:
            continue
        if stored.fingerprint == event.former_fingerprint:
            return replace(stamp, fingerprint=stored.fingerprint)
    return stamp
