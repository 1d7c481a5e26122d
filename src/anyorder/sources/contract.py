"""What a source must do: deliver in batches, and be told when a batch is durable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from anyorder._core.event import Delivery

LARGEST_BATCH = 16 * 1024 * 1024  # bytes of values after which a batch is given away


class Received(msgspec.Struct, frozen=True, gc=False):
    """One arrival. `mark`: the source's own place for it (a line, a receipt). `note`: why it is no
    record, if it is none."""

    delivery: Delivery
    mark: str = ""
    note: str = ""


class Source(Protocol):
    """Deliveries in, acknowledgements out. `name` tells it from other sources; `place`,
    what a person calls it by.

    A source whose position lies in the store (`acknowledges` false) resumes from the frontier,
    which is the mark of the last delivery of a batch and commits together with it. One that is
    acknowledged elsewhere (a queue) gets `done` after the store and the quarantine are durable, so
    a crash in between only delivers again.
    """

    name: str
    place: str
    acknowledges: bool

    def batches(self, frontier: str | None, size: int) -> Iterator[Sequence[Received]]:
        """Batches of at most `size`; an empty one while there is nothing, so that the loop can look
        up. Ends when the source does."""

    def done(self, batch: Sequence[Received]) -> None:
        """The batch is durable."""

    def close(self) -> None:
        """Release connections; what was not done is delivered again."""


@runtime_checkable
class Passing(Source, Protocol):
    """A source that may give what nobody can read a second time, though nobody acknowledges it."""

    @property
    def is_kept(self) -> bool:
        """Does what was read stay where it is, to be read again from any frontier?"""


@runtime_checkable
class Measured(Source, Protocol):
    """A source that may know how much there is."""

    def share(self) -> float | None:
        """How much of it was given, from 0 to 1; None where nobody knows how much there is."""


@runtime_checkable
class Stoppable(Source, Protocol):
    """A source that may wait for more for as long as nothing comes."""

    def stop(self) -> None:
        """Somebody wants to stop: what comes next is the end. May be called from a signal
        handler."""
