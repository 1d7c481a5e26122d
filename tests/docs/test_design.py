"""The plan of the house shows the house as it is."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, blocks

DESIGN = ROOT / "docs" / "explanation" / "design.md"
UNSHOWN = {"__main__.py"}


def rooms() -> set[str]:
    """The names below src/anyorder that the plan shows."""
    tree = next(block.text for block in blocks(DESIGN) if block.text.startswith("src/anyorder/"))
    return set(re.findall(r"^  ([\w.]+)/?", tree, re.MULTILINE))


def test_every_room_is_on_the_plan_and_every_room_on_the_plan_is_there() -> None:
    house = ROOT / "src" / "anyorder"
    there = {
        path.name for path in house.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))
    }

    assert rooms() == there - UNSHOWN
