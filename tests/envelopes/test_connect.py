"""The schema/payload wrapper, and decimals by their schema."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder.envelopes.connect import DECIMAL, REMEMBERED, Schemas, conversion, decimal_text
from anyorder.errors import Malformed


def money(scale: Any = "2", **more: Any) -> dict[str, Any]:
    return {"type": "bytes", "name": DECIMAL, "parameters": {"scale": scale}, **more}


def struct(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "struct", "fields": list(fields)}


def opened(value: object, schemas: Schemas | None = None, **layout: Any) -> Any:
    payload, convert = (schemas or Schemas()).open(
        json.dumps(value, **{"separators": (",", ":"), **layout}).encode()
    )
    return payload if convert is None else convert(payload)


@given(
    st.integers(-(10**40), 10**40) | st.sampled_from([0, -1, 127, 128, -128, 255]),
    st.integers(0, 50),
)
def test_a_decimal_is_its_text_with_the_scale_of_its_schema(unscaled: int, scale: int) -> None:
    size = (unscaled.bit_length() + 8) // 8
    encoded = base64.b64encode(unscaled.to_bytes(size, "big", signed=True)).decode()
    found = decimal_text(encoded, scale)

    assert found.replace(".", "").replace("-", "").lstrip("0") == str(abs(unscaled)).lstrip("0")
    assert len(found.partition(".")[2]) == scale
    assert found.startswith("-") == (unscaled < 0)


def test_trailing_zeros_and_signs_stay() -> None:
    assert [decimal_text(text, 2) for text in ("BM4=", "AA==", "/w==", "+y4=")] == [
        "12.30",
        "0.00",
        "-0.01",
        "-12.34",
    ]
    assert decimal_text("BM4=", -3) == "1230000"
    assert decimal_text("AA==", -3) == "0"


def test_a_decimal_of_a_hundred_thousand_digits_is_exact() -> None:
    unscaled = 10**100_000 + 1
    encoded = base64.b64encode(
        unscaled.to_bytes((unscaled.bit_length() + 8) // 8, "big", signed=True)
    ).decode()

    assert decimal_text(encoded, 1) == "1" + "0" * 99_999 + ".1"


@pytest.mark.parametrize(
    ("number", "text"),
    [(12.3, "12.30"), (12, "12.00"), (Decimal("1e20"), "100000000000000000000.00")],
)
def test_a_decimal_told_as_a_number_gets_the_digits_of_its_scale(number: Any, text: str) -> None:
    assert decimal_text(number, 2) == text


@pytest.mark.parametrize(
    "value", ["", "no base64!", True, [], {}, 0.125, base64.b64encode(b"\x01" * 70_000).decode()]
)
def test_what_is_no_decimal_of_its_schema_is_refused(value: object) -> None:
    with pytest.raises(Malformed, match="decimal"):
        decimal_text(value, 2)


@pytest.mark.parametrize("scale", [None, True, "x", "--5", "2.0", 200_000, "1e3"])
def test_a_scale_that_is_none_is_refused(scale: object) -> None:
    with pytest.raises(Malformed, match="scale"):
        conversion(money(scale))


def test_decimals_inside_a_struct_are_converted_and_everything_else_stays() -> None:
    schema = struct(
        {"type": "int32", "field": "id"},
        money(field="price"),
        struct(money("0", field="n")) | {"field": "inner"},
        {"type": "array", "items": money(), "field": "list"},
    )
    payload = {
        "id": 1,
        "price": "BM4=",
        "inner": {"n": "Bw=="},
        "list": ["BM4="],
        "variable": {"scale": 1, "value": "Dw=="},
    }

    assert opened({"schema": schema, "payload": payload}) == {
        **payload,
        "price": "12.30",
        "inner": {"n": "7"},
    }
    assert opened({"schema": schema, "payload": {"id": 1, "price": None, "inner": None}}) == {
        "id": 1,
        "price": None,
        "inner": None,
    }


def test_a_remembered_schema_gives_what_it_gave_at_first() -> None:
    schemas, schema = Schemas(), struct(money(field="price"))
    records = [{"schema": schema, "payload": {"price": text}} for text in ("BM4=", "AA==", None)]

    assert [opened(record, schemas) for record in records] == [
        {"price": "12.30"},
        {"price": "0.00"},
        {"price": None},
    ]
    assert [opened(record, schemas) for record in records] == [opened(record) for record in records]


def test_a_remembered_schema_does_not_let_a_broken_record_through() -> None:
    schemas = Schemas()
    record = b'{"schema":{"type":"int32"},"payload":1}'
    assert schemas.open(record)[0] == 1

    for broken in (
        record[:-1],
        record[:-1] + b"]",
        record + b"}",
        record[:-1] + b',"payload":2}',
        record[:-2] + b'{"a":1,"a":2}}',
    ):
        with pytest.raises(Malformed):
            schemas.open(broken)
    assert schemas.open(record[:-1] + b',"x":2}')[0] == {
        "schema": {"type": "int32"},
        "payload": 1,
        "x": 2,
    }


@pytest.mark.parametrize("layout", [{}, {"indent": 2, "separators": (", ", " : ")}])
def test_the_wrapper_is_known_in_any_order_and_layout(layout: dict[str, Any]) -> None:
    assert opened({"payload": {"p": "BM4="}, "schema": struct(money(field="p"))}, **layout) == {
        "p": "12.30"
    }
    assert opened({"schema": None, "payload": {"a": 1}}, **layout) == {"a": 1}


@pytest.mark.parametrize(
    "value",
    [
        {"schema": "public", "payload": "x"},
        {"schema": {"a": 1}, "payload": 1},
        {"schema": None},
        {"schema": None, "payload": 1, "x": 2},
    ],
)
def test_columns_that_are_called_schema_and_payload_are_no_wrapper(value: dict[str, Any]) -> None:
    assert opened(value) == value


def test_the_schemas_that_are_remembered_are_bounded() -> None:
    schemas = Schemas()
    for number in range(REMEMBERED + 10):
        opened({"schema": {"type": f"t{number}"}, "payload": number}, schemas)

    assert 0 < len(schemas._known) <= REMEMBERED
