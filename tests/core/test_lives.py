"""A key whose versions start again: what is suspected, what an operator's word begins, and what the
events themselves may say of lives."""

from __future__ import annotations

import itertools

import pytest

from anyorder._core.batch import identity_of
from anyorder._core.decide import decide
from anyorder._core.event import Event, Kind
from anyorder._core.explain import contradiction, explain_memory
from anyorder._core.families import LifePosition, ScalarPosition
from anyorder._core.families.restarting import Bound
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.reset import PRODUCER_MARGIN
from anyorder._core.word import accept

NO_LIMITS = Limits()
DAY = 86_400_000_000
SCOPE = 'json:t/{"id":1}'
SUSPECTED, STALE, APPLIED = Reason.SUSPECTED_RESET, Reason.STALE, Reason.APPLIED


def put(version: int, time: int | None, **fields: object) -> Event:
    position = ScalarPosition("version", SCOPE, (version,), per_entity=True, time=time)
    told = fields or {"x": f"{version} at {time}"}
    return Event(Kind.PUT, "t", {"id": 1}, position, told, time=time)


def delete(version: int, time: int | None) -> Event:
    position = ScalarPosition("version", SCOPE, (version,), per_entity=True, time=time)
    return Event(Kind.DELETE, "t", {"id": 1}, position, time=time)


def after(*events: Event) -> Memory:
    memory = None
    for event in events:
        memory = decide(memory, event, NO_LIMITS).memory
    assert memory is not None
    return memory


def reason(memory: Memory | None, event: Event) -> Reason:
    return decide(memory, event, NO_LIMITS).reason


@pytest.mark.parametrize("stored", [put(8, DAY), delete(8, DAY)], ids=["row", "tombstone"])
@pytest.mark.parametrize(
    ("version", "apart", "expected"),
    [
        (1, PRODUCER_MARGIN, STALE),
        (1, PRODUCER_MARGIN + 1, SUSPECTED),
        (8, PRODUCER_MARGIN + 1, SUSPECTED),
        (9, PRODUCER_MARGIN + 1, APPLIED),
        (9, -PRODUCER_MARGIN, APPLIED),
        (9, -PRODUCER_MARGIN - 1, SUSPECTED),
        (8, -PRODUCER_MARGIN - 1, SUSPECTED),
        (7, -PRODUCER_MARGIN - 1, STALE),
    ],
)
def test_version_and_time_that_contradict_each_other_are_suspected(
    stored: Event, version: int, apart: int, expected: Reason
) -> None:
    assert reason(after(stored), put(version, DAY + apart)) is expected


def test_without_a_time_on_either_side_nothing_is_judged() -> None:
    assert reason(after(put(8, DAY)), put(1, None)) is STALE
    assert reason(after(put(8, None)), put(1, DAY)) is STALE


def test_a_key_that_is_deleted_twice_is_deleted_and_later() -> None:
    memory = after(delete(8, DAY), delete(2, 3 * DAY))

    assert memory.stamp.position.time == 3 * DAY
    assert reason(memory, put(1, 2 * DAY)) is STALE
    assert reason(memory, put(1, 4 * DAY)) is SUSPECTED


def test_a_life_that_was_let_in_remembers_what_it_began_over() -> None:
    row = accept(after(delete(8, 2 * DAY)), put(1, 9 * DAY), NO_LIMITS).memory
    assert row is not None
    assert (row.bound, row.declared) == (Bound((8,), 2 * DAY), None)
    assert unpack(pack(row)) == row

    assert reason(row, put(7, DAY)) is STALE
    assert reason(row, put(9, DAY)) is SUSPECTED
    assert reason(row, put(2, 10 * DAY)) is APPLIED
    ended = decide(row, delete(2, 10 * DAY), NO_LIMITS).memory
    assert ended is not None
    assert ended.bound == row.bound
    assert ended.greatest.position == ScalarPosition(
        "version", SCOPE, (8,), per_entity=True, time=10 * DAY
    )


def test_what_a_word_let_in_as_a_life_is_what_it_chose() -> None:
    row = accept(after(delete(8, 2 * DAY)), put(1, 9 * DAY, x="a"), NO_LIMITS).memory
    assert row is not None
    assert row.stamp.is_marked

    assert reason(row, put(1, 9 * DAY, x="a")) is Reason.DUPLICATE
    other = decide(row, put(1, 9 * DAY, x="b"), NO_LIMITS)
    assert (other.reason, other.memory) == (Reason.CONFLICT, row)


