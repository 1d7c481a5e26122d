"""Many deliveries, decided together (rules R9). A batch changes nothing: the same state and the
same settled books as one by one.

`coalesce` folds all events of one key, as they arrived, into one write. Whenever the memory moves,
what is held of the key (in the quarantine, or earlier in this batch) is decided again, until
nothing moves (the settling rule, R1).

As they arrived, because the rules leave it to arrival how much stays undecided: a hint waits
(R6) unless the delete that it follows is still remembered, or the row has passed it in the same
partition; of two runs (R14), and of a create without its evidence (R4), what came first stays. A
fold in another order would show a batch another past than one by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from anyorder._core.columns import Written
from anyorder._core.decide import decide, decide_again
from anyorder._core.event import Event, KeyFields, Kind
from anyorder._core.families.restarting import is_restartable
from anyorder._core.fold import Applied, Limits
from anyorder._core.memory import Memory
from anyorder._core.outcome import Outcome, Reason, outcome_of

IDENTIFIED = {Kind.PUT: "put", Kind.HINT: "hint", Kind.NO_CONTENT: "incomplete"}
"""Kinds by their names of before, in the identity of what has no position: entries have it."""

replace = msgspec.structs.replace
CONFLICT = Reason.CONFLICT  # looked up once, as in columns.py
# Values that are made by the million hold no cycle: the garbage collector need not look (gc=False).


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What became of one delivery. True if the row moved. `against`: the stamp or floor that it was
    judged by.

    `values`: where the caller writes the row (`Table.transaction`), the columns to write; None:
    delete the row. Of a tie (rules R12) they are the greater content, so it is true and held.
    """

    event: Event
    reason: Reason
    against: object = None
    detail: str = ""
    values: dict[str, Any] | None = None

    @property
    def key(self) -> KeyFields:
        """The key columns of the row that it is about; none of an event that says none."""
        return self.event.key or {}

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.reason)

    @property
    def quarantined(self) -> bool:
        return self.reason.quarantined

    def __bool__(self) -> bool:
        return self.reason is Reason.APPLIED or self.values is not None


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One delivery of a batch: its number there, by which its decision is found, and its event."""

    number: int
    event: Event


def arrivals_of(events: Iterable[Event], first: int = 0) -> list[Arrival]:
    """Events numbered as they arrived, from `first` on."""
    return [Arrival(number, event) for number, event in enumerate(events, first)]


class Held(NamedTuple):
    """An event that an open quarantine entry of a key holds: the entry's number in the store, the
    event, and the provenance that is kept with it. An entry may hold several (rules R12): by
    `content`, its number there."""

    entry: int
    event: Event
    provenance: str = ""
    content: int = 0


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One delivery of a batch as it stands now; in the end it becomes a `Decision`. `retry`: the
    store refused it for now, and may take it when other rows move."""

    number: int
    event: Event
    reason: Reason
    against: object = None
    detail: str = ""
    retry: bool = False


class Settled(NamedTuple):
    """A quarantine entry that closed by itself, and the reason that its event has now."""

    held: Held
    reason: Reason


class StillHeld(NamedTuple):
    """What an open entry still holds, by what it was decided again: a tie belongs into the entry of
    its dispute (rules R12)."""

    held: Held
    reason: Reason
    against: object = None

    @property
    def event(self) -> Event:
        return self.held.event


class Coalesced(msgspec.Struct, frozen=True, gc=False):
    """One key's share of a batch: the memory before and after, every delivery as it stands, the
    entries that closed, and what all of it together writes to the row. `still`: what was decided
    again and is held as before. `is_open`: may anything of it be undecided, of what came or of what
    was held? `ended`: did the row go in between?"""

    before: Memory | None
    after: Memory | None
    judged: list[Judged]
    settled: list[Settled]
    written: Written | None = None
    still: Sequence[StillHeld] = ()
    is_open: bool = True
    ended: bool = False

    @property
    def moved(self) -> bool:
        return self.after is not self.before


def identity_of(event: Event) -> str:
    """What makes two deliveries the same event (rules R1): position and fingerprint; the key is the
    caller's."""
    if event.position is not None:
        identity = f"{event.position.identity()} {event.fingerprint}"
        # Two lives of a key may tell the same content at the same version (rules R13).
        if is_restartable(event.position):
            identity += f" {event.position.time}"
        return identity
    # Undecodable: nothing but its bytes tells it from another.
    delivery = event.delivery
    told = repr((delivery.key, delivery.value)).encode()
    content = hashlib.blake2b(told, digest_size=8).hexdigest()
    kind = IDENTIFIED.get(event.kind, event.kind.value)
    if delivery.partition >= 0 and delivery.offset >= 0:
        return f"{kind} {delivery.place} {content}"
    # Its source numbers nothing (a queue), or a line, which another copy has elsewhere: the same
    # bytes are the same event, by whichever queue or file.
    return f"{kind} {content}"


