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


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    """Only what `dialects.OURS` names must be there."""

    topic: str
    partition: Number
    offset: Number
    value: str | None
    key: str | None = None
    timestamp: Time | None = None
    timestamp_type: str = ""
    headers: tuple[tuple[str, str | None], ...] = ()


class _WholeRecord(msgspec.Struct, forbid_unknown_fields=True):
    """All eight members, as recordings have them."""

    topic: str
    partition: Number
    offset: Number
    value: str | None
    key: str | None
    timestamp: Time | None
    timestamp_type: str
    headers: tuple[tuple[str, str | None], ...]


_decode = msgspec.json.Decoder(_WholeRecord).decode
_MEMBERS = len(_WholeRecord.__struct_fields__)


def read_record(line: bytes, limits: Limits = DEFAULT) -> Delivery:
    """The delivery on one line. JSON that is no such record is a delivery whose value is the line.
    Raises Malformed for what is not JSON."""
    if len(line) > limits.line:
        raise Malformed(f"a line of {len(line)} bytes is longer than {limits.line} (limits: line)")
    line = line.strip()
    try:
        record = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _other(line, limits)
    # all names are known, and none ends in a backslash: a quote and a colon after no backslash are
    # a name's, and eight are all
    if line.count(b'":') - line.count(b'\\":') != _MEMBERS or strict.blank_before_colon(line):
        return _other(line, limits)
    return _delivery(record)


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
        return _delivery(msgspec.convert(told, _Record))
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


def _delivery(record: _Record | _WholeRecord) -> Delivery:
    key, value = record.key, record.value
    return Delivery(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        None if key is None else key.encode(),
        None if value is None else value.encode(),
        record.headers,
    )
