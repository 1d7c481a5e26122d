"""A quarantine entry as a person sees it, and the question which ones."""

from __future__ import annotations

import msgspec

from anyorder._core.event import Delivery, entity_of
from anyorder._core.outcome import reason_named
from anyorder.guard.contents import Content


class Entry(msgspec.Struct, frozen=True):
    """One quarantine entry as a person sees it. Times are seconds since 1970; `state` is open,
    settled, accepted or dropped, since `closed` (0 while it is open, and of an entry of before).

    A list needs neither `delivery` nor `contents`, which only a dispute has, nor `provenance`,
    which is "" of an entry that was held before there was one.
    """

    id: int
    table: str
    key: object
    reason: str
    detail: str
    state: str
    first_seen: float
    last_seen: float
    count: int
    identity: str
    delivery: Delivery | None = None
    provenance: str = ""
    closed: float = 0.0
    contents: tuple[Content, ...] = ()

    def __post_init__(self) -> None:
        """The reason by its name of today, however long ago the entry was written."""
        msgspec.structs.force_setattr(self, "reason", reason_named(self.reason))


class EntryQuery(msgspec.Struct, frozen=True):
    """Which quarantine entries: empty text means any. `reason` as in the reason reference."""

    state: str = "open"
    table: str = ""
    entity: str = ""
    reason: str = ""

    def selects(self, entry: Entry) -> bool:
        """Is the entry one of them?"""
        return self.asks_for(entry.state, entry.table, entity_of(entry.key), entry.reason)

    def asks_for(self, state: str, table: str, entity: str, reason: str) -> bool:
        """The same, of an entry that a store keeps as texts."""
        asked = (self.state, self.table, self.entity, self.reason)
        there = (state, table, entity, reason_named(reason))
        return all(part in ("", found) for part, found in zip(asked, there, strict=True))
