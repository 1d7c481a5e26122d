"""Durations as people write them: `"48h"`, `"forever"`, or seconds."""

from __future__ import annotations

import re

from anyorder.errors import ConfigurationError

FOREVER = "forever"
UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)", re.ASCII)


def seconds(duration: str | float | None) -> float | None:
    """Seconds of `"30s"`, `"15m"`, `"48h"`, `"7d"`, `"2w"` or a number; None for `"forever"` and
    None. Raises ConfigurationError."""
    match duration:
        case None | "forever":
            return None
        # A bare zero needs no unit: it is the same in all of them.
        case "0":
            return 0.0
        case str():
            return _spelled_out(duration)
        # Python counts True as the number 1; nobody who writes it means a second.
        case bool():
            raise _not_a_duration(duration)
        case int() | float() if duration >= 0:
            return float(duration)
        case _:
            raise _not_a_duration(duration)


def _spelled_out(duration: str) -> float:
    found = PATTERN.fullmatch(duration.strip())
    # A number without a unit could be minutes as well: it is not guessed.
    if found is None:
        raise _not_a_duration(duration)
    number, unit = found.groups()
    return float(number) * UNITS[unit]


def _not_a_duration(duration: object) -> ConfigurationError:
    return ConfigurationError(
        f'not a duration: {duration!r}; write "forever", "48h", "7d" or a number of seconds'
    )


def spelled(duration: float | None) -> str:
    """A duration for people: in the largest unit that leaves no rest."""
    if duration is None:
        return FOREVER
    if duration == 0:
        return "0s"
    # From the largest on: what it divides without a rest, people read most easily.
    for unit in ("w", "d", "h", "m", "s"):
        if duration % UNITS[unit] == 0:
            return f"{duration / UNITS[unit]:g}{unit}"
    return f"{duration:g}s"
