"""One batch of deliveries for any number of tables, decided and written in one transaction together
with the frontier.

Order matters once: snapshot runs first, since they part a log into epochs (rules R14); then
suspicion of a reset (R13); then what belongs to no table; then each table by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyorder._core.batch import Arrival, Decision, Judged, Settled, arrivals_of, replace
from anyorder._core.event import Event
from anyorder._core.reset import Growth, suspect
from anyorder.errors import BooksUnbalanced
from anyorder.guard.batch import apply
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.news import hear
from anyorder.guard.recall import clock_of
from anyorder.guard.settle import settle_without_rows


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
    with store.transaction(now, dry=dry) as transaction:
        taken = take_in(transaction, shares, loose, token, provenance)
        # In the same step as what it covers: a crash leaves both or neither (rules R1).
        if frontier is not None:
            transaction.save_frontier(*frontier)
    return taken


def take_in(
    transaction: Transaction,
    shares: Sequence[Share],
    loose: Sequence[Judged],
    token: str,
    provenance: str = "",
) -> Taken:
    """The same inside a transaction that somebody else commits."""
    batch = number(shares)

    # What a batch tells of its clocks counts for all of its events, whichever came first: a run
    # parts a log into epochs (rules R14), and a clock that started again is not believed (R13).
    reconsider = _learn_runs(transaction, batch.arrivals)
    suspected = _screen(transaction, batch.arrivals)

    # What belongs to no table has numbers too, behind all others.
    first = len(batch.arrivals)
    others = [replace(one, number=index) for index, one in enumerate(loose, first)]
    decisions = settle_without_rows(transaction, None, others, provenance)
    for share in shares:
        first = len(batch.arrivals) + len(decisions)
        others = [replace(one, number=index) for index, one in enumerate(share.refused, first)]
        decisions |= settle_without_rows(transaction, share.spec, others, provenance)
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
    refused = sum(len(share.refused) for share in shares)
    expected = range(len(batch.arrivals) + len(loose) + refused)
    if sorted(decisions) != list(expected):
        raise BooksUnbalanced
    specs = [spec for spec, _ in batch.tables]
    closed += hear(transaction, specs, token)
    return Taken([decisions[index] for index in expected], closed)


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
