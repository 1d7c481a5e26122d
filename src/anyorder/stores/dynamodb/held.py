"""What our own DynamoDB table holds of the quarantine, as it is read: by number, by key, by
identity, and the events in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from anyorder._core.batch import Held
from anyorder._core.event import Event
from anyorder.errors import StoreError
from anyorder.guard.contract import Decode, Entry, EntryQuery, Holding, Listing
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.contents import ContentItems
from anyorder.stores.dynamodb.entries import (
    LISTED,
    Large,
    content_lookup_of,
    content_of,
    entry_of,
    is_asked_for,
    lookup_of,
    lookups_of,
    place_of,
    provenance_of,
    shown,
)
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.open_entries import Open


class HeldItems:
    """The entries of all tables of one store, as they are there."""

    def __init__(self, books: Books, contents: ContentItems, decode: Decode | None) -> None:
        self._books = books
        self._contents = contents
        self._decode = decode

    def events(self, found: Sequence[Open]) -> dict[str, tuple[Held, ...]]:
        """The events of open entries by entity; a delivery that cannot be decoded has none."""
        if self._decode is None or not found:
            return {}
        items = self._books.get([("quarantine", place_of(one.entry)) for one in found])
        held: dict[str, tuple[Held, ...]] = {}
        for one in found:
            item = items.get(("quarantine", place_of(one.entry)))
            if item is not None:
                there = held.get(one.entity, ())
                held[one.entity] = (*there, *self._held(one.entry, item))
        return {entity: there for entity, there in held.items() if there}

    def _held(self, number: int, item: Item) -> Iterator[Held]:
        """What an entry holds that came by a delivery, and can be decoded."""
        assert self._decode is not None
        event = self.event_of(item)
        if event is not None and event.key is not None:
            yield Held(number, event, provenance_of(item))
        for content in self._contents.of(item):
            if content.delivery is not None:
                event = self._decode(content.provenance, content.delivery)
                if event.key is not None:
                    yield Held(number, event, content.provenance, content.number)

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Entries, oldest first."""
        # Of one key there are few, and the whole quarantine may be large.
        if query.table and query.entity:
            found = self._of_key(query.table, query.entity)
        else:
            found = self._books.query("quarantine", attributes=LISTED)
        for item in found:
            if is_asked_for(query, item):
                yield entry_of(item)

    def _of_key(self, table: str, entity: str) -> Iterable[Item]:
        """The entries that the look-ups of a key tell of, and maybe others."""
        numbers: set[int] = set()
        for lookup in self._books.query(f"held#{table}", begins=lookups_of(entity)):
            numbers |= {entry_number(lookup), *earlier_of(lookup)}
        names = [("quarantine", place_of(number)) for number in sorted(numbers)]
        found = self._books.get(names, LISTED)
        return [found[name] for name in names if name in found]

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        """Those of these entries that are open."""
        places = {place_of(number): number for number in numbers}
        found = self._books.get(
            [("quarantine", place) for place in places], ("part", "place", "state")
        )
        return {places[place] for (_, place), item in found.items() if item["state"]["S"] == "open"}

    def entry(self, number: int) -> Entry | None:
        """One entry with its delivery."""
        item = self.item(number)
        return None if item is None else self._whole(item)

    def entries_among(self, numbers: Sequence[int]) -> list[Entry]:
        """Those of these entries that are there, with their deliveries."""
        names = [("quarantine", place_of(number)) for number in numbers]
        found = self._books.get(list(dict.fromkeys(names)))
        return [self._whole(found[name]) for name in names if name in found]

    def _whole(self, item: Item) -> Entry:
        content, entry = self._content(item), entry_of(item)
        detail, begins = entry.detail, shown(content.detail)
        # What is said of it since may be something else.
        if content.detail and detail.startswith(begins):
            detail = content.detail + detail.removeprefix(begins)
        return msgspec.structs.replace(
            entry,
            detail=detail,
            delivery=content.delivery,
            contents=tuple(self._contents.of(item)),
        )

    def event(self, number: int) -> Event | None:
        """The event of an entry, if there is a decoder."""
        item = self.item(number)
        return None if item is None else self.event_of(item)

    def event_of(self, item: Item) -> Event | None:
        """The event of an entry's item."""
        if self._decode is None:
            return None
        return self._decode(provenance_of(item), self._content(item).delivery)

    def size(self) -> int:
        """Bytes ever held."""
        item = self._books.get([("counter", "quarantine")]).get(("counter", "quarantine"))
        return 0 if item is None else int(item["bytes"]["N"])

    def known(self, holding: Holding, but: int = 0) -> Listing | None:
        """What the latest entry says, `but` one, that lists this delivery, and is open or closed by
        a word."""
        table, entity = f"held#{holding.table}", holding.entity
        names = [(table, lookup_of(entity, holding.identity))] if not holding.contents else []
        # What has no position, or no key, is listed by no other entry than its own.
        if holding.content:
            names.append((table, lookup_of(entity, holding.content)))
            names.append((table, content_lookup_of(entity, holding.content)))
        found = self._books.get(list(dict.fromkeys(names)))
        # Where the row disputes it, a word for it alone says nothing.
        states = ("open",) if holding.claims else ("open", "accepted", "dropped")
        for lookup in sorted(found.values(), key=entry_number, reverse=True):
            number = entry_number(lookup)
            item = self.checked(number)
            if number != but and item["state"]["S"] in states:
                return _kept(item, lookup)
        return None

    def alone(self, holding: Holding) -> int:
        """The open entry that holds alone what its dispute lists from now on; 0 for none."""
        if not holding.contents or not holding.content:
            return 0
        lookup = (f"held#{holding.table}", lookup_of(holding.entity, holding.content))
        found = self._books.get([lookup]).get(lookup)
        if found is None:
            return 0
        number = entry_number(found)
        is_open = self.checked(number)["state"]["S"] == "open"
        return number if is_open else 0

    def checked(self, number: int) -> Item:
        """The item of an entry that must be there. Raises StoreError."""
        item = self.item(number)
        if item is None:
            raise StoreError(
                f"entry {number} of the quarantine has been removed from table {self._books.table}"
            )
        return item

    def item(self, number: int) -> Item | None:
        """The item of an entry."""
        key = ("quarantine", place_of(number))
        return self._books.get([key]).get(key)

    def _content(self, item: Item) -> Large:
        if "content" in item:
            return content_of(bytes(item["content"]["B"]))
        chunks = self._books.query(f"bytes#{int(item['place']['S'])}")
        return content_of(b"".join(bytes(chunk["bytes"]["B"]) for chunk in chunks))


def entry_number(lookup: Item) -> int:
    """The entry that a look-up tells."""
    return int(lookup["entry"]["N"])


def earlier_of(lookup: Item) -> tuple[int, ...]:
    """The entries before the one that a look-up tells."""
    if "earlier" not in lookup:
        return ()
    return tuple(sorted(int(number) for number in lookup["earlier"]["NS"]))


def _kept(item: Item, lookup: Item) -> Listing:
    """What an entry says of a delivery that it lists."""
    number, state = int(item["place"]["S"]), item["state"]["S"]
    chosen = state == "accepted"
    if "number" in lookup and "chosen" in item:
        chosen = {"N": lookup["number"]["N"]} in item["chosen"]["L"]
    return Listing(number, False, state, chosen)
