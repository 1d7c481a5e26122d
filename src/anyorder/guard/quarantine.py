"""What could not be decided: list it, look at it, settle it. The deliveries lie in the store, byte
for byte."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from typing import NamedTuple

from anyorder._core.batch import Settled
from anyorder._core.event import entity_of
from anyorder._core.outcome import Reason, reason_named
from anyorder._core.reset import Growth
from anyorder.errors import ConfigurationError, Undone
from anyorder.guard.answered import Accepted, Unaccepted, kept_now
from anyorder.guard.batch import apply
from anyorder.guard.choice import Choice
from anyorder.guard.contents import Content
from anyorder.guard.contract import Decode, Entry, EntryQuery, Store, TableSpec, Transaction
from anyorder.guard.drop import drop
from anyorder.guard.news import hear
from anyorder.guard.recall import clock_of, recall_one
from anyorder.guard.waiting import Key, Settling, settle_waiting
from anyorder.guard.word import Words


class Foreseen(NamedTuple):
    """What dismissing a suspicion would do: how many entries it held are decided `again`, and how
    many entries settle, by their reason."""

    again: int
    settled: Counter[Reason]


class _Said(NamedTuple):
    """A person's word: for an entry, into a table; which content, of how many."""

    number: int
    spec: TableSpec | None
    content: int | None
    of: int | None


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
            reason=reason_named(reason),
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
        said = _Said(
            number=number,
            spec=spec or self._spec,
            content=None,
            of=of,
        )
        try:
            told, _ = self._drop(said, settles=True)
        except Undone:
            # What waits for this row may be what undid it: then it is tried by itself, afterwards.
            told, key = self._drop(said, settles=False)
            self._settle(key, said.spec)
        return told

    def _drop(self, said: _Said, *, settles: bool) -> tuple[str, Key]:
        """What happened, and the key of the entry."""
        number, spec, _, of = said
        with self._store.transaction(time.time()) as transaction:
            entry = _found(transaction, number)
            # Two people may settle at once: the first word counts.
            _open(entry)
            Choice(entry, self._decode).check(of)
            told = drop(
                transaction,
                spec or TableSpec(entry.table),
                entry,
                self._decode,
                _token(),
                settles=settles,
            )
            return told, (entry.table, entity_of(entry.key))

    def _settle(self, key: Key, spec: TableSpec | None) -> None:
        """Decide what is held of a key again, and what waits for it."""
        table, _ = key
        specs = {table: spec or TableSpec(table)}
        settle_waiting(self._store, specs, time.time(), _token(), [key])

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
        return str(self.given(number, spec, content=content, of=of))

    def given(
        self,
        number: int,
        spec: TableSpec | None = None,
        *,
        content: int | None = None,
        of: int | None = None,
    ) -> Accepted:
        """The same, with what it came to."""
        said = _Said(
            number=number,
            spec=spec or self._spec,
            content=content,
            of=of,
        )
        try:
            return self._accept(said, settles=True)
        except Undone:
            # What waited for this row may be what undid it: then it is tried by itself, afterwards.
            answer = self._accept_alone(said)
        assert said.spec is not None
        event = answer.decision.event
        # A truncate concerns every key, and is held under none.
        self._settle((said.spec.name, entity_of(event.key)), said.spec)
        return answer

    def _accept_alone(self, said: _Said) -> Accepted:
        try:
            return self._accept(said, settles=False)
        except Undone as undone:
            raise ConfigurationError(f"the store refuses this event: {undone}") from undone

    def _accept(self, said: _Said, *, settles: bool) -> Accepted:
        number, spec, content, of = said
        with self._store.transaction(time.time()) as transaction:
            entry = _found(transaction, number)
            _open(entry)
            choice = Choice(entry, self._decode)
            choice.check(of)
            meant = _meant(transaction, spec, choice, content)
            kept = kept_now(
                entry,
                spec,
                self._decode,
                meant,
            )
            if isinstance(kept, Unaccepted):
                raise ConfigurationError(kept.why)
            assert spec is not None
            # Decided again first: what came since may have settled it, or ended the dispute.
            words = Words(transaction, spec, _token(), settles=settles)
            answer = words.give([kept])[number]
            # Nothing of it stays: the transaction ends with the exception.
            if isinstance(answer, Unaccepted):
                raise ConfigurationError(answer.why)

            # A key that moved may settle what else is held of it (rules R1); and where a batch is
            # not one transaction, another writer may have moved it too.
            if settles:
                Settling(transaction, _token(), {spec.name: spec}).run()
                hear(transaction, [spec], _token())
            if entry.contents:
                closed = choice.text(words.words[number].chose)
                answer = answer._replace(closes=f"Entry {number} is closed. {closed}")
            return answer

    def foreseen(self, scope: str, specs: list[TableSpec]) -> Foreseen:
        """What dismissing a suspicion would do; nothing is written."""
        with self._store.transaction(time.time(), dry=True) as transaction:
            again = sum(
                _is_suspected(transaction, entry, scope) for entry in _doubtful(transaction)
            )
            closed = _dismissed(transaction, scope, specs)
        return Foreseen(again, Counter(one.reason for one in closed))

    def dismiss(self, scope: str, specs: list[TableSpec]) -> int:
        """The suspicion of a reset was wrong (rules R13): forget the checkpoints and decide what it
        held again. How many entries closed."""
        with self._store.transaction(time.time()) as transaction:
            closed = _dismissed(transaction, scope, specs)
        # What moved may be what other tables wait for; they are taken as they are recorded.
        settled = settle_waiting(
            self._store,
            {},
            time.time(),
            _token(),
        )
        return len(closed) + len(settled)


def _dismissed(
    transaction: Transaction,
    scope: str,
    specs: list[TableSpec],
) -> list[Settled]:
    """The entries that close when a clock is believed again."""
    if not transaction.growths([scope]):
        raise ConfigurationError(
            f"no clock {scope!r} is watched; `anyorder doctor` lists the suspected ones"
        )
    # From nothing on: the old checkpoints would raise the same suspicion again.
    transaction.save_growths({scope: Growth()})
    closed: list[Settled] = []
    for spec in specs:
        told = apply(transaction, spec, [], _token(), reconsider=True)
        closed += told.closed
    return closed + hear(transaction, specs, _token())


def _doubtful(transaction: Transaction) -> list[Entry]:
    query = EntryQuery(reason=Reason.SUSPECTED_RESET)
    return list(transaction.entries(query))


def _is_suspected(transaction: Transaction, entry: Entry, scope: str) -> bool:
    """Is it this clock that it was held for?"""
    event = transaction.event(entry.id)
    return event is not None and clock_of(event) == scope


def _meant(
    transaction: Transaction,
    spec: TableSpec | None,
    choice: Choice,
    number: int | None,
) -> Content:
    """The content that a person's word is for."""
    entry = choice.entry
    if number is not None:
        return choice.numbered(number)
    # What no table takes is in nobody's dispute, and most entries hold one delivery alone.
    if spec is None or not entry.contents:
        return choice.only(None)
    transaction.open_table(spec)
    entity = entity_of(entry.key)
    there = recall_one(
        transaction,
        spec,
        entity,
    )
    return choice.only(there.memory)


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
