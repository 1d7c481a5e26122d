"""A clock that starts again is noticed over any number of batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import anyorder
from tests.streams import record
from tests.table.test_table import later_by

FAR = 1_000_000


@pytest.fixture
def table(tmp_path: Path) -> anyorder.Table:
    return anyorder.table(f"sqlite:///{tmp_path}/app.db", "users", key="id")


def told(key: int, lsn: int, wait: int) -> dict[str, Any]:
    """`wait`: seconds later than its place in the log says."""
    return later_by(record(key, "u", lsn, after={"id": key}), wait)


def test_what_comes_an_hour_later_and_far_below_is_suspected_in_a_later_batch_too(
    table: anyorder.Table,
) -> None:
    table.apply([told(1, FAR, 0), told(2, 2 * FAR, 0)])
    first = table.apply([told(3, 10, 10 * 3600)])
    second = table.apply([told(4, 20, 10 * 3600)])

    assert (first.quarantined, second.quarantined) == (
        {"suspected_reset": 1},
        {"suspected_reset": 1},
    )


def test_what_comes_late_with_its_own_early_time_is_not_suspected(table: anyorder.Table) -> None:
    table.apply([told(1, FAR, 0), told(2, 2 * FAR, 0)])

    assert table.apply([told(3, 10, 0)]).applied == 1
