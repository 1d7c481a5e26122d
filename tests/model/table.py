"""A guarded table of one or two keys and its law FOLD, for one history of histories.py."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from tests.model.histories import limits_of, meaning, told
from tests.model.search import Explored, explore
from tests.model.store import EMPTY, QUARANTINED, Shared, Store, bits

State = tuple[int, tuple[int, ...], int, int]  # limits, a slot a key, accepted events, held events
Row = dict[str, object]


class Table:
    """One history: deliveries in any order and number, in batches of up to `batch` events of a key,
    tombstones reaped at any moment."""

    def __init__(
        self,
        family: str,
        history: Sequence[str],
        shared: Shared,
        *,
        columns: str = "xy",
        batch: int = 1,
    ) -> None:
        self.told = told(family, history)
        self.columns = tuple(columns)
        self.store = Store([one.event for one in self.told], self.columns, limits_of(family))
        self.store.share(shared)
        self.keys = sorted({one.key for one in self.told} - {""}) or ["a"]
        mine = [
            [place for place, one in enumerate(self.told) if one.key == key] for key in self.keys
        ]
        self.of_key = [sum(1 << place for place in places) for places in mine]
        self.batches = [
            [cut for size in range(1, batch + 1) for cut in itertools.permutations(places, size)]
            for places in mine
        ]
        self.truncates = [place for place, one in enumerate(self.told) if one.key == ""]
        self._meanings: dict[tuple[int, int], Row | None] = {}

    def search(self) -> Explored:
        return explore(
            (self.store.first_limits, (EMPTY,) * len(self.keys), 0, 0),
            self.successors,
            self.problem,
            self.spelled,
        )

    def spelled(self, label: object) -> str:
        """A step of the trace: each event and what became of it."""
        if not isinstance(label, tuple):
            return str(label)
        told = (f"{self.told[place].label} {reason}" for place, reason in zip(*label, strict=True))
        return " + ".join(told)

    def successors(self, state: State) -> Iterator[tuple[object, State]]:
        limits, slots, accepted, held = state
        for k, slot in enumerate(slots):
            if self.store.is_tombstone(slot):
                yield (
                    f"reap {self.keys[k]}",
                    (self.store.reap(slot, limits), _with(slots, k, EMPTY), accepted, held),
                )
            for batch in self.batches[k]:
                step = self.store.deliver(slot, batch, held & self.of_key[k], limits)
                yield (
                    (batch, step.reasons),
                    (
                        limits,
                        _with(slots, k, step.slot),
                        accepted | step.accepted,
                        held & ~self.of_key[k] | step.held,
                    ),
                )
        for place in self.truncates:
            yield self.truncate(state, place)

    def truncate(self, state: State, place: int) -> tuple[object, State]:
        limits, slots, accepted, held = state
        after, limits, reason = self.store.truncate(slots, place, limits)
        accepted |= (reason not in QUARANTINED) << place
        for k, slot in enumerate(after):
            step = self.store.deliver(slot, (), held & self.of_key[k], limits, True)
            after[k], accepted, held = (
                step.slot,
                accepted | step.accepted,
                held & ~self.of_key[k] | step.held,
            )
        return ((place,), (reason,)), (limits, tuple(after), accepted, held)

    def problem(self, state: State) -> str:
        _, slots, accepted, _ = state
        for k, slot in enumerate(slots):
            shown = self.store.view(slot)
            if shown != self.meaning(k, accepted):
                return (
                    f"key {self.keys[k]} shows {shown}, the accepted fold to "
                    f"{self.meaning(k, accepted)}"
                )
        return ""

    def meaning(self, k: int, accepted: int) -> Row | None:
        if (k, accepted) not in self._meanings:
            mine = [
                self.told[place].event
                for place in bits(accepted)
                if self.told[place].key in (self.keys[k], "")
            ]
            self._meanings[k, accepted] = meaning(mine, self.columns)
        return self._meanings[k, accepted]


def _with(slots: tuple[int, ...], k: int, slot: int) -> tuple[int, ...]:
    return (*slots[:k], slot, *slots[k + 1 :])


def search_all(
    family: str, letters: Sequence[str], length: int, *, columns: str = "xy", batch: int = 1
) -> tuple[int, int, Explored | None]:
    """Histories and states searched, and the first counterexample; shorter histories first."""
    histories, states, shared = 0, 0, Shared()
    for size in range(1, length + 1):
        for history in itertools.product(letters, repeat=size):
            histories, shared = histories + 1, shared.or_fresh()
            found = Table(family, history, shared, columns=columns, batch=batch).search()
            states += found.states
            if not found.safe:
                return histories, states, found
    return histories, states, None
