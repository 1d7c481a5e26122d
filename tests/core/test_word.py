"""An operator's word is final (rules R11): what he chose moves only for what is newer, and he takes
nothing newer away."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import astuple

from anyorder._core.columns import holes, source_of
from anyorder._core.decide import decide, forget, truncate
from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition, ScalarPosition
from anyorder._core.fold import Applied, Limits
from anyorder._core.marks import marked
from anyorder._core.memory import Memory, Stamp, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.word import accept, needs_word

NO_LIMITS = Limits()


def put(version: int, scope: str = "s", *, partial: bool = False, **fields: Any) -> Event:
    position = ScalarPosition("version", scope, (version,))
    return Event(Kind.PUT, "t", {"id": 1}, position, fields, partial=partial)


def part(version: int, scope: str = "s", **fields: Any) -> Event:
    return put(version, scope, partial=True, **fields)


def delete(version: int, scope: str = "s") -> Event:
    return Event(Kind.DELETE, "t", {"id": 1}, ScalarPosition("version", scope, (version,)))


def after(*events: Event, limits: Limits = NO_LIMITS) -> Memory:
    memory: Memory | None = None
    for event in events:
        memory = decide(memory, event, limits).memory
    assert memory is not None
    return memory


def accepted(memory: Memory | None, event: Event, limits: Limits = NO_LIMITS) -> Memory:
    found = accept(memory, event, limits).memory
    assert found is not None
    return unpack(pack(found))


def forgotten(version: int) -> Limits:
    return forget(NO_LIMITS, after(delete(version)).stamp)


def teller(memory: Memory, column: str) -> Stamp:
    stamp = source_of(memory, column)
    assert stamp is not None
    return stamp


ONE, TWO, THREE = put(1, x=1), put(1, x=2), put(1, x=3)
CONTENTS = [ONE, TWO, THREE, part(1, x=4), delete(1)]


@pytest.mark.parametrize("chosen", CONTENTS)
@pytest.mark.parametrize("other", CONTENTS)
def test_another_content_of_a_settled_position_is_told_and_moves_nothing(
    chosen: Event, other: Event
) -> None:
    rival = TWO if chosen is ONE else ONE
    memory = accepted(after(rival, chosen), chosen)

    told = decide(memory, other, NO_LIMITS)

    assert told.memory is memory
    assert told.written is None
    expected = Reason.DUPLICATE if other is chosen else Reason.CONFLICT
    assert told.reason is expected


def test_what_is_told_otherwise_is_told_against_the_chosen_content() -> None:
    memory = accepted(after(ONE, TWO), ONE)

    against = decide(memory, TWO, NO_LIMITS).against

    assert isinstance(against, Stamp)
    assert against.is_marked
    assert against.fingerprint == ONE.fingerprint


@pytest.mark.parametrize("chosen", CONTENTS)
def test_anything_newer_moves_what_a_word_chose(chosen: Event) -> None:
    memory = accepted(after(ONE if chosen is TWO else TWO, chosen), chosen)

    newer = decide(memory, put(2, x=9), NO_LIMITS)

    assert newer.reason is Reason.APPLIED
    assert newer.memory is not None
    assert not newer.memory.stamp.is_marked
    assert decide(newer.memory, THREE, NO_LIMITS).reason is Reason.STALE


def test_another_word_chooses_anew() -> None:
    memory = accepted(accepted(after(ONE, TWO), ONE), TWO)

    assert memory.stamp.fingerprint == TWO.fingerprint
    assert decide(memory, ONE, NO_LIMITS).reason is Reason.CONFLICT


def test_a_dropped_dispute_stays_as_it_is_shown() -> None:
    disputed = after(ONE, TWO)
    position = ONE.position
    assert position is not None

    memory = marked(disputed, position, {})

    assert memory.stamp.fingerprint == disputed.stamp.fingerprint
    assert not memory.disputed
    for content in CONTENTS:
        assert decide(memory, content, NO_LIMITS).memory is memory
    assert marked(memory, position, {}) is memory


def test_what_is_no_dispute_is_not_marked_when_it_is_dropped() -> None:
    memory = after(put(1, "other", x=1))
    held = put(1, x=2)
    assert held.position is not None

    assert marked(memory, held.position, {}) is memory


def test_a_word_takes_nothing_newer_away() -> None:
    disputed = after(put(1, x=1, y=1), put(1, x=2, y=2), part(2, y=9))

    memory = accepted(disputed, put(1, x=1, y=1))

    assert not teller(memory, "y").is_marked
    assert teller(memory, "y").position == part(2, y=9).position
    assert teller(memory, "x").fingerprint == put(1, x=1, y=1).fingerprint
    assert teller(memory, "x").is_marked


def test_what_a_refused_content_tells_of_other_columns_is_decided_as_ever() -> None:
    memory = accepted(after(part(1, x=1), part(1, x=2)), part(1, x=1))

    told = decide(memory, part(1, x=3, y=3), NO_LIMITS)

    assert told.reason is Reason.CONFLICT
    assert told.written is not None
    assert told.written.values == {"y": 3}


def test_a_word_about_what_was_never_forgotten_leaves_an_exact_memory() -> None:
    limits = forgotten(5)
    memory = accepted(after(put(1, x=1), put(1, x=2)), put(1, x=1), limits)

    assert memory.declared is None
    assert accepted(None, put(3, x=1), limits).declared == limits.floor


def test_a_declared_row_is_ordinary_as_soon_as_nothing_of_it_is_from_before_its_birth() -> None:
    limits = forgotten(5)
    declared = accepted(None, put(3, x=1, y=1), limits)

    half = decide(declared, part(6, x=2), limits).memory
    assert half is not None
    assert half.declared == limits.floor
    assert decide(half, part(4, y=3), limits).reason is Reason.LATE
    whole = decide(half, put(7, x=3, y=3), limits).memory
    assert whole is not None
    assert whole.declared is None


def test_what_a_late_delete_clears_of_a_declared_row_is_asked_for_again() -> None:
    limits = forgotten(5)
    declared = accepted(None, put(1, x=1, y=1), limits)
    newer = decide(declared, part(6, x=2), limits).memory

    cleared = decide(newer, delete(2), limits)

    assert cleared.reason is Reason.APPLIED
    assert decide(cleared.memory, part(3, y=3), limits).reason is Reason.LATE


def test_an_accepted_delete_of_a_declared_row_stores_no_tombstone() -> None:
    limits = forgotten(5)
    declared = accepted(None, put(1, x=1), limits)

    assert astuple(accept(declared, delete(1), limits))[:3] == (None, None, Reason.ABSORBED)


def test_an_accepted_delete_that_leaves_a_newer_column_leaves_the_row() -> None:
    disputed = after(put(1, x=1, y=1), part(2, y=9), delete(1))

    memory = accepted(disputed, delete(1))

    assert memory.live
    assert holes(memory, {"x", "y"}) == ["x"]
    assert decide(memory, put(1, x=1, y=1), NO_LIMITS).reason is Reason.CONFLICT


def test_between_two_clocks_a_word_takes_all_that_is_not_newer_for_certain() -> None:
    memory = after(put(7, "a", x=1, y=1))
    assert needs_word(memory, part(1, "b", x=2), NO_LIMITS)

    memory = accepted(memory, part(1, "b", x=2))

    assert teller(memory, "x").position.scope == "b"
    assert teller(memory, "y").position.scope == "a"
    assert decide(memory, put(7, "a", x=1, y=1), NO_LIMITS).reason is Reason.CONFLICT
    held = decide(memory, put(2, "b", x=3, y=3), NO_LIMITS)
    assert astuple(held)[:3] == (memory, None, Reason.CONFLICT)
    assert astuple(decide(memory, delete(2, "b"), NO_LIMITS))[:3] == (memory, None, Reason.CONFLICT)
    assert decide(memory, part(2, "b", x=3), NO_LIMITS).reason is Reason.APPLIED


def test_what_is_not_held_any_more_needs_no_word_and_is_chosen_all_the_same() -> None:
    memory = after(ONE)

    assert not needs_word(memory, ONE, NO_LIMITS)
    applied = accept(memory, ONE, NO_LIMITS)
    assert applied.reason is Reason.DUPLICATE
    assert applied.memory is not None
    assert applied.memory.stamp.is_marked


def test_broken_bytes_are_not_accepted() -> None:
    broken = Event(Kind.MALFORMED)

    assert accept(after(ONE), broken, NO_LIMITS).reason is Reason.MALFORMED
    assert not needs_word(after(ONE), broken, NO_LIMITS)


def test_a_truncate_clears_a_declared_row_s_columns_as_a_late_delete_does() -> None:
    limits = forgotten(5)
    newer = decide(accepted(None, put(1, x=1, y=1), limits), part(6, x=2), limits).memory
    assert newer is not None
    event = Event(Kind.TRUNCATE, "t", None, ScalarPosition("version", "s", (2,)))

    cleared: Applied = truncate(newer, event, limits)

    assert cleared.memory is not None
    assert cleared.memory.declared is None
    assert decide(cleared.memory, part(3, y=3), limits).reason is Reason.LATE


def test_a_memory_of_before_is_read_as_it_was() -> None:
    memory = after(ONE)

    assert memory.stamp.rank == 1
    assert after(delete(1)).stamp.rank == 0
    assert not memory.stamp.is_marked
    assert unpack(pack(memory)) == memory


def test_the_birth_of_a_row_is_the_floor_when_its_slot_was_filled() -> None:
    early, late = forgotten(5), forgotten(9)
    row = after(part(6, x=1), limits=early)

    memory = accepted(row, part(3, y=3), late)

    assert memory.declared == early.floor
    assert decide(memory, put(7, x=2, y=2), late).reason is Reason.APPLIED


def test_a_known_end_is_newer_than_what_a_word_brings_back_of_before() -> None:
    row = after(delete(5), part(6, x=1), part(1, "b", y=9))
    other = accepted(row, part(1, "b", x=2))

    memory = accepted(other, put(3, x=3, y=3))

    assert teller(memory, "x").fingerprint == put(3, x=3, y=3).fingerprint
    assert holes(memory, {"x", "y"}) == ["y"]


def test_a_content_of_a_declared_row_s_position_is_told_and_moves_nothing() -> None:
    limits = forgotten(5)
    declared = accepted(accepted(None, put(1, x=1, y=1), limits), part(3, y=3), limits)

    assert astuple(decide(declared, put(3, x=2, y=2), limits))[:3] == (
        declared,
        None,
        Reason.CONFLICT,
    )


def test_the_chosen_end_of_what_was_before_is_not_filled_from_its_position() -> None:
    gone = accepted(after(ONE, delete(1)), delete(1))
    memory = after_step(gone, part(2, x=5))

    assert astuple(decide(memory, put(1, x=1, y=1), NO_LIMITS))[:3] == (
        memory,
        None,
        Reason.CONFLICT,
    )


def test_a_copy_with_a_better_proof_takes_no_column_that_was_chosen_at_its_position() -> None:
    """A create that overtakes an update by its proof may meet its own position beneath it."""

    def create(seq0: int | None, **fields: Any) -> Event:
        position = LogPosition("pg:main", 10, "c", seq0, 1, "0", 1)
        return Event(Kind.PUT, "t", {"id": 1}, position, fields, partial=True)

    update = LogPosition("pg:main", 20, "u", 15, 2, "0", 5)
    newer = Event(Kind.PUT, "t", {"id": 1}, update, {"z": 1}, partial=True)
    chosen = accepted(after(create(5, x=1), create(5, x=2)), create(5, x=1))
    memory = after_step(chosen, newer)
    assert teller(memory, "x").is_marked

    told = decide(memory, create(30, x=3, y=3), NO_LIMITS)

    assert told.reason is Reason.CONFLICT
    assert told.memory is not None
    assert teller(told.memory, "x").fingerprint == create(5, x=1).fingerprint
    assert told.written is not None
    assert told.written.values == {"y": 3}


def test_a_copy_with_a_better_proof_does_not_fill_what_was_chosen_to_end() -> None:
    """A create ends what it does not tell; that, too, is its word about its position."""

    def create(seq0: int | None, holes: str = "", **fields: Any) -> Event:
        position = LogPosition("pg:main", 10, "c", seq0, 1, "0", 1)
        return Event(Kind.PUT, "t", {"id": 1}, position, fields, frozenset(holes), creates=True)

    update = LogPosition("pg:main", 20, "u", 15, 2, "0", 5)
    newer = Event(Kind.PUT, "t", {"id": 1}, update, {"x": 5}, frozenset("y"))
    first = create(5, "y", x=1)
    chosen = accepted(after(first, create(5, "y", x=2)), first)
    memory = after_step(chosen, newer)

    told = decide(memory, create(30, x=3, y=3), NO_LIMITS)

    assert told.reason is Reason.CONFLICT
    assert told.memory is not None
    assert holes(told.memory, {"x", "y"}) == ["y"]


def test_what_is_newer_than_the_row_takes_no_chosen_column_without_a_proof() -> None:
    def change(lsn: int, op: str, offset: int, **fields: Any) -> Event:
        seq0 = None if op == "c" else lsn - 1
        position = LogPosition("pg:main", lsn, op, seq0, lsn, "0", offset)
        return Event(Kind.PUT, "t", {"id": 1}, position, fields, partial=True)

    first = change(10, "c", 50, x=1)
    chosen = accepted(after(first, change(10, "c", 50, x=2)), first)
    memory = after_step(chosen, change(20, "u", 60, z=1))

    held = decide(memory, change(30, "u", 7, x=9), NO_LIMITS)

    assert astuple(held)[:3] == (memory, None, Reason.CONFLICT)
    assert decide(memory, change(30, "u", 70, x=9), NO_LIMITS).reason is Reason.APPLIED


def test_a_chosen_content_that_comes_again_beneath_a_newer_row_is_a_duplicate() -> None:
    chosen = accepted(after(put(1, x=1, y=1), put(1, x=2, y=2)), put(1, x=1, y=1))
    memory = after_step(chosen, part(2, y=9))

    assert astuple(decide(memory, put(1, x=1, y=1), NO_LIMITS))[:3] == (
        memory,
        None,
        Reason.DUPLICATE,
    )


def test_a_content_that_was_chosen_in_part_tells_the_rest_otherwise() -> None:
    first, second = part(1, x=1, y=1), part(1, y=2)
    memory = accepted(accepted(after(first, second), first), second)

    assert astuple(decide(memory, first, NO_LIMITS))[:3] == (memory, None, Reason.CONFLICT)
    assert astuple(decide(memory, second, NO_LIMITS))[:3] == (memory, None, Reason.DUPLICATE)


def after_step(memory: Memory, event: Event) -> Memory:
    found = decide(memory, event, NO_LIMITS).memory
    assert found is not None
    return found
