"""What a column of the user's own table holds once it is ours, in rows that were written before.

A column is ours as soon as one event of the table names it. Rows whose events came earlier, and
told all their columns without this one, hold there what lay in the table at adoption; had the one
that names it come first, they would not. So they go back to the column's own default, and the order
of events changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from anyorder._core.columns import Written, source_of, source_of_part
from anyorder._core.event import key_of
from anyorder._core.families import AdoptedPosition, AdoptedVersion
from anyorder._core.memory import Memory, Stamp, unpack
from anyorder._core.names import REST
from anyorder.guard.contract import Write
from anyorder.stores.sqlite.names import memory_table
from anyorder.stores.sqlite.schema import Schema
from anyorder.stores.sqlite.values import RowRefused
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
OF_BEFORE = (AdoptedPosition, AdoptedVersion)
PAGE = 1000  # memories read at a time
Remembrance = tuple[str, dict[str, object], Memory]
"""Entity, key and memory of a row."""


def remembered_rows(
    database: sqlite3.Connection, table: str, which: str = "page_memories"
) -> Iterator[Remembrance]:
    """Every row and tombstone that is remembered, or those of another statement; safe to write
    while iterating."""
    after, statement = "", SQL[which].format(memory=memory_table(table))
    while page := database.execute(statement, {"after": after, "limit": PAGE}).fetchall():
        for entity, text in page:
            yield entity, key_of(entity), unpack(text)
        after = page[-1][0]


def reset_untold(
    database: sqlite3.Connection, schema: Schema, write_row: Callable[[Write], None]
) -> list[Write]:
    """Write the default of the columns that became ours to all rows in which nobody tells them. The
    writes that the table took; where it refuses one, the row stays as it is."""
    joined = schema.joined
    schema.joined = []
    taken: list[Write] = []
    # None of these rows tells a value of such a column: by that it would have been ours before.
    for entity, key, memory in remembered_rows(database, schema.name, "page_told"):
        untold = {column for column in joined if not _is_of_before(memory, column)}
        if not memory.live or not untold:
            continue
        spared = frozenset({*schema.columns} - untold).union(schema.key)
        write = Write(entity, key, memory, memory, Written({}, spared))
        if _is_taken(database, write_row, write):
            taken.append(write)
    return taken


def ends_before(write: Write) -> bool:
    """Does a delete, however late, end what an adopted row still shows from before?"""
    before, after = write.before, write.after
    if before is None or after is None or not (before.live and after.live):
        return False
    told = source_of_part(after, REST)
    return told is None and _is_of_adoption(source_of_part(before, REST))


def _is_of_before(memory: Memory, column: str) -> bool:
    """Does the row show what lay there at adoption?"""
    return _is_of_adoption(source_of(memory, column))


def _is_of_adoption(told: Stamp | None) -> bool:
    return told is not None and isinstance(told.position, OF_BEFORE)


def _is_taken(
    database: sqlite3.Connection, write_row: Callable[[Write], None], write: Write
) -> bool:
    """Write one row; False if the table refuses it."""
    database.execute("SAVEPOINT anyorder_untold")
    try:
        write_row(write)
        return True
    except (sqlite3.IntegrityError, sqlite3.DataError, RowRefused):
        # A trigger that rolled everything back is for who began the write to tell.
        if not database.in_transaction:
            raise
        database.execute("ROLLBACK TO anyorder_untold")
        return False
    finally:
        if database.in_transaction:
            database.execute("RELEASE anyorder_untold")
