"""One batch of deliveries for any number of tables, decided and written in one transaction together
with the frontier.

Order matters once: snapshot runs first, since they part a log into epochs (rules R14); then
suspicion of a reset (R13); then what belongs to no table; then each table by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from anyorder._core.batch import Arrival, Decision, Judged, Settled, arrivals_of, replace
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder._core.reset import Growth, suspect
from anyorder.errors import BooksUnbalanced, Undone
from anyorder.guard.batch import apply
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.news import hear
from anyorder.guard.recall import clock_of
from anyorder.guard.settle import settle_without_rows
from anyorder.guard.targets import as_recorded
from anyorder.guard.waiting import Settling, settle_waiting


class Share(NamedTuple):
    """One table's deliveries in a batch. `refused`: given to it too, but not its own; judged."""

    spec: TableSpec
    events: Sequence[Event]
    refused: Sequence[Judged] = ()


class Taken(NamedTuple):
    """A decision a delivery, in the order of the shares and their events, then of what belongs to
    no table or was refused; and the quarantine entries that settled by themselves."""

    decisions: list[Decision]
    closed: list[Settled]


class Numbered(NamedTuple):
    """A batch whose deliveries have numbers: one after the other through all its `tables`."""

    arrivals: list[Arrival]
    tables: list[tuple[TableSpec, list[Arrival]]]


def take(
    store: Store,
    shares: Sequence[Share],
    loose: Sequence[Judged] = (),
    *,
    now: float,
    token: str,
    frontier: tuple[str, str] | None = None,
    provenance: str = "",
    dry: bool = False,
) -> Taken:
    """Decide and write a batch.

    `loose`: deliveries that belong to no table, already judged. `now`: seconds since 1970. `token`:
    this attempt's. `frontier`: a source's name, and how far it is done with this batch.
    `provenance`: source and envelope of all these deliveries, which entries keep; "" is read later
    by whatever envelope the store is opened with. Raises BooksUnbalanced before committing.
    """
    try:
        with store.transaction(now, dry=dry) as transaction:
            taken = take_in(transaction, shares, loose, token, provenance)
            # In the same step as what it covers: a crash leaves both or neither (rules R1).
            if frontier is not None:
                transaction.save_frontier(*frontier)
        return taken
    except Undone:

        def take_part(transaction: Transaction, part: Sequence[Share], token: str) -> list[Taken]:
            return [take_in(transaction, part, (), token, provenance, settles=False)]

        parts = Parts(store, now, token, provenance, take_part, dry=dry)
        taken = _together(parts.take(shares))
        # Last: what the frontier covers is not delivered again. What has no table undoes nothing.
        with store.transaction(now, dry=dry) as transaction:
            rest = take_in(transaction, [], loose, token, provenance, settles=False)
            if frontier is not None:
                transaction.save_frontier(*frontier)
        settled = Taken([], parts.settle([share.spec for share in shares]))
        return _together([taken, rest, settled])


def take_in(
    transaction: Transaction,
    shares: Sequence[Share],
    loose: Sequence[Judged],
    token: str,
    provenance: str = "",
    *,
    settles: bool = True,
) -> Taken:
    """The same inside a transaction that somebody else commits. `settles`: what the store refused
    before is tried again."""
    batch = number(shares)

    # What a batch tells of its clocks counts for all of its events, whichever came first: a run
    # parts a log into epochs (rules R14), and a clock that started again is not believed (R13).
    reconsider = _learn_runs(transaction, batch.arrivals)
    suspected = _screen(transaction, batch.arrivals)

    # What belongs to no table, or to another, has numbers too, behind all others.
    numbers = itertools.count(len(batch.arrivals))
    decisions: dict[int, Decision] = {}
    for spec, judged in _without_rows(shares, loose):
        others = [replace(one, number=next(numbers)) for one in judged]
        decisions |= settle_without_rows(transaction, spec, others, provenance)
    closed: list[Settled] = []
    for spec, arrivals in batch.tables:
        settlement = apply(
            transaction,
            spec,
            arrivals,
            token,
            provenance,
            reconsider=reconsider,
            suspected=suspected,
        )
        decisions |= settlement.decisions
        closed += settlement.closed

    # Every delivery ends in exactly one outcome (rules R1). Where a batch is one
    # transaction, nothing is committed before this holds.
    expected = range(next(numbers))
    if sorted(decisions) != list(expected):
        raise BooksUnbalanced
    specs = {spec.name: spec for spec, _ in batch.tables}
    # Where the caller's own SQL writes the rows, it does so after this.
    is_written = all(spec.writes_rows for spec in specs.values())
    if is_written and reconsider:
        closed += _reconsider_others(transaction, specs, token)
    if is_written and settles:
        closed += Settling(transaction, token, specs).run()
    closed += hear(transaction, list(specs.values()), token)
    return Taken([decisions[index] for index in expected], closed)


def _without_rows(
    shares: Sequence[Share],
    loose: Sequence[Judged],
) -> Iterator[tuple[TableSpec | None, Sequence[Judged]]]:
    """What writes no row, with the table whose quarantine keeps it."""
    yield None, loose
    for share in shares:
        yield share.spec, share.refused


def _together(parts: Sequence[Taken]) -> Taken:
    """The books of several parts as one."""
    whole = Taken([], [])
    for part in parts:
        whole.decisions.extend(part.decisions)
        whole.closed.extend(part.closed)
    return whole


