"""An operator's word (rules R11, R12): accept or drop of any open entry at any moment of a key's
history, with ties, partial events, deletes, a reaper without retention, a truncate, a purge of
closed entries; any order, any repetition.

Letters as in histories.py, of one key; F is another key's tombstone at that position, reaped. B and
b are P and p which the store refuses, until it takes them.
The laws, checked at every step (`Broken` says which does not hold):

  1 a column that a word chose moves only by what is newer; what was dropped never moves the row
  2 accept takes nothing newer away
  3 the row is the fold of what counts, with each word's order inside its position
  4 the end is a function of the words (`ends`)
  5 `late` only at or below the floor when the slot was filled
  6 what tells the position otherwise is listed in an entry
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from anyorder._core.columns import is_disputed, source_of
from anyorder._core.decide import decide, decide_again
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Applied, stamp_of
from anyorder._core.marks import marked
from anyorder._core.memory import Dead, Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.word import accept
from tests.model.histories import limits_of, meaning, position, told
from tests.model.search import Explored, explore, shortest
from tests.model.store import EMPTY, Slot, Store, bits, is_dispute

COLUMNS = ("x", "y", "z")  # z: what an event of all columns tells without spelling it out
SPELLED = {"F": "D", "B": "P", "b": "p"}
BELOW = frozenset({Reason.LATE, Reason.UNKNOWN_SCOPE})
HELD = BELOW | {Reason.CONFLICT, Reason.WAITING}
Key = tuple[Any, ...]


class Broken(Exception):
    """A law does not hold."""


class Refused(Exception):
    """The store does not take the row."""


class State(NamedTuple):
    """The product's: limits and slot. The books': what counts, is held, is listed by an entry that
    a word closed. The rest only for the laws: `keys`, where an event stands in the fold if not at
    its place; `word`, where a word chose a column; `said`, the words with what each listed; `life`,
    which of them made the row declared; `since`, the floor when the slot was filled."""

    limits: int
    slot: int = EMPTY
    got: int = 0
    held: int = 0
    closed: int = 0
    keys: tuple[Key | None, ...] = ()
    word: tuple[int | None, ...] = (None,) * len(COLUMNS)
    dropped: int = 0
    said: tuple[tuple[object, ...], ...] = ()
    life: int = 0
    since: int = 0
    takes: bool = False
    broken: str = ""


class Words:
    """One history of a key, its events at these positions."""

    def __init__(
        self,
        history: Sequence[str],
        places: Sequence[int],
        *,
        family: str = "version",
        words: int = 2,
        reaping: bool = True,
        purging: bool = True,
    ) -> None:
        letters = [SPELLED.get(letter, letter) for letter in history]
        self.letters, self.places, self.family = history, places, family
        self.events = [
            _fingerprinted(number, one.event)
            for number, one in enumerate(told(family, letters, places))
        ]
        self.names = [
            f"{letter}{number}@{place}"
            for number, (letter, place) in enumerate(zip(history, places, strict=True))
        ]
        self.most, self.reaping, self.purging = words, reaping, purging
        self.store = Store(self.events, COLUMNS, limits_of(family))
        self.ends: dict[object, set[object]] = {}
        self.refused = {
            value
            for letter, event in zip(history, self.events, strict=True)
            for value in (event.fields or {}).values()
            if letter in "Bb"
        }
        self._decided: dict[tuple[object, ...], tuple[int, Reason]] = {}

    def search(self) -> Explored:
        start = State(self.store.first_limits, keys=(None,) * len(self.events))
        return explore(start, self.successors, self.problem)

    def successors(self, state: State) -> Iterator[tuple[object, State]]:
        for place in range(len(self.events)):
            yield self.tried(state, self.names[place], self.deliver, place)
        if len(state.said) < self.most:
            yield from self.words(state)
        if self.reaping and self.store.is_tombstone(state.slot):
            limits = self.store.reap(state.slot, state.limits)
            gone = state._replace(limits=limits, slot=EMPTY)
            yield self.tried(state, "reap", self.settled, gone, state)
        if self.refused and not state.takes:
            taking = state._replace(takes=True)
            yield self.tried(state, "the store takes it", self.settled, taking, None)
        if self.purging and state.closed:
            yield "purge", state._replace(closed=0)

    def tried(self, state: State, label: str, step: Any, *told: Any) -> tuple[str, State]:
        """A step, or the law that it breaks."""
        try:
            after, what = step(state, *told)
        except Refused:
            return f"{label} is refused", state
        except Broken as broken:
            return label, state._replace(broken=str(broken))
        return f"{label} {what}".strip(), after

    def problem(self, state: State) -> str:
        if state.broken:
            return state.broken
        shown, meant = self.store.view(state.slot), self.meaning(state)
        if (state.got | state.held | state.closed).bit_count() == len(self.events):
            end = state.slot, state.held
            self.ends.setdefault(state.said, set()).add(end)
        return "" if (shown or None) == meant else f"shows {shown}, the fold with words is {meant}"

    # ---- what the laws ask

    def memory(self, state: State) -> Memory | None:
        return self.store.slots[state.slot].memory

    def birth(self, state: State) -> int | None:
        memory = self.memory(state)
        return None if memory is None or memory.declared is None else _height(memory.declared)

    def floor(self, state: State) -> int:
        return _height(self.store.limits[state.limits].floor)

    def at(self, stamp: Stamp) -> int:
        """The number of a stamp's position in the history."""
        values = [stamp.position.compare(position(self.family, n, "u"), {}) for n in range(9)]
        return [order.value for order in values].index("same")

    def cells(self, state: State) -> dict[str, Stamp]:
        memory = self.memory(state)
        if memory is None or not memory.live:
            return {}
        found = {column: source_of(memory, column) for column in COLUMNS}
        return {column: stamp for column, stamp in found.items() if stamp is not None}

    def end(self, state: State) -> Stamp | None:
        """What is known to have ended what was before."""
        memory = self.memory(state)
        if memory is None:
            return None
        if not memory.live:
            return memory.stamp
        return memory.base.stamp if isinstance(memory.base, Dead) else None

    def disputed(self, state: State, place: int | None = None) -> set[str]:
        memory, cells = self.memory(state), self.cells(state)
        return {
            column
            for column, stamp in cells.items()
            if memory is not None
            and is_disputed(memory, column)
            and place in (None, self.at(stamp))
        }

    def otherwise(self, state: State, number: int, *, marked: bool) -> bool:
        """Does the memory tell, at this event's very position, otherwise what it touches?"""
        event, cells = self.events[number], self.cells(state)
        mine = stamp_of(event)

        def is_other(stamp: Stamp | None) -> bool:
            return (
                stamp is not None
                and self.at(stamp) == self.places[number]
                and not stamp.has_content_of(mine)
                and (stamp.is_marked or not marked)
            )

        named = {name for name in COLUMNS if event.fields is None or event.names(name)}
        touched = [stamp for column, stamp in cells.items() if column in named]
        memory = self.memory(state)
        is_row = memory is not None and memory.live
        fills = event.fields is not None and (not is_row or bool(named - cells.keys()))
        return any(map(is_other, touched)) or (fills and is_other(self.end(state)))

    def key(self, state: State, number: int) -> Key:
        place = self.places[number]
        return state.keys[number] or (place, 0, place, 0, stamp_of(self.events[number]).tag)

    def meaning(self, state: State) -> dict[str, object] | None:
        order = sorted(bits(state.got), key=lambda number: self.key(state, number))
        return meaning([self.events[number] for number in order], COLUMNS)

    def moved(self, before: State, after: State, place: int, name: str) -> tuple[int | None, ...]:
        """Law 1: the words that still hold."""
        was, now = self.store.view(before.slot) or {}, self.store.view(after.slot) or {}
        word = list(before.word)
        for number, column in enumerate(COLUMNS):
            chosen = word[number]
            if chosen is None or was.get(column) == now.get(column):
                continue
            if place <= chosen:
                raise Broken(f"{name} undoes the word at {chosen}: {column} was {was.get(column)}")
            word[number] = None
        return tuple(word)

    # ---- a delivery

    def deliver(self, state: State, number: int) -> tuple[State, str]:
        letter, place = self.letters[number], self.places[number]
        if letter == "F":
            after = self.raised(state, place)
            return self.settled(state, after, state)[0], "the floor rises"
        if letter == "T":
            after, reason = self.truncated(state, number)
        else:
            after, reason = self.one(state, number)
        return self.settled(state, after, state)[0], reason

    def raised(self, state: State, place: int) -> State:
        limits = self.store.limits[state.limits]
        floor = position(self.family, place, "d").raising(limits.floor)
        raised = msgspec.structs.replace(limits, floor=floor)
        return state._replace(limits=self.store.number_limits(raised))

    def truncated(self, state: State, number: int) -> tuple[State, Reason]:
        (slot,), limits, reason = self.store.truncate([state.slot], number, state.limits)
        place, birth, keys = self.places[number], self.birth(state), list(state.keys)
        if reason is Reason.APPLIED and birth is not None and place <= birth:
            keys[number] = (birth, state.life, place, 0, (0, ""))
        after = state._replace(
            limits=limits, slot=slot, got=state.got | 1 << number, keys=tuple(keys)
        )
        word = self.moved(state, after, place, self.names[number])
        return after._replace(word=word), reason

    def decided(self, state: State, number: int, *, again: bool) -> tuple[int, Reason]:
        """The slot after the product's decision, and its reason."""
        asked = state.slot, state.limits, number, again, state.takes
        if asked not in self._decided:
            memory, _ = self.store.slots[state.slot]
            limits = self.store.limits[state.limits]
            answer = decide_again if again else decide
            applied = answer(memory, self.events[number], limits)
            try:
                self._decided[asked] = self.stored(state, applied), applied.reason
            except Refused:
                self._decided[asked] = state.slot, Reason.WAITING
        return self._decided[asked]

    def stored(self, state: State, applied: Applied) -> int:
        memory, row = self.store.slots[state.slot]
        if applied.memory is memory:
            return state.slot
        shown = self.store.written(row, applied.memory, applied.written)
        if not state.takes and self.refused.intersection(shown or ()):
            raise Refused
        return self.store.number(Slot(applied.memory, shown))

    def one(self, state: State, number: int, *, again: bool = False) -> tuple[State, Reason]:
        """One decision, and the books of it."""
        name, bit, place = self.names[number], 1 << number, self.places[number]
        slot, reason = self.decided(state, number, again=again)
        after = state._replace(slot=slot)
        birth, is_put = self.birth(state), self.events[number].kind is Kind.PUT
        is_below = birth is not None and place <= birth
        counts = reason not in BELOW | {Reason.WAITING} and not (
            is_below and is_put and reason is Reason.CONFLICT
        )
        self.check(state, after, number, reason)

        keys = list(state.keys)
        if counts and not is_put and is_below and (keys[number] or ())[:2] != (birth, state.life):
            keys[number] = (birth, state.life, place, 0, (0, ""))
        # Its dispute's entry lists it.
        in_dispute = (
            counts
            and self.disputed(after, place)
            and not self.otherwise(after, number, marked=True)
        )
        is_kept = reason in HELD and not state.closed & bit and not in_dispute
        held = state.held | bit if is_kept else state.held & ~bit
        if self.otherwise(state, number, marked=False) and reason is not Reason.ABSORBED:
            is_listed = (held | state.closed) & bit or self.disputed(after, place)
            if not is_listed:
                raise Broken(f"{name} tells its position otherwise: {reason}, nothing lists it")
        after = after._replace(
            got=state.got | bit if counts else state.got,
            held=held,
            keys=tuple(keys),
            word=self.moved(state, after, place, name),
            since=self.since(state, slot),
        )
        if reason in HELD and (state.closed & bit or (state.held & bit and not again)):
            reason = Reason.DUPLICATE
        return after, reason

    def check(self, state: State, after: State, number: int, reason: Reason) -> None:
        """Laws 1 and 5."""
        name = self.names[number]
        is_moved = self.store.view(state.slot) != self.store.view(after.slot)
        if state.dropped >> number & 1 and is_moved:
            raise Broken(f"{name} was dropped and moves the row")
        if reason is Reason.LATE and state.slot != EMPTY and self.places[number] > state.since:
            raise Broken(f"{name} is late, although the memory is exact above {state.since}")

    def since(self, state: State, slot: int) -> int:
        is_filled = state.slot == EMPTY and slot != EMPTY
        return self.floor(state) if is_filled else state.since

    def settled(self, _: State, state: State, before: State | None) -> tuple[State, str]:
        """The settling rule (R1): decide again what is held, newest first."""
        known = (-1, -1) if before is None else (before.limits, before.slot)
        # It ends: a memory only ever moves towards newer events and further words.
        while state.held and (state.limits, state.slot) != known:
            known = state.limits, state.slot
            newest = sorted(bits(state.held), key=lambda n: (-self.places[n], -n))
            for number in newest:
                state, _reason = self.one(state, number, again=True)
        return state, ""

    # ---- a word

    def words(self, state: State) -> Iterator[tuple[object, State]]:
        """Everything that an operator may say now: accept any content that an open entry lists, or
        drop the entry."""
        reasons = {n: self.decided(state, n, again=False)[1] for n in bits(state.held)}
        late = {n for n, reason in reasons.items() if reason in BELOW}
        waiting = {n for n, reason in reasons.items() if reason is Reason.WAITING}
        held = {self.places[n] for n in reasons if n not in late | waiting}
        cells = self.cells(state)
        disputed = {self.at(cells[column]) for column in self.disputed(state)}
        for place in sorted(disputed | held):
            there = [
                number
                for number, where in enumerate(self.places)
                if where == place
                and self.letters[number] not in "TF"
                and (state.got | state.held) >> number & 1
                and number not in late | waiting
            ]
            for chosen in (*there, None):
                label = "drop" if chosen is None else f"accept {self.names[chosen]}"
                yield self.tried(state, f"{label} at {place}", self.say, place, there, chosen)
        for number in sorted(waiting):
            yield self.tried(state, f"accept {self.names[number]}", self.say_waiting, number)
            yield self.tried(state, f"drop {self.names[number]}", self.drop_waiting, number)
        for number in sorted(late):
            said = (*state.said, ("drop", number))
            yield (
                f"drop {self.names[number]}",
                state._replace(
                    held=state.held & ~(1 << number),
                    closed=state.closed | 1 << number,
                    dropped=state.dropped | 1 << number,
                    said=said,
                ),
            )
            yield self.tried(state, f"accept {self.names[number]}", self.say_late, number)

    def say(
        self, state: State, place: int, there: list[int], chosen: int | None
    ) -> tuple[State, str]:
        """A word for a dispute, or for a content of a settled position."""
        birth = self.birth(state)
        is_below = birth is not None and place <= birth
        listed = sum(1 << number for number in there)
        group: Key = (birth, state.life, place) if is_below else (place, 0, place)
        ordered = sorted(
            (
                n
                for n in there
                if (self.key(state, n)[:2] == group[:2] if is_below else state.got >> n & 1)
            ),
            key=lambda n: self.key(state, n),
        )
        if chosen is None:
            slot, dropped, got = self.dropped(state, place), state.dropped | state.held & listed, 0
        else:
            slot, dropped, got = self.accepted(state, chosen), state.dropped, 1 << chosen
            dropped &= ~got
            ordered = [n for n in ordered if n != chosen] + [chosen]
        keys = list(state.keys)
        for rank, number in enumerate(ordered, 1):
            keys[number] = (*group, rank, (0, ""))
        after = state._replace(
            slot=slot,
            held=state.held & ~listed,
            closed=state.closed | listed,
            dropped=dropped,
            got=state.got | got,
            keys=tuple(keys),
        )
        return self.said(state, after, place, chosen, listed)

    def say_late(self, state: State, number: int) -> tuple[State, str]:
        """A word for what may be dead: it is over the newer deletes that came before it, and what
        they ended stays ended."""
        bit, place, keys = 1 << number, self.places[number], list(state.keys)
        life = state.life if self.birth(state) is not None else len(state.said) + 1
        after = state._replace(slot=self.accepted(state, number), life=life)
        birth = self.birth(after)
        group = [n for n, key in enumerate(keys) if key and key[:2] == (birth, life)]
        ends = [n for n in group if self.events[n].fields is None and self.places[n] > place]
        over = max((self.places[n] for n in ends), default=-1)
        for other in group:
            at = self.places[other]
            if at < over or (self.events[other].fields is None and at == over):
                keys[other] = None
        if birth is not None:
            keys[number] = (birth, life, place, 1, (0, ""))
        after = after._replace(
            held=state.held & ~bit,
            closed=state.closed | bit,
            dropped=state.dropped & ~bit,
            got=state.got | bit,
            keys=tuple(keys),
            since=self.since(state, after.slot),
        )
        return self.said(state, after, place, number, bit)

    def say_waiting(self, state: State, number: int) -> tuple[State, str]:
        """The store takes it no more by a word than without one."""
        try:
            self.accepted(state, number)
        except Refused:
            return state, "is refused"
        raise Broken(f"{self.names[number]} waits, though the store takes it")

    def drop_waiting(self, state: State, number: int) -> tuple[State, str]:
        """What waits is an entry by itself. Where its position shows another content, that is
        chosen, column by column; what else it tells may come again, as all of it otherwise may."""
        bit = 1 << number
        memory, limits = self.memory(state), self.store.limits[state.limits]
        if not is_dispute(memory, self.events[number], limits):
            said = (*state.said, ("drop", number))
            closed = state.closed | bit
            return state._replace(held=state.held & ~bit, closed=closed, said=said), ""
        place = self.places[number]
        there = [n for n, at in enumerate(self.places) if at == place and state.got >> n & 1]
        after, what = self.say(state, place, there, None)
        held, closed = after.held & ~bit, state.closed | bit
        return after._replace(held=held, closed=closed), what

    def accepted(self, state: State, number: int) -> int:
        memory, _ = self.store.slots[state.slot]
        limits = self.store.limits[state.limits]
        return self.stored(state, accept(memory, self.events[number], limits))

    def dropped(self, state: State, place: int) -> int:
        memory, row = self.store.slots[state.slot]
        if memory is None:
            return state.slot
        after = marked(memory, position(self.family, place, "u"), {})
        return state.slot if after is memory else self.store.number(Slot(after, row))

    def said(
        self, state: State, after: State, place: int, chosen: int | None, listed: int
    ) -> tuple[State, str]:
        """Law 2, and what the word chose."""
        was, now, word = self.cells(state), self.cells(after), list(state.word)
        is_delete = chosen is not None and self.events[chosen].fields is None
        for number, column in enumerate(COLUMNS):
            stamp = was.get(column)
            if stamp is not None and self.at(stamp) > place and now.get(column) != stamp:
                raise Broken(f"the word takes {column} away, which is newer")
            is_there = column in now and self.at(now[column]) == place
            if is_there or (is_delete and column not in now):
                word[number] = place
        words = (*state.said, (chosen, place, listed, self.birth(after)))
        after = after._replace(word=tuple(word), said=words)
        return self.settled(state, after, state)


