"""The quarantine in our own DynamoDB table: deliveries with their exact bytes, found by number, by
identity, and while open by table.

Items of one entry: the entry itself (`quarantine` / number), a look-up by identity (`held#TABLE`),
while it is open a line in `open#TABLE`, delivery and detail in chunks where they are larger than an
item, and what it lists (contents.py). What belongs together changes in one transaction, together
with the counters `opened` and `open` of the table, by which every writer notices at no cost that
something is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from anyorder._core.batch import Held, identity_of
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, StoreError
from anyorder.guard.contract import (
    Content,
    Decode,
    Entry,
    EntryQuery,
    Holding,
    Listing,
    Word,
)
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.contents import ContentItems
from anyorder.stores.dynamodb.entries import (
    LISTED,
    Large,
    closed_detail,
    content_bytes,
    content_lookup_of,
    content_of,
    entry_of,
    is_asked_for,
    item_of,
    lookup_of,
    lookups_of,
    place_of,
    provenance_of,
    shown,
)
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.open_entries import Open, OpenEntries, table_of
from anyorder.stores.dynamodb.requests import raise_for
from anyorder.stores.dynamodb.steps import changing, putting, transact

CHUNK = 300_000  # bytes of a delivery in one item
CONFLICTS = 50  # times an entry is looked up again because another writer changed it


class Last(NamedTuple):
    """The latest entry of a position, which a word has closed, and those `earlier`."""

    number: int
    identity: str
    earlier: tuple[int, ...]


class QuarantineItems:
    """The entries of all tables of one store."""

    def __init__(self, books: Books, open_entries: OpenEntries, decode: Decode | None) -> None:
        self._books = books
        self._open = open_entries
        self._contents = ContentItems(books)
        self._decode = decode

    # ---- reading

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
        event = self._event(item)
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
            numbers |= {_entry_number(lookup), *_earlier(lookup)}
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
        item = self._item(number)
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
        item = self._item(number)
        return None if item is None else self._event(item)

    def _event(self, item: Item) -> Event | None:
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
        for lookup in sorted(found.values(), key=_entry_number, reverse=True):
            number = _entry_number(lookup)
            item = self._checked(number)
            if number != but and item["state"]["S"] in states:
                return _kept(item, lookup)
        return None

    def _alone(self, holding: Holding) -> int:
        """The open entry that holds alone what its dispute lists from now on; 0 for none."""
        if not holding.contents or not holding.content:
            return 0
        lookup = (f"held#{holding.table}", lookup_of(holding.entity, holding.content))
        found = self._books.get([lookup]).get(lookup)
        if found is None:
            return 0
        number = _entry_number(found)
        is_open = self._checked(number)["state"]["S"] == "open"
        return number if is_open else 0

    # ---- writing

    def hold_all(self, holdings: Sequence[Holding], now: float) -> list[Listing]:
        """Keep deliveries, several at once; those of one key in their order."""
        same: dict[tuple[str, str], list[int]] = {}
        for place, holding in enumerate(holdings):
            # What has no key has nothing in common.
            name = holding.entity or holding.identity
            same.setdefault((holding.table, name), []).append(place)

        def keep(places: list[int]) -> list[tuple[int, Listing]]:
            return [(place, self.hold(holdings[place], now)) for place in places]

        found: dict[int, Listing] = {}
        for kept in self._books.requests.each(keep, list(same.values())):
            found.update(kept)
        return [found[place] for place in range(len(holdings))]

    def hold(self, holding: Holding, now: float) -> Listing:
        """Keep a delivery, unless an entry lists it already. A settled one that is held again is
        open again."""
        # ends: each turn means that another writer opened, settled, listed or removed something of
        # this very entry between our look and our write
        for _ in range(CONFLICTS):
            kept = self._held_once(holding, now)
            if kept is not None:
                return kept
        raise StoreError(
            f"the quarantine entry {holding.identity} of table {holding.table} keeps changing "
            "under us"
        )

    def _held_once(self, holding: Holding, now: float) -> Listing | None:
        """None if another writer was quicker."""
        lookup = (f"held#{holding.table}", lookup_of(holding.entity, holding.identity))
        found = self._books.get([lookup]).get(lookup)
        item = None if found is None else self._checked(_entry_number(found))
        if item is not None and holding.contents and not self._adopted(item):
            return None
        alone = self._alone(holding)
        known = self.known(holding, alone)
        if known is not None:
            self._count_again(place_of(known.entry), now)
            if known.state == "open" and not self._listed(known.entry, holding):
                return None
            self._settle_alone(alone, now)
            return known
        is_own = item is None or item["state"]["S"] in ("accepted", "dropped")
        if is_own:
            number = self._add(holding, lookup, _last_of(found, item), now)
        elif item is not None and item["state"]["S"] == "settled":
            number = self._reopen(holding, item, now)
        else:
            number = _number_of(item)
            self._count_again(place_of(number), now)
        if not number or not self._listed(number, holding, is_own=is_own):
            return None
        self._settle_alone(alone, now)
        return Listing(number, is_new=not alone)

    def _settle_alone(self, number: int, now: float) -> None:
        # Last: after a crash in between both hold it, and whoever holds it again ends that.
        if number:
            self.settle(number, "settled", Reason.CONFLICT, now)

    def _checked(self, number: int) -> Item:
        item = self._item(number)
        if item is None:
            raise StoreError(
                f"entry {number} of the quarantine has been removed from table {self._books.table}"
            )
        return item

    def _adopted(self, item: Item) -> bool:
        """What lists nothing by now lists its own delivery. False if another writer was quicker."""
        if "contents" in item or item["state"]["S"] != "open":
            return True
        event = self._event(item)
        # What cannot be read any more has a number all the same.
        identity = "" if event is None else identity_of(event)
        return self._contents.add(item, [Content(0, identity)], own=identity)

    def _listed(self, number: int, holding: Holding, *, is_own: bool = False) -> bool:
        """List what is new to an open entry. False if another writer was quicker."""
        if not holding.contents:
            return True
        item = self._checked(number)
        if not is_own and not self._adopted(item):
            return False
        own = holding.content if is_own else None
        return self._contents.add(self._checked(number), holding.contents, own=own)

    def _count_again(self, place: str, now: float) -> None:
        # In a transaction for its token: an answer that is lost must not count twice.
        seen: Item = {":now": {"N": str(now)}, ":one": {"N": "1"}}
        place_of_it = ("quarantine", place)
        expression = "SET last_seen = :now ADD #c :one"
        change = changing(self._books, place_of_it, expression, seen, {"#c": "count"})
        transact(self._books, [change])

    def _add(self, holding: Holding, lookup: tuple[str, str], last: Last | None, now: float) -> int:
        """A new entry; `last`: the one of its position that a word has closed. 0 if another writer
        was quicker."""
        content = content_bytes(holding)
        number = self._number(len(content) + 200)
        identity, condition, values = holding.identity, "attribute_not_exists(place)", Item()
        if last is not None:
            identity = holding.identity_after(last.identity)
            condition, values = "entry = :last", {":last": {"N": str(last.number)}}
        entry = item_of(holding, identity, now)
        if len(content) > CHUNK:
            self._put_chunks(number, content)
        else:
            entry["content"] = {"B": content}
        number_of_it: Item = {"entry": {"N": str(number)}}
        # Whoever asks for the entries of a key finds those before, too.
        if last is not None:
            number_of_it["earlier"] = {"NS": [str(one) for one in (*last.earlier, last.number)]}
        steps = [
            putting(self._books, lookup, number_of_it, condition, values),
            putting(self._books, ("quarantine", place_of(number)), entry),
            *self._open.opening(holding, number),
        ]
        return number if transact(self._books, steps) else 0

    def _put_chunks(self, number: int, content: bytes) -> None:
        for place, start in enumerate(range(0, len(content), CHUNK)):
            chunk: Item = {"bytes": {"B": content[start : start + CHUNK]}}
            self._books.put(f"bytes#{number}", f"{place:06}", chunk)

    def _reopen(self, holding: Holding, item: Item, now: float) -> int:
        number = int(item["place"]["S"])
        values: Item = {
            ":open": {"S": "open"},
            ":settled": {"S": "settled"},
            ":reason": {"S": holding.reason.value},
            ":now": {"N": str(now)},
            ":one": {"N": "1"},
        }
        change = changing(
            self._books,
            ("quarantine", place_of(number)),
            "SET #s = :open, reason = :reason, last_seen = :now, #c = :one REMOVE closed",
            values,
            {"#s": "state", "#c": "count"},
            condition="#s = :settled",
        )
        return (
            number if transact(self._books, [change, *self._open.opening(holding, number)]) else 0
        )

    def settle(
        self, number: int, state: str, reason: Reason, now: float, word: Word | None = None
    ) -> None:
        """Close an entry; one that is closed already stays as it is. Raises ConfigurationError if
        it lists more by now than a word was given for."""
        item = self._item(number)
        if item is None or item["state"]["S"] != "open":
            return
        detail = closed_detail(item, reason)
        values: Item = {
            ":state": {"S": state},
            ":open": {"S": "open"},
            ":detail": {"S": detail},
            ":now": {"N": str(now)},
        }
        condition, names, chosen = "#s = :open", {"#s": "state"}, ""
        if word is not None:
            listed = self._contents.add_replaced(item, word)
            chosen = ", chosen = :chosen"
            values[":chosen"] = {"L": [{"N": str(one)} for one in sorted(word.chose)]}
            condition = "#s = :open AND attribute_not_exists(contents)"
            if listed:
                condition = "#s = :open AND contents = :listed"
                values[":listed"] = {"N": str(listed)}
        change = changing(
            self._books,
            ("quarantine", place_of(number)),
            f"SET #s = :state, detail = :detail, last_seen = :now, closed = :now{chosen}",
            values,
            names,
            condition=condition,
        )
        closing = self._open.closing(table_of(item), [number])
        if not transact(self._books, [change, *closing]) and word is not None:
            raise ConfigurationError(
                f"another content came into entry {number}, or another word closed it: look at it "
                f"again, `anyorder quarantine show {number}`"
            )

    def reread(self, number: int, reason: Reason, detail: str, provenance: str) -> None:
        """An open entry is read by another envelope from now on."""
        values: Item = {
            ":reason": {"S": reason.value},
            ":detail": {"S": shown(detail)},
            ":provenance": {"S": provenance},
            ":open": {"S": "open"},
        }
        change = changing(
            self._books,
            ("quarantine", place_of(number)),
            "SET reason = :reason, detail = :detail, provenance = :provenance",
            values,
            {"#s": "state"},
            condition="#s = :open",
        )
        # False: it was closed meanwhile, and stays as it is.
        transact(self._books, [change])

    def _number(self, size: int) -> int:
        # What no table takes may come before anything else was ever written.
        self._books.ensure()
        answer = self._books.requests.call(
            "update_item",
            TableName=self._books.table,
            Key=self._books.key("counter", "quarantine"),
            UpdateExpression="ADD #l :one, #b :size",
            ExpressionAttributeNames={"#l": "last", "#b": "bytes"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":size": {"N": str(size)}},
            ReturnValues="UPDATED_NEW",
        )
        raise_for(answer, "number a quarantine entry")
        return int(answer.response["Attributes"]["last"]["N"])

    def _item(self, number: int) -> Item | None:
        key = ("quarantine", place_of(number))
        return self._books.get([key]).get(key)

    def _content(self, item: Item) -> Large:
        if "content" in item:
            return content_of(bytes(item["content"]["B"]))
        chunks = self._books.query(f"bytes#{int(item['place']['S'])}")
        return content_of(b"".join(bytes(chunk["bytes"]["B"]) for chunk in chunks))


def _number_of(item: Item | None) -> int:
    assert item is not None
    return int(item["place"]["S"])


def _entry_number(lookup: Item) -> int:
    return int(lookup["entry"]["N"])


def _earlier(lookup: Item) -> tuple[int, ...]:
    """The entries before the one that a look-up tells."""
    if "earlier" not in lookup:
        return ()
    return tuple(sorted(int(number) for number in lookup["earlier"]["NS"]))


def _last_of(lookup: Item | None, item: Item | None) -> Last | None:
    if lookup is None or item is None:
        return None
    return Last(_number_of(item), item["identity"]["S"], _earlier(lookup))


def _kept(item: Item, lookup: Item) -> Listing:
    """What an entry says of a delivery that it lists."""
    number, state = int(item["place"]["S"]), item["state"]["S"]
    chosen = state == "accepted"
    if "number" in lookup and "chosen" in item:
        chosen = {"N": lookup["number"]["N"]} in item["chosen"]["L"]
    return Listing(number, False, state, chosen)
