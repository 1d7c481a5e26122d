"""The EventBridge sink connector's envelope around another."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families import OffsetPosition
from anyorder.envelopes import open_envelope
from tests.envelopes.samples import as_bytes, change, decode, deliveries, without_delivery

ROW = {"id": 7, "name": "Ana"}
BODY = json.loads(deliveries("eventbridge")[0].value or b"")
ORIGINAL = [
    {"__connect.errors.topic": "shop.public.users"},
    {"__connect.errors.partition": "3"},
    {"__connect.errors.offset": "88"},
]
DETAIL = {
    "topic": "shop.public.users",
    "partition": 3,
    "offset": 88,
    "timestamp": 1789028130123,
    "timestampType": "CreateTime",
    "headers": [],
    "key": {"id": 7},
}


def body(value: object = "absent", **changed: Any) -> bytes:
    detail = {**DETAIL, "value": value, **changed}
    return json.dumps(
        {**BODY, "detail": {name: cell for name, cell in detail.items() if cell != "absent"}}
    ).encode()


def of(value: object = "absent", options: dict[str, Any] | None = None, **changed: Any) -> Event:
    return open_envelope("eventbridge", **(options or {})).decode(
        Delivery(value=body(value, **changed))
    )


@pytest.mark.parametrize("op", ["c", "u", "d", "r", "t"])
def test_an_event_through_eventbridge_is_the_event_of_the_record_inside(op: str) -> None:
    value = change(op, None if op in "dt" else ROW)
    key = None if op == "t" else {"id": 7}
    inside = open_envelope("debezium").decode(
        Delivery(
            "shop.public.users", 3, 88, 1789028130123, "CreateTime", as_bytes(key), as_bytes(value)
        )
    )

    assert without_delivery(of(value, key=key)) == without_delivery(inside)


def test_the_delivery_stays_the_one_that_arrived() -> None:
    arrived = Delivery("queue", 0, 5, value=body(change("u", ROW)))

    assert open_envelope("eventbridge").decode(arrived).delivery is arrived


def test_what_came_from_a_queue_has_the_topic_of_the_record_inside_and_the_bytes_that_arrived() -> (
    None
):
    arrived = Delivery(value=body(change("u", ROW)))

    assert open_envelope("eventbridge").decode(arrived).delivery == Delivery(
        "shop.public.users", value=arrived.value
    )


def test_a_null_value_is_a_tombstone() -> None:
    assert without_delivery(of(None)) == without_delivery(decode(None, {"id": 7}))


@pytest.mark.parametrize(
    "told", [{}, {"dataref": "arn:aws:s3:::large/5f1c", "datarefJsonPath": "$.detail.value"}]
)
def test_an_absent_value_is_incomplete_and_never_a_delete(told: dict[str, Any]) -> None:
    for options in ({}, {"inner": "raw"}, {"tombstone": "delete"}):
        found = of("absent", options, **told)
        assert (found.kind, found.key) == (Kind.NO_CONTENT, {"id": 7})
        assert told.get("dataref", "no value") in found.note


@pytest.mark.parametrize(
    "path",
    [
        "$.detail.value.after",
        "$.detail.value.after.name",
        "$.detail.value.source",
        "$.detail.value.op",
        "$.detail.value.x",
    ],
)
def test_an_offloaded_part_of_the_value_makes_a_put_incomplete(path: str) -> None:
    value = change("u", ROW)
    last = path.removeprefix("$.detail.value.")
    if last == "after.name":
        value["after"] = {"id": 7}
    else:
        value.pop(last, None)
    found = of(value, dataref="arn:aws:s3:::large/5f1c", datarefJsonPath=path)

    assert (found.kind, found.fields, found.key) == (Kind.NO_CONTENT, None, {"id": 7})
    assert "arn:aws:s3:::large/5f1c" in found.note


def test_what_is_not_needed_may_be_offloaded() -> None:
    reference = {"dataref": "arn:aws:s3:::large/5f1c"}

    for path in ("$.detail.value.before", "$.detail.value.transaction"):
        assert of(change("d"), **reference, datarefJsonPath=path).kind is Kind.DELETE
    assert (
        of(change("u", ROW), **reference, datarefJsonPath="$.detail.value.before").kind is Kind.PUT
    )


def test_a_value_that_string_converter_made_a_text_is_opened_again() -> None:
    value = change("u", ROW)
    straight = without_delivery(of(value))

    assert without_delivery(of(json.dumps(value))) == straight
    assert without_delivery(of(base64.b64encode(json.dumps(value).encode()).decode())) == straight
    assert without_delivery(of(json.dumps(value), key='{"id":7}')) == straight


def test_numbers_inside_are_not_written_again_on_the_way() -> None:
    text = (
        b'{"big":12345678901234567890123,"exact":0.1000000000000000055511151231257827,"huge":1e400}'
    )
    inside = decode(body(change("u", "@")).replace(b'"@"', text), None, "eventbridge")
    straight = decode((as_bytes(change("u", "@")) or b"").replace(b'"@"', text), {"id": 7})

    assert inside.fields == straight.fields
    assert str(inside.fields["big"]) == "12345678901234567890123"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ({"id": 7}, {"id": 7}),
        (7, {"id": 7}),
        ("seven", {"id": "seven"}),
        ("7", {"id": "7"}),
        ('{"a":1}', {"a": 1}),
    ],
)
def test_the_key_may_have_any_converters_shape(key: object, expected: dict[str, Any]) -> None:
    assert of(change("u", ROW), key=key).key == expected


def test_a_key_that_is_an_array_names_no_row_in_any_layout() -> None:
    assert {of({"a": 1}, {"inner": inner}, key=[1, 2]).kind for inner in ("raw", "debezium")} == {
        Kind.MALFORMED
    }


def test_headers_are_one_entry_objects_whose_values_may_be_objects() -> None:
    run = "01a20ada-bb63-7c1b-84bb-f2b31e0887b3"
    found = of(
        change("u", ROW),
        headers=[
            {"__debezium.oldkey": {"id": 41}},
            {"__debezium.context.runId": run},
            {"n": None},
            {"n": 3},
        ],
    )

    assert (found.kind, found.position.run) == (Kind.PUT, run)


def test_a_record_from_a_dead_letter_topic_has_its_original_place() -> None:
    original = of(change("u", ROW))

    for headers in (
        ORIGINAL,
        [
            {name: int(text) if text.isdigit() else text for name, text in one.items()}
            for one in ORIGINAL
        ],
    ):
        found = of(change("u", ROW), topic="dlq", partition=0, offset=5, headers=headers)
        assert without_delivery(found) == without_delivery(original)


def test_of_two_failures_the_first_knew_the_original() -> None:
    twice = [
        *ORIGINAL,
        {"__connect.errors.topic": "dlq"},
        {"__connect.errors.partition": "0"},
        {"__connect.errors.offset": "5"},
    ]

    assert of(change("u", ROW), topic="dlq2", headers=twice).position.offset == 88


@pytest.mark.parametrize(
    "headers",
    [
        ORIGINAL[:1],
        ORIGINAL[:2],
        ORIGINAL[1:],
        [{"__connect.errors.exception.class.name": "x"}],
        [*ORIGINAL[:2], {"__connect.errors.offset": "-5"}],
    ],
)
def test_from_a_dead_letter_topic_without_the_original_offset_only_the_source_clock_counts(
    headers: list[dict[str, str]],
) -> None:
    found, raw = (
        of(change("u", ROW), options, topic="dlq", partition=0, offset=5, headers=headers)
        for options in ({}, {"inner": "raw"})
    )

    assert (found.kind, found.position.lsn, found.position.partition, found.position.offset) == (
        Kind.PUT,
        22192096,
        "",
        -1,
    )
    assert raw.kind is Kind.MALFORMED


def test_a_declared_dead_letter_topic_is_known_without_any_header() -> None:
    options = {"dead_letter_topics": ["*dlq*"]}

    assert of(change("u", ROW), options, topic="users-dlq", offset=5).position.offset == -1
    assert of(change("u", ROW), options).position.offset == 88


def test_a_replay_is_evidence_and_changes_nothing() -> None:
    data = body(change("u", ROW))
    replayed = json.dumps(
        {
            **json.loads(data),
            "replay-name": "last-year",
            "id": "other",
            "time": "2020-01-01T00:00:00Z",
        }
    ).encode()

    assert without_delivery(decode(replayed, None, "eventbridge")) == without_delivery(
        decode(data, None, "eventbridge")
    )


def test_raw_records_inside_go_by_their_offset() -> None:
    found, gone = of({"price": 1.5}, {"inner": "raw"}), of(None, {"inner": "raw"})

    assert (found.kind, found.fields, gone.kind) == (Kind.PUT, {"price": 1.5}, Kind.DELETE)
    assert (
        found.position
        == gone.position
        == OffsetPosition("kafka:shop.public.users", 3, 88, time=1789028130123000)
    )


def test_the_options_of_the_envelope_inside_are_passed_on() -> None:
    found = of({"id": 7, "version": 3}, {"inner": "json", "key": "/id", "position": "/version"})

    assert (found.kind, found.key, found.position.value) == (Kind.PUT, {"id": 7}, (3,))


@pytest.mark.parametrize(
    "changed",
    [
        {"topic": 5},
        {"topic": "absent"},
        {"partition": "3"},
        {"partition": -1},
        {"offset": 1.5},
        {"offset": True},
        {"offset": 2**63},
        {"timestamp": "x"},
        {"headers": {}},
        {"headers": [{"a": 1, "b": 2}]},
        {"headers": [5]},
        {"dataref": 5},
        {"key": [1]},
    ],
)
def test_a_detail_that_is_no_kafka_record_is_malformed(changed: dict[str, Any]) -> None:
    assert of(change("u", ROW), **changed).kind is Kind.MALFORMED


@pytest.mark.parametrize(
    "value",
    [None, b"", b"[]", b"{}", b'{"detail":5}', b'{"detail":{"a":1}}', b'{"detail":{},"detail":{}}'],
)
def test_a_body_that_is_no_event_of_the_connector_is_malformed(value: bytes | None) -> None:
    assert open_envelope("eventbridge").decode(Delivery(value=value)).kind is Kind.MALFORMED


def test_a_malformed_record_inside_keeps_its_table_and_key() -> None:
    found = of(change("u", ROW, lsn=-1))

    assert (found.kind, found.table, found.key) == (Kind.MALFORMED, "public.users", {"id": 7})
