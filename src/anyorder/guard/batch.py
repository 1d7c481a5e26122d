"""The guarded write of a batch: `plan` and `settle` are pure, the transaction's `write` between
them talks to the store.

The same for every store: truncates first, then one write a key, then what the store refused one
event at a time (rules R9), then the quarantine. Every delivery gets exactly one decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from anyorder._core.batch import Coalesced, Decision, Held, coalesce, decide_again, newest_first
from anyorder._core.decide import decide, truncate, truncated_by
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.memory import REST, Memory
from anyorder._core.outcome import Reason
from anyorder.errors import StoreBusy
from anyorder.guard.contract import (
    EntryQuery,
    Holding,
    Lost,
    Refused,
    Remembered,
    Replaced,
    TableSpec,
    Transaction,
    Write,
)
from anyorder.guard.holdings import disputes, disputing, holding

NOTHING = Remembered(None)
_HELD_TRUNCATES = (Reason.WAITING, Reason.CONFLICT, Reason.SUSPECTED_RESET)
# times a key is decided again because somebody else moved it; each time somebody made progress
ATTEMPTS = 100


class Plan(NamedTuple):
    """What a batch comes to for one table: each key's share, and the writes of the keys that
    moved."""

    shares: dict[str, Coalesced]
    writes: list[Write]


class Settlement(NamedTuple):
    """How a batch ended: one decision a delivery, the quarantine entries that closed, what the
    quarantine must hold."""

    decisions: list[Decision]
    closed: list[tuple[Held, Decision]]
    holdings: list[Holding]


def group(events: Sequence[Event]) -> dict[str, list[Event]]:
    """The events of each key, in the order of the keys: stores that lock rows must lock them in one
    order."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.entity, []).append(event)
    return dict(sorted(groups.items()))


def plan(
    groups: dict[str, list[Event]],
    remembered: dict[str, Remembered],
    limits: Limits,
    *,
    reconsider: bool = False,
) -> Plan:
    """Pure: decide every key of the batch on what is remembered of it."""
    shares: dict[str, Coalesced] = {}
    writes: list[Write] = []
    for entity, events in groups.items():
        memory, held, own_limits, _ = remembered.get(entity, NOTHING)
        share = shares[entity] = coalesce(
            memory, events, held, own_limits or limits, reconsider=reconsider
        )
        if share.after is not share.before:
            writes.append(Write(entity, _key(events, held), share.before, share.after))
    return Plan(shares, writes)


def _key(events: Sequence[Event], held: Sequence[Held]) -> dict[str, object]:
    return (events[0] if events else held[0].event).key or {}


def settle(
    spec: TableSpec,
    shares: dict[str, Coalesced],
    token: str,
    contents: Mapping[str, object] = MappingProxyType({}),
) -> Settlement:
    """Pure: the final decisions, and what must be held or closed. `token` turns our own ambiguous
    commit back into `applied`.

    `contents`: what the row of a disputed key was before this batch; the dispute's entry lists it
    (rules R12).
    """
    decisions: list[Decision] = []
    closed: list[tuple[Held, Decision]] = []
    holdings: list[Holding] = []
    for entity, share in shares.items():
        for decision in share.decisions:
            if (
                decision.reason is Reason.DUPLICATE
                and share.before is not None
                and share.before.token == token
            ):
                decision = Decision(decision.event, Reason.APPLIED, decision.against)
            if not spec.writes_rows and share.after is not None and share.after.values is not None:
                values = {
                    column: value for column, value in share.after.values.items() if column != REST
                }
                decision = Decision(
                    decision.event, decision.reason, decision.against, decision.detail, values
                )
            decisions.append(decision)
            if decision.quarantined:
                holdings.append(
                    holding(
                        spec.name,
                        entity,
                        disputing(share, decision, contents.get(entity))
                        if disputes(decision)
                        else decision,
                    )
                )
        closed += share.settled
    return Settlement(decisions, closed, holdings)


def look(transaction: Transaction, spec: TableSpec, entity: str) -> Remembered:
    """What is remembered of one key, read now."""
    found = transaction.remembered(spec, [entity]).get(entity, NOTHING)
    return transaction.remembered(spec, [entity]).get(entity, NOTHING) if found.unread else found


