"""What could not be decided: list it, look at it, settle it. The deliveries lie in the store, byte
for byte."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from anyorder._core.batch import Decision
from anyorder._core.decide import accept, accept_truncate
from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.explain import explain
from anyorder._core.outcome import Outcome, Reason, outcome_of
from anyorder._core.reset import Growth
from anyorder.errors import ConfigurationError
from anyorder.guard.batch import apply, look, reconsider_keys, take_truncate
from anyorder.guard.contract import (
    Entry,
    EntryQuery,
    Refused,
    Store,
    TableSpec,
    Transaction,
    Write,
)


class Quarantine:
    """The quarantine of one table (`spec`), or of the whole store. `decode` turns a delivery back
    into its event."""

    def __init__(
        self, store: Store, spec: TableSpec | None, decode: Callable[[Delivery], Event]
    ) -> None:
        self._store = store
        self._spec = spec
        self._decode = decode

    def entries(self, state: str = "open", reason: str = "") -> list[Entry]:
        """Entries of a state ("" for all): open, settled (by itself), accepted, dropped. Oldest
        first."""
        query = EntryQuery(state, self._spec.name if self._spec is not None else "", reason=reason)
        with self._store.reading() as transaction:
            return list(transaction.entries(query))

    def show(self, number: int) -> Entry:
        """One entry with its delivery. Raises ConfigurationError if there is none of that
        number."""
        with self._store.reading() as transaction:
            return _found(transaction, number)

    def drop(self, number: int) -> None:
        """Close an entry and write nothing. The same event coming again is then a duplicate."""
        with self._store.transaction(time.time()) as transaction:
            _open(_found(transaction, number))
            transaction.settle(number, "dropped", Reason.DUPLICATE)

    def accept(self, number: int, spec: TableSpec | None = None) -> str:
        """An operator's word (rules R11): decided again first; if it is still held, the row is
        written and marked declared.

        Returns what happened, as a sentence. Raises ConfigurationError if the event cannot be
        decoded or the store refuses it.
        """
        spec = spec or self._spec
        with self._store.transaction(time.time()) as transaction:
            entry = _open(_found(transaction, number))
            assert entry.delivery is not None
            event = self._decode(entry.delivery)
            if spec is None or event.kind is Kind.MALFORMED or event.kind is Kind.INCOMPLETE:
                raise ConfigurationError(
                    f"entry {number} cannot be accepted: {event.note or 'no table matches it'}. Repair what it names, or drop it"
                )
            decision = (_accepted_truncate if event.kind is Kind.TRUNCATE else _accepted)(
                transaction, spec, event
            )
            if outcome_of(decision.reason) is Outcome.QUARANTINED:
                raise ConfigurationError(f"entry {number} is still held. {explain(decision)}")
            transaction.settle(number, "accepted", decision.reason)
            if event.kind is Kind.TRUNCATE:
                apply(transaction, spec, [], secrets.token_hex(4), reconsider=True)
            else:
                reconsider_keys(
                    transaction,
                    spec,
                    [event.entity],
                    transaction.open_table(spec),
                    secrets.token_hex(4),
                )
            return f"By your word. {explain(decision)}"

    def dismiss(self, scope: str, specs: list[TableSpec]) -> int:
        """The suspicion of a reset was wrong (rules R13): forget the checkpoints and decide what it
        held again. How many entries closed."""
        with self._store.transaction(time.time()) as transaction:
            if not transaction.growths([scope]):
                raise ConfigurationError(
                    f"no clock {scope!r} is watched; `anyorder doctor` lists the suspected ones"
                )
            transaction.save_growths({scope: Growth()})
            return sum(
                len(apply(transaction, spec, [], secrets.token_hex(4), reconsider=True).closed)
                for spec in specs
            )


def _accepted(transaction: Transaction, spec: TableSpec, event: Event) -> Decision:
    limits = transaction.open_table(spec)
    remembered = look(transaction, spec, event.entity)
    before = remembered.memory
    after, reason, against = accept(before, event, remembered.limits or limits)
    if after is not before:
        for failure in transaction.write(
            spec,
            [Write(event.entity, event.key or {}, before, after)],
            limits,
            secrets.token_hex(4),
        ):
            detail = (
                failure.detail
                if isinstance(failure, Refused)
                else "another writer moved the key; try again"
            )
            raise ConfigurationError(f"the store refuses this event: {detail}")
    return Decision(event, reason, against)


def _accepted_truncate(transaction: Transaction, spec: TableSpec, event: Event) -> Decision:
    """It becomes the table's greatest truncate; rows whose position does not compare with its own
    stay."""
    return take_truncate(
        transaction, spec, event, *accept_truncate(transaction.open_table(spec), event)
    )[1]


def _found(transaction: Transaction, number: int) -> Entry:
    entry = transaction.entry(number)
    if entry is None:
        raise ConfigurationError(
            f"the quarantine has no entry {number}; `anyorder quarantine list` shows them"
        )
    return entry


def _open(entry: Entry) -> Entry:
    if entry.state != "open":
        raise ConfigurationError(f"entry {entry.id} is {entry.state} already")
    return entry
