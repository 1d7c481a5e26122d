"""Clients that post, side by side, and post again what was not answered with 2xx."""

from __future__ import annotations

import http.client
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.apps.history import Change

CLIENTS = 6
PAUSE = 0.05  # seconds, before what failed is sent again
TIMEOUT = 60  # seconds that an answer may take
SECONDS = 300  # that all of it may take, on a busy machine
Sign = Callable[[Change], tuple[bytes, Mapping[str, str]]]


class Clients:
    """Six threads. `sign`: the body and the headers of a change, made when it is sent.
    `acknowledged`: what was answered 2xx; `statuses`: how often each answer came, 0 for none."""

    def __init__(self, port: int, path: str, sign: Sign, changes: Sequence[Change]) -> None:
        self._port = port
        self._path = path
        self._sign = sign
        self._waiting: queue.SimpleQueue[Change] = queue.SimpleQueue()
        for change in changes:
            self._waiting.put(change)
        self._posts = len(changes)
        self._lock = threading.Lock()
        self._is_ended = False
        self.acknowledged: list[Change] = []
        self.statuses: Counter[int] = Counter()

    @contextmanager
    def posting(self) -> Iterator[None]:
        """All threads, from the beginning; at the end every post is acknowledged."""
        threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
            self.wait_for(self._posts)
        finally:
            self._is_ended = True
            for thread in threads:
                thread.join()

    def wait_for(self, posts: int) -> list[Change]:
        """What is acknowledged, as soon as it is so many."""
        deadline = time.monotonic() + SECONDS
        while len(self.acknowledged) < posts:
            told = f"{len(self.acknowledged)} of {self._posts}, {dict(self.statuses)}"
            assert time.monotonic() < deadline, f"acknowledged in {SECONDS} s: {told}"
            time.sleep(0.01)
        with self._lock:
            return list(self.acknowledged)

    def _run(self) -> None:
        # What is not acknowledged goes back into the queue, as a provider sends it again later.
        while not self._is_ended:
            try:
                change = self._waiting.get(timeout=PAUSE)
            except queue.Empty:
                continue
            status = self._status(change)
            with self._lock:
                self.statuses[status] += 1
                if 200 <= status < 300:
                    self.acknowledged.append(change)
                    continue
            time.sleep(PAUSE)
            self._waiting.put(change)

    def _status(self, change: Change) -> int:
        try:
            return post(self._port, self._path, *self._sign(change))
        except (OSError, http.client.HTTPException):
            return 0


def post(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
