"""Rows that were there before, and whose key no event can have: by how a key column holds it.

SQLite keeps any class of value in any column, and a value of another class is another key: an
event's key is a number, a text or a boolean, so it would make a second row beside such a one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from anyorder._core.key import KeyKind
from anyorder.stores.sqlite.declared import Declared
from anyorder.stores.sqlite.keys import dictated_kinds
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
MOST_SHOWN = 60  # characters of a value
WORDS = {
    "null": "no value",
    "blob": "bytes, of which events have the base64 text",
    "text": "a text",
    "bit": "a number",
    "integer": "a number",
    "real": "a number",
    "far": "a double beyond 64 bits, of which events have every digit",
    "infinite": "infinite",
}
"""What a value is that is stored in a class, for a person; the classes are of `key_classes`."""
NUMBERS = frozenset({"bit", "integer", "real"})
REACHED = {
    KeyKind.TEXT: frozenset({"text"}),
    KeyKind.NUMBER: NUMBERS,
    KeyKind.BOOLEAN: frozenset({"bit"}),
}
"""The classes in which events find the keys of a kind."""


class Stored(NamedTuple):
    """One class of a key column: its name, how many rows it has, and one value, as SQL."""

    name: str
    rows: int
    example: str


class Unreachable(NamedTuple):
    """Rows of a table whose key no event can have, by the column that is at fault."""

    column: str
    rows: int
    example: str
    why: str

    def __str__(self) -> str:
        return (
            f"rows whose key no event can have ({self.rows} by {self.column}, as "
            f"{self.example:.{MOST_SHOWN}}: {self.why})"
        )


def unreachable(
    database: sqlite3.Connection,
    table: str,
    declared: Declared,
    key: Sequence[str],
    kinds: Mapping[str, KeyKind],
) -> Iterator[Unreachable]:
    """The rows of a table that no event finds, by the columns of its key. `kinds`: as its user
    declares them."""
    known = {**kinds, **dictated_kinds(declared)}
    for column in key:
        if column not in declared.columns:
            continue
        statement = SQL["key_classes"].format(table=quoted(table), column=quoted(column))
        there = [Stored(*row) for row in database.execute(statement)]
        kind = known.get(column) or _kind_of_most(there)
        reached = REACHED[kind]
        # A column that makes numbers of texts makes the same double of the event's digits.
        if kind is KeyKind.NUMBER and column in declared.typed:
            reached |= {"far"}
        missed = [stored for stored in there if stored.name not in reached]
        if missed:
            yield _told(column, missed, kind)


def _kind_of_most(there: Sequence[Stored]) -> KeyKind:
    """A column that nobody says the kind of is of one kind for all its rows: that of most."""
    texts = sum(stored.rows for stored in there if stored.name == "text")
    numbers = sum(stored.rows for stored in there if stored.name in NUMBERS)
    return KeyKind.TEXT if texts > numbers else KeyKind.NUMBER


def _told(column: str, missed: Sequence[Stored], kind: KeyKind) -> Unreachable:
    first = missed[0]
    why = WORDS[first.name]
    if first.name in NUMBERS | {"text"}:
        why = f"{why}, and the column is a {kind}"
    return Unreachable(column, sum(stored.rows for stored in missed), first.example, why)
