"""R4 and R5: every small life of a connector, in every order and repetition of what it emitted,
ends in the source's state or is loud."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from anyorder._core.families.log_order import compare_in_epoch
from anyorder._core.position import Order
from tests.model.conftest import Report
from tests.model.connector import SCOPES, Bounds, Copies, Offsets, all_lives, copies
from tests.model.life import Tally, tally
from tests.model.store import Shared


@cache
def searched(bounds: Bounds) -> Tally:
    """Two tests may ask for one search."""
    return tally(all_lives(bounds))


@pytest.mark.parametrize("name", SCOPES)
def test_every_life_ends_in_the_source_state_or_loud(
    name: str, whole: bool, report: Report
) -> None:
    scope = SCOPES[name]
    found = searched(scope.full if whole else scope.part)

    report(**found.counts)
    assert found.wrong == 0, str(found.worst)
    assert found.loud == 0 or not scope.decides, (
        "something that decides everything was left in the quarantine"
    )


@pytest.mark.parametrize("name", [name for name, scope in SCOPES.items() if scope.settles])
def test_nothing_stays_open_where_everything_can_be_told(name: str, report: Report) -> None:
    found = searched(SCOPES[name].part)

    report(**found.counts)
    assert found.lives > 0
    assert found.open == 0


def test_only_an_incremental_read_of_a_reemitted_change_steps_back(whole: bool) -> None:
    """R5: of a run's first transaction, whose first half is null, an incremental read cannot know
    that it is older."""
    scope, shared = SCOPES["A"], Shared()
    lives = list(all_lives(scope.full if whole else scope.part))
    for life in lives:
        life.store.share(shared)
    stepped = [life for life in lives if life.search().safe and life.back]

    assert len(stepped) < len(lives) / 100
    assert all({"i"} < {change.op for change in life.changes} for life in stepped)
    assert all(
        any(change.op in "cud" and change.seq0 is None for change in life.changes)
        for life in stepped
    )


ONE_RUN, FORGETFUL = Copies(), Copies(forgets=True)
RESTARTS = [
    Copies(restarts=True, offsets=offsets, seen=seen, own_commits=own)
    for offsets in (Offsets.ONE, Offsets.NOWHERE)
    for seen in (True, False)
    for own in itertools.product((False, True), repeat=2)
]


@pytest.mark.parametrize("which", [ONE_RUN, FORGETFUL, *RESTARTS], ids=str)
def test_no_pair_of_changes_is_ordered_against_their_commits(
    which: Copies, whole: bool, report: Report
) -> None:
    """R4: exact in one run; where any copy may have lost the first half of its sequence a pair may
    be undecided, never wrong: not without offsets, nor where the meaning of seq0 has changed."""
    pairs = undecided = 0
    for events in copies((5, 3, 2) if whole else (4, 2, 1), which):
        for older, newer in itertools.combinations(events, 2):
            for a, b in itertools.product(older, newer):
                order = compare_in_epoch(b, a)
                pairs += 1
                undecided += order is Order.UNDECIDED
                assert order in (Order.NEWER, Order.UNDECIDED), (a, b)
                assert compare_in_epoch(a, b) is order.opposite
    report(pairs=pairs, undecided=undecided)
    assert pairs > 0
    assert (undecided > 0) is (which != ONE_RUN)
