"""Real servers for the stores' tests, one of each a test session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.parts.dynamodb import make_local_client, start_moto


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of moto's server behind a lock."""
    service = start_moto(tmp_path_factory.mktemp("moto"))
    yield make_local_client(service.endpoint)
    service.stop()
