"""What each act claims, held against what it counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from random import Random

import pytest

from anyorder._core.outcome import Reason
from anyorder.demo import recording
from anyorder.demo.acts import ACTS, SEED, overtaken, recorded, retention, together
from anyorder.demo.acts.recorded import Played
from anyorder.demo.acts.together import Moment, overwrites
from anyorder.demo.blocks import Act, Figure, Table
from anyorder.demo.bus import unordered
from anyorder.demo.score import Score, judge
from tests.demo.conftest import Play


@pytest.fixture(scope="module")
def acts(play: Play) -> Mapping[int, Act]:
    return {number: play(number).act for number in ACTS}


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    records = recording.deliveries()
    found = recorded.play(records, unordered(len(records), Random(SEED)))
    yield found
    found.guarded.close()


@pytest.mark.parametrize("number", sorted(ACTS))
def test_anyorder_has_nothing_wrong_and_nothing_resurrected(
    acts: Mapping[int, Act], number: int
) -> None:
    ours = [score for name, score in acts[number].scores.items() if name.startswith("anyorder")]

    assert ours
    assert all(score.wrong == score.resurrected == 0 for score in ours)


@pytest.mark.parametrize("number", sorted(set(ACTS) - {5}))
def test_anyorder_has_nothing_missing_where_nothing_is_held_in_the_end(
    acts: Mapping[int, Act], number: int
) -> None:
    assert all(
        score.missing == 0
        for name, score in acts[number].scores.items()
        if name.startswith("anyorder")
    )


@pytest.mark.parametrize(
    ("number", "contender"),
    [
        (1, "upsert"),
        (2, "upsert, on this bus"),
        (3, "upsert, two at once"),
        (3, "compare, then write; two at once"),
        (4, "a mailer with a TTL"),
        (5, "TTL, 0"),
        (5, "TTL, 1 h"),
        (5, "TTL, 48 h"),
    ],
)
def test_the_usual_way_goes_wrong_in_its_act(
    acts: Mapping[int, Act], number: int, contender: str
) -> None:
    assert acts[number].scores[contender].total > 0


@pytest.mark.parametrize(
    ("number", "contender"),
    [(2, "upsert, in order, each once"), (3, "compare, then write; alone"), (5, "TTL, for ever")],
)
def test_the_usual_way_is_right_while_its_condition_holds(
    acts: Mapping[int, Act], number: int, contender: str
) -> None:
    assert acts[number].scores[contender] == Score(0, 0, 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_with_any_seed_anyorder_is_right(seed: int, play: Play) -> None:
    for number in (2, 3):
        ours = [
            score
            for name, score in play(number, seed).act.scores.items()
            if name.startswith("anyorder")
        ]
        assert ours == [Score(0, 0, 0)] * len(ours) != []


@pytest.mark.parametrize("number", sorted(ACTS))
def test_the_counted_scores_are_what_the_tables_show(acts: Mapping[int, Act], number: int) -> None:
    found = acts[number]
    cells = [
        str(getattr(cell, "text", cell))
        for block in found.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]

    if number not in (4, 5):
        assert all(name in cells for name in found.scores)
    assert found.usual
    assert found.ours
    assert number == 3 or any(isinstance(block, Figure) for block in found.blocks)


def test_the_lives_of_the_first_act_are_every_order_with_every_repetition() -> None:
    lives = list(overtaken.every_life())

    assert len({tuple(life.arrivals) for life in lives}) == len(lives) == 6 * 3 + 24 * 4
    assert all(set(life.arrivals) == set(range(4 if life.returns else 3)) for life in lives)


def test_what_the_second_act_read_is_applied_or_ignored_or_quarantined_and_nothing_stays_open(
    played: Played,
) -> None:
    outcomes = Counter(step.decision.outcome.value for step in played.steps)
    report = played.guarded.report

    assert report.read == len(played.steps) == outcomes.total()
    assert (report.applied, report.ignored.total(), report.quarantined.total()) == (
        outcomes["applied"],
        outcomes["ignored"],
        outcomes["quarantined"],
    )
    assert report.quarantined.total() == report.settled.total() > 0
    assert played.guarded.held() == []


def test_a_change_that_comes_again_is_never_applied_again(played: Played) -> None:
    met: set[int] = set()
    again = []
    for step in played.steps:
        again += (
            [step.decision.reason]
            if step.place in met and played.records[step.place].value is not None
            else []
        )
        met.add(step.place)

    assert len(again) > 100
    assert set(again) == {Reason.DUPLICATE, Reason.STALE}


def test_the_story_shows_for_anyorder_what_the_order_of_events_demands_after_every_delivery(
    played: Played,
) -> None:
    tales = [recorded.told(played, key) for key in {step.key for step in played.steps}]
    tale = recorded.told(played, recorded.chosen(played, recording.truth()))

    assert all(all(tale.guarded.right) for tale in tales)
    assert not tale.upsert.right[-1]
    assert any(step.decision.reason is Reason.STALE for step in tale.steps)


def test_the_recording_in_order_ends_in_the_rows_of_its_source() -> None:
    truth = recording.truth()
    records = recording.deliveries()
    played = recorded.play(records, range(len(records)))
    with closing(played.guarded) as guarded:
        assert len(truth) > 50
        assert (
            judge(played.upsert, truth)
            == judge(recorded.spelled(guarded.rows()), truth)
            == Score(0, 0, 0)
        )


def test_an_overwrite_is_found_with_what_both_consumers_read() -> None:
    reads = [Moment(0, "reads", 7, 10), Moment(1, "reads", 7, 10)]
    writes = [Moment(0, "writes", 7, 30), Moment(1, "writes", 7, 20)]
    healed = [Moment(0, "reads", 7, 20), Moment(0, "writes", 7, 40)]

    assert [(found.steps, found.lasting) for found in overwrites([*reads, *writes])] == [
        ([*reads, *writes], True)
    ]
    assert [found.lasting for found in overwrites([*reads, *writes, *healed])] == [False]
    assert overwrites([*reads, writes[1], writes[0]]) == []


def test_the_naive_race_is_the_same_race_each_time(play: Play) -> None:
    first, second = play(3).act, together.act(SEED)

    assert first == second
    assert any(isinstance(block, Table) and "reads" in str(block.rows) for block in first.blocks)


def test_a_longer_retention_keeps_more_and_asks_less_and_a_floor_never_resurrects(
    play: Play,
) -> None:
    ends = play(5).endings
    kept, resurrected, asked = (
        [end.kept for end in ends],
        [end.expiring.resurrected for end in ends],
        [end.open for end in ends],
    )

    assert len(ends) == len(retention.RETENTIONS)
    assert kept == sorted(set(kept))
    assert resurrected == sorted(set(resurrected), reverse=True)
    assert asked == sorted(set(asked), reverse=True)
    assert resurrected[-1] == asked[-1] == 0
    assert all(end.unexplained == 0 for end in ends)
    assert sum(end.guarded.missing for end in ends) > 0
