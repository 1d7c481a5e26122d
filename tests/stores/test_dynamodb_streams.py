"""Recorded Debezium streams, disordered and repeated, into DynamoDB Local: the same decisions,
memories and rows as the plain store."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.memory import Memory
from anyorder.envelopes import open_envelope, read_record
from anyorder.guard.contract import EntryQuery, Store, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores.dynamodb.store import DynamoDBStore
from anyorder.stores.dynamodb.tables import entity_of
from anyorder.stores.memory.store import MemoryStore
from tests.recordings import Telling, needs_recordings
from tests.stores.dynamodb_place import live, plain_row, scan

BATCH = 500
DISORDER = 300  # places by which a delivery may come too late
MOST = 2500  # records of a stream


def delivered(stream: str) -> list[Event]:
    """The stream's changes, one in five twice, out of order."""
    draw, decoder = random.Random(3), open_envelope("debezium")
    lines = [line for _, line in zip(range(MOST), Telling(stream, "records").lines(), strict=False)]
    placed = [(place + draw.random() * DISORDER, line) for place, line in enumerate(lines)]
    placed += [
        (place + draw.random() * DISORDER, line)
        for place, line in draw.sample(placed, len(placed) // 5)
    ]
    events = [decoder.decode(read_record(line)) for _, line in sorted(placed)]
    return [
        event
        for event in events
        if event.kind is not Kind.CONTROL and (event.key is not None or event.kind is Kind.TRUNCATE)
    ]


def take_all(store: Store, events: list[Event]) -> Counter[str]:
    """Batches as a pipeline makes them; how many deliveries ended in each reason."""
    found: Counter[str] = Counter()
    for start in range(0, len(events), BATCH):
        tables: dict[str, list[Event]] = {}
        for event in events[start : start + BATCH]:
            tables.setdefault(event.table.rpartition(".")[2], []).append(event)
        taken = take(
            store,
            [Share(TableSpec(name), shared) for name, shared in tables.items()],
            now=float(start),
            token=str(start),
        )
        found.update(decision.reason.value for decision in taken.decisions)
    return found


def remembered(store: Store) -> tuple[dict[tuple[str, str], Memory], list[tuple[str, str]]]:
    """Every memory without its token, and what is held."""
    with store.reading() as transaction:
        held = sorted((entry.table, entry.identity) for entry in transaction.entries(EntryQuery()))
        memories = {
            (facts.name, entity): Memory(memory.stamp, memory.cells, memory.base, memory.disputed)
            for facts in transaction.tables()
            for entity, _, memory in transaction.memories(TableSpec(facts.name, facts.key))
        }
    return memories, held


def comparable(value: Any) -> Any:
    """Numbers by their value (DynamoDB has one kind), absent and null alike."""
    if isinstance(value, dict):
        return {name: comparable(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


@needs_recordings
@pytest.mark.parametrize("stream", ["users_small", "truncate", "shop", "resnapshot"])
def test_recorded_streams_end_as_in_the_plain_store(dynamodb_local: Any, stream: str) -> None:
    """Real log positions, holes, key changes, hints, truncates and composite keys."""
    events, envelope = delivered(stream), open_envelope("debezium")

    def decode(_: str, delivery: Delivery) -> Event:
        return envelope.decode(delivery)

    plain, store = (
        MemoryStore(decode),
        DynamoDBStore(
            f"{stream}-{random.getrandbits(32):x}-{{table}}", decode, client=dynamodb_local
        ),
    )
    assert take_all(store, events) == take_all(plain, events)
    assert remembered(store) == remembered(plain)
    for table, rows in plain.state.rows.items():
        shape = store.parts.tables.shape(TableSpec(table))
        items = scan(dynamodb_local, store.parts.tables.name_of(table)) if shape is not None else []
        found = {
            entity_of(shape.schema, item): comparable(plain_row(item))
            for item in items
            if live(item)
        }  # type: ignore[union-attr]
        assert found == {entity: comparable(row) for entity, row in rows.items()}
    store.close()
