"""A proxy on loopback before an SQS server: it holds messages back, lets later ones pass, and hands
out some a second time.

No emulator misbehaves by itself, and AWS's standard queues may (at least once, best-effort order).
The messages stay invisible in the queue behind until the consumer deletes them, so nothing that is
held here can be lost.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from typing import Any

from tests.parts.relay import Relay, RelayHandler

TWICE = 0.2  # of the messages
PAUSE = 0.2  # seconds
HELD = 100  # messages are held back until so many wait, or the queue behind has no more


class UnrulyQueue(Relay):
    """`endpoint` is what the consumer is given. `seen` counts: deliveries, of them repeated, and
    overtaken ones."""

    def __init__(self, endpoint: str, seed: int = 0) -> None:
        self.seen: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._waiting: list[tuple[int, bool, dict[str, Any]]] = []
        self._number = 0
        self._latest = -1
        self._lock = threading.Lock()
        super().__init__(endpoint, _Handler)

    def received(self, headers: dict[str, str], body: bytes) -> bytes:
        """The answer to ReceiveMessage: some of those that wait, in no order."""
        asked = json.loads(body)
        with self._lock:
            self._fill(headers, asked)
            chosen = [
                self._next()
                for _ in range(min(int(asked.get("MaxNumberOfMessages", 1)), len(self._waiting)))
            ]
        return json.dumps({"Messages": chosen} if chosen else {}).encode()

    def _fill(self, headers: dict[str, str], asked: dict[str, Any]) -> None:
        """Take what the queue behind has; where nothing waits, ask it again and again, since moto
        answers nobody else during a long poll."""
        until = time.monotonic() + asked.get("WaitTimeSeconds", 0)
        while len(self._waiting) < HELD:
            more = {**asked, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
            _, _, answer = self.forwarded("/", headers, json.dumps(more).encode())
            found = json.loads(answer).get("Messages") or []
            self._waiting += [
                (self._number + place, False, message) for place, message in enumerate(found)
            ]
            self._number += len(found)
            if not found and (self._waiting or time.monotonic() > until):
                return
            if not found:
                time.sleep(PAUSE)

    def _next(self) -> dict[str, Any]:
        place = self._chance.randrange(len(self._waiting))
        number, repeated, message = self._waiting.pop(place)
        self.seen["delivered"] += 1
        self.seen["delivered again"] += repeated
        self.seen["overtaken"] += number < self._latest and not repeated
        self._latest = max(self._latest, number)
        if not repeated and self._chance.random() < TWICE:
            self._waiting.append((number, True, message))
        return message


class _Handler(RelayHandler):
    server: UnrulyQueue

    def do_POST(self) -> None:
        headers, body = self.asked()
        if self.headers.get("X-Amz-Target") == "AmazonSQS.ReceiveMessage":
            self.answer(
                200,
                [("Content-Type", "application/x-amz-json-1.0")],
                self.server.received(headers, body),
            )
        else:
            self.answer(*self.server.forwarded("/", headers, body))
