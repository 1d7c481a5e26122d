"""How much a reader must hold in mind at once, in the two rooms where everything is decided."""

from __future__ import annotations

from functools import cache

import pytest

from tests.house.measures import Density, is_promise, measured, narrowed
from tests.house.modules import file_of, functions, length_of, of_room, room

ROOMS = ("_core", "guard")
BRANCHES_A_LINE = {"_core": 0.40, "guard": 0.28}


@cache
def density(name: str) -> Density:
    """A room as it is at 88 columns."""
    return Density(narrowed([file_of(module) for module in of_room(name)]))


@pytest.mark.parametrize("name", ["_core", "guard"])
def test_nine_of_ten_functions_have_at_most_8_branches(name: str) -> None:
    assert density(name).ninetieth <= 8


@pytest.mark.parametrize("name", ["_core", "guard"])
def test_no_function_has_more_than_15_branches(name: str) -> None:
    assert [found for found in density(name).functions if found.complexity > 15] == []


@pytest.mark.parametrize("name", ["_core", "guard"])
def test_a_line_of_a_function_decides_little(name: str) -> None:
    assert density(name).branches_a_line <= BRANCHES_A_LINE[name]


@pytest.mark.parametrize("name", ["_core", "guard"])
def test_of_a_hundred_statements_three_hold_a_conditional_expression(name: str) -> None:
    assert density(name).conditional_expressions <= 3


@pytest.mark.parametrize("name", ["_core", "guard"])
def test_a_hundred_lines_have_six_comments(name: str) -> None:
    assert density(name).comments >= 6


@pytest.mark.parametrize("name", ["_core", "guard"])
def test_a_module_that_decides_has_at_most_300_lines(name: str) -> None:
    assert [module for module in of_room(name) if length_of(module) > 300] == []


def test_branches_are_counted_each_by_itself() -> None:
    text = '''
def f(x):
    """Not a line of it.

    Nor this.
    """
    if x and x.y or x.z:
        return [a for a in x if a if not a.b]
    for _ in x:  # a comment
        pass
    return 1 if x else 2
'''
    found = Density([text])

    assert found.functions == [("f", 9, 6)]
    assert found.branches_a_line == 1.5
    assert found.conditional_expressions == pytest.approx(100 / 7)
    assert found.comments == pytest.approx(100 / 9)


def test_every_function_of_the_two_rooms_is_counted() -> None:
    counted = sum(len(density(name).functions) for name in ROOMS)
    there = [node for name, node in functions() if room(name) in ROOMS]

    assert counted == sum(not is_promise(node) for node in there) > 100
    assert all(measured(node).lines > 0 for _, node in functions())
