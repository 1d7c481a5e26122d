"""What a store does with the product's decisions, and nothing more: it keeps memories, writes rows
from `Written`, keeps the quarantine. Memories, limits and decisions are numbered, so that a state
is a few small integers and every decision of the product is taken once in a search, however many of
its histories ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from anyorder._core.batch import Arrival, Held, Judged, coalesce, identity_of
from anyorder._core.columns import Written, holes, source_of
from anyorder._core.decide import decide_again, forget, truncate, truncated_by
from anyorder._core.event import Event
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, pack, unpack
from anyorder._core.outcome import Outcome, Reason, outcome_of
from anyorder.guard.holdings import disputes

Row = tuple[object, ...]
EMPTY = 0
SETS = 50_000  # of events, which are numbered from 0 in each history: few, and asked for often
FULL = 200_000  # steps that are kept: 100 MB
_text = msgspec.json.Encoder(order="deterministic").encode
QUARANTINED = frozenset(reason for reason in Reason if outcome_of(reason) is Outcome.QUARANTINED)


class Slot(NamedTuple):
    """One key: what is remembered of it, and the user's row."""

    memory: Memory | None
    row: Row | None


class Step(NamedTuple):
    """After a write: the slot, the open quarantine (a bit an event), a reason a delivery, and the
    events that were accepted."""

    slot: int
    held: int
    reasons: tuple[Reason, ...]
    accepted: int


def is_dispute(memory: Memory | None, event: Event, limits: Limits) -> bool:
    """Is what is held an entry of a dispute, as the key stands now?"""
    applied = decide_again(memory, event, limits)
    return disputes(Judged(0, event, applied.reason, applied.against))


@lru_cache(SETS)
def bits(mask: int) -> tuple[int, ...]:
    """The numbers of the events in a set."""
    return tuple(at for at in range(mask.bit_length()) if mask >> at & 1)


@lru_cache(SETS)
def among(mask: int, asked: tuple[int, ...]) -> int:
    """A set of events, as a set of places in a question."""
    return sum((mask >> place & 1) << at for at, place in enumerate(asked))


@lru_cache(SETS)
def placed(mask: int, asked: tuple[int, ...]) -> int:
    """The other way round."""
    found = 0
    for at in bits(mask):
        found |= 1 << asked[at]
    return found


class Shared:
    """What was decided in the histories of one search: every slot and limit that it led to, and
    each decision. An answer of the product depends on its arguments only, and these are the same
    in many histories."""

    def __init__(self) -> None:
        self.slots: list[Slot] = [Slot(None, None)]
        self.slot_numbers: dict[bytes, int] = {_text((None, None)): EMPTY}
        self.limits: list[Limits] = []
        self.limits_numbers: dict[bytes, int] = {}
        self.events: dict[tuple[bytes, int], int] = {}
        self.steps: dict[tuple[object, ...], Step] = {}

    def or_fresh(self) -> Shared:
        """For the next history: this, as long as it is no burden on the memory of the machine."""
        return self if len(self.steps) < FULL else Shared()

    def numbers_of(self, events: Sequence[Event]) -> tuple[int, ...]:
        """The number of each event of a history. Of two that are equal each has its own."""
        seen: dict[bytes, int] = {}
        found = []
        for event in events:
            text = _text(event)
            seen[text] = seen.get(text, 0) + 1
            found.append(self.events.setdefault((text, seen[text]), len(self.events)))
        return tuple(found)


