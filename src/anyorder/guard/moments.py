"""Times of 1970: most often seconds that were taken for milliseconds, by a source of today."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from anyorder._core.event import Event

YEAR = 365 * 86_400 * 1_000_000  # microseconds; times are counted from 1970
WARNING = (
    "%s: the envelope option time finds %d microseconds, which is in 1970: an integer there counts "
    "milliseconds, and these are seconds perhaps. It orders nothing; but `why` shows it, and a "
    "history that starts again is recognised by it"
)
log = logging.getLogger("anyorder")


class Moments:
    """Warns once of a time that is in 1970. `options`: the envelope's; without its option `time`
    a format says itself how its times are told."""

    def __init__(self, options: Mapping[str, object]) -> None:
        self._is_looking = options.get("time") is not None

    def look(self, events: Iterable[Event]) -> None:
        """Is there one among the times of these events?"""
        if not self._is_looking:
            return
        for event in events:
            # A time from before 1970 was meant so.
            is_early = event.time is not None and 0 <= event.time < YEAR
            if is_early:
                log.warning(WARNING, event.table or "a delivery", event.time)
                self._is_looking = False
                return
