"""Mutated payloads: no exception leaves `decode`, and what it accepts an independent reader
(oracle.py) reads in the same way.

python tests/envelopes/fuzz.py --count 1000000 [--seed 0]      prints figures; exit code 1 if
anything disagreed
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / part) for part in ("src", ".")]

import msgspec

from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families import LogPosition, OffsetPosition, ScalarPosition
from anyorder.envelopes import Envelope, detect, open_envelope, read_record
from anyorder.envelopes.envelope import BUG
from anyorder.errors import Malformed
from tests.envelopes import oracle, samples

NOWHERE = -1  # the partition and the offset of a record that tells none
ACCEPTED = (Kind.PUT, Kind.DELETE, Kind.TRUNCATE)


class Case(NamedTuple):
    """A fixture, the envelope that reads it, and the oracle's reading."""

    fixture: str
    envelope: Envelope
    expected: Callable[[Any], oracle.Said]


def cases() -> list[Case]:
    found = []
    for fixture, (name, options) in samples.READ_BY.items():
        found.append(Case(fixture, open_envelope(name, **options), _oracle(name, options)))
    by_offset = (
        open_envelope("debezium", tombstone="delete"),
        lambda record: oracle.debezium(record, "delete"),
    )
    found += [
        Case(fixture, *by_offset) for fixture in ("debezium_postgresql", "debezium_flattened")
    ]
    for sequence in ("lexicographic", "integer32-wrap", None):
        options = {"sequence": sequence, "deleted_type": "*.deleted"}
        found.append(
            Case(
                "cloudevents_structured",
                open_envelope("cloudevents", **options),
                _oracle("cloudevents", options),
            )
        )
    dead = ("users-*",)
    raw = open_envelope("eventbridge", inner="raw", dead_letter_topics=dead)
    found.append(
        Case("eventbridge", raw, lambda record: oracle.eventbridge(record, oracle.raw, dead))
    )
    return found


def _oracle(name: str, options: dict[str, Any]) -> Callable[[Any], oracle.Said]:
    readings: dict[str, Callable[[Any], oracle.Said]] = {
        "debezium": oracle.debezium,
        "eventbridge": lambda record: oracle.eventbridge(record, oracle.debezium),
        "cloudevents": lambda record: oracle.cloudevents(
            record, options.get("sequence"), options.get("deleted_type", "")
        ),
        "json": oracle.orders,
        "raw": oracle.raw,
        "dynamodb_streams": oracle.dynamodb_streams,
    }
    return readings[name]


# --- mutations
# --------------------------------------------------------------------------------------------------

ODD_VALUES = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "1.5",
    "-0.0",
    "1e400",
    "1e-400",
    "12.30",
    "0.1000000000000000055511151231257827",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "-9223372036854775808",
    "1E5",
    "NaN",
    "Infinity",
    "01",
    "[]",
    "{}",
    "[1]",
    '""',
    '"0"',
    '"12"',
    '"-1"',
    '"1e3"',
    '"１２"',
    '"\\ud800"',
    '"\\u0000"',
    '"true"',
    '"d"',
    '"t"',
    '"incremental"',
    '"__debezium_unavailable_value"',
    '{"a":1,"a":2}',
    '{"id":1}',
    "340282366920938463463374607431768211456",
    "9" * 5000,
    "[" * 60 + "]" * 60,
    "[" * 70 + "]" * 70,
    '{"a":' * 3000 + "1" + "}" * 3000,
    '"a\\":b"',
    '" :"',
    "1e999999999999999999999",
    '{"":1}',
    '"\\u0000\\u0000"',
    '"\\ud800\\ud800"',
    '"' + "9" * 5000 + '"',
    '"-' + "9" * 5000 + '"',
    '"0/' + "F" * 5000 + '"',
    '"' + "1" * 400 + '.5"',
    '"' + "x" * 100_000 + '"',
    '"' + "[" * 3000 + '"',
    "-" + "9" * 4400,
    "0." + "1" * 5000,
    "[" + "1," * 3000 + "1]",
]
ODD_NAMES = [
    "",
    " ",
    "*",
    "a\0b",
    "c" * 300,
    "é" * 100,
    '"',
    "a.b",
    "/",
    "~",
    "rowid",
    "ID",
    "sqlite_x",
    "anyorder_x",
    "99999999999999999999999",
]
ODD_TOPICS = ["", "a", "x.y.z", "crm.crm.users", "a\0b", "t" * 300, "..", "sqlite_stat", "é.*.["]
ODD_TIMES = [None, 0, -1, 2**63 - 1, -(2**63), 253_402_300_800_000]
MANY = 2500  # members: more than a table has columns
RARELY = 0.002  # a mutation that makes megabytes


def flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << chance.randrange(8)),)) + data[at + 1 :]


def cut(data: bytes, chance: random.Random) -> bytes:
    at, end = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:at] + data[min(end, at + chance.choice((1, 4, 20))) :]


def double(data: bytes, chance: random.Random) -> bytes:
    at, end = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:end] + data[at:]


def insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    piece = chance.choice(
        (
            b"\x00",
            b"\xff",
            b"\xed\xa0\x80",
            b'"',
            b"{",
            b"}",
            b"[",
            b",",
            b":",
            b"\\",
            b" ",
            b"\n",
            b"\xef\xbb\xbf",
            "é".encode(),
        )
    )
    return data[:at] + piece + data[at:]


def truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def mark(data: bytes, chance: random.Random) -> bytes:
    return b"\xef\xbb\xbf" + data


def respaced(data: bytes, chance: random.Random) -> bytes:
    return data.replace(
        b'":', chance.choice((b'" :', b'":\n ', b'"\t:')), chance.choice((1, 3, -1))
    )


def repeated_name(data: bytes, chance: random.Random) -> bytes:
    """An object whose name comes twice: once with an odd value."""
    places = [at for at in range(len(data)) if data[at : at + 2] == b'{"']
    if not places:
        return data
    at = chance.choice(places)
    end = data.find(b'":', at)
    return (
        data[: at + 1]
        + data[at + 1 : end + 2]
        + chance.choice(ODD_VALUES[:30]).encode()
        + b","
        + data[at + 1 :]
    )


def grown(data: bytes, chance: random.Random) -> bytes:
    """A number with other digits."""
    places = [at for at in range(1, len(data)) if 48 <= data[at] <= 57]
    if not places:
        return data
    at = chance.choice(places)
    return (
        data[:at]
        + chance.choice((b"0", b"9", b".5", b"e9", b"-", b"99999999999999999999", b""))
        + data[at + chance.randrange(2) :]
    )


def swapped(data: bytes, chance: random.Random) -> bytes:
    """One value of the tree exchanged, dropped or renamed."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return insert(data, chance)
    holders = list(_holders(tree))
    if not holders:
        return chance.choice(ODD_VALUES).encode()
    holder = chance.choice(holders)
    name = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    deed = chance.randrange(5)
    mark = "@@"
    if deed == 0:
        del holder[name]
    elif deed == 1 and isinstance(holder, dict):
        holder[
            chance.choice(
                (name + "x", name.upper(), "op", "lsn", "value", "source", "__op", "payload")
            )
        ] = holder.pop(name)
    elif deed == 2:
        other = chance.choice(holders)
        holder[name] = json.loads(
            json.dumps(chance.choice(list(other.values() if isinstance(other, dict) else other)))
        )
    else:
        holder[name] = mark
    text = json.dumps(
        tree,
        ensure_ascii=chance.random() < 0.5,
        separators=chance.choice(((",", ":"), (", ", ": "))),
    )
    return text.replace(f'"{mark}"', chance.choice(ODD_VALUES)).encode("utf-8", "surrogatepass")


def named_oddly(data: bytes, chance: random.Random) -> bytes:
    """An object's member under a name that nobody expects, or very many more of them."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return insert(data, chance)
    holders = [holder for holder in _holders(tree) if isinstance(holder, dict)]
    if not holders:
        return b'{"":1}'
    holder = chance.choice(holders)
    if chance.random() < 0.05:
        holder.update((f"m{number}", number) for number in range(MANY))
    else:
        holder[chance.choice(ODD_NAMES)] = holder[chance.choice(list(holder))]
    return json.dumps(tree, separators=(",", ":")).encode()


