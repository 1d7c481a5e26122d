"""The demo's bus, clockwork and spelling."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder.demo import recording
from anyorder.demo.baton import race
from anyorder.demo.blocks import Cell, Quote, Table, Text
from anyorder.demo.bus import REDELIVERED, lateness, unordered
from anyorder.demo.generated import week
from anyorder.demo.score import Score, judge
from anyorder.demo.terminal import WIDTH, Terminal
from anyorder.envelopes import open_envelope


@given(st.integers(300, 900), st.integers())
def test_the_bus_delivers_every_record_at_least_once_and_one_stretch_again(
    number: int, seed: int
) -> None:
    order = unordered(number, Random(seed))

    assert set(order) == set(range(number))
    assert any(
        order[end - REDELIVERED : end] == order[end : end + REDELIVERED]
        for end in range(REDELIVERED, len(order))
    )
    assert order == unordered(number, Random(seed))


def test_lateness_has_a_tail_beyond_every_retention_of_the_demo() -> None:
    random = Random(1)
    late = sorted(lateness(random) for _ in range(10_000))

    assert late[5000] < 10
    assert late[-20] > 48 * 3600


def test_a_made_up_week_is_read_by_the_envelope_and_ends_in_its_truth() -> None:
    changes, truth = week(Random(1), 50, 1e9)
    events = [open_envelope("debezium").decode(change.delivery) for change in changes]
    rows: dict[object, object] = {}
    for event in events:
        assert event.key is not None
        rows.pop(event.key["id"], None)
        rows |= {event.key["id"]: event.fields} if event.fields is not None else {}

    assert rows == truth
    assert Counter(event.kind.value for event in events).keys() == {"upsert", "delete"}
    assert [change.time for change in changes] == sorted(change.time for change in changes)


@given(st.decimals(-(10**8), 10**8, places=2))
def test_a_numeric_is_spelled_as_postgresql_spells_it(value: Decimal) -> None:
    unscaled = int(value.scaleb(2))
    octets = unscaled.to_bytes(8, signed=True)

    spelled = recording.spelled(
        {
            "balance": b64encode(octets).decode(),
            "active": 1,
            "changed": "2026-02-01T00:24:51.000000Z",
            "age": None,
        }
    )

    assert (
        spelled["balance"]
        == f"{'-' if unscaled < 0 else ''}{abs(unscaled) // 100}.{abs(unscaled) % 100:02}"
    )
    assert spelled == {
        "balance": spelled["balance"],
        "active": "true",
        "changed": "2026-02-01 00:24:51+00",
        "age": None,
    }


def test_a_score_counts_each_row_once() -> None:
    assert judge({1: "a", 2: "b", 3: "c"}, {1: "a", 2: "x", 4: "d"}) == Score(
        wrong=1, resurrected=1, missing=1
    )


def test_a_race_runs_in_the_order_that_the_seed_decides() -> None:
    def run(seed: int) -> list[str]:
        steps: list[str] = []

        def runner(name: str) -> Callable[[Callable[[], None]], None]:
            def go(others: Callable[[], None]) -> None:
                for _ in range(20):
                    steps.append(name)
                    others()

            return go

        race(Random(seed), [runner("a"), runner("b")])
        return steps

    assert run(1) == run(1) != run(2)
    assert Counter(run(1)) == {"a": 20, "b": 20}
    assert run(1) != sorted(run(1))


def test_a_runner_that_fails_is_heard_and_keeps_nobody_waiting() -> None:
    done: list[str] = []

    def fails(others: Callable[[], None]) -> None:
        others()
        raise ValueError("no")

    def works(others: Callable[[], None]) -> None:
        for _ in range(5):
            others()
        done.append("all")

    with pytest.raises(ValueError, match="no"):
        race(Random(1), [fails, works])
    assert done == ["all"]


BLOCKS = st.one_of(
    st.builds(Text, st.text("abc `", max_size=400)),
    st.builds(
        lambda rows: Table(("one", "two", "three"), rows),
        st.lists(
            st.tuples(
                *[st.builds(Cell, st.text("ab c", max_size=90), st.sampled_from(["", "bad"]))] * 3
            ),
            max_size=4,
        ),
    ),
    st.builds(
        lambda lines: Quote(lines, "somebody"),
        st.lists(st.text("abc ", min_size=120, max_size=300), max_size=3),
    ),
)


@given(BLOCKS)
def test_a_terminal_is_never_asked_for_more_than_its_width(block: Text | Table | Quote) -> None:
    assert all(len(line) <= WIDTH for line in Terminal(colours=False).block(block))


def test_colours_are_used_where_they_may_be_and_only_there() -> None:
    table = Table(("a",), [[Cell("b", "bad")]])

    assert "\x1b[31mb" in "\n".join(Terminal(colours=True).block(table))
    assert "\x1b" not in "\n".join(Terminal(colours=False).block(table))
