"""The open quarantine entries: of a table's keys a line each in `open#TABLE`, and two counters in
the table's own item, `opened` and `open`; of what has no table or no key, a line in `open`.

Lines and counters change in the transaction that opens or closes the entry, so whoever reads the
counters notices at no cost that something is held. What has no key waits for nobody's write, and
has no counter, at which all who hold such a thing would have to queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyorder.guard.contract import Holding
from anyorder.stores.dynamodb.books import Books, Meta
from anyorder.stores.dynamodb.entries import LONGEST_KEY, place_of
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.steps import Step, changing, putting, removing

LOOSE = "open"


def table_of(item: Item) -> str:
    """The table whose counters count an entry; "" for none."""
    return _counted_by(item["table"]["S"], item["entity"]["S"])


def _counted_by(table: str, entity: str) -> str:
    is_counted = 0 < len(entity) <= LONGEST_KEY
    return table if is_counted else ""


def _part_of(table: str) -> str:
    return f"open#{table}" if table else LOOSE


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
            for item in self._books.query(_part_of(table))
        ]

    def count(self) -> int:
        """How many entries are open in the store."""
        counted = sum(meta.open for meta in self._books.metas())
        return counted + self._books.count(LOOSE)

    def opening(self, holding: Holding, number: int) -> list[Step]:
        """The steps of a transaction that opens an entry."""
        table = _counted_by(holding.table, holding.entity)
        place = (_part_of(table), place_of(number))
        if not table:
            return [putting(self._books, place, {})]
        line: Item = {"entity": {"S": holding.entity}, "retry": {"BOOL": holding.retry}}
        return [
            putting(self._books, place, line),
            self._counting(table, "ADD opened :number, #o :number", 1),
        ]

    def closing(self, table: str, numbers: Sequence[int]) -> list[Step]:
        """The steps of a transaction that closes entries which this table counts, "" for none."""
        part = _part_of(table)
        lines = [removing(self._books, (part, place_of(number))) for number in numbers]
        if not table:
            return lines
        return [*lines, self._counting(table, "ADD #o :number", -len(numbers))]

    def _counting(self, table: str, expression: str, by: int) -> Step:
        values: Item = {":number": {"N": str(by)}}
        return changing(self._books, ("table", table), expression, values, {"#o": "open"})
