"""Kafka records in the JSON of other tools: `kcat -J`, `rpk topic consume`, and records whose key
and value were not made texts before they were put into the line.

kcat 1.7 (its own help, "JSON message envelope"): `payload` is the value, `ts` and `tstype` its
time, `headers` a flat list of names and values. rpk (its source, `writeRecordJSON`): a null value
is left out, and so is a null key; a header is an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from anyorder.envelopes import strict
from anyorder.envelopes.limits import Limits
from anyorder.errors import Malformed

KCAT = frozenset(("topic", "partition", "offset", "tstype", "ts", "payload"))
KCAT_MAY = KCAT | {
    "broker",
    "headers",
    "key",
    "key_error",
    "payload_error",
    "key_schema_id",
    "value_schema_id",
}
RPK = frozenset(("topic", "partition", "offset", "timestamp"))
RPK_MAY = RPK | {"key", "value", "value_size", "headers"}
WHERE = frozenset(("topic", "partition", "offset"))
OURS = WHERE | {"value"}
BARE = frozenset(("key", "value"))
BARE_MAY = BARE | WHERE | {"headers"}
TIMES = {"create": "CreateTime", "logappend": "LogAppendTime"}
NONE = {"topic": "", "partition": -1, "offset": -1}


def of_kcat(found: Mapping[str, Any]) -> bool:
    """Is it a record as `kcat -J` writes it?"""
    return KCAT <= found.keys() <= KCAT_MAY


def of_rpk(found: Mapping[str, Any]) -> bool:
    """Is it a record as `rpk topic consume` writes it, and not as we do?"""
    if not RPK <= found.keys() <= RPK_MAY:
        return False
    headers = found.get("headers")
    is_told = type(headers) is list and all(type(one) is dict for one in headers) and headers
    # ours tells a null value, and its type of timestamp besides
    return bool(is_told) or "value" not in found


def of_parts(found: Mapping[str, Any]) -> bool:
    """Is it a key and a value, and at most where they were? A row may have columns of these names,
    and then has others."""
    if not BARE <= found.keys() <= BARE_MAY:
        return False
    value = found["value"]
    is_text = type(value) is str and value.lstrip().startswith("{")
    return value is None or type(value) is dict or is_text


def tool_of(line: bytes) -> str:
    """Which tool wrote a record; "" if it is none of theirs. Never raises."""
    try:
        found = strict.parse(line)
    except Malformed:
        return ""
    if type(found) is not dict:
        return ""
    if of_kcat(found):
        return "kcat -J"
    return "rpk topic consume" if of_rpk(found) else ""


def plain(found: Mapping[str, Any], line: bytes, limits: Limits) -> dict[str, Any] | None:
    """The members of a record of another tool, as a record line has them; None if it is none.
    Raises Malformed for one whose value did not come along."""
    if of_kcat(found):
        told = _of_kcat(found)
        told["value"] = found["payload"]
        spelled = {"key": "key", "value": "payload"}
    elif of_rpk(found):
        told = _of_rpk(found)
        spelled = {"key": "key", "value": "value"}
    elif of_parts(found) or found.keys() >= OURS:
        told = NONE | dict(found)
        spelled = {"key": "key", "value": "value"}
    else:
        return None
    for name, member in spelled.items():
        if told.get(name).__class__ not in (str, type(None)):
            # As it is written: to write it again could change its numbers.
            told[name] = strict.members(line, limits)[member].strip().decode()
    return told


def _of_kcat(found: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("key_error", "payload_error"):
        if name in found:
            raise Malformed(f"kcat could not read its {name.removesuffix('_error')}: {found[name]}")
    told = {name: found[name] for name in ("topic", "partition", "offset")}
    told["timestamp"] = found["ts"]
    told["timestamp_type"] = TIMES.get(found["tstype"], "")
    told["key"] = found.get("key")
    flat = found.get("headers", [])
    if type(flat) is dict:
        told["headers"] = list(flat.items())
    elif type(flat) is list:
        told["headers"] = list(zip(flat[::2], flat[1::2], strict=False))
    else:
        raise Malformed("the headers of a record of kcat are a list")
    return told


def _of_rpk(found: Mapping[str, Any]) -> dict[str, Any]:
    if "value_size" in found:
        raise Malformed("it has no value: rpk topic consume was told --meta-only")
    told = {name: found[name] for name in ("topic", "partition", "offset", "timestamp")}
    told["key"] = found.get("key") or None
    told["value"] = found.get("value")
    try:
        headers = msgspec.convert(found.get("headers", []), list[_Header])
    except msgspec.ValidationError as error:
        raise Malformed(f"a record of rpk with a header that is wrong: {error}") from None
    told["headers"] = [(header.key, header.value) for header in headers]
    return told


class _Header(msgspec.Struct):
    key: str
    value: str = ""
