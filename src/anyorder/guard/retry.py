"""Held deliveries taken in anew: decoded by today's envelope, routed by today's sections, decided
under what is declared today.

An entry that is still of its table and key is decided again where it stands, as whenever its key
moves (rules R1). One that is of another by now is taken in as a new delivery, which may open an
entry of its own; the old one is closed.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from anyorder._core.batch import Settled
from anyorder._core.event import Event, canonical
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError
from anyorder.guard.batch import apply, reconsider_keys
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Decode, Entry, EntryQuery, Store, TableSpec, Transaction
from anyorder.guard.intake import Share, take_in
from anyorder.guard.news import hear
from anyorder.guard.routes import Ignored, Route
from anyorder.guard.settle import ALREADY_HELD

NO_KEY = ""  # the entity of what concerns every key
BATCH = 1000  # entries taken in together, in one transaction


class Retried(NamedTuple):
    """How many entries were settled, and how many are still open."""

    settled: int
    open: int


class Again(NamedTuple):
    """An open entry, its event as it is read now, and where that goes."""

    entry: Entry
    event: Event
    route: Route | None

    @property
    def is_in_place(self) -> bool:
        """Is it still of the table and the key that it was held under?"""
        if not isinstance(self.route, TableSpec) or self.route.name != self.entry.table:
            return False
        return canonical(self.event.key) == canonical(self.entry.key)


class Retry:
    """Of the entries of a store. `catalogue`: of what is declared today. `decode` turns a delivery
    back into its event."""

    def __init__(self, store: Store, catalogue: Catalogue, decode: Decode) -> None:
        self._store = store
        self._catalogue = catalogue
        self._decode = decode

    def run(self, number: int | None = None) -> Retried:
        """Every open entry, or the one of this number, oldest first. Raises ConfigurationError if
        that one is not there or closed; StoreError."""
        numbers = self._open() if number is None else [self._checked(number)]
        settled = 0
        # A transaction each: what was settled stays so, whatever happens later.
        for start in range(0, len(numbers), BATCH):
            settled += self._batch(numbers[start : start + BATCH])
        return Retried(settled, len(numbers) - settled)

    def _open(self) -> list[int]:
        with self._store.reading() as transaction:
            return [entry.id for entry in transaction.entries(EntryQuery())]

    def _checked(self, number: int) -> int:
        with self._store.reading() as transaction:
            entry = transaction.entry(number)
        # A mistyped number, or a word that was given already.
        state = "not there" if entry is None else entry.state
        if state != "open":
            raise ConfigurationError(
                f"entry {number} is {state}; `anyorder quarantine list` shows the open ones"
            )
        return number

    def _batch(self, numbers: Sequence[int]) -> int:
        """Take in entries in one transaction; how many were settled."""
        ones = list(self._read(numbers))
        now, token = time.time(), secrets.token_hex(4)
        with self._store.transaction(now) as transaction:
            settled = _reconsidered(transaction, ones, token)
            settled += _taken_in(transaction, ones, token)
        return settled

    def _read(self, numbers: Sequence[int]) -> Iterator[Again]:
        """Entries as they are read and routed today; those that another process closed meanwhile
        are left out."""
        with self._store.reading() as transaction:
            found = [transaction.entry(number) for number in numbers]
        for entry in found:
            if entry is None or entry.delivery is None or entry.state != "open":
                continue
            event = self._decode(entry.provenance, entry.delivery)
            yield Again(entry, event, self._route(entry, event))

    def _route(self, entry: Entry, event: Event) -> Route | None:
        # What a table holds stays with it: its own code may have put it there, and no section.
        if entry.table and entry.reason != Reason.UNROUTED:
            return self._catalogue.spec_of(entry.table)
        (route,) = self._catalogue.routes(self._store, [event], time.time())
        return route


def _reconsidered(transaction: Transaction, ones: Sequence[Again], token: str) -> int:
    """Decide again what is in its place, table by table; how many of these entries closed."""
    tables: dict[str, TableSpec] = {}
    keys: dict[str, set[str]] = defaultdict(set)
    for one in ones:
        if one.is_in_place and isinstance(one.route, TableSpec):
            tables[one.route.name] = one.route
            keys[one.route.name].add(_entity(one.event))
    closed: set[int] = set()
    for name, entities in keys.items():
        done = _decided_again(transaction, tables[name], entities, token)
        closed.update(settled.held.entry for settled in done)
    closed.update(settled.held.entry for settled in hear(transaction, [*tables.values()], token))
    return len(closed.intersection(one.entry.id for one in ones))


def _decided_again(
    transaction: Transaction,
    spec: TableSpec,
    entities: set[str],
    token: str,
) -> list[Settled]:
    # A truncate concerns every key, and each of them may have something that waits.
    if NO_KEY in entities:
        return apply(transaction, spec, [], token, reconsider=True).closed
    limits = transaction.open_table(spec)
    return reconsider_keys(transaction, spec, sorted(entities), limits, token)


def _entity(event: Event) -> str:
    return NO_KEY if event.key is None else event.entity


def _taken_in(transaction: Transaction, ones: Sequence[Again], token: str) -> int:
    """Take in what is of another table or key by now, and close its old entry; how many are not
    held again."""
    settled = 0
    for one in ones:
        if one.is_in_place:
            continue
        reason, is_held = _outcome(transaction, one, token)
        # What no table takes stays where it is.
        if reason is not None:
            transaction.settle(one.entry.id, "settled", reason)
            settled += not is_held
    return settled


def _outcome(
    transaction: Transaction,
    one: Again,
    token: str,
) -> tuple[Reason | None, bool]:
    """How a delivery ends now, and whether it is held; no reason where no table takes it."""
    if isinstance(one.route, Ignored):
        return Reason.NOT_A_CHANGE, False
    if not isinstance(one.route, TableSpec):
        return None, True
    shares = [Share(one.route, [one.event])]
    (decision,) = take_in(transaction, shares, (), token, one.entry.provenance).decisions
    is_held = decision.quarantined or decision.detail == ALREADY_HELD
    return decision.reason, is_held
