"""How the parts of a row are called in a memory: a column by its own name, all that nobody mentions
by a name that no column has there."""

from __future__ import annotations

from anyorder._core.event import Event

REST = "*"
"""The rest of the columns. Memories of before spell it so, so it stays."""
NAMED_AS_THE_REST = "\x00*"
"""The column that the user calls as the rest is spelled."""
PARTS = {REST: NAMED_AS_THE_REST}
COLUMNS = {NAMED_AS_THE_REST: REST}
"""The one column of the user's that is called otherwise in a memory, and back."""
NO_NAMES = frozenset({"", NAMED_AS_THE_REST})
"""What no column is called: an event that names one is malformed, in every store."""


def part_of(column: str) -> str:
    """What stands for a column of the user's in a memory."""
    return PARTS.get(column, column)


def column_of(part: str) -> str:
    """The user's name of a part that is not the rest."""
    return COLUMNS.get(part, part)


def in_words(part: str, rest: str) -> str:
    """A part's name in a sentence; these words for the rest."""
    if part == REST:
        return rest
    return column_of(part)


def is_nameable(event: Event) -> bool:
    """Can the columns of a put be told apart, as the user calls them?"""
    fields, holes = event.fields, event.holes
    # Two look-ups, since every event is asked; and hardly any has holes.
    if fields and ("" in fields or NAMED_AS_THE_REST in fields):
        return False
    return not holes or NO_NAMES.isdisjoint(holes)
