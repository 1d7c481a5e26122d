"""R8 inside R5: rows with holes in a connector's life end right, or marked incomplete with right
values, or loud."""

from __future__ import annotations

import pytest

from tests.model.conftest import Report
from tests.model.connector import Bounds
from tests.model.holes import IN_TURN, MOVED, ONE, Naming, all_lives
from tests.model.life import tally

SCOPES = {  # a part, the whole
    "A": (Bounds((3, 2, 0, 1), 4), Bounds((3, 2, 0, 1), 6)),
    "B": (Bounds((3, 2, 0, 0), 5, lost=True), Bounds((3, 2, 0, 0), 6, lost=True)),
    "D": (Bounds((3, 2, 1, 0), 4, forgets=True), Bounds((3, 2, 1, 0), 5, forgets=True)),
    "E": (Bounds((4, 2, 0, 0), 4, lost=True), Bounds((4, 3, 0, 0), 5, lost=True)),
    "A, reaping": (Bounds((4, 2, 0, 0), 4, reaping=True), Bounds((4, 2, 0, 0), 5, reaping=True)),
    "B, reaping": (
        Bounds((4, 2, 0, 0), 4, lost=True, reaping=True),
        Bounds((4, 2, 0, 0), 5, lost=True, reaping=True),
    ),
}


@pytest.mark.parametrize(
    "naming", [ONE, IN_TURN, MOVED], ids=["x", "x or y", "x or y, a create with a hole"]
)
@pytest.mark.parametrize("name", SCOPES)
def test_every_life_ends_in_the_source_state_or_loud(
    name: str, naming: Naming, whole: bool, report: Report
) -> None:
    part, full = SCOPES[name]
    found = tally(all_lives(full if whole else part, naming))

    report(**found.counts)
    assert found.wrong == 0, str(found.worst)
    assert found.loud == 0 or part.reaping or naming is MOVED, (
        "a hole was left that some event had told"
    )
