"""R13: a key whose versions start again is never silently stale, and no straggler of a life that
has ended comes back."""

from __future__ import annotations

import pytest

from tests.model.conftest import Report
from tests.model.lives import MARGIN, MORE_LIVES, ONE_LIFE, TWO_LIVES, Lives, Plan, lives
from tests.model.store import Shared

ALL_LIVES = TWO_LIVES + MORE_LIVES


def searched(plans: tuple[Plan, ...], gap: int, skew: int, *, informed: bool) -> dict[str, int]:
    """Search every history, until one is wrong. How many there were."""
    histories = states = 0
    shared = Shared()
    for told in lives(plans, gap, skew):
        shared = shared.or_fresh()
        found = Lives(told, informed=informed, shared=shared).search()
        histories, states = histories + 1, states + found.states
        assert found.safe, ([one.label for one in told], str(found))
    return {"histories": histories, "states": states}


@pytest.mark.parametrize("skew", [0, MARGIN, MARGIN + 1])
def test_one_life_alone_is_never_suspected(skew: int, whole: bool, report: Report) -> None:
    report(**searched(ONE_LIFE if whole else ONE_LIFE[:2], 1, skew, informed=True))


@pytest.mark.parametrize("skew", [MARGIN, MARGIN + 2])
def test_a_wrong_word_brings_back_no_other_straggler_of_one_life(
    skew: int, whole: bool, report: Report
) -> None:
    report(**searched(ONE_LIFE[1:] if whole else ONE_LIFE[1:2], 1, skew, informed=False))


@pytest.mark.parametrize("skew", [0, MARGIN])
@pytest.mark.parametrize("far", [False, True])
def test_another_life_is_never_silently_stale(
    skew: int, far: bool, whole: bool, report: Report
) -> None:
    """As soon as the time between two lives is more than the margin and the clocks differ by."""
    plans = ALL_LIVES if whole or skew == 0 else TWO_LIVES[:1]
    report(**searched(plans, 40 if far else MARGIN + skew + 1, skew, informed=True))


@pytest.mark.parametrize("skew", [0, MARGIN, MARGIN + 2])
def test_a_wrong_word_brings_back_no_other_straggler_of_an_earlier_life(
    skew: int, whole: bool, report: Report
) -> None:
    plans = ALL_LIVES if whole or skew == 0 else TWO_LIVES[:1]
    report(**searched(plans, 40, skew, informed=False))
