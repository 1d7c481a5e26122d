"""Other writers' news: what they did while a batch was being decided, that makes it decide some
keys again.

Two writers can miss each other: one moves a key while the other puts an event of it into the
quarantine. So whoever holds looks at the key again afterwards, and whoever moved a key looks at the
counter of opened entries afterwards: one of them sees the other. In the same way whoever holds
looks again at the known runs and the greatest truncate, which may have ended what it waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from anyorder._core.event import key_of
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, Stamp, unpack
from anyorder._core.position import Lineage
from anyorder.guard.contract import News, TableSpec
from anyorder.stores.dynamodb.books import Meta
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.slots import Slots, taken


class View(NamedTuple):
    """What a table was decided on, besides its keys: entries ever opened, known runs, the greatest
    truncate."""

    opened: int
    lineage: Lineage
    truncated: Stamp | None


class BatchNews:
    """Of one batch. `news` answers the guard, which decides; the other methods say what it is
    answered by."""

    def __init__(self, parts: Parts, slots: Slots) -> None:
        self._parts = parts
        self._slots = slots
        self._views: dict[str, View] = {}
        self._holding: set[tuple[str, str]] = set()
        self._unsettled: set[tuple[str, str]] = set()
        self._answered: dict[str, set[str]] = {}

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

    def news(self, spec: TableSpec) -> News:
        """The keys of a table to decide again, or else the rows that its greatest truncate may have
        to sweep. What was held and moved so far counts as seen from now on."""
        if spec.name not in self._views:
            return News()
        again = self._again(spec)
        self._answered[spec.name] = again
        if again:
            return News(tuple(sorted(again)))
        view = self._views[spec.name]
        return News((), tuple(self._seen(spec)), Limits(Floor(), view.truncated, view.lineage))

    def _again(self, spec: TableSpec) -> set[str]:
        holding = taken(self._holding, spec.name)
        # Whoever decides a key again remembers it, and by that calls it unsettled once more. It was
        # decided on what is known now, so it is no news: else the guard would ask for ever.
        found = taken(self._unsettled, spec.name) - self._answered.get(spec.name, set())
        moved = self._slots.take_moved(spec.name)
        found |= self._slots.changed(spec, holding)
        if not moved and not holding:
            return found
        meta, lineage = self._parts.books.load(spec.name)
        if meta is None:
            return found
        before, now = self._views[spec.name], View(meta.opened, lineage, meta.truncated)
        self._views[spec.name] = now
        if now.opened != before.opened and meta.open:
            found |= moved & {one.entity for one in self._parts.open_entries.of(meta)}
        if (now.lineage, now.truncated) != (before.lineage, before.truncated):
            found |= holding
        return found

    def _seen(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        """The rows that this batch saw, of a table that was ever truncated.

        A plain create that was decided before the table's first truncate may land after its sweep:
        then the writer sweeps it, or whoever gets the event again.
        """
        if self._views[spec.name].truncated is None:
            return
        for entity, text in self._slots.seen(spec.name):
            memory = unpack(text)
            if memory.live:
                yield entity, key_of(entity), memory
