"""Events that tell what the row of their key has shown since it was adopted, at the version of its
own column: they are the row's own, and no other content of that version (rules R12)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

from anyorder._core.batch import Arrival, replace
from anyorder._core.event import Event
from anyorder._core.memory import Memory
from anyorder._core.row_clock import as_of_row, columns_of_row, is_of_row
from anyorder.guard.contract import Remembered, Showing, TableSpec, Transaction

Keys = dict[str, list[Arrival]]


def with_own_content(
    transaction: Transaction,
    spec: TableSpec,
    keys: Keys,
    known: Mapping[str, Remembered],
) -> Keys:
    """The deliveries of each key, with those that tell what an adopted row shows known as that."""
    told: Keys = {}
    for entity, there in known.items():
        memory = there.memory
        # Of nearly every table no row is known by a version of its own.
        if is_of_row(memory):
            arrivals = map(
                partial(_known, transaction, spec, memory),
                keys[entity],
            )
            told[entity] = list(arrivals)
    return {**keys, **told}


def _known(
    transaction: Transaction,
    spec: TableSpec,
    memory: Memory | None,
    arrival: Arrival,
) -> Arrival:
    event = arrival.event
    columns = columns_of_row(memory, event, transaction.lineage())
    if columns is None or not _is_shown(transaction, spec, event, columns):
        return arrival
    return replace(arrival, event=as_of_row(event))


def _is_shown(transaction: Transaction, spec: TableSpec, event: Event, columns: list[str]) -> bool:
    told = dict(event.fields or {})
    # Only a store that adopts so has such memories.
    showing = cast(Showing, transaction)
    return showing.shows(
        spec,
        dict(event.key or {}),
        dict(zip(columns, map(told.get, columns), strict=True)),
    )


def content_before(
    transaction: Transaction,
    spec: TableSpec,
    memory: Memory | None,
    event: Event,
) -> dict[str, object] | None:
    """What the row of a disputed event is before its batch is written. `memory`: of its key."""
    # What an adopted row shows is a content in the columns that events name, this one's among them.
    if is_of_row(memory) and spec.writes_rows:
        transaction.name_columns(spec, {*(event.fields or {}), *event.holes})
    return transaction.content(spec, event.key or {})
