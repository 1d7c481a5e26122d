"""Circles in who knows whom."""

from __future__ import annotations

from collections.abc import Mapping


def circles(known: Mapping[str, set[str]]) -> list[list[str]]:
    """Each group of modules that reach each other, sorted."""
    ways = {name: reached(known, name) for name in known}
    found = {
        tuple(sorted(other for other in ways[name] if name in ways[other]))
        for name in known
        if name in ways[name]
    }
    return [list(circle) for circle in sorted(found)]


def reached(known: Mapping[str, set[str]], name: str) -> set[str]:
    """What a module knows, and what these know, and so on. Itself only if it is in a circle."""
    found: set[str] = set()
    # Ends: a name enters `found` once, and only then are its neighbours looked at.
    fresh = set(known[name])
    while fresh:
        found |= fresh
        fresh = set().union(*(known[other] for other in fresh)) - found
    return found