def stamps(memory: Memory | None) -> list[Stamp]:
    """Every stamp of a memory."""
    if memory is None:
        return []
    found = [memory.stamp, *(cell for cell in memory.listed.values() if isinstance(cell, Stamp))]
    if isinstance(memory.base, Dead):
        found.append(memory.base.stamp)
    return found


def _fingerprinted(number: int, event: Event) -> Event:
    """Of two contents of one position the later in the history is the greater."""
    if event.kind is not Kind.PUT:
        return event
    return msgspec.structs.replace(event, fingerprint=str(number))


def _height(floor: Any) -> int:
    return max((value[0] for value in floor.entries.values()), default=0)


class Searched(NamedTuple):
    """What a search of several histories found: the shortest counterexample; the pairs of a history
    and its words, and how many of them do not end in one way."""

    histories: int
    states: int
    worst: Explored | None
    ends: int
    undecided: int


def search_all(
    cases: Iterable[tuple[Sequence[str], Sequence[int]]],
    *,
    reaping: bool = True,
    purging: bool = True,
) -> Searched:
    """Every history with every word at every moment."""
    count = states = ends = undecided = 0
    worst: Explored | None = None
    for history, places in cases:
        words = Words(history, places, reaping=reaping, purging=purging)
        found = words.search()
        count, states = count + 1, states + found.states
        ends += len(words.ends)
        undecided += sum(len(ways) > 1 for ways in words.ends.values())
        if not found.safe:
            worst = shortest(found, worst)
    return Searched(count, states, worst, ends, undecided)


def histories(letters: str, length: int) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Every history of these letters with every way to share positions; mirrored ones once."""
    for steps in itertools.product((0, 1), repeat=length - 1):
        places = (1, *itertools.accumulate(steps, initial=1))[1:]
        for history in itertools.product(letters, repeat=length):
            if _is_wanted(history, places):
                yield history, places


def _is_wanted(history: Sequence[str], places: Sequence[int]) -> bool:
    """Not the same with x and y exchanged, at most three contents of a position, one delete of
    them, and truncates and floors by themselves."""
    if "Y" in history and "X" not in history[: history.index("Y")]:
        return False
    for place in set(places):
        group = "".join(letter for letter, at in zip(history, places, strict=True) if at == place)
        is_alone = len(group) == 1
        if len(group) > 3 or group.count("D") > 1 or (not is_alone and set(group) & {"T", "F"}):
            return False
    return True
