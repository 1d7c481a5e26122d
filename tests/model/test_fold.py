"""FOLD (rules R8, R10, R3): whatever the order, repetition, batching and reaping, every row is the
in-order fold of what was accepted."""

from __future__ import annotations

import pytest

from tests.model.conftest import Report
from tests.model.histories import FAMILIES
from tests.model.table import search_all

TWO_KEYS = ("aP", "aX", "aD", "bP", "bX", "bY", "bD", "M", "m", "T")
MOVES = ("aP", "aX", "aD", "bP", "bD", "M")
# letters (see histories.py): length in a part, in the whole; columns; batches of up to so many
# events
SCOPES = {
    "whole puts, holes, deletes": ("PXYD", 4, 6, "xy", 1),
    "the same in batches": ("PXYD", 3, 4, "xy", 3),
    "truncates": ("PXYDT", 3, 5, "xy", 1),
    "creates after lost deletes": ("CNPXYD", 3, 4, "xy", 2),
    "creates and truncates": ("CNXYDT", 3, 4, "xy", 2),
    "partial puts": ("PXYpqD", 3, 4, "xyz", 2),
    "partial puts and truncates": ("pqPXDT", 3, 4, "xyz", 2),
    "two keys, key moves at one position": (TWO_KEYS, 2, 3, "xy", 1),
    "two keys, longer": (MOVES, 3, 5, "xy", 1),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", SCOPES)
def test_every_row_is_the_fold_of_what_was_accepted(
    name: str, family: str, whole: bool, report: Report
) -> None:
    letters, part, full, columns, batch = SCOPES[name]
    length = full if whole else part - (family != FAMILIES[0] and batch > 1)

    histories, states, found = search_all(family, letters, length, columns=columns, batch=batch)

    report(histories=histories, states=states)
    assert found is None, str(found)


@pytest.mark.parametrize("letters", ["PXYD", "PXYpqD", "CNPXD"])
def test_a_batch_writes_the_same_row_whatever_order_it_is_folded_in(
    letters: str, whole: bool, report: Report
) -> None:
    histories, states, found = search_all(
        "log", letters, 4 if whole else 3, columns="xyz", batch=3 if whole else 2
    )

    report(histories=histories, states=states)
    assert found is None, str(found)
