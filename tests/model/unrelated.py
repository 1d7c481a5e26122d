"""An operator's word between two clocks that do not compare (rules R7, R11): two sources tell one
key, each in its own scope, and a person says which counts.

A history is words of a scope and a letter (histories.py): `aP`, `bx`; their places count in each
scope by itself. There is no order of all, so the laws are of single columns:

  1 a delivery moves a column only if it is newer, for certain, than who told it, or ties with it
  2 a word takes nothing away that is newer, for certain, than what it accepts
  3 after a word each column that its content touches shows it, or something newer
  4 a column that a word chose moves only for what is newer, for certain, than that content
  5 what a delivery tells otherwise of a column, and does not move for certain, is held or listed
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from anyorder._core.columns import source_of
from anyorder._core.decide import decide, decide_again
from anyorder._core.event import Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.fold import Applied, stamp_of
from anyorder._core.marks import marked
from anyorder._core.memory import Dead, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import NEWER, OLDER, SAME, Order
from anyorder._core.word import accept
from tests.model.histories import told
from tests.model.search import Explored, explore, shortest
from tests.model.store import EMPTY, Slot, Store, bits, is_dispute

COLUMNS = ("x", "y")
SPELLED = {"X": "p", "Y": "q"}


class State(NamedTuple):
    """`chosen`: for each column the event that a word chose for it, or else its position."""

    slot: int = EMPTY
    held: int = 0
    closed: int = 0
    chosen: tuple[int | None, ...] = (None,) * len(COLUMNS)
    words: int = 0
    broken: str = ""


class Broken(Exception):
    """A law does not hold."""


class Unrelated:
    """One history of a key that two sources tell."""

    def __init__(self, history: Sequence[str], places: Sequence[int], words: int = 2) -> None:
        letters = [SPELLED.get(word[1], word[1]) for word in history]
        self.names = [f"{word}{place}" for word, place in zip(history, places, strict=True)]
        self.events = []
        for number, one in enumerate(told("version", letters)):
            position = ScalarPosition("version", history[number][0], (places[number],))
            event = msgspec.structs.replace(one.event, position=position)
            if event.kind is Kind.PUT:
                event = msgspec.structs.replace(event, fingerprint=str(number))
            self.events.append(event)
        self.most = words
        self.store = Store(self.events, COLUMNS)

    def search(self) -> Explored:
        return explore(State(), self.successors, lambda state: state.broken or self.shown(state))

    def shown(self, state: State) -> str:
        """The row is what its memory says (the store's own checks)."""
        self.store.view(state.slot)
        return ""

    def successors(self, state: State) -> Iterator[tuple[object, State]]:
        for number, name in enumerate(self.names):
            yield self.tried(state, name, number)
        if state.closed:
            yield "purge", state._replace(closed=0)
        if state.words == self.most:
            return
        for number in bits(state.held | state.closed):
            yield self.tried(state, f"accept {self.names[number]}", number, is_word=True)
        for number in bits(state.held):
            yield f"drop {self.names[number]}", self.dropped(state, number)

    def tried(
        self, state: State, label: str, number: int, *, is_word: bool = False
    ) -> tuple[str, State]:
        try:
            if is_word:
                return label, self.settled(self.accepted(state, number), state)
            after, reason = self.delivered(state, number)
            return f"{label} {reason}", self.settled(after, state)
        except Broken as broken:
            return label, state._replace(broken=f"{self.names[number]}: {broken}")

    def delivered(self, state: State, number: int, *, again: bool = False) -> tuple[State, Reason]:
        memory, _ = self.store.slots[state.slot]
        answer = decide_again if again else decide
        applied = answer(memory, self.events[number], self.store.limits[0])
        after, bit = self.stored(state, applied), 1 << number
        is_held = applied.reason is Reason.CONFLICT
        held = state.held | bit if is_held and not state.closed & bit else state.held & ~bit
        after = after._replace(held=held, chosen=self.moved(state, after, number))
        if self.told_otherwise(after, number) and not (is_held or self.is_listed(state, number)):
            raise Broken(f"it is {applied.reason}, and tells a column otherwise")
        return after, applied.reason

    def is_listed(self, state: State, number: int) -> bool:
        return bool((state.held | state.closed) >> number & 1)

    def stored(self, state: State, applied: Applied) -> State:
        memory, row = self.store.slots[state.slot]
        if applied.memory is memory:
            return state
        shown = self.store.written(row, applied.memory, applied.written)
        return state._replace(slot=self.store.number(Slot(applied.memory, shown)))

    def accepted(self, state: State, number: int) -> State:
        memory, _ = self.store.slots[state.slot]
        event = self.events[number]
        applied = accept(memory, event, self.store.limits[0])
        after, was = self.stored(state, applied), self.tellers(state)
        now, chosen = self.tellers(after), list(state.chosen)
        if self.store.view(state.slot) is None:
            # A row that begins by a word is over the word that ended the one before.
            chosen = [None] * len(COLUMNS)
        for place, column in enumerate(COLUMNS):
            before, shown = was[column], now[column]
            if before is not None and self.order(event, before) is OLDER and shown != before:
                raise Broken(f"the word takes {column} away, which is newer")
            if not self.touches(event, column):
                continue
            # Of a hole, the end of what was before it.
            newest = self.end(state) if before is None else before
            is_kept = newest is not None and self.order(event, newest) is OLDER
            is_end = event.kind is Kind.DELETE and shown is None
            is_it = shown is not None and shown.has_content_of(stamp_of(event))
            if not (is_kept or is_end or is_it or applied.reason is Reason.STALE):
                raise Broken(f"the word is given, and {column} shows something else")
            chosen[place] = chosen[place] if is_kept else number
        bit = 1 << number
        return after._replace(
            held=state.held & ~bit,
            closed=state.closed | bit,
            chosen=tuple(chosen),
            words=state.words + 1,
        )

    def dropped(self, state: State, number: int) -> State:
        memory, row = self.store.slots[state.slot]
        event, bit, slot = self.events[number], 1 << number, state.slot
        if memory is not None and is_dispute(memory, event, self.store.limits[0]):
            assert event.position is not None
            after = marked(memory, event.position, {})
            slot = slot if after is memory else self.store.number(Slot(after, row))
        return state._replace(
            slot=slot,
            held=state.held & ~bit,
            closed=state.closed | bit,
            words=state.words + 1,
        )

    def settled(self, state: State, before: State) -> State:
        known = before.slot
        # It ends: a memory only ever moves towards newer events and further words.
        while state.held and state.slot != known:
            known = state.slot
            for number in bits(state.held):
                state, _ = self.delivered(state, number, again=True)
        return state

    # ---- what the laws ask

    def tellers(self, state: State) -> dict[str, Stamp | None]:
        memory, _ = self.store.slots[state.slot]
        if memory is None or not memory.live:
            return dict.fromkeys(COLUMNS)
        return {column: source_of(memory, column) for column in COLUMNS}

    def end(self, state: State) -> Stamp | None:
        memory, _ = self.store.slots[state.slot]
        if memory is None or not memory.live or not isinstance(memory.base, Dead):
            return None
        return memory.base.stamp

    def order(self, event: Event, stamp: Stamp) -> Order:
        return stamp_of(event).position.compare(stamp.position, {})

    def touches(self, event: Event, column: str) -> bool:
        return event.kind is Kind.DELETE or event.names(column)

    def moved(self, state: State, after: State, number: int) -> tuple[int | None, ...]:
        """Laws 1 and 4; the words that still hold."""
        event, chosen = self.events[number], list(state.chosen)
        was, now = self.tellers(state), self.tellers(after)
        for place, column in enumerate(COLUMNS):
            before, word = was[column], chosen[place]
            told = None if before is None else (before.position, before.fingerprint)
            shown = now[column]
            if told == (None if shown is None else (shown.position, shown.fingerprint)):
                continue
            if before is not None and self.order(event, before) not in (NEWER, SAME):
                raise Broken(f"{column} moves from {before.position.text()}")
            if word is not None and self.order(event, stamp_of(self.events[word])) is not NEWER:
                raise Broken(f"it undoes the word for {self.names[word]} in {column}")
            chosen[place] = None
        return tuple(chosen)

    def told_otherwise(self, after: State, number: int) -> bool:
        """Law 5: a column that the event touches, and that somebody else told whom it does not
        compare with."""
        event = self.events[number]
        for column, stamp in self.tellers(after).items():
            if stamp is None or not self.touches(event, column):
                continue
            if self.order(event, stamp) not in (OLDER, SAME):
                return True
        return False


def histories(letters: str, length: int) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Every history of these letters in two scopes, of which a is the first; neighbours of a scope
    share a place or not."""
    for scopes in itertools.product("ab", repeat=length - 1):
        for told_by in itertools.product(letters, repeat=length):
            words = tuple(map("".join, zip(("a", *scopes), told_by, strict=True)))
            if "b" in scopes:
                yield from ((words, places) for places in _places(words))


def _places(words: Sequence[str]) -> Iterator[tuple[int, ...]]:
    for steps in itertools.product((0, 1), repeat=len(words)):
        last: dict[str, int] = {}
        places = []
        for word, step in zip(words, steps, strict=True):
            known = last.get(word[0])
            # The first of a scope has no neighbour, so there is one way to place it.
            if known is None and step:
                break
            last[word[0]] = 1 if known is None else known + step
            places.append(last[word[0]])
        if len(places) == len(words):
            yield tuple(places)


def search_all(letters: str, length: int, every: int = 1) -> tuple[int, int, Explored | None]:
    """Histories and states searched, and the shortest counterexample."""
    count = states = 0
    worst: Explored | None = None
    for history, places in itertools.islice(histories(letters, length), 0, None, every):
        found = Unrelated(history, places).search()
        count, states = count + 1, states + found.states
        if not found.safe:
            worst = shortest(found, worst)
    return count, states, worst
