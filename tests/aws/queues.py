"""SQS queues on a local server: made under names of their own, filled, counted."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from tests.parts.dynamodb import REGION, credentials

BATCH_BYTES = 200_000
_numbers = itertools.count(1)


def make_sqs_client(endpoint: str) -> Any:
    from anyorder.sources.sqs import make_client

    credentials()
    return make_client(REGION, endpoint)


class Queue:
    """One queue. `dead_letters`: another that takes messages which were received `receives`
    times."""

    def __init__(
        self,
        client: Any,
        *,
        fifo: bool = False,
        visibility: int = 30,
        dead_letters: Queue | None = None,
        receives: int = 3,
    ) -> None:
        self.client = client
        self.name = f"q-{os.getpid()}-{next(_numbers)}" + (".fifo" if fifo else "")
        attributes = {"VisibilityTimeout": str(visibility)}
        if fifo:
            attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
        if dead_letters is not None:
            attributes["RedrivePolicy"] = json.dumps(
                {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": receives}
            )
        self.url = client.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]

    @property
    def arn(self) -> str:
        return str(self._attributes("QueueArn")["QueueArn"])

    @property
    def endpoint(self) -> str:
        return str(self.client.meta.endpoint_url)

    def send(self, bodies: Iterable[str], groups: Iterable[str] = ()) -> int:
        """Send messages in batches; `groups` are those of a FIFO queue. How many."""
        sent, group = 0, iter(groups)
        for chunk in _chunks(bodies):
            entries: list[dict[str, str]] = [
                {"Id": str(place), "MessageBody": body} for place, body in enumerate(chunk)
            ]
            if self.name.endswith(".fifo"):
                entries = [
                    {
                        **e,
                        "MessageGroupId": next(group),
                        "MessageDeduplicationId": f"{sent}-{e['Id']}",
                    }
                    for e in entries
                ]
            answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            assert not answer.get("Failed"), answer["Failed"]
            sent += len(chunk)
        return sent

    def count(self) -> dict[str, int]:
        """Visible and invisible messages."""
        found = self._attributes(
            "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
        )
        return {
            "visible": int(found["ApproximateNumberOfMessages"]),
            "invisible": int(found["ApproximateNumberOfMessagesNotVisible"]),
        }

    def receive(self, count: int = 10, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=count, **more
        ).get("Messages", [])
        return found

    def waits_for(self, visible: int, seconds: float = 30) -> bool:
        """Are so many messages there, within some seconds?"""
        until = time.monotonic() + seconds
        while self.count()["visible"] != visible and time.monotonic() < until:
            time.sleep(0.1)
        return self.count()["visible"] == visible

    def redrive(self, target: Queue) -> None:
        """Give the messages of this dead-letter queue back, and wait until it is empty. moto knows
        no StartMessageMoveTask: there by hand."""
        if "amazonaws" in self.url or "000000000000" in self.url:  # AWS, ElasticMQ
            self.client.start_message_move_task(SourceArn=self.arn, DestinationArn=target.arn)
        else:
            while found := self.receive():
                target.send(one["Body"] for one in found)
                for one in found:
                    self.client.delete_message(
                        QueueUrl=self.url, ReceiptHandle=one["ReceiptHandle"]
                    )
        assert self.waits_for(0)

    def _attributes(self, *names: str) -> dict[str, str]:
        found: dict[str, str] = self.client.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=list(names)
        )["Attributes"]
        return found


def _chunks(bodies: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if chunk and (len(chunk) == 10 or size + length > BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(body)
        size += length
    if chunk:
        yield chunk
