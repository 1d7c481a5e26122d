"""One line of the record format is one delivery, byte for byte."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.event import Delivery
from anyorder.envelopes import read_record
from anyorder.errors import Malformed

RECORD: dict[str, Any] = {
    "topic": "shop.public.users",
    "partition": 3,
    "offset": 88,
    "timestamp": 1789028130123,
    "timestamp_type": "CreateTime",
    "key": '{"id":7}',
    "value": '{"name":"Zoë : \\"x\\"","json":"{\\"a\\":1}"}',
    "headers": [["trace", "a1"], ["trace", None]],
}


def line(**changed: Any) -> bytes:
    return json.dumps({**RECORD, **changed}, ensure_ascii=False).encode()


def test_a_record_becomes_a_delivery_with_the_exact_bytes() -> None:
    found = read_record(line() + b"\r\n")

    headers = (("trace", "a1"), ("trace", None))
    expected = Delivery(
        "shop.public.users",
        3,
        88,
        1789028130123,
        "CreateTime",
        RECORD["key"].encode(),
        RECORD["value"].encode(),
        headers,
    )
    assert found == expected


def test_null_stays_null_and_is_not_the_text_null() -> None:
    found = read_record(line(key=None, value=None, timestamp=None))

    assert (found.key, found.value, found.timestamp) == (None, None, None)
    assert read_record(line(value="null")).value == b"null"


def test_optional_members_may_be_left_out() -> None:
    found = read_record(b'{"topic":"t","partition":0,"offset":1,"value":"{}"}')

    assert found == Delivery("t", 0, 1, value=b"{}")


@pytest.mark.parametrize(
    "text",
    [b'{"id":1}', b"[1,2]", b'"x"', b'{"topic":"t","value":"v"}', b'{"detail":{"topic":"t"}}'],
)
def test_json_that_is_no_record_is_a_delivery_of_the_line(text: bytes) -> None:
    assert read_record(text + b"\n") == Delivery(value=text)


@pytest.mark.parametrize("member", ["key", "value"])
@pytest.mark.parametrize("told", ['{"a": 1.10}', "7", "[1, {}]", "18446744073709551617"])
def test_a_key_and_a_value_that_are_no_texts_are_the_json_that_is_written(
    member: str, told: str
) -> None:
    text = line(**{member: "here"}).replace(b'"here"', told.encode())

    assert getattr(read_record(text), member) == told.encode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"partition": "3"},
        {"partition": -2},
        {"offset": 1.5},
        {"offset": True},
        {"headers": [["a"]]},
        {"headers": {}},
        {"extra": 1},
    ],
)
def test_a_record_with_a_member_of_a_wrong_type_is_refused_rather_than_taken_for_other_json(
    wrong: dict[str, Any],
) -> None:
    with pytest.raises(Malformed, match="a record line"):
        read_record(line(**wrong))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no json",
        b'{"topic":"t"',
        line()[:-1] + b',"topic":"other"}',
        line()[:-1] + b',"topic" :"other"}',
        b'{"topic":"t","topic":"u","partition":0,"offset":1,"timestamp":null,"timestamp_type":"","value":null,"headers":[]}',
        b'{"topic":"\\ud800","partition":0,"offset":1,"value":null}',
    ],
)
def test_a_line_that_is_no_strict_json_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        read_record(text)


@given(
    st.none() | st.text(),
    st.none() | st.text(),
    st.lists(st.tuples(st.text(), st.none() | st.text())),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_any_texts_survive_in_any_layout(
    key: str | None, value: str | None, headers: list[Any], ascii_only: bool, indent: int | None
) -> None:
    record = {**RECORD, "key": key, "value": value, "headers": headers}
    found = read_record(json.dumps(record, ensure_ascii=ascii_only, indent=indent).encode())

    assert found.key == (None if key is None else key.encode())
    assert found.value == (None if value is None else value.encode())
    assert found.headers == tuple(headers)


@pytest.mark.parametrize("time", [2**63, -(2**63) - 1, 10**30])
def test_a_time_that_no_broker_has_is_refused_with_its_name(time: int) -> None:
    """Stores keep it as a number of 64 bits."""
    line = {"topic": "t", "partition": 0, "offset": 1, "value": "{}", "timestamp": time}

    with pytest.raises(Malformed, match="timestamp"):
        read_record(json.dumps(line).encode())


LAYOUTS = [(",", ":"), (", ", ": "), (",", ": "), (" ,", " :"), (",\n", ":\t")]
SMALL = ["0", "-0", '""', "null", "[]", '"1"', '[["a",null]]']


def written(pairs: list[tuple[str, str]], layout: tuple[str, str]) -> bytes:
    """Members as they are told, which may come twice."""
    between, colon = layout
    told = between.join(f"{json.dumps(name)}{colon}{value}" for name, value in pairs)
    return f"{{{told}}}".encode()


@given(
    st.permutations(list(RECORD)) | st.just(list(RECORD)),
    st.sampled_from(LAYOUTS),
    st.sampled_from([None, 0, -1, 1789028130123]),
    st.sampled_from(["t", "", "Zoë", 'a"b', "a b", "a\\\\"]),
)
def test_a_record_is_the_same_in_any_order_and_layout(
    order: list[str], layout: tuple[str, str], time: int | None, topic: str
) -> None:
    record = {**RECORD, "timestamp": time, "topic": topic}
    found = read_record(written([(name, json.dumps(record[name])) for name in order], layout))

    told = (found.topic, found.partition, found.offset, found.timestamp, found.timestamp_type)
    assert told == (topic, 3, 88, time, "CreateTime")
    assert (found.key, found.value) == (RECORD["key"].encode(), RECORD["value"].encode())
    assert found.headers == (("trace", "a1"), ("trace", None))


def test_a_member_that_is_told_twice_is_found_however_small_it_is() -> None:
    told = [(name, json.dumps(value)) for name, value in RECORD.items()]
    values = [*SMALL, "a longer text"]
    for layout, (name, own), value in itertools.product(LAYOUTS, told, values):
        again = (name, value if value in SMALL else own)
        for place in range(len(told) + 1):
            line = written([*told[:place], again, *told[place:]], layout)
            # Only its first name has a blank behind it, or as the others.
            for one in (line, line.replace(b":", b": ", 1)):
                with pytest.raises(Malformed, match="twice"):
                    read_record(one)