def apply(
    transaction: Transaction,
    spec: TableSpec,
    events: Sequence[Event],
    token: str,
    *,
    reconsider: bool = False,
) -> Settlement:
    """Decide and write a batch of one table inside the transaction. `reconsider`: what the table's
    quarantine holds is decided again."""
    limits = transaction.open_table(spec)
    groups = group([event for event in events if event.kind is not Kind.TRUNCATE])
    if reconsider:
        groups = {entity: [] for entity in transaction.held_entities(spec, retry=False)} | groups
    decisions, closed, holdings = _write(
        transaction, spec, groups, limits, token, reconsider=reconsider
    )
    truncates = [event for event in events if event.kind is Kind.TRUNCATE]
    if truncates or reconsider:
        limits, more, settled = _truncate(transaction, spec, truncates, limits)
        decisions, closed = decisions + more, closed + settled
        if truncates or settled:
            closed += reconsider_keys(
                transaction, spec, transaction.held_entities(spec, retry=False), limits, token
            )
    if any(decision.reason is Reason.APPLIED for decision in decisions):
        refused = transaction.held_entities(spec, retry=True)
        closed = (
            closed + reconsider_keys(transaction, spec, refused, limits, token)
            if refused
            else closed
        )
    return Settlement(decisions, closed, holdings)


def reconsider_keys(
    transaction: Transaction, spec: TableSpec, entities: Sequence[str], limits: Limits, token: str
) -> list[tuple[Held, Decision]]:
    """The settling rule for keys that moved, or may have, by another way than a batch. The entries
    that closed."""
    return _write(
        transaction, spec, {entity: [] for entity in entities}, limits, token, reconsider=True
    ).closed


def _write(
    transaction: Transaction,
    spec: TableSpec,
    groups: dict[str, list[Event]],
    limits: Limits,
    token: str,
    *,
    reconsider: bool = False,
) -> Settlement:
    shares: dict[str, Coalesced] = {}
    contents: dict[str, object] = {}
    early: dict[int, bool] = {}
    known = _known(transaction, spec, list(groups))
    for _ in range(ATTEMPTS):
        planned = plan(groups, known, limits, reconsider=reconsider)
        shares |= planned.shares
        contents |= {
            w.entity: transaction.content(spec, w.key)
            for w in planned.writes
            if any(map(disputes, planned.shares[w.entity].decisions))
        }
        if not transaction.atomic:
            early |= _hold_disputes(transaction, spec, planned, contents, early)
        lost = [
            entity
            for entity, share in planned.shares.items()
            if not share.moved and known.get(entity, NOTHING).unread
        ]
        for answer in (
            transaction.write(spec, planned.writes, limits, token) if planned.writes else ()
        ):
            events = groups[answer.entity]
            if isinstance(answer, Lost):
                lost.append(answer.entity)
            elif isinstance(answer, Replaced):
                shares[answer.entity] = plan(
                    {answer.entity: events}, {answer.entity: Remembered(answer.memory)}, limits
                ).shares[answer.entity]
            else:
                share = shares[answer.entity] = _one_by_one(
                    transaction, spec, events, known.get(answer.entity, NOTHING), limits, token
                )
                ended = {
                    id(decision.event) for decision in share.decisions if not disputes(decision)
                }
                early = {number: new for number, new in early.items() if number not in ended}
        if not lost:
            break
        groups = {entity: groups[entity] for entity in lost}
        limits = transaction.open_table(spec)
        known = _known(transaction, spec, lost)
    else:
        raise StoreBusy(
            f"table {spec.name}: other writers moved {', '.join(lost[:3])} {ATTEMPTS} times while it was being decided"
        )
    settlement = settle(spec, shares, token, contents)
    for held, decision in settlement.closed:
        transaction.settle(held.entry, "settled", decision.reason)
    return settlement._replace(
        decisions=keep(transaction, settlement.decisions, settlement.holdings, early)
    )


