"""Order and batching (rules R9, R12): after the same deliveries in whatever order, cut and number,
one state and one quarantine."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Sequence
from functools import cache

from anyorder._core.fold import Limits
from tests.model.histories import limits_of, meaning, told
from tests.model.search import Explored, explore
from tests.model.store import EMPTY, Shared, Store, bits

State = tuple[int, int, int]  # slot, held events, delivered events


def plateaus(length: int, ties: bool) -> Iterator[tuple[int, ...]]:
    """Positions of a history's events; with ties every neighbours may share one."""
    for steps in itertools.product((0, 1), repeat=length - 1) if ties else [(1,) * (length - 1)]:
        yield (1, *itertools.accumulate(steps, initial=1))[1:]


def limits_at(family: str, floor: int) -> Limits:
    """Everything up to this position was forgotten."""
    limits = limits_of(family)
    position = told(family, "D", [floor])[0].event.position
    return Limits(position.raising(limits.floor)) if floor and position else limits


class Books:
    """One history of one key under one floor: every batch of what was not delivered yet, or of
    anything if `again`."""

    def __init__(
        self,
        family: str,
        history: Sequence[str],
        positions: Sequence[int],
        floor: int,
        shared: Shared,
        *,
        again: bool,
        columns: str = "xy",
    ) -> None:
        self.told = told(family, history, positions)
        self.positions, self.columns, self.again = positions, columns, again
        self.store = Store([one.event for one in self.told], columns, limits_at(family, floor))
        self.store.share(shared)
        self.batches = batches_of(len(self.told))
        self.ends: dict[int, Hashable] = {}
        self._meanings: dict[int, dict[str, object] | None] = {}

    def search(self) -> Explored:
        return explore((EMPTY, 0, 0), self.successors, self.problem, self.spelled)

    def spelled(self, label: object) -> str:
        """A step of the trace: each event and what became of it."""
        assert isinstance(label, tuple)
        told = (f"{self.told[place].label} {reason}" for place, reason in zip(*label, strict=True))
        return " + ".join(told)

    def successors(self, state: State) -> Iterator[tuple[object, State]]:
        slot, held, delivered = state
        for batch, these in self.batches:
            if self.again or not these & delivered:
                step = self.store.deliver(slot, batch, held, self.store.first_limits)
                yield (batch, step.reasons), (step.slot, step.held, delivered | these)

    def problem(self, state: State) -> str:
        slot, held, delivered = state
        shown = self.store.view(slot)
        books = slot, frozenset(self.positions[place] for place in bits(held))
        if self.ends.setdefault(delivered, books) != books:
            return (
                f"{self.store.slots[slot]} and open {sorted(books[1])}, but in another order "
                f"{self.ends[delivered]}"
            )
        ties = len(set(self.positions)) < len(self.positions)
        meant = None if ties else self.meaning(delivered & ~held)
        return "" if ties or shown == meant else f"shows {shown}, what is not held folds to {meant}"

    def meaning(self, accepted: int) -> dict[str, object] | None:
        if accepted not in self._meanings:
            events = [self.told[place].event for place in bits(accepted)]
            self._meanings[accepted] = meaning(events, self.columns)
        return self._meanings[accepted]


@cache
def batches_of(length: int) -> list[tuple[tuple[int, ...], int]]:
    """Every batch of so many events, in every order, and the set of its events."""
    places = range(length)
    return [
        (batch, sum(1 << place for place in batch))
        for size in places
        for batch in itertools.permutations(places, size + 1)
    ]


def search_all(
    family: str,
    letters: str,
    length: int,
    *,
    ties: bool = False,
    again: bool = False,
    floors: bool = True,
    columns: str = "xy",
) -> tuple[int, int, Explored | None]:
    """Histories (with positions and a floor) and states searched, and the first counterexample."""
    histories, states, shared = 0, 0, Shared()
    for history in itertools.product(letters, repeat=length):
        for positions in plateaus(length, ties):
            for floor in range(length if floors else 1):
                histories, shared = histories + 1, shared.or_fresh()
                found = Books(
                    family, history, positions, floor, shared, again=again, columns=columns
                ).search()
                states += found.states
                if not found.safe:
                    return histories, states, found
    return histories, states, None


def cuts(length: int) -> Iterator[list[tuple[int, int]]]:
    """Every way to cut a sequence into batches: their (start, end)."""
    for ends in itertools.product((False, True), repeat=length - 1):
        places = [0, *(place for place, end in enumerate(ends, 1) if end), length]
        yield list(itertools.pairwise(places))
