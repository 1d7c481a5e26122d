"""One batch of deliveries for any number of tables, decided and written in one transaction together
with the frontier.

Order matters once: snapshot runs first, since they part a log into epochs (rules R14); then
suspicion of a reset (R13); then what belongs to no table; then each table by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from anyorder._core.batch import Arrival, Decision, Judged, Settled, arrivals_of
from anyorder._core.event import Event
from anyorder._core.reset import Growth, suspect
from anyorder.errors import BooksUnbalanced
from anyorder.guard.batch import apply
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.news import hear
from anyorder.guard.recall import clock_of
from anyorder.guard.settle import settle_without_rows


class Share(NamedTuple):
    """One table's deliveries in a batch."""

    spec: TableSpec
    events: Sequence[Event]


class Taken(NamedTuple):
    """A decision a delivery, in the order of the shares and their events, then of what belongs to
    no table; and the quarantine entries that settled by themselves."""

    decisions: list[Decision]
    closed: list[Settled]


class Numbered(NamedTuple):
    """One table's deliveries with their numbers in the batch."""

    spec: TableSpec
    arrivals: list[Arrival]


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
    numbered, count = number(shares)
    reconsider = _learn_runs(transaction, numbered)
    suspected = _screen(transaction, numbered)
    others = [one._replace(number=count + place) for place, one in enumerate(loose)]
    decisions = settle_without_rows(transaction, None, others, provenance)
    closed: list[Settled] = []
    for spec, arrivals in numbered:
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
    if len(decisions) != count + len(loose):
        raise BooksUnbalanced
    closed += hear(transaction, [share.spec for share in shares], token)
    return Taken([decisions[place] for place in range(len(decisions))], closed)


def number(shares: Sequence[Share]) -> tuple[list[Numbered], int]:
    """The deliveries of each table with their numbers in the batch, and how many there are."""
    found: list[Numbered] = []
    count = 0
    for spec, events in shares:
        found.append(Numbered(spec, arrivals_of(events, count)))
        count += len(events)
    return found, count


def _each(numbered: Sequence[Numbered]) -> Iterator[Arrival]:
    for one in numbered:
        yield from one.arrivals


def _learn_runs(transaction: Transaction, numbered: Sequence[Numbered]) -> bool:
    """Remember the snapshot runs of this batch; True if one is new, so that what is held must be
    decided again (rules R14)."""
    named = {one.event.snapshot_run for one in _each(numbered)}
    runs = sorted(run for run in named if run is not None)
    if not runs:
        return False
    known = transaction.lineage()
    fresh = [(scope, run) for scope, run in runs if run not in known.get(scope, ())]
    for scope, run in fresh:
        transaction.add_run(scope, run)
    return bool(fresh)


def _screen(transaction: Transaction, numbered: Sequence[Numbered]) -> set[int]:
    """The numbers of what a clock told that is suspected to have started again (rules R13)."""
    judged = [one for one in _each(numbered) if one.event.time is not None]
    scopes = {clock_of(one.event) for one in judged} - {""}
    if not scopes:
        return set()
    before = transaction.growths(sorted(scopes))
    growths: dict[str, Growth] = dict(before)
    suspected = {one.number for one in judged if _observe(growths, one.event)}
    changed = {scope: one for scope, one in growths.items() if one is not before.get(scope)}
    if changed:
        transaction.save_growths(changed)
    return suspected


def _observe(growths: dict[str, Growth], event: Event) -> bool:
    """Note an event in the growth of its clock; is the clock suspected now?"""
    judged = suspect(growths, event)
    if judged is None:
        return False
    scope, growth = judged
    growths[scope] = growth
    return growth.suspected
