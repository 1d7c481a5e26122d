"""R6, R11, R13: a hint only waits, an operator's word is remembered, a row read again is exact, a
history that starts again is noticed."""

from __future__ import annotations

import itertools

import pytest

from tests.model.accepting import Accepting
from tests.model.conftest import Report
from tests.model.life import tally
from tests.model.settling import alarms, lives_with_a_read, lives_with_hints, restarts

BOUNDS = (3, 2, 0, 0)


@pytest.mark.parametrize("reaping", [False, True])
def test_hints_change_nothing_and_are_settled(reaping: bool, whole: bool, report: Report) -> None:
    found = tally(lives_with_hints(BOUNDS, 7 if whole else 6, reaping=reaping))

    report(**found.counts)
    assert found.wrong == 0, str(found.worst)
    assert reaping or found.open == 0


@pytest.mark.parametrize("reaping", [False, True])
def test_a_hint_whose_delete_was_compacted_away_keeps_waiting_or_the_row_is_right(
    reaping: bool, whole: bool, report: Report
) -> None:
    found = tally(lives_with_hints(BOUNDS, 7 if whole else 6, lose_a_delete=True, reaping=reaping))

    report(**found.counts)
    assert found.wrong == 0, str(found.worst)
    assert found.loud > 0


@pytest.mark.parametrize("reaping", [False, True])
def test_a_row_read_again_under_a_lock_is_exact(reaping: bool, whole: bool, report: Report) -> None:
    found = tally(lives_with_a_read(BOUNDS, 5 if whole else 4, "for share", reaping=reaping))

    report(**found.counts)
    assert found.wrong == found.loud == 0, str(found.worst)


@pytest.mark.parametrize("lock", ["for key share", "no lock"])
def test_a_row_read_without_waiting_for_updates_is_not(lock: str) -> None:
    found = tally(lives_with_a_read(BOUNDS, 4, lock))

    assert found.worst is not None
    assert found.worst.trace is not None
    assert len(found.worst.trace) == 3


@pytest.mark.parametrize("family", ["log", "version"])
@pytest.mark.parametrize(
    ("letters", "part", "full"), [("PD", 4, 5), ("PXYD", 3, 4), ("CNXPD", 3, 4)]
)
def test_an_accepted_put_never_washes_off_its_mark(
    family: str, letters: str, part: int, full: int, whole: bool, report: Report
) -> None:
    histories = states = 0
    for length in range(1, (full if whole else part) + 1):
        for history in itertools.product(letters, repeat=length):
            found = Accepting(family, history).search()
            histories, states = histories + 1, states + found.states
            assert found.safe, (history, str(found))
    report(histories=histories, states=states)


@pytest.mark.parametrize("margin", [0, 2])
def test_a_healthy_stream_never_alarms(margin: int, whole: bool, report: Report) -> None:
    pairs, suspected = alarms((5, 3, 2) if whole else (4, 2, 1), margin)

    report(pairs=pairs)
    assert pairs > 0
    assert suspected == 0


@pytest.mark.parametrize("margin", [0, 1, 2, 3])
@pytest.mark.parametrize("first", [8, 12])
def test_a_history_that_starts_again_is_never_silently_stale(
    margin: int, first: int, whole: bool, report: Report
) -> None:
    judged, silent = restarts(margin, first, 6 if whole else 5)

    report(judged=judged)
    assert judged > 0 or first == 8
    assert silent == 0
