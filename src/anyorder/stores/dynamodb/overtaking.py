"""What may be overtaken unread: a change that is certainly newer than what is stored writes over it
in one conditional put. Pure.

The stored side's guard is "a change above this is newer for certain" (rules R9). Everything that is
not certain has no guard and goes the exact way: read, decide, write if unchanged.
"""

from __future__ import annotations

from typing import NamedTuple

from anyorder._core.encoding import encode
from anyorder._core.families import LogPosition, OffsetPosition, Position, ScalarPosition
from anyorder._core.families.postgres_log import READS
from anyorder._core.memory import Memory
from anyorder.errors import PositionTooLarge


class Guard(NamedTuple):
    """`scope`: the encoding of what two positions must share; it is a prefix of `value`. `offset`:
    the joined offset of a log position."""

    scope: bytes
    value: bytes
    offset: int | None = None


def stored_guard(memory: Memory) -> Guard | None:
    """The guard to store with a memory; None: nothing is certain of it."""
    if memory.declared is not None or memory.disputed:
        return None
    position = memory.stamp.position
    if isinstance(position, LogPosition):
        return _log_guard(position, _certain(position))
    return _guard(position)


def incoming_guard(memory: Memory) -> Guard | None:
    """The place of a new whole put or delete against stored guards; None: it must be decided on
    what is read."""
    if memory.cells is not None or memory.disputed or memory.declared is not None:
        return None
    position = memory.stamp.position
    if isinstance(position, LogPosition):
        return None if position.op in READS else _log_guard(position, position.lsn)
    return _guard(position)


def _certain(position: LogPosition) -> int | None:
    """The log position above which a change is newer for certain (rules R9)."""
    if position.op in READS:
        return position.lsn - 1
    if position.op != "c":
        return position.lsn
    return None if position.seq0 is None else max(position.lsn, position.seq0)


def _log_guard(position: LogPosition, value: int | None) -> Guard | None:
    if value is None:
        return None
    scope = encode((position.scope, position.run, position.partition))
    return Guard(scope, scope + encode((value,)), position.offset)


def _guard(position: Position) -> Guard | None:
    """One scope, strictly greater: newer. Positions that a comparison may leave undecided have
    none."""
    if isinstance(position, OffsetPosition):
        scope = encode((position.scope, position.epoch, position.partition))
        return Guard(scope, scope + encode((position.offset,)))
    if not isinstance(position, ScalarPosition) or position.group:
        return None
    scope = encode((position.kind, position.scope, position.lineage))
    try:
        return Guard(scope, scope + encode(position.value))
    except PositionTooLarge:
        return None
