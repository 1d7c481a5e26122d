"""A run that is killed at any moment loses nothing, and a reaper beside it makes nothing silently
wrong."""

from __future__ import annotations

from tests.runtime.crash import trial
from tests.streams import stream


def test_killed_at_random_moments_with_a_reaper_the_table_is_right_or_says_so() -> None:
    figures = trial(list(stream(6000, 400, seed=3)), kills=8, batch=50)

    assert figures["kills"] >= 4, figures
