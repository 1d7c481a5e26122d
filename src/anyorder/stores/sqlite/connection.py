"""Connections to a SQLite file: one that may write, or one that only looks."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from anyorder.errors import StoreError
from anyorder.stores.sqlite.lock import DEAF_SECONDS
from anyorder.stores.sqlite.troubles import trouble
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
# In a directory where the files beside a WAL database cannot be made it opens only as one that
# nobody changes; then what lies in its WAL is not seen.
READING = ("mode=ro", "mode=ro&immutable=1")
BESIDE = ("-shm", "-wal")
REMAINS = (
    "{path} is gone, and {left} are left of it: somebody removed the file alone. Put it back, with "
    "these beside it. Or, to begin anew, end every process that still has it open, and remove "
    "these too"
)
log = logging.getLogger("anyorder")


def connect(path: str) -> sqlite3.Connection:
    """A connection in autocommit mode: the store says BEGIN and COMMIT itself. Raises StoreError
    where a database would be made beside what is left of another."""
    _refuse_remains(path)
    try:
        return _connected(path)
    except sqlite3.Error as error:
        raise trouble(path, error) from error


def connect_to_read(path: str, refused: StoreError) -> sqlite3.Connection:
    """A connection to a database that may not be written. Raises `refused` where it cannot be read
    either."""
    file = Path(path).resolve()
    for mode in READING:
        try:
            database = _connected(f"{file.as_uri()}?{mode}", uri=True)
            database.execute(SQL["has_schema"]).fetchone()
        except sqlite3.Error:
            continue
        if mode != READING[0]:
            _warn_of_unseen(file)
        return database
    raise refused


def connect_to_look(path: str) -> sqlite3.Connection:
    """A connection that leaves no trace, not even the files beside a WAL database. Raises
    StoreError where it cannot be read."""
    _refuse_remains(path)
    file = Path(path).resolve()
    # Where something lies in the WAL, the files are there, and what is in them counts. Else the
    # database is complete by itself, and is read as one that nobody changes.
    mode = READING[0] if _has_log(file) else READING[1]
    try:
        return _connected(f"{file.as_uri()}?{mode}", uri=True)
    except sqlite3.Error as error:
        raise trouble(path, error) from error


def copy_to_look(path: str, copy: str) -> None:
    """Copy a database as it is now into another file, and leave no trace at the first. Raises
    StoreError where it cannot be read."""
    with closing(connect_to_look(path)) as database, closing(_connected(copy)) as into:
        try:
            database.backup(into)
        except sqlite3.Error as error:
            raise trouble(path, error) from error


def has_schema(path: str) -> bool:
    """Are our tables in a database file? It is looked at without a trace; what cannot be read is
    left to whoever opens it."""
    try:
        database = connect_to_look(path)
        try:
            return database.execute(SQL["has_schema"]).fetchone() is not None
        finally:
            database.close()
    except (sqlite3.Error, StoreError):
        return True


def remains(path: str) -> list[str]:
    """What is left beside a database file that is not there any more."""
    beside = os.path.realpath(path)
    if not path or path == ":memory:" or os.path.exists(beside):
        return []
    return [f"{path}{end}" for end in BESIDE if os.path.exists(f"{beside}{end}")]


def _refuse_remains(path: str) -> None:
    # SQLite would make an empty file and read a journal that is not its own: "disk I/O error", or
    # nothing at all, while another process goes on writing into the file that is gone.
    left = remains(path)
    if left:
        raise StoreError(REMAINS.format(path=path, left=", ".join(left)))


def _has_log(file: Path) -> bool:
    beside = Path(f"{file}-wal")
    return beside.exists() and beside.stat().st_size > 0


def _connected(place: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        place, timeout=DEAF_SECONDS, isolation_level=None, check_same_thread=False, uri=uri
    )


def _warn_of_unseen(file: Path) -> None:
    if _has_log(file):
        log.warning(
            "%s: its latest commits lie in %s-wal, which cannot be read from here: they are not "
            "seen",
            file,
            file,
        )
