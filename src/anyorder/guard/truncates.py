"""Truncates (rules R10): a tombstone of every key at its position, kept for ever.

Each is remembered first, then takes what is older than it: a crash in between leaves a truncate
that is known, and whatever comes again meets it. Those that are held are decided again when one is
taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyorder._core.batch import Arrival, Held, Judged, Settled, newest_first
from anyorder._core.decide import truncate, truncated_by
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.outcome import REASONS, Reason
from anyorder.errors import StoreBusy
from anyorder.guard.contract import Entry, EntryQuery, Lost, TableSpec, Transaction, Write
from anyorder.guard.recall import unsuspected

ATTEMPTS = 100  # times a table is swept again because somebody else moved its rows


class Truncated(NamedTuple):
    """The limits afterwards, every truncate as it stands, and the entries that closed."""

    limits: Limits
    judged: list[Judged]
    settled: list[Settled]


def take_truncates(
    transaction: Transaction, spec: TableSpec, arrivals: Sequence[Arrival], limits: Limits
) -> Truncated:
    """Decide and carry out the truncates of a batch, then those that are held."""
    judged: list[Judged] = []
    for number, event in arrivals:
        limits, reason = truncated_by(limits, event)
        carry_out(transaction, spec, event, limits, reason)
        judged.append(Judged(number, event, reason, limits.truncated))
    limits, settled = _take_held(transaction, spec, limits)
    return Truncated(limits, judged, settled)


def _take_held(
    transaction: Transaction, spec: TableSpec, limits: Limits
) -> tuple[Limits, list[Settled]]:
    """The truncates that the quarantine holds, decided again."""
    waiting, settled = _held_truncates(transaction, spec), list[Settled]()
    before = None
    # One that is taken may decide what others wait for. It ends: limits that moved have a greater
    # truncate, and there are only so many.
    while waiting and limits is not before:
        before = limits
        for held in tuple(waiting):
            limits, reason = truncated_by(limits, held.event)
            carry_out(transaction, spec, held.event, limits, reason)
            if not reason.quarantined:
                waiting.remove(held)
                settled.append(Settled(held, reason))
    return limits, settled


def _held_truncates(transaction: Transaction, spec: TableSpec) -> list[Held]:
    """Open entries of truncates, newest first; not of a suspected clock (rules R13)."""
    # Where the caller's own SQL writes the rows, a sweep would leave them as they are.
    if not spec.writes_rows:
        return []
    entries = transaction.entries(EntryQuery(table=spec.name))
    unkeyed = [one for one in entries if one.key is None and _may_be_truncate(one)]
    events = {one.id: transaction.event(one.id) for one in unkeyed}
    found = [Held(number, event) for number, event in events.items() if event is not None]
    truncates = [one for one in found if one.event.kind is Kind.TRUNCATE]
    return newest_first(unsuspected(transaction, truncates))


def _may_be_truncate(entry: Entry) -> bool:
    return REASONS[Reason(entry.reason)].holds_truncates


def carry_out(
    transaction: Transaction, spec: TableSpec, event: Event, limits: Limits, reason: Reason
) -> None:
    """Write what was decided of a truncate."""
    # Of a duplicate, the first attempt may have died half way, so it sweeps again.
    if reason is Reason.APPLIED or reason is Reason.DUPLICATE:
        transaction.save_limits(spec, limits)
        _sweep(transaction, spec, event, limits)


def _sweep(transaction: Transaction, spec: TableSpec, event: Event, limits: Limits) -> None:
    """Take from every row what is older than the truncate."""
    # Another writer may move a row while it is swept: then the table is swept again. What is newer
    # than the truncate is left alone, so each round has fewer rows to lose.
    for _ in range(ATTEMPTS):
        writes: list[Write] = []
        for entity, key, memory in transaction.memories(spec):
            after, written, _, _ = truncate(memory, event, limits)
            if after is not memory:
                writes.append(Write(entity, key, memory, after, written))
        answers = transaction.write(spec, writes, limits, "") if writes else ()
        if not any(isinstance(answer, Lost) for answer in answers):
            return
    raise StoreBusy(
        f"table {spec.name}: other writers moved its rows {ATTEMPTS} times "
        "while it was being truncated"
    )
