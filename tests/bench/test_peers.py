"""The workload of the comparison is as the README describes it, and `make peers` counts with it."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from bench.workload import (
    CHANGES_A_KEY,
    COLUMNS,
    Change,
    changes,
    displaced,
    in_order,
    truth,
    twinned,
    undecided,
)

from bench import peers

EVENTS = 6_000
WINDOW = EVENTS // 200


@pytest.fixture(scope="module")
def made() -> list[Change]:
    return changes(Random(1), EVENTS)


def test_a_source_tells_each_change_once_and_deletes_what_is_there(made: list[Change]) -> None:
    living: set[int] = set()
    for change in made:
        assert not change.deleted or change.key in living
        living ^= {change.key} if change.deleted or change.key not in living else set()

    assert living == truth(made).keys()
    assert len({change.seq for change in made}) == EVENTS
    assert sum(change.deleted for change in made) / EVENTS == pytest.approx(0.15, abs=0.01)
    assert len({change.key for change in made}) == pytest.approx(EVENTS / CHANGES_A_KEY, rel=0.01)
    assert all(set(change.fields) == set(COLUMNS) for change in made if not change.deleted)


def test_a_partial_update_names_some_columns_and_a_create_all() -> None:
    made, living = changes(Random(1), EVENTS, partial=True), set[int]()
    for change in made:
        if change.key not in living and not change.deleted:
            assert set(change.fields) == set(COLUMNS)
        (living.discard if change.deleted else living.add)(change.key)

    assert {len(change.fields) for change in made if not change.deleted} == {1, 2, 3}
    assert all(None not in row.values() for row in truth(made).values())


def test_a_delivery_is_displaced_by_less_than_the_window_and_a_fifth_comes_twice() -> None:
    once = displaced(Random(1), EVENTS)
    twice = displaced(Random(1), EVENTS, repeated=True)

    assert sorted(once.everything) == in_order(EVENTS).everything
    assert once.everything != in_order(EVENTS).everything
    assert max(abs(at - place) for at, place in enumerate(once.everything)) < WINDOW
    assert len(twice.everything) == EVENTS * 1.2
    assert set(twice.everything) == set(range(EVENTS))


def test_stragglers_come_after_everything_else_and_only_then() -> None:
    late = displaced(Random(1), EVENTS, repeated=True, straggling=True)

    assert len(late.stragglers) == EVENTS * 0.005
    assert not set(late.first) & set(late.stragglers)
    assert late.everything[-len(late.stragglers) :] == late.stragglers


def test_a_twin_has_the_position_of_another_and_other_content(made: list[Change]) -> None:
    mixed = twinned(Random(1), made)
    twins = [(one, other) for one, other in pairwise(mixed) if one.seq == other.seq]

    assert set(map(id, made)) <= set(map(id, mixed))
    assert len(twins) == len(mixed) - EVENTS == EVENTS / 100
    assert all(one.key == other.key for one, other in twins)
    assert all(one.fields != other.fields for one, other in twins)
    assert undecided(made) == set()
    assert 0 < len(undecided(mixed)) < len(twins)


def test_anyorder_ends_as_the_source_where_an_upsert_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert peers.main(["--events", str(EVENTS)]) == 0
    first, _, in_turn, *lines = capsys.readouterr().out.splitlines()
    *rows, tied, partial = lines

    assert first.startswith("6,000 events, 15% deletes; truth: ")
    assert in_turn.split()[-2:] == ["0/0/0", "0/0/0"]
    kept, forgotten = rows[:-1], rows[-1]
    for line in (*kept, partial):
        upsert, ours = line.split()[-2:]
        assert upsert != "0/0/0", line
        assert ours == "0/0/0", line
    assert " 0/0/" in forgotten
    assert "open question" in forgotten
    assert tied.split()[-6] != "0"
    assert tied.split()[-3] == "0"


def test_what_is_missing_is_told_to_be_asked_for() -> None:
    ours = peers.Ended({}, [1, 2, 2])

    assert peers._questions(ours, {1, 9}) == "3 open questions, 1 of the missing among them"
    assert peers._questions(ours, set()) == "3 open questions"
    assert peers._questions(peers.Ended({}, []), set()) == ""