class Store:
    """The events of one history, and what deciding them leads to. `share`: together with other
    histories of the same columns."""

    def __init__(
        self, events: Sequence[Event], columns: Sequence[str], limits: Limits | None = None
    ) -> None:
        self.events, self.columns = tuple(events), tuple(columns)
        self._steps: dict[tuple[object, ...], Step] = {}
        self._views: dict[int, dict[str, object] | None] = {}
        self._said = {
            (event.position.identity(), event.fingerprint): event.fields or {}
            for event in self.events
            if event.position is not None
        }
        self._teaching = {place for place, one in enumerate(self.events) if one.snapshot_run}
        self._begin = limits or Limits()
        self.share(Shared())

    def share(self, shared: Shared) -> None:
        """Before anything is decided: use what other histories found out."""
        self._shared, self._names = shared, shared.numbers_of(self.events)
        self.slots, self.limits = shared.slots, shared.limits
        self.first_limits = self.number_limits(self._begin)

    def number(self, slot: Slot) -> int:
        """The slot's number; its memory is kept as a store would read it back."""
        memory = None if slot.memory is None else unpack(pack(slot.memory))
        told = memory and (
            memory.stamp,
            memory.cells,
            memory.base,
            sorted(memory.disputed),
            memory.declared,
            memory.bound,
        )
        name = _text((told, slot.row))
        found = self._shared.slot_numbers.setdefault(name, len(self.slots))
        if found == len(self.slots):
            self.slots.append(Slot(memory, slot.row))
        return found

    def number_limits(self, limits: Limits) -> int:
        found = self._shared.limits_numbers.setdefault(_text(limits), len(self.limits))
        if found == len(self.limits):
            self.limits.append(limits)
        return found

    def deliver(
        self, slot: int, batch: tuple[int, ...], held: int, limits: int, reconsider: bool = False
    ) -> Step:
        """One write: these events of the key in this order, with what the quarantine holds of
        it."""
        asked = (slot, batch, held, limits, reconsider)
        step = self._steps.get(asked)
        if step is None:
            step = self._steps[asked] = self._found(*asked)
        return step

    def _found(
        self, slot: int, batch: tuple[int, ...], held: int, limits: int, reconsider: bool
    ) -> Step:
        """The same write in any history: events by the names that all histories know them by, and
        in the answer by their places in the question."""
        asked = batch + bits(held)
        names = tuple(map(self._names.__getitem__, asked))
        key = (slot, names, len(batch), limits, reconsider)
        known = self._shared.steps.get(key)
        if known is None:
            step = self._deliver(slot, batch, held, limits, reconsider)
            inside = among(step.held, asked), among(step.accepted, asked)
            self._shared.steps[key] = Step(step.slot, inside[0], step.reasons, inside[1])
            return step
        return Step(
            known.slot, placed(known.held, asked), known.reasons, placed(known.accepted, asked)
        )

    def _deliver(
        self, slot: int, batch: tuple[int, ...], held: int, limits: int, reconsider: bool
    ) -> Step:
        memory, row = self.slots[slot]
        entries = [Held(place, self.events[place]) for place in bits(held)]
        share = coalesce(
            memory,
            [Arrival(place, self.events[place]) for place in batch],
            entries,
            self.limits[limits],
            reconsider=reconsider,
        )
        accepted = kept = 0
        reasons = {}
        for decision in share.judged:
            place = decision.number
            reasons[place] = decision.reason
            if not decision.reason.quarantined:
                accepted |= 1 << place
            elif not self._is_held(decision, held | kept):
                kept |= 1 << place
        for entry, _ in share.settled:
            held &= ~(1 << entry.entry)
            accepted |= 1 << entry.entry
        held |= kept
        after = slot
        if share.moved:
            shown = self.written(row, share.after, share.written)
            after = self.number(Slot(share.after, shown))
        return Step(after, held, tuple(reasons[place] for place in batch), accepted)

    def _is_held(self, decision: Judged, held: int) -> bool:
        """Does the quarantine hold the event, or another content of the same dispute? Then it is a
        duplicate (rules R1, R12)."""
        mine, position = identity_of(decision.event), decision.event.position
        for place in bits(held):
            other = self.events[place]
            same_place = (
                position is not None
                and other.position is not None
                and other.position.identity() == position.identity()
            )
            if identity_of(other) == mine or (same_place and disputes(decision)):
                return True
        return False

    def learn(self, limits: int, place: int) -> int:
        """The limits once this event is seen: a snapshot record makes its run known."""
        if place not in self._teaching:
            return limits
        known, run = self.limits[limits], self.events[place].snapshot_run
        if run is None or run[1] in known.lineage.get(run[0], ()):
            return limits
        runs = tuple(sorted((*known.lineage.get(run[0], ()), run[1])))
        return self.number_limits(
            msgspec.structs.replace(known, lineage={**known.lineage, run[0]: runs})
        )

    def written(self, row: Row | None, after: Memory | None, step: Written | None) -> Row | None:
        """The user's row after a store wrote a decision."""
        if after is None or not after.live:
            return None
        if step is None:
            return row
        before = {} if row is None else dict(zip(self.columns, row, strict=True))
        shown = step.onto(before)
        return tuple(shown.get(column) for column in self.columns)

    def reap(self, slot: int, limits: int) -> int:
        """Forget this tombstone: the limits afterwards; the slot is empty."""
        memory = self.slots[slot].memory
        assert memory is not None
        return self.number_limits(forget(self.limits[limits], memory.greatest))

    def truncate(
        self, slots: Sequence[int], place: int, limits: int
    ) -> tuple[list[int], int, Reason]:
        """The slots and limits after a truncate."""
        event = self.events[place]
        after, reason = truncated_by(self.limits[limits], event)
        if reason is not Reason.APPLIED and reason is not Reason.DUPLICATE:
            return list(slots), limits, reason
        return (
            [self._truncated(slot, event, after) for slot in slots],
            self.number_limits(after),
            reason,
        )

    def _truncated(self, slot: int, event: Event, limits: Limits) -> int:
        memory, row = self.slots[slot]
        if memory is None:
            return slot
        told = truncate(memory, event, limits)
        if told.memory is memory:
            return slot
        return self.number(Slot(told.memory, self.written(row, told.memory, told.written)))

    def is_tombstone(self, slot: int) -> bool:
        memory = self.slots[slot].memory
        return memory is not None and not memory.live

    def is_incomplete(self, slot: int) -> bool:
        memory = self.slots[slot].memory
        return memory is not None and bool(holes(memory, self.columns))

    def view(self, slot: int) -> dict[str, object] | None:
        """The row without its holes. Raises AssertionError where it is not what the memory says:
        each value from the event that told it."""
        if slot not in self._views:
            self._views[slot] = self._view(*self.slots[slot])
        return self._views[slot]

    def _view(self, memory: Memory | None, row: Row | None) -> dict[str, object] | None:
        if memory is None or not memory.live:
            assert row is None, f"a row is left: {row}"
            return None
        assert row is not None, "a live memory without a row"
        told = {
            c: value
            for c, value in zip(self.columns, row, strict=True)
            if source_of(memory, c) is not None
        }
        untold = sorted(set(self.columns) - set(told))
        assert holes(memory, self.columns) == untold
        assert all(
            value is None for c, value in zip(self.columns, row, strict=True) if c in untold
        ), f"a hole shows a value: {row}, holes {untold}"
        for column, value in told.items():
            stamp = source_of(memory, column)
            said = (
                self._said.get((stamp.position.identity(), stamp.fingerprint), {})
                if stamp is not None
                else {}
            )
            assert said.get(column) == value, f"{column} shows {value}, its event told {said}"
        return told
