"""How a batch of one table ends: every delivery gets its one decision, and what is held is kept.

The order matters (rules R9, R10): a decision is final only when the row is written, and a delivery
is told to be a duplicate of an entry only when the quarantine has been asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from anyorder._core.batch import Coalesced, Decision, Judged, Settled
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Holding, TableSpec, Transaction
from anyorder.guard.holdings import disputes, disputing, holding, keep
from anyorder.guard.writing import Writing

ALREADY_HELD = "the quarantine holds it"


class Settlement(NamedTuple):
    """The decision of each delivery, by its number, and the quarantine entries that closed."""

    decisions: dict[int, Decision]
    closed: list[Settled]


def settle(transaction: Transaction, spec: TableSpec, writing: Writing, token: str) -> Settlement:
    """Close the entries that settled, hold what is held, and decide every delivery for good.

    `token`: this attempt's.
    """
    finished = {entity: _finished(share, token) for entity, share in writing.shares.items()}
    closed: list[Settled] = []
    holdings: dict[int, Holding] = {}
    for entity, share in finished.items():
        closed += share.settled
        holdings |= _holdings(writing, spec, entity, share)
    close(transaction, closed)
    held = keep(transaction, holdings, writing.early)
    decisions: dict[int, Decision] = {}
    for share in finished.values():
        decisions |= _decisions(spec, share, held)
    return Settlement(decisions, closed)


def close(transaction: Transaction, closed: Iterable[Settled]) -> None:
    """Close the entries that settled by themselves."""
    for one in closed:
        transaction.settle(one.held.entry, "settled", one.reason)


def settle_without_rows(
    transaction: Transaction, spec: TableSpec | None, judged: Iterable[Judged], provenance: str
) -> dict[int, Decision]:
    """The decisions of deliveries that write no row: what the decoder knew, what a suspected clock
    told, what belongs to no table (`spec` None), truncates. What is held of them is kept, with
    their provenance."""
    ones = list(judged)
    table = "" if spec is None else spec.name
    held = {one.number: one for one in ones if one.reason.quarantined}
    holdings = {
        number: holding(table, _entity(one), one, provenance) for number, one in held.items()
    }
    known = keep(transaction, holdings) if holdings else set[int]()
    return {one.number: _decision(one, known, None) for one in ones}


def _entity(judged: Judged) -> str:
    return "" if judged.event.key is None else judged.event.entity


def _finished(share: Coalesced, token: str) -> Coalesced:
    """A share whose write was ours although its answer was lost: our own event is no duplicate
    (rules R9)."""
    if share.before is None or share.before.token != token:
        return share
    return share._replace(judged=[_applied(one) for one in share.judged])


def _applied(one: Judged) -> Judged:
    return one._replace(reason=Reason.APPLIED) if one.reason is Reason.DUPLICATE else one


def _holdings(
    writing: Writing, spec: TableSpec, entity: str, share: Coalesced
) -> dict[int, Holding]:
    found: dict[int, Holding] = {}
    content = writing.contents.get(entity)
    for one in share.judged:
        if one.reason.quarantined:
            told = disputing(share, one, content) if disputes(one) else one
            found[one.number] = holding(spec.name, entity, told, writing.provenance)
    return found


def _decisions(spec: TableSpec, share: Coalesced, held: set[int]) -> dict[int, Decision]:
    # Where the caller's own SQL writes the row, the decision says what.
    values = None if spec.writes_rows else _values(share)
    return {one.number: _decision(one, held, values) for one in share.judged}


def _values(share: Coalesced) -> dict[str, Any] | None:
    return None if share.written is None else dict(share.written.values)


def _decision(one: Judged, held: set[int], values: dict[str, Any] | None) -> Decision:
    """The one place where a decision is made. What the quarantine holds already is a duplicate
    (rules R1)."""
    if one.reason.quarantined and one.number in held:
        return Decision(one.event, Reason.DUPLICATE, one.against, ALREADY_HELD)
    return Decision(one.event, one.reason, one.against, one.detail, values)
