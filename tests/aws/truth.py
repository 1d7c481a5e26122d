"""What a recorded stream's tables must hold in DynamoDB: the source database's own final rows,
compared value by value.

A value is right in the event's spelling or in the database's own text. It shares no code with the
product. The encodings are described in the recordings' README: PostgreSQL's text output on one
side, Debezium's JSON under the connector's settings on the other.
"""

from __future__ import annotations

import base64
import collections
import datetime
import json
import re
from collections.abc import Iterator
from decimal import Context, Decimal
from typing import Any, NamedTuple

from tests.recordings import Telling

MARK = "__debezium_unavailable_value"
MARKS = (MARK, base64.b64encode(MARK.encode()).decode())
EPOCH = datetime.date(1970, 1, 1)
EXACT = Context(prec=2000)
TELLS_ALL = {
    "users_small",
    "shop",
    "schema_change",
    "recreated_topic",
    "restarts",
    "incremental",
    "truncate",
    "types",
}
"""Streams whose source tells everything: only holes may differ. The others lose or rewrite history
at the source itself."""


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


class Recording:
    """A telling of a stream, its records, and the rows that must come of it."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self.manifest = telling.manifest
        self.settings: dict[str, str] = self.manifest["connector"][telling.name]
        self.records: list[dict[str, Any]] = [json.loads(line) for line in telling.lines()]
        self.tables: dict[str, Any] = {
            name: about
            for name, about in self.manifest["tables"].items()
            if not about.get("helper")
        }
        self.told, self.untellable = self._told()
        self.rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in self.tables}
        for line in Telling(telling.stream, "source").rows():
            if line["table"] in self.tables:
                self.rows[line["table"]][self.key(line["table"], line["key"])] = line["row"]

    def key(self, table: str, texts: dict[str, Any]) -> str:
        kinds = self.tables[table]["columns"]
        return canonical({name: from_database(text, kinds[name]) for name, text in texts.items()})

    def found_key(self, table: str, row: dict[str, Any]) -> str:
        kinds = self.tables[table]["columns"]
        return canonical(
            {
                name: from_record(row.get(name), kinds[name], self.settings)
                for name in self.tables[table]["key"]
            }
        )

    def _told(self) -> tuple[dict[tuple[str, str], set[str]], dict[tuple[str, str], set[str]]]:
        """A row's columns that its last change names; and those that no event of it ever told, or
        only before it moved to this key."""
        named: dict[tuple[str, str], set[str]] = {}
        moved: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
        ever: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
        for record in self.records:
            value = payload(record["value"])
            if isinstance(value, dict) and value.get("after"):
                place = (
                    f"{value['source']['schema']}.{value['source']['table']}",
                    canonical(payload(record["key"])),
                )
                named[place] = set(value["after"])
                held = {name for name, cell in value["after"].items() if unavailable(cell)}
                ever[place] |= named[place] - held
                if "__debezium.oldkey" in dict(record["headers"]):
                    moved[place] |= held
        return named, {place: moved[place] | names - ever[place] for place, names in named.items()}


def payload(text: str | None) -> Any:
    value = None if text is None else json.loads(text)
    return (
        value["payload"]
        if isinstance(value, dict) and set(value) == {"schema", "payload"}
        else value
    )


def unavailable(cell: object) -> bool:
    return cell in MARKS or (isinstance(cell, list) and len(cell) == 1 and unavailable(cell[0]))


class Verdict(NamedTuple):
    """Figures, and what is neither equal nor explained."""

    figures: collections.Counter[str]
    problems: list[str]


def judge(
    recording: Recording,
    items: dict[str, list[dict[str, Any]]],
    held: dict[tuple[str, str], list[str]],
    holes: dict[tuple[str, str], set[str]],
) -> Verdict:
    """Every row against the source's. `items`: a table's rows as Python values; `held`: open
    quarantine entries of (table, key), as texts "reason detail"; `holes`: columns that (table, key)
    has never been told."""
    figures: collections.Counter[str] = collections.Counter()
    problems: list[str] = []
    expected = recording.manifest["expected"].get(recording.telling.name, {})
    untold = {"missing": expected.get("missing rows", 0), "extra": expected.get("extra rows", 0)}
    untold["wrong"] = sum(number for name, number in expected.items() if name.startswith("rows: "))
    for table in recording.tables:
        for kind, key, detail in differences(recording, table, items.get(table, []), held, holes):
            figures[kind] += 1
            if kind in untold and figures[kind] > untold[kind]:
                problems.append(f"{kind}: {table} {key} {detail}")
    return Verdict(figures, problems)


def differences(
    recording: Recording,
    table: str,
    rows: list[dict[str, Any]],
    held: dict[tuple[str, str], list[str]],
    holes: dict[tuple[str, str], set[str]],
) -> Iterator[tuple[str, str, str]]:
    """(what, key, detail) of every row."""
    kinds, wanted = recording.tables[table]["columns"], recording.rows[table]
    found = {recording.found_key(table, row): row for row in rows}
    assert len(found) == len(rows), f"{table}: two items of one key"
    for key in sorted({*wanted, *found}):
        entries = held.get((table, key), [])
        if any("DynamoDB" in entry for entry in entries):
            yield "refused by DynamoDB's limits, in quarantine", key, ""
            continue
        if key in wanted and key in found:
            told = recording.told.get((table, key), set(kinds))
            differing = {
                c
                for c, kind in kinds.items()
                if c in told
                and not same(found[key].get(c), wanted[key][c], kind, recording.settings)
            }
            open_columns = holes.get((table, key), set())
            if recording.telling.stream in TELLS_ALL:
                open_columns &= recording.untellable.get((table, key), set())
            kind = "equal" if not differing else "holes" if differing <= open_columns else "wrong"
            detail = str({c: (found[key].get(c), wanted[key][c]) for c in differing})
        else:
            kind, detail = ("missing" if key in wanted else "extra"), ""
        explained = (
            kind not in ("equal", "holes") and entries and recording.telling.stream not in TELLS_ALL
        )
        yield (f"{kind}, in quarantine" if explained else kind), key, detail


# --- one value, two spellings
# ----------------------------------------------------------------------------------------------


def same(cell: Any, text: Any, kind: str, settings: dict[str, str]) -> bool:
    """Is a value in DynamoDB the source's?"""
    if cell is None or text is None:
        return cell is None and text is None
    if cell == text:
        return True
    try:
        found, wanted = from_record(cell, kind, settings), from_database(text, kind)
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        return False
    if base(kind) in ("json", "jsonb"):
        return bool(json.loads(found) == json.loads(wanted))
    if base(kind) in ("double precision", "real"):
        # DynamoDB has no negative zero
        return bool(found == wanted or float(found) == float(wanted) == 0)
    if base(kind) == "numeric" and isinstance(found, Decimal) and isinstance(wanted, Decimal):
        return found == wanted or float(found) == float(wanted)
    return bool(found == wanted)


