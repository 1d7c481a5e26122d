"""An open entry as it is read and routed today: where it stands, and what it would be held as."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from anyorder._core.batch import Judged, identity_of
from anyorder._core.coherence import coherent
from anyorder._core.event import Delivery, Event, Kind, entity_of
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Entry, Holding, TableSpec
from anyorder.guard.holdings import dispute_at, holding
from anyorder.guard.own_sql import is_by_own_sql
from anyorder.guard.routes import Route
from anyorder.guard.values import AGAIN
from anyorder.runtime.loose import changes, of_no_table

Key = tuple[str, str]


class Reading(NamedTuple):
    """A held delivery as it is read today. `provenance`: by which envelope. `is_ours`: does it come
    from the source of who reads it, so that his sections say where it goes?"""

    event: Event
    provenance: str
    is_ours: bool = False


ReadAnew = Callable[[str, Delivery], Reading]
"""Reads a held delivery by what is declared today. Before it: the provenance that its entry
keeps."""


class Again(NamedTuple):
    """An open entry, its delivery as it is read now, and where that goes; None: nobody knows its
    table any more. `others`: what else came into the entry, since it is that of a dispute."""

    entry: Entry
    reading: Reading
    route: Route | None
    others: tuple[Event, ...] = ()

    @property
    def event(self) -> Event:
        return self.reading.event

    @property
    def events(self) -> list[Event]:
        """All that came into the entry; its own delivery's is the first."""
        return [self.event, *self.others]

    @property
    def is_own(self) -> bool:
        """Did the caller's own code hold it?"""
        return is_by_own_sql(self.entry.provenance)

    @property
    def is_read_anew(self) -> bool:
        """Is it read by another envelope than before?"""
        return self.reading.provenance != self.entry.provenance

    @property
    def spec(self) -> TableSpec | None:
        """The table that takes it, None for none."""
        if isinstance(self.route, TableSpec) and changes(self.event):
            return self.route
        return None

    @property
    def key(self) -> Key:
        """Table and entity that it was held under, "" for none."""
        return self.entry.table, entity_of(self.entry.key)

    @property
    def stays(self) -> bool:
        """Is it the entry still that it would be held as, if it came today?"""
        # What nobody knows the table of is nobody's to decide.
        if self.route is None:
            return True
        if self.spec is None:
            return self._is_of(self.loose)
        is_there = self.key == (self.spec.name, entity_of(self.event.key))
        was_routed = self.entry.reason != Reason.UNROUTED
        # The same reading is of the same event, whatever an older anyorder called it.
        is_same_event = not self.is_read_anew or self._is_called_so
        return is_there and was_routed and is_same_event

    @property
    def _is_called_so(self) -> bool:
        """Is the entry called as one of the event, as it is read now?"""
        event = coherent(self.event)
        names = [identity_of(event)]
        if event.position is not None:
            names.append(dispute_at(event.position))
        # A later entry of one position is counted.
        identity, _, _ = self.entry.identity.partition(AGAIN)
        return identity in names

    @property
    def judged(self) -> Judged:
        """What becomes of it where no table takes it; its reason may be one that holds nothing."""
        assert self.route is not None
        return of_no_table(self.event, self.route)

    @property
    def loose(self) -> Holding:
        """What no table takes, as it would be held."""
        entity = entity_of(self.event.key)
        return holding("", entity, self.judged, self.reading.provenance)

    def _is_of(self, one: Holding) -> bool:
        """Is a holding this very entry's?"""
        told = (one.table, one.entity, one.identity)
        return told == (*self.key, self.entry.identity) and one.reason.quarantined

    @property
    def settles(self) -> Key | None:
        """What is decided again if it stays: the key that it is held under, "" of a truncate; None
        where a decision could not be another."""
        if self.spec is None:
            return None
        # Of broken bytes without a key there is nothing to compare.
        is_decidable = self.event.key is not None or self.event.kind is Kind.TRUNCATE
        if not is_decidable:
            return None
        return self.key

    @property
    def told(self) -> tuple[Reason, str]:
        """Reason and detail of an entry that stays, as they are today."""
        reason, detail = Reason(self.entry.reason), self.entry.detail
        # What a table took was compared: why it is held does not lie in its bytes.
        if self.route is not None and self.spec is None:
            return self.loose.reason, self.loose.detail
        if self.event.kind is Kind.MALFORMED:
            return Reason.MALFORMED, self.event.note
        return reason, detail
