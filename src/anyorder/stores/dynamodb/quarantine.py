"""The quarantine in our own DynamoDB table: deliveries with their exact bytes, found by number, by
identity, and while open by table. How they are read, held.py says.

Items of one entry: the entry itself (`quarantine` / number), a look-up by identity (`held#TABLE`),
while it is open a line in `open#TABLE`, delivery and detail in chunks where they are larger than an
item, and what it lists (contents.py). What belongs together changes in one transaction, together
with the counters `opened` and `open` of the table, by which every writer notices at no cost that
something is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyorder._core.batch import identity_of
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, StoreError
from anyorder.guard.contract import (
    Content,
    Holding,
    Listing,
    Word,
)
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.contents import ContentItems
from anyorder.stores.dynamodb.entries import (
    closed_detail,
    content_bytes,
    former_lookup_of,
    item_of,
    lookup_of,
    place_of,
    shown,
)
from anyorder.stores.dynamodb.held import HeldItems, earlier_of, entry_number
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.open_entries import OpenEntries, table_of
from anyorder.stores.dynamodb.requests import raise_for
from anyorder.stores.dynamodb.steps import changing, putting, transact

CHUNK = 300_000  # bytes of a delivery in one item
OF_BEFORE = (
    "entry {0} of the quarantine in table {1} was held by an older anyorder, under a look-up that "
    "this one does not use: empty the quarantine with that version first (`anyorder quarantine "
    "list`, then `anyorder quarantine settle --accept` or `--drop` for what is open), and run again"
)
CONFLICTS = 50  # times an entry is looked up again because another writer changed it


class Last(NamedTuple):
    """The latest entry of a position, which a word has closed, and those `earlier`."""

    number: int
    identity: str
    earlier: tuple[int, ...]


class QuarantineItems:
    """The entries of all tables of one store, as they are written. `held`: as they are there."""

    def __init__(
        self,
        books: Books,
        open_entries: OpenEntries,
        contents: ContentItems,
        held: HeldItems,
    ) -> None:
        self._books = books
        self._open = open_entries
        self._contents = contents
        self._held = held

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
        former = (lookup[0], former_lookup_of(holding.entity, holding.identity))
        told = self._books.get([lookup, former])
        if former in told:
            self._refuse_of_before(entry_number(told[former]))
        found = told.get(lookup)
        item = None if found is None else self._held.checked(entry_number(found))
        if item is not None and holding.contents and not self._adopted(item):
            return None
        alone = self._held.alone(holding)
        known = self._held.known(holding, alone)
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

    def _refuse_of_before(self, number: int) -> None:
        item = self._held.item(number)
        # What is closed says nothing but a label.
        if item is not None and item["state"]["S"] == "open":
            raise StoreError(OF_BEFORE.format(number, self._books.table))

    def _settle_alone(self, number: int, now: float) -> None:
        # Last: after a crash in between both hold it, and whoever holds it again ends that.
        if number:
            self.settle(number, "settled", Reason.CONFLICT, now)

    def _adopted(self, item: Item) -> bool:
        """What lists nothing by now lists its own delivery. False if another writer was quicker."""
        if "contents" in item or item["state"]["S"] != "open":
            return True
        event = self._held.event_of(item)
        # What cannot be read any more has a number all the same.
        identity = "" if event is None else identity_of(event)
        return self._contents.add(item, [Content(0, identity)], own=identity)

    def _listed(self, number: int, holding: Holding, *, is_own: bool = False) -> bool:
        """List what is new to an open entry. False if another writer was quicker."""
        if not holding.contents:
            return True
        item = self._held.checked(number)
        if not is_own and not self._adopted(item):
            return False
        own = holding.content if is_own else None
        return self._contents.add(self._held.checked(number), holding.contents, own=own)

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
        item = self._held.item(number)
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


def _number_of(item: Item | None) -> int:
    assert item is not None
    return int(item["place"]["S"])


def _last_of(lookup: Item | None, item: Item | None) -> Last | None:
    if lookup is None or item is None:
        return None
    return Last(_number_of(item), item["identity"]["S"], earlier_of(lookup))
