"""JSON values one after the other, over as many lines as they like: what `jq` and people print, and
arrays of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from anyorder.sources.lines import BLOCK, KEPT, Done, Line, Lines
from anyorder.sources.live import Live

BETWEEN = b" \t\r\n,[]\x1e"  # of values: blanks, an array's own, and RFC 7464's separator
PASSED = re.compile(rb"[ \t\r\n,\[\]\x1e]*")
TOKEN = re.compile(rb'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"|[{}\[\]:,"]')
OPENERS, CLOSERS = b"{[", {b"}": b"{", b"]": b"["}
BEFORE = {b"{": (b":",), b"[": (b"[", b",")}
"""What stands before a value inside an object, and inside an array."""
CUT = "JSON that is cut: another value begins inside of it, or a text has no end in its line"


class Scan:
    """How far the value has been read that begins where the bytes do."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._last = b""
        self.place = 0
        self.is_cut = False

    def find_end(self, data: bytearray) -> int:
        """Where the value ends; 0 while more must come. Sets `is_cut` where it ends before its
        end."""
        for found in TOKEN.finditer(data, self.place):
            token = bytes(found.group()[:1])
            if len(found.group()) == 1 and token == b'"':
                return self._unended(data, found.start())
            if token in OPENERS and not self._may_open():
                return self._cut_at(found.start(), data)
            if token in CLOSERS and self._open.pop() != CLOSERS[token]:
                return self._cut_at(found.start(), data)
            if token in OPENERS:
                self._open.append(token)
            self._last = token
            self.place = found.end()
            if not self._open:
                return self.place
        return 0

    def _may_open(self) -> bool:
        return not self._open or self._last in BEFORE[self._open[-1]]

    def _unended(self, data: bytearray, start: int) -> int:
        """A text without its end: it comes yet, or never does."""
        self.place = start
        end = data.find(b"\n", start)
        if end < 0:
            return 0
        self.is_cut = True
        return end

    def _cut_at(self, place: int, data: bytearray) -> int:
        """Before the line in which it goes wrong, so that this one is read for itself."""
        self.is_cut = True
        start = data.rfind(b"\n", 0, place) + 1
        return start or place


class Values(Lines):
    """The objects of a stream that is at its beginning, each as a line; one by one, those of an
    array, too. What is between them and is none is a line of its own, to be told so.

    `done` says how many there were, and how many bytes up to the end of the last one.
    """

    _told: Done | None = None

    def __iter__(self) -> Iterator[Line]:
        """Every value from here on."""
        self._bytes = bytearray()
        while self._is_more():
            line = self._value() if self._bytes[:1] == b"{" else self._junk()
            if line is None:
                return
            yield line
        if self.trouble() and not self.left:
            yield self._cut(b"")

    def done(self) -> Done:
        """How far this has come with the value that was given last."""
        return self._told or super().done()

    def is_quiet(self) -> bool:
        """Is there no more of a value, and does nothing come for a while?"""
        # What may be a whole one is read at once.
        while isinstance(self._stream, Live) and b"}" not in self._bytes:
            if self._stream.is_still():
                return True
            if not self._fill():
                return False
        return False

    def skip_lines(self, number: int, digest: str) -> bool:
        """An anyorder of before read lines only."""
        return False

    def _ends_here(self) -> bool:
        """An object that is closed does not go on."""
        return True

    def _fill(self) -> bool:
        block = self._stream.read1(BLOCK)
        self._bytes += block
        return bool(block)

    def _is_more(self) -> bool:
        """Does another value begin? What is between them is passed."""
        while True:
            self._take(PASSED.match(self._bytes).end())  # type: ignore[union-attr]
            if self._bytes:
                return True
            if not self._fill():
                return False

    def _take(self, size: int) -> bytes:
        """The next bytes, which are done with."""
        taken = bytes(self._bytes[:size])
        self._add(taken)
        del self._bytes[:size]
        return taken

    def _value(self) -> Line | None:
        scan, before = Scan(), self._state()
        kept = b""
        end = scan.find_end(self._bytes)
        while not end:
            # Only the beginning is kept of what is too long; where it ends must be known.
            if not kept and len(self._bytes) > self._limits.line:
                kept = bytes(self._bytes[: min(KEPT, self._limits.line)])
            if kept:
                self._take(scan.place)
                scan.place = 0
            if not self._fill():
                return self._unfinished(before, kept)
            end = scan.find_end(self._bytes)
        text = self._counted(end)
        if kept or len(text) > self._limits.line:
            return self._told_long(kept or text[: min(KEPT, self._limits.line)])
        return Line(self._number, text, CUT if scan.is_cut else "")

    def _junk(self) -> Line | None:
        """What is no object, up to the end of its line."""
        before, kept = self._state(), b""
        end = self._bytes.find(b"\n")
        while end < 0:
            if not kept and len(self._bytes) > self._limits.line:
                kept = bytes(self._bytes[: min(KEPT, self._limits.line)])
            if kept:
                self._take(len(self._bytes))
            if not self._fill():
                return self._unfinished(before, kept)
            end = self._bytes.find(b"\n")
        text = self._counted(end)
        if kept:
            return self._told_long(kept)
        return Line(self._number, text.rstrip(BETWEEN))

    def _counted(self, size: int) -> bytes:
        """The bytes of one more; it is done up to here, whatever follows it by now: the end of an
        array moves when the array grows."""
        text = self._take(size)
        self._number += 1
        self._told = super().done()
        return text

    def _state(self) -> tuple[int, object]:
        return (self._size, self._digest.copy())

    def _unfinished(self, before: tuple[int, object], kept: bytes) -> Line | None:
        """The stream ends inside a value."""
        size = self._size - before[0] + len(self._bytes)
        text = kept or bytes(self._bytes)
        self._bytes.clear()
        self._size, self._digest = before  # type: ignore[assignment]
        if self.trouble():
            return self._cut(text)
        if self._grows:
            self.left = size
            return None
        return Line(self._number + 1, text[:KEPT], "" if not kept else CUT)

    def _told_long(self, kept: bytes) -> Line:
        note = (
            f"JSON longer than {self._limits.line} bytes (limits: line), of which the first "
            f"{len(kept)} are kept here"
        )
        return Line(self._number, kept, note)
