"""Every recorded stream decodes without a malformed record, to exactly what its manifest
counted."""

from __future__ import annotations

import collections
from collections.abc import Iterator

import pytest

from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition
from anyorder.envelopes import open_envelope, read_record
from tests.recordings import Telling, needs_recordings, tellings

pytestmark = needs_recordings
MESSAGE = "a logical message"


def decoded(telling: Telling) -> Iterator[Event]:
    envelope = open_envelope("debezium")
    return (envelope.decode(read_record(line)) for line in telling.lines())


def counted_as(event: Event) -> str:
    """The manifest's name for a record of this kind; one that it does not have for what must not
    be."""
    if event.kind is Kind.HINT:
        return "tombstones"
    if event.kind is Kind.CONTROL:
        return "op m" if event.note == MESSAGE else "not change events"
    if event.kind in (Kind.MALFORMED, Kind.NO_CONTENT):
        return f"{event.kind}: {event.note}"
    assert isinstance(event.position, LogPosition)
    assert (event.kind is Kind.DELETE, event.kind is Kind.TRUNCATE) == (
        event.position.op == "d",
        event.position.op == "t",
    )
    return f"op {event.position.op}".replace("op i", "op r")


@pytest.mark.parametrize("telling", tellings(), ids=str)
def test_a_recorded_stream_decodes_to_what_its_manifest_counted(telling: Telling) -> None:
    found: collections.Counter[str] = collections.Counter()
    before: dict[tuple[str, int], Event] = {}
    for event in decoded(telling):
        place = event.delivery.topic, event.delivery.partition
        found[counted_as(event)] += 1
        found["records with placeholders"] += bool(event.holes)
        found["cells with placeholders"] += len(event.holes)
        if event.kind is Kind.HINT:
            gone = before[place]
            assert (gone.kind, gone.table, gone.entity) == (Kind.DELETE, event.table, event.entity)
        before[place] = event

    facts = telling.manifest["facts"]
    names = (
        "tombstones",
        "not change events",
        "records with placeholders",
        "cells with placeholders",
        *(n for n in facts if n.startswith("op ")),
    )
    assert found == collections.Counter({name: facts.get(name, 0) for name in names})


def test_with_and_without_schemas_one_stream_says_the_same() -> None:
    plain, wrapped = (
        list(decoded(Telling("users_small", name))) for name in ("records", "records_schema")
    )

    def said(events: list[Event]) -> dict[object, object]:
        """By what both connectors share: their snapshots were taken at two positions, their topics
        have two names."""
        told = {}
        for event in events:
            assert isinstance(event.position, LogPosition)
            position = event.position
            place = (
                (position.op, position.lsn, position.transaction)
                if position.op in "cud"
                else (position.op, event.entity)
            )
            fields = (
                None
                if event.fields is None
                else {name: cell for name, cell in event.fields.items() if name != "balance"}
            )
            told[event.kind, event.table, event.entity, place, event.delivery.offset] = (
                fields,
                event.creates,
                event.holes,
                position.seq0 is None,
            )
        return told

    assert len(plain) == len(wrapped) == len(said(plain))
    assert said(plain) == said(wrapped)


def test_with_a_schema_a_decimal_is_the_sources_own_text() -> None:
    rows: dict[str, object] = {}
    for event in decoded(Telling("users_small", "records_schema")):
        if event.kind is Kind.DELETE:
            rows.pop(event.entity)
        elif event.kind is Kind.PUT and event.fields is not None:
            rows[event.entity] = event.fields["balance"]
    truth = {
        f'{{"id":{row["key"]["id"]}}}': row["row"]["balance"]
        for row in Telling("users_small", "source").rows()
    }

    assert rows == truth
    assert len(rows) == 80
