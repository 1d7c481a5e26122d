"""Many deliveries, decided together (rules R9). A batch changes nothing: the same state and the
same settled books as one by one.

`coalesce` folds all events of one key, newest first, into one write. Whenever the memory moves,
what is held of the key (in the quarantine, or earlier in this batch) is decided again, newest
first, until nothing moves (the settling rule, R1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from anyorder._core.decide import decide
from anyorder._core.event import Event
from anyorder._core.fold import Limits, disputed_at
from anyorder._core.memory import Memory
from anyorder._core.outcome import Outcome, Reason, outcome_of


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What became of one delivery. True if it was applied. `against`: the stamp or floor that it
    was judged by.

    `values`: where the caller writes the row (`Table.transaction`), the columns to write; None:
    delete the row.
    """

    event: Event
    reason: Reason
    against: object = None
    detail: str = ""
    values: dict[str, Any] | None = None

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.reason)

    @property
    def quarantined(self) -> bool:
        return self.reason.quarantined

    def __bool__(self) -> bool:
        return self.reason is Reason.APPLIED


class Held(NamedTuple):
    """An open quarantine entry of a key: its number in the store, and the event."""

    entry: int
    event: Event


class Coalesced(NamedTuple):
    """One key's share of a batch: the memory before and after, a decision a delivery, and how each
    held entry stands now."""

    before: Memory | None
    after: Memory | None
    decisions: list[Decision]
    settled: list[tuple[Held, Decision]]

    @property
    def moved(self) -> bool:
        return self.after is not self.before


def identity_of(event: Event) -> str:
    """What makes two deliveries the same event (rules R1): position and fingerprint; the key is the
    caller's."""
    # undecodable, perhaps of a source that numbers nothing (a queue): then only its bytes, by
    # whichever queue they come
    if event.position is None:
        content = hashlib.blake2b(
            repr((event.delivery.key, event.delivery.value)).encode(), digest_size=8
        ).hexdigest()
        return (
            f"{event.kind} {event.delivery.place} {content}"
            if event.delivery.offset >= 0
            else f"{event.kind} {content}"
        )
    return f"{event.position.identity()} {event.fingerprint}"


def newest_first(events: Iterable[Event]) -> list[Event]:
    """Roughly newest first: correctness does not depend on it, but the winner is then usually
    decided first. Of a tie the greater comes first."""
    by_content = sorted(events, key=lambda event: event.fingerprint, reverse=True)
    return sorted(
        by_content,
        key=lambda event: event.position.newest_first() if event.position is not None else (),
    )


def coalesce(
    memory: Memory | None,
    events: Sequence[Event],
    held: Sequence[Held],
    limits: Limits,
    *,
    reconsider: bool = False,
) -> Coalesced:
    """Fold all events of one key; decide again what is held of it whenever the memory moves.

    `reconsider`: the lineage or the limits moved, so what is held is decided again even if the
    memory does not.
    """
    before, open_held = memory, list(held)
    decided: list[Decision] = []
    for event in events if len(events) == 1 else newest_first(events):
        memory, reason, against = decide(memory, event, limits)
        decided.append(Decision(event, reason, against))
    settled: list[tuple[Held, Decision]] = []
    moved = reconsider or memory is not before
    while moved and (open_held or any(d.reason.quarantined for d in decided)):
        start = memory
        for place, decision in enumerate(decided):
            if decision.reason.quarantined:
                memory, decided[place] = decide_again(memory, decision.event, limits)
        for entry in tuple(open_held):
            memory, decision = decide_again(memory, entry.event, limits)
            if not decision.reason.quarantined:
                open_held.remove(entry)
                settled.append((entry, decision))
        moved = memory is not start
    return Coalesced(before, memory, decided, settled)


def decide_again(
    memory: Memory | None, event: Event, limits: Limits
) -> tuple[Memory | None, Decision]:
    """Decide what is held once more. The entry of a dispute stands for all contents of its
    position, so it stays while any is disputed."""
    memory, reason, against = decide(memory, event, limits)
    if (
        memory is not None
        and memory.disputed
        and not reason.quarantined
        and event.position is not None
    ):
        disputed = disputed_at(memory, event.position)
        if disputed is not None:
            return memory, Decision(event, Reason.CONFLICT, disputed)
    return memory, Decision(event, reason, against)