def test_a_third_life_is_bound_by_both_before_it() -> None:
    second = accept(after(delete(8, 2 * DAY)), put(1, 9 * DAY), NO_LIMITS).memory
    third = accept(second, put(1, 20 * DAY), NO_LIMITS).memory

    assert third is not None
    assert third.bound == Bound((8,), 9 * DAY)


def test_what_is_no_later_takes_the_row_and_ends_no_life() -> None:
    row = accept(after(put(1, 9 * DAY)), put(7, DAY), NO_LIMITS).memory

    assert row is not None
    assert (row.stamp.position.time, row.bound) == (DAY, None)


def test_a_memory_of_before_is_read_and_one_without_a_bound_is_spelled_as_ever() -> None:
    row = after(put(8, DAY, x=1))
    text = pack(row, "t")

    assert text == (
        '[[["scalar","version","json:t/{\\"id\\":1}",[8],"","",true,false,86400000000],1,'
        f'"{row.stamp.fingerprint}"],"t"]'
    )


def test_the_same_content_at_the_same_version_of_two_lives_are_two_events() -> None:
    assert identity_of(put(1, DAY, x=1)) != identity_of(put(1, 9 * DAY, x=1))
    assert identity_of(put(1, None, x=1)) == identity_of(put(1, None, x=1))


def test_a_suspicion_names_both_places_and_a_row_whose_word_began_it() -> None:
    told = contradiction(put(1, 9 * DAY), after(delete(8, DAY)).stamp)
    assert told == (
        "a put at version 1 (1970-01-10 00:00:00.000000Z) and a delete at version 8 "
        "(1970-01-02 00:00:00.000000Z) contradict each other: the versions of this key seem to "
        "have started again"
    )

    row = accept(after(delete(8, DAY)), put(1, 9 * DAY), NO_LIMITS).memory
    assert "An operator's word began this life" in " ".join(explain_memory("t 1", row, {"x"}))


def lived(life: int, version: int, *columns: str) -> Event:
    """An event of a life; a put of these columns only, or a delete."""
    position = LifePosition(
        "version", SCOPE, (version,), per_entity=True, life_kind="integer", life=life
    )
    if not columns:
        return Event(Kind.DELETE, "t", {"id": 1}, position)
    fields = dict.fromkeys(columns, f"{life}.{version}")
    return Event(Kind.PUT, "t", {"id": 1}, position, fields, partial=True)


LIVES = {
    "deleted": (lived(1, 1, "x", "y"), lived(1, 2), lived(2, 1, "x", "y"), lived(2, 2, "x")),
    "delete lost": (lived(1, 5, "x", "y"), lived(2, 1, "x", "y"), lived(2, 2, "y")),
    "begins with a hole": (lived(1, 5, "x", "y"), lived(1, 6), lived(2, 1, "x")),
    "hole, delete lost": (lived(1, 5, "x", "y"), lived(1, 6, "x"), lived(2, 1, "x")),
    "ended": (lived(1, 5, "x"), lived(1, 6), lived(2, 1, "y"), lived(2, 2)),
}


@pytest.mark.parametrize("name", LIVES)
def test_lives_told_by_the_events_are_one_after_the_other_in_every_order(name: str) -> None:
    events = LIVES[name]
    newest = events[-1].position
    assert isinstance(newest, LifePosition)
    wanted: dict[str, object] = {}
    for event in events:
        assert isinstance(event.position, LifePosition)
        if event.position.life == newest.life:
            wanted = {} if event.kind is Kind.DELETE else {**wanted, **(event.fields or {})}

    for order in itertools.permutations(events):
        shown: dict[str, object] = {}
        memory: Memory | None = None
        for event in [*order, *order]:
            told_now = decide(memory, event, NO_LIMITS)
            memory, written = told_now.memory, told_now.written
            assert not told_now.reason.quarantined
            if memory is None or not memory.live:
                shown = {}
            elif written is not None:
                shown = dict(written.onto(shown))
        told = {column: value for column, value in shown.items() if value is not None}
        assert told == wanted, [event.position for event in order]
