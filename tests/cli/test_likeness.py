"""Details are alike if only keys, numbers or contents tell them apart, and stay apart where names
do."""

from __future__ import annotations

import pytest

from anyorder.cli.acts.likeness import MOST_APART, patterns, without_values
from anyorder.cli.acts.selection import Pattern


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("UNIQUE constraint: row 17", "UNIQUE constraint: row 4"),
        ("at 0/16B3F80", "at 0/16B4000"),
        ("since 2026-11-27T10:00:00Z", "since 2026-11-28T11:22:33Z"),
        ("the other content: {'x'}", "the other content: {'x'}"),
        ('the other content: {"a": 1}', 'the other content: {"a": [2, {"b": "}"}]}'),
        ("run 01a20ada-bb63-7c1b-84bb-f2b31e0887b3", "run 11a20ada-bb63-7c1b-84bb-f2b31e0887b4"),
        ("-1.5e3 is too much", "17 is too much"),
    ],
)
def test_numbers_and_contents_are_left_out(one: str, another: str) -> None:
    assert without_values(one, None) == without_values(another, None)


def test_the_values_of_the_key_are_left_out() -> None:
    one = without_values("waits for 'ana' of de", {"name": "ana", "land": "de"})
    another = without_values("waits for 'ben' of at", {"name": "ben", "land": "at"})

    assert one == another == "waits for '*' of *"
    assert without_values("bandana of land", {"name": "ana"}) == "bandana of land"


def test_names_stay_apart_until_there_are_many_of_them() -> None:
    few = [f"no [[table]] takes 'topic {name}'" for name in "abc"]
    many = [f"the value '{name}' is too long" for name in "abcdefghijk"]

    found = patterns([*few, *many])

    assert len(many) > MOST_APART >= len(few)
    assert [found[one] for one in few] == few
    assert {found[one] for one in many} == {"the value '*' is too long"}


@pytest.mark.parametrize("detail", ["no [[table]] takes a", "row 17 of {users} (line 3)", "50 %"])
def test_a_pattern_of_the_summary_is_one_that_the_filter_takes(detail: str) -> None:
    assert Pattern(without_values(detail, None)).fits(detail)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("no [[table]]*", True),
        ("*a", True),
        ("no [[table]]", False),
        ("?o *", True),
        ("n*A", False),
    ],
)
def test_a_star_is_anything_and_a_question_mark_one_character(pattern: str, fits: bool) -> None:
    assert Pattern(pattern).fits("no [[table]] takes a") is fits
