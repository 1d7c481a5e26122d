"""An operator's word for what the quarantine holds (rules R11): the row is written, and what was
chosen is marked in its memory, in the transaction that closes the entry; where a store has none,
before."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from anyorder._core.batch import Decision, identity_of
from anyorder._core.columns import Written
from anyorder._core.decide import accept_truncate
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory
from anyorder._core.misfit import misfit
from anyorder._core.shown import event_of, identity_of_stamp, incomparable, stamps_at
from anyorder._core.word import accept, drop, needs_word
from anyorder.errors import ConfigurationError
from anyorder.guard.batch import apply, reconsider_keys
from anyorder.guard.contents import Content, of_row
from anyorder.guard.contract import Answer, Refused, TableSpec, Transaction, Write
from anyorder.guard.kinds import with_kinds
from anyorder.guard.recall import recall, recall_one
from anyorder.guard.settle import close
from anyorder.guard.truncates import carry_out
from anyorder.guard.writing import Keys, plan


class Speech:
    """A word that is given in a transaction, for an event of a table: to accept it, or against the
    other contents of its position. `counted`: was it needed? `replaced`: what the row showed, and
    does not compare with the event."""

    def __init__(self, transaction: Transaction, spec: TableSpec, event: Event) -> None:
        self.counted = True
        self.replaced: tuple[Content, ...] = ()
        self._transaction = transaction
        self._spec = spec
        self._event = event
        self._after: Memory | None = None

    def accept(self, *, ends_dispute: bool) -> Decision:
        """Decide the event once more; if it is still held, the word counts. `ends_dispute`: the
        word is against all other contents of its position, even if the event needs none by now."""
        limits = self._transaction.open_table(self._spec)
        if self._event.kind is Kind.TRUNCATE:
            return self._truncate(limits)
        self._spec = with_kinds(self._transaction, self._spec, [self._event])
        fault = misfit(self._event, self._spec.name, self._spec.kinds)
        # Not even a person's word makes one row of two entities.
        if fault:
            raise ConfigurationError(f"this event cannot be accepted: {fault}")

        # Read in the step that will write: the entry tells how the key was when it was held.
        remembered = recall_one(self._transaction, self._spec, self._event.entity)
        before, known = remembered.memory, remembered.limits or limits
        self.counted = needs_word(before, self._event, known)
        applied = accept(before, self._event, known)
        after = applied.memory
        if ends_dispute:
            after = self._marked(after, known)
        self._note_replaced(before, known)
        self._write(before, after, limits, applied.written)
        return Decision(self._event, applied.reason, applied.against)

    def refuse_others(self) -> None:
        """What is shown at the event's position is chosen; the row stays as it is."""
        limits = self._transaction.open_table(self._spec)
        remembered = recall_one(self._transaction, self._spec, self._event.entity)
        before = remembered.memory
        after = self._marked(before, remembered.limits or limits)
        self._write(before, after, limits)

    def chosen(self, contents: Sequence[Content], *, is_accepted: bool = False) -> tuple[int, ...]:
        """The numbers of the contents that the word chose: what is shown of the position
        afterwards, and the event itself if it `is_accepted`."""
        position = self._event.position
        if position is None:
            return ()
        chosen = {identity_of_stamp(stamp) for stamp in stamps_at(self._after, position)}
        if is_accepted:
            chosen.add(identity_of(self._event))
        return tuple(one.number for one in contents if one.identity in chosen)

    def followed(self) -> None:
        """Decide again what the word may have settled (rules R1): a truncate's, anything."""
        # A truncate concerns every key, and each of them may have something that waits.
        if self._event.kind is Kind.TRUNCATE:
            apply(self._transaction, self._spec, [], new_token(), reconsider=True)
            return
        limits = self._transaction.open_table(self._spec)
        entities = [self._event.entity]
        reconsider_keys(self._transaction, self._spec, entities, limits, new_token())

    def _marked(self, memory: Memory | None, limits: Limits) -> Memory | None:
        """The memory, with every content of the position refused that it does not show."""
        # Nothing is there to be chosen.
        if memory is None or self._event.position is None:
            return memory
        return drop(memory, self._event.position, limits.lineage)

    def _note_replaced(self, before: Memory | None, limits: Limits) -> None:
        """What does not compare with the event is listed with it: its redelivery would open the
        same question again."""
        position = self._event.position
        if position is None or before is None or not self.counted:
            return
        stamps = incomparable(before, position, limits.lineage)
        # Most often the clocks tell.
        if not stamps:
            return
        key, table = self._event.key or {}, self._event.table
        row = self._transaction.content(self._spec, key)
        shown = [event_of(before, stamp, key, table, row) for stamp in stamps]
        self.replaced = tuple(of_row(one) for one in shown)

    def _write(
        self,
        before: Memory | None,
        after: Memory | None,
        limits: Limits,
        written: Written | None = None,
    ) -> None:
        self._after = after
        # What is decided by now, or was chosen before, moves nothing.
        if after is before:
            return
        event = self._event
        write = Write(event.entity, event.key or {}, before, after, written)
        answers = self._transaction.write(self._spec, [write], limits, new_token())
        if answers:
            answers = self._written_with_others(write, limits, answers)
        # A person waits for the answer: what was not taken is told, not tried again.
        for failure in answers:
            detail = "another writer moved the key; try again"
            if isinstance(failure, Refused):
                detail = failure.detail
            raise ConfigurationError(f"the store refuses this event: {detail}")

    def _written_with_others(
        self,
        write: Write,
        limits: Limits,
        answers: Sequence[Answer],
    ) -> Sequence[Answer]:
        """Rows that hold each other's unique values move together, or not at all."""
        entities = self._transaction.ring(self._spec, self._event)
        # Most often nothing waits for this row: then the refusal stands.
        if not entities:
            return answers
        known = recall(self._transaction, self._spec, entities)
        keys: Keys = {entity: [] for entity in entities}
        planned = plan(keys, known, limits, reconsider=True)
        writes = [write, *planned.writes]
        answers = self._transaction.write(self._spec, writes, limits, new_token())
        if not answers:
            for share in planned.shares.values():
                close(self._transaction, share.settled)
        return answers

    def _truncate(self, limits: Limits) -> Decision:
        """It becomes the table's greatest truncate; rows whose position does not compare with its
        own stay."""
        limits, reason = accept_truncate(limits, self._event)
        refused = carry_out(self._transaction, self._spec, self._event, limits, reason)
        if refused is not None:
            raise ConfigurationError(f"the store refuses this event: {refused.detail}")
        return Decision(self._event, reason, limits.truncated)


def new_token() -> str:
    """Of one attempt to write."""
    return secrets.token_hex(4)
