"""JSON lines: one record a line, from a file (.gz and .xz are unpacked) or standard input, resuming
where the store's frontier says."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, ClassVar

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes import read_record
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import ConfigurationError, Malformed, SourceError
from anyorder.sources.contract import LARGEST_BATCH, Received
from anyorder.sources.lines import BLOCK, Done, Line, Lines, untroubled
from anyorder.sources.packed import SUFFIXES, Unpacked

MISSING = (FileNotFoundError, IsADirectoryError, NotADirectoryError)  # the path is mistaken
log = logging.getLogger("anyorder")


class JSONLinesSettings(msgspec.Struct, frozen=True):
    """`path`: the file, `-` for standard input."""

    path: str = "-"

    nameless: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The file's; standard input may be anything."""
        return "" if self.path == "-" else self.open().name

    def open(self, limits: Limits = DEFAULT) -> JSONLinesSource:
        """The source; the file is opened when it is read."""
        return JSONLinesSource(self.path, limits)


class JSONLinesSource:
    """`path`: a file, or `-` for standard input, which cannot resume.

    The frontier is `LINES:BYTES:HASH`, the hash being of all these bytes: a file of the same name
    that begins with others is read from its beginning, which is safe, since old data is recognised.
    A last line without newline that is no record yet is left for the next run, if the file is one
    that may still be written: not standard input, not a packed one.
    """

    acknowledges = False

    def __init__(self, path: str, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self.path = self.place = path
        self.name = "jsonl:-" if path == "-" else f"jsonl:{Path(path).resolve()}"
        self._pipe: int | None = None

    def batches(self, frontier: str | None, size: int) -> Iterator[Sequence[Received]]:
        """The records from the frontier on, in lists of at most `size`, and of not much more than
        16 MB. Raises ConfigurationError if the file is not there, SourceError if it cannot be
        read."""
        # what is no file (standard input, a pipe) is another one every time
        behind = frontier if self._is_file else None
        with self._opened() as lines:
            if behind is None or _skipped(lines, behind):
                yield from self._batches(lines, size)
                return
        log.warning(
            "%s does not begin as the file that was read before: it is read from its beginning; "
            "old data is recognised",
            self.path,
        )
        with self._opened() as lines:
            yield from self._batches(lines, size)

    def lines(self) -> Iterator[Line]:
        """Every line, for a person who looks into a file. Raises as `batches`."""
        with self._stream() as (stream, trouble):
            yield from Lines(stream, trouble=trouble, limits=self._limits)

    def done(self, batch: Sequence[Received]) -> None:
        """Nothing to do: the frontier has been committed with the batch."""

    def close(self) -> None:
        """Nothing to release: the file closes with its last line."""

    def stop(self) -> None:
        """Do not wait for more of a pipe. A signal ends the waiting read, and Python reads again:
        from now on there is nothing, so what has come is a batch."""
        if self._pipe is not None:
            os.dup2(os.open(os.devnull, os.O_RDONLY), self._pipe)

    @property
    def is_kept(self) -> bool:
        """A file is; a pipe is empty afterwards."""
        return self._is_file

    @property
    def _is_file(self) -> bool:
        return self.path != "-" and Path(self.path).is_file()

    def _batches(self, lines: Lines, size: int) -> Iterator[Sequence[Received]]:
        batch: list[Received] = []
        held = 0
        for line in lines:
            batch.append(received(line, self._limits))
            held += len(line.text)
            if len(batch) == size or held > LARGEST_BATCH:
                yield _marked(batch, lines.done())
                batch, held = [], 0
        if batch:
            yield _marked(batch, lines.done())
        if lines.left and not lines.trouble():
            log.warning(
                "%s: its last line has no end yet (%d bytes) and is left for the next run",
                self.path,
                lines.left,
            )

    @contextmanager
    def _opened(self) -> Iterator[Lines]:
        with self._stream() as (stream, trouble):
            grows = self._is_file and _packing(self.path) is None
            yield Lines(stream, trouble=trouble, grows=grows, limits=self._limits)

    @contextmanager
    def _stream(self) -> Iterator[tuple[IO[bytes], Callable[[], str]]]:
        """The bytes of the lines, and why they end before their end."""
        try:
            if self.path == "-":
                if sys.stdin is None:
                    raise SourceError("standard input is closed: give it records, or name a file")
                self._pipe = _descriptor(sys.stdin.buffer)
                yield sys.stdin.buffer, untroubled
            elif (opener := _packing(self.path)) is None:
                with Path(self.path).open("rb") as stream:
                    self._pipe = None if self._is_file else stream.fileno()
                    yield stream, untroubled
                self._pipe = None
            else:
                unpacked = Unpacked(self.path, opener, self._limits)
                with io.BufferedReader(unpacked, BLOCK) as stream:
                    yield stream, lambda: unpacked.trouble
        except MISSING as error:
            raise ConfigurationError(f"cannot read {self.path}: {error.strerror}") from error
        except OSError as error:
            raise SourceError(
                f"cannot read {self.path}: {error.strerror or error}. {SourceError()}"
            ) from error


def _descriptor(stream: IO[bytes]) -> int | None:
    """The system's number of a stream; None for one that a program made."""
    try:
        return stream.fileno()
    except OSError:
        return None


def received(line: Line, limits: Limits = DEFAULT) -> Received:
    """A line as a delivery; one that is no JSON at all keeps its bytes and the reason. Where the
    record names no place of its own, its line is its offset."""
    if line.note:
        return Received(Delivery(offset=line.number, value=line.text), note=line.note)
    try:
        found = read_record(line.text, limits)
    except Malformed as error:
        return Received(Delivery(offset=line.number, value=line.text), note=str(error))
    if found.partition < 0 and found.offset < 0:
        found = msgspec.structs.replace(found, offset=line.number)
    return Received(found)


def _marked(batch: list[Received], done: Done) -> list[Received]:
    """A batch whose last delivery says how far it is done with it."""
    batch[-1] = batch[-1]._replace(mark=str(done))
    return batch


def _packing(path: str) -> Callable[..., IO[bytes]] | None:
    return SUFFIXES.get(Path(path).suffix.lower())


def _skipped(lines: Lines, frontier: str) -> bool:
    """Are the lines behind a frontier now? `LINE:HASH` is of an anyorder of before."""
    number, *others = frontier.split(":")
    try:
        if len(others) == 1:
            return lines.skip_lines(int(number), others[0])
        size, digest = others
        return lines.skip(Done(int(number), int(size), digest))
    except ValueError:
        return False
