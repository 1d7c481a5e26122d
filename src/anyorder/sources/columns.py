"""Records as columns of text: what kafka-console-consumer prints, and `kcat -K`.

Kafka's formatter (`DefaultMessageFormatter`) writes what it is told to, always in this order and
each followed by key.separator: `CreateTime:1700000000001`, `Partition:0`, `Offset:5`, `Delivery:1`,
`Epoch:0`, the headers as `name:value,name:value`, the key, the value. Which of them are there is
seen from the first line; a line that has others is no record.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from anyorder._core.event import Delivery
from anyorder.errors import Malformed

TAB = b"\t"
NULLS = (b"null", b"NULL")  # Kafka's null.literal, and kcat's with -Z
TIME = rb"(?P<type>CreateTime|LogAppendTime|NoTimestampType):(?P<time>-?[0-9]{1,18})|NO_TIMESTAMP"
MARKS = {
    "timestamp": TIME,
    "partition": rb"Partition:(?P<partition>[0-9]{1,9})",
    "offset": rb"Offset:(?P<offset>[0-9]{1,18})",
    "delivery": rb"Delivery:(?:[0-9]+|NOT_PRESENT)",
    "epoch": rb"Epoch:(?:[0-9]+|NOT_PRESENT)",
}
"""The columns that say what they are."""
NO_HEADERS = b"NO_HEADERS"
SIGNS = rb"[\t|:;,#~]{1,3}"
BEFORE_VALUE = re.compile(rb"[^{\"\[]*?[^{\"\[\t|:;,#~ ](" + SIGNS + rb")(?:\{|null$|NULL$)")
BEHIND_KEY = re.compile(rb"(" + SIGNS + rb")(?:\{|null$|NULL$|$)")
BEHIND_MARK = re.compile(rb"[\t|;,#~ ]{1,3}|:")
EMPTY = (
    "an empty value: kcat writes a null so where it was not told -Z. If it is a delete, say "
    'null = "" in [source], and read it again with anyorder run --from-start'
)
_json = json.JSONDecoder()


class Columns(NamedTuple):
    """Which columns there are. `marks`: those that say what they are; `null`: what stands for
    one."""

    separator: bytes
    marks: tuple[str, ...] = ()
    has_headers: bool = False
    has_key: bool = False
    nulls: tuple[bytes, ...] = NULLS

    def __str__(self) -> str:
        """As a person is told."""
        names = [*self.marks]
        if self.has_headers:
            names.append("headers")
        if self.has_key:
            names.append("key")
        return f"{', '.join((*names, 'value'))}, separated by {self.separator.decode()!r}"

    def read(self, line: bytes) -> Delivery:
        """The delivery on a line. Raises Malformed."""
        told, rest = self._marked(line)
        headers: tuple[tuple[str, str | None], ...] = ()
        if self.has_headers:
            text, rest = self._next(rest, "headers")
            headers = _headers(text)
        key = None
        if self.has_key:
            key, rest = self._key(rest)
        return Delivery(
            partition=int(told.get("partition") or -1),
            offset=int(told.get("offset") or -1),
            timestamp=int(told["time"]) if told.get("time") else None,
            timestamp_type=(told.get("type") or b"").decode(),
            key=None if key in self.nulls else key,
            value=self._value(rest),
            headers=headers,
        )

    def _marked(self, line: bytes) -> tuple[dict[str, bytes], bytes]:
        """What the columns say that say what they are, and what follows."""
        told: dict[str, bytes] = {}
        for name in self.marks:
            found = re.compile(MARKS[name]).match(line)
            if found is None or not line.startswith(self.separator, found.end()):
                raise Malformed(f"a line without {name} where the first line has it: {line!r:.80}")
            told.update(found.groupdict())
            line = line[found.end() + len(self.separator) :]
        return told, line

    def _key(self, rest: bytes) -> tuple[bytes | None, bytes]:
        """The key; one that is JSON may have the separator in it."""
        end = end_of_json(rest)
        if end == len(rest):
            raise Malformed(f"a line without key where the first line has it: {rest!r:.80}")
        if end > 0 and rest.startswith(self.separator, end):
            return rest[:end], rest[end + len(self.separator) :]
        key, rest = self._next(rest, "key")
        return key, rest

    def _next(self, rest: bytes, name: str) -> tuple[bytes, bytes]:
        text, separator, rest = rest.partition(self.separator)
        if not separator:
            raise Malformed(f"a line without {name} where the first line has it: {text!r:.80}")
        return text, rest

    def _value(self, text: bytes) -> bytes | None:
        if text in self.nulls:
            return None
        if not text:
            raise Malformed(EMPTY)
        return text


def columns_of(line: bytes, separator: bytes = b"") -> Columns | None:
    """The columns of a first line; None if it has none that can be told. `separator`: what somebody
    says it is."""
    marks, rest, sign = _marks_of(line, separator)
    if marks:
        return _behind(rest, Columns(sign, marks))
    sign = separator or _separator_of(line)
    return Columns(sign, has_key=True) if sign and sign in line else None


def _marks_of(line: bytes, separator: bytes) -> tuple[tuple[str, ...], bytes, bytes]:
    """The columns that say what they are, what follows them, and what separates them."""
    marks: list[str] = []
    for name, pattern in MARKS.items():
        found = re.compile(pattern).match(line)
        behind = line[found.end() :] if found else b""
        if not marks and not separator:
            sign = BEHIND_MARK.match(behind)
            separator = sign.group() if sign else b""
            # what no column comes after is a value that happens to look so
        if found and separator and behind.startswith(separator):
            marks.append(name)
            line = behind[len(separator) :]
        elif not marks:
            separator = b"" if not found else separator
    return tuple(marks), line, separator


def _behind(rest: bytes, columns: Columns) -> Columns:
    """The columns after those that say what they are: headers, key, value."""
    sign = columns.separator
    end = end_of_json(rest)
    # It is all a value, or JSON that has the separator in it is the key.
    if end == len(rest) or sign not in rest:
        return columns
    if end > 0 and rest.startswith(sign, end):
        return columns._replace(has_key=True)
    first, _, others = rest.partition(sign)
    others_end = end_of_json(others)
    is_key_next = others_end > 0 and others.startswith(sign, others_end)
    if first != NO_HEADERS and not is_key_next and sign not in _before_json(others):
        return columns._replace(has_key=True)
    has_key = is_key_next or sign in _before_json(others)
    return columns._replace(has_headers=True, has_key=has_key)


def _before_json(text: bytes) -> bytes:
    return text.partition(b"{")[0]


def _separator_of(line: bytes) -> bytes:
    """What separates a key and a value that nothing else tells; "" if nothing does."""
    end = end_of_json(line)
    found = BEHIND_KEY.match(line, end) if end > 0 else BEFORE_VALUE.match(line)
    if found is None:
        return b""
    sign = TAB if TAB in found[1] else found[1]
    value = line[found.end(1) :]
    # The end of a line that lost its beginning looks so, too, and is no JSON.
    is_whole = value in NULLS or value == b"" or end_of_json(value) == len(value)
    return sign if is_whole else b""


def end_of_json(text: bytes) -> int:
    """Where the JSON ends with which a text begins; 0 if it begins with none that has an end of its
    own."""
    if text[:1] not in (b"{", b"[", b'"'):
        return 0
    try:
        decoded = text.decode()
        end = _json.raw_decode(decoded)[1]
    except (ValueError, RecursionError):
        return 0
    return len(decoded[:end].encode())


def _headers(text: bytes) -> tuple[tuple[str, str | None], ...]:
    """Names and values; a comma or a colon in one of them cannot be told from their own."""
    if text == NO_HEADERS:
        return ()
    pairs = (one.partition(":") for one in text.decode("utf-8", "backslashreplace").split(","))
    return tuple((name, None if value == "null" else value) for name, _, value in pairs)