def enormous(data: bytes, chance: random.Random) -> bytes:
    """A number of a million digits, a text or a depth of a million characters; rarely, since they
    are slow."""
    if chance.random() > RARELY:
        return grown(data, chance)
    size = 1_000_000
    odd = ("9" * size, '"' + "x" * size + '"', "[" * size, '{"a":' * size, '"' + "9" * size + '"')
    end = data.find(b'":') + 2
    return data[:end] + chance.choice(odd).encode() + b"," + data[end:]


def _holders(tree: Any) -> Any:
    if isinstance(tree, dict | list) and tree:
        yield tree
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from _holders(inner)


MUTATIONS = (
    flip,
    cut,
    double,
    insert,
    truncate,
    mark,
    respaced,
    repeated_name,
    grown,
    grown,
    named_oddly,
    enormous,
    *[swapped] * 8,
)


def mutated(data: bytes | None, chance: random.Random) -> bytes | None:
    if not data:
        return chance.choice((None, b"", b"null", b"{}", b'"x"', b"[]", b"1"))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice(MUTATIONS)(data, chance) or b" "
    return data


def variant(delivery: Delivery, others: list[Delivery], chance: random.Random) -> Delivery:
    """A delivery in which something is wrong, most often its value."""
    deed = chance.random()
    if deed < 0.72:
        return msgspec.structs.replace(delivery, value=mutated(delivery.value, chance))
    if deed < 0.82:
        return msgspec.structs.replace(delivery, key=mutated(delivery.key, chance))
    if deed < 0.86:
        return msgspec.structs.replace(delivery, value=chance.choice(others).value)
    if deed < 0.90:
        return msgspec.structs.replace(
            delivery, key=chance.choice((None, b"", chance.choice(others).key))
        )
    if deed < 0.94:
        place = {
            "topic": chance.choice(ODD_TOPICS),
            "partition": chance.choice((-1, 0, 5, 2**63 - 1)),
            "offset": chance.choice((-1, 0, 2**62, 2**63 - 1)),
            "timestamp": chance.choice(ODD_TIMES),
        }
        return msgspec.structs.replace(delivery, **place)
    if delivery.headers and deed < 0.98:
        headers = list(delivery.headers)
        at = chance.randrange(len(headers))
        headers[at] = (
            chance.choice((headers[at][0], "ce_id", "x")),
            chance.choice(
                (
                    None,
                    "",
                    "1",
                    "-7",
                    "2147483648",
                    "x" * 300,
                    "9" * 5000,
                    "\0",
                    headers[at][1],
                )
            ),
        )
        return msgspec.structs.replace(delivery, headers=tuple(headers))
    return msgspec.structs.replace(delivery, value=None)


# --- judging
# --------------------------------------------------------------------------------------------------


def place_of(event: Event) -> tuple[Any, ...]:
    position = event.position
    if isinstance(position, LogPosition):
        placed = (position.partition, position.offset, position.run)
        return (
            "pg",
            position.scope,
            position.lsn,
            position.op,
            position.seq0,
            position.transaction,
            *placed,
        )
    if isinstance(position, OffsetPosition):
        return ("kafka", position.scope, position.partition, position.offset)
    assert isinstance(position, ScalarPosition)
    if position.per_entity:
        return ("scalar", *position.value)
    return (
        "scalar",
        position.scope,
        position.value,
        position.lineage,
        position.group,
        position.as_of,
    )


def disagreement(case: Case, delivery: Delivery, event: Event) -> str:
    """What the oracle holds against an accepted event; "" if nothing."""
    try:
        said = case.expected(delivery)
    except (oracle.Refused, ValueError, KeyError, TypeError, ArithmeticError) as error:
        return f"accepted, the oracle refuses: {type(error).__name__} {error}"
    if said.operation != event.kind.value:
        return f"{event.kind.value}, the oracle says {said.operation}"
    if said.table and said.table != event.table:
        return f"table {event.table}, the oracle says {said.table}"
    if not oracle.alike(event.key, said.key):
        return f"key {event.key}, the oracle says {said.key}"
    if place_of(event) != said.position:
        return f"position {place_of(event)}, the oracle says {said.position}"
    return ""


