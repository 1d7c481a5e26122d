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
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from anyorder._core.batch import Decision, Judged
from anyorder._core.decide import decide
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, StoreError
from anyorder.guard.claim import Claim
from anyorder.guard.contract import TableSpec, Transaction
from anyorder.guard.recall import held_there
from anyorder.guard.repair import Step, is_known, remembered, repair, stored, take_back
from anyorder.guard.settle import close_held, settle_without_rows
from anyorder.guard.sharing import Shared
from anyorder.guard.unwritten import ENDED, UNWRITTEN, TakenBack, is_unwritten, rowless


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
        self._applied: dict[str, Step] = {}
        self._unproven: list[Step] = []
        self._taken_back = TakenBack()
        # The mark of `accepting`, as long as its block runs.
        self._inside = ""
        # Why nothing can be accepted any more; "" as long as it can.
        self._over = ""
        self._block = shared.mark()
        # Does this block make what the table's memories lie in?
        self._is_first = False

    def open(self) -> None:
        """The table, and what is declared of it: first, so that nothing undoes it by itself."""
        self._is_first = not is_known(self._shared.transaction, self._spec)
        self._claimed()
        self._shared.transaction.open_table(self._spec)

    def accept(self, event: Event) -> Decision:
        """Decide an event and remember it. Nobody sees what becomes of its row until the next
        call."""
        self._begin(event)
        return self._accept(event, is_bare=True)

    @contextmanager
    def accepting(self, event: Event) -> Iterator[Decision]:
        """The same for a `with` block: an exception that leaves it undoes memory and row."""
        self._begin(event)
        self._inside = self._shared.mark()
        try:
            yield self._accept(event, is_bare=False)
            # What his session keeps for later may be wrong: it is undone with this event alone.
            self._shared.flush()
        except BaseException as error:
            mark, self._inside = self._inside, ""
            self._undo(mark, error)
            raise
        mark, self._inside = self._inside, ""
        if not self._shared.keep(mark):
            self._end()
        self._step = None

    def refuse(self, event: Event, why: str) -> Decision:
        """Hold an event with the user's words, and take back what was remembered of it, if it is
        the one that was just accepted."""
        if self._over:
            raise StoreError(self._over)
        if not why.strip():
            raise ConfigurationError("say why the event is refused: the quarantine shows it")
        step = self._step
        if step is not None and step.event is event:
            self._take_back(step, why)
        else:
            self._end_step()
            self._take_back_again([event.entity])
            # It may have been accepted before; then its row is there.
            self._check_unaccepted(event)
        held = self._hold(event, why)
        if self._inside and self._step is None:
            self._inside = self._shared.mark()
        return held

    def finish(self) -> None:
        """The block ends well. Raises StoreError if the user has ended its transaction."""
        # It was said before, and was caught.
        if self._over:
            raise StoreError(self._over)
        self._end_step()
        self._take_back_again(self._taken_back.entities)
        # The latest first: what it is put back to may be the memory of the one before.
        for step in rowless(self._shared, self._spec, reversed(self._unproven)):
            self._hold_instead(step)
        if not self._shared.keep(self._block):
            self._end()
        self._over = "this block has ended: begin another with table.transaction(connection)"

    def abandon(self, error: BaseException) -> None:
        """The block ends with an exception, which undoes it."""
        # Where the transaction was ended before, nothing is left to undo.
        if self._over:
            return
        self._undo(self._block, error)
        self._over = self._over or "this block has ended, with an exception"

    # ---- one event

    def _begin(self, event: Event) -> None:
        if self._over:
            raise StoreError(self._over)
        if self._inside:
            raise ConfigurationError(
                "an event is being accepted in a `with` block: accept the next one after it"
            )
        self._end_step()
        self._take_back_again([event.entity])

    def _accept(self, event: Event, *, is_bare: bool) -> Decision:
        token = secrets.token_hex(4)
        mark = self._shared.mark()
        try:
            transaction = self._shared.transaction
            before = remembered(transaction, self._spec, event)
            recorded = transaction.recorded(self._spec.name)
            decision = self._decide(event, token)
        except BaseException:
            # The user may catch it and go on: nothing is half remembered.
            self._undone(mark)
            raise
        self._shared.keep(mark)
        self._step = Step(
            event=event,
            decision=decision,
            before=before,
            token=token,
            is_bare=is_bare,
            changes=self._shared.changes,
            recorded=recorded,
        )
        # The latest of each key: it tells what became of the transaction, should the user end it.
        if decision.key:
            self._applied[event.entity] = self._step
        self._shared.watch()
        return decision

    def _decide(self, event: Event, token: str) -> Decision:
        transaction = self._shared.transaction
        transaction.open_table(self._spec)
        entries = held_there(transaction, self._spec, event)
        (taken,) = self._claimed().take([event], token)
        (decision,) = taken.decisions
        close_held(transaction, self._spec, entries, decision)
        return decision

    def _claimed(self) -> Claim:
        if self._claim is None:
            self._claim = self._make_claim(self._shared.transaction, self._spec)
        return self._claim

    def _undone(self, mark: str) -> bool:
        """What came after the mark is undone; False if the user has ended the transaction."""
        # It may be what told whose the table is.
        self._claim = None
        return self._shared.undo(mark)

    def _end_step(self) -> None:
        """What was accepted last has its row, as far as can be seen, or is taken back and held."""
        if not self._shared.is_open or self._is_unmade():
            self._end()
        step = self._step
        # In `accepting`, an exception would be seen: what he writes there is his own word.
        if step is None or not step.is_bare:
            return
        if is_unwritten(self._shared, self._spec, step.decision):
            self._hold_instead(step)
        elif step.decision and not self._shared.is_followed:
            # He may write it later, together with others: at the end it must be there.
            self._unproven.append(step)
        self._step = None

    def _hold_instead(self, step: Step) -> None:
        take_back(self._shared.transaction, self._spec, step)
        self._claim = None
        self._hold(step.event, UNWRITTEN)
        self._taken_back.add(step, UNWRITTEN)

    def _take_back_again(self, entities: Collection[str]) -> None:
        """What was taken back of these keys inside a savepoint, and came back with its rollback."""
        for event, why in self._taken_back.returned(self._shared, self._spec, entities):
            self._hold(event, why)

    def _undo(self, mark: str, error: BaseException) -> None:
        """An exception leaves `accepting`, or the whole block."""
        step = self._step
        self._step = None
        if self._undone(mark):
            return
        # The user has ended the transaction, and what he meant to write then failed.
        self._over = ENDED
        error.add_note(ENDED)
        with self._shared.repairing() as transaction:
            # The exception came between two events: each of those before is whole.
            if step is not None:
                repair(transaction, self._spec, step)

    # ---- held by the user's word

    def _take_back(self, step: Step, why: str) -> None:
        """Nothing is remembered of the event that was just accepted, and what was written for it is
        undone. Raises ConfigurationError where that cannot be."""
        if self._inside:
            if not self._undone(self._inside):
                self._end()
            # What follows is beside it: the exception that the user tells of may be under way.
            self._step = None
            return
        if self._shared.changes != step.changes:
            raise ConfigurationError(
                "something was written since the event was accepted, and only `with "
                "guard.accepting(event)` can undo that: refuse it there, or before you write"
            )
        take_back(self._shared.transaction, self._spec, step)
        self._claim = None
        self._taken_back.add(step, why)
        self._step = None

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

    def _end(self) -> None:
        """Memory and row stay together: what followed the user's commit is committed too, and what
        followed his rollback is not."""
        self._over = ENDED
        transaction = self._shared.transaction
        # Where he rolled back, the memories of before are gone.
        gone: list[Step] = []
        for step in self._applied.values():
            # What was not applied has no memory that would tell.
            memory = stored(transaction, self._spec, step)
            if step.decision and memory is None:
                gone.append(step)
        self._shared.ended(keep=not gone and not self._is_unmade())
        raise StoreError(ENDED)

    def _is_unmade(self) -> bool:
        """Did the user's rollback take what the memories lie in? He may have begun another
        transaction since, so that one is open."""
        return self._is_first and not is_known(self._shared.transaction, self._spec)
