"""The SQS source on real servers: batches, acknowledgement after the write, heartbeat, FIFO, dead
letters, and books that balance."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from anyorder.errors import ConfigurationError, SourceError
from anyorder.runtime.sections import TableSection
from anyorder.sources import sqs as sqs_source
from anyorder.sources.contract import Received
from anyorder.sources.sqs import SQSSource
from tests.aws.connector import event_of
from tests.aws.home import Home, balanced
from tests.aws.queues import Queue
from tests.parts.dynamodb import REGION
from tests.parts.unruly_queue import UnrulyQueue
from tests.streams import final_rows, record, stream, unordered

VISIBILITY = 4


def source_of(queue: Queue, **options: Any) -> SQSSource:
    return SQSSource(
        queue.name, region=REGION, endpoint=queue.endpoint, **{"drain": True, **options}
    )


def texts(batch: Any) -> list[str]:
    return [(one.delivery.value or b"").decode() for one in batch]


@pytest.fixture
def closing() -> Iterator[list[SQSSource]]:
    """Sources that are closed at the end of the test."""
    opened: list[SQSSource] = []
    yield opened
    for source in opened:
        source.close()


def test_batches_are_as_large_as_asked_and_end_with_the_queue(
    sqs: Any, closing: list[SQSSource]
) -> None:
    queue = Queue(sqs)
    queue.send(f"m{number}" for number in range(137))
    source = source_of(queue)
    closing.append(source)
    sizes, seen = [], []
    for batch in source.batches(None, 50):
        sizes.append(len(batch))
        seen += texts(batch)
        source.done(batch)

    assert sorted(seen) == sorted(f"m{number}" for number in range(137))
    assert max(sizes) == 50
    assert queue.count() == {"visible": 0, "invisible": 0}


def test_a_batch_is_bounded_by_its_bytes_too(
    sqs: Any, closing: list[SQSSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large messages are not all kept in memory at once."""
    monkeypatch.setattr(sqs_source, "LARGEST_BATCH", 1000)
    queue = Queue(sqs)
    queue.send("x" * 300 for _ in range(40))
    source = source_of(queue)
    closing.append(source)

    sizes = [len(batch) for batch in _done_with(source, 40) if batch]

    assert sum(sizes) == 40
    assert max(sizes) <= 10


def _done_with(source: SQSSource, size: int) -> Iterator[Any]:
    for batch in source.batches(None, size):
        source.done(batch)
        yield batch


def test_the_queue_is_the_topic_and_its_ids_are_nowhere_in_the_delivery(
    sqs: Any, closing: list[SQSSource]
) -> None:
    queue = Queue(sqs)
    attributes = {"ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"}}
    sent = sqs.send_message(
        QueueUrl=queue.url, MessageBody='{"id":7}', MessageAttributes=attributes
    )
    source = source_of(queue)
    closing.append(source)
    ((received,),) = list(_until_empty(source))

    assert (received.delivery.topic, received.delivery.value) == (queue.name, b'{"id":7}')
    assert received.delivery.headers == (("ERROR_CODE", "NO_PERMISSIONS"),)
    assert sent["MessageId"] not in repr(received.delivery)
    assert (received.delivery.partition, received.delivery.offset, received.delivery.timestamp) == (
        -1,
        -1,
        None,
    )


def test_the_topic_of_a_fifo_queue_is_its_name_without_the_suffix(
    sqs: Any, closing: list[SQSSource]
) -> None:
    """So the table that is named after it is not called `fifo`."""
    queue = Queue(sqs, fifo=True)
    queue.send(["a"], ["group"])
    source = source_of(queue)
    closing.append(source)
    ((received,),) = list(_until_empty(source))
    topic = received.delivery.topic

    assert f"{topic}.fifo" == queue.name
    assert TableSection(name="{table}").target(topic, topic) == topic


def test_what_is_not_done_is_delivered_again(sqs: Any) -> None:
    queue = Queue(sqs, visibility=60)
    queue.send(["a", "b", "c"])
    first = source_of(queue)
    batch = next(iter(first.batches(None, 10)))
    done = [one for one in batch if texts([one]) == ["b"]]
    first.done(done)
    first.close()
    second = source_of(queue)
    again = [text for batch in _until_empty(second) for text in texts(batch)]
    second.close()

    assert set(again) == {"a", "b", "c"} - set(texts(done))


def _until_empty(source: SQSSource) -> Iterator[list[Received]]:
    for batch in source.batches(None, 10):
        yield list(batch)
        source.done(batch)


def test_messages_stay_invisible_while_their_batch_is_written_however_long_that_takes(
    sqs: Any, closing: list[SQSSource]
) -> None:
    queue = Queue(sqs)
    queue.send(["slow"])
    source = source_of(queue, visibility=VISIBILITY)
    closing.append(source)
    batch = next(iter(source.batches(None, 10)))
    time.sleep(2 * VISIBILITY + 1)

    assert queue.receive(WaitTimeSeconds=0) == []
    source.done(batch)
    assert queue.count() == {"visible": 0, "invisible": 0}


