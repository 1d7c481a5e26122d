"""R11 and R12: an operator's word is final.

Whatever else of its position comes, in any order and number, only what is newer, or another word,
moves what he chose; and he takes nothing newer away."""

from __future__ import annotations

import pytest

from tests.model.conftest import Report
from tests.model.words import Searched, histories, search_all

# letters (see words.py): events in a part, of which some histories are searched, and in the whole
SCOPES = {"PXYD": (3, 4), "PXYDF": (3, 3), "PXYDT": (3, 3), "pqPD": (3, 3)}
# the same, with contents that the store refuses for now
REFUSED = ("PBXDb", "BXD", "BpF")
LONGER = {"PXDF": 4, "PXDT": 4}


def check(found: Searched, report: Report) -> None:
    report(histories=found.histories, states=found.states)
    assert found.worst is None, str(found.worst)


@pytest.mark.parametrize("letters", SCOPES)
def test_a_word_is_final(letters: str, whole: bool, report: Report) -> None:
    part, full = SCOPES[letters]
    some = list(histories(letters, part))[::4]

    check(search_all(histories(letters, full) if whole else some), report)


@pytest.mark.parametrize("letters", REFUSED)
def test_a_word_is_final_where_the_store_refuses_a_content(
    letters: str, whole: bool, report: Report
) -> None:
    every = list(histories(letters, 3))

    check(search_all(every if whole else every[::40]), report)


@pytest.mark.parametrize("letters", LONGER)
def test_a_word_is_final_in_longer_histories(letters: str, whole: bool, report: Report) -> None:
    every = list(histories(letters, LONGER[letters]))

    check(search_all(every if whole else every[::60]), report)


def test_where_nothing_is_forgotten_the_end_is_a_function_of_the_words(
    whole: bool, report: Report
) -> None:
    every = list(histories("PXYD", 3))

    found = search_all(every if whole else every[::3], reaping=False, purging=False)

    check(found, report)
    assert found.ends > 100
    assert found.undecided == 0
