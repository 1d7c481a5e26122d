"""Events that tell what the row of their key has shown since it was adopted, at the version of its
own column: they are the row's own, and no other content of that version (rules R12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from anyorder._core.batch import Arrival, replace
from anyorder._core.event import Event
from anyorder._core.families import AdoptedVersion
from anyorder._core.memory import Memory
from anyorder._core.row_clock import as_of_row, columns_of_row
from anyorder.guard.contract import Remembered, Showing, TableSpec, Transaction

Keys = dict[str, list[Arrival]]


def with_own_content(
    transaction: Transaction,
    spec: TableSpec,
    keys: Keys,
    known: Mapping[str, Remembered],
) -> Keys:
    """The deliveries of each key, with those that tell what an adopted row shows known as that."""
    rows = {entity: there.memory for entity, there in known.items() if _is_of_row(there.memory)}
    # Of nearly every table no row is known by a version of its own.
    if not rows:
        return keys
    told = dict(keys)
    for entity, memory in rows.items():
        told[entity] = [_known(transaction, spec, memory, one) for one in keys[entity]]
    return told


def _is_of_row(memory: Memory | None) -> bool:
    if memory is None:
        return False
    stamps = [memory.stamp] if memory.is_simple else memory.stamps
    return any(isinstance(stamp.position, AdoptedVersion) for stamp in stamps)


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
    told = event.fields or {}
    # Only a store that adopts so has such memories.
    showing = cast(Showing, transaction)
    return showing.shows(spec, event.key or {}, {name: told[name] for name in columns})


def content_before(
    transaction: Transaction,
    spec: TableSpec,
    memory: Memory | None,
    event: Event,
) -> dict[str, object] | None:
    """What the row of a disputed event is before its batch is written. `memory`: of its key."""
    # What an adopted row shows is a content in the columns that events name, this one's among them.
    if _is_of_row(memory) and spec.writes_rows:
        transaction.name_columns(spec, {*(event.fields or {}), *event.holes})
    return transaction.content(spec, event.key or {})
