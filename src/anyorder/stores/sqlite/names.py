"""The names of tables in SQLite: which of them are one, and which no target can have."""

from __future__ import annotations

import sqlite3
import string

from anyorder.stores.statements import LONGEST_IDENTIFIER, load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
RESERVED = {
    "anyorder_": "anyorder's own tables are called so",
    "sqlite_": "SQLite keeps such names for itself",
    # A table of that name would be read instead of the function, by us as well.
    "pragma_": "SQLite's own functions are called so",
}
"""How a name must not begin, and why."""
FUNCTIONS = frozenset({"json_each", "json_tree"})
TELLS_SHADOWS = sqlite3.sqlite_version_info >= (3, 37)
LONGEST = LONGEST_IDENTIFIER - len("anyorder_tombstones_")
"""Characters of a target's name: with ours before it, it is still the name of a memory's index."""


def folded(name: str) -> str:
    """A name of a table or a column as SQLite compares it: only the letters of ASCII have a
    case."""
    return name.translate(LOWER)


def memory_table(name: str) -> str:
    """The quoted name of the memory beside a table."""
    return quoted(f"anyorder_memory_{name}")


def unfit(database: sqlite3.Connection, name: str) -> str:
    """Why no target can have this name, "" if one can."""
    return _unwritable(name) or _reserved(folded(name)) or _taken(database, name)


def _unwritable(name: str) -> str:
    if not 0 < len(name) <= LONGEST:
        return f"a name has 1 to {LONGEST} characters"
    if "\x00" in name:
        return "a name has no NUL"
    # A lone surrogate, as JSON may spell one, is no text that a database takes.
    if not name.isascii() and name != name.encode(errors="ignore").decode():
        return "it is no Unicode text"
    return ""


def _reserved(folded: str) -> str:
    if folded in FUNCTIONS:
        return RESERVED["pragma_"]
    for prefix, why in RESERVED.items():
        if folded.startswith(prefix):
            return why
    return ""


def _taken(database: sqlite3.Connection, name: str) -> str:
    """What else has the name: nothing that rows can be kept in."""
    kind = _kind(database, name)
    if kind not in ("", "table"):
        article = "an" if kind == "index" else "a"
        return f"it is {article} {kind}"
    if not kind and database.execute(SQL["has_columns"], {"name": name}).fetchone() is not None:
        return "it is no table of the database file: SQLite has something of that name itself"
    if not TELLS_SHADOWS or database.execute(SQL["is_shadow"], {"name": name}).fetchone() is None:
        return ""
    return "a virtual table keeps its content there"


def _kind(database: sqlite3.Connection, name: str) -> str:
    row = database.execute(SQL["kind_of_name"], {"name": name}).fetchone()
    return "" if row is None else str(row[0])
