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
from typing import NamedTuple

from anyorder._core.batch import Decision, Judged
from anyorder._core.decide import decide
from anyorder._core.event import Event, Kind
from anyorder._core.memory import Memory
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, StoreError
from anyorder.guard.claim import Claim
from anyorder.guard.contract import Shared, TableSpec, Transaction, Write
from anyorder.guard.recall import recall_one
from anyorder.guard.settle import settle_without_rows

KEYED = frozenset({Kind.PUT, Kind.DELETE})
ENDED = (
    "the transaction was ended inside the guard's block, by commit(), rollback(), `with "
    "connection:`, executescript(), or a statement that rolls back. Inside the block only accept "
    "and write: it commits at its end; a transaction that you have begun, you commit after it"
)
UNWRITTEN = (
    "after it was accepted, your SQL changed no row: it failed and that was caught, or it met no "
    "row. Nothing is remembered of it; mend the SQL, and deliver it again"
)


class Step(NamedTuple):
    """One accepted event. `before`: what was remembered of its key; `token`: of its memory now;
    `is_bare`: nobody sees the exceptions of the user's code."""

    event: Event
    decision: Decision
    before: Memory | None
    token: str
    is_bare: bool


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
        self._over = ""

    def accept(self, event: Event, *, is_bare: bool = True) -> Decision:
        """Decide an event and remember it; a step begins."""
        self._next()
        token = secrets.token_hex(4)
        try:
            before = self._before(event)
            decision = self._decide(event, token)
        except BaseException:
            # The user may catch it and go on: nothing is half remembered.
            self._undone()
            raise
        self._step = Step(event, decision, before, token, is_bare)
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
            self._is_inside = False
            self._undo(error)
            raise
        self._is_inside = False
        self._end_step()

    def refuse(self, event: Event, why: str) -> Decision:
        """Hold an event with the user's words, and undo its step if it is the current one."""
        self._check_open()
        if not why.strip():
            raise ConfigurationError("say why the event is refused: the quarantine shows it")
        step = self._step
        if step is not None and step.event is event:
            return self._hold_instead(step, why)
        if not self._is_inside:
            self._end_step()
        self._open()
        self._check_unaccepted(event)
        return self._hold(event, why)

    def finish(self) -> None:
        """The block ends well. Raises StoreError if the user has ended its transaction."""
        # What was said of that may have been caught.
        if self._over:
            raise StoreError(self._over)
        self._end_step()
        self._over = "this block has ended: begin another with table.transaction(connection)"

    def abandon(self, error: BaseException) -> None:
        """The block ends with an exception; what is in its transaction is undone with that."""
        if not self._over:
            self._undo(error)
            self._over = self._over or "this block has ended, with an exception"

    # ---- one step

    def _next(self) -> None:
        self._check_open()
        if self._is_inside:
            raise ConfigurationError(
                "an event is being accepted in a `with` block: accept the next one after it"
            )
        self._end_step()
        self._open()

    def _check_open(self) -> None:
        if self._over:
            raise StoreError(self._over)

    def _open(self) -> None:
        """The table and what is declared of it, in a step of their own, which nothing undoes."""
        if self._is_opened:
            return
        self._claimed()
        self._shared.transaction.open_table(self._spec)
        self._is_opened = True
        self._end_step()

    def _before(self, event: Event) -> Memory | None:
        if event.kind not in KEYED:
            return None
        return recall_one(self._shared.transaction, self._spec, event.entity).memory

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
        if step is not None and step.is_bare and self._is_unwritten(step):
            self._hold_instead(step, UNWRITTEN)
        self._step = None
        if not self._shared.step():
            self._end(step)

    def _is_unwritten(self, step: Step) -> bool:
        """Was there a row to write or to delete, and the user's SQL did not?"""
        if not step.decision or not self._shared.is_unwritten():
            return False
        # A delete of what is not there changes no row, and is right.
        is_put = step.decision.values is not None
        return is_put or self._is_there(step)

    def _is_there(self, step: Step) -> bool:
        key = step.decision.key
        return bool(key) and self._shared.transaction.content(self._spec, key) is not None

    def _undo(self, error: BaseException) -> None:
        """An exception leaves the step, or the whole block."""
        step, self._step = self._step, None
        if self._undone():
            return
        # The user has ended the transaction, and what he meant to write then failed.
        self._over = ENDED
        error.add_note(ENDED)
        if step is not None and self._is_stored(step):
            self._repair(step)
        else:
            self._shared.ended(keep=False)

    # ---- held by the user's word

    def _hold_instead(self, step: Step, why: str) -> Decision:
        self._step = None
        if not self._undone():
            self._end(step)
        held = self._hold(step.event, why)
        # In a step of its own: the exception that the user tells of may still be under way.
        if not self._shared.step():
            self._end(None)
        return held

    def _hold(self, event: Event, why: str) -> Decision:
        judged = Judged(0, event, Reason.MALFORMED, detail=why)
        found = settle_without_rows(
            self._shared.transaction, self._spec, [judged], self._claimed().provenance
        )
        return found[0]

    def _check_unaccepted(self, event: Event) -> None:
        if event.kind not in KEYED:
            return
        transaction = self._shared.transaction
        limits = transaction.open_table(self._spec)
        memory = recall_one(transaction, self._spec, event.entity).memory
        if decide(memory, event, limits).reason is Reason.DUPLICATE:
            raise ConfigurationError(
                f"this event of {event.entity} was accepted before, and its row is another "
                "step's by now: refuse an event before the next is accepted"
            )

    # ---- after the user has ended the transaction

    def _end(self, step: Step | None) -> None:
        """Memory and row stay together: what followed the user's commit is committed too."""
        self._over = ENDED
        self._shared.ended(keep=step is None or self._is_stored(step))
        raise StoreError(ENDED)

    def _is_stored(self, step: Step) -> bool:
        """Is the step's memory there, although the transaction is not?"""
        transaction = self._shared.transaction
        # The table's own line may have gone with the transaction.
        names = {target.name for target in transaction.catalogue()}
        is_keyed = step.event.kind in KEYED
        if not step.decision or not is_keyed or self._spec.name not in names:
            return False
        return self._holds(transaction, step)

    def _holds(self, transaction: Transaction, step: Step) -> bool:
        found = recall_one(transaction, self._spec, step.event.entity).memory
        return found is not None and found.token == step.token

    def _repair(self, step: Step) -> None:
        """The memory as it was before the step, so that the event is accepted when it comes again;
        unless its row was committed too."""
        with self._shared.repairing() as transaction:
            limits = transaction.open_table(self._spec)
            # Somebody else may have moved the key since the user's commit.
            if self._is_written(transaction, step) or not self._holds(transaction, step):
                return
            event, before = step.event, step.before
            after = recall_one(transaction, self._spec, event.entity).memory
            write = Write(event.entity, event.key or {}, after, before)
            transaction.write(self._spec, [write], limits, "" if before is None else before.token)

    def _is_written(self, transaction: Transaction, step: Step) -> bool:
        """Does the user's table show what the decision told him to write?"""
        row, values = transaction.content(self._spec, step.decision.key), step.decision.values
        if values is None or row is None:
            return row is None and values is None
        return all(row[name] == value for name, value in values.items() if name in row)
