"""Two contents of one position, column by column (rules R12).

The greater of (delete before put, fingerprint) is shown, whatever came first: that is
`Stamp.compare`. What remains to be said is which columns both contents claim. They are marked
disputed, and the second to arrive is held as a conflict; anything newer ends the dispute.
"""

from __future__ import annotations

from anyorder._core.columns import NOTHING, TELLS, Columns, is_disputed, source_of
from anyorder._core.families import Position
from anyorder._core.memory import Dead, Memory, Stamp
from anyorder._core.position import Lineage, Order

Ties = dict[str, Stamp]
"""A column -> the other content, or the end, that claims it."""


def ties(memory: Memory, columns: Columns, stamp: Stamp, lineage: Lineage) -> Ties:
    """The columns that an event, of this stamp, shares with another content of its position, or
    with the end of what was before the row."""
    found: Ties = {}
    end = _end_before(memory)
    for name, column in columns.items():
        held = column.told_by(memory.stamp)
        if held is None and column.said is TELLS:
            held = end
        if held is None or column.said is NOTHING:
            continue
        # its own content is no other one, unless the column is disputed already: then both are
        is_other = column.disputed or not held.has_content_of(stamp)
        if is_other and stamp.position.compare(held.position, lineage) is Order.SAME:
            found[name] = held
    return found


def _end_before(memory: Memory) -> Stamp | None:
    """The event that ended what was before the row, where it is known; a tombstone is an end
    itself."""
    if not memory.live:
        return memory.stamp
    return memory.base.stamp if isinstance(memory.base, Dead) else None


def claimed(row: Memory, found: Ties) -> Stamp | None:
    """The other content of the first column, by name, that the row still shows as disputed."""
    # by name, so that the answer depends on nothing but the columns
    for name in sorted(found):
        if is_disputed(row, name):
            return found[name]
    return None


def is_own_disputed(memory: Memory) -> bool:
    """Is a column disputed that the row's own event told?"""
    return any(source_of(memory, name) is memory.stamp for name in memory.disputed)


def disputed_at(memory: Memory, position: Position) -> Stamp | None:
    """The content at this very position that the row shows in a disputed column."""
    for name in sorted(memory.disputed):
        stamp = source_of(memory, name)
        if stamp is not None and stamp.position.identity() == position.identity():
            return stamp
    return None
