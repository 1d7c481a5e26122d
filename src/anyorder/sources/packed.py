"""A packed file as a stream of its content, up to where it can be read, and not beyond any use."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from anyorder.envelopes.limits import DEFAULT, Limits

SUFFIXES: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}
"""How a file's name says that it is packed."""
MAGIC = {
    b"\x1f\x8b": "with gzip: have its name end in .gz",
    b"\xfd7zXZ\0": "with xz: have its name end in .xz",
    b"\x28\xb5\x2f\xfd": "with zstd, which is not read: unpack it first (zstd -d)",
    b"BZh91AY&SY": "with bzip2, which is not read: unpack it first (bunzip2)",
}
"""How the bytes of a packed file begin, and what to do where its name does not say so."""
LONGEST_MAGIC = max(map(len, MAGIC))  # bytes
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, MemoryError)
HEAD = 4096  # bytes of a file that tell how much memory it needs


def packed_with(head: bytes) -> str:
    """By what a file is packed that begins so, and what to do; "" if it is not."""
    return next((told for magic, told in MAGIC.items() if head.startswith(magic)), "")


class Unpacked(io.RawIOBase):
    """The content of a packed file. `trouble`: why it ends before its end, "" if it does not.
    `file`: it itself, packed as it is.

    Raises OSError if the file cannot be opened.
    """

    def __init__(
        self, path: str, opener: Callable[..., IO[bytes]], limits: Limits = DEFAULT
    ) -> None:
        super().__init__()
        self.trouble = ""
        self._size = 0
        self._limit = max(limits.unpacked, limits.expansion * os.path.getsize(path))
        self.file = Path(path).open("rb")  # noqa: SIM115
        self._packed = opener(self.file, "rb")
        if opener is lzma.open:
            self.trouble = _too_hungry(path, limits.memory)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Some bytes of the content; none at its end, or where the rest cannot be had."""
        if self.trouble:
            return 0
        try:
            found: bytes = self._packed.read1(len(buffer))  # type: ignore[attr-defined]
        except BROKEN as error:
            self.trouble = f"the packed file ends in the middle, or is damaged: {error}"
            return 0
        room = self._limit - self._size
        self._size += len(found)
        # what is not too much is content as any other
        if len(found) > room:
            found = found[:room]
            self.trouble = (
                f"the packed file unpacks to more than {self._limit} bytes (limits: unpacked, "
                "expansion)"
            )
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        """Close the file."""
        self._packed.close()
        self.file.close()
        super().close()


def _too_hungry(path: str, memory: int) -> str:
    """Why an .xz file is not unpacked: it says itself how much memory that needs."""
    with Path(path).open("rb") as file:
        head = file.read(HEAD)
    try:
        lzma.LZMADecompressor(memlimit=memory).decompress(head, 1)
    except lzma.LZMAError as error:
        # what else is wrong with it is found where it is read
        if "limit" in str(error).lower():
            return f"unpacking it needs more than {memory} bytes of memory (limits: memory)"
    return ""