Answer = Callable[[Memory | None, Event, Limits], Applied]


class _Folding:
    """The memory of a key while its events are folded into it, and what is to be written to its
    row. `judged`: the deliveries so far; `settled`: the entries that closed; `still`: those that
    are held still."""

    def __init__(self, memory: Memory | None, limits: Limits, held: Sequence[Held]) -> None:
        self.memory = memory
        self.written: Written | None = None
        self.judged: list[Judged] = []
        self.settled: list[Settled] = []
        self.still: list[StillHeld] = []
        self.ended = False
        self._limits = limits
        self._waiting = list(held)
        # The places in `judged` of what this batch brought and could not decide.
        self._undecided: list[int] = []

    def arrive(self, one: Arrival) -> None:
        """The next delivery, as if it had come alone."""
        start, event = self.memory, one.event
        applied = self._take(decide, event)
        reason = applied.reason
        if reason.quarantined:
            self._undecided.append(len(self.judged))
        self.judged.append(Judged(one.number, event, reason, applied.against))
        if self.memory is not start:
            self.settle()

    def settle(self) -> None:
        """The settling rule (R1): decide again what is held, in the quarantine and of this
        batch."""
        # Nearly always nothing is.
        if not self._waiting and not self._undecided:
            return
        moved = True
        # One that moves the memory may end what others wait for, so all that is still held is
        # decided once more. It ends: a memory only ever moves towards newer events, of which there
        # are so many.
        while moved:
            start = self.memory
            self._judge_again()
            self._decide_entries()
            moved = self.memory is not start

    def result(self, before: Memory | None) -> Coalesced:
        """What it came to."""
        settled = self.settled
        # Nearly always nothing was held.
        if settled:
            settled = closed(settled, self._waiting)
        is_open = bool(self._undecided or self.still)
        return Coalesced(
            before, self.memory, self.judged, settled, self.written, self.still, is_open, self.ended
        )

    def _decide_entries(self) -> None:
        """What the quarantine holds."""
        self.still = []
        for entry in tuple(self._waiting):
            applied = self._take(decide_again, entry.event)
            reason = applied.reason
            if reason.quarantined:
                self.still.append(StillHeld(entry, reason, applied.against))
            else:
                self._waiting.remove(entry)
                self.settled.append(Settled(entry, reason))

    def _judge_again(self) -> None:
        """What this batch itself brought and could not decide."""
        for place in tuple(self._undecided):
            one = self.judged[place]
            applied = self._take(decide_again, one.event)
            self.judged[place] = replace(one, reason=applied.reason, against=applied.against)
            if not applied.reason.quarantined:
                self._undecided.remove(place)

    def _take(self, answer: Answer, event: Event) -> Applied:
        """The answer for an event: `decide` for one that is new here, else `decide_again`."""
        applied = answer(self.memory, event, self._limits)
        before, self.memory = self.memory, applied.memory
        # When all of it is written the row may be there again, so it must be said.
        is_row = self.memory is not None and self.memory.live
        if self.memory is not before and not is_row:
            self.ended = True
        # Of what was written before and what is now, often both are nothing.
        if applied.written is not None or self.written is not None:
            self.written = applied.written_after(self.written)
        return applied


def coalesce(
    memory: Memory | None,
    arrivals: Sequence[Arrival],
    held: Sequence[Held],
    limits: Limits,
    *,
    reconsider: bool = False,
) -> Coalesced:
    """Fold all events of one key; decide again what is held of it whenever the memory moves.

    `reconsider`: the lineage or the limits moved, so what is held is decided again even if the
    memory does not.
    """
    # Of most keys there is one event, and nothing is held that it could settle.
    if len(arrivals) == 1 and not held:
        (one,) = arrivals
        applied = decide(memory, one.event, limits)
        if not applied.reason.quarantined:
            return _share_of_one(memory, one, applied)
    folding = _Folding(memory, limits, held)
    for one in arrivals:
        folding.arrive(one)
    if reconsider:
        folding.settle()
    return folding.result(memory)


def _share_of_one(memory: Memory | None, one: Arrival, applied: Applied) -> Coalesced:
    """What an event that is not held comes to by itself."""
    judged = Judged(one.number, one.event, applied.reason, applied.against)
    written = applied.written_after(None)
    return Coalesced(memory, applied.memory, [judged], [], written, is_open=False)


def closed(settled: Sequence[Settled], waiting: Sequence[Held]) -> list[Settled]:
    """The entries that close, each once, by what its last content came to. An entry of several
    contents stays open while any of them is held (rules R12)."""
    still = {one.entry for one in waiting}
    # A later one of the same entry takes the place of the one before.
    found = {one.held.entry: one for one in settled if one.held.entry not in still}
    return list(found.values())
