"""The pure half of the DynamoDB store: exact items, what may be overtaken unread, the pace, and the
errors of a missing driver."""

from __future__ import annotations

import itertools
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.columns import Written
from anyorder._core.event import canonical
from anyorder._core.families import LogPosition, OffsetPosition, Position, ScalarPosition
from anyorder._core.families.restarting import Bound
from anyorder._core.memory import Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import Order
from anyorder._core.reset import CHECKPOINTS, Growth
from anyorder.errors import MissingExtra, StoreBusy
from anyorder.guard.contract import Lost, Refused, Replaced, Write
from anyorder.stores import open_store
from anyorder.stores.dynamodb import requests as dynamodb_requests
from anyorder.stores.dynamodb.books import growth_of, packed
from anyorder.stores.dynamodb.concurrency import Concurrency
from anyorder.stores.dynamodb.items import (
    ENTITY_KEY,
    MEMORY,
    SINCE,
    DoesNotFit,
    KeySchema,
    check_size,
    encoded,
    item_key,
    memory_of,
    schema_for,
)
from anyorder.stores.dynamodb.overtaking import incoming_threshold, stored_threshold
from anyorder.stores.dynamodb.requests import Answer, Requests
from anyorder.stores.dynamodb.writes import CONDITION_FAILED, Slot, Target, plan, settle
from tests.stores.dynamodb_place import plain
from tests.stores.faults import THROTTLE, FaultyClient

numbers = (
    st.integers(-(10**45), 10**45)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(numbers)
def test_a_number_is_exact_or_refused(number: Any) -> None:
    """Every digit is there, or the column is refused: never rounded."""
    try:
        text = encoded("n", number)["N"]
    except DoesNotFit:
        exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
        assert (
            len("".join(map(str, exact.as_tuple().digits)).strip("0")) > 38
            or not -130 <= exact.adjusted() <= 125
        )
        return
    assert Decimal(text) == (Decimal(repr(number)) if isinstance(number, float) else number)


@pytest.mark.parametrize("zero", [-0.0, 0.0, Decimal("-0"), Decimal("-0.00"), Decimal("0E+200"), 0])
def test_every_zero_is_one_number(zero: Any) -> None:
    """DynamoDB has no negative zero, whatever the server makes of the text."""
    assert encoded("n", zero) == {"N": "0"}


@given(
    st.lists(
        st.tuples(st.integers(1, 2**30), st.integers(1, 2**33)),
        min_size=CHECKPOINTS,
        max_size=CHECKPOINTS,
    )
)
def test_the_largest_growth_is_one_write_unit(steps: list[tuple[int, int]]) -> None:
    """64 checkpoints a gigabyte of log and two hours apart are far below a kilobyte as stored, key
    included, and come back."""
    points = tuple(
        itertools.accumulate(
            steps, lambda a, b: (a[0] + b[0], a[1] + b[1]), initial=(2**40, 1_790_000_000_000_000)
        )
    )[1:]
    growth = Growth(points, *points[-1])

    assert len(packed(growth)) < 940
    assert growth_of(packed(growth)) == growth


@given(values)
def test_values_come_back_as_they_were(value: Any) -> None:
    """boto3's own reader gives back what was encoded."""
    assert plain(encoded("x", value)) == value


@pytest.mark.parametrize(
    ("key", "schema"), [({"a": 1}, (("a", "N"),)), ({"a": "x", "b": 2}, (("a", "S"), ("b", "N")))]
)
def test_keys_of_one_or_two_columns_are_the_tables_own(
    key: dict[str, object], schema: tuple[tuple[str, str], ...]
) -> None:
    """Text and integers become hash and range."""
    assert schema_for(key).attributes == schema
    assert set(item_key(schema_for(key), canonical(key), key)) == set(key)


@pytest.mark.parametrize(
    "key", [{"a": None}, {"a": True}, {"a": 1.5}, {"a": ""}, {"a": 1, "b": 2, "c": 3}]
)
def test_other_keys_get_an_attribute_of_ours(key: dict[str, object]) -> None:
    """What DynamoDB cannot spell exactly as a key is spelled as canonical JSON."""
    assert item_key(schema_for(key), canonical(key), key) == {ENTITY_KEY: {"S": canonical(key)}}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("N", "42"), ("S", 42), ("N", 1.0), ("N", True), ("S", ""), ("S", "x" * 2049)],
)
def test_a_key_that_could_collide_is_refused(kind: str, value: object) -> None:
    """A text in a number key, a float that equals an integer, an empty or overlong text: a
    sentence, not another row's item."""
    with pytest.raises(DoesNotFit, match="key"):
        item_key(KeySchema((("a", kind),)), canonical({"a": value}), {"a": value})


def test_an_item_beyond_400_kb_is_refused() -> None:
    """Counted as AWS counts: names, values, and three bytes for each document."""
    check_size({"x": {"S": "a" * (409_600 - 1)}})
    with pytest.raises(DoesNotFit, match="409601"):
        check_size({"x": {"S": "a" * 409_600}})


LINEAGE = {"pg": ("r1",)}
LOGS = [
    LogPosition("pg", *told)
    for told in itertools.product(
        (1, 2), "cudri", (None, 1, 2, 3), (None,), ("p0", "p1"), (0, 1), ("r0", "r2")
    )
    if told[1] in "cud" or told[2] is None
]
OFFSETS = [OffsetPosition(*told) for told in itertools.product("tu", (0, 1), (1, 2), (0, 1))]
SCALARS = [
    ScalarPosition(*told)
    for told in itertools.product(
        ("version", "scn"),
        "st",
        ((1,), (2,), (1, 1), (1, 2), (255,), (256,)),
        ("", "l"),
        ("", "g", "h"),
    )
]


