"""A stream that somebody else writes while it is read: a pipe, a terminal."""

from __future__ import annotations

import io
import os
import select
from collections.abc import Callable

from anyorder.sources.said import behind_said

CHUNK = 64 * 1024  # bytes that a pipe of Linux holds
QUIET = 0.2  # seconds without a byte after which what has come is a batch


class Live:
    """Reads a descriptor, and knows whether more comes. `recode`: makes UTF-8 of what comes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bytes = bytearray()
        self._is_ended = False
        self._recode: Callable[[bytes], bytes] = bytes

    def recode(self, recode: Callable[[bytes], bytes]) -> None:
        """Make UTF-8 of all bytes that are not read yet, and of those to come."""
        self._recode = recode
        self._bytes = bytearray(recode(bytes(self._bytes)))

    def peek(self, size: int) -> bytes:
        """The next bytes, which are still to be read: so many, or all up to the end of a line that
        may be a record."""
        while len(self._bytes) < size and not self._has_line() and self._fill():
            pass
        return bytes(self._bytes[:size])

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        while len(self._bytes) < size and self._fill():
            pass
        return self._taken(size)

    def read1(self, size: int) -> bytes:
        """Some bytes; none at the end."""
        if not self._bytes:
            self._fill()
        return self._taken(size)

    def readline(self, size: int = io.DEFAULT_BUFFER_SIZE) -> bytes:
        """A line with its newline, or so many bytes of it."""
        searched = 0
        while (end := self._bytes.find(b"\n", searched, size)) < 0:
            searched = len(self._bytes)
            if searched >= size or not self._fill():
                return self._taken(size)
        return self._taken(end + 1)

    def is_quiet(self) -> bool:
        """Is there no whole line, and does nothing come for a while? At the end it is not quiet:
        what comes next is the end."""
        while b"\n" not in self._bytes and not self._is_ended:
            if self.is_still():
                return True
            self._fill()
        return False

    def is_still(self) -> bool:
        """Does no byte come for a while that was not here?"""
        if self._is_ended:
            return False
        ready, _, _ = select.select([self._descriptor], [], [], QUIET)
        return not ready

    def _has_line(self) -> bool:
        return b"\n" in behind_said(bytes(self._bytes))

    def _fill(self) -> bool:
        """More bytes, waiting for them; False at the end."""
        if self._is_ended:
            return False
        block = os.read(self._descriptor, CHUNK)
        self._is_ended = not block
        self._bytes += self._recode(block)
        return bool(block)

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._bytes[:size])
        del self._bytes[:size]
        return taken
