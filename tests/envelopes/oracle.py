"""What a payload says, read again with the standard library alone. It shares no code with the
product.

`expected` gives (operation, table, key, position) of what an envelope must accept, or raises
Refused. It is stricter than it is
quick: every document is read with Python's json, its hooks and a walk over the tree.
"""

from __future__ import annotations

import base64
import fnmatch
import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

DEEPEST = 64
UNSIGNED = 2**64 - 1
SNAPSHOTS = {
    "true",
    "first",
    "first_in_data_collection",
    "last_in_data_collection",
    "last",
    "false",
    "incremental",
}
DIGITS = re.compile("[0-9]+")


class Refused(Exception):
    """The payload is not what it has to be."""


class Said(NamedTuple):
    operation: str
    table: str
    key: Any
    position: tuple[Any, ...]


# --- JSON
# --------------------------------------------------------------------------------------------------


def load(data: bytes) -> Any:
    if len(data) > 16 * 1024 * 1024:
        raise Refused("too large")
    try:
        value = json.loads(
            data.decode("utf-8", "strict"),
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_float=_decimal,
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise Refused(str(error)) from error
    _walk(value, 0)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refused("a name twice")
    return dict(pairs)


def _constant(text: str) -> None:
    raise Refused(text)


class Written(Decimal):
    """A number that remembers how it was written."""

    text = ""


def _decimal(text: str) -> Decimal:
    found = Written(text)
    found.text = text
    return found


def _walk(value: Any, depth: int) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused("a lone surrogate") from None
    elif isinstance(value, dict | list):
        if depth == DEEPEST:
            raise Refused("too deep")
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            _walk(inner, depth + 1)


def alike(ours: Any, theirs: Any) -> bool:
    """Equal values of equal kinds; a float stands for the decimal that it prints as."""
    if isinstance(theirs, dict):
        return (
            isinstance(ours, dict)
            and ours.keys() == theirs.keys()
            and all(alike(ours[name], theirs[name]) for name in ours)
        )
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(theirs, Decimal):
        return (
            isinstance(ours, float | Decimal)
            and Decimal(repr(ours) if isinstance(ours, float) else ours) == theirs
        )
    return type(ours) is type(theirs) and ours == theirs


# --- small readings
# --------------------------------------------------------------------------------------------------


def number(value: Any, largest: int | None = UNSIGNED) -> int:
    if isinstance(value, str) and DIGITS.fullmatch(value):
        value = int(value) if len(value) < 4000 else -1
    if type(value) is not int or value < 0 or (largest is not None and value > largest):
        raise Refused(f"no number: {value!r:.50}")
    return value


def optional(value: Any) -> int | None:
    return None if value is None else number(value)


def name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Refused(f"no name: {value!r:.50}")
    return value


def unwrapped(data: bytes) -> tuple[Any, Any]:
    """Payload and schema."""
    value = load(data)
    if isinstance(value, dict) and set(value) == {"schema", "payload"}:
        schema = value["schema"]
        if schema is None or (isinstance(schema, dict) and isinstance(schema.get("type"), str)):
            return value["payload"], schema
    return value, None


def key_of(value: Any) -> Any:
    """A key whose numbers are spelled once: an integer, or a decimal without zeros at its end."""
    if isinstance(value, dict):
        parts = {name: part for name, part in value.items() if not isinstance(part, dict)}
        return {**value, **{name: key_of(part) for name, part in parts.items()}}
    if not isinstance(value, Decimal) or len(value.as_tuple().digits) > 4000:
        return value
    if abs(value.adjusted()) > 4000 and value:
        return value
    if value == value.to_integral_value():
        return int(value)
    sign, digits, exponent = value.as_tuple()
    while digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1  # type: ignore[operator]
    return Decimal((sign, digits, exponent))


def variable(value: Any) -> Any:
    """Debezium's decimal that tells its own scale."""
    if not isinstance(value, dict) or set(value) != {"scale", "value"}:
        return value
    scale, octets = value["scale"], value["value"]
    if isinstance(scale, str) and re.fullmatch("-?[0-9]{1,7}", scale, re.ASCII):
        scale = int(scale)
    if type(scale) is not int or abs(scale) > 147_455 or not isinstance(octets, str):
        return value
    try:
        found = base64.b64decode(octets, validate=True)
    except ValueError:
        return value
    if not 0 < len(found) <= 61_230:
        return value
    return Decimal(int.from_bytes(found, "big", signed=True)).scaleb(-scale)


def with_scales(value: Any, schema: Any) -> Any:
    """Decimals of a struct's own fields as people write them."""
    if not isinstance(schema, dict) or value is None:
        return value
    if schema.get("name") == "org.apache.kafka.connect.data.Decimal":
        scale = int(schema["parameters"]["scale"])
        if isinstance(value, str):
            value = Decimal(
                int.from_bytes(base64.b64decode(value, validate=True), "big", signed=True)
            ).scaleb(-scale)
        return f"{Decimal(value):.{max(scale, 0)}f}"
    if schema.get("type") == "struct" and isinstance(value, dict):
        kinds = {field["field"]: field for field in schema["fields"] if "field" in field}
        return {column: with_scales(cell, kinds.get(column)) for column, cell in value.items()}
    return value


def connect_key(data: bytes | None, column: str = "id") -> Any:
    if data is None:
        raise Refused("no key")
    value, schema = unwrapped(data)
    if value is None or value == {} or isinstance(value, list):
        raise Refused("no key")
    value = with_scales(value, schema)
    parts = [part for part in (schema or {}).get("fields") or () if isinstance(part, dict)]
    fields = {part.get("field"): part for part in parts}
    if not isinstance(value, dict):
        return {column: key_of(_number(value, schema))}
    found = {name: variable(_number(part, fields.get(name))) for name, part in value.items()}
    return key_of(found)


def _number(value: Any, schema: Any) -> Any:
    """A decimal that its schema made a text is a number in a key."""
    name = schema.get("name") if isinstance(schema, dict) else None
    is_decimal = name == "org.apache.kafka.connect.data.Decimal" and value is not None
    return Decimal(value) if is_decimal else value


def offset_clock(record: Any) -> tuple[Any, ...]:
    if not record.topic or record.partition < 0 or record.offset < 0:
        raise Refused("no offset")
    return ("kafka", f"kafka:{record.topic}", record.partition, record.offset)


# --- Debezium
# --------------------------------------------------------------------------------------------------


def debezium(record: Any, tombstone: str = "hint") -> Said:
    by_offset = tombstone == "delete"
    value = None if record.value is None else unwrapped(record.value)[0]
    if value is None:
        if not by_offset:
            raise Refused("a hint")
        return Said("delete", "", connect_key(record.key), offset_clock(record))
    if not isinstance(value, dict):
        raise Refused("no object")
    source = value.get("source")
    if isinstance(source, dict) and "op" in value:
        return _change(record, value["op"], source, value.get("after"), by_offset)
    return _flattened(record, value, by_offset)


def _change(record: Any, op: Any, source: dict[str, Any], after: Any, by_offset: bool) -> Said:
    name(source.get("name"))
    connector = name(source.get("connector"))
    spaces = {
        "mysql": ("db", "table"),
        "mariadb": ("db", "table"),
        "mongodb": ("db", "collection"),
    }.get(connector, ("schema", "table"))
    table = ".".join(name(source.get(space)) for space in spaces)
    position = (
        offset_clock(record)
        if by_offset or connector == "mongodb"
        else _log(record, op, source, connector)
    )
    if op == "t":
        return Said("truncate", table, None, position)
    if op not in ("c", "u", "r", "d") or not isinstance(op, str):
        raise Refused(f"op {op!r:.50}")
    if op != "d":
        row = (
            load(after.encode("utf-8"))
            if connector == "mongodb" and isinstance(after, str)
            else after
        )
        if not isinstance(row, dict):
            raise Refused("no row")
    return Said("delete" if op == "d" else "upsert", table, connect_key(record.key), position)


def _log(record: Any, op: str, source: dict[str, Any], connector: str) -> tuple[Any, ...]:
    taken = source.get("snapshot")
    taken = (
        {None: "false", False: "false", True: "true"}.get(taken, taken)
        if not isinstance(taken, dict | list)
        else ""
    )
    if taken not in SNAPSHOTS:
        raise Refused(f"snapshot {taken!r:.50}")
    read = op == "r" or taken == "incremental"
    scope = f"{connector}:{source['name']}/"
    if connector == "postgresql":
        return _postgresql(record, op, source, taken)
    if connector in ("mysql", "mariadb"):
        base, dot, file = name(source.get("file")).rpartition(".")
        if not dot:
            raise Refused("file")
        server = number(source.get("server_id") or 0)
        value = (number(file, None), number(source.get("pos")), number(source.get("row") or 0))
        return ("scalar", scope + base, value, str(server) if server else "", "", read)
    if connector == "sqlserver":
        commit = _hexadecimal(source.get("commit_lsn"))
        if commit == -1:
            raise Refused("commit_lsn")
        value = (
            (commit, 16**20, 0)
            if read
            else (
                commit,
                _hexadecimal(source.get("change_lsn")),
                number(source.get("event_serial_no") or 0),
            )
        )
        return ("scalar", scope + (source.get("db") or ""), value, "", "", read)
    if connector == "oracle":
        scope += source.get("db") or ""
        if read:
            return ("scalar", scope, (number(source.get("scn"), None), 2**63), "", "", True)
        value = (number(source.get("commit_scn"), None), number(source.get("txSeq") or 0))
        return ("scalar", scope, value, "", name(source.get("txId")), False)
    raise Refused(connector)


def _postgresql(record: Any, op: str, source: dict[str, Any], taken: str) -> tuple[Any, ...]:
    first = own = None
    if source.get("sequence") is not None:
        if not isinstance(source["sequence"], str):
            raise Refused("sequence")
        pair = load(source["sequence"].encode())
        if not isinstance(pair, list) or len(pair) != 2:
            raise Refused("sequence")
        first, own = map(optional, pair)
    lsn = source.get("lsn")
    if op == "r" and taken == "incremental":
        op, lsn = "i", lsn if own is None else own
    placed = bool(record.topic) and record.partition >= 0 and record.offset >= 0
    place = (f"{record.topic}/{record.partition}", record.offset) if placed else ("", -1)
    return (
        "pg",
        f"pg:{source['name']}",
        number(lsn),
        op,
        first,
        optional(source.get("txId")),
        *place,
        _run(record),
    )


def _run(record: Any) -> str:
    run = ""
    for header, value in record.headers:
        if header == "__debezium.context.runId":
            run = value or ""
    found = re.fullmatch(
        "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", run.lower()
    )
    return found[0] if found else ""


def _hexadecimal(value: Any) -> int:
    if value is None:
        return -1
    digits = (
        re.fullmatch("[0-9a-fA-F]{20}", value.replace(":", "").replace("-", ""))
        if isinstance(value, str)
        else None
    )
    if digits is None:
        raise Refused("lsn")
    return int(digits[0], 16)


def _flattened(record: Any, value: dict[str, Any], by_offset: bool) -> Said:
    told = {n for n in value if n.startswith(("__source_", "__transaction_")) or n in METADATA}
    if (
        isinstance(value.get("source"), dict)
        or {"before", "after"} <= set(value)
        or not (told or by_offset)
    ):
        raise Refused("not flattened")
    op, deleted = value.get("__op"), value.get("__deleted")
    if (
        deleted not in ("true", "false", True, False, None)
        or (isinstance(deleted, int) and not isinstance(deleted, bool))
        or isinstance(deleted, Decimal)
    ):
        raise Refused("__deleted")
    gone = deleted in ("true", True)
    if op is not None and (
        op not in ("c", "u", "r", "d")
        or not isinstance(op, str)
        or ("__deleted" in value and gone != (op == "d"))
    ):
        raise Refused("__op")
    source = {
        n.removeprefix("__"): value[n] for n in METADATA if n in value and not n.startswith("__ts_")
    }
    source |= {
        n.removeprefix("__source_"): cell for n, cell in value.items() if n.startswith("__source_")
    }
    prefix = (
        dict(record.headers).get("__debezium.context.connectorLogicalName")
        or record.topic.rsplit(".", 2)[0]
    )
    source = {"connector": "postgresql", "name": prefix, **source}
    operation = "delete" if gone or op == "d" else "upsert"
    logged = source.get("lsn") is not None or (
        source.get("snapshot") == "incremental" and source.get("sequence") is not None
    )
    if by_offset or op is None or source["connector"] != "postgresql" or not logged:
        return Said(operation, "", connect_key(record.key), offset_clock(record))
    name(source["name"])
    return Said(operation, "", connect_key(record.key), _log(record, op, source, "postgresql"))


SOURCE_NAMES = (
    "version connector name snapshot db sequence schema table txId lsn xmin origin origin_lsn"
)
METADATA = {f"__{word}" for word in f"op deleted ts_ms ts_us ts_ns {SOURCE_NAMES}".split()}


# --- the others
# --------------------------------------------------------------------------------------------------


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, str | None]]


