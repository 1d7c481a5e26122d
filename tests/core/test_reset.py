"""A history that starts again is noticed; a healthy one, in any order, is not."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anyorder._core.event import Event, Kind, canonical
from anyorder._core.families import LogPosition, OffsetPosition, ScalarPosition
from anyorder._core.floor import Value
from anyorder._core.outcome import Reason
from anyorder._core.reset import (
    CHECKPOINTS,
    SOURCE_MARGIN,
    Growth,
    observe,
    observe_snapshot,
    suspect,
    watched,
)
from anyorder.guard.contract import EntryQuery, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores.memory.store import MemoryStore

MINUTE = 60_000_000
replace = msgspec.structs.replace


@pytest.mark.parametrize("restart", range(1, 7))
def test_no_order_of_a_second_life_is_silently_called_stale(restart: int) -> None:
    first = [(position, position * MINUTE) for position in range(1, 7)]
    second = [(restart + n, (100 + n) * MINUTE) for n in range(6)]

    for order in itertools.permutations(second):
        growth = Growth()
        for position, time in [*first, *order]:
            growth = observe(growth, position, time, MINUTE // 2)
            assert growth.suspected or (position, time) in first or position >= first[-1][0]


@pytest.mark.parametrize("seed", range(20))
def test_a_healthy_stream_in_any_order_raises_no_alarm(seed: int) -> None:
    events = [(position, position * 1000) for position in range(1, 500)]
    random.Random(seed).shuffle(events)
    growth = Growth()

    for position, time in events:
        growth = observe(growth, position, time, 0)

    assert not growth.suspected
    assert len(growth.checkpoints) <= CHECKPOINTS


NUMBERS = st.integers(1, 12)
SEVERAL = st.tuples(NUMBERS, NUMBERS)


def told_by(places: st.SearchStrategy[Value]) -> st.SearchStrategy[list[tuple[Value, int]]]:
    return st.lists(st.tuples(places, NUMBERS), max_size=30)


@example([(5, 1), (9, 9), (9, 12)], 0)
@example([(5, 1), (9, 9), (3, 5)], 0)
@given(told_by(NUMBERS) | told_by(SEVERAL), st.integers(0, 4))
def test_the_checkpoint_that_is_looked_for_tells_what_all_of_them_tell(
    told: list[tuple[Value, int]], margin: int
) -> None:
    growth = Growth()

    for position, time in told:
        seen = [(at, then) for at, then in growth.checkpoints if numbers(at) > numbers(position)]
        is_contradicted = any(then < time - margin for _, then in seen)
        was_suspected = growth.suspected
        growth = observe(growth, position, time, margin)
        assert growth.suspected == (was_suspected or is_contradicted)


def numbers(position: Value) -> tuple[int, ...]:
    return (position,) if isinstance(position, int) else position


def put(lsn: int, time: int, op: str = "u") -> Event:
    position = LogPosition(
        "pg:a", lsn, op, lsn - 1 if op != "r" else None, lsn, "t/0", lsn, "", time
    )
    return Event(Kind.PUT, "public.users", {"id": lsn}, position, {"id": lsn}, time=time)


def test_incremental_reads_and_events_without_a_time_are_not_judged() -> None:
    assert watched(put(5, 5, "i")) is None
    assert watched(Event(Kind.PUT, "t", {"id": 1}, put(5, 5).position, {"id": 1})) is None


def reasons_of(*told: Event) -> list[Reason]:
    store, spec = MemoryStore(), TableSpec("users", ("id",))
    return [d.reason for d in take(store, [Share(spec, told)], now=0.0, token="a").decisions]


@pytest.mark.parametrize("op", ["r", "u"])
def test_a_snapshot_of_a_log_that_was_further_before_is_suspected(op: str) -> None:
    """Nothing but the snapshots may have been told: a table that hardly changes."""
    known = put(1000, 10 * SOURCE_MARGIN, op)
    again = put(10, 30 * SOURCE_MARGIN, "r")

    assert reasons_of(known, again) == [Reason.APPLIED, Reason.SUSPECTED_RESET]


@pytest.mark.parametrize("op", ["i", "c", "d"])
def test_what_is_not_judged_by_itself_is_held_when_its_clock_is_suspected(op: str) -> None:
    again = put(10, 30 * SOURCE_MARGIN)
    unjudged = put(20, 31 * SOURCE_MARGIN, op)
    unjudged = replace(unjudged, position=replace(unjudged.position, seq0=None))

    found = reasons_of(put(1000, 10 * SOURCE_MARGIN), again, unjudged)

    assert found == [Reason.APPLIED, Reason.SUSPECTED_RESET, Reason.SUSPECTED_RESET]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_snapshots_and_changes_of_a_healthy_log_raise_no_alarm_in_any_order(
    order: tuple[int, ...],
) -> None:
    """A transaction that was open at the first snapshot is placed below it, and stamped later."""
    told = [
        put(1000, 10 * SOURCE_MARGIN, "r"),
        put(900, 40 * SOURCE_MARGIN),
        put(1500, 50 * SOURCE_MARGIN),
        put(2000, 60 * SOURCE_MARGIN, "r"),
    ]

    assert Reason.SUSPECTED_RESET not in reasons_of(*(told[place] for place in order))


def test_a_dismissed_clock_forgets_its_snapshots_too() -> None:
    growth = observe_snapshot(Growth(), 1000, 10 * MINUTE, 0)
    growth = observe(growth, 1, 1, 0)

    assert growth.snapshots == ((1000, 10 * MINUTE),)
    assert observe_snapshot(growth, 10, 11 * MINUTE, 0).suspected
    assert not observe_snapshot(Growth(), 10, 11 * MINUTE, 0).suspected


def test_from_the_first_suspicion_on_everything_of_the_scope_is_quarantined() -> None:
    store, spec = MemoryStore(), TableSpec("users", ("id",))
    healthy = [put(1000, 10 * SOURCE_MARGIN), put(2000, 20 * SOURCE_MARGIN)]
    again = [put(10, 30 * SOURCE_MARGIN), put(3000, 31 * SOURCE_MARGIN)]

    reasons = [
        d.reason
        for d in take(store, [Share(spec, [*healthy, *again])], now=0.0, token="a").decisions
    ]

    assert sorted(reasons) == sorted(
        [Reason.APPLIED, Reason.APPLIED, Reason.SUSPECTED_RESET, Reason.SUSPECTED_RESET]
    )


@pytest.mark.parametrize("size", [1, 6])
def test_an_entry_keeps_the_reason_that_the_event_had_first_however_it_is_batched(
    size: int,
) -> None:
    """One event comes undecided, and again when its clock is suspected: the quarantine and the
    books do not depend on where a batch is cut (rules R9)."""
    doubtful = moved(key=1, partition=1, offset=5, minutes=0)
    events = [
        moved(key=1, partition=0, offset=5, minutes=0),
        doubtful,
        moved(key=2, partition=1, offset=1000, minutes=60),
        moved(key=3, partition=1, offset=2000, minutes=120),
        moved(key=4, partition=1, offset=3, minutes=600),
        doubtful,
    ]
    store, spec = MemoryStore(), TableSpec("users", ("id",))

    for start in range(0, len(events), size):
        take(store, [Share(spec, events[start : start + size])], now=0.0, token=f"{start}")

    with store.reading() as transaction:
        held = {canonical(entry.key): entry for entry in transaction.entries(EntryQuery())}
    assert held['{"id":1}'].reason == "conflict"
    assert held['{"id":1}'].count == 2


def moved(*, key: int, partition: int, offset: int, minutes: int) -> Event:
    """A record of a raw topic."""
    time = minutes * 60_000_000
    position = OffsetPosition("kafka:users", partition, offset, time=time)
    return Event(Kind.PUT, "users", {"id": key}, position, {"id": key}, time=time)


FIRST = 1_700_000_000_000_000
HOUR = 60 * MINUTE
CLOCKS = {
    "binlog": (("binlog", "mysql:a/bin", "1"), (900, 100, 0), (1, 301, 0)),
    "binlog, one file": (("binlog", "mysql:a/bin", "1"), (1, 5000, 0), (1, 301, 0)),
    "SQL Server": (("sqlserver", "sqlserver:a/db", ""), (2**70, 5, 1), (2**69, 9, 2)),
    "Oracle": (("oracle", "oracle:a/db", ""), (2**80, 3), (2**64, 4)),
    "resourceVersion": (("kubernetes", "json:pods", ""), (110207,), (12,)),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_of_one_sequence_that_falls_while_time_goes_on_is_suspected(name: str) -> None:
    (kind, scope, lineage), high, low = CLOCKS[name]

    def told(key: int, value: tuple[int, ...], time: int) -> Event:
        position = ScalarPosition(kind, scope, value, lineage, time=time)
        return Event(Kind.PUT, "t", {"id": key}, position, {"id": key, "at": time}, time=time)

    store, spec = MemoryStore(), TableSpec("t", ("id",))
    events = [
        told(1, high, FIRST),
        # What comes late, with its own early time, is healthy.
        told(2, low, FIRST - HOUR),
        told(1, low, FIRST + HOUR),
        told(3, low, FIRST + HOUR + 1),
    ]
    reasons: list[Reason] = []
    for number, event in enumerate(events):
        taken = take(store, [Share(spec, [event])], now=0.0, token=f"{number}")
        reasons += [decision.reason for decision in taken.decisions]

    assert reasons == [
        Reason.APPLIED,
        Reason.APPLIED,
        Reason.SUSPECTED_RESET,
        Reason.SUSPECTED_RESET,
    ]


def test_a_growth_of_before_is_read_and_one_of_several_numbers_is_kept() -> None:
    text = b'{"checkpoints":[[1,2]],"highest":5,"latest":7,"suspected":false}'
    several = Growth((((3, 2**70), 2),), (3, 2**70), 7)

    assert msgspec.json.decode(text, type=Growth) == Growth(((1, 2),), 5, 7)
    assert msgspec.json.decode(msgspec.json.encode(several), type=Growth) == several


def test_a_long_transaction_of_mysql_raises_no_alarm() -> None:
    """It is stamped when its statement began, and gets its place when it commits."""
    long = ScalarPosition("binlog", "mysql:a/bin", (3, 900, 0), "1", time=FIRST)
    short = ScalarPosition("binlog", "mysql:a/bin", (3, 800, 0), "1", time=FIRST + 10 * MINUTE)
    growths: dict[str, Growth] = {}
    for position in (long, short):
        event = Event(Kind.PUT, "t", {"id": 1}, position, {"id": 1}, time=position.time)
        growing = watched(event)
        assert growing is not None
        growths[growing.scope] = suspect(growths, event, growing)

    assert not any(growth.suspected for growth in growths.values())
