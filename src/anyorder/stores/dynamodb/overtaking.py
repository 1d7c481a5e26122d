"""What may be overtaken unread: a change that is certainly newer than what is stored writes over it
in one conditional put. Pure.

The threshold of a stored position is "a change above this is newer for certain" (rules R9). What is
not certain has none and goes the exact way: read, decide, write if unchanged.
"""

from __future__ import annotations

from anyorder._core.memory import Memory
from anyorder._core.position import Threshold


def stored_threshold(memory: Memory) -> Threshold | None:
    """The threshold to store with a memory; None: nothing is certain of it."""
    # A word of an operator and two contents of one position are judged by more than a position.
    if memory.declared is not None or memory.disputed:
        return None
    # Nor is the life that a word let begin: a version above its own may be of the one before.
    if memory.bound is not None:
        return None
    return memory.stamp.position.threshold(incoming=False)


def incoming_threshold(memory: Memory) -> Threshold | None:
    """The place of a new whole put or delete against stored thresholds; None: it must be decided on
    what is read."""
    # A row of several events inherits from what is there, so it must be seen.
    if memory.cells is not None or memory.disputed or memory.declared is not None:
        return None
    return memory.stamp.position.threshold(incoming=True)
