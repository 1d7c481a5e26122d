"""Bytes that are not plain UTF-8: with a byte order mark before them, or UTF-16, as PowerShell
writes a file."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from typing import Any

HEAD = 4  # bytes that tell
BLOCK = 64 * 1024
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FIRST = b'{["'
"""What JSON begins with; in UTF-16 a zero byte stands beside it."""


def recoding(head: bytes) -> Callable[[bytes], bytes] | None:
    """What makes UTF-8 of a stream that begins so, called with its bytes one block after the other;
    None for UTF-8 as it should be."""
    for mark, name in MARKS:
        if head.startswith(mark):
            return _Recoding(name, len(mark))
    first, second = head[:1], head[1:2]
    if second == b"\0" and first in FIRST and first:
        return _Recoding("utf-16-le", 0)
    if first == b"\0" and second in FIRST and second:
        return _Recoding("utf-16-be", 0)
    return None


class _Recoding:
    """Half of a character waits for the other half. `skipped`: bytes of the mark."""

    def __init__(self, name: str, skipped: int) -> None:
        self._skipped = skipped
        self._is_utf8 = name == "utf-8"
        # Half of a surrogate pair is told where the record is read, which keeps its neighbours.
        self._decode = codecs.getincrementaldecoder(name)("surrogatepass").decode

    def __call__(self, block: bytes) -> bytes:
        rest = block[self._skipped :]
        self._skipped -= len(block) - len(rest)
        return rest if self._is_utf8 else self._decode(rest).encode("utf-8", "surrogatepass")


class Recoded(io.RawIOBase):
    """A file as UTF-8, and closed with it."""

    def __init__(self, stream: Any, recode: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._stream = stream
        self._recode = recode
        self._rest = b""

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Some bytes of it; none at its end."""
        while not self._rest:
            block = self._stream.read1(BLOCK)
            if not block:
                return 0
            self._rest = self._recode(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()