def overtakes(stored: Memory, new: Memory) -> bool:
    """The condition of an unread write, as DynamoDB evaluates it."""
    there, mine = stored_threshold(stored), incoming_threshold(new)
    if there is None or mine is None or not mine.scope < there.value < mine.value:
        return False
    return mine.offset is None or (there.offset is not None and there.offset < mine.offset)


@pytest.mark.parametrize("positions", [LOGS, OFFSETS, SCALARS], ids=["log", "offset", "scalar"])
def test_only_what_is_newer_for_certain_overtakes_unread(positions: list[Position]) -> None:
    """Every pair of small positions: where the condition holds, the core says newer, and nothing of
    the stored side would be joined."""
    overtaken = 0
    for a, b in itertools.product(positions, repeat=2):
        stored, new = (
            Memory(Stamp(position, int(getattr(position, "op", "u") != "d"), "f"))
            for position in (a, b)
        )
        if overtakes(stored, new):
            overtaken += 1
            assert new.stamp.compare(stored.stamp, LINEAGE) is Order.NEWER, (a, b)
            assert b.joined(a, False) == b, (a, b)
    assert overtaken > 0


@given(st.integers(0, 10**40), st.integers(0, 10**40))
def test_a_newer_version_does_overtake_unread(a: int, b: int) -> None:
    """The common case is not lost by caution."""
    stored, new = (
        Memory(Stamp(ScalarPosition("version", "s", (value,)), 1, "f")) for value in (a, b)
    )
    assert overtakes(stored, new) == (b > a)


TARGET = Target("t", KeySchema((("id", "N"),)), 1.0, "token")


def memory(version: int, rank: int = 1) -> Memory:
    return Memory(Stamp(ScalarPosition("version", "s", (version,)), rank, "f" * rank))


def write(before: Memory | None, after: Memory) -> Write:
    values = {"x": after.stamp.position.value[0]}  # type: ignore[union-attr]
    return Write("", {"id": 1}, before, after, Written(values, frozenset()) if after.live else None)


def test_a_refused_condition_is_our_own_write_or_somebody_elses() -> None:
    """After a lost answer the token tells; without one a failed condition is always somebody
    else's."""
    made = plan(TARGET, write(None, memory(2)), Slot())
    mine, other = (
        {MEMORY: {"S": made.text}},
        plan(TARGET._replace(token="other"), write(None, memory(2)), Slot()).arguments["Item"],
    )
    assert settle(made, Answer({"Item": mine}, CONDITION_FAILED, repeated=True)) is None
    assert isinstance(settle(made, Answer({"Item": other}, CONDITION_FAILED, repeated=True)), Lost)
    assert isinstance(settle(made, Answer({"Item": mine}, CONDITION_FAILED)), Lost)
    assert settle(made, Answer({"Attributes": other})) == Replaced("", memory_of(other))
    refused = settle(made, Answer({}, "ValidationException", "too large"))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.MALFORMED


def test_only_tombstones_carry_a_time() -> None:
    """The sparse index of the reaper holds nothing else."""
    row = plan(TARGET, write(memory(1, 0), memory(2)), Slot("before")).arguments["Item"]
    tombstone = plan(TARGET, write(memory(1), memory(2, 0)), Slot("before")).arguments["Item"]
    assert SINCE not in row
    assert tombstone.keys() >= {"id", MEMORY, SINCE}
    assert "x" not in tombstone


def test_the_pace_halves_when_throttled_and_grows_again() -> None:
    """AIMD: never below one request, never above the threads."""
    pace = Concurrency(8)
    for expected in (4.0, 2.0, 1.0, 1.0):
        pace.throttled()
        assert pace.limit == expected
    for _ in range(100):
        pace.succeeded()
    assert pace.limit == 8.0


def test_a_table_that_always_throttles_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the patience a sentence, not an endless loop."""
    monkeypatch.setattr(dynamodb_requests, "PATIENCE", 0.05)

    class Always:
        def put_item(self, **_: Any) -> None:
            raise AssertionError("never reached")

    client = FaultyClient(Always(), share=1.0)
    client._draw.choice = lambda kinds: "throttle"  # type: ignore[method-assign, assignment]
    requests = Requests(client, 2)
    with pytest.raises(StoreBusy, match="capacity"):
        requests.call("put_item")
    assert requests.concurrency.limit == 1.0
    assert THROTTLE["Error"]["Code"] in dynamodb_requests.THROTTLED  # type: ignore[index]


def test_without_boto3_the_install_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is an extra: its absence is one sentence."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtra, match=r"anyorder\[aws\]"):
        open_store("dynamodb://t?region=x")


def test_what_is_judged_by_more_than_its_version_is_neither_overtaken_nor_overtakes_unread() -> (
    None
):
    def stamp(time: int | None) -> Stamp:
        return Stamp(ScalarPosition("version", "s", (3,), per_entity=True, time=time), 1, "f")

    assert incoming_threshold(Memory(stamp(5))) is None
    assert incoming_threshold(Memory(stamp(None))) is not None
    assert stored_threshold(Memory(stamp(5))) is not None
    assert stored_threshold(Memory(stamp(5), bound=Bound((9,), 1))) is None
