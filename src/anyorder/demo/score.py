"""How far a table is from its source, in three numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Rows = Mapping[int, object]


class Score(NamedTuple):
    """Rows of a table against the source's. `wrong`: both have the key, with other values.
    `resurrected`: the source has no such row any more. `missing`: only the source has it."""

    wrong: int = 0
    resurrected: int = 0
    missing: int = 0

    @property
    def total(self) -> int:
        """Rows that are not as they should be."""
        return sum(self)


def judge(rows: Rows, truth: Rows) -> Score:
    """Compare two tables by key."""
    both = rows.keys() & truth.keys()
    return Score(
        sum(rows[key] != truth[key] for key in both),
        len(rows.keys() - both),
        len(truth.keys() - both),
    )
