"""The drawing of how a delivery is decided names every reason, in the shape of its outcome."""

from __future__ import annotations

import re

import pytest

from anyorder._core.outcome import Outcome, Reason, outcome_of
from tests.docs.pages import ROOT, blocks, read

PAGE = ROOT / "docs" / "explanation" / "decisions.md"
SHAPES = {
    Outcome.APPLIED: r"\(\[{}\]\)",
    Outcome.IGNORED: r"(?<!\[)\[{}\](?!\])",
    Outcome.QUARANTINED: r"\[\[{}\]\]",
}


def drawing() -> str:
    return next(block.text for block in blocks(PAGE) if block.language == "mermaid")


@pytest.mark.parametrize("reason", list(Reason))
def test_the_drawing_ends_in_every_reason_in_the_shape_of_its_outcome(reason: Reason) -> None:
    shape = SHAPES[outcome_of(reason)].format(reason.value)

    assert re.search(rf"(?<!\w){reason.value}{shape}", drawing()), (
        f"{reason} is not drawn as {outcome_of(reason)}"
    )


def test_the_drawing_has_no_end_that_is_no_reason() -> None:
    ends = set(re.findall(r"(?<!\w)(\w+)\[\[?(\w+)\]\]?", drawing()))

    assert {name for name, text in ends} <= {reason.value for reason in Reason}
    assert all(name == text for name, text in ends)


def test_the_code_that_decides_is_where_and_as_long_as_the_page_says() -> None:
    """The lines within a tenth; every module that is named is there."""
    told = read(PAGE).rpartition("\nThe code: ")[2]
    house = ROOT / "src" / "anyorder"
    named = [house / name for name in re.findall(r"`((?:_core|guard)/\w+\.py)`", told)]
    lines = {path: len(read(path).splitlines()) for path in named}
    deciding = sum(found for path, found in lines.items() if path.parent.name == "_core")
    (said,) = re.findall(r"About (\d+) lines without IO", told)

    assert len(named) > 4
    assert abs(int(said) - deciding) <= deciding / 10


@pytest.mark.parametrize("reason", list(Reason))
def test_the_page_for_the_night_tells_what_to_do_about_every_reason(reason: Reason) -> None:
    assert f"| `{reason.value}` |" in read(ROOT / "docs" / "how-to" / "read-a-page-at-3am.md")
