"""`anyorder decode`: formats of others are named, and what it advises reads them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anyorder._core.event import Delivery
from anyorder.cli.main import main
from anyorder.envelopes import detect
from anyorder.envelopes.formats import FORMATS
from anyorder.sources.messages import published
from tests.cli.test_dumps import RECORDS, as_rpk

PIPELINE = """
[source]
path = "day.jsonl"
{advice}
[store]
url = "sqlite:///app.db"
[[table]]
name = "users"
"""


def cockroach(op: str, number: int, moment: int, **row: object) -> dict[str, Any]:
    stamp = f"17000000000000000{moment:02}.0000000000"
    return {
        "op": op,
        "key": {"id": number},
        "after": {"id": number, **row} if row else None,
        "source": {"mvcc_timestamp": stamp, "table_name": "users", "database_name": "shop"},
        "ts_ns": 1,
    }


def sequin(action: str, number: int, lsn: int, **row: object) -> dict[str, Any]:
    return {
        "record": {"id": number, **row},
        "changes": None,
        "action": action,
        "metadata": {"table_schema": "public", "table_name": "users", "commit_lsn": lsn}
        | {"commit_idx": 0, "commit_timestamp": "2026-01-01T00:00:00Z"},
    }


def paddle(number: int, second: int, **row: object) -> dict[str, Any]:
    return {
        "event_id": f"evt_{number}_{second}",
        "event_type": "customer.updated",
        "occurred_at": f"2026-01-01T00:00:{second:02}.123456Z",
        "notification_id": "ntf_1",
        "data": {"id": number, **row},
    }


def shopify(number: int, second: int, **row: object) -> dict[str, Any]:
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Customer/{number}",
        "updated_at": f"2026-01-01T00:00:{second:02}-04:00",
        **row,
    }


def github(kind: str, action: str, number: int, second: int, **row: object) -> dict[str, Any]:
    told = {"id": number, "updated_at": f"2026-01-01T00:00:{second:02}Z", **row}
    return {
        "action": action,
        kind: told,
        "sender": {"login": "octocat"},
        "repository": {"full_name": "octo/cat"},
    }


def kubernetes(type_: str, number: int, version: int, **row: object) -> dict[str, Any]:
    metadata = {"uid": number, "name": "a", "resourceVersion": str(version)}
    return {"type": type_, "object": {"kind": "Pod", "metadata": metadata, "spec": {}, **row}}


ADVISED: dict[str, tuple[list[dict[str, Any]], dict[int, str]]] = {
    "cockroachdb, enriched": (
        [
            cockroach("u", 1, 3, name="Ann B"),
            cockroach("c", 1, 1, name="Ann"),
            cockroach("d", 2, 4),
            cockroach("c", 2, 2, name="Bob"),
        ],
        {1: "Ann B"},
    ),
    "sequin": (
        [
            sequin("update", 1, 30, name="Ann B"),
            sequin("insert", 1, 9, name="Ann"),
            sequin("delete", 2, 40, name="Bob"),
            sequin("insert", 2, 20, name="Bob"),
        ],
        {1: "Ann B"},
    ),
    "paddle": ([paddle(1, 3, name="Ann B"), paddle(1, 1, name="Ann")], {1: "Ann B"}),
    "shopify": ([shopify(1, 3, name="Ann B"), shopify(1, 1, name="Ann")], {1: "Ann B"}),
    "github, pull request": (
        [
            github("pull_request", "edited", 1, 3, name="Ann B"),
            github("pull_request", "opened", 1, 1, name="Ann"),
        ],
        {1: "Ann B"},
    ),
    "github, issue": (
        [
            github("issue", "edited", 1, 3, name="Ann B"),
            github("issue", "opened", 1, 1, name="Ann"),
            github("issue", "deleted", 2, 4, name="Bob"),
            github("issue", "opened", 2, 2, name="Bob"),
        ],
        {1: "Ann B"},
    ),
    "github, comment": (
        [
            github("comment", "edited", 1, 3, name="Ann B", node_id="c1"),
            github("comment", "created", 1, 1, name="Ann", node_id="c1"),
            github("comment", "deleted", 2, 4, name="Bob", node_id="c2"),
            github("comment", "created", 2, 2, name="Bob", node_id="c2"),
        ],
        {1: "Ann B"},
    ),
    "kubernetes watch": (
        [
            kubernetes("MODIFIED", 1, 30, name="Ann B"),
            kubernetes("ADDED", 1, 9, name="Ann"),
            kubernetes("DELETED", 2, 40, name="Bob"),
            kubernetes("ADDED", 2, 20, name="Bob"),
        ],
        {1: "Ann B"},
    ),
}
KEYS = {"kubernetes watch": "uid"}
NAMED: dict[str, dict[str, Any]] = {
    "canal": {
        "data": [{"id": "1"}],
        "old": None,
        "database": "shop",
        "table": "users",
        "pkNames": ["id"],
        "type": "INSERT",
        "isDdl": False,
        "es": 1,
        "ts": 2,
        "id": 5,
    },
    "maxwell": {"database": "a", "table": "b", "type": "insert", "ts": 1, "data": {"id": 1}},
    "sns": {"Type": "Notification", "MessageId": "a", "TopicArn": "arn:t", "Message": "{}"},
    "goldengate": {
        "table": "A.B",
        "op_type": "I",
        "op_ts": "2026-01-01 00:00:00.000000",
        "pos": "00000000000000001234",
        "after": {"ID": 1},
    },
    "wal2json": {
        "action": "I",
        "schema": "public",
        "table": "users",
        "columns": [{"name": "id", "type": "integer", "value": 1}],
    },
    "cockroachdb, enriched": {"op": "c", "ts_ns": 1, "after": {"id": 1}},
    "github, review": {
        "action": "submitted",
        "sender": {"login": "a"},
        "repository": {"full_name": "a/b"},
        "review": {"id": 1},
        "pull_request": {"id": 1, "updated_at": "2026-01-01T00:00:00Z"},
    },
    "github": {
        "action": "created",
        "sender": {"login": "a"},
        "repository": {"full_name": "a/b"},
    },
}
WAL2JSON = [
    {"action": "D", "schema": "public", "table": "users", "identity": []},
    {"change": [{"kind": "insert", "table": "users"}]},
]


def said_of(
    path: Path, content: bytes, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str]:
    (path / "day.jsonl").write_bytes(content)
    code = main(["decode", str(path / "day.jsonl"), *words])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_every_format_with_an_advice_has_a_table_that_it_makes() -> None:
    assert {format.name for format in FORMATS if format.advice} == ADVISED.keys()


@pytest.mark.parametrize("name", ADVISED)
def test_what_decode_advises_makes_the_table(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    events, expected = ADVISED[name]
    content = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    _, said = said_of(tmp_path, content, capsys)
    assert said.startswith(f"{name}:")
    # As a person copies it: from its heading up to the empty line.
    advice = said.partition("[source]\n")[2].partition("\n\n")[0]
    (tmp_path / "pipeline.toml").write_text(PIPELINE.format(advice=advice), encoding="utf-8")

    code = main(["run", "--json"])

    books = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (code, books["quarantined"]) == (0, {})
    with closing(sqlite3.connect("app.db")) as database:
        rows = database.execute(f"SELECT {KEYS.get(name, 'id')}, name FROM users").fetchall()
    assert dict(rows) == expected


@pytest.mark.parametrize("name", NAMED)
def test_a_format_that_nothing_reads_is_named_and_advises_nothing(name: str) -> None:
    found = detect(Delivery(value=json.dumps(NAMED[name]).encode()))

    assert (found.format, found.advice) == (name, "")
    assert {role.role for role in found.roles} - {"ignored"}


@pytest.mark.parametrize("kind", ["issue", "pull_request"])
def test_a_deleted_comment_is_not_advised_as_a_delete_of_what_it_comments_on(kind: str) -> None:
    webhook = github(kind, "deleted", 1, 1)
    webhook["comment"] = {"id": 9, "node_id": "c9", "updated_at": "2026-01-01T00:00:00Z"}

    found = detect(Delivery(value=json.dumps(webhook).encode()))

    assert (found.format, f"/{kind}" in found.advice) == ("github, comment", False)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"region": "eu", "id": 1}, '["/key/region","/key/id"]'),
        ({"number": 1}, '"/key/number"'),
        ({"a/b~c": 1}, '"/key/a~1b~0c"'),
        ({'say "id"': 1}, '"/key/say \\"id\\""'),
        ({}, '"/key/id"'),
    ],
    ids=["two", "one", "slash", "quote", "none"],
)
def test_the_key_that_is_advised_has_every_column_that_the_record_tells(
    key: dict[str, Any], said: str
) -> None:
    event = {**cockroach("c", 1, 1, name="Ann"), "key": key}

    found = detect(Delivery(value=json.dumps(event).encode()))

    assert f" key = {said}, position" in found.advice


@pytest.mark.parametrize("value", WAL2JSON, ids=["delete", "version 1"])
def test_other_records_of_wal2json_are_named_too(value: dict[str, Any]) -> None:
    assert detect(Delivery(value=json.dumps(value).encode())).format == "wal2json"


def test_a_notification_inside_a_message_of_a_queue_is_told_and_the_source_opens_it() -> None:
    body = json.dumps(NAMED["sns"])
    message = {"messageId": "a", "receiptHandle": "b", "body": body}

    assert "SNS" in detect(Delivery(value=json.dumps(message).encode())).why
    assert published(body.encode()) == b"{}"


@pytest.mark.parametrize(
    ("value", "words"),
    [(b"\0\0\0\0\x2a\x02\x06Ann", "schema 42"), (b'\0\0\0\0\x07{"id": 1}', "behind five bytes")],
)
def test_the_wire_format_of_a_registry_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: bytes, words: str
) -> None:
    code, said = said_of(tmp_path, value, capsys)

    assert (code, words in said, "registry" in said) == (1, True, True)


@pytest.mark.parametrize(
    ("record", "tool"), [(RECORDS[0], "kcat -J"), (as_rpk(RECORDS[0]), "rpk topic consume")]
)
def test_a_record_of_a_tool_is_told_with_what_is_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record: dict[str, Any], tool: str
) -> None:
    code, said = said_of(tmp_path, json.dumps(record).encode() + b"\n", capsys)

    assert (code, said.startswith(f"a record of {tool}, in it debezium:")) == (0, True)


@pytest.mark.parametrize("count", ["0", "-5", "many", "1.5"])
def test_a_count_that_is_none_is_misuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: str
) -> None:
    code, said = 0, ""
    try:
        code, said = said_of(tmp_path, b"{}\n", capsys, "--count", count)
    except SystemExit as ended:
        code, said = int(str(ended.code)), capsys.readouterr().err

    assert (code, "whole number" in said) == (2, True)


@pytest.mark.parametrize("last", [b"{}", b"{broken"], ids=["", "one that cannot be read"])
def test_several_records_are_one_json_array(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], last: bytes
) -> None:
    (tmp_path / "day.jsonl").write_bytes(b'{"a": 1}\n{"b": 1}\n' + last + b"\n")

    main(["decode", str(tmp_path / "day.jsonl"), "--json", "--count", "3"])

    told = json.loads(capsys.readouterr().out)
    assert [(row["record"], row["field"]) for row in told] == [(1, "/a"), (2, "/b")]


def test_a_payload_over_many_lines_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {}}

    code, said = said_of(tmp_path, json.dumps(event, indent=2).encode(), capsys)

    assert (code, "cloudevents:" in said) == (0, True)
