"""The exit codes, and which exception ends with which."""

from __future__ import annotations

from anyorder.errors import (
    AnyorderError,
    ConfigurationError,
    Malformed,
    MissingExtra,
    NotReapable,
    QuarantineFull,
    TableNotEmpty,
    TooManyQuarantined,
)

FINE, FOUND, MISUSE, STOPPED = 0, 1, 2, 3
INTERRUPTED = 130  # as a shell tells a process that SIGINT ended
MEANINGS = {
    FINE: "fine",
    FOUND: "found something",
    MISUSE: "misuse",
    STOPPED: "could not go on",
}
CODES: tuple[tuple[type[Exception], int], ...] = (
    # what a person looked at is broken, and that is the answer
    (Malformed, FOUND),
    (QuarantineFull, FOUND),
    (TooManyQuarantined, FOUND),
    (ConfigurationError, MISUSE),
    (MissingExtra, MISUSE),
    (NotReapable, MISUSE),
    # a StoreError too, but a word of the person's is missing
    (TableNotEmpty, MISUSE),
    # store, source, books: what was committed stays
    (AnyorderError, STOPPED),
    (OSError, STOPPED),
)
"""The first that an exception is of counts."""
BUG = (
    "a bug in anyorder ({name}: {error}); what was committed stays. Please report it, with what "
    "ANYORDER_TRACEBACK=1 prints"
)


def code_of(error: Exception) -> int:
    """The exit code that an exception ends with."""
    found = (code for kind, code in CODES if isinstance(error, kind))
    return next(found, STOPPED)


def sentence_of(error: Exception) -> str:
    """An exception for people, on one line."""
    text = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror or error}"
    elif code_of(error) == STOPPED and not isinstance(error, AnyorderError | OSError):
        text = BUG.format(name=type(error).__name__, error=error)
    return " ".join(text.split())


def overview() -> str:
    """`0 fine, 1 found something, 2 misuse, 3 could not go on`."""
    return ", ".join(f"{code} {meaning}" for code, meaning in MEANINGS.items())
