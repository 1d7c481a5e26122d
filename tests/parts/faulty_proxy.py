"""A proxy on loopback before an AWS server that misbehaves as AWS may: throttling, 500s before and
after the deed, answers that are lost."""

from __future__ import annotations

import json
import random
import socket
from collections import Counter

from tests.parts.relay import Relay, RelayHandler

FAULTS = ("throttled", "failed before", "failed after", "lost answer")
DATA = (
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
    "GetItem",
    "BatchGetItem",
    "Query",
    "Scan",
)


class FaultyProxy(Relay):
    """`endpoint` is what the client is given; `share` of its data requests get a fault. `seen`
    counts what happened."""

    def __init__(self, endpoint: str, share: float, seed: int = 0) -> None:
        self.share = share
        self.seen: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.chance = random.Random(seed)
        super().__init__(endpoint, _Handler)


class _Handler(RelayHandler):
    server: FaultyProxy

    def do_POST(self) -> None:
        headers, body = self.asked()
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = (
            self.server.chance.choice(FAULTS)
            if operation in DATA and self.server.chance.random() < self.server.share
            else ""
        )
        self.server.seen[fault or "fine"] += 1
        self.server.operations[operation] += 1
        if fault == "throttled":
            self._refuse(
                400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
            )
        elif fault == "failed before":
            self._refuse(500, "com.amazonaws.dynamodb.v20120810#InternalServerError")
        else:
            answer = self.server.forwarded(self.path, headers, body)
            if fault == "failed after":
                self._refuse(500, "com.amazonaws.dynamodb.v20120810#InternalServerError")
            elif fault == "lost answer":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            else:
                self.answer(*answer)

    def _refuse(self, status: int, kind: str) -> None:
        self.answer(
            status,
            [("Content-Type", "application/x-amz-json-1.0")],
            json.dumps({"__type": kind, "message": "the proxy says so"}).encode(),
        )
