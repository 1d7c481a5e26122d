"""R13: a clock that should only grow starts again. Suspicion is loud, never months of silent
`stale`.

Per scope, up to 64 checkpoints (position, latest own time seen up to then): the highest, and of
those before it one each margin of time and each that silence of a margin followed. An event is
suspect when a checkpoint is above its position although its own time is later by more than the
margin. Keeping only the highest misses resets whose first events come in disorder.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from anyorder._core.event import Event

CHECKPOINTS = 64
SOURCE_MARGIN = 60_000_000  # microseconds, for source commit times and LogAppendTime (rules R13)
PRODUCER_MARGIN = 900_000_000  # microseconds, for CreateTime: producers' clocks differ


class Growth(msgspec.Struct, frozen=True):
    """What is known of one growing clock: its checkpoints, ascending, the highest position, and
    whether it is suspected."""

    checkpoints: tuple[tuple[int, int], ...] = ()
    highest: int = -1
    latest: int = -1
    suspected: bool = False


def observe(growth: Growth, position: int, time: int, margin: int) -> Growth:
    """The growth after one event. Once suspected it stays so, until a person declares an epoch or
    dismisses it."""
    if growth.suspected:
        return growth
    checkpoints, latest = growth.checkpoints, max(growth.latest, time)
    if position <= growth.highest:
        if any(position < p and time > t + margin for p, t in checkpoints):
            return msgspec.structs.replace(growth, suspected=True)
        return growth if latest == growth.latest else msgspec.structs.replace(growth, latest=latest)
    if len(checkpoints) > 1 and latest - checkpoints[-2][1] < margin:
        checkpoints = checkpoints[:-1]  # the highest so far is neither due nor followed by silence
    return Growth((*checkpoints, (position, latest))[-CHECKPOINTS:], position, latest)


def suspect(growths: Mapping[str, Growth], event: Event) -> tuple[str, Growth] | None:
    """(scope, growth after the event), or None where nothing is judged: reads, changes without a
    bound, events without a time."""
    if (
        event.position is None
        or event.time is None
        or (growing := event.position.growing()) is None
    ):
        return None
    scope, value = growing
    margin = (
        PRODUCER_MARGIN
        if event.delivery.timestamp_type == "CreateTime" and scope.startswith("kafka:")
        else SOURCE_MARGIN
    )
    return scope, observe(growths.get(scope, Growth()), value, event.time, margin)
