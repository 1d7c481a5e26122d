"""How a quarantine entry is spelled in our table's items, and how it is read again. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from anyorder._core.event import Delivery, key_of
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Entry, EntryQuery, Holding
from anyorder.stores.dynamodb.items import Item

SHOWN = 2_000  # characters of a long detail in the entry's own item
# characters of a key, escapes and names included; no item has a longer one, so nothing can be
# decided of it again
LONGEST_KEY = 25_000
HALF = 32  # characters of a digest that tell keys apart
# what a list shows of an entry: not its delivery
LISTED = (
    "part",
    "place",
    "table",
    "entity",
    "identity",
    "reason",
    "detail",
    "state",
    "first_seen",
    "last_seen",
    "count",
    "provenance",
    "closed",
)
_encode = msgspec.json.encode


class Large(msgspec.Struct, array_like=True):
    """What may be large: the delivery as it came, and a detail that is too long to be shown in a
    list."""

    delivery: Delivery
    detail: str = ""


_encode_content = msgspec.msgpack.Encoder().encode
_decode_content = msgspec.msgpack.Decoder(Large).decode


def content_bytes(holding: Holding) -> bytes:
    """The delivery, and its detail where the entry's own item cannot show it whole."""
    detail = detail_of(holding)
    long = detail if len(detail) > SHOWN else ""
    return _encode_content(Large(holding.event.delivery, long))


def content_of(stored: bytes) -> Large:
    """What `content_bytes` wrote."""
    return _decode_content(stored)


def detail_of(holding: Holding) -> str:
    """What is said of a delivery beside its reason."""
    return holding.detail or holding.event.note


def place_of(number: int) -> str:
    """The range key of an entry: as text in the order of the numbers."""
    return f"{number:015}"


def lookup_of(entity: str, identity: str) -> str:
    """The range key of the look-up by identity: any key and identity in few bytes."""
    return lookups_of(entity) + _digest(entity, identity)


def content_lookup_of(entity: str, identity: str) -> str:
    """The range key of the look-up by a content that an entry lists."""
    return lookups_of(entity) + _digest(entity, "content", identity)


def former_lookup_of(entity: str, identity: str) -> str:
    """The same as an older anyorder spelled it, by which no key finds its entries."""
    return _digest(entity, identity)


def lookups_of(entity: str) -> str:
    """What the range keys of all look-ups of a key begin with."""
    return _digest(entity)[:HALF]


def _digest(*parts: str) -> str:
    return hashlib.sha256(_encode(parts)).hexdigest()


def item_of(holding: Holding, identity: str, now: float) -> Item:
    """An entry without its delivery."""
    item: Item = {
        "table": {"S": holding.table},
        "entity": {"S": holding.entity if len(holding.entity) <= LONGEST_KEY else ""},
        "identity": {"S": identity[:SHOWN]},
        "reason": {"S": holding.reason.value},
        "detail": {"S": shown(detail_of(holding))},
        "state": {"S": "open"},
        "first_seen": {"N": str(now)},
        "last_seen": {"N": str(now)},
        "count": {"N": "1"},
    }
    if holding.provenance:
        item["provenance"] = {"S": holding.provenance}
    return item


def provenance_of(item: Item) -> str:
    """The provenance that an entry keeps; "" of one that was held before there was any."""
    return item["provenance"]["S"] if "provenance" in item else ""


def closed_detail(item: Item, reason: Reason) -> str:
    """What an entry tells once it is closed: the cause stays readable."""
    before = item["detail"]["S"]
    return f"{before}; then {reason.value}" if before else reason.value


def shown(detail: str) -> str:
    """A detail as a list shows it."""
    return detail if len(detail) <= SHOWN else f"{detail[:SHOWN]}..."


def entry_of(item: Item) -> Entry:
    """An entry without its delivery."""
    entity = item["entity"]["S"]
    return Entry(
        int(item["place"]["S"]),
        item["table"]["S"],
        key_of(entity) if entity else None,
        item["reason"]["S"],
        item["detail"]["S"],
        item["state"]["S"],
        float(item["first_seen"]["N"]),
        float(item["last_seen"]["N"]),
        int(item["count"]["N"]),
        item["identity"]["S"],
        provenance=provenance_of(item),
        closed=float(item["closed"]["N"]) if "closed" in item else 0.0,
    )


def is_asked_for(query: EntryQuery, item: Item) -> bool:
    """`EntryQuery.selects`, of an entry's item."""
    return query.asks_for(
        item["state"]["S"], item["table"]["S"], item["entity"]["S"], item["reason"]["S"]
    )
