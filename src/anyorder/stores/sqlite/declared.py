"""A table as the database declares it now: its columns, and what of it changes, folds or ignores
what is written."""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

from anyorder.stores.sqlite.names import folded
from anyorder.stores.sqlite.values import Typed, typed_column
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
BARE_WORD = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9$\u0080-\U0010ffff]*")
QUOTED = {'"': '"', "`": "`", "[": "]"}
MEANINGFUL_WORDS = frozenset(
    {"NULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"}
)


class Declared(NamedTuple):
    """`columns`: those that can be written; `generated`: those that cannot. `typed`: those that
    convert what is written, by name. `defaults`: SQL of a column's own default. `collations`: of
    indexed columns that compare texts otherwise than letter by letter. `has_triggers`: its own may
    ignore a write. `has_followers`: rows of guarded tables change, or go, with its own by
    themselves."""

    columns: tuple[str, ...]
    generated: frozenset[str]
    primary: frozenset[str]
    typed: dict[str, Typed]
    defaults: dict[str, str]
    collations: dict[str, str]
    has_triggers: bool
    has_followers: bool

    @property
    def names(self) -> dict[str, str]:
        """Every column, by its name as SQLite compares it."""
        return {folded(name): name for name in (*self.columns, *self.generated)}

    def default_of(self, column: str) -> str:
        """SQL of what a column holds that nobody names."""
        return self.defaults.get(column, "NULL")


NOTHING_DECLARED = Declared(
    columns=(),
    generated=frozenset(),
    primary=frozenset(),
    typed={},
    defaults={},
    collations={},
    has_triggers=False,
    has_followers=False,
)


def declared_now(database: sqlite3.Connection, table: str) -> Declared | None:
    """A table or view as it is declared at this moment; None if there is none."""
    found = database.execute(SQL["columns_of"], {"name": table}).fetchall()
    if not found:
        return None
    named = {"name": table}
    is_strict = database.execute(SQL["is_strict"], named).fetchone()
    typed: dict[str, Typed] = {}
    defaults: dict[str, str] = {}
    for name, declared, default, _, _ in found:
        # In a STRICT table ANY keeps everything; elsewhere it is a word like any other.
        is_any = is_strict == (1,) and declared.upper() == "ANY"
        converting = None if is_any else typed_column(name, declared)
        if converting is not None:
            typed[name] = converting
        if default is not None:
            defaults[name] = _expression(default)
    return Declared(
        columns=tuple(name for name, _, _, _, hidden in found if not hidden),
        generated=frozenset(name for name, _, _, _, hidden in found if hidden),
        primary=frozenset(name for name, _, _, place, _ in found if place),
        typed=typed,
        defaults=defaults,
        collations=dict(database.execute(SQL["collations_of"], named).fetchall()),
        has_triggers=database.execute(SQL["triggers_of"], named).fetchone() is not None,
        has_followers=database.execute(SQL["has_followers"], named).fetchone() == (1,),
    )


def unique_keys(database: sqlite3.Connection, table: str) -> list[set[str]]:
    """The columns of each unique index of a table."""
    found = database.execute(SQL["unique_indexes"], {"name": table})
    return [set(names.split("\x00")) for _, names in found]


def _expression(default: str) -> str:
    """A default as an expression of an UPDATE. A bare or quoted word is a text there too, not
    another column."""
    is_word = BARE_WORD.fullmatch(default) and default.upper() not in MEANINGFUL_WORDS
    if is_word:
        return f"'{default}'"
    closing = QUOTED.get(default[0])
    if closing is not None:
        # In brackets nothing is doubled, and no bracket closes but the last.
        text = default[1:-1].replace(closing * 2, closing).replace("'", "''")
        return f"'{text}'"
    # A comment may end it, and goes on to the end of its line.
    return f"({default}\n)"
