"""The open quarantine entries of a table: a line each in `open#TABLE`, and two counters in the
table's own item, `opened` and `open`.

Lines and counters change in the transaction that opens or closes the entry, so whoever reads the
counters notices at no cost that something is held.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from anyorder.guard.contract import Holding
from anyorder.stores.dynamodb.books import Books, Meta
from anyorder.stores.dynamodb.entries import LONGEST_KEY, place_of
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.steps import changing, putting, removing


class Open(NamedTuple):
    """An open entry of a key."""

    entry: int
    entity: str
    retry: bool


class OpenEntries:
    """Of all tables of one store."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._known: dict[str, tuple[tuple[int, int], list[Open]]] = {}

    def of(self, meta: Meta) -> list[Open]:
        """The open entries of a table; remembered while its counters say that nothing was opened or
        closed."""
        counters = (meta.opened, meta.open)
        known = self._known.get(meta.name)
        if known is not None and known[0] == counters:
            return known[1]
        found = self._read(meta.name)
        # else the query and the counters were read on two sides of somebody's change
        if len(found) == meta.open:
            self._known[meta.name] = (counters, found)
        return found

    def _read(self, table: str) -> list[Open]:
        return [
            Open(int(item["place"]["S"]), item["entity"]["S"], item["retry"]["BOOL"])
            for item in self._books.query(f"open#{table}")
        ]

    def opening(self, holding: Holding, number: int) -> list[dict[str, Any]]:
        """The steps of a transaction that opens an entry; none for an entry without a key."""
        if not 0 < len(holding.entity) <= LONGEST_KEY:
            return []
        line: Item = {"entity": {"S": holding.entity}, "retry": {"BOOL": holding.retry}}
        return [
            putting(self._books, (f"open#{holding.table}", place_of(number)), line),
            self._counting(holding.table, "ADD opened :one, #o :one", 1),
        ]

    def closing(self, table: str, number: int) -> list[dict[str, Any]]:
        """The steps of a transaction that closes an entry with a key."""
        return [
            removing(self._books, (f"open#{table}", place_of(number))),
            self._counting(table, "ADD #o :one", -1),
        ]

    def _counting(self, table: str, expression: str, by: int) -> dict[str, Any]:
        values: Item = {":one": {"N": str(by)}}
        return changing(self._books, ("table", table), expression, values, {"#o": "open"})
