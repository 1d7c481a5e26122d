"""Real parts for the tests of the AWS chain, one of each a test session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws.queues import make_sqs_client
from tests.parts.dynamodb import start_moto
from tests.parts.elasticmq import start_elasticmq


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of moto's server behind a lock: SQS, EventBridge, SNS and more in one."""
    service = start_moto(tmp_path_factory.mktemp("moto"))
    yield service.endpoint
    service.stop()


@pytest.fixture(scope="session")
def elasticmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An SQS client of ElasticMQ."""
    service = start_elasticmq(tmp_path_factory.mktemp("elasticmq"))
    yield make_sqs_client(service.endpoint)
    service.stop()


@pytest.fixture(params=["elasticmq", "moto"])
def sqs(request: pytest.FixtureRequest) -> Any:
    """An SQS client of each server."""
    if request.param == "moto":
        return make_sqs_client(request.getfixturevalue("moto"))
    return request.getfixturevalue("elasticmq")


@pytest.fixture
def home(tmp_path: Path) -> Any:
    """A directory with a pipeline, and the command run in it."""
    from tests.aws.home import Home

    return Home(tmp_path)
