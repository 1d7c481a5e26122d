"""One batch of deliveries for any number of tables, decided and written in one transaction together
with the frontier.

Order matters once: snapshot runs first, since they part a log into epochs (rules R14); then
suspicion of a reset (R13); then each table by itself; last what belongs to no table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyorder._core.batch import Decision, Held
from anyorder._core.decide import BY_DECODER
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder._core.reset import Growth, suspect
from anyorder.errors import BooksUnbalanced
from anyorder.guard.batch import apply, keep
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.holdings import holding


class Share(NamedTuple):
    """One table's deliveries in a batch."""

    spec: TableSpec
    events: Sequence[Event]


class Taken(NamedTuple):
    """A decision a delivery, and the quarantine entries that settled by themselves."""

    decisions: list[Decision]
    closed: list[tuple[Held, Decision]]


def take(
    store: Store,
    shares: Sequence[Share],
    loose: Sequence[Decision] = (),
    *,
    now: float,
    token: str,
    frontier: tuple[str, str] | None = None,
    dry: bool = False,
) -> Taken:
    """Decide and write a batch. `loose`: deliveries that belong to no table, already decided.
    Raises BooksUnbalanced before committing."""
    with store.transaction(now, dry=dry) as transaction:
        taken = take_in(transaction, shares, loose, token)
        if frontier is not None:
            transaction.save_frontier(*frontier)
    return taken


def take_in(
    transaction: Transaction, shares: Sequence[Share], loose: Sequence[Decision], token: str
) -> Taken:
    """The same inside a transaction that somebody else commits."""
    reconsider = _learn_runs(transaction, shares)
    suspected = _screen(transaction, shares)
    decisions = _held(transaction, "", loose)
    closed: list[tuple[Held, Decision]] = []
    for spec, events in shares:
        others = {
            id(e): BY_DECODER.get(e.kind, Reason.SUSPECTED_RESET)
            for e in events
            if e.kind in BY_DECODER or id(e) in suspected
        }
        plain = [event for event in events if id(event) not in others]
        decided = [
            Decision(event, others[id(event)], detail=event.note)
            for event in events
            if id(event) in others
        ]
        settlement = apply(transaction, spec, plain, token, reconsider=reconsider)
        decisions += settlement.decisions + _held(transaction, spec.name, decided)
        closed += settlement.closed
    if len(decisions) != len(loose) + sum(len(share.events) for share in shares):
        raise BooksUnbalanced
    return Taken(decisions, closed)


def _held(transaction: Transaction, table: str, decisions: Sequence[Decision]) -> list[Decision]:
    """Put what is quarantined there."""
    return keep(
        transaction,
        decisions,
        [
            holding(table, d.event.entity if d.event.key is not None else "", d)
            for d in decisions
            if d.quarantined
        ],
    )


def _learn_runs(transaction: Transaction, shares: Sequence[Share]) -> bool:
    """Remember the snapshot runs of this batch; True if one is new, so that what is held must be
    decided again."""
    runs = {
        event.snapshot_run
        for share in shares
        for event in share.events
        if event.snapshot_run is not None
    }
    if not runs:
        return False
    known = transaction.lineage()
    fresh = [(scope, run) for scope, run in sorted(runs) if run not in known.get(scope, ())]
    for scope, run in fresh:
        transaction.add_run(scope, run)
    return bool(fresh)


def _growing(event: Event) -> tuple[str, int] | None:
    return None if event.position is None else event.position.growing()


def _screen(transaction: Transaction, shares: Sequence[Share]) -> set[int]:
    """R13: the events of a scope that is suspected to have started again, by id()."""
    events = [
        event
        for share in shares
        for event in share.events
        if event.position is not None and event.time is not None
    ]
    scopes = sorted({growing[0] for event in events if (growing := _growing(event)) is not None})
    if not scopes:
        return set()
    before = transaction.growths(scopes)
    growths: dict[str, Growth] = dict(before)
    suspected = set()
    for event in events:
        judged = suspect(growths, event)
        if judged is not None:
            scope, growth = judged
            growths[scope] = growth
            if growth.suspected:
                suspected.add(id(event))
    changed = {
        scope: growth for scope, growth in growths.items() if growth is not before.get(scope)
    }
    if changed:
        transaction.save_growths(changed)
    return suspected
