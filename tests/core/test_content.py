"""One content told in two spellings of one number is one content (rules R12); and memories of
before still know the events that they knew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from anyorder._core.content import spelled_value
from anyorder._core.decide import decide
from anyorder._core.event import Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.fold import Limits, stamp_of
from anyorder._core.memory import Memory, Stamp, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.word import accept

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False) | st.integers().map(Decimal)


def put(version: int, **fields: Any) -> Event:
    position = ScalarPosition("version", "s", (version,))
    return Event(Kind.PUT, "t", {"id": 1}, position, fields)


def of_before(event: Event) -> Stamp:
    """The stamp that was stored before numbers had one spelling."""
    return msgspec.structs.replace(stamp_of(event), fingerprint=event.former_fingerprint)


@pytest.mark.parametrize(
    "spellings",
    [
        (1, 1.0, Decimal("1.0"), Decimal("1e0"), Decimal("1.000")),
        (0, 0.0, -0.0, Decimal("0.00"), Decimal("-0"), Decimal("0e7")),
        (1500, Decimal("1.5e3"), Decimal("1500.0"), 1.5e3),
        (0.1, Decimal("0.1"), Decimal("0.10"), Decimal("1e-1")),
        (1e23, Decimal("1e23"), 10**23),
        (1e-7, Decimal("1e-7"), Decimal("0.0000001")),
        (Decimal("1e5000"), Decimal("10e4999")),
        ([{"a": 1}], [{"a": 1.0}], ({"a": Decimal("1.0")},)),
    ],
)
def test_one_number_has_one_fingerprint_however_it_is_spelled(spellings: tuple[Any, ...]) -> None:
    assert len({put(1, x=value).fingerprint for value in spellings}) == 1


@pytest.mark.parametrize(
    "values", [(1, True), (1, "1"), (0, False), (0, None), (1, 1.1), (Decimal("NaN"), 0)]
)
def test_what_is_no_spelling_of_one_number_is_another_content(values: tuple[Any, Any]) -> None:
    one, other = values

    assert put(1, x=one).fingerprint != put(1, x=other).fingerprint


@given(NUMBERS, NUMBERS)
def test_two_numbers_are_one_content_if_they_are_equal(one: Decimal, other: Decimal) -> None:
    is_one = put(1, x=one).fingerprint == put(1, x=other).fingerprint

    assert is_one == (one == other)


@given(NUMBERS)
def test_a_number_keeps_its_value(number: Decimal) -> None:
    spelled = spelled_value(number)

    assert spelled == number
    assert spelled_value(spelled) == spelled


@pytest.mark.parametrize("value", [7, -7, 2**70, Decimal("1.5"), 0.25, Decimal("-0.01"), "1.0"])
def test_whole_numbers_and_ordinary_decimals_have_the_fingerprint_that_they_had(value: Any) -> None:
    event = put(1, x=value)

    assert event.fingerprint == event.former_fingerprint


def test_the_fingerprint_of_a_plain_row_never_changes() -> None:
    assert put(1, x=1, y="a").fingerprint == "1bffd04ef59c10c5"


def test_a_memory_of_before_knows_its_event_again() -> None:
    event = put(1, price=Decimal("1.50"))
    memory = unpack(pack(Memory(of_before(event))))

    assert stamp_of(event) != memory.stamp
    assert astuple(decide(memory, event, Limits()))[:3] == (memory, None, Reason.DUPLICATE)


def test_a_column_of_before_knows_its_event_again() -> None:
    older, newer = put(1, price=Decimal("1.50"), name="a"), put(2, name="b")
    newer = msgspec.structs.replace(newer, partial=True)
    memory = Memory(stamp_of(newer), {"price": of_before(older), "*": None})

    assert decide(memory, older, Limits()).reason is not Reason.CONFLICT


def test_a_word_for_what_a_memory_of_before_shows_marks_that() -> None:
    shown, other = put(1, price=Decimal("1.50")), put(1, price=2)
    memory = Memory(of_before(shown), disputed=frozenset({"*"}))

    after = accept(memory, shown, Limits()).memory

    assert after is not None
    assert after.stamp.is_marked
    assert decide(after, shown, Limits()).reason is Reason.DUPLICATE
    assert decide(after, other, Limits()).reason is Reason.CONFLICT


def test_another_spelling_of_what_a_memory_of_before_shows_is_held_as_it_was() -> None:
    memory = Memory(of_before(put(1, price=Decimal("1.50"))))

    assert decide(memory, put(1, price=Decimal("1.5")), Limits()).reason is Reason.CONFLICT
