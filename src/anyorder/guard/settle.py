"""How a batch of one table ends: every delivery gets its one decision, and what is held is kept.

The order matters (rules R9, R10): a decision is final only when the row is written, and a delivery
is told to be a duplicate of an entry only when the quarantine has been asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from anyorder._core.batch import (
    Coalesced,
    Decision,
    Held,
    Judged,
    Settled,
    identity_of,
    replace,
)
from anyorder._core.decide import decide_again
from anyorder._core.event import entity_of
from anyorder._core.outcome import Outcome, Reason, outcome_of
from anyorder.guard.contents import Listing
from anyorder.guard.contract import Closing, Holding, TableSpec, Transaction
from anyorder.guard.holdings import dispute, disputes, holding, keep
from anyorder.guard.recall import recall_one
from anyorder.guard.writing import Writing

ALREADY_HELD = "the quarantine holds it"
CHOSEN = "entry {0.entry} lists it, settled by an operator's word"
REFUSED = "entry {0.entry} lists it; it was refused by an operator's word"


class Settlement(NamedTuple):
    """The decision of each delivery, by its number, and the quarantine entries that closed."""

    decisions: dict[int, Decision]
    closed: list[Settled]

    def joined(self, later: Settlement) -> Settlement:
        """This part of a batch and a later one."""
        return Settlement({**self.decisions, **later.decisions}, [*self.closed, *later.closed])


def settle(transaction: Transaction, spec: TableSpec, writing: Writing, token: str) -> Settlement:
    """Close the entries that settled, hold what is held, and decide every delivery for good.

    `token`: this attempt's.
    """
    holdings: dict[int, Holding] = {}
    closed: list[Settled] = []
    finished: list[Coalesced] = []
    for entity, share in writing.shares.items():
        # Of nearly all shares nothing is held.
        if share.is_open:
            # First, so that a redelivery finds the entry of its dispute.
            writing.hold_ties(entity, share)
            holdings |= _holdings(writing, spec, entity, share)
        finished.append(_finished(share, token))
        closed += share.settled
    close(transaction, closed)

    # The quarantine is asked before anything is called held: what it has already is a duplicate.
    known = keep(transaction, holdings, writing.early)
    decisions: dict[int, Decision] = {}
    for share in finished:
        values = None
        # Where the caller's own SQL writes the row, the decision says what.
        if not spec.writes_rows:
            values = _values(share)
        for one in share.judged:
            decisions[one.number] = _decision(one, known, values)
    return Settlement(decisions, closed)


def close(transaction: Transaction, closed: Iterable[Settled]) -> None:
    """Close the entries that settled by themselves."""
    # The cause stays readable in the entry; what it came to is put behind it.
    transaction.settle_all([Closing(one.held.entry, "settled", one.reason) for one in closed])


def close_held(
    transaction: Transaction,
    spec: TableSpec,
    entries: Sequence[Held],
    decision: Decision,
) -> None:
    """Close the entries of the very event that is decided now, unless it is held again. `entries`:
    all that is held of its key."""
    is_held = decision.detail == ALREADY_HELD
    # A tie is shown and held: a person has to look at it.
    if is_held or decision.quarantined:
        return
    identity = identity_of(decision.event)
    told = [one.entry for one in entries if identity_of(one.event) == identity]
    for number in told:
        others = [one for one in entries if one.entry == number]
        # The entry of a dispute is closed when all it lists is decided (rules R12).
        if all(_is_decided(transaction, spec, one, identity) for one in others):
            transaction.settle(
                number,
                "settled",
                decision.reason,
            )


def _is_decided(transaction: Transaction, spec: TableSpec, one: Held, identity: str) -> bool:
    """Is it the very event, or one that would neither be held nor written?"""
    if identity_of(one.event) == identity:
        return True
    limits = transaction.open_table(spec)
    there = recall_one(transaction, spec, one.event.entity)
    applied = decide_again(
        there.memory,
        one.event,
        there.limits or limits,
    )
    return outcome_of(applied.reason) is Outcome.IGNORED


def settle_without_rows(
    transaction: Transaction,
    spec: TableSpec | None,
    judged: Iterable[Judged],
    provenance: str,
) -> dict[int, Decision]:
    """The decisions of deliveries that write no row: what the decoder knew, what a suspected clock
    told, what belongs to no table (`spec` None), truncates. What is held of them is kept, with
    their provenance."""
    table = "" if spec is None else spec.name
    ones = list(judged)
    holdings: dict[int, Holding] = {}
    for one in ones:
        if one.reason.quarantined:
            holdings[one.number] = holding(table, entity_of(one.event.key), one, provenance)
    known = keep(transaction, holdings)
    return {one.number: _decision(one, known, None) for one in ones}


def _finished(share: Coalesced, token: str) -> Coalesced:
    """A share whose duplicates are applied, where the write was ours and its answer was lost."""
    # The memory that was met carries the token of this very attempt: the write was ours, and our
    # own event is no duplicate (rules R9). Which of two copies it was cannot be told.
    is_ours = share.before is not None and share.before.token == token
    if not is_ours:
        return share
    judged: list[Judged] = []
    for one in share.judged:
        if one.reason is Reason.DUPLICATE:
            one = replace(one, reason=Reason.APPLIED)
        judged.append(one)
    return replace(share, judged=judged)


def _holdings(
    writing: Writing,
    spec: TableSpec,
    entity: str,
    share: Coalesced,
) -> dict[int, Holding]:
    """What the quarantine must keep of a key's deliveries, by their number."""
    content = writing.contents.get(entity)
    found: dict[int, Holding] = {}
    for one in share.judged:
        if not one.reason.quarantined:
            continue
        if disputes(one):
            held = dispute(
                spec.name,
                entity,
                share,
                one,
                content,
                writing.provenance,
            )
        else:
            held = holding(spec.name, entity, one, writing.provenance)
        found[one.number] = held
    return found


def _values(share: Coalesced) -> dict[str, Any] | None:
    # None: the row stays as it is, or goes; the decision says which.
    if share.written is None:
        return None
    return dict(share.written.values)


def _decision(one: Judged, known: Mapping[int, Listing], values: dict[str, Any] | None) -> Decision:
    """The one place where a decision is made."""
    # What the quarantine holds already is not held a second time (rules R1).
    if one.reason.quarantined and one.number in known:
        return Decision(
            event=one.event,
            reason=Reason.DUPLICATE,
            against=one.against,
            detail=_label(known[one.number]),
            values=values,
        )
    return Decision(
        one.event,
        one.reason,
        one.against,
        one.detail,
        values,
    )


def _label(kept: Listing) -> str:
    """Why it is not held a second time."""
    if kept.state == "open":
        return ALREADY_HELD
    # A word has closed it.
    label = REFUSED
    if kept.chosen:
        label = CHOSEN
    return label.format(kept)
