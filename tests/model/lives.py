"""R13: versions of one key that start again with each of its lives. Every event has its own time:
real time and the skew of its producer's clock. In any order, repeated, and with two words of an
operator for what is held, at any moment.

Checked in every state: an event of a life that has ended, or of an earlier one, takes no slot by
itself; one life alone is never suspected; and when all has come and nothing is held any more, what
is shown is what the source shows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from anyorder._core.event import Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.reset import PRODUCER_MARGIN
from anyorder._core.word import accept
from tests.model.search import Explored, explore
from tests.model.store import EMPTY, Shared, Slot, Store, bits

MARGIN = 3  # units of time
UNIT = PRODUCER_MARGIN // MARGIN
ONE_LIFE = (((3, False),), ((2, True),), ((3, True),))
TWO_LIVES = (((2, True), (1, False)), ((1, True), (1, True)), ((2, True), (1, True)))
MORE_LIVES = (((2, True), (2, False)), ((1, True), (1, True), (1, False)))
Plan = tuple[tuple[int, bool], ...]
"""Of each life: how many puts, and whether a delete ends it."""


class Lived(NamedTuple):
    """One event of one of the lives."""

    life: int
    version: int
    put: bool
    time: int

    @property
    def label(self) -> str:
        return (
            f"{'put' if self.put else 'del'}{self.version}{chr(39) * (self.life - 1)}@{self.time}"
        )

    @property
    def event(self) -> Event:
        position = ScalarPosition(
            "version", "key", (self.version,), per_entity=True, time=self.time * UNIT
        )
        if not self.put:
            return Event(Kind.DELETE, position=position)
        return Event(Kind.PUT, position=position, fields={"x": f"{self.life}.{self.version}"})


class State(NamedTuple):
    """The slot; sets of events: seen, held, closed by a word, accepted; words so far; and the law
    that the last step broke."""

    slot: int = EMPTY
    seen: int = 0
    held: int = 0
    closed: int = 0
    accepted: int = 0
    words: int = 0
    broken: str = ""


def lives(plans: Sequence[Plan], gap: int, skew: int) -> Iterator[tuple[Lived, ...]]:
    """Every history of these plans, each event's clock right or ahead by the skew. `gap`: the time
    between two lives."""
    for plan in plans:
        told: list[Lived] = []
        at = 0
        for life, (puts, ends) in enumerate(plan, 1):
            at += gap - 1 if life > 1 else 0
            for version in range(1, puts + ends + 1):
                at += 1
                told.append(Lived(life, version, version <= puts, at))
        for ahead in itertools.product(sorted({0, skew}), repeat=len(told)):
            yield tuple(
                one._replace(time=one.time + more) for one, more in zip(told, ahead, strict=True)
            )


class Lives:
    """One history. `informed`: the operator accepts only of the newest life that has come, and
    drops only of older ones; of an uninformed one no more is asked than that no straggler takes a
    slot by itself."""

    def __init__(self, told: Sequence[Lived], *, informed: bool, shared: Shared | None = None):
        self.told = tuple(told)
        self.informed = informed
        self.store = Store([one.event for one in told], "x")
        self.store.share(shared or Shared())
        self.all = (1 << len(told)) - 1
        self.ends = {one.life: 1 << place for place, one in enumerate(told) if not one.put}
        last = told[-1]
        self.source = {"x": f"{last.life}.{last.version}"} if last.put else None

    def search(self) -> Explored:
        return explore(State(), self.successors, self.problem)

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        if state.broken:
            return
        for place, one in enumerate(self.told):
            yield one.label, self.deliver(state, place)
        # Two words are enough: one for each of two lives, or one that is wrong and one after it.
        if state.words == 2:
            return
        newest = max((self.told[place].life for place in bits(state.seen)), default=0)
        for place in bits(state.held):
            one = self.told[place]
            if not self.informed or one.life == newest:
                yield f"accept {one.label}", self.accept(state, place)
            if not self.informed or one.life < newest:
                yield f"drop {one.label}", self.drop(state, place)

    def deliver(self, state: State, place: int) -> State:
        bit = 1 << place
        step = self.store.deliver(state.slot, (place,), state.held & ~bit, 0)
        return self.after(state._replace(seen=state.seen | bit), step.slot, step.held)

    def drop(self, state: State, place: int) -> State:
        bit = 1 << place
        return state._replace(
            held=state.held & ~bit, closed=state.closed | bit, words=state.words + 1
        )

    def accept(self, state: State, place: int) -> State:
        bit = 1 << place
        memory, row = self.store.slots[state.slot]
        applied = accept(memory, self.events[place], self.store.limits[0])
        shown = self.store.written(row, applied.memory, applied.written)
        given = self.drop(state, place)._replace(
            slot=self.store.number(Slot(applied.memory, shown)), accepted=state.accepted | bit
        )
        step = self.store.deliver(given.slot, (), given.held, 0, True)
        return self.after(given, step.slot, step.held)

    @property
    def events(self) -> tuple[Event, ...]:
        return self.store.events

    def after(self, state: State, slot: int, held: int) -> State:
        """The state after a step, with what the quarantine says of what it has closed."""
        held &= ~state.closed
        accepted = state.accepted | (state.seen & ~held & ~state.closed)
        after = state._replace(slot=slot, held=held, accepted=accepted)
        return after._replace(broken=self.broken(state, after))

    def broken(self, before: State, after: State) -> str:
        """Has a straggler taken the slot by itself?"""
        if before.slot == after.slot:
            return ""
        taken = self.shown(after.slot)
        if taken is None or not taken.put:
            return ""
        stored = self.shown(before.slot)
        is_older = stored is not None and stored.life > taken.life
        is_over = self.ends.get(taken.life, 0) & after.accepted
        return (
            f"a straggler of a dead life is applied: {taken.label}" if is_older or is_over else ""
        )

    def shown(self, slot: int) -> Lived | None:
        """The event that a slot remembers; of a tombstone whose time was moved on, the delete that
        it was moved to."""
        memory = self.store.slots[slot].memory
        if memory is None:
            return None
        position = memory.stamp.position
        assert isinstance(position, ScalarPosition)
        found = [
            one
            for one in self.told
            if one.put is memory.live
            and one.time * UNIT == position.time
            and (not memory.live or (one.version,) == position.value)
        ]
        return max(found)

    def problem(self, state: State) -> str:
        if state.broken or not self.informed:
            return state.broken
        if self.told[-1].life == 1 and state.held:
            return "an ordinary event is held"
        # The life that a word let in last goes on by itself.
        let_in = {self.told[place].life for place in bits(state.closed & state.accepted)}
        asked = {self.told[place].life for place in bits(state.held)}
        if let_in and max(let_in) in asked:
            return "an event of the life that a word let in is held"
        shown = self.store.view(state.slot)
        if state.seen == self.all and not state.held and shown != self.source:
            return f"shows {shown}, the source {self.source}, and nothing is open"
        return ""
