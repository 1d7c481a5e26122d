"""One accepted event and its row, where the user ended the transaction between the two.

What he committed is there, and the rest is not: the memory is put back where its row is missing, so
that the event is accepted when it comes again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import NamedTuple

from anyorder._core.batch import Decision
from anyorder._core.event import Event, Kind
from anyorder._core.memory import Memory
from anyorder.guard.contract import Recorded, TableSpec, Transaction, Write
from anyorder.guard.recall import recall_one

KEYED = frozenset({Kind.PUT, Kind.DELETE})
NOTHING = Recorded()


class Step(NamedTuple):
    """One accepted event. `before`: what was remembered of its key; `token`: of its memory now;
    `is_bare`: nobody sees the exceptions of the user's code. `changes`: what the user's statements
    had changed by then; `recorded`: what was known of the table."""

    event: Event
    decision: Decision
    before: Memory | None
    token: str
    is_bare: bool
    changes: int = 0
    recorded: Recorded | None = None


def remembered(transaction: Transaction, spec: TableSpec, event: Event) -> Memory | None:
    """What is remembered of an event's key."""
    # A truncate and what cannot be decoded are about no key.
    if event.kind not in KEYED:
        return None
    found = recall_one(
        transaction,
        spec,
        event.entity,
    )
    return found.memory


def is_known(transaction: Transaction, spec: TableSpec) -> bool:
    """Has the table a place for its memories?"""
    names = {target.name for target in transaction.catalogue()}
    return spec.name in names


def stored(transaction: Transaction, spec: TableSpec, step: Step) -> Memory | None:
    """The step's memory, if it is there although its transaction is not."""
    # The table's own line may have gone with the transaction.
    if not is_known(transaction, spec):
        return None
    memory = remembered(transaction, spec, step.event)
    # Somebody else may have moved the key since the user's commit.
    if memory is None or memory.token != step.token:
        return None
    return memory


def repair(transaction: Transaction, spec: TableSpec, step: Step) -> None:
    """The memory as it was before the step, unless its row was committed with it."""
    # Else the commit came after the row, and what failed was something else.
    if is_left(transaction, spec, step):
        put_back(transaction, spec, step)


def is_left(transaction: Transaction, spec: TableSpec, step: Step) -> bool:
    """Is the step's memory there, and its row is not?"""
    # It was rolled back with all the rest.
    memory = stored(
        transaction,
        spec,
        step,
    )
    if memory is None:
        return False
    transaction.open_table(spec)
    is_written = _is_written(
        transaction,
        spec,
        step.decision,
    )
    return not is_written


def put_back(transaction: Transaction, spec: TableSpec, step: Step) -> None:
    """The memory as it was before the step."""
    after = remembered(transaction, spec, step.event)
    # It did not move, or somebody else has moved it since.
    if after is None or after.token != step.token:
        return
    write = Write(
        entity=step.event.entity,
        key=step.decision.key,
        before=after,
        after=step.before,
    )
    limits = transaction.open_table(spec)
    # Not the step's own, or this write would pass for it; that of the step before, which may have
    # to be put back in its turn.
    token = step.before.token if step.before is not None else secrets.token_hex(4)
    transaction.write(
        spec,
        [write],
        limits,
        token,
    )


def take_back(transaction: Transaction, spec: TableSpec, step: Step) -> None:
    """The memory as it was before the step, and what is known of the table: the kinds of its key,
    and whose it is."""
    put_back(
        transaction,
        spec,
        step,
    )
    there = transaction.recorded(spec.name)
    # Only the first events of a table teach anything, and what is remembered of others says it too.
    is_taught = there != step.recorded and not any(transaction.memories(spec))
    if is_taught:
        before = step.recorded or NOTHING
        transaction.record(
            spec.name,
            there,
            before,
        )


def row_of(
    transaction: Transaction,
    spec: TableSpec,
    decision: Decision,
) -> Mapping[str, object] | None:
    """The row of a decision in the user's table, as far as he has one of that name."""
    # A truncate has no key.
    if not decision.key:
        return None
    return transaction.content(spec, decision.key)


def _is_written(transaction: Transaction, spec: TableSpec, decision: Decision) -> bool:
    """Does the user's table show what the decision told him to write?"""
    row = row_of(transaction, spec, decision)
    values = decision.values
    # A delete: the row is gone, or there never was one.
    if values is None:
        return row is None
    if row is None:
        return False
    # His columns may be others than the event's: then nothing says that they are as told.
    shown = {name: value for name, value in row.items() if name in values}
    return bool(shown) and shown.items() <= values.items()
