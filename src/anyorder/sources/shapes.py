"""What a file's records look like, seen from its beginning or named by `format`: a record a line,
JSON over many lines, or columns of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes import read_record
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import Malformed
from anyorder.sources.columns import NULLS, Columns, columns_of, end_of_json
from anyorder.sources.lines import Line, Lines
from anyorder.sources.said import behind_said
from anyorder.sources.values import Values

LINES, VALUES, COLUMNS = "lines", "json", "columns"
FORMATS = ("auto", LINES, VALUES, COLUMNS)
BRACKETS = b"{[ \t\r"
NO_VALUE = Delivery()


class Named(NamedTuple):
    """What somebody says of a file. `format`: of FORMATS; `separator` and `null`: of columns;
    `topic`: where records do not tell one."""

    format: str = "auto"
    separator: str = ""
    null: str | None = None
    topic: str = ""


NOTHING_NAMED = Named()


class Shape(NamedTuple):
    """How records are found, and how one is read. `words`: what it is, for a person, "" for a
    record a line."""

    frame: type[Lines] = Lines
    columns: Columns | None = None
    topic: str = ""
    words: str = ""

    def read(self, text: bytes, limits: Limits = DEFAULT) -> Delivery:
        """The delivery in a record. Raises Malformed."""
        if self.columns is not None:
            found = self.columns.read(text)
        elif text in NULLS:
            # As a consumer prints a record without a value, Kafka's own or kcat with -Z.
            found = NO_VALUE
        else:
            found = read_record(text, limits)
        if self.topic and not found.topic:
            found = msgspec.structs.replace(found, topic=self.topic)
        return found

    def reader(self, limits: Limits) -> Callable[[bytes], Delivery]:
        """`read` with these limits."""
        return lambda text: self.read(text, limits)

    def delivery_of(self, line: Line, limits: Limits = DEFAULT) -> Delivery:
        """The delivery on a line. Where it names no place of its own, its line is its offset.
        Raises Malformed with the reason."""
        if line.note:
            raise Malformed(line.note)
        found = self.read(line.text, limits)
        if found.partition < 0 and found.offset < 0:
            found = msgspec.structs.replace(found, offset=line.number)
        return found


def shape_of(head: bytes, named: Named = NOTHING_NAMED) -> Shape:
    """The shape of what begins so. The first line tells it, so that it stays what it is while the
    file grows."""
    head = behind_said(head.lstrip(b" \t\r\n\x1e"))
    line, end, others = head.partition(b"\n")
    line = line.rstrip(b"\r")
    if named.format == VALUES or (named.format == "auto" and _is_over_lines(line, end, others)):
        return Shape(Values, topic=named.topic, words="JSON over many lines")
    if named.format in ("auto", COLUMNS):
        columns = columns_of(line, named.separator.encode())
        # Somebody says that there are some, and it may be a key and any text.
        if columns is None and named.format == COLUMNS:
            columns = Columns(named.separator.encode() or b"\t", has_key=True)
        if columns is not None:
            if named.null is not None:
                columns = columns._replace(nulls=(named.null.encode(),))
            return Shape(columns=columns, topic=named.topic, words=f"columns: {columns}")
    return Shape(topic=named.topic)


def _is_over_lines(line: bytes, end: bytes, others: bytes) -> bool:
    """Is a first line the beginning of JSON that goes on in the next?"""
    if line.startswith(b"["):
        return True
    if not line.startswith(b"{") or not end:
        return False
    if not line.strip(BRACKETS):
        return True
    # The half of a record, as a crash leaves one, is followed by a whole one.
    goes_on = not others.lstrip().startswith(b"{")
    return goes_on and end_of_json(line) == 0 and line.rstrip().endswith((b",", b"{", b"[", b":"))
