"""R14: a connector that restarts, loses its offsets, or begins again on another history: in the end
right, or loud; never by any clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.model.conftest import Report
from tests.model.holes import IN_TURN, MOVED, ONE, Content, Naming
from tests.model.life import Life, tally
from tests.model.runs import (
    Emitted,
    Pair,
    clocked,
    lagging,
    life_of,
    rebuilt,
    restarted,
    with_another_crash,
)
from tests.model.source import Log, final_state, histories, truncated

Lives = Iterator[Life]
# of the new server, in seconds
AHEAD = {"its clock is right": 20, "its clock is slow": -3, "its clock is far behind": -200}


class How(NamedTuple):
    """How a pair of histories is told. `crash`: one more crash, at most so many records then.
    `elsewhere`: another key's snapshot record."""

    ahead: int = 20
    crash: int = 0
    naming: Naming | None = None
    reaping: bool = False
    elsewhere: str = ""
    offsets: bool = True


def told(pairs: Iterator[Pair], how: How) -> Lives:
    for pair in pairs:
        plans = with_another_crash(pair.plan, limit=how.crash) if how.crash else [pair.plan]
        yield from (_life(pair, clocked(plan, how.ahead), how) for plan in plans)


def _life(pair: Pair, plan: Emitted, how: How) -> Life:
    if how.naming is None:
        return life_of(
            plan, pair.truth, reaping=how.reaping, elsewhere=how.elsewhere, offsets=how.offsets
        )
    contents = Content(pair.old, how.naming), Content(pair.new, how.naming, "'")
    truth = contents[1].at(len(pair.new) + 1)
    return life_of(
        plan,
        truth,
        lambda change: contents[change.history].event(change),
        columns="xy",
        reaping=how.reaping,
        elsewhere=how.elsewhere,
    )


def one_log(
    logs: Iterator[Log],
    limit: int,
    *,
    forgets: bool = False,
    reaping: bool = False,
    offsets: bool = True,
    elsewhere: str = "",
) -> Lives:
    for log in logs:
        value = final_state(log)
        for plan in restarted(log, forgets=forgets, limit=limit):
            yield life_of(
                clocked(plan, 0),
                None if value is None else {"x": value},
                reaping=reaping,
                offsets=offsets,
                elsewhere=elsewhere,
            )


def one_log_with_holes(logs: Iterator[Log], limit: int, naming: Naming) -> Lives:
    for log in logs:
        content = Content(log, naming)
        for plan in restarted(log, forgets=False, limit=limit):
            yield life_of(clocked(plan, 0), content.at(len(log) + 1), content.event, columns="xy")


RESTARTS: dict[str, Callable[[int], Lives]] = {  # the limit is of records
    "two transactions": lambda limit: one_log(histories(3, 2, 0, 0), limit),
    "the restart forgets seq0": lambda limit: one_log(histories(3, 2, 1, 0), limit, forgets=True),
    "another key's snapshot is told late": lambda limit: one_log(
        histories(3, 2, 0, 0), limit, elsewhere="1"
    ),
    "a truncate": lambda limit: one_log(
        (log for before in histories(2, 2, 0, 0) for log in truncated(before)), limit
    ),
    "holes in y": lambda limit: one_log_with_holes(histories(4, 2, 0, 0), limit, ONE),
    "holes in turn": lambda limit: one_log_with_holes(histories(4, 2, 0, 0), limit, IN_TURN),
    "a create with a hole": lambda limit: one_log_with_holes(histories(4, 2, 0, 0), limit, MOVED),
}
LOUD: dict[str, Callable[[int], Lives]] = {
    "reaping": lambda limit: one_log(histories(3, 2, 0, 1), limit - 1, reaping=True),
    "reaping, the restart forgets seq0": lambda limit: one_log(
        histories(3, 2, 1, 0), limit - 1, forgets=True, reaping=True
    ),
    "no offsets": lambda limit: one_log(histories(3, 2, 0, 1), limit - 1, offsets=False),
}


@pytest.mark.parametrize("name", RESTARTS)
def test_a_restart_ends_in_the_source_state_and_what_waited_is_settled(
    name: str, whole: bool, report: Report
) -> None:
    found = tally(RESTARTS[name](6 if whole else 4))

    report(**found.counts)
    assert found.wrong == 0, str(found.worst)
    assert found.open == 0


def test_a_change_told_again_after_an_incremental_read_may_keep_waiting(
    whole: bool, report: Report
) -> None:
    """Whether it lies before the read, in one log, or after it, in another, nothing tells but what
    comes next; the row is right."""
    found = tally(one_log(histories(3, 2, 0, 1), 5 if whole else 4))

    report(**found.counts)
    assert found.wrong == found.loud == 0, str(found.worst)
    assert found.open <= found.lives / 100


@pytest.mark.parametrize("name", LOUD)
def test_a_restart_ends_in_the_source_state_or_loud(name: str, whole: bool, report: Report) -> None:
    found = tally(LOUD[name](6 if whole else 4))

    report(**found.counts)
    assert found.wrong == 0, str(found.worst)


@pytest.mark.parametrize("clock", AHEAD)
@pytest.mark.parametrize("elsewhere", ["", "2"], ids=["", "the snapshot is known by another key"])
def test_another_history_with_the_same_positions_ends_right(
    clock: str, elsewhere: str, whole: bool, report: Report
) -> None:
    how, limit = How(AHEAD[clock], elsewhere=elsewhere), 5 if whole else 3 if elsewhere else 4
    found = tally(told(rebuilt(3 if whole else 2, 2, limit=limit), how))
    common = tally(told(lagging(3, 2, limit=limit), how))

    report(**found.counts)
    report(**common.counts)
    assert found.wrong == found.open == 0, str(found.worst)
    assert common.wrong == common.open == 0, str(common.worst)


@pytest.mark.parametrize(
    "how",
    [
        How(crash=6),
        How(naming=ONE),
        How(naming=IN_TURN),
        How(naming=IN_TURN, crash=6),
        How(reaping=True),
        How(naming=MOVED, reaping=True),
        How(offsets=False),
    ],
    ids=[
        "one more crash",
        "holes in y",
        "holes in turn",
        "holes, one more crash",
        "reaping",
        "holes and reaping",
        "no offsets",
    ],
)
def test_another_history_ends_right_or_loud(how: How, whole: bool, report: Report) -> None:
    limit = 5 if whole and not how.crash else 4 if whole else 3
    for pairs in (rebuilt(2, 2, limit=limit), lagging(3, 2, limit=limit)):
        found = tally(told(pairs, how))

        report(**found.counts)
        assert found.wrong == 0, str(found.worst)
        assert found.loud == 0 or how.reaping or not how.offsets or how.naming is MOVED


@pytest.mark.parametrize("reaping", [False, True])
def test_truncates_of_another_history_end_right_and_nobody_need_be_asked(
    reaping: bool, whole: bool, report: Report
) -> None:
    found = tally(
        told(
            rebuilt(2 if whole else 1, 2 if whole else 1, limit=4 if whole else 5, truncates=True),
            How(reaping=reaping),
        )
    )

    report(**found.counts)
    assert (found.wrong, found.loud) == (0, 0), str(found.worst)
