"""The lines of a file or of standard input, one by one, whatever lies in them: each bounded, and
with how far the reading has come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes import read_record
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import Malformed
from anyorder.sources.live import Live
from anyorder.sources.said import is_said

KEPT = 1024 * 1024  # bytes that are kept of what is too long, or cut
BLOCK = 1024 * 1024  # bytes compared at a time
ENDS = (b"}", b"]", b'"')  # the ends of JSON to which nothing can be added


class Stream(Protocol):
    """Bytes, one after the other."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end."""

    def read1(self, size: int, /) -> bytes:
        """Some bytes; none at the end."""

    def readline(self, size: int, /) -> bytes:
        """A line with its newline, or so many bytes of it."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line without its end. `number`: from 1. `note`: why it is no record, "" if it may be
    one."""

    number: int
    text: bytes
    note: str = ""


class Done(NamedTuple):
    """How far a reading has come: lines, bytes, and the hash of all these bytes."""

    number: int
    size: int
    digest: str

    def __str__(self) -> str:
        """As it is stored: `17:4711:5f0c0d6e1a2b3c4d`."""
        return f"{self.number}:{self.size}:{self.digest}"


def untroubled() -> str:
    """A stream that ends where it ends."""
    return ""


class Lines:
    """The lines of a stream that is at its beginning.

    `limits`: of a line that is longer only the beginning is kept. `trouble`: why the stream ended
    before its end, "" if it did not. `grows`: somebody may be writing it, so a last line without
    newline that is no record yet is left; `left` is how many bytes of it are there. Elsewhere it is
    given, and is not done: the whole one may come there. `read`: what a record is. `is_live`: who
    writes it may wait for what is made of it.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        trouble: Callable[[], str] = untroubled,
        grows: bool = False,
        limits: Limits = DEFAULT,
        read: Callable[[bytes], Delivery] | None = None,
    ) -> None:
        self._limits = limits
        self._read_record = read or (lambda text: read_record(text, limits))
        self.left = 0
        self._stream = stream
        self.is_live = isinstance(stream, Live)
        self.trouble = trouble
        self._grows = grows
        self._number = 0
        self._size = 0
        self._digest = hashlib.blake2b(digest_size=8)
        self._is_ended = True
        self._has_begun = False

    def __iter__(self) -> Iterator[Line]:
        """Every line from here on that is not blank."""
        is_at_end = False
        readline, longest = self._stream.readline, self._limits.line + 1
        # Behind the end nothing is read, though more may have been written by now: it would begin
        # inside a line.
        while not is_at_end and (text := readline(longest)):
            if text.endswith(b"\n"):
                self._count(text)
                line = Line(self._number, text.rstrip(b"\r\n")) if self._tells(text) else None
            elif len(text) > self._limits.line:
                line = self._too_long(text)
                is_at_end = not self._is_ended
            else:
                line = self._unended(text)
                is_at_end = True
            if line is not None:
                yield line
        if self.trouble() and not self.left:
            yield self._cut(b"")

    def _tells(self, text: bytes) -> bool:
        """Is there anything on a line? What a tool says before the first record is nothing."""
        if text.isspace() or (not self._has_begun and is_said(text)):
            return False
        self._has_begun = True
        return True

    def is_quiet(self) -> bool:
        """Does nothing come for a while, of a stream that somebody writes?"""
        return isinstance(self._stream, Live) and self._stream.is_quiet()

    def done(self) -> Done:
        """How far this has come with the line that was given last. What was cut, or is the half of
        a line, is not done."""
        return Done(self._number, self._size, self._digest.hexdigest())

    def skip(self, done: Done) -> bool:
        """Go on behind what is done; False, and this is of no use any more, if other bytes lie
        there, or the line goes on that was done last."""
        self._has_begun = True
        last = b"\n"
        while self._size < done.size:
            block = self._stream.read(min(BLOCK, done.size - self._size))
            if not block:
                return False
            self._add(block)
            last = block
        self._number = done.number
        self._is_ended = last.endswith(b"\n")
        return self._digest.hexdigest() == done.digest and self._ends_here()

    def skip_lines(self, number: int, digest: str) -> bool:
        """The same for how far an anyorder of before had come, which kept the hash of the first
        line only."""
        while self._number < number:
            text = self._read()
            if not text:
                return False
            self._count(text)
            if self._number == 1 and self._digest.hexdigest() != digest:
                return False
        return True

    def _read(self) -> bytes:
        """A line with its newline, or the beginning of one that is too long."""
        return self._stream.readline(self._limits.line + 1)

    def _ends_here(self) -> bool:
        """Does the line end that was done last? It may have been taken before its newline came;
        what else follows in it makes it another line."""
        if self._is_ended:
            return True
        rest = self._read()
        self._count(rest)
        return not rest.strip()

    def _count(self, text: bytes) -> None:
        self._number += self._is_ended
        self._is_ended = text.endswith(b"\n")
        self._size += len(text)
        self._digest.update(text)

    def _add(self, text: bytes) -> None:
        self._size += len(text)
        self._digest.update(text)

    def _unended(self, text: bytes) -> Line | None:
        """The end of it all, which has no newline."""
        if self.trouble():
            return self._cut(text)
        if not self._may_go_on(text):
            self._count(text)
            return Line(self._number, text.rstrip(b"\r"))
        if self._grows:
            self.left = len(text)
            return None
        # Nobody may ever go on writing what is packed, or was piped in: its half is given.
        return Line(self._number + 1, text.rstrip(b"\r")) if text.strip() else None

    def _too_long(self, text: bytes) -> Line | None:
        before = (self._number, self._size, self._digest.copy())
        self._count(text)
        # It ends with the line, or with the stream; only its beginning is kept in memory.
        while not self._is_ended and (more := self._stream.readline(BLOCK)):
            self._count(more)
        if self._grows and not self._is_ended:
            self.left = self._size - before[1]
            self._number, self._size, self._digest = before
            return None
        kept = text[: min(KEPT, self._limits.line)]
        note = (
            f"a line longer than {self._limits.line} bytes (limits: line), of which the first "
            f"{len(kept)} are kept here"
        )
        return Line(self._number, kept, note)

    def _cut(self, text: bytes) -> Line:
        self.left = len(text) or 1
        return Line(self._number + 1, text[:KEPT], self.trouble())

    def _may_go_on(self, text: bytes) -> bool:
        """May the rest of a line without newline come yet? A number that parses may have more
        digits, a record may not."""
        if not text.rstrip().endswith(ENDS):
            return True
        try:
            self._read_record(text)
        except Malformed:
            return True
        return False
