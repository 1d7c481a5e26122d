"""SQLite's own errors as sentences: what happened to which file, and what to do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from anyorder.errors import StoreBusy, StoreError

LATER = "what was committed stays: start again then"
SENTENCES = {
    "FULL": f"{{path}}: the disk is full ({{error}}). Make room; {LATER}",
    "READONLY": "{path} may only be read ({error}), and this has to write: let this user write "
    "the file and its directory",
    "NOTADB": "{path} is not a SQLite database ({error}): name another file, or move this one away",
    "CORRUPT": "{path} is damaged ({error}): keep a copy of it, and restore it from a backup or "
    "by sqlite3's .recover",
    "CANTOPEN": "cannot open {path}: {error}; does its directory exist, and may this user write "
    "there?",
    "IOERR": "{path}: reading or writing the disk fails ({error}). Look at the disk. If somebody "
    "removed or replaced this file while another process has it open, the -wal and -shm beside it "
    f"are of the former one: end that process, and remove these two; {LATER}",
}
"""By SQLite's primary code."""
GONE = ("no such table", "no such column")
READ_ONLY = frozenset({"READONLY", "CANTOPEN"})
BUSY = frozenset({"BUSY", "LOCKED"})

Given = ParamSpec("Given")
Yielded = TypeVar("Yielded")


class OfAFile(Protocol):
    """What has a database's path."""

    path: str


Owner = TypeVar("Owner", bound=OfAFile)
Step = Callable[Concatenate[Owner, Given], Iterator[Yielded]]


def told(step: Step[Owner, Given, Yielded]) -> Step[Owner, Given, Yielded]:
    """A step (a generator, before `contextmanager` takes it) of which no error of SQLite's leaves
    but as StoreError. A constraint's does: it is about content, not about the store."""

    @wraps(step)
    def watched(owner: Owner, /, *given: Given.args, **named: Given.kwargs) -> Iterator[Yielded]:
        try:
            yield from step(owner, *given, **named)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise trouble(owner.path, error) from error

    return watched


def trouble(path: str, error: sqlite3.Error) -> StoreError:
    """The exception for what SQLite says of a database."""
    code = code_of(error)
    if code in BUSY:
        return StoreBusy(f"{path}: {error}. {StoreBusy()}")
    if code in SENTENCES:
        return StoreError(SENTENCES[code].format(path=path, error=error))
    if str(error).startswith(GONE):
        return StoreError(
            f"{path}: {error}: it was dropped or renamed while it was in use. Put it back; {LATER}"
        )
    return StoreError(f"{path}: {error}")


def sentence(path: str, error: sqlite3.Error | StoreError) -> StoreError:
    """The same for an error that may have its sentence already."""
    return trouble(path, error) if isinstance(error, sqlite3.Error) else error


def is_busy(error: sqlite3.Error) -> bool:
    """Does somebody else hold a lock?"""
    return code_of(error) in BUSY


def may_only_be_read(error: BaseException) -> bool:
    """Is it of a database that this process may not write, or not open for writing?"""
    cause = error.__cause__ if isinstance(error, StoreError) else error
    return isinstance(cause, sqlite3.Error) and code_of(cause) in READ_ONLY


def code_of(error: sqlite3.Error) -> str:
    """SQLite's primary code: `BUSY` of SQLITE_BUSY_SNAPSHOT; "" of what Python itself found."""
    # an extended code begins with the primary one, and no primary code has two words but these
    name: str = getattr(error, "sqlite_errorname", None) or ""
    return name.removeprefix("SQLITE_").partition("_")[0]
