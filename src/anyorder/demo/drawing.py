"""The few SVG shapes that the figures are made of. Colours are classes: the page's style sheet
gives them, light and dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

WIDTH = 920  # of a figure, in its own units


def svg(height: float, label: str, parts: Iterable[str], width: float = WIDTH) -> str:
    """One drawing. `label`: what a screen reader says."""
    box = f'viewBox="0 0 {_number(width)} {_number(height)}" width="{_number(width)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def text(x: float, y: float, words: str, kind: str = "label", anchor: str = "start") -> str:
    """Words at a place; `anchor`: start, middle, end."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{_number(x)}" y="{_number(y)}" class="{kind}"{place}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<path d="M{_number(x1)} {_number(y1)}L{_number(x2)} {_number(y2)}" class="{kind}"/>'


def curve(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """From above to below, leaving and arriving upright."""
    middle = _number((y1 + y2) / 2)
    return (
        f'<path d="M{_number(x1)} {_number(y1)}C{_number(x1)} {middle} {_number(x2)} '
        f'{middle} {_number(x2)} {_number(y2)}" class="{kind}"/>'
    )


def circle(x: float, y: float, radius: float, kind: str) -> str:
    """A disc."""
    return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}" class="{kind}"/>'


def box(x: float, y: float, width: float, height: float, kind: str, radius: float = 3) -> str:
    """A rectangle with soft corners."""
    size = f'width="{_number(max(width, 0))}" height="{_number(height)}" rx="{_number(radius)}"'
    return f'<rect x="{_number(x)}" y="{_number(y)}" {size} class="{kind}"/>'


def dots(places: Iterable[tuple[float, float]], kind: str) -> str:
    """Many dots of one kind in one path: a line of no length with round ends."""
    return (
        f'<path d="{"".join(f"M{_number(x)} {_number(y)}h0" for x, y in places)}" '
        f'class="dot {kind}"/>'
    )


def polyline(places: Iterable[tuple[float, float]], kind: str) -> str:
    """A line through places."""
    return (
        f'<path d="M{"L".join(f"{_number(x)} {_number(y)}" for x, y in places)}" class="{kind}"/>'
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
