"""Why no word of a person can put what is held into a table."""

from __future__ import annotations

from collections.abc import Callable

from anyorder._core.event import Kind
from anyorder._core.misfit import misfit
from anyorder._core.outcome import Reason
from anyorder.guard.answered import Kept
from anyorder.guard.contract import TableSpec, Transaction
from anyorder.guard.owners import admits, belongs
from anyorder.guard.recall import suspected_clock
from anyorder.guard.routes import origin_of
from anyorder.guard.targets import opened
from anyorder.guard.truncates import PART

Fault = Callable[[Transaction, TableSpec, Kept], str]
"""What is wrong with what is held, for this table; "" if nothing is."""
NOT_OWNED = "entry {0} cannot be accepted: {1}"
DOUBTED = (
    "entry {0} cannot be accepted: all of its clock {1!r} is suspected of having started again. If "
    "it did not, `anyorder quarantine dismiss {1!r}`; if it did, build the table anew from a new "
    "snapshot"
)


def not_owned(transaction: Transaction, spec: TableSpec, held: Kept) -> str:
    """Whose the table is, if it does not take what is held; else ""."""
    entry, event, _ = held
    is_unrouted = entry.reason == Reason.UNROUTED
    is_truncate = event.kind is Kind.TRUNCATE
    # Whose a row is was settled when its event was held for another reason.
    if not is_unrouted and not is_truncate:
        return ""
    owned = opened(transaction, spec).known
    _, _, source = origin_of(event)
    if is_unrouted and not admits(owned, spec, source):
        whose = belongs(owned, spec.name, source)
        return NOT_OWNED.format(entry.id, whose)
    if is_truncate and owned.merge:
        part = PART.format(source)
        return NOT_OWNED.format(entry.id, part)
    return ""


def misfitting(_: Transaction, spec: TableSpec, held: Kept) -> str:
    """What is wrong with its key, if it is none of this table's; else ""."""
    fault = misfit(held.event, spec.name, spec.kinds)
    # Not even a person's word makes one row of two entities.
    if fault:
        return f"this event cannot be accepted: {fault}"
    return ""


def disbelieved(transaction: Transaction, _: TableSpec, held: Kept) -> str:
    """Why no word for a single event can decide it: all of its clock is suspected (rules R13); ""
    if it is not. A key whose versions start again has no clock that is watched as a whole."""
    if held.entry.reason != Reason.SUSPECTED_RESET:
        return ""
    # Decided by its position it would mostly be stale, and the word would lose it.
    scope = suspected_clock(transaction, held.event)
    if scope:
        return DOUBTED.format(held.entry.id, scope)
    return ""
