"""What a rule's input path or transformer leaves of an event: read where everything needed is still
there, else refused with what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyorder._core.event import Delivery, Event, Kind
from anyorder.envelopes import open_envelope
from tests.envelopes.samples import change, without_delivery
from tests.envelopes.test_eventbridge import BODY, DETAIL, ROW, body

VALUE = change("u", ROW)


def decode(data: object, **options: Any) -> Event:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return open_envelope("eventbridge", **options).decode(Delivery("queue", value=text))


@pytest.mark.parametrize("value", [VALUE, change("d"), None])
def test_input_path_detail_is_the_same_event(value: object) -> None:
    assert without_delivery(decode({**DETAIL, "value": value})) == without_delivery(
        decode(body(value))
    )


def test_a_transformer_that_keeps_detail_is_the_same_event() -> None:
    kept = {"made-by": "a transformer", "detail": {**DETAIL, "value": VALUE}}
    picked = {
        name: cell for name, cell in {**DETAIL, "value": VALUE}.items() if name != "timestampType"
    }

    assert without_delivery(decode(kept)) == without_delivery(decode(body(VALUE)))
    assert decode(picked).fields == ROW


def test_numbers_in_a_bare_detail_stay_exact() -> None:
    text = (
        json.dumps({**DETAIL, "value": change("u", "@")})
        .encode()
        .replace(b'"@"', b'{"id":7,"big":12345678901234567890123}')
    )

    assert str(decode(text).fields["big"]) == "12345678901234567890123"  # type: ignore[index]


@pytest.mark.parametrize("options", [{}, {"inner": "raw"}])
def test_a_bare_detail_without_a_value_is_incomplete_and_never_a_delete(
    options: dict[str, Any],
) -> None:
    assert decode(DETAIL, **options).kind is Kind.NO_CONTENT


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (VALUE, 'InputPath = "$.detail.value"'),
        (None, "no value at all"),
        ("user 7 changed", "a text, not an event"),
        (["a"], "no JSON object"),
        ({"user": 7, "name": "Ana"}, "names: name, user"),
        ({**BODY, "detail": {"id": 7}}, "event of another producer"),
        ({**DETAIL, "partition": "3", "value": VALUE}, "detail.partition is no whole number"),
    ],
)
def test_what_lost_the_record_is_refused_with_what_to_do(data: object, words: str) -> None:
    found = decode(data)

    assert found.kind is Kind.MALFORMED
    assert words in found.note


def test_from_a_queue_the_topic_is_the_one_inside_and_the_bytes_are_those_that_arrived() -> None:
    data = body(VALUE)
    found = decode(data)

    assert (found.delivery.topic, found.delivery.value, found.delivery.offset) == (
        "shop.public.users",
        data,
        -1,
    )


def test_from_a_queue_what_is_incomplete_has_the_topic_inside_too() -> None:
    assert decode(body("absent")).delivery.topic == "shop.public.users"
