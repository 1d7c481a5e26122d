"""A proxy on loopback before an SQS server: it holds messages back, lets later ones pass, and hands out some a second time.

No emulator misbehaves by itself, and AWS's standard queues may (at least once, best-effort order). The messages stay invisible in the
queue behind until the consumer deletes them, so nothing that is held here can be lost.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TWICE = 0.2  # of the messages
PAUSE = 0.2  # seconds
HELD = 100  # messages are held back until so many wait, or the queue behind has no more


class UnrulyQueue(ThreadingHTTPServer):
    """`endpoint` is what the consumer is given. `seen` counts: deliveries, of them repeated, and overtaken ones."""

    daemon_threads = True

    def __init__(self, endpoint: str, seed: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(endpoint)
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._waiting: list[tuple[int, bool, dict[str, Any]]] = []
        self._number = 0
        self._latest = -1
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def received(self, headers: dict[str, str], body: bytes) -> bytes:
        """The answer to ReceiveMessage: some of those that wait, in no order."""
        asked = json.loads(body)
        with self._lock:
            self._fill(headers, asked)
            chosen = [self._next() for _ in range(min(int(asked.get("MaxNumberOfMessages", 1)), len(self._waiting)))]
        return json.dumps({"Messages": chosen} if chosen else {}).encode()

    def _fill(self, headers: dict[str, str], asked: dict[str, Any]) -> None:
        """Take what the queue behind has; where nothing waits, ask it again and again, since moto answers nobody else during a long poll."""
        until = time.monotonic() + asked.get("WaitTimeSeconds", 0)
        while len(self._waiting) < HELD:
            more = {**asked, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
            _, _, answer = self.forwarded(headers, json.dumps(more).encode())
            found = json.loads(answer).get("Messages") or []
            self._waiting += [(self._number + place, False, message) for place, message in enumerate(found)]
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

    def forwarded(self, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the server behind answers."""
        connection = http.client.HTTPConnection(self.behind.hostname or "", self.behind.port, timeout=60)
        connection.request("POST", "/", body, {**headers, "Host": self.behind.netloc})
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return found

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: UnrulyQueue
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "content-length")}
        if self.headers.get("X-Amz-Target") == "AmazonSQS.ReceiveMessage":
            self._answer(200, [("Content-Type", "application/x-amz-json-1.0")], self.server.received(headers, body))
        else:
            self._answer(*self.server.forwarded(headers, body))

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: `seen` counts."""
