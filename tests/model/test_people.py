"""R11 and R12, through the product's own functions: two tables, a person, ties, what waits for its
parent and what the table refuses. The row is what the greatest position tells that the store takes,
or what a word chose of it; each content is listed; of one position one dispute is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model.conftest import Report
from tests.model.people import WHEN, Told, World, child, played

PART, WHOLE = 60, 4000


@pytest.mark.parametrize("when", WHEN.values(), ids=WHEN)
def test_a_person_and_two_tables_end_in_what_is_meant(
    tmp_path: Path, when: str, whole: bool, report: Report
) -> None:
    seeds = range(WHOLE if whole else PART)

    steps = sum(len(played(tmp_path / f"{seed}.db", when, seed).steps) for seed in seeds)

    report(histories=len(seeds), steps=steps)


ENDED = Told("child", 5, None)
PARENT = Told("parent", 1, {"name": "p"})
HISTORIES = {
    "dropped beside a dispute": ([PARENT, ENDED, child(5, 2, "e"), child(5, 1, "b")], True),
    "a conflict that moves the row": (
        [child(5, 2, "e"), ENDED, child(5, 1, "a"), child(5, None, "c")],
        False,
    ),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_what_is_held_alone_beside_a_dispute_is_settled_with_it(
    tmp_path: Path, history: str
) -> None:
    told, is_dropped = HISTORIES[history]
    world = World(tmp_path / "app.db", WHEN["at commit"])
    for one in told:
        world.deliver([one])
        world.check()
    if is_dropped:
        world.drop(world.entries()[0])
        world.check()

    world.check_replay()

    world.store.close()
