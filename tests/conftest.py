"""Real parts that several rooms' tests use, one of each a test session. Imported late: the quick
tests need none of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from tests.once import common_folder


def pytest_configure() -> None:
    """A loaded machine takes long over what is right, so no property fails for being slow."""
    # `make test-connections` runs tests that need no properties, and installs no Hypothesis.
    if find_spec("hypothesis") is None:
        return
    from hypothesis import HealthCheck, settings

    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("patient", patient)
    settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where Python may write no bytecode beside the sources, each of some hundred children would
    compile the package. It is kept in the folder of this run instead."""
    if sys.dont_write_bytecode:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(common_folder(tmp_path_factory) / "bytecode")


@pytest.fixture(scope="session")
def dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of Amazon's DynamoDB Local."""
    from tests.parts.dynamodb import make_local_client, start_dynamodb_local

    service = start_dynamodb_local(tmp_path_factory.mktemp("dynamodb"))
    yield make_local_client(service.endpoint)
    service.stop()
