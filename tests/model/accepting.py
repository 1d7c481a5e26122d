"""R11: late puts, an operator's word for them, and what may happen to such a row afterwards. One
key; other keys' floors do not matter.

Checked in every state: a row without the mark `declared` is the fold of what was accepted, and no
column of any row shows a put that a delete is known to have ended, unless an operator gave his word
for that very put.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anyorder._core.outcome import Reason
from anyorder._core.word import accept
from tests.model.histories import limits_of, meaning, told
from tests.model.search import Explored, explore
from tests.model.store import EMPTY, Slot, Store, bits

# limits, slot, accepted, held, events an operator gave his word for
State = tuple[int, int, int, int, int]


class Accepting:
    """One history of a key; what is held may be accepted at any moment."""

    def __init__(self, family: str, history: Sequence[str]) -> None:
        self.told = told(family, history)
        self.events = [one.event for one in self.told]
        self.store = Store(self.events, "xy", limits_of(family))
        self.all = [(place,) for place in range(len(self.events))]

    def search(self) -> Explored:
        return explore((self.store.first_limits, EMPTY, 0, 0, 0), self.successors, self.problem)

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        limits, slot, accepted, held, word = state
        if self.store.is_tombstone(slot):
            yield "reap", (self.store.reap(slot, limits), EMPTY, accepted, held, word)
        for place in range(len(self.events)):
            step = self.store.deliver(slot, (place,), held, limits)
            yield (
                f"{self.told[place].label} {step.reasons[0]}",
                (limits, step.slot, accepted | step.accepted & ~word, step.held, word),
            )
        for place in bits(held):
            yield self.accept(state, place)

    def accept(self, state: State, place: int) -> tuple[str, State]:
        limits, slot, accepted, held, word = state
        memory, row = self.store.slots[slot]
        told = accept(memory, self.events[place], self.store.limits[limits])
        if told.reason is not Reason.APPLIED:
            return f"accept {self.told[place].label}: {told.reason}", state
        shown = self.store.written(row, told.memory, told.written)
        number = self.store.number(Slot(told.memory, shown))
        step = self.store.deliver(number, (), held & ~(1 << place), limits, True)
        word |= 1 << place
        return f"accept {self.told[place].label}", (
            limits,
            step.slot,
            (accepted | step.accepted) & ~word,
            step.held,
            word,
        )

    def problem(self, state: State) -> str:
        _, slot, accepted, _, word = state
        shown = self.store.view(slot)
        memory = self.store.slots[slot].memory
        meant = meaning([self.events[place] for place in bits(accepted)], self.store.columns)
        if memory is None or memory.declared is None:
            return (
                ""
                if shown == meant
                else f"shows {shown} without a mark, the accepted fold to {meant}"
            )
        return self.resurrected(shown or {}, accepted, word)

    def resurrected(self, shown: dict[str, object], accepted: int, word: int) -> str:
        ended = max(
            (place for place in bits(accepted) if self.events[place].fields is None), default=-1
        )
        for column, value in shown.items():
            origin = int(str(value)[: -len(column)]) - 1
            if origin < ended and not word >> origin & 1:
                return f"{column} shows {self.told[origin].label}, which is dead and nobody's word"
        return ""
