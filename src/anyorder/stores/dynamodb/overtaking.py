"""What may be overtaken unread: a change that is certainly newer than what is stored writes over it
in one conditional put. Pure.

The stored side's guard is "a change above this is newer for certain" (rules R9). Everything that is
not certain has no guard and goes the exact way: read, decide, write if unchanged.
"""

from __future__ import annotations

from anyorder._core.memory import Memory
from anyorder._core.position import Guard


def stored_guard(memory: Memory) -> Guard | None:
    """The guard to store with a memory; None: nothing is certain of it."""
    # A word of an operator and two contents of one position are judged by more than a position.
    if memory.declared is not None or memory.disputed:
        return None
    return memory.stamp.position.guard(incoming=False)


def incoming_guard(memory: Memory) -> Guard | None:
    """The place of a new whole put or delete against stored guards; None: it must be decided on
    what is read."""
    # A row of several events inherits from what is there, so it must be seen.
    if memory.cells is not None or memory.disputed or memory.declared is not None:
        return None
    return memory.stamp.position.guard(incoming=True)
