"""DynamoDB Streams: exact types, exact sequence numbers, one scope an item, expiry told apart,
images that are missing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.position import Order
from anyorder.envelopes import detect, open_envelope
from anyorder.envelopes.dynamodb_streams import plain
from anyorder.errors import ConfigurationError, Malformed
from tests.envelopes.samples import deliveries, events

RECORDS = [json.loads(delivery.value or b"") for delivery in deliveries("dynamodb_streams")]
STREAM = "arn:aws:dynamodb:eu-central-1:111122223333:table/Users/stream/"
TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def decode(record: Any, **options: Any) -> Event:
    return open_envelope("dynamodb_streams", **options).decode(
        Delivery(value=json.dumps(record).encode())
    )


def record(
    name: str = "MODIFY",
    number: str = "4421584500000000017450439092",
    label: str = "2026-01-05T09:12:33.291",
    **change: Any,
) -> dict[str, Any]:
    change = {
        "Keys": {"id": {"N": "7"}},
        "NewImage": {"id": {"N": "7"}, "name": {"S": "Ana"}},
        "SequenceNumber": number,
        **change,
    }
    change = {part: cell for part, cell in change.items() if cell is not None}
    return {
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "eventSourceARN": STREAM + label,
        "dynamodb": change,
    }


def order(one: dict[str, Any], other: dict[str, Any]) -> Order:
    first, second = decode(one).position, decode(other).position
    assert first is not None
    assert second is not None
    return first.compare(second, {})


def test_an_insert_a_change_and_an_expiry_of_one_item() -> None:
    created, changed, gone, _ = events("dynamodb_streams")

    assert [event.kind for event in (created, changed, gone)] == [Kind.PUT, Kind.PUT, Kind.DELETE]
    assert [event.creates for event in (created, changed)] == [True, False]
    assert created.table == "Users"
    assert created.key == {"id": 101}
    assert created.time == 1789028130_000000
    assert changed.fields == {"id": 101, "name": "Ana M"}
    assert "TTL" in gone.note


def test_every_type_is_exact() -> None:
    assert events("dynamodb_streams")[0].fields == {
        "id": 101,
        "name": "Ana",
        "score": 12345678901234567890123456789012345678,
        "ratio": 0.1,
        "photo": b"hi",
        "tags": ["a", "b"],
        "sizes": [9.5, 10],
        "address": {"city": "Graz", "floors": [1, None]},
        "active": True,
    }


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20
    )
)
def test_a_number_of_any_digits_is_the_number(value: Decimal) -> None:
    found = plain({"N": str(value)})

    assert Decimal(repr(found) if isinstance(found, float) else found) == value


@pytest.mark.parametrize(
    "cell",
    [
        {"N": "1e999"},
        {"N": "NaN"},
        {"N": 5},
        {"N": "0x1"},
        {"S": 5},
        {"B": "?"},
        {"X": "1"},
        {},
        {"S": "a", "N": "1"},
        {"SS": "a"},
        {"L": ["a"]},
        "a",
    ],
)
def test_what_is_no_attribute_is_malformed(cell: Any) -> None:
    with pytest.raises(Malformed):
        plain(cell)
    assert decode(record(NewImage={"id": {"N": "7"}, "x": cell})).kind is Kind.MALFORMED


def test_sequence_numbers_are_integers_and_never_text() -> None:
    assert (
        order(record(number="100000000000000000000000"), record(number="99999999999999999999999"))
        is Order.NEWER
    )
    assert (
        order(record(number="100000000000000000000000"), record(number="100000000000000000000000"))
        is Order.SAME
    )


def test_changes_of_two_items_do_not_compare_and_nothing_may_be_forgotten() -> None:
    other = record(Keys={"id": {"N": "8"}}, NewImage={"id": {"N": "8"}})
    position = decode(record()).position

    assert order(record(number="1" * 21), other) is Order.UNDECIDED
    assert isinstance(position, ScalarPosition)
    assert position.per_entity


def test_of_two_streams_of_a_table_the_later_one_is_newer_whatever_its_numbers() -> None:
    later = record(number="100000000000000000001", label="2026-03-01T00:00:00.000")

    assert order(later, record()) is Order.NEWER


@pytest.mark.parametrize(
    "table",
    [
        "arn:aws:dynamodb:us-east-1:111122223333:table/Users/stream/",
        "arn:aws:dynamodb:eu-central-1:1:table/Users2/stream/",
    ],
)
def test_another_region_or_table_is_another_scope(table: str) -> None:
    assert (
        order({**record(), "eventSourceARN": table + "2026-01-05T09:12:33.291"}, record())
        is Order.UNDECIDED
    )


def test_an_expiry_can_be_ignored_and_a_users_delete_cannot() -> None:
    gone = record("REMOVE", NewImage=None)

    assert decode(gone, expired="ignore").kind is Kind.DELETE
    assert decode({**gone, "userIdentity": TTL}, expired="ignore").kind is Kind.CONTROL
    assert (
        decode(
            {**gone, "userIdentity": {"Type": TTL["type"], "PrincipalId": TTL["principalId"]}},
            expired="ignore",
        ).kind
        is Kind.CONTROL
    )
    assert (
        decode({**gone, "userIdentity": {**TTL, "principalId": "other"}}, expired="ignore").kind
        is Kind.DELETE
    )


@pytest.mark.parametrize("view", ["KEYS_ONLY", "OLD_IMAGE"])
def test_a_view_without_new_images_gives_deletes_and_incomplete_puts(view: str) -> None:
    old = {"OldImage": {"id": {"N": "7"}}} if view == "OLD_IMAGE" else {}
    put = decode(record(NewImage=None, StreamViewType=view, **old))
    gone = decode(record("REMOVE", NewImage=None, StreamViewType=view, **old))

    assert (put.kind, put.key, gone.kind) == (Kind.NO_CONTENT, {"id": 7}, Kind.DELETE)
    assert view in put.note
    assert put.position is not None


def test_through_kinesis_the_time_orders_in_either_precision() -> None:
    through = RECORDS[3]
    coarse = {
        **through,
        "dynamodb": {**through["dynamodb"], "ApproximateCreationDateTime": 1789028130124},
    }
    del coarse["dynamodb"]["ApproximateCreationDateTimePrecision"]

    assert decode(through).position.value == (1789028130123456,)  # type: ignore[union-attr]
    assert order(coarse, through) is Order.NEWER
    assert decode(through).table == "Users"


@pytest.mark.parametrize(
    "changed",
    [
        {"eventSource": "aws:sqs"},
        {"eventSourceARN": None},
        {"eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/Users/stream/yesterday-noon"},
        {"dynamodb": None},
        {"dynamodb": {"Keys": {}, "SequenceNumber": "1"}},
        {"dynamodb": {"Keys": {"id": {"N": "7"}}, "SequenceNumber": "x"}},
        {"dynamodb": {"Keys": {"id": {"N": "7"}}}},
        {"eventName": "UPSERT"},
    ],
)
def test_what_is_no_record_of_a_stream_is_malformed(changed: dict[str, Any]) -> None:
    assert decode({**record(), **changed}).kind is Kind.MALFORMED


def test_a_malformed_record_keeps_its_table_and_key() -> None:
    found = decode(record("UPSERT"))

    assert (found.table, found.key) == ("Users", {"id": 7})


def test_a_binary_key_is_its_base64_text() -> None:
    assert decode(record(Keys={"id": {"B": "aGk="}}, NewImage={"id": {"B": "aGk="}})).fields == {
        "id": "aGk="
    }


@pytest.mark.parametrize("options", [{"expired": "keep"}, {"table": 5}])
def test_an_option_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        open_envelope("dynamodb_streams", **options)


def test_it_is_recognised() -> None:
    assert {detect(delivery).format for delivery in deliveries("dynamodb_streams")} == {
        "dynamodb stream",
        "dynamodb through kinesis",
    }
