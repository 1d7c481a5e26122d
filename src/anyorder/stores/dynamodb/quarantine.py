"""The quarantine in our own DynamoDB table: deliveries with their exact bytes, found by number, by
identity, and while open by table.

Items of one entry: the entry itself (`quarantine` / number), a look-up by identity (`held#TABLE`),
while it is open a line in `open#TABLE`, and delivery and detail in chunks where they are larger
than an item. What belongs together changes in one transaction, together with the counters `opened`
and `open` of the table, by which every writer notices at no cost that something is held.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from anyorder._core.batch import Held
from anyorder._core.event import Delivery, Event
from anyorder._core.outcome import Reason
from anyorder.errors import StoreError
from anyorder.guard.contract import Entry, EntryQuery, Holding
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.requests import raise_for

CHUNK = 300_000  # bytes of a delivery in one item
SHOWN = 2_000  # characters of a long detail in the entry's own item
# characters of a key, escapes and names included; no item has a longer one, so nothing can be
# decided of it again
LONGEST_KEY = 25_000
CONFLICTS = 50  # times an entry is looked up again because another writer changed it
_encode = msgspec.json.encode


class Open(NamedTuple):
    """An open entry of a key."""

    entry: int
    entity: str
    retry: bool


class Content(msgspec.Struct, array_like=True):
    """What may be large: the delivery as it came, and a detail that is too long to be shown in a
    list."""

    delivery: Delivery
    detail: str = ""


_encode_content = msgspec.msgpack.Encoder().encode
_decode_content = msgspec.msgpack.Decoder(Content).decode


class QuarantineItems:
    """The entries of all tables of one store."""

    def __init__(self, books: Books, decode: Callable[[Delivery], Event] | None) -> None:
        self._books = books
        self._decode = decode

    # ---- reading

    def open_entries(self, table: str) -> list[Open]:
        """What is open for the keys of a table."""
        return [
            Open(int(item["place"]["S"]), item["entity"]["S"], item["retry"]["BOOL"])
            for item in self._books.query(f"open#{table}")
        ]

    def events(self, found: Sequence[Open]) -> dict[str, tuple[Held, ...]]:
        """The events of open entries by entity; a delivery that cannot be decoded has none."""
        if self._decode is None or not found:
            return {}
        items = self._books.get([("quarantine", _place(one.entry)) for one in found])
        held: dict[str, tuple[Held, ...]] = {}
        for one in found:
            item = items.get(("quarantine", _place(one.entry)))
            event = None if item is None else self._decode(self._content(item).delivery)
            if event is not None and event.key is not None:
                held[one.entity] = (*held.get(one.entity, ()), Held(one.entry, event))
        return held

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Entries, oldest first."""
        for item in self._books.query("quarantine"):
            entry = _entry(item)
            asked = (
                (query.state, entry.state),
                (query.table, entry.table),
                (query.entity, item["entity"]["S"]),
                (query.reason, entry.reason),
            )
            if all(not wanted or wanted == there for wanted, there in asked):
                yield entry

    def entry(self, number: int) -> Entry | None:
        """One entry with its delivery."""
        item = self._item(number)
        if item is None:
            return None
        content, entry = self._content(item), _entry(item)
        detail = content.detail + entry.detail.removeprefix(_shown(content.detail))
        return msgspec.structs.replace(entry, detail=detail, delivery=content.delivery)

    def event(self, number: int) -> Event | None:
        """The event of an entry, if there is a decoder."""
        item = self._item(number)
        return (
            None
            if item is None or self._decode is None
            else self._decode(self._content(item).delivery)
        )

    def size(self) -> int:
        """Bytes ever held."""
        item = self._books.get([("counter", "quarantine")]).get(("counter", "quarantine"))
        return 0 if item is None else int(item["bytes"]["N"])

    def known(self, holding: Holding) -> bool:
        """Is this delivery held already?"""
        key = (f"held#{holding.table}", _identity(holding))
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

        found = dict(
            pair for kept in self._books.requests.each(keep, list(same.values())) for pair in kept
        )
        return [found[place] for place in range(len(holdings))]

    def hold(self, holding: Holding, now: float) -> bool:
        """Keep a delivery; False if it is there already, then its count goes up. A settled one that
        is held again is open again."""
        lookup = (f"held#{holding.table}", _identity(holding))
        for _ in range(CONFLICTS):
            found = self._books.get([lookup]).get(lookup)
            if found is None:
                if self._add(holding, lookup, now):
                    return True
                continue
            item = self._item(int(found["entry"]["N"]))
            if item is None:
                raise StoreError(
                    f"entry {found['entry']['N']} of the quarantine has been removed from table {self._books.table}"
                )
            if item["state"]["S"] == "settled":
                if self._reopen(holding, item, now):
                    return True
                continue
            place, seen = item["place"]["S"], {":now": {"N": str(now)}, ":one": {"N": "1"}}
            self._books.update(
                "quarantine", place, "SET last_seen = :now ADD #c :one", seen, {"#c": "count"}
            )
            return False
        raise StoreError(
            f"the quarantine entry {holding.identity} of table {holding.table} keeps changing under us"
        )

    def _add(self, holding: Holding, lookup: tuple[str, str], now: float) -> bool:
        detail = holding.detail or holding.event.note
        content = _encode_content(
            Content(holding.event.delivery, detail if len(detail) > SHOWN else "")
        )
        number = self._number(len(content) + 200)
        entry = _item(holding, _shown(detail), now)
        if len(content) > CHUNK:
            for place, start in enumerate(range(0, len(content), CHUNK)):
                self._books.put(
                    f"bytes#{number}",
                    f"{place:06}",
                    {"bytes": {"B": content[start : start + CHUNK]}},
                )
        else:
            entry["content"] = {"B": content}
        items = [
            _put(self._books, lookup, {"entry": {"N": str(number)}}, "attribute_not_exists(place)"),
            _put(self._books, ("quarantine", _place(number)), entry),
            *self._opening(holding, number),
        ]
        return self._transact(items)

    def _opening(self, holding: Holding, number: int) -> list[dict[str, Any]]:
        if not 0 < len(holding.entity) <= LONGEST_KEY:
            return []
        line: Item = {"entity": {"S": holding.entity}, "retry": {"BOOL": holding.retry}}
        return [
            _put(self._books, (f"open#{holding.table}", _place(number)), line),
            self._counting(holding.table, "ADD opened :one, #o :one", 1),
        ]

    def _counting(self, table: str, expression: str, by: int) -> dict[str, Any]:
        names = {"#o": "open"}
        values = {":one": {"N": str(by)}}
        key = self._books.key("table", table)
        update = {"TableName": self._books.table, "Key": key, "UpdateExpression": expression}
        return {
            "Update": {
                **update,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def _reopen(self, holding: Holding, item: Item, now: float) -> bool:
        number = int(item["place"]["S"])
        values = {
            ":open": {"S": "open"},
            ":settled": {"S": "settled"},
            ":reason": {"S": holding.reason.value},
            ":now": {"N": str(now)},
        }
        expression = "SET #s = :open, reason = :reason, last_seen = :now, #c = :one"
        names = {"#s": "state", "#c": "count"}
        change = self._changing(
            number, expression, {**values, ":one": {"N": "1"}}, names, "#s = :settled"
        )
        return self._transact([change, *self._opening(holding, number)])

    def settle(self, number: int, state: str, reason: Reason, now: float) -> None:
        """Close an entry; one that is closed already stays as it is."""
        item = self._item(number)
        if item is None or item["state"]["S"] != "open":
            return
        before = item["detail"]["S"]
        detail = f"{before}; then {reason.value}" if before else reason.value
        values = {
            ":state": {"S": state},
            ":open": {"S": "open"},
            ":detail": {"S": detail},
            ":now": {"N": str(now)},
        }
        change = self._changing(
            number,
            "SET #s = :state, detail = :detail, last_seen = :now",
            values,
            {"#s": "state"},
            "#s = :open",
        )
        items = [change]
        if item["entity"]["S"]:
            table = item["table"]["S"]
            items.append(
                {
                    "Delete": {
                        "TableName": self._books.table,
                        "Key": self._books.key(f"open#{table}", _place(number)),
                    }
                }
            )
            items.append(self._counting(table, "ADD #o :one", -1))
        self._transact(items)

    def _changing(
        self, number: int, expression: str, values: Item, names: dict[str, str], condition: str
    ) -> dict[str, Any]:
        key = self._books.key("quarantine", _place(number))
        update = {
            "TableName": self._books.table,
            "Key": key,
            "UpdateExpression": expression,
            "ConditionExpression": condition,
        }
        return {
            "Update": {
                **update,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def _transact(self, items: list[dict[str, Any]]) -> bool:
        """One transaction; False if a condition failed. The request token makes a lost answer
        harmless."""
        answer = self._books.requests.call(
            "transact_write_items", TransactItems=items, ClientRequestToken=uuid.uuid4().hex
        )
        if answer.code == "TransactionCanceledException" and any(
            reason.get("Code") == "ConditionalCheckFailed" for reason in answer.reasons
        ):
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
        key = ("quarantine", _place(number))
        return self._books.get([key]).get(key)

    def _content(self, item: Item) -> Content:
        if "content" in item:
            return _decode_content(bytes(item["content"]["B"]))
        return _decode_content(
            b"".join(
                bytes(chunk["bytes"]["B"])
                for chunk in self._books.query(f"bytes#{int(item['place']['S'])}")
            )
        )


def _item(holding: Holding, detail: str, now: float) -> Item:
    """An entry without its content."""
    return {
        "table": {"S": holding.table},
        "entity": {"S": holding.entity if len(holding.entity) <= LONGEST_KEY else ""},
        "identity": {"S": holding.identity[:SHOWN]},
        "reason": {"S": holding.reason.value},
        "detail": {"S": detail},
        "state": {"S": "open"},
        "first_seen": {"N": str(now)},
        "last_seen": {"N": str(now)},
        "count": {"N": "1"},
    }


def _shown(detail: str) -> str:
    return detail if len(detail) <= SHOWN else f"{detail[:SHOWN]}..."


def _put(books: Books, key: tuple[str, str], values: Item, condition: str = "") -> dict[str, Any]:
    put: dict[str, Any] = {"TableName": books.table, "Item": {**books.key(*key), **values}}
    return {"Put": {**put, "ConditionExpression": condition} if condition else put}


def _place(number: int) -> str:
    return f"{number:015}"


def _identity(holding: Holding) -> str:
    return hashlib.sha256(_encode((holding.entity, holding.identity))).hexdigest()


def _entry(item: Item) -> Entry:
    entity = item["entity"]["S"]
    return Entry(
        int(item["place"]["S"]),
        item["table"]["S"],
        msgspec.json.decode(entity) if entity else None,
        item["reason"]["S"],
        item["detail"]["S"],
        item["state"]["S"],
        float(item["first_seen"]["N"]),
        float(item["last_seen"]["N"]),
        int(item["count"]["N"]),
        item["identity"]["S"],
    )
