"""What is held and refused for now, though nobody knows what it waits for: tried again in turn, a
few a batch, so that none starves."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import msgspec

from anyorder.stores.sqlite.lines import Key
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
IN_TURN = 20  # deliveries that a batch tries again although nobody knows what they wait for
LEAST_IN_TURN, WRITES_FOR_ONE = 10, 50  # so many, and one more for so many writes: a try costs CPU
_encode = msgspec.json.encode


class Turn(NamedTuple):
    """An entry whose turn it is. `is_derived`: it was looked for what it waits for."""

    entry: int
    key: Key
    is_derived: bool


class Turns:
    """Of one transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._is_taken = False
        self._having: set[int] = set()

    def __contains__(self, entry: int) -> bool:
        """Is it tried in this transaction?"""
        return entry in self._having

    def take(self, written: int) -> list[Turn]:
        """A few of them; once a transaction. `written`: how many writes it has."""
        if self._is_taken:
            return []
        self._is_taken = True
        limit = min(IN_TURN, max(LEAST_IN_TURN, written // WRITES_FOR_ONE))
        asked = {"limit": limit}
        rows = self._database.execute(SQL["in_turn"], asked).fetchall()
        found = [Turn(entry, (table, entity), own != "") for entry, table, entity, own in rows]
        self._having = {turn.entry for turn in found}
        # They go to the end.
        if found:
            entries = _encode(sorted(self._having)).decode()
            self._database.execute(SQL["next_turn"], {"entries": entries})
        return found
