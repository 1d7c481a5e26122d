"""The guarded write of a batch: `plan` and `settle` are pure, the transaction's `write` between them talks to the store.

The same for every store: truncates first, then one write a key, then what the store refused one event at a time (rules R9),
then the quarantine. Every delivery gets exactly one decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyorder._core.batch import Coalesced, Decision, Held, coalesce, identity_of, newest_first
from anyorder._core.decide import decide, truncate, truncated_by
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.memory import REST
from anyorder._core.outcome import Reason
from anyorder.stores.contract import Holding, Lost, Refused, Remembered, TableSpec, Transaction, Write

NOTHING = Remembered(None)
ATTEMPTS = 100  # times a key is decided again because somebody else moved it; each time somebody made progress


class Plan(NamedTuple):
    """What a batch comes to for one table: each key's share, and the writes of the keys that moved."""

    shares: dict[str, Coalesced]
    writes: list[Write]


class Settlement(NamedTuple):
    """How a batch ended: one decision a delivery, the quarantine entries that closed, what the quarantine must hold."""

    decisions: list[Decision]
    closed: list[tuple[Held, Decision]]
    holdings: list[Holding]


def group(events: Sequence[Event]) -> dict[str, list[Event]]:
    """The events of each key, in the order of the keys: stores that lock rows must lock them in one order."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.entity, []).append(event)
    return dict(sorted(groups.items()))


def plan(groups: dict[str, list[Event]], remembered: dict[str, Remembered], limits: Limits, *, reconsider: bool = False) -> Plan:
    """Pure: decide every key of the batch on what is remembered of it."""
    shares: dict[str, Coalesced] = {}
    writes: list[Write] = []
    for entity, events in groups.items():
        memory, held = remembered.get(entity, NOTHING)
        share = shares[entity] = coalesce(memory, events, held, limits, reconsider=reconsider)
        if share.after is not share.before:
            writes.append(Write(entity, _key(events, held), share.before, share.after))
    return Plan(shares, writes)


def _key(events: Sequence[Event], held: Sequence[Held]) -> dict[str, object]:
    return (events[0] if events else held[0].event).key or {}


def settle(spec: TableSpec, shares: dict[str, Coalesced], token: str) -> Settlement:
    """Pure: the final decisions, and what must be held or closed. `token` turns our own ambiguous commit back into `applied`."""
    decisions: list[Decision] = []
    closed: list[tuple[Held, Decision]] = []
    holdings: list[Holding] = []
    for entity, share in shares.items():
        for decision in share.decisions:
            if decision.reason is Reason.DUPLICATE and share.before is not None and share.before.token == token:
                decision = Decision(decision.event, Reason.APPLIED, decision.against)
            if not spec.writes_rows and share.after is not None and share.after.values is not None:
                values = {column: value for column, value in share.after.values.items() if column != REST}
                decision = Decision(decision.event, decision.reason, decision.against, decision.detail, values)
            decisions.append(decision)
            if decision.quarantined:
                holdings.append(holding(spec.name, entity, decision))
        closed += share.settled
    return Settlement(decisions, closed, holdings)


def holding(table: str, entity: str, decision: Decision) -> Holding:
    """The quarantine's view of a decision."""
    retry = decision.reason is Reason.WAITING and decision.event.kind is not Kind.HINT
    return Holding(table, entity, identity_of(decision.event), decision.reason, decision.detail, decision.event, retry)


def apply(transaction: Transaction, spec: TableSpec, events: Sequence[Event], token: str, *, reconsider: bool = False) -> Settlement:
    """Decide and write a batch of one table inside the transaction. `reconsider`: what the table's quarantine holds is decided again."""
    limits = transaction.open_table(spec)
    limits, truncates = _truncate(transaction, spec, events, limits)
    groups = group([event for event in events if event.kind is not Kind.TRUNCATE])
    if reconsider or truncates:
        groups = {entity: [] for entity in transaction.held_entities(spec, retry=False)} | groups
    settlement = _write(transaction, spec, groups, limits, token, reconsider=reconsider or bool(truncates))
    if any(decision.reason is Reason.APPLIED for decision in settlement.decisions):
        again = {entity: [] for entity in transaction.held_entities(spec, retry=True)}
        retried = _write(transaction, spec, again, limits, token, reconsider=True) if again else Settlement([], [], [])
        settlement = Settlement(settlement.decisions, settlement.closed + retried.closed, settlement.holdings)
    return Settlement(settlement.decisions + truncates, settlement.closed, settlement.holdings)


