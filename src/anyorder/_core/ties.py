"""Two contents of one position, column by column (rules R12).

The greater of (delete before put, fingerprint) is shown, whatever came first: that is
`Stamp.compare`. What remains to be said is which columns both contents claim. They are marked
disputed, and the second to arrive is held as a conflict; anything newer ends the dispute.

Where an operator's word chose one content of the position (its stamp is marked, rules R11), the
other is held as well, but claims nothing any more. Until something newer comes he is not overruled:

    tempting                               | it fails on (A and B are contents of position 1)
    ---------------------------------------+---------------------------------------------------
    a word closes its entry, no more       | put1A, put1B, accept A, put1B again: B is shown
    ... marks the row's stamp only         | put1A, put1B.x, accept B.x, put1C: y is C's
    ... marks rows, no tombstones          | put1A, del1, accept del1, put1A again: A is alive
    the others are older than the chosen   | put1C comes after the word: stale, and nobody is told
    the others are held, whole             | put1C.y comes after a word for x: y is lost
"""

from __future__ import annotations

from typing import NamedTuple

from anyorder._core.columns import NOTHING, TELLS, Column, Columns, is_disputed, source_of_part
from anyorder._core.families import Position
from anyorder._core.memory import Dead, Memory, Stamp
from anyorder._core.past import of_slot
from anyorder._core.position import SAME, Lineage

Ties = dict[str, Stamp]
"""A column -> the other content, or the end, that claims it."""


class Met(NamedTuple):
    """What an event meets at its own position. `ties`: the columns that it shares with another
    content, or with the end of what was before the row. `chosen`: those for which an operator's
    word chose a content, perhaps its own."""

    ties: Ties
    chosen: Ties

    def other_than(self, stamp: Stamp) -> Stamp | None:
        """A content that was chosen instead of the event of this stamp."""
        # The first by name: the answer depends on the columns, not on the order of a set.
        for name in sorted(self.chosen):
            if not self.chosen[name].has_content_of(stamp):
                return self.chosen[name]
        return None


NOBODY = Met({}, {})


def meet(memory: Memory, columns: Columns, stamp: Stamp, lineage: Lineage) -> Met:
    """What an event, of this stamp, meets at its own position."""
    met = Met({}, {})
    end = _end_before(memory)
    for name, column in columns.items():
        stored = _met_in(column, memory.stamp, end)
        if stored is None:
            continue
        # The same event again is no other content; but in a column that is disputed already, it is
        # one of two.
        is_alone = not column.disputed and not stored.is_marked
        if is_alone and stored.has_content_of(stamp):
            continue
        order = stamp.position.compare(
            stored.position,
            lineage,
        )
        if order is SAME:
            found = met.chosen if stored.is_marked else met.ties
            found[name] = stored
    return met


def _met_in(column: Column, row: Stamp, end: Stamp | None) -> Stamp | None:
    """What the event meets in a column: who told it, or who ended it."""
    if column.said is NOTHING:
        return None
    stored = column.told_by(row)
    if stored is None and column.said is TELLS:
        # A put of the very position of a delete: what it would fill, that one ended.
        return end
    return stored


def _end_before(memory: Memory) -> Stamp | None:
    """The event that ended what was before the row, where it is known."""
    before = of_slot(memory)
    if isinstance(before, Dead):
        return before.stamp
    return None


def claimed(row: Memory, found: Ties) -> Stamp | None:
    """The other content of a column that the row shows as disputed."""
    # The first by name, for the same reason.
    for name in sorted(found):
        if is_disputed(row, name):
            return found[name]
    return None


def is_own_disputed(memory: Memory) -> bool:
    """Is a column disputed that the row's own event told?"""
    return memory.stamp in _tellers(memory)


def disputed_at(memory: Memory, position: Position) -> Stamp | None:
    """The content at this very position that the row shows in a disputed column."""
    identity = position.identity()
    for stamp in _tellers(memory):
        if stamp.position.identity() == identity:
            return stamp
    return None


def _tellers(memory: Memory) -> list[Stamp]:
    """Who told the disputed columns: the first by name first, for the same reason."""
    told = (source_of_part(memory, name) for name in sorted(memory.disputed))
    return [stamp for stamp in told if stamp is not None]
