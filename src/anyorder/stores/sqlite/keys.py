"""What a key column of the user's own table says of its values by its declared type."""

from __future__ import annotations

import sqlite3

from anyorder._core.key import KeyKind
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
WORDS: tuple[tuple[str, KeyKind], ...] = (
    ("INT", KeyKind.NUMBER),
    ("CHAR", KeyKind.TEXT),
    ("CLOB", KeyKind.TEXT),
    ("TEXT", KeyKind.TEXT),
    ("REAL", KeyKind.NUMBER),
    ("FLOA", KeyKind.NUMBER),
    ("DOUB", KeyKind.NUMBER),
    ("NUM", KeyKind.NUMBER),
    ("DEC", KeyKind.NUMBER),
    ("BOOL", KeyKind.BOOLEAN),
)
"""What is in a type -> the kind: in SQLite's own order, whose rules look into a type in this way
(sqlite.org/datatype3.html, 3.1). `NUM` is in NUMERIC and NUMBER, `DEC` in DECIMAL. Any other type
dictates nothing: SQLite takes a STRING or a DATE for a number, and its user does not."""


def kind_of_type(declared: str) -> KeyKind | None:
    """The kind that a declared type dictates; None for a type that says nothing, or none."""
    declared = declared.upper()
    for word, kind in WORDS:
        if word in declared:
            return kind
    return None


def dictated_kinds(database: sqlite3.Connection, table: str) -> dict[str, KeyKind]:
    """The kinds of a table's columns, of those whose type dictates one; none if it is not there."""
    kinds: dict[str, KeyKind] = {}
    for column, declared in database.execute(SQL["types_of"], {"name": table}):
        kind = kind_of_type(declared)
        if kind is not None:
            kinds[column] = kind
    return kinds
