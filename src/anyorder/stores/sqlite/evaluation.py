"""Writes rows by one statement, and tells what an expression of the user's table cannot evaluate of
them: a generated column, a CHECK, an index, a trigger.

SQLite has one code for that and for a table that is not there. What it can prepare, and yet not
run, is about the content of a row: another row may well pass.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from anyorder.stores.sqlite.troubles import GONE, code_of
from anyorder.stores.sqlite.values import RowRefused
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
OF_A_STATEMENT = "ERROR"


def write_rows(
    database: sqlite3.Connection, table: str, statement: str, columns: Sequence[Sequence[object]]
) -> int:
    """Run a statement for each row; how many it reached. `columns`: for each place of the statement
    the values of all rows. Raises RowRefused where an expression cannot be evaluated, and SQLite's
    own errors for anything else."""
    try:
        return database.executemany(statement, zip(*columns, strict=True)).rowcount
    except sqlite3.OperationalError as error:
        first = [values[0] for values in columns]
        if not _is_of_content(database, statement, first, error):
            raise
        raise RowRefused(
            f"an expression of table {table} (generated column, CHECK, index or trigger) cannot "
            f"be evaluated: {error}. Mend the producer or the expression, then retry"
        ) from error


def _is_of_content(
    database: sqlite3.Connection,
    statement: str,
    row: Sequence[object],
    error: sqlite3.OperationalError,
) -> bool:
    is_of_database = code_of(error) != OF_A_STATEMENT or str(error).startswith(GONE)
    # Where everything was rolled back, nothing more may be asked.
    if is_of_database or not database.in_transaction:
        return False
    try:
        database.execute(SQL["explain"].format(statement=statement), row)
    except sqlite3.OperationalError:
        return False
    return True
