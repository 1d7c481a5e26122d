"""What a start and a batch do with the catalogue, and what of them they leave alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from anyorder.runtime.pipeline import load_pipeline
from tests.runtime.test_catalogue import ORDERS, USERS, Pipeline, of, pipeline, recorded
from tests.streams import record, tombstone

__all__ = ["pipeline"]
MOST = 16  # topics that the catalogue keeps of a source table


def test_a_start_that_changes_nothing_waits_for_nobody(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many may start at once, while one of them writes for as long as it likes."""
    monkeypatch.setattr("anyorder.stores.sqlite.lock.LOCKED_SECONDS", 0.0)
    pipeline.tables(USERS.format(name="{table}", more='retention = "forever"'))
    pipeline.run(record(1, "c", 10, after={"id": 1}))
    with closing(sqlite3.connect("app.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert pipeline.run(record(1, "c", 10, after={"id": 1}))["read"] == 0


def test_of_a_source_table_that_comes_by_many_topics_the_latest_are_kept(
    pipeline: Pipeline,
) -> None:
    pipeline.tables('[[table]]\nname = "users"\n')
    topics = [f"topic-{number}" for number in range(MOST + 4)]

    for number, topic in enumerate(topics):
        one = record(number, "c", 10 + number, after={"id": number})
        pipeline.run(of("users", one, topic=topic))

    known = recorded(pipeline)["users"]
    assert known is not None
    assert known.topics == tuple(reversed(topics[-MOST:]))


def test_a_hint_of_a_topic_of_several_tables_goes_by_the_name_of_its_topic(
    pipeline: Pipeline,
) -> None:
    """Not with the first of them: a guess would settle, or hold, what is another table's."""
    pipeline.tables('[[table]]\nname = "{table}"\n')
    topic = "app.public.orders"
    users, orders = (
        of(name, record(1, "c", lsn, after={"id": 1}), topic=topic)
        for name, lsn in (("users", 10), ("orders", 20))
    )
    hint = tombstone(of("orders", record(1, "d", 30), topic=topic))

    pipeline.run(users, orders, hint, code=1)

    (entry,) = pipeline.listed("quarantine", "list", code=1)
    assert (entry["table"], entry["reason"]) == ("orders", "waiting")


def test_what_belongs_to_no_table_keeps_how_it_was_read(pipeline: Pipeline) -> None:
    """Its pipeline may be another by the time that somebody says whose it is."""
    pipeline.tables(ORDERS.format(name="orders", more=""))
    pipeline.run(record(1, "c", 10, after={"id": 1}), code=1)
    told = load_pipeline()

    with closing(told.open_store()) as store, store.reading() as transaction:
        entry = transaction.entry(1)

    assert entry is not None
    assert json.loads(entry.provenance) == json.loads(told.provenance)
