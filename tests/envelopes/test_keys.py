"""A number in a key is the decimal that its format spells, in one spelling; bytes are the text of
their base64."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest

from anyorder._core.event import Event, Kind
from anyorder.envelopes import open_envelope
from anyorder.envelopes.connect import DECIMAL, VARIABLE_SCALE
from tests.envelopes.samples import change, decode, delivery

VARIABLE = {
    "type": "struct",
    "name": VARIABLE_SCALE,
    "fields": [{"type": "int32", "field": "scale"}, {"type": "bytes", "field": "value"}],
}
SPELLINGS = [
    ("1", 1),
    ("1.0", 1),
    ("1e0", 1),
    ("-0", 0),
    ("-0.0", 0),
    ("1.50", Decimal("1.5")),
    ("0.1", Decimal("0.1")),
    ("1E-7", Decimal("1E-7")),
    ("9007199254740993", 9007199254740993),
    ("9007199254740993.0", 9007199254740993),
    ("18446744073709551616", 2**64),
    ("1e22", 10**22),
    ("1e300", 10**300),
    ("12345678901234567.89", Decimal("12345678901234567.89")),
    ("12345678901234567.890", Decimal("12345678901234567.89")),
    ("0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
]


def unscaled(number: int) -> str:
    size = (number.bit_length() + 8) // 8
    return base64.b64encode(number.to_bytes(size, "big", signed=True)).decode()


def document(text: str) -> Event:
    options: dict[str, Any] = {"key": "/id", "position": "/version", "table": "t"}
    value = f'{{"id":{text},"version":1}}'.encode()
    return open_envelope("json", **options).decode(delivery(value))


def in_kafka_key(text: str) -> Event:
    return decode(change("u", {"n": 1}), f'{{"id":{text}}}'.encode())


def in_data(text: str) -> Event:
    value = (
        '{"specversion":"1.0","id":"1","source":"s","type":"t","sequence":"1",'
        f'"data":{{"id":{text}}}}}'
    ).encode()
    opened = open_envelope("cloudevents", key="/id", sequence="integer")
    return opened.decode(delivery(value, topic="t"))


def in_raw(text: str) -> Event:
    found = open_envelope("raw").decode(delivery(b"{}", f'{{"id":{text}}}'.encode(), topic="t"))
    return found


def in_event_bus(text: str) -> Event:
    detail = (
        '{"detail":{"topic":"t","partition":0,"offset":1,"timestamp":1,'
        f'"key":{{"id":{text}}},"value":{{"n":1}}}}}}'
    ).encode()
    return open_envelope("eventbridge", inner="raw").decode(delivery(detail))


@pytest.mark.parametrize("read", [document, in_kafka_key, in_data, in_raw, in_event_bus])
@pytest.mark.parametrize(("text", "expected"), SPELLINGS)
def test_a_number_of_a_key_is_the_decimal_that_is_written(
    read: Any, text: str, expected: object
) -> None:
    found = read(text)

    assert found.key == {"id": expected}, found.note
    assert repr(found.key["id"]) == repr(expected)


@pytest.mark.parametrize("text", ["1e1000000", "1e100000", "0e1000000000000000000000"])
def test_a_number_that_would_not_end_does_not_stop_anything(text: str) -> None:
    found = document(text)

    assert found.kind in (Kind.PUT, Kind.MALFORMED)
    assert len(found.entity) < 100


def test_the_position_of_a_document_counts_for_one_key_however_its_number_is_written() -> None:
    assert len({document(text).position for text in ("1", "1.0", "1e0")}) == 1
    assert document("1.0").fields == {"id": 1, "version": 1}


@pytest.mark.parametrize(("cell", "expected"), [("42", 42), ("1.50", Decimal("1.5"))])
def test_a_number_of_a_dynamodb_key_is_the_decimal_that_is_written(
    cell: str, expected: object
) -> None:
    found = dynamodb({"N": cell})

    assert found.key == {"id": expected}
    assert type(found.key["id"]) is type(expected)


def test_bytes_of_a_dynamodb_key_are_the_text_of_their_base64() -> None:
    assert dynamodb({"B": "AQ=="}).key == {"id": "AQ=="}


def dynamodb(cell: dict[str, str]) -> Any:
    arn = "arn:aws:dynamodb:eu-central-1:1:table/t/stream/2026-01-01T00:00:00.000"
    record = {
        "eventSource": "aws:dynamodb",
        "eventName": "INSERT",
        "eventSourceARN": arn,
        "dynamodb": {"Keys": {"id": cell}, "NewImage": {"id": cell}, "SequenceNumber": "1"},
    }
    return open_envelope("dynamodb_streams").decode(delivery(json.dumps(record).encode()))


@pytest.mark.parametrize("with_schema", [True, False])
@pytest.mark.parametrize(
    ("number", "scale", "expected"),
    [(12340, 3, Decimal("12.34")), (1, 0, 1), (-5, -2, -500), (0, 4, 0), (100, 2, 1)],
)
def test_a_decimal_of_variable_scale_is_its_number_in_the_key_and_in_the_row(
    number: int, scale: int, expected: object, *, with_schema: bool
) -> None:
    """Oracle's NUMBER without a scale, PostgreSQL's numeric: another scale is no other entity."""
    told = {"scale": scale, "value": unscaled(number)}
    key: object = {"id": told}
    if with_schema:
        fields = [{**VARIABLE, "field": "id"}]
        key = {"schema": {"type": "struct", "fields": fields}, "payload": key}
    other = {"scale": scale + 1, "value": unscaled(number * 10)}

    found = decode(change("u", {"id": other, "n": told}), key)

    assert found.key == {"id": expected}
    assert found.fields == {"id": expected, "n": told}
    assert type(found.fields["id"]) is type(expected)


def test_a_bare_key_of_variable_scale_is_its_number_where_its_schema_says_so() -> None:
    key = {"schema": VARIABLE, "payload": {"scale": 1, "value": unscaled(25)}}

    assert decode(change("u", {"n": 1}), key).key == {"id": Decimal("2.5")}
    # Without one these are two columns of a key.
    assert decode(change("u", {"n": 1}), key["payload"]).key == key["payload"]


@pytest.mark.parametrize(
    "cell", [{"scale": "x", "value": "AQ=="}, {"scale": 1, "value": 3.5, "z": 1}]
)
def test_another_struct_in_a_key_is_no_number(cell: dict[str, object]) -> None:
    assert decode(change("u", {"n": 1}), {"id": cell}).key == {"id": cell}


def test_a_decimal_with_a_schema_is_its_number_in_the_key_and_its_text_elsewhere() -> None:
    """Without one it is the text of its base64: its scale is nowhere in the record."""
    money = {"type": "bytes", "name": DECIMAL, "parameters": {"scale": "2"}}
    row = {
        "type": "struct",
        "field": "after",
        "fields": [{**money, "field": "id"}, {**money, "field": "n"}],
    }
    key = {
        "schema": {"type": "struct", "fields": [{**money, "field": "id"}]},
        "payload": {"id": unscaled(1230)},
    }
    told = change("u", {"id": unscaled(1230), "n": unscaled(1230)})

    found = decode({"schema": {"type": "struct", "fields": [row]}, "payload": told}, key)

    assert found.key == {"id": Decimal("12.3")}
    assert found.fields == {"id": Decimal("12.3"), "n": "12.30"}
    assert decode(told, key["payload"]).key == {"id": unscaled(1230)}


def test_what_a_row_tells_otherwise_than_its_key_stays_as_it_is() -> None:
    found = decode(change("u", {"id": "007"}), {"id": 7})

    assert (found.key, found.fields) == ({"id": 7}, {"id": "007"})
