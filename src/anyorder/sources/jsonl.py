"""JSON lines: one record a line, from a file (.gz and .xz are unpacked) or standard input, resuming where the store's frontier says."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from anyorder.errors import ConfigurationError

LONGEST_LINE = 64 * 1024 * 1024  # bytes; a longer line is delivered in pieces, which decode as malformed


class Line(NamedTuple):
    """A line and where the next one begins, in the frontier's spelling."""

    text: bytes
    frontier: str


class JSONLinesSource:
    """`path`: a file, or `-` for standard input, which cannot resume. The frontier is `LINE:HASH`, the hash being of the first line:
    another file under the same name is read from its beginning, which is safe, since old data is recognised."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = "jsonl:-" if path == "-" else f"jsonl:{Path(path).resolve()}"

    @property
    def size(self) -> int | None:
        """Bytes of the file as it lies there, for progress; None for standard input."""
        return None if self.path == "-" else Path(self.path).stat().st_size

    def lines(self, frontier: str | None) -> Iterator[Line]:
        """The lines from the frontier on. Raises ConfigurationError if the file is not there."""
        with self._open() as stream:
            first = stream.readline(LONGEST_LINE)
            mark = hashlib.blake2b(first, digest_size=8).hexdigest()
            done = _done(frontier, mark) if self.path != "-" else 0
            number, text = 1, first
            while text:
                if number > done and text.strip():
                    yield Line(text.strip(b"\r\n"), f"{number}:{mark}")
                number, text = number + 1, stream.readline(LONGEST_LINE)

    def _open(self) -> IO[bytes]:
        if self.path == "-":
            return sys.stdin.buffer
        opener = {".gz": gzip.open, ".xz": lzma.open}.get(Path(self.path).suffix, open)
        try:
            return opener(self.path, "rb")  # type: ignore[operator,no-any-return]
        except OSError as error:
            raise ConfigurationError(f"cannot read {self.path}: {error.strerror or error}") from error


def _done(frontier: str | None, mark: str) -> int:
    line, _, seen = (frontier or "0:").partition(":")
    return int(line) if seen == mark else 0