def _reconsider_others(
    transaction: Transaction,
    specs: Mapping[str, TableSpec],
    token: str,
) -> list[Settled]:
    """Decide again what the tables hold of which this batch brought nothing: a snapshot run is
    known of a whole log (rules R14). The entries that closed."""
    closed: list[Settled] = []
    for target in transaction.catalogue():
        if target.name not in specs:
            spec = as_recorded(target)
            closed += apply(transaction, spec, [], token, reconsider=True).closed
    return closed


TakePart = Callable[[Transaction, Sequence[Share], str], Sequence[Taken]]
"""Decides and writes shares inside a transaction, with the token of this attempt, and tries nothing
again that the store refused before."""


class Parts:
    """A batch that the store undid as a whole, in smaller ones: any cut is right, since neither the
    order nor the batch changes what is decided (rules R9)."""

    def __init__(
        self,
        store: Store,
        now: float,
        token: str,
        provenance: str,
        take_part: TakePart,
        *,
        dry: bool = False,
    ) -> None:
        self._store = store
        self._now = now
        self._token = token
        self._provenance = provenance
        self._take_part = take_part
        self._dry = dry
        self._attempts = 0

    def take(self, shares: Sequence[Share]) -> list[Taken]:
        """Decide and write them. What undoes a transaction alone is held with the store's words."""
        deliveries: list[Share] = []
        for share in shares:
            deliveries.extend(share._replace(events=[event], refused=()) for event in share.events)
            deliveries.extend(share._replace(events=(), refused=[one]) for one in share.refused)
        return self._part(deliveries)

    def settle(self, specs: Sequence[TableSpec]) -> list[Settled]:
        """Try again what the store refused before; last, since what a held delivery does must not
        stand in the way of those that came."""
        if self._dry:
            return []
        return settle_waiting(self._store, specs, self._now, self._attempt())

    def _attempt(self) -> str:
        # One that meets the token of another would take its own duplicates for applied.
        self._attempts += 1
        return f"{self._token}.{self._attempts}"

    def _transaction(self) -> AbstractContextManager[Transaction]:
        return self._store.transaction(self._now, dry=self._dry)

    def _part(self, deliveries: Sequence[Share]) -> list[Taken]:
        if not deliveries:
            return []
        try:
            with self._transaction() as transaction:
                return [*self._take_part(transaction, _joined(deliveries), self._attempt())]
        except Undone as undone:
            if len(deliveries) == 1:
                return [self._refused(deliveries[0], undone)]
        half = len(deliveries) // 2
        return self._part(deliveries[:half]) + self._part(deliveries[half:])

    def _refused(self, share: Share, undone: Undone) -> Taken:
        """Hold a delivery that undid a transaction by itself."""
        reason = Reason.WAITING if undone.waits else Reason.MALFORMED
        one = Judged(number=0, event=share.events[0], reason=reason, detail=str(undone))
        with self._transaction() as transaction:
            transaction.open_table(share.spec)
            decisions = settle_without_rows(transaction, share.spec, [one], self._provenance)
        return Taken([decisions[0]], [])


def _joined(shares: Sequence[Share]) -> list[Share]:
    """Shares of one delivery each as one share for each table, in the order of the tables."""
    joined: dict[str, Share] = {}
    for share in shares:
        there = joined.get(share.spec.name, Share(share.spec, ()))
        joined[share.spec.name] = Share(
            share.spec,
            [*there.events, *share.events],
            [*there.refused, *share.refused],
        )
    return list(joined.values())


def number(shares: Sequence[Share]) -> Numbered:
    """Number the deliveries of a batch."""
    batch = Numbered(arrivals=[], tables=[])
    for spec, events, _ in shares:
        arrivals = arrivals_of(events, len(batch.arrivals))
        batch.arrivals.extend(arrivals)
        batch.tables.append((spec, arrivals))
    return batch


def _learn_runs(transaction: Transaction, arrivals: Sequence[Arrival]) -> bool:
    """Remember the snapshot runs of this batch; True if one is new."""
    named = {one.event.snapshot_run for one in arrivals}
    runs = sorted(run for run in named if run is not None)
    # Hardly any batch tells of a snapshot: then the store is not asked.
    if not runs:
        return False
    known = transaction.lineage()
    is_new = False
    for scope, run in runs:
        # Most snapshot records only name the run that the first of them made known.
        if run not in known.get(scope, ()):
            transaction.add_run(scope, run)
            # A new epoch may decide what is held: it must be decided again (rules R14).
            is_new = True
    return is_new


def _screen(transaction: Transaction, arrivals: Sequence[Arrival]) -> set[int]:
    """The numbers of what a clock told that is suspected to have started again (rules R13)."""
    scopes = {_watched_clock(one.event) for one in arrivals}
    scopes.discard("")
    if not scopes:
        return set()
    before = transaction.growths(sorted(scopes))
    growths: dict[str, Growth] = dict(before)

    # In the order of arrival, since a clock is suspected from the first contradiction on.
    suspected: set[int] = set()
    for one in arrivals:
        if _observe(growths, one.event):
            suspected.add(one.number)

    # Most events leave the checkpoints as they are, so nothing is written for them.
    changed = growths.items() - before.items()
    if changed:
        transaction.save_growths(dict(sorted(changed)))
    return suspected


def _watched_clock(event: Event) -> str:
    """The clock by which an event may raise a suspicion, "" if it cannot."""
    # Without its own time an event contradicts nothing.
    if event.time is None:
        return ""
    return clock_of(event)


def _observe(growths: dict[str, Growth], event: Event) -> bool:
    """Note an event in the growth of its clock; is the clock suspected now?"""
    judged = suspect(growths, event)
    # Reads, and changes without a bound, say nothing of how far a clock has come.
    if judged is None:
        return False
    scope, growth = judged
    growths[scope] = growth
    return growth.suspected
