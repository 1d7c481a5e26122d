"""What a key column of the user's own table says of its values by its declared type."""

from __future__ import annotations

from anyorder._core.key import KeyKind
from anyorder.stores.sqlite.declared import Declared

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


def dictated_kinds(declared: Declared | None) -> dict[str, KeyKind]:
    """The kinds of a table's columns, of those whose type dictates one; none if it is not there.
    Columns that we made have no type."""
    kinds: dict[str, KeyKind] = {}
    if declared is None:
        return kinds
    for column, typed in declared.typed.items():
        kind = kind_of_type(typed.declared)
        if kind is not None:
            kinds[column] = kind
    return kinds
