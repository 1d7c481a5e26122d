"""R13: a clock that should only grow starts again. Suspicion is loud, never months of silent
`stale`.

Per scope, up to 64 checkpoints (position, latest own time seen up to then): the highest, and of
those before it one each margin of time and each that silence of a margin followed. An event is
suspect when a checkpoint is above its position although its own time is later by more than the
margin. Keeping only the highest misses resets whose first events come in disorder.

A snapshot is as of its position and has its time there, so it can contradict too, and later
snapshots may contradict it. No change may: its transaction may have been open at the snapshot, and
then it is placed below it and stamped long after.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import inf

import msgspec

from anyorder._core.event import Event
from anyorder._core.floor import Value
from anyorder._core.position import Growing

CHECKPOINTS = 64
SOURCE_MARGIN = 60_000_000  # microseconds, for source commit times and LogAppendTime (rules R13)
PRODUCER_MARGIN = 900_000_000  # microseconds, for all other times


class Growth(msgspec.Struct, frozen=True):
    """What is known of one growing clock: its checkpoints, ascending, the highest position,
    whether it is suspected, and its snapshots. A position is one number, or several with the most
    significant first."""

    checkpoints: tuple[tuple[Value, int], ...] = ()
    highest: Value = -1
    latest: int = -1
    suspected: bool = False
    snapshots: tuple[tuple[Value, int], ...] = ()


NEVER_SEEN = Growth()


def observe(growth: Growth, position: Value, time: int, margin: int) -> Growth:
    """The growth after one event, whose own time is in microseconds. Once suspected it stays so,
    until a person dismisses it."""
    if growth.suspected:
        return growth
    if _is_higher(position, growth.highest):
        latest = max(growth.latest, time)
        checkpoints = (*_kept(growth, latest, margin), (position, latest))
        kept = checkpoints[-CHECKPOINTS:]
        return msgspec.structs.replace(growth, checkpoints=kept, highest=position, latest=latest)
    if _is_contradicted(growth.checkpoints, position, time - margin):
        return msgspec.structs.replace(growth, suspected=True)
    if time <= growth.latest:
        return growth
    return msgspec.structs.replace(growth, latest=time)


def _is_higher(position: Value, highest: Value) -> bool:
    """Has the clock come further than ever?"""
    # Nearly all clocks are one number.
    if isinstance(position, int) and isinstance(highest, int):
        return position > highest
    return _numbers(position) > _numbers(highest)


def observe_snapshot(growth: Growth, position: Value, time: int, margin: int) -> Growth:
    """The growth after a row of a snapshot: as of `position`, taken at `time`."""
    # Nearly every row is of a snapshot that is known by then.
    if growth.suspected or (position, time) in growth.snapshots:
        return growth
    by_changes = _is_contradicted(growth.checkpoints, position, time - margin)
    by_snapshots = _is_below_another(growth.snapshots, position, time - margin)
    if by_changes or by_snapshots:
        return msgspec.structs.replace(growth, suspected=True)
    snapshots = sorted((*growth.snapshots, (position, time)), key=_by_position)
    return msgspec.structs.replace(growth, snapshots=tuple(snapshots[-CHECKPOINTS:]))


def _by_position(snapshot: tuple[Value, int]) -> tuple[int, ...]:
    position, _ = snapshot
    return _numbers(position)


def _numbers(position: Value) -> tuple[int, ...]:
    """A position as numbers that compare. Of a clock that nobody has seen it is below all."""
    if isinstance(position, int):
        return (position,)
    return position


def _kept(growth: Growth, latest: int, margin: int) -> tuple[tuple[Value, int], ...]:
    """The checkpoints that stay when the clock grows."""
    checkpoints = growth.checkpoints
    if len(checkpoints) < 2:
        return checkpoints
    _, before = checkpoints[-2]
    # The highest so far stays only if a margin of time lies between the one before it and now: then
    # it was due, or silence followed it. Kept each time, 64 checkpoints would span no time at all.
    if latest - before < margin:
        return checkpoints[:-1]
    return checkpoints


def _is_contradicted(
    checkpoints: Sequence[tuple[Value, int]],
    position: Value,
    time: int,
) -> bool:
    """Was the clock above this position before this time? Then it has started again."""
    # Nothing was seen before that time: so it is of nearly all that comes out of order.
    if not checkpoints or checkpoints[0][1] >= time:
        return False
    # Only the highest checkpoint would miss a new life whose first event came out of order. Their
    # positions and their times ascend, so of those above it the first was seen earliest. A clock is
    # one number for ever, or several: its positions compare as they are.
    above = bisect_right(checkpoints, (position, inf))
    return above < len(checkpoints) and checkpoints[above][1] < time


def _is_below_another(
    snapshots: Sequence[tuple[Value, int]],
    position: Value,
    time: int,
) -> bool:
    """The same, asked of snapshots, whose times need not ascend with their positions."""
    fallen = [seen for high, seen in snapshots if _numbers(position) < _numbers(high)]
    return any(seen < time for seen in fallen)


def watched(event: Event) -> Growing | None:
    """How far an event says that its clock has come; None where nothing is judged: incremental
    reads, changes without a bound, events without a time."""
    if event.position is None or event.time is None:
        return None
    return event.position.growing()


def suspect(growths: Mapping[str, Growth], event: Event, growing: Growing) -> Growth:
    """The growth of a clock after an event that is watched."""
    assert event.time is not None
    margin = _margin(event, growing)
    growth = growths.get(growing.scope, NEVER_SEEN)
    if growing.is_read:
        return observe_snapshot(growth, growing.value, event.time, margin)
    return observe(growth, growing.value, event.time, margin)


def _margin(event: Event, growing: Growing) -> int:
    """By how much the times of a healthy clock may contradict its positions."""
    # A source stamps all its commits by one clock; producers each have their own.
    if not growing.is_stamped_in_order:
        return PRODUCER_MARGIN
    if growing.scope.startswith("kafka:") and event.delivery.timestamp_type == "CreateTime":
        return PRODUCER_MARGIN
    return SOURCE_MARGIN
