"""Entries of the quarantine that are closed many at a time.

Each is changed, and its line taken out of the open ones, in one transaction with as many others as
a request takes; the counter of their table counts them all in one step. Nothing here is a word
about what an entry lists, which closes it alone (`QuarantineItems.settle`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from anyorder.guard.contract import Closing
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.entries import closed_detail, place_of
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.open_entries import OpenEntries, table_of
from anyorder.stores.dynamodb.requests import Answer, raise_for
from anyorder.stores.dynamodb.steps import Step, changing, transacted

AT_ONCE = 49  # entries: of each the entry and its line, and a counter; a transaction takes 100
READ = ("part", "place", "table", "entity", "detail", "state")
FAILED = "ConditionalCheckFailed"


class Leaving(NamedTuple):
    """An open entry that is closed. `detail`: what it tells afterwards."""

    number: int
    state: str
    detail: str


class Closings:
    """Of all tables of one store."""

    def __init__(self, books: Books, open_entries: OpenEntries) -> None:
        self._books = books
        self._open = open_entries

    def close(self, closings: Iterable[Closing], now: float) -> None:
        """Close those of them that are open; what is closed already stays as it is."""
        # A transaction takes no item twice; what was said first counts.
        asked: dict[int, Closing] = {}
        for one in closings:
            asked.setdefault(one.entry, one)
        names = [("quarantine", place_of(number)) for number in asked]
        found = self._books.get(names, READ)
        leaving: dict[str, list[Leaving]] = {}
        for number, closing in asked.items():
            item = found.get(("quarantine", place_of(number)))
            if item is not None and item["state"]["S"] == "open":
                detail = closed_detail(item, closing.reason)
                open_one = Leaving(number, closing.state, detail)
                leaving.setdefault(table_of(item), []).append(open_one)

        def work(share: tuple[str, list[list[Leaving]]]) -> None:
            table, chunks = share
            for chunk in chunks:
                self._close(table, chunk, now)

        self._books.requests.each(work, _shares(leaving))

    def _close(self, table: str, leaving: Sequence[Leaving], now: float) -> None:
        # It ends: every turn closes all of them, or at least one less is left.
        while leaving:
            answer = self._transacted(table, leaving, now)
            if not answer.code:
                return
            # Together they are more bytes than a transaction takes.
            if answer.code == "ValidationException" and len(leaving) > 1:
                half = len(leaving) // 2
                self._close(table, leaving[:half], now)
                self._close(table, leaving[half:], now)
                return
            left = _not_refused(leaving, answer)
            # It was refused for something else than that one of them is closed by now.
            if len(left) == len(leaving):
                raise_for(answer, "close entries of the quarantine")
            leaving = left

    def _transacted(self, table: str, leaving: Sequence[Leaving], now: float) -> Answer:
        steps = [self._change(one, now) for one in leaving]
        numbers = [one.number for one in leaving]
        return transacted(self._books, [*steps, *self._open.closing(table, numbers)])

    def _change(self, one: Leaving, now: float) -> Step:
        values: Item = {
            ":state": {"S": one.state},
            ":open": {"S": "open"},
            ":detail": {"S": one.detail},
            ":now": {"N": str(now)},
        }
        return changing(
            self._books,
            ("quarantine", place_of(one.number)),
            "SET #s = :state, detail = :detail, last_seen = :now, closed = :now",
            values,
            {"#s": "state"},
            condition="#s = :open",
        )


def _shares(leaving: dict[str, list[Leaving]]) -> list[tuple[str, list[list[Leaving]]]]:
    """What is closed side by side, and each one's chunks, which are closed one after another."""
    shares: list[tuple[str, list[list[Leaving]]]] = []
    for table, ones in leaving.items():
        starts = range(0, len(ones), AT_ONCE)
        chunks = [ones[start : start + AT_ONCE] for start in starts]
        # Those of one table share its counter, and would only refuse each other.
        if table:
            shares.append((table, chunks))
        else:
            shares += [("", [chunk]) for chunk in chunks]
    return shares


def _not_refused(leaving: Sequence[Leaving], answer: Answer) -> list[Leaving]:
    """Those that somebody else has not closed meanwhile."""
    codes = [reason.get("Code") for reason in answer.reasons]
    # No transaction was cancelled: nothing is said of any of them.
    if len(codes) < len(leaving):
        return list(leaving)
    told = zip(leaving, codes, strict=False)
    return [one for one, code in told if code != FAILED]
