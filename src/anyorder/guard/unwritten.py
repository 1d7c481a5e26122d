"""Accepted events whose rows the user's own SQL did not write: a write that wrote nothing is not
`applied`. Only what the store can see is judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from anyorder._core.batch import Decision
from anyorder._core.event import Event
from anyorder.guard.contract import TableSpec
from anyorder.guard.repair import Step, is_left, put_back, row_of, stored
from anyorder.guard.sharing import Shared

ENDED = (
    "the transaction was ended inside the guard's block, by commit(), rollback(), `with "
    "connection:`, executescript(), or a statement that rolls back. Inside the block only accept "
    "and write: it commits at its end; a transaction that you have begun, you commit after it"
)
UNWRITTEN = (
    "it was accepted, and then no row was written: your code failed and that was caught, or its "
    "SQL met no row. Nothing is remembered of it; mend the code, and deliver it again"
)


def is_unwritten(shared: Shared, spec: TableSpec, decision: Decision) -> bool:
    """Was there a row to write or to delete, and the SQL that followed did not?"""
    if not decision or not shared.is_missed:
        return False
    # A put changes a row, whatever was there.
    if decision.values is not None:
        return True
    # A delete changes none where none is: only if it is still there, the delete has failed.
    row = row_of(
        shared.transaction,
        spec,
        decision,
    )
    return row is not None


def rowless(shared: Shared, spec: TableSpec, unproven: Iterable[Step]) -> Iterator[Step]:
    """Of these puts, for which nothing was written at once, those that have no row at the end:
    whatever failed there was caught. Each is looked at after the one before it was put back."""
    steps = list(unproven)
    # Most blocks write each row at once.
    if not steps:
        return
    # An object mapper, for one, writes when the user commits; and the rows may lie in a table of
    # another name.
    if not shared.commits or not shared.shows(spec):
        return
    transaction = shared.transaction
    transaction.open_table(spec)
    for step in steps:
        row = row_of(
            transaction,
            spec,
            step.decision,
        )
        # The user may have accepted another of the key since, or undone this one by himself.
        memory = stored(
            transaction,
            spec,
            step,
        )
        if memory is None:
            continue
        is_missing = _is_missing(
            shared,
            step,
            row is not None,
        )
        if is_missing:
            yield step


def _is_missing(shared: Shared, step: Step, is_there: bool) -> bool:
    """Was nothing written for this step? `is_there`: its row is."""
    # A delete of a row that never was there has nothing to write.
    if not is_there:
        return step.decision.values is not None
    # A row of before tells nothing, unless the user has changed no row at all since.
    return step.changes == shared.changes


class TakenBack:
    """The accepted events whose memories were put back: a savepoint of the user's may undo that,
    too. `entities`: their keys."""

    def __init__(self) -> None:
        self._steps: list[tuple[Step, str]] = []
        self.entities: set[str] = set()

    def add(self, step: Step, why: str) -> None:
        """Its memory was put back, and it is held. `why`: it is."""
        self._steps.append((step, why))
        self.entities.add(step.event.entity)

    def returned(
        self,
        shared: Shared,
        spec: TableSpec,
        entities: Collection[str],
    ) -> Iterator[tuple[Event, str]]:
        """Those of these keys that are remembered again, and have no row: their memories are put
        back once more. They must be held again."""
        for step, why in reversed(self._steps):
            if step.event.entity not in entities:
                continue
            transaction = shared.transaction
            is_there = is_left(
                transaction,
                spec,
                step,
            )
            if is_there:
                put_back(
                    transaction,
                    spec,
                    step,
                )
                yield step.event, why
