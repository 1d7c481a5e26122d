"""What a key column of the user's own table says of its values by its declared type."""

from __future__ import annotations

from anyorder._core.key import KeyKind
from anyorder.stores.sqlite.declared import Declared
from anyorder.stores.sqlite.values import TEXT, affinity_of, means_number

BOOLEANS = frozenset({"BOOL", "BOOLEAN"})


def kind_of_type(declared: str) -> KeyKind | None:
    """The kind that a declared type dictates; None for a type that says nothing, or none: SQLite
    takes a STRING, a DATE or an ENUM for a number, and its user does not."""
    if means_number(declared):
        return KeyKind.NUMBER
    if declared.upper() in BOOLEANS:
        return KeyKind.BOOLEAN
    return KeyKind.TEXT if affinity_of(declared) == TEXT else None


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
