"""Every reason is given where the rules give it, and the sentences say so."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import astuple

from anyorder._core.batch import Decision, arrivals_of, coalesce, identity_of
from anyorder._core.decide import decide, forget
from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.explain import explain, explain_memory
from anyorder._core.families import LogPosition, OffsetPosition, ScalarPosition
from anyorder._core.families.timestamp import utc
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, pack, unpack
from anyorder._core.outcome import REASONS, Outcome, Reason, outcome_of
from anyorder._core.word import accept

NO_LIMITS = Limits()


def event(
    kind: Kind,
    lsn: int = 10,
    op: str = "u",
    fields: dict[str, object] | None = None,
    **more: Any,
) -> Event:
    position = LogPosition("pg:a", lsn, op, lsn - 1, lsn, "t/0", lsn, "01a", lsn)
    return Event(kind, "public.users", {"id": 1}, position, fields, **more)


def put(lsn: int, op: str = "u", **fields: object) -> Event:
    return event(Kind.PUT, lsn, op, fields)


def remembered(*events: Event) -> Memory | None:
    return coalesce(None, arrivals_of(events), (), NO_LIMITS).after


def forgotten(lsn: int) -> Limits:
    memory = remembered(event(Kind.DELETE, lsn, "d"))
    assert memory is not None
    return forget(NO_LIMITS, memory.stamp)


@pytest.mark.parametrize(
    ("memory", "limits", "arriving", "reason"),
    [
        (None, NO_LIMITS, put(10, x=1), Reason.APPLIED),
        (remembered(put(10, x=1)), NO_LIMITS, put(10, x=1), Reason.DUPLICATE),
        (remembered(put(10, x=1)), NO_LIMITS, put(9, x=1), Reason.STALE),
        (remembered(event(Kind.DELETE, 10, "d")), NO_LIMITS, put(9, x=1), Reason.STALE),
        (None, forgotten(20), event(Kind.DELETE, 10, "d"), Reason.ABSORBED),
        (None, forgotten(20), put(10, x=1), Reason.LATE),
        (remembered(put(10, x=1)), NO_LIMITS, put(10, x=2), Reason.CONFLICT),
        (None, NO_LIMITS, event(Kind.MALFORMED), Reason.MALFORMED),
        (None, NO_LIMITS, event(Kind.NO_CONTENT), Reason.NO_CONTENT),
        (None, NO_LIMITS, event(Kind.CONTROL), Reason.NOT_A_CHANGE),
        (None, NO_LIMITS, event(Kind.HINT, 11, "h"), Reason.WAITING),
        (
            remembered(event(Kind.DELETE, 10, "d")),
            NO_LIMITS,
            event(Kind.HINT, 11, "h"),
            Reason.NOT_A_CHANGE,
        ),
        (None, forgotten(20), event(Kind.HINT, 21, "h"), Reason.NOT_A_CHANGE),
        (None, forgotten(20), event(Kind.HINT, 22, "h"), Reason.WAITING),
        (
            None,
            forgotten(20),
            Event(Kind.PUT, "t", {"id": 1}, OffsetPosition("kafka:t", 0, 99), {"x": 1}),
            Reason.UNKNOWN_SCOPE,
        ),
        (
            remembered(put(10, x=1)),
            NO_LIMITS,
            Event(Kind.PUT, "t", {"id": 1}, ScalarPosition("version", "s", (1,)), {"x": 1}),
            Reason.CONFLICT,
        ),
    ],
)
def test_each_situation_has_its_reason(
    memory: Memory | None, limits: Limits, arriving: Event, reason: Reason
) -> None:
    assert decide(memory, arriving, limits).reason is reason


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.APPLIED])
def test_a_decision_is_true_only_if_it_was_applied(reason: Reason) -> None:
    assert Decision(put(1), Reason.APPLIED)
    assert not Decision(put(1), reason)
    assert Decision(put(1), reason).outcome is outcome_of(reason)
    assert Decision(put(1), reason).quarantined == (outcome_of(reason) is Outcome.QUARANTINED)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_decision_is_told_in_sentences_that_name_the_key_and_what_to_do(reason: Reason) -> None:
    told = explain(Decision(put(1, x=2), reason))

    assert '{"id":1}' in told
    assert REASONS[reason].sentence in told
    assert (REASONS[reason].to_do in told) == (outcome_of(reason) is Outcome.QUARANTINED)


def test_an_unrouted_record_is_told_by_its_place() -> None:
    lost = Event(Kind.PUT, delivery=Delivery("orders", 3, 42))

    assert "orders/3@42" in explain(Decision(lost, Reason.UNROUTED))


def test_what_cannot_be_decoded_is_one_event_by_any_queue_and_another_at_each_offset() -> None:
    """Undecodable bytes that no source numbers are one event however often a redrive moves them;
    where offsets tell, each is one of its own."""

    def unread(topic: str, partition: int = -1, offset: int = -1, value: bytes = b"hello") -> str:
        return identity_of(
            Event(Kind.MALFORMED, delivery=Delivery(topic, partition, offset, value=value))
        )

    assert unread("users") == unread("users-dead-letters")
    assert unread("users") != unread("users", value=b"hello!")
    assert (
        len(
            {
                unread("users"),
                unread("users", 0, 1),
                unread("users", 0, 2),
                unread("users", 1, 1),
                unread("clients", 0, 1),
            }
        )
        == 5
    )


def test_a_row_of_several_events_tells_where_each_column_came_from_and_what_is_missing() -> None:
    newer = Event(
        Kind.PUT, "public.users", {"id": 1}, put(20).position, {"x": 2}, frozenset({"y", "z"})
    )
    memory = remembered(
        newer,
        Event(
            Kind.PUT,
            "public.users",
            {"id": 1},
            put(10).position,
            {"x": 1, "y": 5},
            frozenset({"z"}),
        ),
    )

    told = " ".join(explain_memory("users 1", memory, set()))

    assert "y: told by an update at pg:a at LSN 0/A" in told
    assert "no delivered event has told z" in told


def test_an_accepted_row_refuses_a_newer_put_below_its_birth_and_goes_with_a_delete_there() -> None:
    limits = forgotten(50)
    row = accept(None, put(10, x=1), limits).memory
    assert row is not None

    assert decide(row, put(20, x=2), limits).reason is Reason.LATE
    assert astuple(decide(row, event(Kind.DELETE, 20, "d"), limits))[:3] == (
        None,
        None,
        Reason.ABSORBED,
    )
    assert decide(row, put(60, x=2), limits).reason is Reason.APPLIED


@pytest.mark.parametrize(
    "memory",
    [
        remembered(put(10, x=1)),
        remembered(event(Kind.DELETE, 10, "d")),
        remembered(Event(Kind.PUT, "t", {"id": 1}, put(10).position, {"x": 1}, partial=True)),
        accept(None, put(10, x=1), forgotten(50)).memory,
        remembered(put(10, x=1), put(10, x=2)),
        coalesce(
            None,
            arrivals_of(
                [Event(Kind.PUT, "t", {"id": 1}, put(60).position, {"x": 1}, frozenset({"y"}))]
            ),
            (),
            forgotten(50),
        ).after,
    ],
)
def test_a_memory_comes_back_from_its_text_as_it_was(memory: Memory | None) -> None:
    assert memory is not None
    read = unpack(pack(memory))

    assert (read.stamp, read.cells, read.base, read.disputed, read.declared) == (
        memory.stamp,
        memory.cells,
        memory.base,
        memory.disputed,
        memory.declared,
    )


def test_times_are_spelled_as_the_calendar_has_them() -> None:
    assert utc(1_795_478_437_766_404) == "2026-11-24 00:00:37.766404Z"
    assert utc(-1) == "1969-12-31 23:59:59.999999Z"