class Figures:
    """What a run counted, and what was wrong."""

    def __init__(self) -> None:
        self.kinds: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []


def run(count: int, seed: int) -> Figures:
    """`count` mutated deliveries, the same for the same seed."""
    chance, figures, known = random.Random(seed), Figures(), cases()
    told = {case.fixture: samples.deliveries(case.fixture) for case in known}
    for _ in range(count):
        case = chance.choice(known)
        delivery = variant(chance.choice(told[case.fixture]), told[case.fixture], chance)
        try:
            _judge(case, delivery, figures)
        except Exception as error:
            figures.wrong.append(
                f"{case.fixture}: {type(error).__name__} {error} left decode: {delivery!r:.2000}"
            )
    return figures


def _judge(case: Case, delivery: Delivery, figures: Figures) -> None:
    event = case.envelope.decode(delivery)
    figures.kinds[event.kind.value] += 1
    problem = disagreement(case, delivery, event) if event.kind in ACCEPTED else ""
    if event.note.startswith(BUG) or (event.kind is Kind.MALFORMED and not event.note):
        problem = event.note or "malformed without a reason"
    if msgspec.structs.replace(event.delivery, topic=delivery.topic) != delivery:
        problem = "the event lost its delivery"
    if problem:
        figures.wrong.append(f"{case.fixture}: {problem}: {delivery!r:.2000}")


def run_lines(count: int, seed: int) -> Figures:
    """Mutated record lines: `read_record` gives a delivery or raises Malformed; `detect` never
    raises."""
    chance, figures = random.Random(seed), Figures()
    lines = [
        line
        for path in sorted(samples.FIXTURES.glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]
    for _ in range(count):
        line = mutated(chance.choice(lines), chance) or b""
        try:
            found = read_record(line)
        except Malformed:
            figures.kinds["malformed"] += 1
            continue
        except Exception as error:
            figures.wrong.append(f"{type(error).__name__} {error} left read_record: {line!r:.2000}")
            continue
        figures.kinds["record" if found.topic else "other JSON"] += 1
        problem = _line_problem(line, found)
        if problem:
            figures.wrong.append(f"{problem}: {line!r:.2000}")
    return figures


def _line_problem(line: bytes, found: Delivery) -> str:
    try:
        read = oracle.load(line.strip())
        detect(found)
    except oracle.Refused as error:
        return f"read, the oracle refuses: {error}"
    except Exception as error:
        return f"{type(error).__name__} {error} left detect"
    if not found.topic:
        return (
            ""
            if found.value == line.strip() or (isinstance(read, dict) and read.get("topic") == "")
            else "the value is not the line"
        )
    told = (found.topic, found.partition, found.offset)
    same = (
        told == (read["topic"], read.get("partition", NOWHERE), read.get("offset", NOWHERE))
        and _is_told(read.get("key"), found.key)
        and _is_told(read.get("value"), found.value)
    )
    return "" if same else "another record"


def _is_told(told: object, found: bytes | None) -> bool:
    """Is this the text that the record tells, or the JSON?"""
    if told is None or found is None:
        return told is found
    if isinstance(told, str):
        return found == told.encode()
    return bool(oracle.load(found) == told)


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--count", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    wrong: list[str] = []
    for name, fuzz, count in (
        ("payloads", run, chosen.count),
        ("record lines", run_lines, chosen.count // 10),
    ):
        began = time.perf_counter()
        figures = fuzz(count, chosen.seed)
        wrong += figures.wrong
        print(
            (
                f"{name}: {count} in {time.perf_counter() - began:.0f} s, "
                f"{dict(figures.kinds)}, {len(figures.wrong)} wrong"
            ),
            flush=True,
        )
    for problem in wrong[:20]:
        print("WRONG", problem)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
