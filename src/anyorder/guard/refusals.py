"""What happens to a key whose folded write the store refused (rules R9).

Nothing of the key is released. Each event is decided and written alone, as it arrived, on what was
accepted so far: what is refused again is held, and the next one is decided on the unchanged memory.
A loser that was released before its winner was taken would be lost with it: of put1 and put2, where
the store refuses put2, put1 is no longer `stale`.
"""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.batch import (
    Arrival,
    Coalesced,
    Held,
    Judged,
    Settled,
    StillHeld,
    closed,
    replace,
)
from anyorder._core.columns import Written
from anyorder._core.decide import decide, decide_again
from anyorder._core.fold import Applied, Limits
from anyorder._core.outcome import Reason
from anyorder.errors import StoreBusy
from anyorder.guard.contract import Answer, Lost, Refused, Remembered, TableSpec, Transaction, Write
from anyorder.guard.recall import recall_one

ATTEMPTS = 100  # times a key is decided again because somebody else moved it; see `_Case.decide`


def one_by_one(
    transaction: Transaction,
    spec: TableSpec,
    arrivals: Sequence[Arrival],
    remembered: Remembered,
    limits: Limits,
    token: str,
    refused: Refused,
) -> Coalesced:
    """Decide and write each delivery and each open entry of a key by itself. `refused`: the answer
    for all of them together."""
    key = _Key(transaction, spec, remembered, limits, token)
    arrived = [_Case(one) for one in arrivals]
    undecided = [_Case(one) for one in remembered.held]
    cases = [*arrived, *undecided]
    # One alone was asked for already.
    if len(cases) == 1:
        cases[0].refuse(refused)
    else:
        for case in arrived:
            start = key.remembered.memory
            case.decide(key)
            if case.is_held:
                undecided.append(case)
            if key.remembered.memory is not start:
                undecided = _still_held(key, undecided)
        # What is held was asked about, too, though nothing that came has moved the key.
        if not all(case.is_decided for case in undecided):
            _still_held(key, undecided)

    share = Coalesced(
        before=remembered.memory,
        after=key.remembered.memory,
        written=key.written,
        judged=[],
        settled=[],
    )
    settled: list[Settled] = []
    waiting: list[Held] = []
    still: list[StillHeld] = []
    for case in cases:
        if isinstance(case.one, Arrival):
            share.judged.append(case.judged)
        elif not case.is_held:
            settled.append(Settled(case.one, case.judged.reason))
        else:
            waiting.append(case.one)
            still.append(StillHeld(case.one, case.judged.reason, case.judged.against))
            if case.is_refused_for_now:
                transaction.try_again(case.one.entry)
    share.settled.extend(closed(settled, waiting))
    return replace(share, still=still)


def _still_held(key: _Key, undecided: list[_Case]) -> list[_Case]:
    """Decide again what is held of a key that moved (rules R1); what still is."""
    moved = True
    # It ends: each further round needs a write that was taken, and an event that is no longer held.
    while moved and undecided:
        start = key.remembered.memory
        for case in undecided:
            case.decide(key)
        undecided = [case for case in undecided if case.is_held]
        moved = key.remembered.memory is not start
    return undecided


class _Key:
    """The key in the store: what is remembered of it, and how it is written."""

    def __init__(
        self,
        transaction: Transaction,
        spec: TableSpec,
        remembered: Remembered,
        limits: Limits,
        token: str,
    ) -> None:
        self.spec = spec
        self.remembered = remembered
        self.written: Written | None = None
        self._transaction = transaction
        self._limits = limits
        self._token = token

    @property
    def limits(self) -> Limits:
        """The limits under which the key is decided: its own, where the store keeps such."""
        # A store with several floors tells each key's with its memory.
        own = self.remembered.limits
        return own or self._limits

    def write(self, case: _Case, applied: Applied) -> Answer | None:
        """Write what was decided; None: it was taken, or there was nothing to write."""
        event = case.one.event
        before = self.remembered.memory
        if applied.memory is before:
            return None
        write = Write(
            entity=event.entity,
            key=event.key or {},
            before=before,
            after=applied.memory,
            written=applied.written,
        )
        answers = self._transaction.write(self.spec, [write], self._limits, self._token)
        return answers[0] if answers else None

    def moved_to(self, applied: Applied) -> None:
        """It is remembered from now on."""
        self.remembered = replace(self.remembered, memory=applied.memory, unread=False)
        self.written = applied.written_after(self.written)

    def look_again(self, entity: str) -> None:
        """Somebody else moved it, or nobody has looked yet."""
        # The floor may have been raised in the meantime, and must not be older than the memory.
        self._limits = self._transaction.open_table(self.spec)
        self.remembered = recall_one(self._transaction, self.spec, entity)


class _Case:
    """One event that is decided alone: a delivery of the batch, or an open entry."""

    def __init__(self, one: Arrival | Held) -> None:
        self.one = one
        self.is_refused_for_now = False
        self._judged: Judged | None = None

    @property
    def judged(self) -> Judged:
        """How it stands. It has been decided."""
        assert self._judged is not None
        return self._judged

    @property
    def is_decided(self) -> bool:
        """Was it decided here, once at least?"""
        return self._judged is not None

    @property
    def is_held(self) -> bool:
        """Is it still held?"""
        return self.judged.reason.quarantined

    def decide(self, key: _Key) -> None:
        """Decide it on what is remembered, and write it."""
        # Another writer may move the key between look and write: then it is looked at again. Each
        # round that goes on is a round in which somebody else was taken, so the system as a whole
        # goes on; a hundred of them in a row are a fault that a person must see.
        for _ in range(ATTEMPTS):
            applied = self._answer(key)
            failure = key.write(self, applied)

            # Refused alone, too: it is this event that the store does not take.
            if isinstance(failure, Refused):
                self.refuse(failure)
                return

            # "Nothing to do" was decided on a memory that nobody has read: it is no answer yet.
            unseen = applied.memory is key.remembered.memory and key.remembered.unread
            if not unseen and not isinstance(failure, Lost):
                key.moved_to(applied)
                self._judge(applied.reason, applied.against)
                return
            key.look_again(self.one.event.entity)
        raise busy(key.spec, self.one.event.entity)

    def refuse(self, refused: Refused) -> None:
        """The store does not take it."""
        self.is_refused_for_now = refused.retry
        self._judge(refused.reason, detail=refused.detail)

    def _answer(self, key: _Key) -> Applied:
        self.is_refused_for_now = False
        memory, event, limits = key.remembered.memory, self.one.event, key.limits
        # What was held before is the entry of a dispute, perhaps; that has a rule of its own (R12).
        was_held = self._judged is not None or isinstance(self.one, Held)
        if was_held:
            return decide_again(memory, event, limits)
        return decide(memory, event, limits)

    def _judge(self, reason: Reason, against: object = None, detail: str = "") -> None:
        # An open entry has no number in the batch, and nobody asks for it.
        number = self.one.number if isinstance(self.one, Arrival) else -1
        self._judged = Judged(
            number=number,
            event=self.one.event,
            reason=reason,
            against=against,
            detail=detail,
            retry=self.is_refused_for_now,
        )


def busy(spec: TableSpec, entities: str) -> StoreBusy:
    """The exception of a table whose keys never come to rest."""
    return StoreBusy(
        f"table {spec.name}: other writers moved {entities} {ATTEMPTS} times "
        "while it was being decided"
    )