def reconsider_keys(transaction: Transaction, spec: TableSpec, entities: Sequence[str], limits: Limits, token: str) -> Settlement:
    """The settling rule for keys that moved by another way than a batch."""
    return _write(transaction, spec, {entity: [] for entity in entities}, limits, token, reconsider=True)


def _write(
    transaction: Transaction, spec: TableSpec, groups: dict[str, list[Event]], limits: Limits, token: str, *, reconsider: bool = False
) -> Settlement:
    shares: dict[str, Coalesced] = {}
    known: dict[str, Remembered] = transaction.remembered(spec, list(groups))
    for _ in range(ATTEMPTS):
        planned = plan(groups, known, limits, reconsider=reconsider)
        shares |= planned.shares
        lost = []
        for failure in transaction.write(spec, planned.writes, limits, token) if planned.writes else ():
            if isinstance(failure, Lost):
                lost.append(failure.entity)
            else:
                shares[failure.entity] = _one_by_one(transaction, spec, groups[failure.entity], known.get(failure.entity, NOTHING), limits, token)
        if not lost:
            break
        groups = {entity: groups[entity] for entity in lost}
        limits = transaction.open_table(spec)
        known = transaction.remembered(spec, lost)
    settlement = settle(spec, shares, token)
    _keep(transaction, settlement)
    return settlement


def _keep(transaction: Transaction, settlement: Settlement) -> None:
    """Write the quarantine; a delivery that it already holds is a duplicate (rules R1)."""
    for held, decision in settlement.closed:
        transaction.settle(held.entry, "settled", decision.reason)
    if not settlement.holdings:
        return
    fresh = transaction.hold(settlement.holdings)
    repeated = {id(h.event) for h, new in zip(settlement.holdings, fresh, strict=True) if not new}
    for place, decision in enumerate(settlement.decisions):
        if id(decision.event) in repeated and decision.quarantined:
            settlement.decisions[place] = Decision(decision.event, Reason.DUPLICATE, decision.against, "the quarantine holds it")


def _one_by_one(
    transaction: Transaction, spec: TableSpec, events: Sequence[Event], remembered: Remembered, limits: Limits, token: str
) -> Coalesced:
    """R9: the store refused the folded write, so nothing is released: each event alone, newest first, on what was accepted."""
    before = memory = remembered.memory
    decisions: list[Decision] = []
    settled: list[tuple[Held, Decision]] = []
    entries = {id(held.event): held for held in remembered.held}
    for event in newest_first([*events, *(held.event for held in remembered.held)]):
        after, reason, against = decide(memory, event, limits)
        decision = Decision(event, reason, against)
        if after is not memory:
            refused = transaction.write(spec, [Write(event.entity, event.key or {}, memory, after)], limits, token)
            if refused:
                failure = refused[0]
                decision = Decision(event, failure.reason if isinstance(failure, Refused) else Reason.CONFLICT, detail=getattr(failure, "detail", ""))
            else:
                memory = after
        if id(event) not in entries:
            decisions.append(decision)
        elif not decision.quarantined:
            settled.append((entries[id(event)], decision))
    return Coalesced(before, memory, decisions, settled)


def _truncate(transaction: Transaction, spec: TableSpec, events: Sequence[Event], limits: Limits) -> tuple[Limits, list[Decision]]:
    """R10: each truncate is remembered first, then takes what is older than it."""
    decisions = []
    for event in events:
        if event.kind is not Kind.TRUNCATE:
            continue
        limits, reason = truncated_by(limits, event)
        decisions.append(Decision(event, reason, limits.truncated))
        if reason is Reason.APPLIED:
            transaction.save_limits(spec, limits)
            writes = []
            for entity, key, memory in transaction.memories(spec):
                after = truncate(memory, event, limits)
                if after is not memory:
                    writes.append(Write(entity, key, memory, after))
            transaction.write(spec, writes, limits, "")
    return limits, decisions
