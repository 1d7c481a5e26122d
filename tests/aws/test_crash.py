"""A consumer of a queue that is killed or frozen at any moment loses nothing and makes nothing
wrong."""

from __future__ import annotations

from typing import Any

from tests.aws.crash import trial


def test_killed_and_frozen_consumers_into_sqlite(elasticmq: Any) -> None:
    figures = trial(elasticmq, kills=3, events=2500)

    assert (figures["kills"], figures["wrong"]) == (3, 0), figures


def test_killed_and_frozen_consumers_into_dynamodb_behind_a_faulty_proxy(
    elasticmq: Any, dynamodb_local: Any
) -> None:
    figures = trial(elasticmq, kills=3, dynamodb=dynamodb_local, events=1500)

    assert (figures["kills"], figures["wrong"]) == (3, 0), figures
    assert sum(figures["faults"].values()) > 0
