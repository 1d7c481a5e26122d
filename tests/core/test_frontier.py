"""The frontier never passes what is not done, and never stays behind what is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.frontier import Frontier


@given(st.lists(st.integers(0, 200), unique=True).map(sorted), st.randoms(use_true_random=False))
def test_everything_below_the_frontier_is_done_and_the_next_one_is_not(
    offsets: list[int], chance: object
) -> None:
    frontier, left = Frontier(), list(offsets)
    for offset in offsets:
        frontier.started(offset)
    chance.shuffle(left)  # type: ignore[attr-defined]
    while left:
        frontier.done(left.pop())
        assert frontier.next == (min(left) if left else offsets[-1] + 1)


def test_gaps_in_the_offsets_hold_nothing_up() -> None:
    frontier = Frontier(next=5)
    for offset in (7, 90, 91):
        frontier.started(offset)
    frontier.done(7)

    assert frontier.next == 90


def test_an_offset_below_one_that_was_started_is_refused() -> None:
    frontier = Frontier()
    frontier.started(5)

    with pytest.raises(ValueError, match="started after"):
        frontier.started(5)
