"""What could not be decided: list it, look at it, settle it. The deliveries lie in the store, byte
for byte."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from anyorder._core.batch import Decision
from anyorder._core.coherence import coherent
from anyorder._core.decide import accept_truncate
from anyorder._core.event import Event, Kind
from anyorder._core.explain import explain
from anyorder._core.fold import Limits
from anyorder._core.misfit import misfit
from anyorder._core.outcome import Reason
from anyorder._core.reset import Growth
from anyorder._core.word import accept, needs_word
from anyorder.errors import ConfigurationError, Undone
from anyorder.guard.batch import apply, reconsider_keys
from anyorder.guard.contract import (
    Answer,
    Decode,
    Entry,
    EntryQuery,
    Refused,
    Store,
    TableSpec,
    Transaction,
    Write,
)
from anyorder.guard.kinds import with_kinds
from anyorder.guard.news import hear
from anyorder.guard.own_sql import DELIVER_AGAIN, is_by_own_sql
from anyorder.guard.owners import admits, belongs
from anyorder.guard.recall import recall, recall_one
from anyorder.guard.routes import origin_of
from anyorder.guard.settle import close
from anyorder.guard.targets import opened
from anyorder.guard.truncates import PART, carry_out
from anyorder.guard.waiting import Settling, settle_waiting
from anyorder.guard.writing import Keys, plan

UNREADABLE = frozenset({Kind.MALFORMED, Kind.INCOMPLETE})


class Quarantine:
    """The quarantine of one table (`spec`), or of the whole store. `decode` turns a delivery back
    into its event."""

    def __init__(self, store: Store, spec: TableSpec | None, decode: Decode) -> None:
        self._store = store
        self._spec = spec
        self._decode = decode

    def entries(self, state: str = "open", reason: str = "") -> list[Entry]:
        """Entries of a state ("" for all): open, settled (by itself), accepted, dropped. Oldest
        first."""
        query = EntryQuery(
            state=state,
            table="" if self._spec is None else self._spec.name,
            reason=reason,
        )
        # Into memory at once: a store need not keep its view open while a person reads.
        with self._store.reading() as transaction:
            return list(transaction.entries(query))

    def show(self, number: int) -> Entry:
        """One entry with its delivery. Raises ConfigurationError if there is none of that
        number."""
        with self._store.reading() as transaction:
            return _found(transaction, number)

    def drop(self, number: int) -> None:
        """Close an entry and write nothing. The same event coming again is then a duplicate, as
        long as it would be held again."""
        with self._store.transaction(time.time()) as transaction:
            entry = _found(transaction, number)
            # Two people may settle at once: the first word counts.
            _open(entry)
            transaction.settle(number, "dropped", Reason.DUPLICATE)

    def accept(self, number: int, spec: TableSpec | None = None) -> str:
        """An operator's word (rules R11): decided again first; if it is still held, the row is
        written and marked declared.

        Returns what happened, as a sentence. Raises ConfigurationError if the event cannot be
        decoded or the store refuses it.
        """
        spec = spec or self._spec
        try:
            return self._accept(number, spec, settles=True)
        except Undone:
            # What waited for this row may be what undid it: then it is tried by itself, afterwards.
            answer = self._accept_alone(number, spec)
        assert spec is not None
        settle_waiting(self._store, {spec.name: spec}, time.time(), _token())
        return answer

    def _accept_alone(self, number: int, spec: TableSpec | None) -> str:
        try:
            return self._accept(number, spec, settles=False)
        except Undone as undone:
            raise ConfigurationError(f"the store refuses this event: {undone}") from undone

    def _accept(self, number: int, spec: TableSpec | None, *, settles: bool) -> str:
        with self._store.transaction(time.time()) as transaction:
            entry = _found(transaction, number)
            _open(entry)
            assert entry.delivery is not None
            # Not even a person's word writes a row past the caller's own SQL.
            if is_by_own_sql(entry.provenance):
                raise ConfigurationError(
                    DELIVER_AGAIN.format(entry),
                )
            # Decoded anew: an envelope that was corrected since may read what it could not.
            event = coherent(self._decode(entry.provenance, entry.delivery))
            if spec is None or event.kind in UNREADABLE:
                raise ConfigurationError(
                    f"entry {number} cannot be accepted: {event.note or 'no table matches it'}. "
                    "Repair what it names, or drop it"
                )
            _check_owner(transaction, spec, entry, event)
            # Decided again first: what came since may have settled it, or ended the dispute.
            word = _Word(transaction, spec, event)
            decision = word.given()
            if decision.quarantined:
                raise ConfigurationError(f"entry {number} is still held. {explain(decision)}")
            transaction.settle(number, "accepted", decision.reason)

            # A key that moved may settle what else is held of it (rules R1); and where a batch is
            # not one transaction, another writer may have moved it too.
            word.followed()
            if settles:
                Settling(transaction, _token(), {spec.name: spec}).run()
            hear(transaction, [spec], _token())
            whose = "By your word" if word.counted else "It needed no word by now"
            return f"{whose}. {explain(decision)}"

    def dismiss(self, scope: str, specs: list[TableSpec]) -> int:
        """The suspicion of a reset was wrong (rules R13): forget the checkpoints and decide what it
        held again. How many entries closed."""
        with self._store.transaction(time.time()) as transaction:
            if not transaction.growths([scope]):
                raise ConfigurationError(
                    f"no clock {scope!r} is watched; `anyorder doctor` lists the suspected ones"
                )
            # From nothing on: the old checkpoints would raise the same suspicion again.
            transaction.save_growths({scope: Growth()})
            closed = sum(_reconsidered(transaction, spec) for spec in specs)
            closed += len(hear(transaction, specs, _token()))
        # What moved may be what other tables wait for; they are taken as they are recorded.
        settled = settle_waiting(
            self._store,
            {},
            time.time(),
            _token(),
        )
        return closed + len(settled)


class _Word:
    """An operator's word for one held event (rules R11). `counted`: was it needed?"""

    def __init__(self, transaction: Transaction, spec: TableSpec, event: Event) -> None:
        self.counted = True
        self._transaction = transaction
        self._spec = spec
        self._event = event

    def given(self) -> Decision:
        """Decide the event once more; if it is still held, the word counts."""
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
        before = remembered.memory
        known = remembered.limits or limits
        self.counted = needs_word(before, self._event, known)
        applied = accept(before, self._event, known)
        if applied.memory is not before:
            write = Write(
                entity=self._event.entity,
                key=self._event.key or {},
                before=before,
                after=applied.memory,
                written=applied.written,
            )
            self._write(write, limits)
        return Decision(self._event, applied.reason, applied.against)

    def _write(self, write: Write, limits: Limits) -> None:
        answers = self._transaction.write(self._spec, [write], limits, _token())
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
        answers = self._transaction.write(self._spec, writes, limits, _token())
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

    def followed(self) -> None:
        """Decide again what the word may have settled (rules R1): a truncate's, anything."""
        # A truncate concerns every key, and each of them may have something that waits.
        if self._event.kind is Kind.TRUNCATE:
            _reconsidered(self._transaction, self._spec)
            return
        limits = self._transaction.open_table(self._spec)
        entities = [self._event.entity]
        reconsider_keys(self._transaction, self._spec, entities, limits, _token())


