"""Everything on the page can be seen, in light and in dark: contrast as WCAG 2 counts it."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

import anyorder.demo

STYLE = files(anyorder.demo).joinpath("style.css").read_text(encoding="utf-8")
BEFORE_DARK, _, FROM_DARK = STYLE.partition("@media (prefers-color-scheme: dark)")
COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
PALETTES = {
    "light": dict(COLOUR.findall(BEFORE_DARK)),
    "dark": dict(COLOUR.findall(FROM_DARK)),
}
READ = 4.5  # of words
SEEN = 3.0  # of what is drawn
WORDS = [
    *((ink, "paper") for ink in ("ink", "soft", "good", "bad", "held")),
    *((ink, "raised") for ink in ("ink", "soft")),
    ("bad", "bad-wash"),
    ("good", "good-wash"),
]
DRAWN = [
    *((f"dot-{kind}", "paper") for kind in ("applied", "stale", "duplicate", "other", "held")),
    *((line, "paper") for line in ("faint", "good", "bad", "held")),
]


def light_of(colour: str) -> float:
    """Relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """1 (the same) to 21 (black on white)."""
    dark, bright = sorted((light_of(one), light_of(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", sorted(PALETTES))
def test_words_can_be_read_and_what_is_drawn_can_be_seen(palette: str) -> None:
    colours = PALETTES[palette]
    asked = [*((pair, READ) for pair in WORDS), *((pair, SEEN) for pair in DRAWN)]
    found = {pair: contrast(*(colours[name] for name in pair)) for pair, _ in asked}

    assert {pair: found[pair] for pair, least in asked if found[pair] < least} == {}


def test_dark_has_every_colour_that_light_has() -> None:
    assert PALETTES["dark"].keys() == PALETTES["light"].keys()
