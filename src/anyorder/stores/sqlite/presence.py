"""Is the database file still the one that was opened? SQLite does not look: it goes on writing into
a file that was removed or replaced, and whoever opens the path sees nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

from anyorder.errors import StoreError

Identity = tuple[int, int]
"""Device and number of a file."""


class Presence:
    """The files of one database. `path`: as it was opened; in memory there are none."""

    def __init__(self, path: str) -> None:
        self._path = path
        is_file = bool(path) and path != ":memory:"
        # The process may go to another directory later.
        self._file = str(Path(path).absolute()) if is_file else ""
        # SQLite puts it beside the file itself, not beside a link to it.
        self._beside = f"{os.path.realpath(self._file)}-wal"
        self._opened: Identity | None = None
        self._journal: Identity | None = None

    def check(self) -> None:
        """Asked inside a transaction, when SQLite has its files open. Raises StoreError if another
        file, or none, lies there by now."""
        if not self._file:
            return
        there, journal = _identity(self._file), _identity(self._beside)
        # What is there the first time is what was opened.
        if self._opened is None:
            self._opened, self._journal = there, journal
        if there != self._opened:
            raise StoreError(self._gone(self._path, there))
        if self._journal is None:
            self._journal = journal
        if journal != self._journal:
            raise StoreError(self._gone(f"{self._path}-wal", journal))

    def _gone(self, name: str, there: Identity | None) -> str:
        act = "removed" if there is None else "replaced by another file"
        return (
            f"{name} was {act} while {self._path} was in use, so nothing more is read or written: "
            "put it back, or take the other one for good, and start again"
        )


def _identity(file: str) -> Identity | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
