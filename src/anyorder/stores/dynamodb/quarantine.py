"""The quarantine in our own DynamoDB table: deliveries with their exact bytes, found by number, by
identity, and while open by table.

Items of one entry: the entry itself (`quarantine` / number), a look-up by identity (`held#TABLE`),
while it is open a line in `open#TABLE`, and delivery and detail in chunks where they are larger
than an item. What belongs together changes in one transaction, together with the counters `opened`
and `open` of the table, by which every writer notices at no cost that something is held.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

import msgspec

from anyorder._core.batch import Held
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.errors import StoreError
from anyorder.guard.contract import Decode, Entry, EntryQuery, Holding
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.entries import (
    Content,
    content_bytes,
    content_of,
    entry_of,
    identity_of,
    is_asked_for,
    item_of,
    place_of,
    provenance_of,
    shown,
)
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.open_entries import Open, OpenEntries
from anyorder.stores.dynamodb.requests import raise_for
from anyorder.stores.dynamodb.steps import Step, changing, putting

CHUNK = 300_000  # bytes of a delivery in one item
CONFLICTS = 50  # times an entry is looked up again because another writer changed it


class QuarantineItems:
    """The entries of all tables of one store."""

    def __init__(self, books: Books, open_entries: OpenEntries, decode: Decode | None) -> None:
        self._books = books
        self._open = open_entries
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
            event = None if item is None else self._event(item)
            if item is not None and event is not None and event.key is not None:
                there = Held(one.entry, event, provenance_of(item))
                held[one.entity] = (*held.get(one.entity, ()), there)
        return held

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Entries, oldest first."""
        for item in self._books.query("quarantine"):
            if is_asked_for(query, item):
                yield entry_of(item)

    def open_entries(self) -> int:
        """How many entries are open."""
        found = self._books.query("quarantine")
        return sum(item["state"]["S"] == "open" for item in found)

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        """Those of these entries that are open."""
        places = {place_of(number): number for number in numbers}
        found = self._books.get([("quarantine", place) for place in places])
        return {places[place] for (_, place), item in found.items() if item["state"]["S"] == "open"}

    def entry(self, number: int) -> Entry | None:
        """One entry with its delivery."""
        item = self._item(number)
        if item is None:
            return None
        content, entry = self._content(item), entry_of(item)
        detail, begins = entry.detail, shown(content.detail)
        # What is said of it since may be something else.
        if content.detail and detail.startswith(begins):
            detail = content.detail + detail.removeprefix(begins)
        return msgspec.structs.replace(entry, detail=detail, delivery=content.delivery)

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

    def known(self, holding: Holding) -> bool:
        """Is this delivery held already?"""
        key = (f"held#{holding.table}", identity_of(holding))
        return key in self._books.get([key])

    # ---- writing

    def hold_all(self, holdings: Sequence[Holding], now: float) -> list[bool]:
        """Keep deliveries, several at once; those of one entry in their order. False for each that
        was there already."""
        same: dict[tuple[str, str, str], list[int]] = {}
        for place, holding in enumerate(holdings):
            same.setdefault((holding.table, holding.entity, holding.identity), []).append(place)

        def keep(places: list[int]) -> list[tuple[int, bool]]:
            return [(place, self.hold(holdings[place], now)) for place in places]

        found: dict[int, bool] = {}
        for kept in self._books.requests.each(keep, list(same.values())):
            found.update(kept)
        return [found[place] for place in range(len(holdings))]

    def hold(self, holding: Holding, now: float) -> bool:
        """Keep a delivery; False if it is there already, then its count goes up. A settled one that
        is held again is open again."""
        lookup = (f"held#{holding.table}", identity_of(holding))
        # ends: each turn means that another writer opened, settled or removed this very entry
        # between our look and our write
        for _ in range(CONFLICTS):
            found = self._books.get([lookup]).get(lookup)
            if found is None:
                if self._add(holding, lookup, now):
                    return True
                continue
            item = self._item(int(found["entry"]["N"]))
            if item is None:
                raise StoreError(
                    f"entry {found['entry']['N']} of the quarantine has been removed from table "
                    f"{self._books.table}"
                )
            if item["state"]["S"] == "settled":
                if self._reopen(holding, item, now):
                    return True
                continue
            self._count_again(item["place"]["S"], now)
            return False
        raise StoreError(
            f"the quarantine entry {holding.identity} of table {holding.table} keeps changing "
            "under us"
        )

    def _count_again(self, place: str, now: float) -> None:
        seen: Item = {":now": {"N": str(now)}, ":one": {"N": "1"}}
        self._books.update(
            "quarantine", place, "SET last_seen = :now ADD #c :one", seen, {"#c": "count"}
        )

    def _add(self, holding: Holding, lookup: tuple[str, str], now: float) -> bool:
        content = content_bytes(holding)
        number = self._number(len(content) + 200)
        entry = item_of(holding, now)
        if len(content) > CHUNK:
            self._put_chunks(number, content)
        else:
            entry["content"] = {"B": content}
        number_of_it: Item = {"entry": {"N": str(number)}}
        steps = [
            putting(self._books, lookup, number_of_it, "attribute_not_exists(place)"),
            putting(self._books, ("quarantine", place_of(number)), entry),
            *self._open.opening(holding, number),
        ]
        return self._transact(steps)

    def _put_chunks(self, number: int, content: bytes) -> None:
        for place, start in enumerate(range(0, len(content), CHUNK)):
            chunk: Item = {"bytes": {"B": content[start : start + CHUNK]}}
            self._books.put(f"bytes#{number}", f"{place:06}", chunk)

    def _reopen(self, holding: Holding, item: Item, now: float) -> bool:
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
            "SET #s = :open, reason = :reason, last_seen = :now, #c = :one",
            values,
            {"#s": "state", "#c": "count"},
            condition="#s = :settled",
        )
        return self._transact([change, *self._open.opening(holding, number)])

    def settle(self, number: int, state: str, reason: Reason, now: float) -> None:
        """Close an entry; one that is closed already stays as it is."""
        item = self._item(number)
        if item is None or item["state"]["S"] != "open":
            return
        before = item["detail"]["S"]
        detail = f"{before}; then {reason.value}" if before else reason.value
        values: Item = {
            ":state": {"S": state},
            ":open": {"S": "open"},
            ":detail": {"S": detail},
            ":now": {"N": str(now)},
        }
        change = changing(
            self._books,
            ("quarantine", place_of(number)),
            "SET #s = :state, detail = :detail, last_seen = :now",
            values,
            {"#s": "state"},
            condition="#s = :open",
        )
        closing = self._open.closing(item["table"]["S"], number) if item["entity"]["S"] else []
        self._transact([change, *closing])

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
        self._transact([change])

    def _transact(self, steps: list[Step]) -> bool:
        """One transaction; False if a condition failed. The request token makes a lost answer
        harmless."""
        answer = self._books.requests.call(
            "transact_write_items", TransactItems=steps, ClientRequestToken=uuid.uuid4().hex
        )
        codes = {reason.get("Code") for reason in answer.reasons}
        if answer.code == "TransactionCanceledException" and "ConditionalCheckFailed" in codes:
            return False
        raise_for(answer, "write the quarantine")
        return True

    def _number(self, size: int) -> int:
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

    def _content(self, item: Item) -> Content:
        if "content" in item:
            return content_of(bytes(item["content"]["B"]))
        chunks = self._books.query(f"bytes#{int(item['place']['S'])}")
        return content_of(b"".join(bytes(chunk["bytes"]["B"]) for chunk in chunks))
