"""JSON lines: one record a line, from a file (.gz and .xz are unpacked) or standard input, resuming
where the store's frontier says."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, ClassVar

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes import read_record
from anyorder.errors import ConfigurationError, Malformed
from anyorder.sources.contract import Received

# bytes; a longer line is delivered in pieces, which decode as malformed
LONGEST_LINE = 64 * 1024 * 1024


class JSONLinesSettings(msgspec.Struct, frozen=True):
    """`path`: the file, `-` for standard input."""

    path: str = "-"

    nameless: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The file's; standard input may be anything."""
        return "" if self.path == "-" else self.open().name

    def open(self) -> JSONLinesSource:
        """The source; the file is opened when it is read."""
        return JSONLinesSource(self.path)


class JSONLinesSource:
    """`path`: a file, or `-` for standard input, which cannot resume. The frontier is `LINE:HASH`,
    the hash being of the first line: another file under the same name is read from its beginning,
    which is safe, since old data is recognised."""

    acknowledges = False

    def __init__(self, path: str) -> None:
        self.path = self.place = path
        self.name = "jsonl:-" if path == "-" else f"jsonl:{Path(path).resolve()}"

    def batches(self, frontier: str | None, size: int) -> Iterator[Sequence[Received]]:
        """The records from the frontier on, in lists of at most `size`. Raises ConfigurationError
        if the file is not there."""
        batch: list[Received] = []
        for line, mark in self.lines(frontier):
            batch.append(received(line, mark))
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def lines(self, frontier: str | None = None) -> Iterator[tuple[bytes, str]]:
        """The lines from the frontier on, each with the frontier that it makes."""
        with self._open() as stream:
            first = stream.readline(LONGEST_LINE)
            mark = hashlib.blake2b(first, digest_size=8).hexdigest()
            done = _done(frontier, mark) if self.path != "-" else 0
            number, text = 1, first
            while text:
                if number > done and text.strip():
                    yield text.strip(b"\r\n"), f"{number}:{mark}"
                number, text = number + 1, stream.readline(LONGEST_LINE)

    def done(self, batch: Sequence[Received]) -> None:
        """Nothing to do: the frontier has been committed with the batch."""

    def close(self) -> None:
        """Nothing to release: the file closes with its last line."""

    def _open(self) -> IO[bytes]:
        if self.path == "-":
            return sys.stdin.buffer
        opener = {".gz": gzip.open, ".xz": lzma.open}.get(Path(self.path).suffix, open)
        try:
            return opener(self.path, "rb")  # type: ignore[operator,no-any-return]
        except OSError as error:
            raise ConfigurationError(
                f"cannot read {self.path}: {error.strerror or error}"
            ) from error


def received(line: bytes, mark: str) -> Received:
    """A line as a delivery; one that is no JSON at all keeps its bytes and the reason."""
    try:
        return Received(read_record(line), mark)
    except Malformed as error:
        return Received(Delivery(value=line), mark, str(error))


def _done(frontier: str | None, mark: str) -> int:
    line, _, seen = (frontier or "0:").partition(":")
    return int(line) if seen == mark else 0
