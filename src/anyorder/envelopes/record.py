"""One line of the JSON-lines record format: a Kafka record as `topic, partition, offset, timestamp,
timestamp_type, key, value, headers`.

`key` and `value` are the exact bytes as text, null stays null; `headers` is a list of [name, text
or null]; names may repeat. What other tools write of a record is read, too (`dialects`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes import dialects, strict
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import Malformed

Number = Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)]
Time = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Headers = tuple[tuple[str, str | None], ...]


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    """Only what `dialects.OURS` names must be there."""

    topic: str
    partition: Number
    offset: Number
    value: str | None
    key: str | None = None
    timestamp: Time | None = None
    timestamp_type: str = ""
    headers: Headers = ()


class _WholeRecord(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """All eight members, as recordings have them. What may be long is kept as it is written: how
    much room it takes tells whether a name came twice."""

    topic: str
    partition: Number
    offset: Number
    timestamp: Time | None
    timestamp_type: str
    key: msgspec.Raw
    value: msgspec.Raw
    headers: msgspec.Raw


_decode = msgspec.json.Decoder(_WholeRecord).decode
_text = msgspec.json.Decoder(str | None).decode
_headers = msgspec.json.Decoder(Headers).decode
_MEMBERS = len(_WholeRecord.__struct_fields__)
_BEHIND = len('"value":' + '"headers":' + ",,}")  # what is written there besides
_SHORTEST = len('"key":0,')  # of all members that could come twice
_SPACED = b'{"topic": '
_REMEMBERED = 16  # of the headers that were seen last; nearly all of a topic are alike
_LONGEST = 4096  # bytes of such


def read_record(line: bytes, limits: Limits = DEFAULT) -> Delivery:
    """The delivery on one line. JSON that is no such record is a delivery whose value is the line.
    Raises Malformed for what is not JSON."""
    if len(line) > limits.line:
        raise Malformed(f"a line of {len(line)} bytes is longer than {limits.line} (limits: line)")
    line = line.strip()
    try:
        record = _decode(line)
        key, value = _text(record.key), _text(record.value)
        headers = _headers_of(record.headers)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _other(line, limits)
    # The room is a few numbers; to count looks at each byte of a line, which may be long.
    if not _has_no_room(line, record) and not _has_eight_names(line):
        return _other(line, limits)
    return _delivery(record, key, value, headers)


def _headers_of(raw: msgspec.Raw) -> Headers:
    return _known_headers(bytes(raw)) if len(raw) <= _LONGEST else _headers(raw)


@lru_cache(_REMEMBERED)
def _known_headers(data: bytes) -> Headers:
    return _headers(data)


def _has_no_room(line: bytes, record: _WholeRecord) -> bool:
    """Is every member told once? It is so where the line begins just as its first five are written,
    and holds too little behind them for one more than the other three."""
    head = _spaced(record) if line.startswith(_SPACED) else _dense(record)
    known = len(head) + len(record.key) + len(record.value) + len(record.headers) + _BEHIND
    return len(line) - known < _SHORTEST and line.startswith(head.encode())


def _dense(record: _WholeRecord) -> str:
    """A line up to its key, as most tools write it."""
    time = "null" if record.timestamp is None else record.timestamp
    return (
        f'{{"topic":"{record.topic}","partition":{record.partition},"offset":{record.offset},'
        f'"timestamp":{time},"timestamp_type":"{record.timestamp_type}","key":'
    )


def _spaced(record: _WholeRecord) -> str:
    """The same as Python's json writes it."""
    time = "null" if record.timestamp is None else record.timestamp
    return (
        f'{{"topic": "{record.topic}", "partition": {record.partition}, '
        f'"offset": {record.offset}, "timestamp": {time}, '
        f'"timestamp_type": "{record.timestamp_type}", "key": '
    )


def _has_eight_names(line: bytes) -> bool:
    """All names are known, and none ends in a backslash: a quote and a colon after no backslash are
    a name's, and eight are all."""
    written = line.count(b'":') - line.count(b'\\":')
    return written == _MEMBERS and not strict.blank_before_colon(line)


def _other(line: bytes, limits: Limits) -> Delivery:
    """A record told otherwise, or JSON of another format; a record with a wrong member is refused
    rather than taken for other JSON."""
    found = strict.parse(line, limits=_of_line(limits))
    if type(found) is not dict:
        return Delivery(value=line)
    told = dialects.plain(found, line, _of_line(limits))
    if told is None:
        return Delivery(value=line)
    try:
        record = msgspec.convert(told, _Record)
        return _delivery(record, record.key, record.value, record.headers)
    except msgspec.ValidationError as error:
        raise Malformed(
            f"a record line (topic, partition, offset, value) with a member that is wrong: {error}"
        ) from None


@lru_cache
def _of_line(limits: Limits) -> Limits:
    """Of the line around a document, whose own limits its envelope knows: it is larger by its other
    members, and by the escapes of a text."""
    return Limits(
        line=limits.line,
        document=limits.line,
        depth=max(limits.depth, DEFAULT.depth),
        members=max(limits.members, DEFAULT.members),
    )


def _delivery(
    record: _WholeRecord | _Record, key: str | None, value: str | None, headers: Headers
) -> Delivery:
    return Delivery(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        None if key is None else key.encode(),
        None if value is None else value.encode(),
        headers,
    )
