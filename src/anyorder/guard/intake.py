"""One batch of deliveries for any number of tables, decided and written in one transaction together
with the frontier.

Order matters once: snapshot runs first, since they part a log into epochs (rules R14); then
suspicion of a reset (R13); then what belongs to no table; then each table by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import NamedTuple

from anyorder._core.batch import Arrival, Decision, Judged, Settled, arrivals_of, replace
from anyorder._core.event import Event, Kind
from anyorder._core.outcome import Reason
from anyorder.errors import BooksUnbalanced, Undone
from anyorder.guard.batch import apply
from anyorder.guard.clocks import learn_runs, screen
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.news import hear
from anyorder.guard.settle import settle_without_rows
from anyorder.guard.waiting import Key, Settling, settle_waiting


class Share(NamedTuple):
    """One table's deliveries in a batch."""

    spec: TableSpec
    events: Sequence[Event]


class Taken(NamedTuple):
    """A decision a delivery, in the order of the shares and their events, then of what belongs to
    no table; and the quarantine entries that settled by themselves."""

    decisions: list[Decision]
    closed: list[Settled]


class Numbered(NamedTuple):
    """A batch whose deliveries have numbers: one after the other through all its `tables`."""

    arrivals: list[Arrival]
    tables: list[tuple[TableSpec, list[Arrival]]]


def take(
    store: Store,
    shares: Sequence[Share],
    loose: Sequence[Judged] = (),
    *,
    now: float,
    token: str,
    frontier: tuple[str, str] | None = None,
    provenance: str = "",
    dry: bool = False,
) -> Taken:
    """Decide and write a batch.

    `loose`: deliveries that belong to no table, already judged. `now`: seconds since 1970. `token`:
    this attempt's. `frontier`: a source's name, and how far it is done with this batch.
    `provenance`: source and envelope of all these deliveries, which entries keep; "" is read later
    by whatever envelope the store is opened with. Raises BooksUnbalanced before committing.
    """
    try:
        with store.transaction(now, dry=dry) as transaction:
            taken = take_in(transaction, shares, loose, token, provenance)
            # In the same step as what it covers: a crash leaves both or neither (rules R1).
            if frontier is not None:
                transaction.save_frontier(*frontier)
        return taken
    except Undone:
        parts = Parts(store, now, token, provenance, dry=dry)
        return parts.take(shares, loose, frontier)


def take_in(
    transaction: Transaction,
    shares: Sequence[Share],
    loose: Sequence[Judged],
    token: str,
    provenance: str = "",
    *,
    settles: bool = True,
) -> Taken:
    """The same inside a transaction that somebody else commits. `settles`: what is held is decided
    again: of keys that move, and what the store refused before."""
    batch = number(shares)

    # What a batch tells of its clocks counts for all of its events, whichever came first: a run
    # parts a log into epochs (rules R14), and a clock that started again is not believed (R13).
    reconsider = learn_runs(transaction, batch.arrivals) and settles
    suspected = screen(transaction, batch.arrivals)

    # What belongs to no table has numbers too, behind all others.
    first = len(batch.arrivals)
    others = [replace(one, number=index) for index, one in enumerate(loose, first)]
    decisions = settle_without_rows(transaction, None, others, provenance)
    closed: list[Settled] = []
    for spec, arrivals in batch.tables:
        settlement = apply(
            transaction,
            spec,
            arrivals,
            token,
            provenance,
            reconsider=reconsider,
            suspected=suspected,
            settles=settles,
        )
        decisions |= settlement.decisions
        closed += settlement.closed

    # Every delivery ends in exactly one outcome (rules R1). Where a batch is one
    # transaction, nothing is committed before this holds.
    expected = range(first + len(loose))
    if sorted(decisions) != list(expected):
        raise BooksUnbalanced
    specs = {spec.name: spec for spec, _ in batch.tables}
    # Where the caller's own SQL writes the rows, it does so after this.
    if settles and all(spec.writes_rows for spec in specs.values()):
        settling = Settling(transaction, token, specs)
        # A snapshot run is known of a whole log (rules R14), which may tell of every table.
        if reconsider:
            closed += settling.reconsider(but=specs)
        closed += settling.run()
    closed += hear(transaction, list(specs.values()), token)
    return Taken([decisions[index] for index in expected], closed)


def number(shares: Sequence[Share]) -> Numbered:
    """Number the deliveries of a batch."""
    batch = Numbered(arrivals=[], tables=[])
    for spec, events in shares:
        arrivals = arrivals_of(events, len(batch.arrivals))
        batch.arrivals.extend(arrivals)
        batch.tables.append((spec, arrivals))
    return batch


