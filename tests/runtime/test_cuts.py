"""A batch changes nothing (rules R9): a recorded stream in one order comes to the same, however it
is cut, and each of its tables as if it were alone. A sample; `make cuts` is all."""

from __future__ import annotations

import pytest

from tests.recordings import Telling, needs_recordings
from tests.runtime.cuts import alone, by_size, differing

pytestmark = needs_recordings
SAMPLE = [
    (Telling("schema_change", "records_schema"), 4),
    (Telling("truncate", "records"), 1),
    (Telling("failover_silent", "records"), 24),
    (Telling("recreated_topic", "records"), 60),
]


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(("telling", "share"), SAMPLE, ids=str)
def test_a_recorded_stream_comes_to_the_same_in_batches_of_any_size(
    telling: Telling, share: int, order: int
) -> None:
    found = by_size(telling, order, (1, 50, 5000), share)

    assert found[1].rows
    assert differing(found) == []


@pytest.mark.parametrize(("telling", "share"), SAMPLE, ids=str)
def test_each_table_of_a_recorded_stream_comes_to_the_same_alone(
    telling: Telling, share: int
) -> None:
    (found,) = by_size(telling, 0, [500], share).values()

    assert found.rows
    assert alone(telling, found, 500, share) == []
