"""Events accepted one by one inside a transaction of the user's own, whose SQL writes the rows.

Memory and row must come to one end, whatever happens to the user's code between them:

    an exception that leaves the block       everything in it is undone
    an exception that leaves `accepting`     that event's memory and rows are undone
    `refuse`                                 the same, and the event is held with the user's words
    SQL that failed and was caught, or       the same, and the event is held: a write that wrote
      changed no row, after a bare `accept`  nothing is not `applied`
    commit or rollback inside the block      an error; the memory stays if it was committed with all
                                             that followed, else it is as it was before
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyorder._core.batch import Decision, Judged
from anyorder._core.decide import decide
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, StoreError
from anyorder.guard.claim import Claim
from anyorder.guard.contract import Shared, TableSpec, Transaction
from anyorder.guard.repair import Step, remembered, repair, row_of, stored
from anyorder.guard.settle import settle_without_rows

ENDED = (
    "the transaction was ended inside the guard's block, by commit(), rollback(), `with "
    "connection:`, executescript(), or a statement that rolls back. Inside the block only accept "
    "and write: it commits at its end; a transaction that you have begun, you commit after it"
)
UNWRITTEN = (
    "after it was accepted, your SQL changed no row: it failed and that was caught, or it met no "
    "row. Nothing is remembered of it; mend the SQL, and deliver it again"
)


class Acceptance:
    """What one block accepts. `spec`: of a table whose rows the user writes. `claim`: what is
    declared of it goes into the catalogue, which tells whose changes it takes."""

    def __init__(
        self,
        shared: Shared,
        spec: TableSpec,
        claim: Callable[[Transaction, TableSpec], Claim],
    ) -> None:
        self._shared = shared
        self._spec = spec
        self._make_claim = claim
        self._claim: Claim | None = None
        self._step: Step | None = None
        self._is_opened = False
        self._is_inside = False
        # Why nothing can be accepted any more; "" as long as it can.
        self._over = ""

    def accept(self, event: Event, *, is_bare: bool = True) -> Decision:
        """Decide an event and remember it; a step begins."""
        self._begin()
        token = secrets.token_hex(4)
        try:
            before = remembered(self._shared.transaction, self._spec, event)
            decision = self._decide(event, token)
        except BaseException:
            # The user may catch it and go on: nothing is half remembered.
            self._undone()
            raise
        self._step = Step(
            event=event,
            decision=decision,
            before=before,
            token=token,
            is_bare=is_bare,
        )
        self._shared.watch()
        return decision

    @contextmanager
    def accepting(self, event: Event) -> Iterator[Decision]:
        """The same for a `with` block: an exception that leaves it undoes the step."""
        decision = self.accept(event, is_bare=False)
        self._is_inside = True
        try:
            yield decision
        except BaseException as error:
            self._undo(error)
            raise
        finally:
            self._is_inside = False
        self._end_step()

    def refuse(self, event: Event, why: str) -> Decision:
        """Hold an event with the user's words, and undo its step if it is the current one."""
        if self._over:
            raise StoreError(self._over)
        if not why.strip():
            raise ConfigurationError("say why the event is refused: the quarantine shows it")
        step = self._step
        if step is not None and step.event is event:
            return self._hold_instead(step, why)

        # Inside `accepting` the step is another event's, which may still fail.
        if not self._is_inside:
            self._end_step()
        self._open()
        # It may have been accepted before; then its row is there, and nothing of it is undone.
        self._check_unaccepted(event)
        return self._hold(event, why)

    def finish(self) -> None:
        """The block ends well. Raises StoreError if the user has ended its transaction."""
        # It was said before, and was caught.
        if self._over:
            raise StoreError(self._over)
        self._end_step()
        self._over = "this block has ended: begin another with table.transaction(connection)"

    def abandon(self, error: BaseException) -> None:
        """The block ends with an exception; what is in its transaction is undone with that."""
        # Where the transaction was ended before, nothing is left to undo.
        if self._over:
            return
        self._undo(error)
        self._over = ENDED

    # ---- one step

    def _begin(self) -> None:
        if self._over:
            raise StoreError(self._over)
        if self._is_inside:
            raise ConfigurationError(
                "an event is being accepted in a `with` block: accept the next one after it"
            )
        self._end_step()
        self._open()

    def _open(self) -> None:
        """The table and what is declared of it, in a step of their own, which nothing undoes."""
        if self._is_opened:
            return
        self._claimed()
        self._shared.transaction.open_table(self._spec)
        self._is_opened = True
        self._end_step()

    def _decide(self, event: Event, token: str) -> Decision:
        (taken,) = self._claimed().take([event], token)
        return taken.decisions[0]

    def _claimed(self) -> Claim:
        if self._claim is None:
            self._claim = self._make_claim(self._shared.transaction, self._spec)
        return self._claim

    def _undone(self) -> bool:
        """The step is undone; False if the user has ended the transaction."""
        # The step may have been the one that told whose the table is.
        self._claim = None
        return self._shared.undo()

    def _end_step(self) -> None:
        """The step is as it should be, or undone; and another begins."""
        step = self._step
        # In `accepting`, an exception would have been seen: what he writes there is his own word.
        if step is not None and step.is_bare and self._is_unwritten(step.decision):
            self._hold_instead(step, UNWRITTEN)
            return
        self._step = None
        if not self._shared.step():
            self._end(step)

    def _is_unwritten(self, decision: Decision) -> bool:
        """Was there a row to write or to delete, and the user's SQL did not?"""
        if not decision or not self._shared.is_unwritten():
            return False
        # A put changes a row, whatever was there.
        if decision.values is not None:
            return True
        # A delete changes none where none is: only if it is still there, the delete has failed.
        row = row_of(self._shared.transaction, self._spec, decision)
        return row is not None

    def _undo(self, error: BaseException) -> None:
        """An exception leaves the step, or the whole block."""
        step = self._step
        self._step = None
        if self._undone():
            return
        # The user has ended the transaction, and what he meant to write then failed.
        self._over = ENDED
        error.add_note(ENDED)
        self._repair(step)

    # ---- held by the user's word

    def _hold_instead(self, step: Step, why: str) -> Decision:
        """Undo a step, and hold its event."""
        self._step = None
        if not self._undone():
            self._end(step)
        held = self._hold(step.event, why)
        # In a step of its own: the exception that the user tells of may still be under way.
        if not self._shared.step():
            self._end(step)
        return held

    def _hold(self, event: Event, why: str) -> Decision:
        judged = Judged(
            number=0,
            event=event,
            reason=Reason.MALFORMED,
            detail=why,
        )
        found = settle_without_rows(
            self._shared.transaction,
            self._spec,
            [judged],
            self._claimed().provenance,
        )
        return found[judged.number]

    def _check_unaccepted(self, event: Event) -> None:
        transaction = self._shared.transaction
        memory = remembered(transaction, self._spec, event)
        limits = transaction.open_table(self._spec)
        # Only what is remembered can be a duplicate of it.
        if memory is None or decide(memory, event, limits).reason is not Reason.DUPLICATE:
            return
        raise ConfigurationError(
            f"this event of {event.entity} was accepted before, and what was written for it cannot "
            "be undone any more: refuse an event before the next is accepted"
        )

    # ---- after the user has ended the transaction

    def _end(self, step: Step | None) -> None:
        """Memory and row stay together: what followed the user's commit is committed too, and what
        followed his rollback is not."""
        self._over = ENDED
        is_kept = True
        # Without a step nothing was remembered that would need its row.
        if step is not None:
            is_kept = stored(self._shared.transaction, self._spec, step) is not None
        self._shared.ended(keep=is_kept)
        raise StoreError(ENDED)

    def _repair(self, step: Step | None) -> None:
        with self._shared.repairing() as transaction:
            # The exception came between two steps: each of those before is whole.
            if step is not None:
                repair(transaction, self._spec, step)
