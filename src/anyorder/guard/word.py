"""An operator's word for what the quarantine holds (rules R11): decided again first; only what is
still held needs the word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from anyorder._core.batch import Decision
from anyorder._core.decide import accept_truncate
from anyorder._core.event import Event, Kind
from anyorder._core.explain import explain
from anyorder._core.fold import Limits
from anyorder._core.marks import marked
from anyorder._core.memory import Memory
from anyorder._core.outcome import Reason
from anyorder._core.word import accept, needs_word
from anyorder.errors import ConfigurationError
from anyorder.guard.answered import Accepted, Answered, Kept, Unaccepted, closings_of
from anyorder.guard.batch import apply, reconsider_keys
from anyorder.guard.chosen import (
    refuse_others,
    replaced,
    settled,
    shown_beside,
    word_against,
    word_of,
)
from anyorder.guard.contents import Content, Word
from anyorder.guard.contract import (
    Answer,
    Refused,
    TableSpec,
    Transaction,
    Write,
)
from anyorder.guard.faults import Fault, disbelieved, misfitting, not_owned
from anyorder.guard.kinds import with_kinds
from anyorder.guard.recall import NOTHING, recall, recall_one
from anyorder.guard.settle import close
from anyorder.guard.truncates import carry_out
from anyorder.guard.writing import Keys, plan

MOVED = "another writer moved the key; try again"


class Words:
    """For entries of one table, each of another key; a truncate alone. `token`: this attempt's.
    `settles`: what is held of the keys is decided again.

    `answered` and `words`: what became of each, and what was chosen of those that list several
    contents, by the number of the entry."""

    def __init__(
        self,
        transaction: Transaction,
        spec: TableSpec,
        token: str,
        *,
        settles: bool = True,
    ) -> None:
        self.answered: Answered = {}
        self.words: dict[int, Word] = {}
        self._transaction = transaction
        self._spec = spec
        self._token = token
        self._settles = settles
        self._limits = Limits()
        self._moved: dict[str, Event] = {}

    def give(self, held: Iterable[Kept]) -> Answered:
        """Decide and write them; the entries of what was accepted are closed."""
        allowed = self._sifted(held, not_owned)
        allowed = self._sifted(allowed, disbelieved)
        # Nothing is left that the table would have to be opened for.
        if not allowed:
            return self.answered
        self._limits = self._transaction.open_table(self._spec)
        if allowed[0].event.kind is Kind.TRUNCATE:
            self._truncate(allowed[0])
        else:
            events = [one.event for one in allowed]
            self._spec = with_kinds(self._transaction, self._spec, events)
            fitting = self._sifted(allowed, misfitting)
            self._write(self._decided(fitting))

        self._transaction.settle_all(closings_of(self.answered, self.words))
        self._follow()
        return self.answered

    def refuse(self, held: Kept) -> Word:
        """A word against every content of a dispute that is not shown; the row stays as it is, and
        the entry is closed. Raises ConfigurationError if another writer moved the key."""
        entry, event, _ = held
        self._limits = self._transaction.open_table(self._spec)
        there = recall_one(self._transaction, self._spec, event.entity)
        before, limits = there.memory, there.limits or self._limits
        after = before
        if before is not None and event.position is not None:
            after = marked(before, event.position, limits.lineage)
        others = shown_beside(self._transaction, self._spec, entry, event, before)
        # What was chosen before moves nothing.
        if after is not before:
            write = Write(
                entity=event.entity,
                key=event.key or {},
                before=before,
                after=after,
            )
            self._write({event.entity: (held, write)})
        refused = self.answered.get(entry.id)
        if isinstance(refused, Unaccepted):
            raise ConfigurationError(refused.why)
        word = word_of(
            entry,
            event,
            after,
            accepted=(),
        )
        if others:
            word = word_against(event, others)
        self._transaction.settle(
            entry.id,
            "dropped",
            Reason.DUPLICATE,
            word,
        )
        refuse_others(self._transaction, entry, event, there, after)
        self._moved[event.entity] = event
        self._follow()
        return word

    def _sifted(self, held: Iterable[Kept], fault: Fault) -> list[Kept]:
        """Those without a fault; that of the others is their answer."""
        found: list[Kept] = []
        for one in held:
            why = fault(self._transaction, self._spec, one)
            if why:
                self.answered[one.entry.id] = Unaccepted(why)
            else:
                found.append(one)
        return found

    def _decided(self, held: Sequence[Kept]) -> dict[str, tuple[Kept, Write]]:
        """Each decided once more, by entity; those that write something."""
        # Read in the step that will write: the entry tells how the key was when it was held.
        entities = [one.event.entity for one in held]
        known = self._transaction.remembered(self._spec, entities)
        writes: dict[str, tuple[Kept, Write]] = {}
        for one in held:
            entity = one.event.entity
            remembered = known.get(entity, NOTHING)
            # A store may leave the first look to its write.
            if remembered.unread:
                remembered = recall_one(self._transaction, self._spec, entity)
            before, limits = remembered.memory, remembered.limits or self._limits
            applied = accept(before, one.event, limits)
            after = settled(one.entry, one.event, applied.memory, limits)
            decision = Decision(
                one.event,
                applied.reason,
                applied.against,
            )
            counted = needs_word(before, one.event, limits)
            self._decide(one, decision, counted=counted)
            self._note(one, before, after, limits, counted=counted)
            # What is held still is not written either.
            if after is not before and not applied.reason.quarantined:
                writes[entity] = (
                    one,
                    Write(
                        entity=entity,
                        key=one.event.key or {},
                        before=before,
                        after=after,
                        written=applied.written,
                    ),
                )
        return writes

    def _note(
        self,
        one: Kept,
        before: Memory | None,
        after: Memory | None,
        limits: Limits,
        *,
        counted: bool,
    ) -> None:
        """What the word does to what the entry lists."""
        others: tuple[Content, ...] = ()
        if counted:
            others = replaced(self._transaction, self._spec, one.event, before, limits)
        # Most entries hold one delivery alone, and list nothing.
        if others or one.entry.contents:
            self.words[one.entry.id] = word_of(one.entry, one.event, after, (one.content,), others)

    def _decide(self, one: Kept, decision: Decision, *, counted: bool) -> None:
        number = one.entry.id
        if decision.quarantined:
            why = f"entry {number} is still held. {explain(decision)}"
            self.answered[number] = Unaccepted(why)
            return
        self.answered[number] = Accepted(decision, counted)
        self._moved[one.event.entity] = one.event

    # ---- into the store

    def _write(self, writes: dict[str, tuple[Kept, Write]]) -> None:
        # What needs no word by now often writes nothing.
        if not writes:
            return
        answers = self._transaction.write(
            self._spec,
            [write for _, write in writes.values()],
            self._limits,
            self._token,
        )
        for answer in answers:
            one, write = writes[answer.entity]
            failures = self._written_with_others(one, write, [answer])
            # A person waits for the answer: what was not taken is told, not tried again.
            if failures:
                self._refuse(one, failures[0])

    def _refuse(self, one: Kept, failure: Answer) -> None:
        detail = failure.detail if isinstance(failure, Refused) else MOVED
        why = f"the store refuses this event: {detail}"
        self.answered[one.entry.id] = Unaccepted(why, by_store=True)
        self._moved.pop(one.event.entity, None)

    def _written_with_others(
        self,
        one: Kept,
        write: Write,
        answers: Sequence[Answer],
    ) -> Sequence[Answer]:
        """Rows that hold each other's unique values move together, or not at all."""
        entities = self._transaction.ring(self._spec, one.event)
        # Most often nothing waits for this row: then the refusal stands.
        if not entities:
            return answers
        known = recall(self._transaction, self._spec, entities)
        keys: Keys = {entity: [] for entity in entities}
        planned = plan(keys, known, self._limits, reconsider=True)
        writes = [write, *planned.writes]
        answers = self._transaction.write(
            self._spec,
            writes,
            self._limits,
            self._token,
        )
        if not answers:
            for share in planned.shares.values():
                close(self._transaction, share.settled)
        return answers

    def _truncate(self, one: Kept) -> None:
        """It becomes the table's greatest truncate; rows whose position does not compare with its
        own stay."""
        limits, reason = accept_truncate(self._limits, one.event)
        refused = carry_out(self._transaction, self._spec, one.event, limits, reason)
        if refused is not None:
            self._refuse(one, refused)
            return
        # A truncate's word is told as one, whether it was needed or not.
        self._decide(one, Decision(one.event, reason, limits.truncated), counted=True)

    def _follow(self) -> None:
        """Decide again what the word may have settled (rules R1): a truncate's, anything."""
        # It may be what undid the transaction of this very word.
        if not self._settles:
            return
        keys = [event for event in self._moved.values() if event.kind is not Kind.TRUNCATE]
        # A truncate concerns every key, and each of them may have something that waits.
        if len(keys) < len(self._moved):
            apply(
                self._transaction,
                self._spec,
                [],
                self._token,
                reconsider=True,
            )
            return
        if keys:
            limits = self._transaction.open_table(self._spec)
            reconsider_keys(
                self._transaction,
                self._spec,
                [event.entity for event in keys],
                limits,
                self._token,
            )
