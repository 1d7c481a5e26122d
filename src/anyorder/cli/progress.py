"""How far a run has come, on one line of a terminal that is written anew."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from anyorder.cli.terminal import overwrite

if TYPE_CHECKING:
    from anyorder.guard.report import Report

SECONDS = 0.5  # between two lines
MINUTE, HOUR = 60, 3600


class Progress:
    """The books, at most twice a second; of a file also how much of it is read, and how long the
    rest will take."""

    def __init__(self) -> None:
        self._last = 0.0
        # When a share was first known, and which: a run may begin in the middle of a file.
        self._first: tuple[float, float] | None = None

    def __call__(self, report: Report, share: float | None) -> None:
        """After a batch. `share`: of the source, from 0 to 1; None where nobody knows."""
        now = time.monotonic()
        if share is not None and self._first is None:
            self._first = (now, share)
        if now - self._last <= SECONDS:
            return
        self._last = now
        rate = report.read / report.seconds if report.seconds else 0.0
        far = "" if share is None else f"{share:.0%}{self._left(now, share)}; "
        overwrite(f"{far}{report.read} read: {report} ({rate:,.0f}/s)", sys.stderr)

    def _left(self, now: float, share: float) -> str:
        """`, 40 s left`, as fast as it went until now; "" while that says nothing."""
        began, first = self._first or (now, share)
        done = share - first
        if done <= 0 or share >= 1:
            return ""
        return f", {spelled((1 - share) / done * (now - began))} left"


def spelled(seconds: float) -> str:
    """A time in its two largest units: `40 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
