"""Held deliveries taken in anew: decoded by today's envelope, routed by today's sections, decided
under what is declared today.

An entry that is still the one that it would be held as is decided again where it stands, as
whenever its key moves (rules R1). What is read as another event by now, or goes to another table or
key, is taken in as a new delivery, which may open an entry of its own; the old one is closed. No
word of a person is in it: what is applied is decided like any delivery.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, Undone
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Closing, Entry, EntryQuery, Store, TableSpec, Transaction
from anyorder.guard.intake import Share, take_in
from anyorder.guard.news import hear
from anyorder.guard.own_sql import DELIVER_AGAIN, is_by_own_sql
from anyorder.guard.parts import take
from anyorder.guard.routes import Route, Unrouted
from anyorder.guard.waiting import Settling, settle_waiting
from anyorder.runtime.again import Again, Key, ReadAnew

log = logging.getLogger("anyorder")
BATCH = 1000  # entries taken in together, in one transaction


class Retried(NamedTuple):
    """How many entries were settled, and how many are still open; `own` of them were held by the
    caller's own code, which must be given them again."""

    settled: int
    open: int
    own: int = 0


class Retry:
    """Of the entries of a store. `catalogue`: of what is declared today. `read_anew` turns a
    delivery back into its event, by today's envelope."""

    def __init__(self, store: Store, catalogue: Catalogue, read_anew: ReadAnew) -> None:
        self._store = store
        self._catalogue = catalogue
        self._read_anew = read_anew

    def run(self, numbers: Sequence[int] | None = None) -> Retried:
        """Every open entry, or those of these numbers, oldest first. Raises ConfigurationError if
        one of them is not there or closed; StoreError."""
        asked = self._open() if numbers is None else self._checked(numbers)
        before, own = self._count_open(), 0
        # A transaction each: what was settled stays so, whatever happens later.
        for start in range(0, len(asked), BATCH):
            ones = self._read(asked[start : start + BATCH])
            others = [one for one in ones if not one.is_own]
            self._batch(others)
            log.info("%d entries were read, routed and decided again", len(others))
            own += len(ones) - len(others)
        is_open = self._still_open(asked, before)
        return Retried(len(asked) - is_open, is_open, own)

    def _still_open(self, asked: Sequence[int], before: int) -> int:
        """How many are open, as themselves or held anew as others. `before`: how many were open in
        the store. What was held anew may have settled since, with an entry of a later batch."""
        with self._store.reading() as transaction:
            themselves = len(transaction.open_among(asked))
            closed = before - transaction.open_entries()
        return max(themselves, len(asked) - closed)

    def _count_open(self) -> int:
        with self._store.reading() as transaction:
            return transaction.open_entries()

    def _open(self) -> list[int]:
        with self._store.reading() as transaction:
            return [entry.id for entry in transaction.entries(EntryQuery())]

    def _checked(self, numbers: Sequence[int]) -> list[int]:
        asked = sorted(set(numbers))
        with self._store.reading() as transaction:
            # A thousand at a time: their deliveries need not lie in memory together.
            for start in range(0, len(asked), BATCH):
                _check(transaction, asked[start : start + BATCH])
        return asked

    # ---- in transactions

    def _batch(self, ones: Sequence[Again]) -> None:
        """Take in entries."""
        if not ones:
            return
        try:
            self._together(ones)
        except Undone:
            # It ends: each part is smaller than the whole.
            half = len(ones) // 2
            if half:
                self._batch(ones[:half])
                self._batch(ones[half:])
            else:
                self._alone(ones[0])

    def _together(self, ones: Sequence[Again]) -> None:
        """Take in entries in one transaction."""
        token = secrets.token_hex(4)
        with self._store.transaction(time.time()) as transaction:
            staying: list[Again] = []
            moving: list[Again] = []
            # A word that somebody gave meanwhile counts: what is closed is not decided here.
            for one in _open_of(transaction, ones):
                into = staying if one.stays else moving
                into.append(one)
            _take_in(transaction, moving, token)
            _decide_again(transaction, staying, token)

    def _alone(self, one: Again) -> None:
        """Take in an entry that undoes a transaction: it, what is held of its key, or what waits
        for that."""
        spec = one.spec
        # What no table takes writes no row.
        assert spec is not None
        now, token = time.time(), secrets.token_hex(4)
        if one.stays:
            self._settle_alone(one, spec, now, token)
            return
        share = Share(spec, one.events)
        taken = take(self._store, [share], now=now, token=token, provenance=one.reading.provenance)
        # Held there first: after a crash in between, the next retry finds it a duplicate.
        with self._store.transaction(now) as transaction:
            transaction.settle(one.entry.id, "settled", taken.decisions[0].reason)

    def _settle_alone(self, one: Again, spec: TableSpec, now: float, token: str) -> None:
        with self._store.transaction(now) as transaction:
            _reread(transaction, one)
        _, entity = one.key
        settle_waiting(
            self._store, {spec.name: spec}, now, token, [one.key], everything=entity == ""
        )

    # ---- reading

    def _read(self, numbers: Sequence[int]) -> list[Again]:
        """Those of these entries that are open, as they are read and routed today."""
        read: list[Again] = []
        with self._store.reading() as transaction:
            for entry in transaction.entries_among(numbers):
                # It was there a moment ago, with its delivery, and none is ever taken away.
                assert entry.delivery is not None
                if entry.state == "open":
                    reading = self._read_anew(entry.provenance, entry.delivery)
                    read.append(Again(entry, reading, None, tuple(self._others(entry))))
        return list(self._routed(read))

    def _others(self, entry: Entry) -> Iterator[Event]:
        for content in entry.contents:
            # Its own delivery is read already, and what the row showed came by none.
            if content.delivery is not None and content.delivery != entry.delivery:
                yield self._read_anew(content.provenance, content.delivery).event

    def _routed(self, read: Sequence[Again]) -> Iterator[Again]:
        events = [one.event for one in read if _may_move(one)]
        routes = iter(self._catalogue.routes(self._store, events, time.time()))
        for one in read:
            route: Route | None = self._catalogue.spec_of(one.entry.table)
            if _may_move(one):
                route = _moved(one, route, next(routes))
            yield one._replace(route=route)


