"""Whose an exception is that comes out of reading a record: a mistake of the reader's, or one that
somebody else raised there, such as a worker's timeout in its signal handler.

Python runs a signal handler between any two steps of whatever runs, and a thread may be sent an
exception from outside. Neither says anything of the record.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType, TracebackType

READERS = frozenset((*sys.stdlib_module_names, "anyorder", "msgspec"))
"""The packages whose code reads records, by their first names."""


def is_of_reading(failure: BaseException, reader: str) -> bool:
    """Did the code that reads records raise it, all by itself? `reader`: the module of the reader,
    which may be a user's own."""
    # One that is sent to a thread from outside has no code of its own, but a class.
    if not _reads(type(failure).__module__, reader):
        return False
    return all(_reads(module, reader) for module in _modules(failure.__traceback__))


def _reads(module: str, reader: str) -> bool:
    return module == reader or module.partition(".")[0] in READERS


def _modules(found: TracebackType | None) -> Iterator[str]:
    """The modules of the code that an exception has come through, behind the one that caught it."""
    caught = found
    while caught is not None and caught.tb_next is not None:
        caught = caught.tb_next
        yield _module(caught.tb_frame)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
