"""Raw Kafka records: key, value, offset."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.event import Event, Kind
from anyorder._core.families import OffsetPosition
from anyorder.envelopes import open_envelope
from anyorder.envelopes.raw import text_of
from tests.envelopes.samples import decode, delivery


def of(key: bytes | None, value: bytes | None = b"{}", **more: object) -> Event:
    return open_envelope("raw").decode(delivery(value, key, topic="prices", **more))


def test_the_offset_is_the_position_and_a_null_value_deletes() -> None:
    put, gone = of(b"SKU-1", b'{"price":1.5}'), of(b"SKU-1", None)

    assert (put.kind, gone.kind) == (Kind.PUT, Kind.DELETE)
    assert (put.table, put.key, put.fields) == ("prices", {"id": "SKU-1"}, {"price": 1.5})
    assert (
        put.position
        == gone.position
        == OffsetPosition("kafka:prices", 3, 88, time=1789028130123000)
    )


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (b'{"a":1}', {"a": 1}),
        (b"text", {"value": "text"}),
        (b"[1]", {"value": "[1]"}),
        (b"", {"value": ""}),
        (b"null", {"value": "null"}),
        (b"\xff", {"value": "base64:/w=="}),
    ],
)
def test_a_value_gives_its_columns_or_is_one_column(
    value: bytes, fields: dict[str, object]
) -> None:
    assert of(b"k", value).fields == fields


@pytest.mark.parametrize("value", [b'{"a":1,"a":2}', b'{"a":NaN}', b"{broken", b' {"a":'])
def test_a_value_that_begins_as_an_object_and_is_none_is_malformed(value: bytes) -> None:
    found = of(b"k", value)

    assert (found.kind, found.key) == (Kind.MALFORMED, {"id": "k"})


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"42", {"id": "42"}),
        (b"-0", {"id": "-0"}),
        (b"A-17", {"id": "A-17"}),
        (b'"42"', {"id": "42"}),
        (b"042", {"id": "042"}),
        (b"1.0", {"id": "1.0"}),
        (b"1.00", {"id": "1.00"}),
        (b"true", {"id": "true"}),
        (b"", {"id": ""}),
        (b'{"a":1,"b":"x"}', {"a": 1, "b": "x"}),
        (b'{"a":1.0,"b":0.1}', {"a": 1, "b": Decimal("0.1")}),
        (b'"open', {"id": '"open'}),
        (b"\xff", {"id": "base64:/w=="}),
        (b"9" * 5000, {"id": "9" * 5000}),
    ],
)
def test_a_key_gives_its_columns_or_is_one_column(key: bytes, expected: dict[str, object]) -> None:
    assert of(key).key == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"42", 42),
        (b'"42"', 42),
        (b"-0", 0),
        (b"1e0", 1),
        (b"1.50", Decimal("1.5")),
        (b"18446744073709551616", 2**64),
    ],
)
def test_a_bare_key_is_a_number_where_its_option_says_so(key: bytes, expected: object) -> None:
    found = decode(b"{}", key, "raw", {"key_kind": "number"})

    assert found.key == {"id": expected}
    assert type(found.key["id"]) is type(expected)


@pytest.mark.parametrize("key", [b"", b"A-17", b"007", b"NaN", b"true", b"1e9999999999999999999"])
def test_a_bare_key_that_is_no_number_is_malformed_where_all_are_to_be(key: bytes) -> None:
    assert decode(b"{}", key, "raw", {"key_kind": "number"}).kind is Kind.MALFORMED


@pytest.mark.parametrize(("key", "told"), [(b"42", 42), (b"1.5", 1.5), (b"true", True)])
def test_a_column_of_the_row_is_the_bare_key_where_it_says_the_same(
    key: bytes, told: object
) -> None:
    found = of(key, msgspec.json.encode({"id": told, "n": 1}))

    assert found.fields == {"id": key.decode(), "n": 1}


def test_a_column_of_the_row_that_says_otherwise_than_the_key_stays() -> None:
    assert of(b"o-1", b'{"id": "evt-77"}').fields == {"id": "evt-77"}


def test_the_column_of_a_bare_key_is_an_option() -> None:
    assert decode(b"{}", b"x", "raw", {"key": "sku"}).key == {"sku": "x"}


@pytest.mark.parametrize("key", [None, b"{}", b'{"a":1,"a":2}', b"{x"])
def test_a_record_whose_key_names_no_row_is_malformed(key: bytes | None) -> None:
    assert of(key).kind is Kind.MALFORMED
    assert of(key, None).kind is Kind.MALFORMED


def test_a_record_without_a_timestamp_has_no_time() -> None:
    assert [of(b"k", timestamp=timestamp).time for timestamp in (None, -1, 0)] == [None, None, 0]


@pytest.mark.parametrize("place", [{"offset": -1}, {"partition": -1}])
def test_a_record_without_a_place_in_a_topic_is_malformed(place: dict[str, int]) -> None:
    assert of(b"k", **place).kind is Kind.MALFORMED


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_two_keys_never_become_one_text(one: bytes, other: bytes) -> None:
    assert (text_of(one) == text_of(other)) == (one == other)


def test_even_a_text_that_looks_encoded_is_told_apart() -> None:
    assert text_of(b"\xff") == "base64:/w==" != text_of(b"base64:/w==")