def eventbridge(record: Any, inner: Any, dead: tuple[str, ...] = ()) -> Said:
    if record.value is None:
        raise Refused("no body")
    body = load(record.value)
    detail = body.get("detail") if isinstance(body, dict) else None
    if detail is None and isinstance(body, dict) and "topic" in body:
        detail = body  # a rule with InputPath = "$.detail"
    if (
        not isinstance(detail, dict)
        or "value" not in detail
        or not isinstance(detail.get("topic"), str)
    ):
        raise Refused("no detail")
    headers = _listed(detail.get("headers"))
    place = (
        detail["topic"],
        number(detail.get("partition"), 2**63 - 1),
        number(detail.get("offset"), 2**63 - 1),
    )
    if isinstance(detail["partition"], str) or isinstance(detail["offset"], str):
        raise Refused("place")
    if any(n.startswith("__connect.errors.") for n, _ in headers) or any(
        fnmatch.fnmatchcase(place[0], glob) for glob in dead
    ):
        first = dict(reversed(headers))
        texts = [
            first.get(f"__connect.errors.{word}") or "" for word in ("topic", "partition", "offset")
        ]
        topic = texts[0] if re.fullmatch("[A-Za-z0-9._-]{1,249}", texts[0]) else ""
        whole = topic and all(re.fullmatch("[0-9]{1,18}", text) for text in texts[1:])
        place = (topic, int(texts[1]), int(texts[2])) if whole else (topic or place[0], -1, -1)
    said = inner(
        Record(
            *place, _bytes(detail.get("key"), key=True), _bytes(detail["value"], key=False), headers
        )
    )
    if (
        detail.get("dataref")
        and said.operation == "upsert"
        and detail.get("datarefJsonPath") != "$.detail.value.before"
    ):
        raise Refused("offloaded")
    return said


