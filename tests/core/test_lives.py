"""A key whose versions start again: what is suspected, what an operator's word begins, and what the
events themselves may say of lives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from anyorder._core.batch import identity_of
from anyorder._core.decide import decide
from anyorder._core.event import Event, Kind
from anyorder._core.explain import contradiction, explain_memory
from anyorder._core.families import LifePosition, ScalarPosition
from anyorder._core.families.restarting import Bound
from anyorder._core.fold import Applied, Limits
from anyorder._core.memory import Memory, pack, replace, unpack
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
        "an upsert at version 1 (1970-01-10 00:00:00.000000Z) and a delete at version 8 "
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


def part(version: int, time: int, **fields: object) -> Event:
    return replace(put(version, time, **fields), partial=True)


EARLIER = (part(1, DAY, name="x"), part(2, DAY, email="e"))
LATER = (part(1, 20 * DAY, name="y"), part(3, 20 * DAY, phone="p"))


def told(events: Sequence[Event]) -> tuple[Memory, dict[str, object], list[Event]]:
    """What is remembered, what the row shows, and what is held, decided again at each step."""
    memory, row, held = None, dict[str, object](), list[Event]()
    for event in events:
        waiting, held = [event, *held], []
        for one in waiting:
            decided = decide(memory, one, NO_LIMITS)
            memory, row = decided.memory, shown(row, decided)
            if decided.reason is SUSPECTED:
                held.append(one)
    assert memory is not None
    return memory, row, held


def shown(row: dict[str, object], decided: Applied) -> dict[str, object]:
    if decided.written is not None:
        row = decided.written.onto(row)
    return {name: value for name, value in row.items() if value is not None}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_no_value_of_a_dead_life_stays_in_a_row_of_partial_events(order: tuple[int, ...]) -> None:
    """A row of several events is contradicted by what contradicts any of them."""
    events = EARLIER + LATER
    memory, row, held = told([events[place] for place in order])

    # A person: what is of the later life is true.
    for event in (one for one in held if one in LATER):
        answer = accept(memory, event, NO_LIMITS)
        assert answer.memory is not None
        memory, row = answer.memory, shown(row, answer)

    assert row == {"name": "y", "phone": "p"}
    for event in EARLIER:
        assert decide(memory, event, NO_LIMITS).reason in (STALE, SUSPECTED)


def test_what_is_told_after_a_delete_and_below_it_is_suspected_by_a_row_of_partial_events() -> None:
    """The new life's later event came first, and its version is above the delete's."""
    memory = after(put(1, DAY), delete(2, DAY), part(3, 20 * DAY, phone="p"))

    first = decide(memory, part(1, 20 * DAY, name="y"), NO_LIMITS)
    assert first.reason is SUSPECTED
    let_in = accept(memory, part(1, 20 * DAY, name="y"), NO_LIMITS)
    assert let_in.memory is not None
    assert let_in.memory.bound == Bound((2,), DAY)
    assert shown({"phone": "p"}, let_in) == {"name": "y", "phone": "p"}


def test_one_life_in_parts_is_never_suspected() -> None:
    for order in itertools.permutations(LATER):
        _, row, held = told(order)
        assert (row, held) == ({"name": "y", "phone": "p"}, [])


def test_a_straggler_that_a_word_lets_in_beside_a_row_takes_nothing_newer() -> None:
    """By his word the versions did not start again: then they are the order."""
    memory = after(*LATER)

    answer = accept(memory, part(2, DAY, email="e", phone="q"), NO_LIMITS)

    assert answer.memory is not None
    assert shown({"name": "y", "phone": "p"}, answer) == {"name": "y", "phone": "p", "email": "e"}
