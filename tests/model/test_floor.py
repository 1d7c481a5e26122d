"""R3: floors of one family of clocks, by scope and epoch. Nothing that may be dead fills an empty
slot; where nothing can tell, it is said."""

from __future__ import annotations

import pytest

from anyorder._core.event import Kind
from anyorder._core.families import Position
from tests.model.conftest import Report
from tests.model.scopes import DELETE, PUT, Stream, kafka, log, version

FOUR = [(PUT, kafka(0, 1)), (DELETE, kafka(0, 2)), (PUT, kafka(0, 3)), (DELETE, kafka(0, 4))]
# the topic got a partition, and the key moved to it
MOVED = [(PUT, kafka(0, 5)), (DELETE, kafka(1, 1))]
LAYOUTS = [
    (PUT, kafka(0, 5)),
    (DELETE, kafka(0, 6)),
    (PUT, kafka(1, 1, epoch=1)),
    (DELETE, kafka(1, 2, epoch=1)),
]
BACK = [
    (PUT, kafka(1, 5)),
    (DELETE, kafka(0, 1, epoch=1)),
    (PUT, kafka(0, 2, epoch=1)),
    (DELETE, kafka(1, 0, epoch=2)),
]
MIXED: list[tuple[Kind, Position]] = [
    (PUT, log("c", 10, 1)),
    (DELETE, log("d", 20, 2)),
    (PUT, kafka(0, 3)),
    (DELETE, log("d", 30, 4)),
]
# old changes at new offsets
AGAIN = [(PUT, log("c", 10, 9)), (DELETE, log("d", 20, 2)), (DELETE, log("d", 20, 10))]
BLIND = [
    (PUT, kafka(0, 1, topic="a")),
    (DELETE, kafka(0, 1, topic="b")),
    (PUT, kafka(0, 2, topic="b")),
]
# two servers' coordinates are unrelated
SERVERS = [(PUT, version(2, "B")), (DELETE, version(3, "A"))]
STREAMS = {
    "keys stay in their partition": Stream(FOUR, [kafka(1, 9)], partitions=2),
    "the partition count is not declared": Stream(FOUR, [kafka(1, 9)]),
    "a partition more, nothing declared": Stream(MOVED),
    "a partition more than declared": Stream(MOVED, partitions=1),
    "a partition more than declared, others reaped": Stream(MOVED, [kafka(1, 0)], partitions=1),
    "declared layouts": Stream(LAYOUTS, [kafka(0, 3), kafka(1, 0, epoch=1)], partitions=2),
    "three declared layouts": Stream(BACK, partitions=2),
    "a record without the log clock": Stream(MIXED, partitions=1),
    "a record without the log clock, both reaped": Stream(
        MIXED, [kafka(0, 0), log("d", 5, 0)], partitions=1
    ),
    "old changes emitted again": Stream(AGAIN),
    "two clocks that share nothing": Stream(BLIND, partitions=1),
    "two clocks that share nothing, both reaped": Stream(
        BLIND, [kafka(0, 0, topic="a")], partitions=1
    ),
    "two servers, both reaped": Stream(SERVERS, [version(1, "B")]),
}


@pytest.mark.parametrize("name", STREAMS)
def test_nothing_dead_fills_an_empty_slot(name: str, report: Report) -> None:
    found = STREAMS[name].search()

    report(states=found.states)
    assert found.safe, str(found)


def test_a_partition_count_that_is_not_declared_again_resurrects() -> None:
    """No record tells that a key moved to an old partition (rules R3): the declared count must be
    true."""
    found = Stream(MOVED, [kafka(1, 0)], partitions=2).search()

    assert found.trace is not None
    assert len(found.trace) == 3
