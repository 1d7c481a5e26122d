"""R9: a batch changes nothing, whatever the rules leave to arrival: hints (R6), creates without
evidence (R4), runs that nothing has parted yet (R14), truncates (R10), contents that the store
refuses."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families.postgres_log import LogPosition
from anyorder._core.fold import Limits
from tests.model.books import cuts
from tests.model.conftest import Report
from tests.model.refusing import KEY, SPEC, play

TOLD = {
    # kind, op, lsn, seq0, partition, offset, run
    "create without evidence": (Kind.PUT, "c", 10, None, "0", 0, "1"),
    "update": (Kind.PUT, "u", 20, 15, "0", 1, "1"),
    "delete": (Kind.DELETE, "d", 30, 25, "0", 2, "1"),
    "hint": (Kind.HINT, "h", 0, None, "0", 3, "1"),
    "truncate": (Kind.TRUNCATE, "t", 35, 33, "0", 4, "1"),
    "create in another partition": (Kind.PUT, "c", 40, 36, "1", 0, "1"),
    "update in another partition": (Kind.PUT, "u", 50, 45, "1", 1, "1"),
    "update of another run": (Kind.PUT, "u", 22, 15, "0", 5, "2"),
}

WITHOUT_EVIDENCE = ("create without evidence", "update of another run")
PROVED = ("update", "create in another partition", "update in another partition")


def _event(place: int, name: str) -> Event:
    kind, op, lsn, seq0, partition, offset, run = TOLD[name]
    position = LogPosition("pg", lsn, op, seq0, lsn, partition, offset, run, lsn)
    fields = {"x": name} if kind is Kind.PUT else None
    key = None if kind is Kind.TRUNCATE else KEY
    delivery = Delivery(offset=place, value=b"")
    return Event(kind, SPEC.name, key, position, fields, creates=op == "c", delivery=delivery)


def _searched(names: Sequence[str], refused: frozenset[object], length: int) -> int:
    """Every order of so many of these events, in every cut; how many runs that were."""
    events = [_event(place, name) for place, name in enumerate(names)]
    runs = 0
    for order in itertools.permutations(range(len(events)), length):
        ends = set()
        for parts in cuts(length):
            runs += 1
            ends.add(play(events, refused, order, parts, Limits()))
        assert len(ends) == 1, (refused, [names[place] for place in order])
    return runs


def test_what_arrived_in_one_order_comes_to_the_same_in_every_cut(
    whole: bool, report: Report
) -> None:
    runs = _searched(list(TOLD), frozenset(), 4 if whole else 3)

    report(runs=runs)


@pytest.mark.parametrize("refused", PROVED)
def test_so_it_does_where_the_store_refuses_a_content(
    refused: str, whole: bool, report: Report
) -> None:
    """A content that passes inside a batch is never asked of the store, so that it would have been
    refused counts only where nothing else tells which is newer."""
    names = [name for name in TOLD if name not in WITHOUT_EVIDENCE]

    runs = _searched(names, frozenset({refused}), 4 if whole else 3)

    report(runs=runs)