def base(kind: str) -> str:
    return re.sub(r"\(.*\)", "", kind)


def from_database(text: Any, kind: str) -> Any:
    """PostgreSQL's own text."""
    if text is None:
        return None
    if kind.endswith("[]"):
        return [from_database(one, kind[:-2]) for one in text]
    match base(kind):
        case "smallint" | "integer" | "bigint":
            return int(text)
        case "numeric":
            return number(text)
        case "double precision" | "real":
            return repr(float(text))
        case "boolean":
            return text == "true"
        case "date":
            return day(text)
        case "time without time zone":
            return microseconds(text)
        case "timestamp without time zone" | "timestamp with time zone":
            return moment(text)
        case "interval":
            return interval(text)
        case "bytea":
            return bytes.fromhex(text[2:])
    return text


def from_record(cell: Any, kind: str, settings: dict[str, str]) -> Any:
    """Debezium's JSON, its numbers as DynamoDB holds them."""
    if cell is None:
        return None
    if kind.endswith("[]"):
        return [from_record(one, kind[:-2], settings) for one in cell]
    unit = 1000 if settings.get("time.precision.mode") == "connect" else 1
    match base(kind):
        case "numeric":
            return _decimal(cell, kind, settings)
        case "double precision" | "real":
            return repr(float(cell))
        case "date":
            return day(cell) if isinstance(cell, str) else int(cell)
        case "time without time zone":
            return microseconds(cell.rstrip("Z")) if isinstance(cell, str) else int(cell) * unit
        case "timestamp without time zone" | "timestamp with time zone":
            return moment(cell) if isinstance(cell, str) else int(cell) * unit
        case "interval":
            return interval(cell) if isinstance(cell, str) else cell
        case "bytea":
            return (
                base64.b64decode(cell)
                if settings.get("binary.handling.mode", "bytes") == "bytes"
                else bytes.fromhex(cell)
            )
    return cell


def _decimal(cell: Any, kind: str, settings: dict[str, str]) -> Any:
    if isinstance(cell, dict):
        return scaled(cell["value"], int(cell["scale"]))
    if isinstance(cell, int | Decimal):
        return Decimal(cell)
    found = re.search(r",(\d+)\)", kind)
    if settings.get("decimal.handling.mode", "precise") == "precise" and found is not None:
        return scaled(cell, int(found[1]))
    return number(cell)


def scaled(encoded: str, scale: int) -> Decimal:
    return EXACT.scaleb(
        Decimal(int.from_bytes(base64.b64decode(encoded), "big", signed=True)), -scale
    )


def number(text: str) -> Any:
    return Decimal(text) if re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?", text) else text.upper()


def microseconds(clock: str) -> int:
    hours, minutes, seconds = re.fullmatch(r"(\d+):(\d+)(?::([\d.]+))?", clock).groups("0")  # type: ignore[union-attr]
    return (int(hours) * 60 + int(minutes)) * 60_000_000 + int(Decimal(seconds) * 1_000_000)


def moment(text: str) -> Any:
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T]([\d:.]+)(?:\+00|Z)?", text)
    return day(found[1]) * 86_400_000_000 + microseconds(found[2]) if found else text


def day(text: str) -> Any:
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)Z?", text)
    return (datetime.date.fromisoformat(found[1]) - EPOCH).days if found else text


def interval(text: str) -> tuple[int, int, int]:
    """(months, days, microseconds) of an ISO 8601 duration."""
    date, _, clock = text.removeprefix("P").partition("T")
    told = {
        f"{where}{unit}": Decimal(n)
        for where, part in (("d", date), ("t", clock))
        for n, unit in re.findall(r"(-?[\d.]+)([YMDHSW])", part)
    }

    def of(name: str) -> Decimal:
        return told.get(name, Decimal(0))

    return (
        int(of("dY") * 12 + of("dM")),
        int(of("dD")),
        round(((of("tH") * 60 + of("tM")) * 60 + of("tS")) * 1_000_000),
    )
