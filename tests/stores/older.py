"""A SQLite database as an older anyorder left it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

ADDED = {
    6: (
        "DROP TABLE anyorder_content",
        "ALTER TABLE anyorder_quarantine DROP COLUMN closed",
    ),
    5: ("ALTER TABLE anyorder_table DROP COLUMN missing",),
    4: (
        "DROP TABLE anyorder_waiting",
        "CREATE INDEX anyorder_quarantine_retry ON anyorder_quarantine (table_name, entity) "
        "WHERE state = 'open' AND retry = 1",
    ),
    3: (
        "DROP TABLE anyorder_provenance",
        "ALTER TABLE anyorder_quarantine DROP COLUMN provenance_id",
    ),
    2: ("ALTER TABLE anyorder_table DROP COLUMN recorded",),
}
"""What takes away what a version of the schema added."""


def set_back(path: Path, version: int) -> None:
    """Make it one of that version of the schema."""
    with closing(sqlite3.connect(path)) as database:
        for newer in [one for one in ADDED if one > version]:
            for statement in ADDED[newer]:
                database.execute(statement)
        database.execute("UPDATE anyorder_schema SET version = ?", (version,))
        database.commit()
