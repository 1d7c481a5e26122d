"""JSON is read exactly or refused with a reason."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anyorder.envelopes import Limits, strict
from anyorder.errors import Malformed
from tests.envelopes import fuzz, oracle, samples


@pytest.mark.parametrize(
    "text", ["0", "-7", "9007199254740993", "18446744073709551616", "9" * 4300, "-" + "8" * 100]
)
def test_integers_of_any_size_are_exact(text: str) -> None:
    found = strict.parse(text.encode())

    assert type(found) is int
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    ["0.1", "12.30", "1e5", "-0.0", "5e-324", "1.7976931348623157e308", "0.30000000000000004"],
)
def test_a_number_whose_double_prints_the_same_value_is_a_float(text: str) -> None:
    found = strict.parse(text.encode())

    assert type(found) is float
    assert Decimal(repr(found)) == Decimal(text)


def test_nothing_times_a_great_power_is_nothing() -> None:
    assert strict.parse(b"[0e200000,-0e-200000]") == [0.0, 0.0]


@pytest.mark.parametrize(
    "text",
    ["1e400", "-1e400", "1e-400", "0.1000000000000000055511151231257827", "12345678901234567890.5"],
)
def test_a_number_that_no_double_holds_is_a_decimal_and_never_infinity(text: str) -> None:
    found = strict.parse(f"[{text}]".encode())

    assert found == [Decimal(text)]
    assert type(found[0]) is Decimal


REFUSED = {
    "NaN": (b'{"a":NaN}', "NaN and Infinity"),
    "Infinity": (b"[-Infinity]", "NaN and Infinity"),
    "a lone surrogate": (b'{"a":"\\ud800x"}', "surrogate"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "not UTF-8"),
    "an integer of 5000 digits": (b"9" * 5000, "more than 4300 digits"),
    "a negative integer of 4300 digits": (b'{"a":-' + b"9" * 4300 + b"}", "more than 4300 digits"),
    "broken UTF-8": (b'"\xff"', "not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "a name twice": (b'{"a":1,"a":2}', "'a' twice"),
    "a name twice, deep inside": (b'{"x":[[{"y":{"a":1,"b":2,"a":1}}]]}', "'a' twice"),
    "a name twice, spelled otherwise": (b'{"ab":1,"\\u0061b":2}', "'ab' twice"),
    "a name twice, with blanks before the colon": (b'{"a":1,"a" :2}', "'a' twice"),
    "a name twice, with a line break before the colon": (b'{"a":1,"a"\n:2}', "'a' twice"),
    "a name twice, hidden by a blank and a quoted colon": (b'{"a":1,"a" :"\\":"}', "'a' twice"),
    "a name twice, hidden by JSON in JSON": (b'{"a":1,"b\\\\":1,"b\\\\":"{\\"x\\":1}"}', "twice"),
    "a name twice, made up for by a name that ends in a backslash": (
        b'{"a\\\\":1,"x":1,"x":2}',
        "'x' twice",
    ),
    "a name twice in an array": (b'[{"a":1,"a":2}]', "'a' twice"),
    "65 arrays": (b"[" * 65 + b"]" * 65, "more than 64"),
    "65 objects": (b'{"a":' * 65 + b"1" + b"}" * 65, "more than 64"),
    "65 deep, an empty object innermost": (
        b'{"a":{"b":' + b"[" * 62 + b"{}" + b"]" * 62 + b"}}",
        "more than 64",
    ),
    "a million arrays": (b"[" * 1_000_000, "more than 64"),
    "65 deep, with blanks before the colons": (b'{"a" :' * 65 + b"1" + b"}" * 65, "more than 64"),
    "an exponent beyond any use": (b"1e999999999999999999", "exponent"),
    "a negative exponent beyond any use": (b"1e-200000", "exponent"),
    "an exponent that no decimal has": (b"1e9999999999999999999999999", "exponent"),
    "an integer beyond 4300 digits": (b"9" * 5000, "out of range"),
    "UTF-16": ("{}".encode("utf-16"), "not JSON"),
    "nothing": (b"", "not JSON"),
    "two documents": (b"{} {}", "not JSON"),
    "a comma too many": (b"[1,]", "not JSON"),
    "a control character in a text": (b'"\t"', "not JSON"),
    "17 MiB": (b'"' + b"x" * (17 * 1024 * 1024) + b'"', "more than 16777216"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_strict_json_is_refused_with_its_reason(name: str) -> None:
    data, reason = REFUSED[name]

    with pytest.raises(Malformed, match=reason):
        strict.parse(data)


ACCEPTED = [
    b"[" * 64 + b"]" * 64,
    b'{"a":' * 64 + b"1" + b"}" * 64,
    b'{"a":"\\ud83d\\ude00","b":"\\u0000"}',
    b'{"a" : 1, "b"\t:\n{"a":2}}',
    b'{"text":"say \\":\\" twice","json":"{\\"a\\":1,\\"a\\":2}",'
    b'"deeper":"{\\"j\\":\\"{\\\\\\"a\\\\\\":1}\\"}"}',
    b'{"a":{"b":1},"c":[{"b":1},{"b":2}],"":{"":{}}}',
    b'{"note":"a : b","\\\\":1}',
]


@pytest.mark.parametrize("data", ACCEPTED)
def test_unusual_but_strict_json_is_read(data: bytes) -> None:
    assert strict.parse(data) == json.loads(data)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(['":', '" :', "\\", '{"a":1}']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(['":', "\\", "a"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(
    VALUES,
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
)
def test_whatever_json_writes_is_read_back(
    value: object, indent: int | str | None, ascii_only: bool, separators: tuple[str, str]
) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=ascii_only, separators=separators).encode()

    assert strict.parse(data) == value


@given(
    st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=4),
    st.data(),
    st.sampled_from([":", " :", "\n:"]),
)
def test_a_name_written_twice_is_always_found(
    members: dict[str, object], data: st.DataObject, colon: str
) -> None:
    written = [json.dumps(name) + colon + json.dumps(value) for name, value in members.items()]
    again = (
        json.dumps(data.draw(st.sampled_from(sorted(members))))
        + data.draw(st.sampled_from([":", " :"]))
        + json.dumps(data.draw(VALUES))
    )
    written.insert(data.draw(st.integers(0, len(written))), again)
    document = ("{" + ",".join(written) + "}").encode()

    for nested in (document, b"[" + document + b"]", b'{"x":{"y":' + document + b"}}"):
        with pytest.raises(Malformed, match="twice"):
            strict.parse(nested)


@given(
    st.binary(max_size=40)
    | st.text(alphabet='{}[]":,\\ntu0189aeE.+- ', max_size=30).map(str.encode)
)
def test_arbitrary_bytes_are_read_as_the_standard_library_reads_them_or_refused(
    data: bytes,
) -> None:
    try:
        found = strict.parse(data)
    except Malformed:
        return
    assert oracle.alike(found, oracle.load(data))


class Exact:
    """A reader that looks at every name, and at every level."""

    def __init__(self, data: bytes) -> None:
        self.is_twice = False
        self.tree = json.loads(data, object_pairs_hook=self._object, parse_int=str)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self.is_twice = self.is_twice or len(found) < len(pairs)
        return found

    def depth(self, tree: Any) -> int:
        if not isinstance(tree, dict | list):
            return 0
        inner = tree.values() if isinstance(tree, dict) else tree
        return 1 + max(map(self.depth, inner), default=0)

    def names(self, tree: Any) -> int:
        if isinstance(tree, dict):
            return len(tree) + sum(map(self.names, tree.values()))
        return sum(map(self.names, tree)) if isinstance(tree, list) else 0

    def refuses(self, limits: Limits, inside: int) -> str:
        """What is wrong with the document; "" if nothing is."""
        if self.depth(self.tree) > limits.depth - inside:
            return "inside one another"
        if self.names(self.tree) > limits.members:
            return "members in objects"
        return "twice" if self.is_twice else ""


DOCUMENTS = [
    delivery.value
    for fixture in ("debezium_postgresql", "json_orders", "eventbridge", "dynamodb_streams")
    for delivery in samples.deliveries(fixture)
    if delivery.value
]


def array(values: list[str]) -> str:
    return f"[{','.join(values)}]"


def object_of(pairs: list[tuple[str, str]]) -> str:
    told = (f'"{name}":{value}' for name, value in pairs)
    return f"{{{','.join(told)}}}"


WRITTEN = st.recursive(
    st.sampled_from(["1", '"x"', '"a:b"', '"[["', '"\\":"', "null", "[]", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(array)
        | st.lists(st.tuples(st.sampled_from("abcde"), inner), max_size=4).map(object_of)
    ),
    max_leaves=8,
).map(str.encode)
MUTATED = st.builds(
    lambda document, seed: fuzz.mutated(document, random.Random(seed)) or b"{}",
    st.sampled_from(DOCUMENTS),
    st.integers(0, 2**32),
)
LIMITS = st.builds(
    Limits,
    depth=st.integers(1, 8) | st.just(64),
    members=st.integers(1, 12) | st.just(1_000_000),
)


@given(WRITTEN | MUTATED, LIMITS, st.integers(0, 1))
@example(b'{"a":1,"b":2}', Limits(members=1), 0)
@example(b'{"a":[[[[1]]]]}', Limits(depth=4), 0)
@example(b'{"a":{"b":[{}]}}', Limits(depth=3), 0)
@example(b'{"a":{"b":[{}]}}', Limits(depth=4), 1)
@example(b'{"a":{"b":1,"b":2}}', Limits(), 0)
@example(b'{"a":{"b":1},"a":2}', Limits(), 0)
def test_what_is_told_at_a_glance_is_what_a_look_at_every_name_tells(
    data: bytes, limits: Limits, inside: int
) -> None:
    try:
        expected = Exact(data).refuses(limits, inside)
    except (ValueError, RecursionError):
        return
    try:
        strict.parse(data, inside, limits)
        found = ""
    except Malformed as error:
        found = str(error)
    # Of what no document may have, whatever its names are, others tell.
    if found.startswith(("not JSON", "a number", "an integer")):
        return

    assert expected in found
    assert bool(expected) is bool(found)


def test_the_members_of_an_object_are_cut_out_as_they_are_written() -> None:
    assert strict.members(b'{"schema": {"type":"x"} ,"payload":[1, 2]}') == {
        "schema": b'{"type":"x"}',
        "payload": b"[1, 2]",
    }
    with pytest.raises(Malformed, match="twice"):
        strict.members(b'{"a":1,"a":2}')
    with pytest.raises(Malformed, match="twice"):
        strict.members(b'{"a" :1,"b":2,"a":"\\":"}')
    with pytest.raises(Malformed, match="not JSON"):
        strict.members(b"[1]")
