"""The whole chain on this machine: a recorded Debezium stream -> EventBridge -> SQS -> `anyorder
run` -> DynamoDB.   (make demo-aws)

The bus and the queue are moto's, the database is Amazon's DynamoDB Local. No emulator misbehaves by
itself, so a proxy between the queue and the consumer lets messages overtake each other and delivers
one in five twice. Beside anyorder, an upsert consumer handles the same deliveries in the same
order, as everybody writes one: what arrives last wins.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from anyorder._core.event import Delivery
from anyorder.demo import recording
from tests.aws.bus import Bus
from tests.aws.connector import entry_of
from tests.aws.home import Home, balanced
from tests.aws.queues import Queue, make_sqs_client
from tests.parts.dynamodb import REGION, make_local_client, start_dynamodb_local, start_moto
from tests.parts.unruly_queue import UnrulyQueue
from tests.stores.dynamodb_place import live, plain_row, scan

BACKLOG = 60  # messages in moto's queue at most: each receive copies the whole queue
TABLE = "demo-users"


class Upsert(UnrulyQueue):
    """The proxy, and the consumer that writes what arrives: it sees exactly the deliveries that
    anyorder sees."""

    def __init__(self, endpoint: str, seed: int) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        super().__init__(endpoint, seed)

    def received(self, headers: dict[str, str], body: bytes) -> bytes:
        answer = super().received(headers, body)
        for message in json.loads(answer).get("Messages", ()):
            self._write(json.loads(message["Body"])["detail"])
        return answer

    def _write(self, detail: dict[str, Any]) -> None:
        value = detail["value"]
        if value is None or value["op"] == "d":
            self.rows.pop(detail["key"]["id"], None)
        else:
            self.rows[detail["key"]["id"]] = value["after"]


def record_of(delivery: Delivery) -> dict[str, Any]:
    """A recorded delivery as a Kafka record."""
    return {
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "timestamp": delivery.timestamp,
        "timestamp_type": delivery.timestamp_type,
        "key": None if delivery.key is None else delivery.key.decode(),
        "value": None if delivery.value is None else delivery.value.decode(),
        "headers": delivery.headers,
    }


def compared(rows: dict[int, dict[str, Any]]) -> dict[str, int]:
    """Rows against the source's."""
    truth = recording.truth()
    spelled = {key: recording.spelled(row) for key, row in rows.items()}
    return {
        "right": sum(spelled.get(key) == row for key, row in truth.items()),
        "wrong": sum(key in spelled and spelled[key] != row for key, row in truth.items()),
        "missing": len(truth.keys() - spelled.keys()),
        "resurrected": len(spelled.keys() - truth.keys()),
    }


def demo(folder: Path, seed: int = 0) -> int:
    """Exit code 0 if every row is the source's and the books balance."""
    began = time.monotonic()
    services = [start_moto(folder), start_dynamodb_local(folder)]
    try:
        moto, dynamodb = services[0].endpoint, make_local_client(services[1].endpoint)
        say(f"moto (EventBridge, SQS) at {moto}, DynamoDB Local at {services[1].endpoint}")
        queue = Queue(make_sqs_client(moto), visibility=600)
        bus = Bus(moto, queue)
        proxy = Upsert(moto, seed)
        say(
            f"rule on the bus -> queue {queue.name} -> proxy that lets messages overtake "
            "each other and repeats some -> anyorder run"
        )
        home = Home(folder)
        url = f"dynamodb://demo-{{table}}?region={REGION}&endpoint={services[1].endpoint}"
        home.pipeline(
            queue, endpoint=proxy.endpoint, url=url, drain="false", batch=40, match="*.public.users"
        )
        books = consume(home, queue, bus)
        proxy.stop()
        rows = map(plain_row, filter(live, scan(dynamodb, TABLE)))
        found = {int(row["id"]): row for row in rows}  # type: ignore[call-overload]
        return told(books, proxy, found, began)
    finally:
        for service in services:
            service.stop()


def consume(home: Home, queue: Queue, bus: Bus) -> dict[str, Any]:
    """Put the stream on the bus while the consumer runs; stop it when the queue is empty; its
    books."""
    process = home.start()
    records = [entry_of(record_of(delivery), bus.name) for delivery in recording.deliveries()]
    for start in range(0, len(records), 50):
        bus.put(records[start : start + 50])
        while queue.count()["visible"] > BACKLOG:
            assert process.poll() is None, process.communicate()[1][-3000:]
            time.sleep(0.25)
        progress(start, len(records))
    empty = 0
    while empty < 4:
        assert process.poll() is None, process.communicate()[1][-3000:]
        empty = empty + 1 if not sum(queue.count().values()) else 0
        time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert out.strip(), err[-3000:]
    return dict(json.loads(out.splitlines()[-1]))


def told(
    books: dict[str, Any], proxy: Upsert, found: dict[int, dict[str, Any]], began: float
) -> int:
    """The figures, for people; the exit code."""
    ours, theirs = compared(found), compared(proxy.rows)
    seen, names = proxy.seen, ("right", "wrong", "missing", "resurrected")
    say(
        f"\n{seen['delivered']} deliveries, {seen['delivered again']} of them "
        f"repeats, {seen['overtaken']} overtaken by later ones\n"
    )
    say(f"{'':28}" + "".join(f"{name:>13}" for name in names))
    say(f"{'upsert, the last one wins':28}" + "".join(f"{theirs[name]:>13}" for name in names))
    say(f"{'anyorder, in DynamoDB':28}" + "".join(f"{ours[name]:>13}" for name in names))
    say(
        f"\nthe books: {books['read']} read = {books['applied']} applied + "
        f"{books['ignored']} + {books['quarantined']}"
    )
    say(f"{time.monotonic() - began:.0f} s")
    return int(
        not balanced(books) or ours["right"] != len(recording.truth()) or ours["resurrected"] > 0
    )


def say(text: str) -> None:
    """A line for people."""
    print(text, flush=True)


def progress(done: int, whole: int) -> None:
    """On a terminal only."""
    if sys.stdout.isatty():
        print(
            f"\r\x1b[K{done} of {whole} on the bus",
            end="\n" if done + 50 >= whole else "",
            flush=True,
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(demo(Path(directory)))
