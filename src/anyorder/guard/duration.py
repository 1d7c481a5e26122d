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
    if duration is None or duration == FOREVER:
        return None
    if isinstance(duration, int | float) and not isinstance(duration, bool) and duration >= 0:
        return float(duration)
    found = PATTERN.fullmatch(duration.strip()) if isinstance(duration, str) else None
    if duration == "0":
        return 0.0
    if found is None:
        raise ConfigurationError(
            f'not a duration: {duration!r}; write "forever", "48h", "7d" or a number of seconds'
        )
    return float(found[1]) * UNITS[found[2]]


def spelled(duration: float | None) -> str:
    """A duration for people."""
    if duration is None:
        return FOREVER
    for unit in ("w", "d", "h", "m"):
        if duration and duration % UNITS[unit] == 0:
            return f"{duration / UNITS[unit]:g}{unit}"
    return f"{duration:g}s"
