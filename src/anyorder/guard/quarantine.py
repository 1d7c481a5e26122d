"""What could not be decided: list it, look at it, settle it. The deliveries lie in the store, byte
for byte."""

from __future__ import annotations

import time

import msgspec

from anyorder._core.event import Event, Kind
from anyorder._core.explain import explain
from anyorder._core.outcome import Reason
from anyorder._core.reset import Growth
from anyorder.errors import ConfigurationError, Undone
from anyorder.guard.batch import apply
from anyorder.guard.choice import Choice
from anyorder.guard.contents import Content, Word
from anyorder.guard.contract import Decode, Entry, EntryQuery, Store, TableSpec, Transaction
from anyorder.guard.holdings import entity_of, is_dispute
from anyorder.guard.news import hear
from anyorder.guard.own_sql import DELIVER_AGAIN, is_by_own_sql
from anyorder.guard.owners import admits, belongs
from anyorder.guard.recall import recall_one
from anyorder.guard.routes import origin_of
from anyorder.guard.targets import opened
from anyorder.guard.truncates import PART
from anyorder.guard.waiting import Settling, settle_waiting
from anyorder.guard.word import Speech, new_token

replace = msgspec.structs.replace
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

    def drop(self, number: int, spec: TableSpec | None = None, *, of: int | None = None) -> str:
        """Close an entry; the row stays as it is. Of a dispute that is a word, too: what is shown
        is chosen, and no other content of its position moves the row any more. The same event
        coming again is then a duplicate, as long as it would be held again.

        `of`: how many contents were shown to you; it is refused if the entry lists another number
        by now. Returns what happened, as a sentence.
        """
        with self._store.transaction(time.time()) as transaction:
            entry = _found(transaction, number)
            # Two people may settle at once: the first word counts.
            _open(entry)
            choice = Choice(entry, self._decode)
            choice.check(of)
            event = choice.any_event()
            # What is in no dispute is refused, and nothing else is said of the row.
            if event is None or not is_dispute(entry):
                transaction.settle(number, "dropped", Reason.DUPLICATE)
                return f"entry {number} is dropped"
            spec = spec or self._spec or TableSpec(entry.table)
            # The caller's own SQL writes its rows; a word that writes none is no different there.
            is_own = is_by_own_sql(entry.provenance)
            speech = Speech(transaction, replace(spec, writes_rows=not is_own), event)
            speech.refuse_others()
            chosen = speech.chosen(choice.contents)
            transaction.settle(
                number, "dropped", Reason.DUPLICATE, Word(chosen, of=len(entry.contents))
            )
            speech.followed()
            hear(transaction, [spec], new_token())
            return f"entry {number} is dropped: what is shown stays. {choice.text(chosen)}"

    def accept(
        self,
        number: int,
        spec: TableSpec | None = None,
        *,
        content: int | None = None,
        of: int | None = None,
    ) -> str:
        """An operator's word (rules R11): decided again first; if it is still held, the columns
        that it tells are written. The word is final: only what is newer, or another word, moves
        them.

        `content`: which of a dispute's, by its number. `of`: how many contents were shown to you;
        it is refused if the entry lists another number by now. Returns what happened, as a
        sentence. Raises ConfigurationError if there are several contents and none is named, if the
        event cannot be decoded, or if the store refuses it: then the entry stays open.
        """
        spec = spec or self._spec
        try:
            return self._accept(number, spec, content, of, settles=True)
        except Undone:
            # What waited for this row may be what undid it: then it is tried by itself, afterwards.
            answer = self._accept_alone(number, spec, content, of)
        assert spec is not None
        settle_waiting(self._store, {spec.name: spec}, time.time(), new_token())
        return answer

    def _accept_alone(
        self,
        number: int,
        spec: TableSpec | None,
        content: int | None,
        of: int | None,
    ) -> str:
        try:
            return self._accept(number, spec, content, of, settles=False)
        except Undone as undone:
            raise ConfigurationError(f"the store refuses this event: {undone}") from undone

    def _accept(
        self,
        number: int,
        spec: TableSpec | None,
        content: int | None,
        of: int | None,
        *,
        settles: bool,
    ) -> str:
        with self._store.transaction(time.time()) as transaction:
            entry = _found(transaction, number)
            _open(entry)
            # Not even a person's word writes a row past the caller's own SQL.
            if is_by_own_sql(entry.provenance):
                raise ConfigurationError(
                    DELIVER_AGAIN.format(entry),
                )
            choice = Choice(entry, self._decode)
            choice.check(of)
            meant = _meant(transaction, spec, choice, content)
            event = choice.event(meant)
            if spec is None or event.kind in UNREADABLE:
                raise ConfigurationError(
                    f"entry {number} cannot be accepted: {event.note or 'no table matches it'}. "
                    "Repair what it names, or drop it"
                )
            _check_owner(transaction, spec, entry, event)
            # Decided again first: what came since may have settled it, or ended the dispute.
            speech = Speech(transaction, spec, event)
            decision = speech.accept(ends_dispute=is_dispute(entry))
            if decision.quarantined:
                raise ConfigurationError(f"entry {number} is still held. {explain(decision)}")
            listed = choice.listed(speech.replaced)
            chosen = speech.chosen(listed or choice.contents, is_accepted=True)
            word = Word((*chosen, meant.number), listed, len(entry.contents))
            transaction.settle(number, "accepted", decision.reason, word)

            # A key that moved may settle what else is held of it (rules R1); and where a batch is
            # not one transaction, another writer may have moved it too.
            speech.followed()
            if settles:
                Settling(transaction, new_token(), {spec.name: spec}).run()
            hear(transaction, [spec], new_token())
            whose = "By your word" if speech.counted else "It needed no word by now"
            told = f"{whose}. {explain(decision)}"
            if choice.is_dispute:
                told = f"{told} Entry {number} is closed. {choice.text(chosen)}"
            return told

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
            closed += len(hear(transaction, specs, new_token()))
        # What moved may be what other tables wait for; they are taken as they are recorded.
        settled = settle_waiting(
            self._store,
            {},
            time.time(),
            new_token(),
        )
        return closed + len(settled)


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
    return len(apply(transaction, spec, [], new_token(), reconsider=True).closed)


def _meant(
    transaction: Transaction,
    spec: TableSpec | None,
    choice: Choice,
    number: int | None,
) -> Content:
    """The content that a person's word is for."""
    if number is not None:
        return choice.numbered(number)
    memory = None
    # What no table takes is in nobody's dispute.
    if spec is not None and choice.is_dispute:
        transaction.open_table(spec)
        memory = recall_one(transaction, spec, entity_of(choice.entry.key)).memory
    return choice.only(memory)


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
