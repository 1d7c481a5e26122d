"""A batch of one table, the same for every store.

sorted out   what needs no comparison; the rest in parts, of which a truncate ends each but the
             last; in a part by key, in the order of the keys
written      every key of a part decided on what is remembered of it, in one write a key
             (`writing`); what the store refuses goes one by one (`refusals`)
truncated    after the rows that came before it, so that the truncate sweeps them too (`truncates`)
settled      the quarantine, and one decision a delivery (`settle`)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from anyorder._core.batch import Arrival, Decision, Judged, Settled
from anyorder._core.event import Kind
from anyorder._core.fold import Limits
from anyorder._core.misfit import is_plain, judged_alone, told_kinds
from anyorder._core.outcome import Reason
from anyorder.guard.contract import TableSpec, Transaction
from anyorder.guard.kinds import lesson_of, teacher, unlearn, with_kinds
from anyorder.guard.recall import recall_one
from anyorder.guard.settle import Settlement, close, settle, settle_without_rows
from anyorder.guard.truncates import take_truncates
from anyorder.guard.writing import Keys, Writing

NONE_SUSPECTED: frozenset[int] = frozenset()
TRUNCATE = Kind.TRUNCATE  # looked up once, as in event.py


class Stretch(NamedTuple):
    """Deliveries by key, and the truncates that came after them."""

    keys: Keys
    truncates: list[Arrival]


class Sorted(NamedTuple):
    """The deliveries of a batch: `decided` without a comparison, by the decoder or by a suspicion
    (rules R13); and all others, in as many stretches as truncates came between them."""

    decided: list[Judged]
    stretches: list[Stretch]


def sort_out(
    spec: TableSpec,
    arrivals: Sequence[Arrival],
    suspected: Collection[int] = NONE_SUSPECTED,
) -> Sorted:
    """Sort a batch of a table whose kinds are known. `suspected`: the numbers of what a suspected
    clock told."""
    decided: list[Judged] = []
    stretches = [Stretch({}, [])]
    kinds = spec.kinds
    for arrival in arrivals:
        number, event = arrival.number, arrival.event
        judged = None
        # Hardly any event is looked at closely.
        if not is_plain(event, kinds):
            judged = judged_alone(arrival, spec.name, kinds)
        if judged is not None:
            decided.append(judged)
        elif number in suspected:
            decided.append(Judged(number, event, Reason.SUSPECTED_RESET, detail=event.note))
        elif event.kind is TRUNCATE:
            stretches[-1].truncates.append(arrival)
        else:
            # What comes after a truncate may meet what it left (rules R9): an empty slot.
            if stretches[-1].truncates:
                stretches.append(Stretch({}, []))
            stretches[-1].keys.setdefault(event.entity, []).append(arrival)
    return Sorted(decided, [_in_order(one) for one in stretches])


def _in_order(stretch: Stretch) -> Stretch:
    # Stores that lock rows must lock them in one order, or two batches wait for each other.
    return stretch._replace(keys=dict(sorted(stretch.keys.items())))


def apply(
    transaction: Transaction,
    spec: TableSpec,
    arrivals: Sequence[Arrival],
    token: str,
    provenance: str = "",
    *,
    reconsider: bool = False,
    suspected: Collection[int] = NONE_SUSPECTED,
    settles: bool = True,
) -> Settlement:
    """Decide and write a batch of one table inside the transaction.

    `token`: this attempt's, stored with every memory that it writes. `provenance`: of the
    deliveries; without deliveries there is none, since nothing is held anew. `reconsider`: what the
    table's quarantine holds is decided again. `suspected`: the numbers of what a suspected clock
    told. `settles`: what is held is decided again where its key moves. Raises StoreBusy if other
    writers never leave a key alone.
    """
    # Opened first: this is what locks the table, where a store has locks, and what the floor and
    # the truncate are read by for all that follows (rules R2).
    limits = transaction.open_table(spec)
    known = with_kinds(transaction, spec, ())
    place = teacher(arrivals, known.kinds)
    whole = Settlement({}, [])
    # Nothing is learned from what the store refuses, so who tells the kinds of a key is decided
    # before all others that are of another kind (any cut is right: rules R9). It ends: each
    # delivery is decided once.
    while place is not None:
        taught = with_kinds(transaction, spec, [arrivals[place].event])
        lesson, arrivals = lesson_of(arrivals, place, taught.kinds)
        batch = _Batch(transaction, taught, limits, token, provenance, settles=settles)
        whole = whole.joined(batch.take(lesson, suspected))
        if is_learned(transaction, taught, lesson, whole):
            known = taught
        else:
            known = unlearn(transaction, spec, known)
        limits = transaction.open_table(spec)
        place = teacher(arrivals, known.kinds)
    batch = _Batch(transaction, known, limits, token, provenance, settles=settles)
    last = batch.take(arrivals, suspected, reconsider=reconsider)
    # Nearly always it is all.
    return whole.joined(last) if whole.decisions else last


def is_learned(
    transaction: Transaction,
    spec: TableSpec,
    lesson: Sequence[Arrival],
    settlement: Settlement,
) -> bool:
    """Is the key of one of these deliveries a key of the table from here on?"""
    decisions = [settlement.decisions[arrival.number] for arrival in lesson]
    return any(
        _is_kept(
            transaction,
            spec,
            decision,
        )
        for decision in decisions
    )


def _is_kept(
    transaction: Transaction,
    spec: TableSpec,
    decision: Decision,
) -> bool:
    """Is its key remembered, or held for something else than its content?"""
    event = decision.event
    told = told_kinds(
        event,
        spec.kinds,
    )
    if not told:
        return False
    if decision.quarantined:
        return decision.reason is not Reason.MALFORMED
    # What is held comes again as a duplicate, and is remembered no more than before.
    there = recall_one(
        transaction,
        spec,
        event.entity,
    )
    return there.memory is not None


def reconsider_keys(
    transaction: Transaction,
    spec: TableSpec,
    entities: Sequence[str],
    limits: Limits,
    token: str,
    only: Collection[int] | None = None,
) -> list[Settled]:
    """The settling rule (R1) for keys that moved, or may have, by another way than a batch. `only`:
    the entries that are decided, where not all of these keys are. The entries that closed."""
    batch = _Batch(transaction, with_kinds(transaction, spec, ()), limits, token, only=only)
    batch.reconsider(entities)
    return batch.closed


def reconsider_truncates(
    transaction: Transaction,
    spec: TableSpec,
    limits: Limits,
    token: str,
) -> list[Settled]:
    """The same for the truncates that a table holds. The entries that closed."""
    batch = _Batch(transaction, spec, limits, token)
    batch.truncate([])
    return batch.closed


class _Batch:
    """One table's part of a transaction, step by step; `decisions` and `closed` grow with each."""

    def __init__(
        self,
        transaction: Transaction,
        spec: TableSpec,
        limits: Limits,
        token: str,
        provenance: str = "",
        *,
        settles: bool = True,
        only: Collection[int] | None = None,
    ) -> None:
        self.decisions: dict[int, Decision] = {}
        self.closed: list[Settled] = []
        self._transaction = transaction
        self._spec = spec
        self._limits = limits
        self._token = token
        self._provenance = provenance
        self._settles = settles
        self._only = only

    def take(
        self,
        arrivals: Sequence[Arrival],
        suspected: Collection[int],
        *,
        reconsider: bool = False,
    ) -> Settlement:
        """Decide and write deliveries. `reconsider`: and what the table's quarantine holds."""
        found = sort_out(self._spec, arrivals, suspected)
        for keys, truncates in found.stretches:
            self.write(keys, reconsider=reconsider)
            if truncates or reconsider:
                self.truncate(truncates)
            # What is held was decided again with the first of them. And what comes later meets what
            # this very attempt has written: there a copy is a duplicate, not an answer that was
            # lost.
            reconsider = False
            self._token += "+"
        # Last: of an event that came twice, first undecided and then suspected, the entry keeps
        # the first reason, as one by one (rules R9).
        self.decisions |= settle_without_rows(
            self._transaction, self._spec, found.decided, self._provenance
        )
        return Settlement(self.decisions, self.closed)

    def write(self, keys: Keys, *, reconsider: bool) -> None:
        """Decide and write keys. `reconsider`: those of which anything is held, too."""
        # A key of which nothing new has come may be decided by what the batch has learned.
        if reconsider:
            held = self._transaction.held_entities(self._spec)
            keys = {entity: keys.get(entity, []) for entity in sorted({*held, *keys})}
        self._write(keys, reconsider=reconsider)

    def reconsider(self, entities: Sequence[str]) -> None:
        """Decide again what is held of these keys."""
        # None of them has a delivery in this batch.
        keys: Keys = {entity: [] for entity in entities}
        self._write(keys, reconsider=True)

    def truncate(self, arrivals: Sequence[Arrival]) -> None:
        """Truncates; and then what is held of any key, since one may have ended its wait."""
        done = take_truncates(
            self._transaction,
            self._spec,
            arrivals,
            self._limits,
            settles=self._settles,
        )
        self._limits = done.limits
        close(self._transaction, done.settled)
        self.closed += done.settled
        decisions = settle_without_rows(
            self._transaction, self._spec, done.judged, self._provenance
        )
        self.decisions |= decisions
        has_moved = len(arrivals) + len(done.settled) > 0
        if has_moved and self._settles:
            self.reconsider(self._transaction.held_entities(self._spec))

    def _write(self, keys: Keys, *, reconsider: bool) -> None:
        # Nothing to write: then the store is not asked either.
        if not keys:
            return
        writing = Writing(
            self._transaction,
            self._spec,
            self._token,
            self._provenance,
            reconsider=reconsider,
            settles=self._settles,
            only=self._only,
        )
        writing.run(keys, self._limits)
        # Else it would depend on order and batch which columns the table has (rules R9).
        if self._spec.writes_rows:
            self._transaction.name_columns(self._spec, writing.named())
        settled = settle(self._transaction, self._spec, writing, self._token)
        self.decisions |= settled.decisions
        self.closed += settled.closed