def _hold_disputes(
    transaction: Transaction,
    spec: TableSpec,
    planned: Plan,
    contents: Mapping[str, object],
    known: Mapping[int, bool],
) -> dict[int, bool]:
    """Where row and quarantine are two steps, a dispute is held first: after a crash in between,
    the row no longer tells its other content."""
    decided = [
        (planned.shares[write.entity], write.entity, d)
        for write in planned.writes
        for d in planned.shares[write.entity].decisions
    ]
    disputed = [
        (share, entity, d)
        for share, entity, d in decided
        if disputes(d) and id(d.event) not in known
    ]
    holdings = [
        holding(spec.name, entity, disputing(share, d, contents.get(entity)))
        for share, entity, d in disputed
    ]
    return (
        {
            id(d.event): new
            for (_, _, d), new in zip(disputed, transaction.hold(holdings), strict=True)
        }
        if holdings
        else {}
    )


def _known(transaction: Transaction, spec: TableSpec, entities: list[str]) -> dict[str, Remembered]:
    """What is remembered of these keys, without the held events of a suspected clock: only a
    person's word ends a suspicion (rules R13)."""
    known = transaction.remembered(spec, entities)
    suspected = _suspected(
        transaction, [held.event for there in known.values() for held in there.held]
    )
    if not suspected:
        return known
    return {
        e: there._replace(
            held=tuple(held for held in there.held if _clock(held.event) not in suspected)
        )
        for e, there in known.items()
    }


def _suspected(transaction: Transaction, events: Sequence[Event]) -> set[str]:
    """The clocks of these events that are suspected of having started again."""
    clocks = sorted({clock for event in events if (clock := _clock(event))})
    return (
        {clock for clock, growth in transaction.growths(clocks).items() if growth.suspected}
        if clocks
        else set()
    )


def _clock(event: Event) -> str:
    growing = None if event.position is None else event.position.growing()
    return "" if growing is None else growing[0]


def keep(
    transaction: Transaction,
    decisions: Sequence[Decision],
    holdings: Sequence[Holding],
    early: Mapping[int, bool] = MappingProxyType({}),
) -> list[Decision]:
    """Write the quarantine. The decisions again, where a delivery that it already holds is a
    duplicate (rules R1).

    `early`: the events that were held before the rows were written, and whether they were new then.
    """
    rest = [holding for holding in holdings if id(holding.event) not in early]
    fresh = transaction.hold(rest) if rest else []
    new = {**early, **{id(holding.event): new for holding, new in zip(rest, fresh, strict=True)}}
    repeated = {number for number, was_new in new.items() if not was_new}
    again = (d.quarantined and id(d.event) in repeated for d in decisions)
    return [
        Decision(d.event, Reason.DUPLICATE, d.against, "the quarantine holds it") if twice else d
        for d, twice in zip(decisions, again, strict=True)
    ]


def _one_by_one(
    transaction: Transaction,
    spec: TableSpec,
    events: Sequence[Event],
    remembered: Remembered,
    limits: Limits,
    token: str,
) -> Coalesced:
    """R9: the store refused the folded write, so nothing is released: each event alone, newest
    first, on what was accepted."""
    before, entries = remembered.memory, {id(held.event): held for held in remembered.held}
    undecided = newest_first([*events, *(held.event for held in remembered.held)])
    decided: dict[int, Decision] = {}
    moved = True
    while moved and undecided:
        start = remembered.memory
        for event in undecided:
            remembered, decided[id(event)] = _alone(
                transaction,
                spec,
                event,
                remembered,
                limits,
                token,
                again=id(event) in decided or id(event) in entries,
            )
        undecided = [event for event in undecided if decided[id(event)].quarantined]
        moved = remembered.memory is not start
    settled = [
        (held, decided[number])
        for number, held in entries.items()
        if not decided[number].quarantined
    ]
    return Coalesced(before, remembered.memory, [decided[id(event)] for event in events], settled)


