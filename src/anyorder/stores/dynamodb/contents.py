"""What the entries of disputes list, in our own table: every content of a position, by its number
(rules R12).

A content is an item of its own in `content#ENTRY`, and more where it is larger than an item; its
look-up lies in `held#TABLE` beside those of the entries. It is listed in one transaction with the
entry, which must be open and count one more: so a word closes an entry with all that it lists.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

import msgspec

from anyorder._core.event import Delivery
from anyorder.guard.contract import Content, Word
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.entries import content_lookup_of, place_of
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.steps import Step, changing, putting, transact

CHUNK = 300_000  # bytes of a content in one item


class Told(msgspec.Struct, array_like=True):
    """What may be large of a content."""

    delivery: Delivery | None
    shown: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Told).decode


class ContentItems:
    """Of all entries of one store."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def of(self, entry: Item) -> list[Content]:
        """What an entry lists; what came by its own delivery has none here. Most entries hold one
        delivery alone."""
        if "contents" not in entry:
            return []
        chosen = [] if "chosen" not in entry else entry["chosen"]["L"]
        numbers = {int(one["N"]) for one in chosen}
        items = self._books.query(f"content#{int(entry['place']['S'])}")
        return [self._content(item, numbers) for item in items]

    def add(self, entry: Item, contents: Sequence[Content], own: str | None = None) -> bool:
        """List what is new to an open entry. `own`: the identity of what came by its own delivery.
        False if another writer was quicker."""
        for number, content in self._fresh(entry, contents):
            is_own = content.identity == own
            if not self._add_one(entry, content, number, is_own=is_own):
                return False
        return True

    def add_replaced(self, entry: Item, word: Word) -> int:
        """List what a word replaced; how many contents the entry then lists, as far as the word
        knows."""
        fresh = self._fresh(entry, word.listed)
        for number, content in fresh:
            self._add_one(entry, content, number, is_own=not content.shown)
        return word.of + len(fresh)

    def _fresh(self, entry: Item, contents: Sequence[Content]) -> list[tuple[int, Content]]:
        """What an entry does not list yet, with the numbers that it gets."""
        there = self.of(entry)
        listed = {one.identity for one in there}
        fresh = [one for one in contents if one.identity not in listed]
        return list(enumerate(fresh, len(there) + 1))

    def _content(self, item: Item, chosen: Collection[int]) -> Content:
        told, number = self._told(item), int(item["place"]["S"])
        return Content(
            number,
            item["identity"]["S"],
            told.delivery,
            item["provenance"]["S"],
            told.shown,
            number in chosen,
        )

    def _told(self, item: Item) -> Told:
        if "chunks" in item:
            chunks = self._books.query(item["chunks"]["S"])
            return _decode(b"".join(bytes(chunk["bytes"]["B"]) for chunk in chunks))
        return _decode(bytes(item["told"]["B"]))

    def _add_one(self, entry: Item, content: Content, number: int, *, is_own: bool) -> bool:
        told = Told(None if is_own else content.delivery, content.shown)
        stored, item = _encode(told), _item_of(content)
        if len(stored) > CHUNK:
            item["chunks"] = {"S": self._put_chunks(stored)}
        else:
            item["told"] = {"B": stored}
        size: Item = {":size": {"N": str(len(stored))}}
        self._books.update("counter", "quarantine", "ADD #b :size", size, {"#b": "bytes"})
        place, table = int(entry["place"]["S"]), entry["table"]["S"]
        lookup = (f"held#{table}", content_lookup_of(entry["entity"]["S"], content.identity))
        found: Item = {"entry": {"N": str(place)}, "number": {"N": str(number)}}
        own_place, is_new = (f"content#{place}", f"{number:06}"), "attribute_not_exists(place)"
        steps = [
            putting(self._books, own_place, item, is_new),
            putting(self._books, lookup, found),
            self._counting(place, number),
        ]
        return transact(self._books, steps)

    def _counting(self, entry: int, number: int) -> Step:
        values: Item = {":open": {"S": "open"}, ":number": {"N": str(number)}}
        condition = "#s = :open AND attribute_not_exists(contents)"
        if number > 1:
            values[":before"] = {"N": str(number - 1)}
            condition = "#s = :open AND contents = :before"
        return changing(
            self._books,
            ("quarantine", place_of(entry)),
            "SET contents = :number",
            values,
            {"#s": "state"},
            condition=condition,
        )

    def _put_chunks(self, stored: bytes) -> str:
        # Of this attempt alone: another writer may be listing another content in the same place.
        part = f"bytes#{uuid.uuid4().hex}"
        for place, start in enumerate(range(0, len(stored), CHUNK)):
            chunk: Item = {"bytes": {"B": stored[start : start + CHUNK]}}
            self._books.put(part, f"{place:06}", chunk)
        return part


def _item_of(content: Content) -> Item:
    return {"identity": {"S": content.identity}, "provenance": {"S": content.provenance}}
