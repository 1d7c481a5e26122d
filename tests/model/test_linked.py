"""Waiting across two tables: whatever the order, the duplicates, the batches and the crashes, the
rows end as the source's, and nothing is held any more."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from tests.model.linked import AT_COMMIT, AT_ONCE, CASCADE, SET_NULL, Source, cut, delivered

HISTORIES, ORDERS = 12, 3
WHEN = {
    "at once": AT_ONCE,
    "at commit": AT_COMMIT,
    "cascade": CASCADE,
    "set null": SET_NULL,
}


@pytest.mark.parametrize("when", WHEN.values(), ids=WHEN)
@pytest.mark.parametrize("crashes", [0, 2])
def test_any_delivery_of_a_history_of_two_tables_ends_in_its_rows(
    tmp_path: Path, when: str, crashes: int
) -> None:
    for history in range(HISTORIES):
        chance = random.Random(f"{history} {when}")
        source = Source(chance, when)
        while len(source.told) < 9:
            source.step()
        for order in range(ORDERS):
            told = source.told + chance.sample(source.told, 3)
            chance.shuffle(told)
            batches = list(cut(told, chance))
            path = tmp_path / f"{history}-{order}.db"
            ended = delivered(path, when, batches, crashes)
            assert (ended.rows, ended.open) == (source.rows, 0), (history, order, batches)
            assert ended.read == ended.counted


@pytest.mark.parametrize("when", WHEN.values(), ids=WHEN)
def test_every_order_of_a_short_history_of_two_tables_ends_in_its_rows(
    tmp_path: Path, when: str
) -> None:
    source = Source(random.Random(5), when)
    while len(source.told) < 4:
        source.step()
    for number, order in enumerate(itertools.permutations(source.told)):
        for name, batches in (("one", [order]), ("each", [[one] for one in order])):
            ended = delivered(tmp_path / f"{number}-{name}.db", when, batches, 0)
            assert (ended.rows, ended.open) == (source.rows, 0), batches