def test_without_the_heartbeat_they_come_back(sqs: Any) -> None:
    """The test above can fail: a source whose heartbeat is stopped shows the message again."""
    queue = Queue(sqs)
    queue.send(["slow"])
    source = source_of(queue, visibility=VISIBILITY)
    next(iter(source.batches(None, 10)))
    source._closing.set()
    source._heart.join()
    again = queue.receive(WaitTimeSeconds=VISIBILITY + 2)
    source.close()

    assert [one["Body"] for one in again] == ["slow"]


def test_a_delete_with_a_receipt_that_has_ended_is_only_another_delivery(
    sqs: Any, closing: list[SQSSource]
) -> None:
    queue = Queue(sqs)
    queue.send(["once"])
    source = source_of(queue)
    closing.append(source)
    (received,) = next(iter(source.batches(None, 10)))
    source.done([replace(received, mark="no-such-receipt")])
    source.done([received])

    assert queue.count() == {"visible": 0, "invisible": 0}


def test_a_receipt_that_is_in_a_batch_twice_is_deleted_once(
    sqs: Any, closing: list[SQSSource]
) -> None:
    queue = Queue(sqs)
    queue.send(["a"])
    source = source_of(queue)
    closing.append(source)
    (received,) = next(iter(source.batches(None, 10)))
    source.done([received, received])

    assert queue.count() == {"visible": 0, "invisible": 0}


def test_a_run_behind_a_proxy_that_repeats_and_reorders(elasticmq: Any, home: Home) -> None:
    records = list(stream(400, 40, seed=9))
    queue = Queue(elasticmq)
    sent = queue.send(map(event_of, records))
    proxy = UnrulyQueue(queue.endpoint, seed=9)
    home.pipeline(queue, endpoint=proxy.endpoint, batch=50)
    books = home.run()
    proxy.stop()

    assert rows(home) == final_rows(records)
    assert (books["read"], balanced(books)) == (proxy.seen["delivered"], True)
    assert proxy.seen["delivered again"] > 0.1 * sent
    assert proxy.seen["overtaken"] > 0.1 * sent


