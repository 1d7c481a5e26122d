"""Real parts that several rooms' tests use, one of each a test session. Imported late: the quick
tests need none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of Amazon's DynamoDB Local."""
    from tests.parts.dynamodb import make_local_client, start_dynamodb_local

    service = start_dynamodb_local(tmp_path_factory.mktemp("dynamodb"))
    yield make_local_client(service.endpoint)
    service.stop()
