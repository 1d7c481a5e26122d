"""Waiting for another writer: it has an end, a stop ends it too, and whoever looks on learns whom
it is for."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from anyorder.errors import StoreBusy
from anyorder.stores.sqlite.troubles import is_busy

# SQLite's own waiting, in seconds, is deaf to signals, so it is short: the waiting is ours
DEAF_SECONDS = 0.1
PAUSE_SECONDS = 0.01  # between two tries
TOLD_SECONDS = 2.0  # a wait that lasts longer is told
LOCKED_SECONDS = 300.0  # how long a step waits before StoreBusy
LOCKS = Path("/proc/locks")  # Linux; other systems name nobody
FIRST_LOCK_BYTE = 120  # of SQLite's locks in the -shm file; those in the database lie far above
LONGEST_COMMAND = 100  # characters of a command line in a message

Answer = TypeVar("Answer")
log = logging.getLogger("anyorder")


class Lock:
    """The locks on one database file that somebody else may hold. `patience`: seconds that we wait
    for them; None: five minutes."""

    def __init__(self, path: str, patience: float | None = None) -> None:
        self._path = path
        self._patience = patience
        self._is_stopped = False

    def stop(self) -> None:
        """End the wait at hand, and every later one at once, with StoreBusy; what meets no lock
        goes on."""
        self._is_stopped = True

    def until_free(self, act: Callable[[], Answer]) -> Answer:
        """What `act` gives once nobody holds a lock against it. Raises StoreBusy after our
        patience, or a stop; other errors of SQLite's pass."""
        began, is_told = time.monotonic(), False
        # Tried again while somebody else holds the lock; it ends with his commit, a stop, or our
        # patience. SQLite's own waiting gives up in some cases although the lock will come free.
        while True:
            try:
                return act()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                waited = time.monotonic() - began
                self._give_up(waited, error)
            if waited > TOLD_SECONDS and not is_told:
                log.warning("%s: waiting for %s to end its write", self._path, holder(self._path))
                is_told = True
            time.sleep(PAUSE_SECONDS)

    def _give_up(self, waited: float, error: sqlite3.Error) -> None:
        if self._is_stopped:
            raise StoreBusy(
                f"{self._path}: stopped while {holder(self._path)} held the write lock"
            ) from error
        patience = LOCKED_SECONDS if self._patience is None else self._patience
        if waited > patience:
            raise StoreBusy(
                f"{self._path}: {holder(self._path)} held the write lock for {patience:g} s; find "
                "the writer that never commits"
            ) from error


def holder(path: str) -> str:
    """Who holds a write lock on a database, as far as this system tells: `process 4711 (python
    writer.py)`, or `another process`."""
    for process in _lockers(path):
        if process == os.getpid():
            return "another connection of this process"
        return f"process {process}{_command(process)}"
    return "another process"


def _lockers(path: str) -> Iterator[int]:
    """The processes that hold a write lock on a database, by their numbers."""
    inodes = {_inode(path), _inode(f"{path}-shm")} - {0}
    try:
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        # `1: POSIX  ADVISORY  WRITE 4711 08:02:131081 120 120`; who waits has an arrow before it
        fields = line.split()
        if len(fields) == 8 and fields[3] == "WRITE" and fields[4].isdecimal():
            inode, first = int(fields[5].rpartition(":")[2]), int(fields[6])
            if inode in inodes and first >= FIRST_LOCK_BYTE:
                yield int(fields[4])


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _command(process: int) -> str:
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    text = b" ".join(words).decode("utf-8", "replace").strip()
    return f" ({text[:LONGEST_COMMAND]})" if text else ""