class Refusing:
    """A client whose deletes fail for some entries by the server's fault, a number of times."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self.left = times
        self.deletes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.deletes += 1
        if self.left == 0:
            return dict(self._client.delete_message_batch(QueueUrl=QueueUrl, Entries=Entries))
        self.left -= 1
        answer = (
            self._client.delete_message_batch(QueueUrl=QueueUrl, Entries=Entries[1:])
            if Entries[1:]
            else {}
        )
        return {
            **answer,
            "Failed": [{"Id": Entries[0]["Id"], "Code": "InternalError", "SenderFault": False}],
        }


@pytest.mark.parametrize(("failures", "left"), [(1, 0), (2, 1)])
def test_an_entry_that_was_not_deleted_is_tried_once_more_and_else_left(
    elasticmq: Any, closing: list[SQSSource], failures: int, left: int
) -> None:
    queue = Queue(elasticmq)
    queue.send(["a", "b", "c"])
    client = Refusing(elasticmq, failures)
    source = SQSSource(queue.url, client=client, drain=True)
    closing.append(source)
    gathered = [one for batch in _batches_without_done(source, 3) for one in batch]
    source.done(gathered)

    assert client.deletes == 2
    assert sum(queue.count().values()) == left


def _batches_without_done(source: SQSSource, wanted: int) -> Iterator[list[Received]]:
    seen = 0
    for batch in source.batches(None, 10):
        seen += len(batch)
        yield list(batch)
        if seen == wanted:
            return


def test_a_queue_that_is_gone_is_one_sentence(elasticmq: Any) -> None:
    with pytest.raises(SourceError, match=r"get_queue_url on the queue no-such-queue"):
        SQSSource("no-such-queue", region=REGION, endpoint=elasticmq.meta.endpoint_url)
    queue = Queue(elasticmq)
    source = source_of(queue)
    elasticmq.delete_queue(QueueUrl=queue.url)
    with pytest.raises(SourceError, match="receive_message"):
        next(iter(source.batches(None, 10)))
    source.close()


@pytest.mark.parametrize(
    "options",
    [{"queue": ""}, {"queue": "q", "visibility": 1}, {"queue": "q", "visibility": 50_000}],
)
def test_contradictory_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SQSSource(**options)


def test_a_source_without_drain_goes_on_and_stops_when_asked(elasticmq: Any) -> None:
    queue = Queue(elasticmq)
    source = source_of(queue, drain=False)
    seen: list[str] = []

    def read() -> None:
        for batch in source.batches(None, 10):
            seen.extend(texts(batch))
            source.done(batch)
            if seen:
                return

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(1.0)
    queue.send(["later"])
    reader.join(20)
    source.close()

    assert seen == ["later"]


def test_an_sns_notification_is_opened(moto: str, closing: list[SQSSource]) -> None:
    import boto3

    from tests.aws.queues import make_sqs_client

    queue = Queue(make_sqs_client(moto))
    sns = boto3.client("sns", region_name=REGION, endpoint_url=moto)
    topic = sns.create_topic(Name=f"t-{queue.name}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    published = event_of(record(7, "c", 10, after={"id": 7, "ratio": 0.1}))
    sns.publish(TopicArn=topic, Message=published)
    source = source_of(queue)
    closing.append(source)
    (batch,) = list(_until_empty(source))

    assert texts(batch) == [published]


def test_a_run_from_a_standard_queue_ends_with_the_source_s_rows(sqs: Any, home: Home) -> None:
    """Duplicates and any order: books balance, every row is the source's, and the queue is
    empty."""
    records = list(stream(200, 30, seed=5))
    delivered = unordered(records)
    queue = Queue(sqs)
    sent = queue.send(map(event_of, delivered))
    home.pipeline(queue)
    books = home.run()

    assert books["read"] == sent
    assert balanced(books)
    assert not books["quarantined"]
    assert rows(home) == final_rows(records)
    assert queue.count() == {"visible": 0, "invisible": 0}


def test_a_run_from_a_fifo_queue_ends_with_the_source_s_rows(sqs: Any, home: Home) -> None:
    records = list(stream(100, 20, seed=6))
    delivered = unordered(records)
    queue = Queue(sqs, fifo=True)
    sent = queue.send(
        map(event_of, delivered), (str(one["key"])[-4:-1].strip(": ") for one in delivered)
    )
    home.pipeline(queue)
    books = home.run()

    assert (books["read"], balanced(books)) == (sent, True)
    assert rows(home) == final_rows(records)


def rows(home: Home) -> dict[int, dict[str, object]]:
    database = sqlite3.connect(home.path / "app.db")
    database.row_factory = sqlite3.Row
    return {row["id"]: dict(row) for row in database.execute("SELECT * FROM users")}


def test_every_malformed_message_is_kept_with_its_bytes(elasticmq: Any, home: Home) -> None:
    """A message has no place in a stream, so only its bytes tell one undecodable message from
    another; and nobody said to ignore it."""
    queue = Queue(elasticmq)
    bodies = ["not json", "neither is this", "not json", '{"detail-type":"x","detail":{"id":1}}']
    queue.send(bodies)
    home.pipeline(queue)
    books = home.run()
    entries = home.ask("quarantine", "list")

    assert books["quarantined"] == {"malformed": 3}
    assert books["ignored"] == {"duplicate": 1}
    shown = {home.ask("quarantine", "show", str(entry["id"]))[0]["value"] for entry in entries}
    assert shown == set(bodies)


def test_a_dry_run_leaves_every_message_in_the_queue(elasticmq: Any, home: Home) -> None:
    queue = Queue(elasticmq)
    records = list(stream(40, 9))
    sent = queue.send(map(event_of, records))
    home.pipeline(queue)

    assert dry_run(home)["read"] == sent
    assert queue.waits_for(sent)


def dry_run(home: Home, seconds: float = 120) -> dict[str, Any]:
    command = [sys.executable, "-m", "anyorder", "run", str(home.file), "--dry-run", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_dry_run_of_a_fifo_queue_ends_with_what_the_queue_shows_and_leaves_it_there(
    sqs: Any, home: Home
) -> None:
    """SQS hides the rest of a message group behind what we hold, so at most ten of each are seen;
    all of them are there afterwards."""
    queue = Queue(sqs, fifo=True)
    sent = queue.send(
        (event_of(one) for one in stream(30, 9)),
        ("even" if number % 2 else "odd" for number in range(30)),
    )
    home.pipeline(queue)

    assert 0 < dry_run(home, seconds=40)["read"] <= 20
    assert queue.waits_for(sent)


def test_redriving_an_old_dead_letter_queue_is_safe(elasticmq: Any, home: Home) -> None:
    """Messages that a consumer failed on lie in the dead-letter queue while the table goes on;
    redriven, they are old and known to be."""
    dead = Queue(elasticmq)
    queue = Queue(elasticmq, visibility=1, dead_letters=dead, receives=1)
    records = list(stream(400, 30, seed=7))
    failed, fine = records[:60], records[60:]
    queue.send(map(event_of, failed))
    while sum(dead.count().values()) < len(failed):  # a consumer that never deletes
        queue.receive(VisibilityTimeout=0)
    queue.send(map(event_of, fine))
    home.pipeline(queue)
    first = home.run()
    dead.redrive(queue)
    assert queue.waits_for(len(failed))
    second = home.run()

    assert (first["read"], second["read"]) == (len(fine), len(failed))
    assert balanced(first)
    assert balanced(second)
    assert rows(home) == final_rows(records)


def test_a_dead_letter_queue_is_just_another_source(elasticmq: Any, home: Home) -> None:
    dead = Queue(elasticmq)
    records = list(stream(100, 20, seed=8))
    dead.send(map(event_of, records))
    home.pipeline(dead)

    assert home.run()["read"] == len(records)
    assert rows(home) == final_rows(records)
