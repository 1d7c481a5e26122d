"""Records from a file (.gz and .xz are unpacked) or from standard input: JSON lines, or what else
tools make of them (`shapes`). It resumes where the store's frontier says."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import ConfigurationError, Malformed, SourceError
from anyorder.sources.contract import LARGEST_BATCH, Received
from anyorder.sources.encodings import HEAD, Recoded, recoding
from anyorder.sources.lines import Done, Line, Lines, untroubled
from anyorder.sources.live import Live
from anyorder.sources.packed import LONGEST_MAGIC, SUFFIXES, Unpacked, packed_with
from anyorder.sources.shapes import NOTHING_NAMED, Named, Shape, shape_of

MISSING = (FileNotFoundError, IsADirectoryError, NotADirectoryError)  # the path is mistaken
LARGEST_HEAD = 1024 * 1024  # bytes of a first line that tell what a file is
log = logging.getLogger("anyorder")


class JSONLinesSettings(msgspec.Struct, frozen=True):
    """`path`: the file, `-` for standard input. `format`: "lines" (a record a line), "json" (over
    many lines, or arrays), "columns" (what kafka-console-consumer and kcat -K print); without it,
    the beginning of the file tells. `separator` and `null`: what stands between columns, and for a
    value that is null. `topic`: where the records do not tell one.
    """

    path: str = "-"
    format: Literal["auto", "lines", "json", "columns"] = "auto"
    separator: str = ""
    null: str | None = None
    topic: str = ""

    nameless: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The file's; standard input may be anything."""
        return "" if self.path == "-" else self.open().name

    def open(self, limits: Limits = DEFAULT) -> JSONLinesSource:
        """The source; the file is opened when it is read."""
        named = Named(self.format, self.separator, self.null, self.topic)
        return JSONLinesSource(self.path, limits, named)


class JSONLinesSource:
    """`path`: a file, or `-` for standard input, which cannot resume.

    The frontier is `LINES:BYTES:HASH`, the hash being of all these bytes: a file of the same name
    that begins with others is read from its beginning, which is safe, since old data is recognised.
    A last line without newline that is no record yet is left for the next run, if the file is one
    that may still be written: not standard input, not a packed one.
    """

    acknowledges = False

    def __init__(self, path: str, limits: Limits = DEFAULT, named: Named = NOTHING_NAMED) -> None:
        if "\0" in path:
            raise ConfigurationError(f"cannot read {path}: no file has a NUL in its name")
        self._limits = limits
        self._named = named
        self.shape = Shape()
        self.path = self.place = path
        self.name = "jsonl:-" if path == "-" else f"jsonl:{Path(path).resolve()}"
        self._pipe: int | None = None
        self._file: IO[bytes] | None = None
        self._size = 0

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
        with self._opened(grows=False) as lines:
            yield from lines

    def read(self, line: Line) -> Delivery:
        """The delivery on one of them. Raises Malformed with the reason."""
        return self.shape.delivery_of(line, self._limits)

    def done(self, batch: Sequence[Received]) -> None:
        """Nothing to do: the frontier has been committed with the batch."""

    def close(self) -> None:
        """Nothing to release: the file closes with its last line."""

    def stop(self) -> None:
        """Do not wait for more of a pipe. A signal ends the waiting read, and Python reads again:
        from now on there is nothing, so what has come is a batch."""
        if self._pipe is not None:
            os.dup2(os.open(os.devnull, os.O_RDONLY), self._pipe)

    def share(self) -> float | None:
        """How much of the file was given, by its bytes as they lie there, packed or not."""
        if self._file is None or self._file.closed or not self._size:
            return None
        return min(1.0, self._file.tell() / self._size)

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
            batch.append(self._received(line))
            held += len(line.text)
            is_full = len(batch) == size or held > LARGEST_BATCH
            if is_full or (lines.is_live and lines.is_quiet()):
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

    def _refuse_packed(self, head: bytes) -> None:
        """Its lines would be malformed, each by itself, and no one would say why."""
        told = packed_with(head)
        if told:
            raise ConfigurationError(f"cannot read {self.path}: it is packed {told}")

    def _measure(self, file: IO[bytes]) -> None:
        """From now on this file is read."""
        is_endless = self._pipe is not None
        self._file = None if is_endless else file
        self._size = 0 if is_endless else os.fstat(file.fileno()).st_size

    def _received(self, line: Line) -> Received:
        """A line as a delivery; one that is no record keeps its bytes and the reason."""
        try:
            return Received(self.shape.delivery_of(line, self._limits))
        except Malformed as error:
            kept = Delivery(self._named.topic, offset=line.number, value=line.text)
            return Received(kept, note=str(error))

    @contextmanager
    def _opened(self, *, grows: bool = True) -> Iterator[Lines]:
        with self._stream() as (stream, trouble):
            text = _as_utf8(stream)
            self.shape = shape_of(text.peek(LARGEST_HEAD), self._named)
            if self.shape.words:
                log.warning("%s: read as %s", self.path, self.shape.words)
            yield self.shape.frame(
                text,
                trouble=trouble,
                grows=grows and self._is_file and _packing(self.path) is None,
                limits=self._limits,
                read=self.shape.reader(self._limits),
            )

    @contextmanager
    def _stream(self) -> Iterator[tuple[Any, Callable[[], str]]]:
        """The bytes of the lines, and why they end before their end."""
        try:
            if self.path == "-":
                if sys.stdin is None:
                    raise SourceError("standard input is closed: give it records, or name a file")
                self._pipe = _descriptor(sys.stdin.buffer)
                yield sys.stdin.buffer if self._pipe is None else Live(self._pipe), untroubled
            elif (opener := _packing(self.path)) is None:
                with Path(self.path).open("rb", buffering=LARGEST_HEAD) as stream:
                    self._pipe = None if self._is_file else stream.fileno()
                    head = b"" if self._pipe is not None else stream.read(LONGEST_MAGIC)
                    self._refuse_packed(head)
                    # of a pipe nothing was read, and it cannot go back
                    if head:
                        stream.seek(0)
                    self._measure(stream)
                    yield stream if self._pipe is None else Live(self._pipe), untroubled
                self._pipe = None
            else:
                unpacked = Unpacked(self.path, opener, self._limits)
                self._measure(unpacked.file)
                with io.BufferedReader(unpacked, LARGEST_HEAD) as stream:
                    yield stream, lambda: unpacked.trouble
        except MISSING as error:
            raise ConfigurationError(f"cannot read {self.path}: {error.strerror}") from error
        except OSError as error:
            raise SourceError(
                f"cannot read {self.path}: {error.strerror or error}. {SourceError()}"
            ) from error


def _as_utf8(stream: Any) -> Any:
    """The stream itself, or as what it should be."""
    recode = recoding(stream.peek(HEAD)[:HEAD])
    if recode is None:
        return stream
    if isinstance(stream, Live):
        stream.recode(recode)
        return stream
    return io.BufferedReader(Recoded(stream, recode), LARGEST_HEAD)


def _descriptor(stream: IO[bytes]) -> int | None:
    """The system's number of a stream; None for one that a program made."""
    try:
        return stream.fileno()
    except OSError:
        return None


def _marked(batch: list[Received], done: Done) -> list[Received]:
    """A batch whose last delivery says how far it is done with it."""
    batch[-1] = msgspec.structs.replace(batch[-1], mark=str(done))
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
