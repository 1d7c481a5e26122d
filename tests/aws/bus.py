"""An EventBridge bus on moto's server, with a rule that hands every event of the connector to a
queue.

moto ignores a target's InputPath, and fails on an input transformer with an unquoted variable.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable
from typing import Any

from tests.aws.queues import Queue
from tests.parts.dynamodb import REGION, credentials

AT_ONCE = 10  # entries of one PutEvents
_numbers = itertools.count(1)


class Bus:
    """`target`: members of the rule's target beside its queue, for example an `InputPath`.
    `pattern`: what the rule matches."""

    def __init__(
        self, endpoint: str, queue: Queue, pattern: dict[str, Any] | None = None, **target: Any
    ) -> None:
        import boto3

        credentials()
        self.client: Any = boto3.client("events", region_name=REGION, endpoint_url=endpoint)
        self.name = f"bus-{os.getpid()}-{next(_numbers)}"
        self.client.create_event_bus(Name=self.name)
        self.arn = self.client.describe_event_bus(Name=self.name)["Arn"]
        self.rule(queue, pattern, **target)

    def rule(self, queue: Queue, pattern: dict[str, Any] | None = None, **target: Any) -> None:
        """Another rule."""
        name = f"rule-{next(_numbers)}"
        found = pattern or {"source": [{"prefix": "kafka-connect."}]}
        self.client.put_rule(
            Name=name, EventBusName=self.name, EventPattern=json.dumps(found), State="ENABLED"
        )
        self.client.put_targets(
            Rule=name, EventBusName=self.name, Targets=[{"Id": "queue", "Arn": queue.arn, **target}]
        )

    def put(self, entries: Iterable[dict[str, Any]]) -> int:
        """Put events; how many."""
        rest = iter(entries)
        count = 0
        while chunk := list(itertools.islice(rest, AT_ONCE)):
            answer = self.client.put_events(Entries=chunk)
            assert not answer["FailedEntryCount"], answer
            count += len(chunk)
        return count
