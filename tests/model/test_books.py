"""R9 and R12: a batch changes nothing, and neither does arrival: one state and one quarantine for
every order, cut and repetition."""

from __future__ import annotations

import itertools

import pytest

from tests.model.books import cuts, limits_at, plateaus, search_all
from tests.model.conftest import Report
from tests.model.histories import FAMILIES, told
from tests.model.refusing import delivered, play

REFUSED = {"B": "P", "b": "X"}  # puts whose contents the store does not take


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("letters", ["PXYD", "CNPXYD", "PXYpqD"])
@pytest.mark.parametrize("again", [False, True])
def test_every_order_and_every_batching_ends_in_one_state(
    family: str, letters: str, again: bool, whole: bool, report: Report
) -> None:
    length = (
        4
        if whole and letters == "PXYD"
        else 3
        if whole or (letters == "PXYD" and family == "version")
        else 2
    )

    histories, states, found = search_all(
        family, letters, length, again=again, columns="xyz" if "p" in letters else "xy"
    )

    report(histories=histories, states=states)
    assert found is None, str(found)


@pytest.mark.parametrize(
    ("letters", "part", "full", "again", "columns"),
    [
        ("PXYD", 2, 3, True, "xy"),
        ("PXYDC", 2, 3, True, "xy"),
        ("PXpqD", 2, 3, True, "xyz"),
        ("PXD", 3, 4, False, "xy"),
    ],
)
def test_a_tie_is_a_function_of_the_events(
    letters: str, part: int, full: int, again: bool, columns: str, whole: bool, report: Report
) -> None:
    histories, states, found = search_all(
        "version", letters, full if whole else part, ties=True, again=again, columns=columns
    )

    report(histories=histories, states=states)
    assert found is None, str(found)


@pytest.mark.parametrize(("letters", "ties"), [("PXYDBb", False), ("PXDBb", True)])
def test_what_the_store_refuses_releases_nobody(
    letters: str, ties: bool, whole: bool, report: Report
) -> None:
    length, histories, runs = 3 if whole else 2, 0, 0
    for history in itertools.product(letters, repeat=length):
        for positions in plateaus(length, ties):
            known = told("version", [REFUSED.get(letter, letter) for letter in history], positions)
            events = delivered(known)
            refused = frozenset(
                value
                for letter, one in zip(history, known, strict=True)
                if letter in REFUSED
                for value in (one.event.fields or {}).values()
            )
            for floor in range(1 if ties else length):
                histories += 1
                ends = set()
                for order in itertools.permutations(range(length)):
                    for parts in cuts(length):
                        runs += 1
                        ends.add(play(events, refused, order, parts, limits_at("version", floor)))
                assert len(ends) == 1, (history, positions, floor, ends)
    report(histories=histories, runs=runs)
