"""How large a record may be is said in the pipeline file: at its limit it is applied, above it is
malformed, and its neighbours are applied."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import msgspec
import pytest

import anyorder
from anyorder._core.event import Delivery
from anyorder.envelopes import Limits, open_envelope
from anyorder.envelopes.limits import DEFAULT, MOST_DIGITS
from anyorder.envelopes.record import read_record
from anyorder.errors import ConfigurationError, Malformed
from anyorder.runtime.limits import LimitsSection, size
from anyorder.runtime.loop import Run
from anyorder.runtime.pipeline import load_pipeline
from anyorder.runtime.retry import Retry
from tests.envelopes.samples import change

PIPELINE = """
[source]
path = "{path}"
envelope = "json"
options = {{ key = "/id", position = "/version", table = "t" }}
[store]
url = "sqlite:///app.db"
[limits]
{limits}
[[table]]
name = "t"
"""
DOCUMENT = b'{"id":%d,"version":1,"x":%b}'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def books(limits: str, path: str = "day.jsonl") -> dict[str, object]:
    """Of a run under these limits."""
    Path("pipeline.toml").write_text(PIPELINE.format(path=path, limits=limits), encoding="utf-8")
    pipeline = load_pipeline()
    store = pipeline.open_store()
    try:
        return Run(pipeline, store).run().as_dict()
    finally:
        store.close()


def told(number: int, cell: bytes = b"0") -> bytes:
    return DOCUMENT % (number, cell)


def text_of(length: int) -> bytes:
    """A document of so many bytes."""
    return told(2, b'"' + b"x" * (length - len(told(2, b'""'))) + b'"')


def nested(depth: int) -> bytes:
    """A document with so many arrays and objects inside one another."""
    return told(2, b"[" * (depth - 1) + b"]" * (depth - 1))


def crowded(members: int) -> bytes:
    """A document of so many members, most of them in objects of an array."""
    return told(2, b"[" + b",".join(b'{"a":1}' for _ in range(members - 3)) + b"]")


AT_AND_ABOVE = [
    ('line = "100B"', text_of(100), text_of(101)),
    ('document = "100B"', text_of(100), text_of(101)),
    ("depth = 5", nested(5), nested(6)),
    ("members = 9", crowded(9), crowded(10)),
    ("digits = 7", told(2, b"1234567"), told(2, b"12345678")),
    ("digits = 7", told(2, b"-1234567"), told(2, b"-12345678")),
    ("digits = 7", told(2, b'[{"a":0.123456}]'), told(2, b'[{"a":0.12345678}]')),
    ("digits = 7", told(2, b"1e6"), told(2, b"1e7")),
    ("digits = 7", told(2, b"1e-7"), told(2, b"1e-8")),
    ("digits = 7", told(2, b'"12345678"'), told(2, b"1234567.8")),
]


@pytest.mark.parametrize(("limit", "at", "above"), AT_AND_ABOVE)
def test_at_its_limit_a_record_is_applied_and_above_it_is_malformed_alone(
    limit: str, at: bytes, above: bytes
) -> None:
    for record, applied in ((at, 3), (above, 2)):
        Path("app.db").unlink(missing_ok=True)
        Path("day.jsonl").write_bytes(b"\n".join([told(1), record, told(3), b""]))

        found = books(limit)

        assert (found["read"], found["applied"]) == (3, applied)
        assert found["quarantined"] == ({} if applied == 3 else {"malformed": 1})


@pytest.mark.parametrize(("limit", "at", "above"), AT_AND_ABOVE)
def test_a_kafka_record_around_a_document_has_no_part_in_the_documents_limits(
    limit: str, at: bytes, above: bytes
) -> None:
    """Neither its other members nor the escapes of its text."""
    if limit.startswith("line"):
        return
    Path("day.jsonl").write_bytes(
        b"\n".join(
            json.dumps(
                {
                    "topic": "t",
                    "partition": 0,
                    "offset": number,
                    "value": one.decode(),
                    "headers": [["a", "b" * 200]],
                }
            ).encode()
            for number, one in enumerate(
                [told(1), at, told(3), above.replace(b'"id":2', b'"id":4')]
            )
        )
    )

    found = books(limit)

    assert (found["applied"], found["quarantined"]) == (3, {"malformed": 1})


@pytest.mark.parametrize(
    ("limit", "content", "applied", "packed"),
    [
        ('unpacked = "1000B"\nexpansion = 1', 1000, 2, gzip.compress),
        ('unpacked = "1000B"\nexpansion = 1', 1001, 1, gzip.compress),
        ('unpacked = "1B"\nexpansion = 100', 5000, 2, gzip.compress),
        ('unpacked = "1B"\nexpansion = 1', 5000, 1, gzip.compress),
        ('memory = "1MiB"', 1000, 0, lzma.compress),
        ('memory = "64MiB"', 1000, 2, lzma.compress),
    ],
)
def test_a_packed_file_is_read_up_to_its_limits(
    limit: str, content: int, applied: int, packed: object
) -> None:
    path = "day.jsonl.gz" if packed is gzip.compress else "day.jsonl.xz"
    first, last = told(1) + b"\n", told(3)
    blank = b"\n" * (content - len(first) - len(last) - 1)
    Path(path).write_bytes(packed(first + blank + last + b"\n"))  # type: ignore[operator]

    found = books(limit, path)

    malformed = int(applied < 2)
    assert (found["read"], found["applied"]) == (applied + malformed, applied)
    assert found["quarantined"] == ({"malformed": 1} if malformed else {})


def test_what_was_too_large_is_applied_when_the_limit_was_raised() -> None:
    """A limit is not remembered with what is held."""
    Path("day.jsonl").write_bytes(b"\n".join([told(1), nested(9), b""]))
    assert books("depth = 5")["quarantined"] == {"malformed": 1}

    Path("pipeline.toml").write_text(PIPELINE.format(path="day.jsonl", limits="depth = 9"))
    pipeline = load_pipeline()
    store = pipeline.open_store()
    with store.reading() as transaction:
        catalogue = pipeline.routing.catalogue(transaction)
    done = Retry(store, catalogue, pipeline.read_anew).run(None)
    store.close()

    assert (done.settled, done.open) == (1, 0)


def test_no_limit_is_one_that_nobody_has_set() -> None:
    """What the file says by default is what everybody else has."""
    assert LimitsSection().checked() == DEFAULT == Limits()


@pytest.mark.parametrize(
    "limits",
    [
        'line = "0B"',
        'line = "many"',
        'line = "-1KB"',
        'line = "1"',
        'document = "16IB"',
        "depth = 0",
        "depth = 501",
        "members = 0",
        f"digits = {MOST_DIGITS + 1}",
        "expansion = 0",
        'memory = "1.5GB"',
        "depth = true",
        'depth = "5"',
        "deep = 5",
    ],
)
def test_a_limit_that_makes_no_sense_is_misuse_that_names_its_place(limits: str) -> None:
    with pytest.raises(ConfigurationError, match="limits"):
        books(limits)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("17B", 17),
        ("1KB", 1000),
        ("1 KiB", 1024),
        ("2mib", 2 << 20),
        ("3GB", 3 * 10**9),
        ("1GiB", 1 << 30),
    ],
)
def test_a_size_is_a_number_and_a_unit(text: str, found: int) -> None:
    assert size(text, "there") == found


@pytest.mark.parametrize(
    "name", ["debezium", "raw", "cloudevents", "dynamodb_streams", "eventbridge"]
)
def test_every_envelope_keeps_the_limits_of_a_document(name: str) -> None:
    options = {"cloudevents": {"key": "/id", "sequence": "integer"}}.get(name, {})
    envelope = open_envelope(name, limits=Limits(depth=3), **options)
    value = b'{"a":[[[[1]]]]}'
    binary = (("ce_specversion", "1.0"), ("ce_id", "1"), ("ce_source", "s"), ("ce_type", "t"))

    plain = envelope.decode(Delivery("t", 0, 1, key=b'{"id":1}', value=value))
    other = envelope.decode(
        Delivery("t", 0, 1, key=b'{"id":1}', value=value, headers=(*binary, ("ce_sequence", "1")))
    )

    assert "more than 3 arrays and objects" in plain.note
    assert "more than 3 arrays and objects" in other.note


def test_a_limit_counts_as_much_where_the_schema_is_known_already() -> None:
    """Then only a part of the record is read again."""
    value = change("u", {"id": 1, "name": "x" * 100})
    schema = {"type": "struct", "fields": [], "name": "y" * 100}
    data = msgspec.json.encode({"schema": schema, "payload": value})
    assert data.startswith(b'{"schema":')
    envelope = open_envelope("debezium", limits=Limits(document=len(data)))
    notes = [
        envelope.decode(Delivery("t", 0, 1, key=b'{"id":1}', value=one)).note
        for one in (data, data, data[:-1] + b" }")
    ]

    assert notes[:2] == ["", ""]
    assert notes[2].startswith(f"{len(data) + 1} bytes of JSON are more than")


@pytest.mark.parametrize(
    "limits", [{"deep": 5}, {"depth": 0}, {"depth": "5"}, {"depth": 501}, 5, None, "depth"]
)
def test_limits_that_a_program_names_are_checked(limits: object) -> None:
    with pytest.raises(ConfigurationError, match="limits"):
        anyorder.table("sqlite://", "t", key="/id", position="/v", limits=limits)


def test_a_table_of_a_program_has_limits_too() -> None:
    table = anyorder.table("sqlite://", "t", key="/id", position="/v", limits={"depth": 2})

    report = table.apply([{"id": 1, "v": 1, "x": [1]}, {"id": 2, "v": 1, "x": [[1]]}])

    assert (report.applied, report.quarantined) == (1, {"malformed": 1})


def test_a_line_longer_than_its_limit_is_no_record() -> None:
    record = told(1)
    read_record(record, Limits(line=len(record)))

    with pytest.raises(Malformed, match="limits: line"):
        read_record(record, Limits(line=len(record) - 1))