def _alone(
    transaction: Transaction,
    spec: TableSpec,
    event: Event,
    remembered: Remembered,
    limits: Limits,
    token: str,
    *,
    again: bool,
) -> tuple[Remembered, Decision]:
    """One event decided and written by itself; what is remembered afterwards. If somebody else
    moves the key, it is decided again."""
    for _ in range(ATTEMPTS):
        memory = remembered.memory
        after, decision = (decide_again if again else _decision)(
            memory, event, remembered.limits or limits
        )
        answers = (
            ()
            if after is memory
            else transaction.write(
                spec, [Write(event.entity, event.key or {}, memory, after)], limits, token
            )
        )
        failure = answers[0] if answers else None
        if isinstance(failure, Refused):
            return remembered, Decision(event, failure.reason, detail=failure.detail)
        if not isinstance(failure, Lost) and not (after is memory and remembered.unread):
            return remembered._replace(memory=after, unread=False), decision
        limits = transaction.open_table(spec)
        remembered = look(transaction, spec, event.entity)
    raise StoreBusy(
        f"table {spec.name}: other writers moved {event.entity} {ATTEMPTS} times while it was being decided"
    )


def _decision(
    memory: Memory | None, event: Event, limits: Limits
) -> tuple[Memory | None, Decision]:
    after, reason, against = decide(memory, event, limits)
    return after, Decision(event, reason, against)


def _truncate(
    transaction: Transaction, spec: TableSpec, events: Sequence[Event], limits: Limits
) -> tuple[Limits, list[Decision], list[tuple[Held, Decision]]]:
    """R10: each truncate is remembered first, then takes what is older than it. Those that are held
    are decided again."""
    decisions, settled = [], []
    for event in events:
        limits, decision = take_truncate(transaction, spec, event, *truncated_by(limits, event))
        decisions.append(decision)
    waiting, before = _held_truncates(transaction, spec), None
    while waiting and limits is not before:
        before = limits
        for held in tuple(waiting):
            limits, decision = take_truncate(
                transaction, spec, held.event, *truncated_by(limits, held.event)
            )
            if not decision.quarantined:
                transaction.settle(held.entry, "settled", decision.reason)
                settled.append((held, decision))
                waiting.remove(held)
    return (
        limits,
        keep(
            transaction,
            decisions,
            [holding(spec.name, "", decision) for decision in decisions if decision.quarantined],
        ),
        settled,
    )


def _held_truncates(transaction: Transaction, spec: TableSpec) -> list[Held]:
    """Open entries of truncates, newest first. Not where the caller's own SQL writes the rows, nor
    of a suspected clock."""
    entries = transaction.entries(EntryQuery(table=spec.name)) if spec.writes_rows else iter(())
    numbers = [
        entry.id for entry in entries if entry.key is None and entry.reason in _HELD_TRUNCATES
    ]
    found = [
        Held(number, event)
        for number in numbers
        if (event := transaction.event(number)) is not None and event.kind is Kind.TRUNCATE
    ]
    suspected = _suspected(transaction, [held.event for held in found])
    by_event = {id(held.event): held for held in found if _clock(held.event) not in suspected}
    return [by_event[id(event)] for event in newest_first(held.event for held in by_event.values())]


def take_truncate(
    transaction: Transaction, spec: TableSpec, event: Event, limits: Limits, reason: Reason
) -> tuple[Limits, Decision]:
    """Write what was decided of a truncate. Of a duplicate, the first attempt may have died half
    way, so it sweeps again."""
    if reason is Reason.APPLIED or reason is Reason.DUPLICATE:
        transaction.save_limits(spec, limits)
        _sweep(transaction, spec, event, limits)
    return limits, Decision(event, reason, limits.truncated)


def _sweep(transaction: Transaction, spec: TableSpec, event: Event, limits: Limits) -> None:
    """What a truncate leaves of each row; a row that somebody else moves meanwhile is looked at
    again."""
    for _ in range(ATTEMPTS):
        writes = []
        for entity, key, memory in transaction.memories(spec):
            after = truncate(memory, event, limits)
            if after is not memory:
                writes.append(Write(entity, key, memory, after))
        if not any(
            isinstance(answer, Lost)
            for answer in (transaction.write(spec, writes, limits, "") if writes else ())
        ):
            return
    raise StoreBusy(
        f"table {spec.name}: other writers moved its rows {ATTEMPTS} times while it was being truncated"
    )
