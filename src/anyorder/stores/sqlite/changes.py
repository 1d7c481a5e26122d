"""What somebody did to a table while it was in use, told once, at the next event that is written:
nothing of it stops the run, and nobody would look for it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Set

from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
MADE_ANEW = "the next event that tells it makes it anew, and rows of before hold null there"
NOT_WRITTEN = "what events tell of it is not written until it is there again"
log = logging.getLogger("anyorder")


def tell_gone(table: str, columns: Set[str], *, created: bool) -> None:
    """Columns that events have told are not there any more. `created`: we made the table, so we
    make them again."""
    what_follows = MADE_ANEW if created else NOT_WRITTEN
    for column in sorted(columns):
        log.warning(
            "column %s is gone from table %s, dropped or renamed: %s", column, table, what_follows
        )


def tell_emptied(database: sqlite3.Connection, table: str, memory: str) -> None:
    """There is no row, though some are remembered. `memory`: the quoted name of the memory."""
    if database.execute(SQL["any_row"].format(table=quoted(table))).fetchone() is not None:
        return
    if database.execute(SQL["any_live"].format(memory=memory)).fetchone() is None:
        return
    log.warning(
        "table %s is empty, though rows of it are remembered: it was emptied, or made anew. A row "
        "comes back with the next whole event of its key; what tells it in part is a conflict",
        table,
    )
