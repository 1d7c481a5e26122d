"""Recorded streams through the chain into DynamoDB Local: every item is the source's row. The rest:
`python -m tests.aws.streams`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.aws.queues import make_sqs_client
from tests.aws.streams import Trial, tried
from tests.aws.truth import Recording
from tests.recordings import Telling, needs_recordings

pytestmark = needs_recordings


@pytest.mark.parametrize("consumer", ["run", "lambda"])
@pytest.mark.parametrize("stream", ["users_small", "truncate", "types"])
def test_a_recorded_stream_ends_as_the_source_s_rows(
    elasticmq: Any, dynamodb_local: Any, tmp_path: Path, stream: str, consumer: str
) -> None:
    trial = Trial(
        tmp_path,
        Recording(Telling(stream, "records")),
        elasticmq,
        dynamodb_local,
        seed=1 if consumer == "run" else 2,
    )
    figures, problems = tried(trial, consumer)
    trial.close()

    assert problems == []
    assert figures["equal"] > 75


def test_a_recorded_stream_through_a_bus_ends_as_the_source_s_rows(
    moto: str, dynamodb_local: Any, tmp_path: Path
) -> None:
    recording = Recording(Telling("types", "records"))
    trial = Trial(tmp_path, recording, make_sqs_client(moto), dynamodb_local, seed=3, bus=moto)
    _, problems = tried(trial, "run")
    trial.close()

    assert problems == []
