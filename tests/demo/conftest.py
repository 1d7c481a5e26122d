"""The acts and the whole demo, each played once a test run for all tests that look at it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from anyorder.demo.acts import SEED
from tests.demo.performed import Performed, Shown, demo, demo_by_itself, perform
from tests.once import once

Play = Callable[..., Performed]


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Call with the number of an act, and a seed if it is not the usual one."""

    @cache
    def found(number: int, seed: int = SEED) -> Performed:
        return once(tmp_path_factory, f"act {number}, {seed}", lambda _: perform(number, seed))

    return found


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The whole, as a person runs it."""
    return once(tmp_path_factory, "demo", demo)


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The whole, with nothing installed but msgspec."""
    return once(tmp_path_factory, "demo by itself", demo_by_itself)
