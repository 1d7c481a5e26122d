"""Held deliveries taken in anew: decoded by today's envelope, routed by today's sections, decided
under what is declared today.

An entry that is still of its table and key is decided again where it stands, as whenever its key
moves (rules R1). One that is of another by now is taken in as a new delivery, which may open an
entry of its own; the old one is closed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple

from anyorder._core.batch import Decision
from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, Undone
from anyorder.guard.batch import apply, reconsider_keys
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Decode, Entry, EntryQuery, Store, TableSpec, Transaction
from anyorder.guard.holdings import entity_of
from anyorder.guard.intake import Share, take_in
from anyorder.guard.news import hear
from anyorder.guard.own_sql import DELIVER_AGAIN, is_by_own_sql
from anyorder.guard.parts import take
from anyorder.guard.routes import Ignored, Route
from anyorder.guard.settle import ALREADY_HELD
from anyorder.guard.waiting import settle_waiting

BATCH = 1000  # entries taken in together, in one transaction


class Retried(NamedTuple):
    """How many entries were settled, and how many are still open; `own` of them were held by the
    caller's own code, which must be given them again."""

    settled: int
    open: int
    own: int = 0


class Again(NamedTuple):
    """An open entry, its event as it is read now, and where that goes. `others`: what else came
    into the entry, since it is that of a dispute."""

    entry: Entry
    event: Event
    route: Route | None
    others: tuple[Event, ...] = ()

    @property
    def entity(self) -> str:
        """The key that it was held under, "" for none."""
        return entity_of(self.entry.key)

    @property
    def is_own(self) -> bool:
        """Did the caller's own code hold it?"""
        return is_by_own_sql(self.entry.provenance)

    @property
    def stays(self) -> bool:
        """Is it still of its table and key?"""
        is_of_table = isinstance(self.route, TableSpec) and self.route.name == self.entry.table
        return is_of_table and entity_of(self.event.key) == self.entity


class Retry:
    """Of the entries of a store. `catalogue`: of what is declared today. `decode` turns a delivery
    back into its event."""

    def __init__(self, store: Store, catalogue: Catalogue, decode: Decode) -> None:
        self._store = store
        self._catalogue = catalogue
        self._decode = decode

    def run(self, asked: Sequence[int] | None = None) -> Retried:
        """Every open entry, or those of these numbers, oldest first. Raises ConfigurationError if
        one of them is not there or closed; StoreError."""
        numbers = self._open() if asked is None else list(map(self._checked, asked))
        settled = own = 0
        # A transaction each: what was settled stays so, whatever happens later.
        for start in range(0, len(numbers), BATCH):
            ones = [self._read(one) for one in numbers[start : start + BATCH]]
            others = [one for one in ones if not one.is_own]
            settled += self._batch(others)
            own += len(ones) - len(others)
        return Retried(settled, len(numbers) - settled, own)

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
        assert entry is not None
        if is_by_own_sql(entry.provenance):
            raise ConfigurationError(
                DELIVER_AGAIN.format(entry),
            )
        return number

    def _batch(self, ones: Sequence[Again]) -> int:
        """Take in entries; how many were settled."""
        try:
            return self._together(ones)
        except Undone:
            # It ends: each part is smaller than the whole.
            half = len(ones) // 2
            if half:
                return self._batch(ones[:half]) + self._batch(ones[half:])
            return self._alone(ones[0])

    def _together(self, ones: Sequence[Again]) -> int:
        """Take in entries in one transaction."""
        token = secrets.token_hex(4)
        with self._store.transaction(time.time()) as transaction:
            held_anew = [_retry(transaction, one, token) for one in ones]
            closed = [_is_closed(transaction, one) for one in ones]
        return sum(closed) - sum(held_anew)

    def _alone(self, one: Again) -> int:
        """Take in an entry that undoes a transaction: it, what is held of its key, or what waits
        for that."""
        spec = one.route
        # What no table takes writes no row.
        assert isinstance(spec, TableSpec)
        now, token = time.time(), secrets.token_hex(4)
        if one.stays:
            moved = (spec.name, one.entity)
            is_truncate = one.event.key is None
            settle_waiting(
                self._store, {spec.name: spec}, now, token, [moved], everything=is_truncate
            )
            with self._store.reading() as transaction:
                return int(_is_closed(transaction, one))
        share = Share(spec, [one.event, *one.others])
        taken = take(self._store, [share], now=now, token=token, provenance=one.entry.provenance)
        # Held there first: after a crash in between, the next retry finds it a duplicate.
        with self._store.transaction(now) as transaction:
            return int(not _close(transaction, one, taken.decisions[0]))

    def _read(self, number: int) -> Again:
        """An entry as it is read and routed today."""
        with self._store.reading() as transaction:
            entry = transaction.entry(number)
        # It was listed a moment ago, with its delivery, and none is ever taken away.
        assert entry is not None
        assert entry.delivery is not None
        event = self._decode(entry.provenance, entry.delivery)
        others: list[Event] = []
        for content in entry.contents:
            # Its own delivery is read already, and what the row showed came by none.
            if content.delivery not in (None, entry.delivery):
                assert content.delivery is not None
                others.append(self._decode(content.provenance, content.delivery))
        return Again(entry, event, self._route(entry, event), tuple(others))

    def _route(self, entry: Entry, event: Event) -> Route | None:
        # What a table holds stays with it: its own code may have put it there, and no section.
        if entry.table and entry.reason != Reason.UNROUTED:
            return self._catalogue.spec_of(entry.table)
        (route,) = self._catalogue.routes(self._store, [event], time.time())
        return route


def _retry(transaction: Transaction, one: Again, token: str) -> bool:
    """Decide one entry again, and close it where it is held no more. Is it held anew, by another
    entry?"""
    match one.route:
        case TableSpec() as spec if one.stays:
            _decide_again(transaction, spec, one.event, token)
        case TableSpec() as spec:
            return _take_in(transaction, spec, one, token)
        case Ignored():
            transaction.settle(one.entry.id, "settled", Reason.NOT_A_CHANGE)
    # What no table takes stays where it is.
    return False


def _decide_again(transaction: Transaction, spec: TableSpec, event: Event, token: str) -> None:
    """What is still of its table and key."""
    # A truncate concerns every key, and each of them may have something that waits.
    entity = entity_of(event.key)
    if not entity:
        apply(transaction, spec, [], token, reconsider=True)
    else:
        limits = transaction.open_table(spec)
        reconsider_keys(transaction, spec, [entity], limits, token)
    hear(transaction, [spec], token)


def _take_in(transaction: Transaction, spec: TableSpec, one: Again, token: str) -> bool:
    """What is of another table or key by now is a new delivery. Is it held there?"""
    share = Share(spec, [one.event, *one.others])
    taken = take_in(transaction, [share], (), token, one.entry.provenance)
    return _close(transaction, one, taken.decisions[0])


def _close(transaction: Transaction, one: Again, decision: Decision) -> bool:
    """Close the entry of what was taken in as a new delivery. Is it held anew?"""
    transaction.settle(one.entry.id, "settled", decision.reason)
    return decision.quarantined or decision.detail == ALREADY_HELD


def _is_closed(transaction: Transaction, one: Again) -> bool:
    entry = transaction.entry(one.entry.id)
    assert entry is not None
    return entry.state != "open"
