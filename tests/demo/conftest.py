"""The whole demo, played for all tests that look at it. They run in one worker: two would play it
twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.played import Shown, demo, demo_by_itself

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("demo"))


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """As a person runs it."""
    return demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """With nothing installed but msgspec."""
    return demo_by_itself(tmp_path_factory.mktemp("demo"))
