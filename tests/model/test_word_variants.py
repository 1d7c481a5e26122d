"""Every tempting way to keep an operator's word is caught, with a shortest trace: one function of
the product is replaced, one search is run (rules R11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from anyorder._core import declared, marks, word
from anyorder._core.decide import decide
from anyorder._core.event import Event
from anyorder._core.families import Position
from anyorder._core.floor import Floor
from anyorder._core.fold import Applied, Limits, apply, stamp_of
from anyorder._core.memory import Dead, Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import SAME, Lineage
from anyorder._core.ties import Met
from tests.model import words
from tests.model.conftest import Report
from tests.model.words import State, Words, histories, search_all

Patch = pytest.MonkeyPatch
replace = msgspec.structs.replace
unmarked: Callable[[Stamp], Stamp] = lambda stamp: replace(stamp, rank=stamp.rank & 1)  # noqa: E731


class Cases(NamedTuple):
    """What to search: every history of the letters, or one history with its positions."""

    letters: str
    length: int = 0
    places: tuple[int, ...] = ()
    reaping: bool = True
    purging: bool = True


def nothing_is_marked(patch: Patch) -> None:
    patch.setattr(Stamp, "marked", lambda stamp: stamp)


def taking_the_slot(patch: Patch, *, late: bool) -> None:
    accept = word.accept

    def accepted(memory: Memory | None, event: Event, limits: Limits) -> Applied:
        is_late = decide(memory, event, limits).reason is Reason.LATE
        if is_late and not late:
            return accept(memory, event, limits)
        slot = apply(None, event, Limits())
        assert slot.memory is not None
        assert event.position is not None
        return replace(slot, memory=marks.marked(slot.memory, event.position, {}))

    patch.setattr(words, "accept", accepted)


def as_it_was(patch: Patch) -> None:
    nothing_is_marked(patch)
    taking_the_slot(patch, late=True)


def what_is_not_held_is_not_marked(patch: Patch) -> None:
    patch.setattr(word, "_chosen_already", lambda event, decided, lineage: decided)


def accept_takes_the_slot(patch: Patch) -> None:
    taking_the_slot(patch, late=False)


def marking(patch: Patch, wrong: Callable[[Memory, Memory], Memory]) -> None:
    right = marks.marked

    def marked(memory: Memory, position: Position, lineage: Lineage) -> Memory:
        return wrong(memory, right(memory, position, lineage))

    patch.setattr(word, "marked", marked)
    patch.setattr(words, "marked", marked)


def only_the_rows_own_stamp(patch: Patch) -> None:
    def wrong(memory: Memory, after: Memory) -> Memory:
        cells = {
            name: unmarked(cell) if isinstance(cell, Stamp) else cell
            for name, cell in after.listed.items()
        }
        base = after.base
        if isinstance(base, Dead):
            base = Dead(unmarked(base.stamp))
        return replace(after, cells=cells or None, base=base)

    marking(patch, wrong)


def no_tombstones_and_no_ends(patch: Patch) -> None:
    def wrong(memory: Memory, after: Memory) -> Memory:
        if not after.live:
            return memory
        base = after.base
        if isinstance(base, Dead):
            base = Dead(unmarked(base.stamp))
        return replace(after, base=base)

    ended = word._ended

    def unmarked_end(*told: Any) -> Applied:
        applied = ended(*told)
        if applied.memory is None:
            return applied
        return replace(applied, memory=Memory(unmarked(applied.memory.stamp)))

    marking(patch, wrong)
    patch.setattr(word, "_ended", unmarked_end)


def tombstones_only(patch: Patch) -> None:
    def wrong(memory: Memory, after: Memory) -> Memory:
        if not after.live:
            return after
        return replace(memory, disputed=after.disputed)

    marking(patch, wrong)


def drop_only_ends_the_dispute(patch: Patch) -> None:
    right = marks.marked

    def ended(memory: Memory, position: Position, lineage: Lineage) -> Memory:
        after = right(memory, position, lineage)
        return replace(memory, disputed=after.disputed)

    patch.setattr(words, "marked", ended)


def closed_entries(patch: Patch, closes: Callable[[Words, State, int], bool]) -> None:
    nothing_is_marked(patch)
    decided = Words.decided

    def by_entries(self: Words, state: State, number: int, *, again: bool) -> tuple[int, Reason]:
        if closes(self, state, number):
            return state.slot, Reason.CONFLICT
        return decided(self, state, number, again=again)

    patch.setattr(Words, "decided", by_entries)


def closed_entries_decide_by_content(patch: Patch) -> None:
    closed_entries(patch, lambda self, state, number: bool(state.closed >> number & 1))


def closed_entries_decide_by_position(patch: Patch) -> None:
    def closes(self: Words, state: State, number: int) -> bool:
        place = self.places[number]
        return any(state.closed >> n & 1 for n, at in enumerate(self.places) if at == place)

    closed_entries(patch, closes)


def the_others_are_stale(patch: Patch) -> None:
    patch.setattr(Met, "other_than", lambda met, stamp: None)


def the_others_are_held_whole(patch: Patch) -> None:
    for name in ("decide", "decide_again"):
        patch.setattr(words, name, _holding_whole(getattr(words, name)))


def _holding_whole(answer: Any) -> Any:
    def held(memory: Memory | None, event: Event, limits: Limits) -> Applied:
        mine = stamp_of(event)
        for stamp in words.stamps(memory):
            is_there = mine.position.compare(stamp.position, {}) is SAME
            if is_there and stamp.is_marked and not stamp.has_content_of(mine):
                return Applied(memory, None, Reason.CONFLICT, stamp)
        applied: Applied = answer(memory, event, limits)
        return applied

    return held


def born(patch: Patch, wrong: Callable[[Memory | None, Floor | None, Limits], Any]) -> None:
    right = word._birth

    def birth(memory: Memory | None, stamp: Stamp, reason: Reason, limits: Limits) -> Floor | None:
        found: Floor | None = wrong(memory, right(memory, stamp, reason, limits), limits)
        return found

    patch.setattr(word, "_birth", birth)


def every_accept_declares(patch: Patch) -> None:
    born(patch, lambda memory, birth, limits: limits.floor if birth is None else birth)


def the_birth_is_the_floor_now(patch: Patch) -> None:
    def now(memory: Memory | None, birth: Floor | None, limits: Limits) -> Floor | None:
        is_first = birth is not None and (memory is None or memory.declared is None)
        return limits.floor if is_first else birth

    born(patch, now)


def a_late_delete_is_an_end(patch: Patch) -> None:
    patch.setattr(declared, "_born", lambda row, birth, lineage: row.base)


def an_accepted_delete_is_stored(patch: Patch) -> None:
    ended = word._ended
    patch.setattr(
        word,
        "_ended",
        lambda memory, stamp, birth, lineage: ended(memory, stamp, None, lineage),
    )


VARIANTS: dict[str, tuple[Callable[[Patch], None], Cases, int]] = {
    "accept takes the slot, nothing is marked": (as_it_was, Cases("PXYD", 2), 3),
    "accept touches its columns, nothing is marked": (nothing_is_marked, Cases("PXYD", 2), 4),
    "closed entries decide by content": (
        closed_entries_decide_by_content,
        Cases("PPP", places=(1, 1, 1), purging=False),
        4,
    ),
    "closed entries decide by position": (
        closed_entries_decide_by_position,
        Cases("PXYD", 2),
        5,
    ),
    "the mark on the row's own stamp only": (
        only_the_rows_own_stamp,
        Cases("PPX", places=(1, 1, 1)),
        4,
    ),
    "the mark on rows, not on tombstones and ends": (
        no_tombstones_and_no_ends,
        Cases("PXYD", 2),
        4,
    ),
    "the mark on tombstones only": (tombstones_only, Cases("PXYD", 2), 4),
    "drop marks nothing": (
        drop_only_ends_the_dispute,
        Cases("PPP", places=(1, 1, 1)),
        4,
    ),
    "the other contents are stale": (
        the_others_are_stale,
        Cases("PPP", places=(1, 1, 1), reaping=False),
        4,
    ),
    "the other contents are held whole": (
        the_others_are_held_whole,
        Cases("XXYX", places=(1, 1, 1, 2), reaping=False, purging=False),
        7,
    ),
    "accept of what is not held any more marks nothing": (
        what_is_not_held_is_not_marked,
        Cases("BBp", places=(1, 1, 1)),
        8,
    ),
    "accept of a dispute takes the slot": (accept_takes_the_slot, Cases("PXYD", 2), 3),
    "every accept declares the row": (
        every_accept_declares,
        Cases("PPPF", places=(1, 1, 2, 3)),
        5,
    ),
    "the birth is the floor now": (
        the_birth_is_the_floor_now,
        Cases("YFXPF", places=(1, 2, 3, 4, 5)),
        6,
    ),
    "a late delete ends up to itself only": (
        a_late_delete_is_an_end,
        Cases("PDPFX", places=(1, 2, 3, 4, 5)),
        6,
    ),
    "an accepted delete of a declared row is stored": (
        an_accepted_delete_is_stored,
        Cases("PDPD", places=(1, 1, 2, 3)),
        7,
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_tempting_way_to_keep_a_word_is_caught(
    name: str, monkeypatch: Patch, report: Report
) -> None:
    variant, cases, longest = VARIANTS[name]
    every = list(histories(cases.letters, cases.length)) if cases.length else []
    if cases.places:
        every = [(tuple(cases.letters), cases.places)]
        how = {"reaping": cases.reaping, "purging": cases.purging}
        assert search_all(every, **how).worst is None, "the rules themselves must pass this search"

    variant(monkeypatch)
    found = search_all(every, reaping=cases.reaping, purging=cases.purging).worst

    assert found is not None, f"{name}: no counterexample"
    report(trace=str(found))
    assert found.trace is not None
    assert len(found.trace) <= longest, str(found)
