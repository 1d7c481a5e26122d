"""Many deliveries, decided together (rules R9). A batch changes nothing: the same state and the
same settled books as one by one.

`coalesce` folds all events of one key, newest first, into one write. Whenever the memory moves,
what is held of the key (in the quarantine, or earlier in this batch) is decided again, newest
first, until nothing moves (the settling rule, R1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from anyorder._core.columns import Written
from anyorder._core.decide import decide
from anyorder._core.event import Event, KeyFields
from anyorder._core.families.restarting import is_restartable
from anyorder._core.fold import Applied, Limits
from anyorder._core.memory import Memory, Stamp
from anyorder._core.outcome import Outcome, Reason, outcome_of
from anyorder._core.ties import disputed_at

replace = msgspec.structs.replace
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


class Tied(NamedTuple):
    """What stays held as one of two contents of a position, whatever it was held for before, and
    the other one's stamp."""

    held: Held
    against: object


class Coalesced(msgspec.Struct, frozen=True, gc=False):
    """One key's share of a batch: the memory before and after, every delivery as it stands, the
    entries that closed, what all of it together writes to the row, and the entries that are of a
    tie by now."""

    before: Memory | None
    after: Memory | None
    judged: list[Judged]
    settled: list[Settled]
    written: Written | None = None
    tied: list[Tied] = []

    @property
    def moved(self) -> bool:
        return self.after is not self.before


class _Eventful(Protocol):
    @property
    def event(self) -> Event: ...


One = TypeVar("One", bound=_Eventful)


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
    if delivery.partition >= 0 and delivery.offset >= 0:
        return f"{event.kind} {delivery.place} {content}"
    # Its source numbers nothing (a queue), or a line, which another copy has elsewhere: the same
    # bytes are the same event, by whichever queue or file.
    return f"{event.kind} {content}"


def newest_first(ones: Iterable[One]) -> list[One]:
    """Roughly newest first: correctness does not depend on it, but the winner is then usually
    decided first. Of a tie the greater comes first."""
    by_content = sorted(ones, key=lambda one: one.event.fingerprint, reverse=True)
    return sorted(by_content, key=_age)


def _age(one: _Eventful) -> tuple[int, ...]:
    position = one.event.position
    # Without a position it is not compared, so it may stand anywhere.
    if position is None:
        return ()
    return position.newest_first()


Answer = Callable[[Memory | None, Event, Limits], Applied]


class _Folding:
    """The memory of a key while its events are folded into it, and what is to be written to its
    row."""

    def __init__(self, memory: Memory | None, limits: Limits) -> None:
        self.memory = memory
        self.written: Written | None = None
        self._limits = limits

    def take(self, answer: Answer, event: Event) -> Applied:
        """The answer for an event: `decide` for one that is new here, else `decide_again`."""
        applied = answer(self.memory, event, self._limits)
        self.memory = applied.memory
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
    folding = _Folding(memory, limits)
    judged: list[Judged] = []
    # One event is its own order, and most keys of a batch have one.
    ordered = arrivals
    if len(arrivals) > 1:
        ordered = newest_first(arrivals)
    is_any_held = len(held) > 0
    for one in ordered:
        _, _, reason, against = folding.take(decide, one.event)
        judged.append(Judged(one.number, one.event, reason, against))
        is_any_held = is_any_held or reason.quarantined

    settled: list[Settled] = []
    tied: list[Tied] = []
    has_moved = reconsider or folding.memory is not memory
    if has_moved and is_any_held:
        settled, tied = _settle(folding, judged, held)
    return Coalesced(memory, folding.memory, judged, settled, folding.written, tied)


def _settle(
    folding: _Folding,
    judged: list[Judged],
    held: Sequence[Held],
) -> tuple[list[Settled], list[Tied]]:
    """The settling rule (R1): decide again what is held, here (in `judged`) and in the quarantine.
    The entries that closed, and those that are of a tie."""
    waiting, settled = list(held), list[Settled]()
    tied: list[Tied] = []
    moved = True
    # One that moves the memory may end what others wait for, so all that is still held is decided
    # once more. It ends: a memory only ever moves towards newer events, of which there are so many.
    while moved:
        start = folding.memory
        _judge_again(folding, judged)
        tied = []
        for entry in tuple(waiting):
            _, _, reason, against = folding.take(decide_again, entry.event)
            if not reason.quarantined:
                waiting.remove(entry)
                settled.append(Settled(entry, reason))
            if is_tie(entry.event, reason, against):
                tied.append(Tied(entry, against))
        moved = folding.memory is not start
    return closed(settled, waiting), tied


def is_tie(event: Event, reason: Reason, against: object) -> bool:
    """Was it judged by another content of its very position? (rules R12)"""
    # Only a tie ends as a conflict whose evidence has the very position.
    if reason is not Reason.CONFLICT:
        return False
    # A floor is no content, and what has no position has no other content either.
    if event.position is None or not isinstance(against, Stamp):
        return False
    return against.position.identity() == event.position.identity()


def closed(settled: Sequence[Settled], waiting: Sequence[Held]) -> list[Settled]:
    """The entries that close, each once, by what its last content came to. An entry of several
    contents stays open while any of them is held (rules R12)."""
    still = {one.entry for one in waiting}
    # A later one of the same entry takes the place of the one before.
    found = {one.held.entry: one for one in settled if one.held.entry not in still}
    return list(found.values())


def _judge_again(folding: _Folding, judged: list[Judged]) -> None:
    """What this batch itself brought and could not decide."""
    for index, one in enumerate(judged):
        # What was applied or ignored was decided for good.
        if one.reason.quarantined:
            _, _, reason, against = folding.take(decide_again, one.event)
            judged[index] = replace(one, reason=reason, against=against)


def decide_again(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """Decide what is held once more.

    The entry of a dispute stands for all contents of its position, so it stays while any of them is
    disputed (rules R12).
    """
    applied = decide(memory, event, limits)
    memory = applied.memory
    # The common case: nothing of the row is disputed, or the event is held anyway.
    if memory is None or not memory.disputed or applied.reason.quarantined:
        return applied
    disputed = None
    if event.position is not None:
        disputed = disputed_at(memory, event.position)
    # The row shows a dispute of another position, which has an entry of its own.
    if disputed is None:
        return applied
    return applied._replace(reason=Reason.CONFLICT, against=disputed)
