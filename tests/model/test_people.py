"""R11 and R12, through the product's own functions: two tables, a person, ties, what waits for its
parent and what the table refuses. The row is what the greatest position tells that the store takes,
or what a word chose of it; each content is listed; of one position one dispute is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model.conftest import Report
from tests.model.people import WHEN, played

PART, WHOLE = 60, 4000


@pytest.mark.parametrize("when", WHEN.values(), ids=WHEN)
def test_a_person_and_two_tables_end_in_what_is_meant(
    tmp_path: Path, when: str, whole: bool, report: Report
) -> None:
    seeds = range(WHOLE if whole else PART)

    steps = sum(len(played(tmp_path / f"{seed}.db", when, seed).steps) for seed in seeds)

    report(histories=len(seeds), steps=steps)
