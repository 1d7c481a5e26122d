"""Truncates (rules R10): a tombstone of every key at its position, kept for ever.

Each is remembered first, and then sweeps away what is older than it: a crash in between leaves a
truncate that is known, and whatever comes again meets it. Those that are held are decided again
when one is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from anyorder._core.age import newest_first
from anyorder._core.batch import Arrival, Held, Judged, Settled, replace
from anyorder._core.decide import truncate, truncated_by
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory
from anyorder._core.outcome import REASONS, Reason
from anyorder.errors import StoreBusy
from anyorder.guard.contract import EntryQuery, Lost, Refused, TableSpec, Transaction, Write
from anyorder.guard.own_sql import is_by_own_sql
from anyorder.guard.recall import unsuspected

ATTEMPTS = 100  # times a table is swept again because somebody else moved its rows
PART = (
    "the table holds rows of several source tables (merge = true), and a truncate of one, {!r}, "
    "would empty all: delete its rows yourself if they are to go, then drop this entry"
)


class Truncated(NamedTuple):
    """The limits afterwards, every truncate as it stands, and the entries that closed."""

    limits: Limits
    judged: list[Judged]
    settled: list[Settled]


def take_truncates(
    transaction: Transaction,
    spec: TableSpec,
    arrivals: Sequence[Arrival],
    limits: Limits,
    *,
    settles: bool = True,
) -> Truncated:
    """Decide and carry out the truncates of a batch, then, if it `settles`, those that are held."""
    judged: list[Judged] = []
    for arrival in arrivals:
        event = arrival.event
        # It would take the rows of the other source tables, too.
        if spec.merge:
            judged.append(
                Judged(arrival.number, event, Reason.CONFLICT, detail=PART.format(event.source))
            )
            continue
        limits, reason = truncated_by(limits, event)
        refused = carry_out(transaction, spec, event, limits, reason)
        one = Judged(
            number=arrival.number,
            event=event,
            reason=reason,
            against=limits.truncated,
        )
        # It is known from now on, but some of its rows are still there: it is tried again.
        if refused is not None:
            one = replace(
                one,
                reason=refused.reason,
                detail=refused.detail,
                retry=refused.retry,
            )
        judged.append(one)
    settled: list[Settled] = []
    if settles:
        limits, settled = _take_held(transaction, spec, limits)
    return Truncated(limits, judged, settled)


def _take_held(
    transaction: Transaction,
    spec: TableSpec,
    limits: Limits,
) -> tuple[Limits, list[Settled]]:
    """The truncates that the quarantine holds, decided again."""
    waiting, settled = _held_truncates(transaction, spec), list[Settled]()
    moved = True
    # One that is taken may decide what others wait for. It ends: limits that moved have a greater
    # truncate, and there are only so many.
    while waiting and moved:
        before = limits.truncated
        for held in tuple(waiting):
            limits, reason = truncated_by(limits, held.event)
            refused = carry_out(transaction, spec, held.event, limits, reason)
            if refused is not None:
                transaction.try_again(held.entry)
            elif not reason.quarantined:
                waiting.remove(held)
                settled.append(Settled(held, reason))
        moved = limits.truncated != before
    return limits, settled


def _held_truncates(transaction: Transaction, spec: TableSpec) -> list[Held]:
    """Open entries of truncates, newest first; not of a suspected clock (rules R13)."""
    # Where the caller's own SQL writes the rows, a sweep would leave them as they are; and of
    # several source tables, those of the others would go.
    if spec.merge or not spec.writes_rows:
        return []
    found: list[Held] = []
    for entry in transaction.entries(EntryQuery(table=spec.name)):
        # A truncate concerns every key, so it is held under none.
        may_be_one = entry.key is None and REASONS[Reason(entry.reason)].holds_truncates
        if not may_be_one:
            continue
        event = transaction.event(
            entry.id,
        )
        whole = transaction.entry(entry.id)
        # It was listed a moment ago.
        assert whole is not None
        # What cannot be decoded has no event; it waits for an envelope that reads it. And what the
        # caller's own code held waits for that.
        is_own = is_by_own_sql(whole.provenance)
        if event is not None and event.kind is Kind.TRUNCATE and not is_own:
            held = Held(
                entry.id,
                event,
                whole.provenance,
            )
            found.append(held)
    return newest_first(unsuspected(transaction, found))


def carry_out(
    transaction: Transaction,
    spec: TableSpec,
    event: Event,
    limits: Limits,
    reason: Reason,
) -> Refused | None:
    """Write what was decided of a truncate. The first row that the store does not let go; None if
    there is none."""
    # Of a duplicate, the first attempt may have died half way, so it sweeps again.
    is_carried_out = reason is Reason.APPLIED or reason is Reason.DUPLICATE
    if not is_carried_out:
        return None
    transaction.save_limits(spec, limits)
    return _sweep(transaction, spec, event, limits)


def _sweep(
    transaction: Transaction,
    spec: TableSpec,
    event: Event,
    limits: Limits,
) -> Refused | None:
    """Take from every row what is older than the truncate. The first that was refused."""
    # Another writer may move a row while it is swept: then the table is swept again. What is newer
    # than the truncate is left alone, so each round has fewer rows to lose.
    for _ in range(ATTEMPTS):
        writes = swept(transaction.memories(spec), event, limits)
        if not writes:
            return None
        # The attempt has no token: a sweep that is repeated finds the same rows, or newer ones.
        answers = transaction.write(spec, writes, limits, "")
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        if not any(isinstance(answer, Lost) for answer in answers):
            return refused[0] if refused else None
    raise StoreBusy(
        f"table {spec.name}: other writers moved its rows {ATTEMPTS} times "
        "while it was being truncated"
    )


def swept(
    memories: Iterable[tuple[str, dict[str, object], Memory]],
    event: Event,
    limits: Limits,
) -> list[Write]:
    """The writes by which a truncate takes from rows what is older than it; `memories`: (entity,
    key, memory). Pure."""
    writes: list[Write] = []
    for entity, key, memory in memories:
        applied = truncate(memory, event, limits)
        after = applied.memory
        # The very same memory: the row is newer than the truncate, whole.
        if after is memory:
            continue
        write = Write(
            entity=entity,
            key=key,
            before=memory,
            after=after,
            written=applied.written,
        )
        writes.append(write)
    return writes
