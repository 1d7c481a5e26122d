"""Rows with holes in a connector's life (rules R8 inside R5), in two columns.

`c`, `r` and `i` name both; an update names x, or x and y in turn: the other is an unchanged
out-of-line value. The record that creates in a key change may have a hole too: its value was told
under the old key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anyorder._core.event import Event
from tests.model.connector import Bounds
from tests.model.life import Life
from tests.model.source import READS, Change, Fields, Log, event_of, histories, lives, transactions

BOTH = frozenset("xy")


class Naming(NamedTuple):
    """Which columns an update names, by its position, and which a creating record names."""

    update: tuple[str, str] = ("x", "x")
    create: str = "xy"


ONE, IN_TURN, MOVED = Naming(), Naming(("y", "x")), Naming(("y", "x"), "x")


class Content:
    """What each change of a log names, and the row at each position. A hole of a creating record
    hides a value that no event tells."""

    def __init__(self, log: Log, naming: Naming, mark: str = "") -> None:
        self.named: dict[tuple[str, int], Fields | None] = {}
        self.states: list[tuple[int, Fields | None]] = []
        row: Fields | None = None
        for end, name, changes in transactions(log):
            for lsn, op in changes:
                if op == "w":
                    continue
                columns = (
                    "" if op == "d" else naming.create if op == "c" else naming.update[lsn % 2]
                )
                own: Fields = dict.fromkeys(columns, f"{name}{lsn}{mark}")
                hidden: Fields = dict.fromkeys("xy", f"hidden {lsn}{mark}")
                self.named[op, lsn] = own or None
                row = None if op == "d" else {**(hidden if op == "c" else row or {}), **own}
            self.states.append((end, row))

    def at(self, position: int) -> Fields | None:
        return next((row for end, row in reversed(self.states) if end <= position), None)

    def event(self, change: Change) -> Event:
        fields = self.at(change.lsn) if change.op in READS else self.named[change.op, change.lsn]
        return event_of(change, fields, frozenset() if fields is None else BOTH - fields.keys())


def all_lives(bounds: Bounds, naming: Naming) -> Iterator[Life]:
    for log in histories(*bounds.history):
        content = Content(log, naming)
        for plan in lives(log, lost=bounds.lost, forgets=bounds.forgets, limit=bounds.records):
            if any(change.op == "u" for change in plan):
                yield Life(
                    [(change, content.event(change)) for change in plan],
                    content.at(len(log) + 1),
                    "xy",
                    reaping=bounds.reaping,
                )
