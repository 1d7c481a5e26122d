"""R3: what the floor is made of. One key whose events carry several clocks; every other key only
raises floors.

Checked in every state: the key shows its newest accepted put, or nothing where that was deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition, OffsetPosition, Position, ScalarPosition
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder.errors import NotReapable
from tests.model.search import Explored, explore
from tests.model.store import EMPTY, Store, bits

PUT, DELETE = Kind.PUT, Kind.DELETE
State = tuple[int, int, int, int]  # limits, slot, accepted, held


def kafka(partition: int, offset: int, epoch: int = 0, topic: str = "t") -> OffsetPosition:
    return OffsetPosition(f"kafka:{topic}", partition, offset, epoch)


def log(op: str, lsn: int, offset: int, partition: str = "0") -> LogPosition:
    return LogPosition("pg:main", lsn, op, lsn, lsn, partition, offset)


def version(value: int, lineage: str = "") -> ScalarPosition:
    return ScalarPosition("version", "s", (value,), lineage)


class Stream:
    """`history`: (put or delete, position) in the source's order; `others`: positions of other
    keys' tombstones, reaped at any moment."""

    def __init__(
        self,
        history: Sequence[tuple[Kind, Position]],
        others: Sequence[Position] = (),
        partitions: int | None = None,
    ) -> None:
        self.events = [
            Event(kind, position=position, fields={"x": number} if kind is PUT else None)
            for number, (kind, position) in enumerate(history)
        ]
        self.store = Store(
            [*self.events, *(Event(Kind.DELETE, position=position) for position in others)],
            "x",
            Limits(Floor({}, partitions)),
        )
        self.others = [
            self.store.deliver(EMPTY, (len(history) + number,), 0, 0).slot
            for number in range(len(others))
        ]

    def search(self) -> Explored:
        return explore((self.store.first_limits, EMPTY, 0, 0), self.successors, self.problem)

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        limits, slot, accepted, held = state
        for place, event in enumerate(self.events):
            step = self.store.deliver(slot, (place,), held, limits)
            yield (
                f"{event.kind} {event.position and event.position.text()} {step.reasons[0]}",
                (limits, step.slot, accepted | step.accepted, step.held),
            )
        for other in self.others:
            yield from (
                ("another key is reaped", (after, slot, accepted, held))
                for after in self.reaped(other, limits)
            )
        if self.store.is_tombstone(slot):
            yield from (
                ("reap", (after, EMPTY, accepted, held)) for after in self.reaped(slot, limits)
            )

    def reaped(self, slot: int, limits: int) -> Iterator[int]:
        try:
            yield self.store.reap(slot, limits)
        except NotReapable:
            return

    def problem(self, state: State) -> str:
        _, slot, accepted, _ = state
        newest = max(bits(accepted), default=None)
        meant = None if newest is None else self.events[newest].fields
        return (
            ""
            if self.store.view(slot) == meant
            else f"shows {self.store.view(slot)}, the newest accepted says {meant}"
        )
