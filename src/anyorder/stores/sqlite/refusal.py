"""What SQLite's refusal of a write says: whether other rows may lift it, or another event of the
key, or nothing."""

from __future__ import annotations

import sqlite3

from anyorder._core.columns import holes
from anyorder._core.outcome import Reason
from anyorder.errors import Undone
from anyorder.guard.contract import Refused, Write
from anyorder.stores.sqlite.names import folded
from anyorder.stores.sqlite.rows import RowNotWritten
from anyorder.stores.sqlite.schema import Schema

UNIQUE = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
OTHER_ROWS = UNIQUE | {"SQLITE_CONSTRAINT_ROWID", "SQLITE_CONSTRAINT_FOREIGNKEY"}
WAITS = OTHER_ROWS | {"SQLITE_CONSTRAINT_TRIGGER"}
UNTOLD = (
    "column {column} may not be null, and no event has told it yet: a whole event of the key ends "
    "it ({error})"
)


def refusal(write: Write, error: Exception, schema: Schema) -> Refused:
    """A constraint that other rows may lift is waiting (rules R1), and so is one that another event
    of the key may; a type or check that never will be is malformed."""
    entity = write.entity
    if isinstance(error, RowNotWritten):
        return Refused(entity, error.reason, str(error))
    column = _untold(write, error, schema)
    if column:
        told = UNTOLD.format(column=column, error=error)
        return Refused(entity, Reason.WAITING, told, untold=True)
    reason = Reason.WAITING if _name(error) in WAITS else Reason.MALFORMED
    return Refused(entity, reason, str(error))


def _untold(write: Write, error: Exception, schema: Schema) -> str:
    """The column that may not be null and that no event of the key has told; "" if it is something
    else."""
    after = write.after
    if _name(error) != "SQLITE_CONSTRAINT_NOTNULL" or after is None:
        return ""
    refused = folded(str(error))
    for column in holes(after, schema.declared.columns):
        # SQLite tells the table and the column, as they are declared.
        if refused.endswith(folded(f": {schema.name}.{column}")):
            return column
    return ""


def bare(error: Exception) -> Exception:
    """The error without the frames in which it was raised: they would keep the whole batch until
    the garbage collector comes, and what is asked is only what it says."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def parentless(table: str, parent: str) -> RowNotWritten:
    """The refusal of any row of a table whose foreign key names a table that is not there yet."""
    detail = f"a foreign key of table {table} names table {parent}, which is not made yet"
    return RowNotWritten(detail, Reason.WAITING)


def undone(
    error: sqlite3.IntegrityError,
    keys: frozenset[tuple[str, str]] = frozenset(),
) -> Undone:
    """The error of a transaction that was undone as a whole. A trigger that rolls everything back
    is not asked a second time; a constraint on other rows may be."""
    return Undone(str(error), waits=_name(error) in OTHER_ROWS, keys=keys)


def is_unique(error: Exception | None) -> bool:
    """Does another row hold a unique value?"""
    return _name(error) in UNIQUE


def is_foreign(error: Exception | None) -> bool:
    """Is a parent not there, or a child in the way?"""
    return _name(error) == "SQLITE_CONSTRAINT_FOREIGNKEY"


def _name(error: Exception | None) -> str:
    return str(getattr(error, "sqlite_errorname", ""))
