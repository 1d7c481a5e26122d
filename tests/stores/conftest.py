"""Real servers for the stores' tests, one of each a test session; and databases of a user's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts.dynamodb import make_local_client, start_moto
from tests.stores.shop import Make, Shop


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of moto's server behind a lock."""
    service = start_moto(tmp_path_factory.mktemp("moto"))
    yield make_local_client(service.endpoint)
    service.stop()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Shops by their schema."""
    shops: list[Shop] = []

    def made(schema: str) -> Shop:
        shops.append(Shop(tmp_path / f"{len(shops)}.db", schema))
        return shops[-1]

    yield made
    for shop in shops:
        shop.store.close()