class _One(NamedTuple):
    """A delivery of a batch that is taken in parts, with its number in the whole batch."""

    number: int
    spec: TableSpec
    event: Event

    @property
    def key(self) -> Key:
        """Table and entity of its row; "" of what concerns the whole table."""
        event = self.event
        return self.spec.name, "" if event.key is None else event.entity

    @property
    def concerns_all(self) -> bool:
        """May it decide what is held of any key: a truncate, or a run of snapshots?"""
        return self.event.kind is Kind.TRUNCATE or self.event.snapshot_run is not None


def _parted(ones: Sequence[_One], undone: Undone) -> tuple[list[_One], list[_One]]:
    """The deliveries that undid a transaction for certain, and the others."""
    counts = Counter(one.key for one in ones)
    certain: list[_One] = []
    rest: list[_One] = []
    for one in ones:
        # Of a key with several deliveries it may be any of them.
        is_told = one.key in undone.keys and counts[one.key] == 1
        is_alone = len(ones) == 1
        if is_told or is_alone:
            certain.append(one)
        else:
            rest.append(one)
    return certain, rest


class Parts:
    """A batch that the store undid as a whole, in smaller ones: any cut is right, since neither the
    order nor the batch changes what is decided (rules R9). Nothing that is held is decided with
    them: it must not stand in the way of those that came."""

    def __init__(
        self,
        store: Store,
        now: float,
        token: str,
        provenance: str,
        *,
        dry: bool = False,
    ) -> None:
        self._store = store
        self._now = now
        self._token = token
        self._provenance = provenance
        self._dry = dry
        self._decisions: dict[int, Decision] = {}

    def take(
        self,
        shares: Sequence[Share],
        loose: Sequence[Judged],
        frontier: tuple[str, str] | None = None,
    ) -> Taken:
        """Decide and write it. What undoes a transaction alone is held with the store's words."""
        ones: list[_One] = []
        for spec, arrivals in number(shares).tables:
            ones.extend(_One(one.number, spec, one.event) for one in arrivals)
        self._part(ones)

        # Last: what the frontier covers is not delivered again. What has no table undoes nothing.
        with self._transaction() as transaction:
            rest = take_in(
                transaction,
                [],
                loose,
                self._token,
                self._provenance,
                settles=False,
            )
            if frontier is not None:
                transaction.save_frontier(*frontier)
        decisions = [self._decisions[index] for index in range(len(ones))]
        return Taken(decisions + rest.decisions, rest.closed + self._settled(ones))

    def _settled(self, ones: Sequence[_One]) -> list[Settled]:
        """Decide again what is held of the keys that moved (a decision is true if it was applied),
        and what the store refused before; in a dry run nothing has moved."""
        if self._dry:
            return []
        specs = {one.spec.name: one.spec for one in ones}
        moved = dict.fromkeys(one.key for one in ones if self._decisions[one.number])
        return settle_waiting(
            self._store,
            specs,
            self._now,
            self._token,
            list(moved),
            everything=any(one.concerns_all for one in ones),
        )

    def _transaction(self) -> AbstractContextManager[Transaction]:
        return self._store.transaction(self._now, dry=self._dry)

    def _part(self, ones: Sequence[_One]) -> None:
        # Of a part in which everything is certain, nothing is left.
        if not ones:
            return
        try:
            self._whole(ones)
        except Undone as undone:
            self._cut(ones, undone)

    def _cut(self, ones: Sequence[_One], undone: Undone) -> None:
        """These together undid a transaction: find which."""
        certain, rest = _parted(ones, undone)
        # It ends: each part is smaller than the whole.
        if certain:
            self._hold(certain, undone)
            self._part(rest)
            return
        half = len(ones) // 2
        self._part(ones[:half])
        self._part(ones[half:])

    def _whole(self, ones: Sequence[_One]) -> None:
        events: dict[str, list[_One]] = {}
        for one in ones:
            events.setdefault(one.spec.name, []).append(one)
        shares = [Share(found[0].spec, [one.event for one in found]) for found in events.values()]
        with self._transaction() as transaction:
            taken = take_in(
                transaction,
                shares,
                (),
                self._token,
                self._provenance,
                settles=False,
            )
        self._note(chain.from_iterable(events.values()), taken.decisions)

    def _hold(self, ones: Sequence[_One], undone: Undone) -> None:
        """Hold what undoes a transaction."""
        reason = Reason.WAITING if undone.waits else Reason.MALFORMED
        with self._transaction() as transaction:
            for one in ones:
                judged = Judged(
                    number=0,
                    event=one.event,
                    reason=reason,
                    detail=str(undone),
                )
                transaction.open_table(one.spec)
                told = settle_without_rows(transaction, one.spec, [judged], self._provenance)
                self._note([one], told.values())

    def _note(self, ones: Iterable[_One], decisions: Iterable[Decision]) -> None:
        found = zip(ones, decisions, strict=True)
        self._decisions |= {one.number: decision for one, decision in found}
