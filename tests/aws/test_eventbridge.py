"""Through a real bus: moto's EventBridge with its rules, input paths and archive, into a queue and
`anyorder run`."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

import pytest

from tests.aws.bus import Bus
from tests.aws.connector import detail_of, entry_of
from tests.aws.home import Home, balanced
from tests.aws.queues import Queue, make_sqs_client
from tests.parts.dynamodb import REGION
from tests.streams import final_rows, record, stream, tombstone, unordered


def rows(home: Home) -> dict[int, dict[str, object]]:
    database = sqlite3.connect(home.path / "app.db")
    database.row_factory = sqlite3.Row
    return {row["id"]: dict(row) for row in database.execute("SELECT * FROM users")}


def test_the_connectors_events_through_a_bus_end_as_the_source_s_rows(
    moto: str, home: Home
) -> None:
    """Creates, updates, deletes and tombstones, any order, a fifth of them twice."""
    changes = list(stream(120, 20, seed=11))
    tombstones = [tombstone(one) for one in changes if '"op": "d"' in str(one["value"])]
    queue = Queue(make_sqs_client(moto))
    bus = Bus(moto, queue)
    sent = bus.put(entry_of(one, bus.name) for one in unordered(changes + tombstones))
    home.pipeline(queue)
    books = home.run()

    assert (books["read"], balanced(books)) == (sent, True)
    assert rows(home) == final_rows(changes)


def test_moto_hands_on_the_whole_event_whatever_the_rule_s_input_path(moto: str) -> None:
    """Where it lies: rules with an input path are tested on their shapes only, without a bus. If
    this turns red, moto has learned it."""
    queue = Queue(make_sqs_client(moto))
    bus = Bus(moto, queue, InputPath="$.detail")
    bus.put([entry_of(record(7, "c", 10, after={"id": 7}), bus.name)])

    assert "detail" in json.loads(queue.receive()[0]["Body"])


@pytest.mark.parametrize("bare", [True, False])
def test_a_bare_detail_is_read_and_a_bare_value_is_said_in_the_quarantine(
    moto: str, home: Home, bare: bool
) -> None:
    queue = Queue(make_sqs_client(moto))
    changed = record(7, "c", 10, after={"id": 7})
    queue.send([detail_of(changed) if bare else str(changed["value"])])
    home.pipeline(queue)
    books = home.run()

    assert (books["applied"], books["quarantined"]) == ((1, {}) if bare else (0, {"malformed": 1}))
    assert bare or 'InputPath = "$.detail"' in home.ask("quarantine", "list")[0]["detail"]


def test_an_archive_replay_brings_old_events_under_new_ids_and_changes_nothing(
    moto: str, home: Home
) -> None:
    import boto3

    changes = list(stream(60, 8, seed=12))
    queue = Queue(make_sqs_client(moto))
    bus = Bus(moto, queue)
    events: Any = boto3.client("events", region_name=REGION, endpoint_url=moto)
    archive = events.create_archive(ArchiveName=f"archive-{bus.name}", EventSourceArn=bus.arn)[
        "ArchiveArn"
    ]
    bus.put(entry_of(one, bus.name) for one in changes)
    home.pipeline(queue)
    first = home.run()
    before = rows(home)
    now = time.time()
    events.start_replay(
        ReplayName=f"replay-{bus.name}",
        EventSourceArn=archive,
        EventStartTime=now - 3600,
        EventEndTime=now + 60,
        Destination={"Arn": bus.arn},
    )
    second = home.run()

    assert before == final_rows(changes)
    assert (first["read"], second["read"], second["applied"]) == (len(changes), len(changes), 0)
    assert not second["quarantined"]
    assert rows(home) == before


def test_a_rule_can_hand_each_topic_to_its_own_queue(moto: str, home: Home) -> None:
    client = make_sqs_client(moto)
    users, others = Queue(client), Queue(client)
    bus = Bus(moto, users, {"detail": {"topic": [{"suffix": ".users"}]}})
    bus.rule(others, {"detail": {"topic": [{"anything-but": {"suffix": ".users"}}]}})
    bus.put(
        [
            entry_of(record(7, "c", 10, after={"id": 7}), bus.name),
            entry_of({**record(8, "c", 20, after={"id": 8}), "topic": "app.x.y"}, bus.name),
        ]
    )

    assert (users.count()["visible"], others.count()["visible"]) == (1, 1)