def _listed(headers: Any) -> list[tuple[str, str | None]]:
    if headers is None:
        return []
    if not isinstance(headers, list) or not all(
        isinstance(one, dict) and len(one) == 1 for one in headers
    ):
        raise Refused("headers")
    pairs = [next(iter(one.items())) for one in headers]
    return [
        (n, cell if cell is None or isinstance(cell, str) else plain(cell)) for n, cell in pairs
    ]


def plain(value: Any) -> str:
    """JSON text of a header that is no text; only numbers are ever read from one."""
    if isinstance(value, Decimal):
        return repr(float(value)) if Decimal(repr(float(value))) == value else str(value)
    return json.dumps(value, default=str)


def _bytes(value: Any, *, key: bool) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        if value.lstrip().startswith("{"):
            return value.encode()
        try:
            decoded = base64.b64decode(value, validate=True) if value.startswith("ey") else b""
        except ValueError:
            decoded = b""
        if decoded.startswith(b"{"):
            return decoded
        return json.dumps(value).encode() if key else value.encode()
    return _dumped(value).encode()


def _dumped(value: Any) -> str:
    """JSON again, its decimals digit by digit."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(n)}:{_dumped(cell)}" for n, cell in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dumped, value)) + "]"
    return value.text if isinstance(value, Written) else json.dumps(value)


def cloudevents(record: Any, sequence: str | None, deleted_type: str) -> Said:
    headers = dict(record.headers)
    if "ce_id" in headers or "ce_specversion" in headers:
        event: dict[str, Any] = {n[3:]: cell for n, cell in headers.items() if n.startswith("ce_")}
        gone, data = record.value is None, record.value
        if data is not None and data.lstrip(b" \t\r\n").startswith(b"{"):
            load(data)
    else:
        event = load(record.value) if record.value is not None else {}
        if not isinstance(event, dict) or (
            "data" in event and event.get("data_base64") is not None
        ):
            raise Refused("no event")
        gone, data = False, event.get("data")
        if event.get("data_base64") is not None:
            data = base64.b64decode(event["data_base64"], validate=True)
            if data.lstrip(b" \t\r\n").startswith(b"{"):
                load(data)
    if event.get("specversion") != "1.0" or not all(
        isinstance(event.get(n), str) and event[n] for n in ("id", "source", "type", "subject")
    ):
        raise Refused("attributes")
    kind = sequence or ("integer32-wrap" if event.get("sequencetype") == "Integer" else "")
    gone = gone or bool(deleted_type and fnmatch.fnmatchcase(event["type"], deleted_type))
    if not gone and data is None:
        raise Refused("no data")
    position = (
        "scalar",
        f"cloudevents:{event['source']}",
        _sequence(event.get("sequence"), kind),
        "",
        "",
        False,
    )
    return Said(
        "delete" if gone else "upsert",
        record.topic or event["source"],
        {"id": event["subject"]},
        position,
    )


def _sequence(value: Any, kind: str) -> tuple[int, ...]:
    if kind == "integer":
        return (number(value, None),)
    if kind == "lexicographic" and isinstance(value, str) and 0 < len(value.encode()) <= 250:
        return tuple(value.encode())
    if kind == "integer32-wrap":
        if isinstance(value, str) and re.fullmatch("-?[0-9]{1,11}", value):
            value = int(value)
        if type(value) is int and -(2**31) <= value < 2**31:
            return (value & 0xFFFFFFFF,)
    raise Refused("sequence")


def orders(record: Any) -> Said:
    """The user's own JSON of the fixture: key /order/id, position /version, deleted /cancelled, row
    /order."""
    if record.value is None:
        raise Refused("null")
    document = load(record.value)
    order = document.get("order") if isinstance(document, dict) else None
    if not isinstance(order, dict):
        raise Refused("order")
    key = order.get("id")
    if (
        key is None
        or isinstance(key, dict | list)
        or document.get("cancelled") not in (None, True, False)
        or (document.get("cancelled") in (0, 1) and type(document["cancelled"]) is not bool)
    ):
        raise Refused("key or flag")
    return Said(
        "delete" if document.get("cancelled") else "upsert",
        record.topic,
        {"id": key_of(key)},
        ("scalar", number(document.get("version"), None)),
    )


def raw(record: Any) -> Said:
    if record.key is None:
        raise Refused("no key")
    blanks = b" \t\r\n"
    if record.key.lstrip(blanks).startswith(b"{"):
        key = key_of(load(record.key))
        if not key:
            raise Refused("empty key")
    else:
        key = {"id": _bare(record.key)}
    if record.value is not None and record.value.lstrip(blanks).startswith(b"{"):
        load(record.value)
    return Said(
        "delete" if record.value is None else "upsert", record.topic, key, offset_clock(record)
    )


def _bare(data: bytes) -> Any:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()
    if text.startswith('"'):
        try:
            found = load(data)
        except Refused:
            found = None
        if isinstance(found, str):
            return found
    return "base64:" + base64.b64encode(data).decode() if text.startswith("base64:") else text


# --- DynamoDB Streams
# --------------------------------------------------------------------------------------------------


def dynamodb_streams(record: Any) -> Said:
    body = load(record.value or b"")
    change = body["dynamodb"]
    if body["eventSource"] != "aws:dynamodb" or not change["Keys"]:
        raise Refused("no stream record")
    key = {
        column: cell["B"] if "B" in cell else attribute(cell)
        for column, cell in change["Keys"].items()
    }
    key = key_of(key)
    time = change.get("ApproximateCreationDateTime")
    if isinstance(time, bool) or (time is not None and time < 0):
        raise Refused("time")
    if change.get("SequenceNumber") is None:
        name(body["tableName"])
        unit = 1 if change.get("ApproximateCreationDateTimePrecision") == "MICROSECOND" else 1000
        table, position = body["tableName"], (int(time) * unit,)
    else:
        found = re.fullmatch(
            "arn:[^:]+:dynamodb:[^:]*:[^:]*:table/([^/:]+)/stream/(.+)", body["eventSourceARN"]
        )
        if found is None:
            raise Refused("no stream")
        began = datetime.fromisoformat(found[2] + "+00:00")
        table, position = (
            found[1],
            (round(began.timestamp() * 1000), number(change["SequenceNumber"], None)),
        )
    if body["eventName"] == "REMOVE":
        return Said("delete", table, key, ("scalar", *position))
    if body["eventName"] not in ("INSERT", "MODIFY"):
        raise Refused("eventName")
    for cell in change["NewImage"].values():
        attribute(cell)
    return Said("upsert", table, key, ("scalar", *position))


def attribute(cell: Any) -> Any:
    """An attribute of DynamoDB; numbers as integers or decimals."""
    ((kind, value),) = cell.items()
    match kind, value:
        case ("S", str()) | ("BOOL", bool()) | ("NULL", _):
            return None if kind == "NULL" else value
        case "N", str():
            if (
                not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", value, re.ASCII)
                or abs(Decimal(value).adjusted()) > 130
            ):
                raise Refused("number")
            return int(Decimal(value)) if Decimal(value) == int(Decimal(value)) else Decimal(value)
        case "B", str():
            return base64.b64decode(value, validate=True)
        case "L", list():
            return [attribute(one) for one in value]
        case "M", dict():
            return {n: attribute(one) for n, one in value.items()}
        case (("SS" | "NS" | "BS"), list()):
            return sorted(attribute({kind[0]: one}) for one in value)
    raise Refused(f"no attribute: {cell!r:.80}")
