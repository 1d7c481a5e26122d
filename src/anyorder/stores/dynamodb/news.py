"""Other writers' news: what they did while a batch was being decided, that makes it decide some
keys again.

Two writers can miss each other: one moves a key while the other puts an event of it into the
quarantine. So whoever holds looks at the key again afterwards, and whoever moved a key looks at the
counter of opened entries afterwards: one of them sees the other. In the same way whoever holds
looks again at the known runs and the greatest truncate, which may have ended what it waits for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from anyorder._core.decide import truncate
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.memory import Stamp, unpack
from anyorder._core.position import Lineage
from anyorder.guard.contract import TableSpec, Write
from anyorder.stores.dynamodb.books import Meta
from anyorder.stores.dynamodb.items import key_of
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.slots import Slots, taken


class View(NamedTuple):
    """What a table was decided on, besides its keys: entries ever opened, known runs, the greatest
    truncate."""

    opened: int
    lineage: Lineage
    truncated: Stamp | None


class News:
    """Of one batch."""

    def __init__(self, parts: Parts, slots: Slots) -> None:
        self._parts = parts
        self._slots = slots
        self._views: dict[str, View] = {}
        self._holding: set[tuple[str, str]] = set()
        self._unsettled: set[tuple[str, str]] = set()

    def opened(self, meta: Meta, lineage: Lineage) -> None:
        """A table that the batch begins with; what it was decided on first is what counts."""
        self._views.setdefault(meta.name, View(meta.opened, lineage, meta.truncated))

    def held(self, names: Iterable[tuple[str, str]]) -> None:
        """Keys of which we put something into the quarantine."""
        self._holding |= set(names)

    def unsettled(self, names: Iterable[tuple[str, str]]) -> None:
        """Keys of which the quarantine held something when they were decided."""
        self._unsettled |= set(names)

    def has_held(self, table: str) -> bool:
        """Did we put anything of this table into the quarantine?"""
        return any(name == table for name, _ in self._holding)

    def again(self, spec: TableSpec) -> set[str]:
        """The keys of a table to decide again. What was held and moved so far counts as seen from
        now on."""
        found, holding = taken(self._unsettled, spec.name), taken(self._holding, spec.name)
        moved = self._slots.take_moved(spec.name)
        found |= self._slots.changed(spec, holding)
        meta, lineage = self._parts.books.load(spec.name) if moved or holding else (None, {})
        if meta is None:
            return found
        before, now = self._views[spec.name], View(meta.opened, lineage, meta.truncated)
        self._views[spec.name] = now
        if now.opened != before.opened and meta.open:
            found |= moved & {one.entity for one in self._parts.open_entries.of(meta)}
        return found | (holding if now[1:] != before[1:] else set())

    def reconsidered(self) -> None:
        """All that was unsettled has been decided again."""
        self._unsettled.clear()

    def truncated(self, spec: TableSpec) -> list[Write]:
        """What the greatest truncate leaves of the rows that this batch saw, where they were
        written past it.

        A plain create that was decided before the table's first truncate may land after its sweep:
        then the writer sweeps it, or whoever gets the event again.
        """
        view = self._views[spec.name]
        if view.truncated is None:
            return []
        event, limits, writes = (
            Event(Kind.TRUNCATE, spec.name, None, view.truncated.position),
            Limits(lineage=view.lineage),
            [],
        )
        for entity, text in self._slots.seen(spec.name):
            memory = unpack(text)
            after = truncate(memory, event, limits)
            if memory.live and after is not memory:
                writes.append(Write(entity, key_of(entity), memory, after))
        return writes