def _check_owner(
    transaction: Transaction,
    spec: TableSpec,
    entry: Entry,
    event: Event,
) -> None:
    """Raises ConfigurationError for what no word can put into this table."""
    owned = opened(transaction, spec).known
    _, _, source = origin_of(event)
    if entry.reason == Reason.UNROUTED and not admits(owned, spec, source):
        whose = belongs(owned, spec.name, source)
        raise ConfigurationError(f"entry {entry.id} cannot be accepted: {whose}")
    if event.kind is Kind.TRUNCATE and owned.merge:
        part = PART.format(source)
        raise ConfigurationError(f"entry {entry.id} cannot be accepted: {part}")


def _reconsidered(transaction: Transaction, spec: TableSpec) -> int:
    """Decide again all that a table's quarantine holds. How many entries closed."""
    return len(apply(transaction, spec, [], _token(), reconsider=True).closed)


def _token() -> str:
    return secrets.token_hex(4)


def _found(transaction: Transaction, number: int) -> Entry:
    entry = transaction.entry(number)
    # Entries are never taken away, so this is a mistyped number.
    if entry is None:
        raise ConfigurationError(
            f"the quarantine has no entry {number}; `anyorder quarantine list` shows them"
        )
    return entry


def _open(entry: Entry) -> None:
    """Raises ConfigurationError if the entry is closed."""
    # A closed entry is the record of a word that was given: it is not given twice.
    if entry.state != "open":
        raise ConfigurationError(f"entry {entry.id} is {entry.state} already")