def _may_move(one: Again) -> bool:
    """Do today's sections say where it goes?"""
    # What another source's table holds stays with it: its own code may have put it there.
    return one.reading.is_ours or not _is_placed(one)


def _moved(one: Again, there: Route | None, today: Route) -> Route:
    """Where an entry goes that lies `there`, if the sections say this `today`."""
    is_gone = isinstance(today, Unrouted)
    # A section that is gone takes nothing away from a table that is there.
    if is_gone and there is not None and _is_placed(one):
        return there
    return today


def _is_placed(one: Again) -> bool:
    return one.entry.table != "" and one.entry.reason != Reason.UNROUTED


def _take_in(transaction: Transaction, ones: Sequence[Again], token: str) -> None:
    """What is another event, or of another table or key by now, is a new delivery, and its entry is
    closed."""
    by_provenance: dict[str, list[Again]] = {}
    for one in ones:
        by_provenance.setdefault(one.reading.provenance, []).append(one)
    for provenance, some in by_provenance.items():
        _take_in_of(transaction, some, provenance, token)


def _take_in_of(
    transaction: Transaction, ones: Sequence[Again], provenance: str, token: str
) -> None:
    """The same for what one envelope reads."""
    tables: dict[str, tuple[TableSpec, list[Again]]] = {}
    loose: list[Again] = []
    for one in ones:
        if one.spec is None:
            loose.append(one)
        else:
            tables.setdefault(one.spec.name, (one.spec, []))[1].append(one)
    ordered: list[Again] = []
    shares: list[Share] = []
    for spec, found in tables.values():
        ordered += found
        # First those of which the decision closes the entry.
        shares.append(Share(spec, [one.event for one in found]))
    ordered += loose
    judged = [one.judged for one in loose]
    decisions = take_in(transaction, shares, judged, token, provenance).decisions
    take_in(transaction, _others(tables), (), token, provenance)
    # Last: where the store takes these as two steps, a crash in between leaves both entries, and
    # the next retry finds one of them a duplicate.
    told = zip(ordered, decisions, strict=True)
    closings = [Closing(one.entry.id, "settled", decision.reason) for one, decision in told]
    transaction.settle_all(closings)


def _others(tables: Mapping[str, tuple[TableSpec, Sequence[Again]]]) -> list[Share]:
    """What else came into these entries."""
    shares: list[Share] = []
    for spec, found in tables.values():
        events: list[Event] = []
        for one in found:
            events += one.others
        if events:
            shares.append(Share(spec, events))
    return shares


def _decide_again(transaction: Transaction, ones: Sequence[Again], token: str) -> None:
    """What stays where it is."""
    specs: dict[str, TableSpec] = {}
    keys: dict[Key, None] = {}
    for one in ones:
        _reread(transaction, one)
        if one.spec is not None:
            specs[one.spec.name] = one.spec
        # Nothing else could be decided otherwise than it was.
        if one.settles is not None:
            keys[one.settles] = None
    settling = Settling(transaction, token, specs)
    settling.take(list(keys))
    settling.run()
    hear(transaction, list(specs.values()), token)


def _reread(transaction: Transaction, one: Again) -> None:
    """Its entry tells from now on by which envelope it is read, and what is said of it today."""
    reason, detail = one.told
    if one.is_read_anew or detail != one.entry.detail:
        transaction.reread(one.entry.id, reason, detail, one.reading.provenance)


def _open_of(transaction: Transaction, ones: Sequence[Again]) -> list[Again]:
    """Those of these entries that are open still."""
    is_open = transaction.open_among([one.entry.id for one in ones])
    return [one for one in ones if one.entry.id in is_open]


def _check(transaction: Transaction, numbers: Sequence[int]) -> None:
    found = {entry.id: entry for entry in transaction.entries_among(numbers)}
    for number in numbers:
        _check_one(number, found.get(number))


def _check_one(number: int, entry: Entry | None) -> None:
    # A mistyped number, or a word that was given already.
    state = "not there" if entry is None else entry.state
    if state != "open":
        raise ConfigurationError(
            f"entry {number} is {state}; `anyorder quarantine list` shows the open ones"
        )
    assert entry is not None
    if is_by_own_sql(entry.provenance):
        raise ConfigurationError(DELIVER_AGAIN.format(entry))
