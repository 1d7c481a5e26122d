"""What is in the items of a batch's keys, as this batch last saw it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from anyorder._core.event import canonical, key_of
from anyorder.guard.contract import Lost, Refused, TableSpec, Write
from anyorder.stores.dynamodb.execute import Done
from anyorder.stores.dynamodb.items import DoesNotFit, Item, item_key, row_of, text_of
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.tables import entity_of
from anyorder.stores.dynamodb.writes import Slot, is_wide

EMPTY = Slot()


class Slots:
    """The slots of one batch. `dry`: what was seen, or would have been written, stays as it is."""

    def __init__(self, parts: Parts, *, dry: bool) -> None:
        self._parts = parts
        self._dry = dry
        self._seen: dict[tuple[str, str], Slot] = {}
        self._told: set[tuple[str, str]] = set()
        self._asked: set[tuple[str, str]] = set()
        self._moved: set[tuple[str, str]] = set()
        self._written: set[tuple[str, str]] = set()

    def of(self, table: str, entity: str) -> Slot:
        """What was last seen of a key; an empty slot where nothing was."""
        return self._seen.get((table, entity), EMPTY)

    def look(self, spec: TableSpec, entities: Sequence[str], unread: set[str]) -> None:
        """See the slots of keys about to be decided. `unread`: those that may be written without;
        what a write was just told is not read again."""
        names = {entity: (spec.name, entity) for entity in entities}
        unknown = {entity: name for entity, name in names.items() if name not in self._told}
        skipped = {
            name for entity, name in unknown.items() if entity in unread and name not in self._asked
        }
        self._seen |= dict.fromkeys(skipped, Slot(unread=True))
        self.read(spec, [entity for entity, name in unknown.items() if name not in skipped])
        self._asked |= set(names.values())
        self._told -= set(names.values())

    def read(self, spec: TableSpec, entities: Iterable[str]) -> None:
        """Look into the slots of these keys."""
        if self._dry:
            entities = [entity for entity in entities if (spec.name, entity) not in self._seen]
        shape = self._parts.tables.shape(spec)
        keys: dict[str, Item] = {}
        for entity in entities:
            self._seen[spec.name, entity] = EMPTY
            try:
                keys[entity] = (
                    {} if shape is None else item_key(shape.schema, entity, key_of(entity))
                )
            except DoesNotFit:
                continue  # it was never stored; the write will say why
        if shape is None:
            return
        for found in self._parts.requests.get_many([(shape.name, key) for key in keys.values()]):
            self.see(spec.name, entity_of(shape.schema, found["item"]), found["item"])

    def see(self, table: str, entity: str, item: Item) -> None:
        """An item that was read."""
        self._seen[table, entity] = Slot(text_of(item), item)

    def suppose(self, table: str, entity: str, text: str | None) -> None:
        """What a dry run would have written."""
        self._seen[table, entity] = Slot(text)

    def for_write(self, spec: TableSpec, write: Write) -> Slot:
        """What the write is conditional on; a sweep's rows are read for the columns that go, and
        wide ones because they are put whole."""
        slot = self.of(spec.name, write.entity)
        sweeps = write.written is not None and bool(write.written.spared)
        if (sweeps or is_wide(write)) and slot.item is None and slot.text is not None:
            self.read(spec, [write.entity])
            again = self.of(spec.name, write.entity)
            return again if again.text == slot.text else slot
        return slot

    def note(self, spec: TableSpec, done: Done) -> None:
        """What is in the slot now: what we wrote, or what somebody else did; the key is decided on
        it next, if the server said it."""
        name = (spec.name, done.made.write.entity)
        if isinstance(done.answer, Lost):
            self._seen[name] = Slot(text_of(done.item), done.item)
            self._told |= {name} if done.item is not None else set()
        elif not isinstance(done.answer, Refused):
            self._seen[name] = Slot(done.made.text, done.made.item)
            self._moved.add(name)
            self._written.add(name)

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        """The row of a key, None if there is none."""
        entity = canonical(key)
        slot, shape = self.of(spec.name, entity), self._parts.tables.shape(spec)
        if slot.item is not None or shape is None or (slot.text is None and not slot.unread):
            return row_of(slot.item)
        try:
            found = self._parts.requests.get_many(
                [(shape.name, item_key(shape.schema, entity, key))]
            )
        except DoesNotFit:
            return None  # it was never stored
        return row_of(found[0]["item"]) if found else None

    def seen(self, table: str) -> Iterator[tuple[str, str]]:
        """The keys that are not empty, and the texts of their memories."""
        return (
            (entity, slot.text)
            for (name, entity), slot in tuple(self._seen.items())
            if name == table and slot.text is not None
        )

    @property
    def stale(self) -> tuple[int, int]:
        """How many keys were asked for and came to no write, of how many."""
        return len(self._asked - self._written), len(self._asked)

    def take_moved(self, table: str) -> set[str]:
        """The keys that we moved since this was last asked."""
        return taken(self._moved, table)

    def changed(self, spec: TableSpec, entities: set[str]) -> set[str]:
        """Those of these keys that somebody else moved since we saw them."""
        before = {entity: self.of(spec.name, entity).text for entity in entities}
        self.read(spec, entities)
        return {
            entity for entity, text in before.items() if self.of(spec.name, entity).text != text
        }


def taken(names: set[tuple[str, str]], table: str) -> set[str]:
    """The keys of one table among these (table, entity), which are taken out."""
    found = {name for name in names if name[0] == table}
    names -= found
    return {entity for _, entity in found}
