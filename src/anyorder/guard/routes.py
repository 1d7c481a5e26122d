"""Where an event goes: to a target table, nowhere because it is ignored, or nowhere yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from anyorder._core.event import Event, Kind
from anyorder.guard.contract import TableSpec

FOLLOWERS = frozenset((Kind.HINT, Kind.CONTROL, Kind.MALFORMED))
"""They need not tell their table: they claim no target, and go where their topic's changes go."""


NAMELESS = "records without a topic"
"""The source table of records that tell neither a table nor a topic."""


class Ignored(msgspec.Struct, frozen=True):
    """The pipeline ignores it: its deliveries are `not_a_change`."""


class Unrouted(msgspec.Struct, frozen=True):
    """No table takes it. `detail`: whose the target is, where a section matches."""

    detail: str = ""


Route = TableSpec | Ignored | Unrouted
Origin = tuple[str, str, str]
"""Where an event is from: its topic, the source's own name for the table, and the source table."""
Declared = Callable[[str, str, str], Route]
"""What a pipeline says of an origin: topic, the source's own name for a table, source table."""


def claims(event: Event) -> bool:
    """May it claim a target for its source table?"""
    # A truncate may: it names its table as a row's change does.
    return event.kind not in FOLLOWERS


def first_keys(events: Iterable[Event]) -> dict[Origin, tuple[str, ...]]:
    """Where events are from that may claim a target, in the order in which they came; with the
    columns of the first key that one of them tells."""
    found: dict[Origin, tuple[str, ...]] = {}
    for event in filter(claims, events):
        origin = origin_of(event)
        # A truncate has no key.
        found[origin] = found.get(origin) or tuple(event.key or ())
    return found


def origin_of(event: Event) -> Origin:
    """Where it is from."""
    topic, table = event.delivery.topic, event.table
    # Where a record does not tell its source table, the topic is the best name that there is.
    # One that tells nothing is of a source table, too: it must not lose its target to another.
    source = event.source or topic or table or NAMELESS
    return topic, table, source
