"""A batch that the store undid as a whole, in smaller ones.

Any cut is right, since neither the order nor the batch changes what is decided (rules R9). Nothing
that is held is decided with them: it must not stand in the way of those that came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import chain, count
from typing import NamedTuple

from anyorder._core.batch import Decision, Judged, Settled
from anyorder._core.event import Event, Kind
from anyorder._core.outcome import Reason
from anyorder.errors import Undone
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.intake import Share, Taken, take_in, together
from anyorder.guard.settle import settle_without_rows
from anyorder.guard.waiting import Key, settle_waiting

TakePart = Callable[[Transaction, Sequence[Share], str], Sequence[Taken]]
"""Decides and writes shares inside a transaction, with the token of this attempt; nothing that is
held is decided again."""


class Part(NamedTuple):
    """One delivery to a table, with its number in the batch; `refused`: it is not the table's own,
    and judged."""

    number: int
    spec: TableSpec
    event: Event
    refused: Judged | None = None

    @property
    def key(self) -> Key:
        """Table and entity of its row; "" of what concerns the whole table."""
        event = self.event
        return self.spec.name, "" if event.key is None else event.entity

    @property
    def concerns_all(self) -> bool:
        """May it decide what is held of any key: a truncate, or a run of snapshots?"""
        return self.event.kind is Kind.TRUNCATE or self.event.snapshot_run is not None


MOVING = frozenset({Reason.APPLIED, Reason.CONFLICT})
"""What a decision may come to whose row moved."""


class Parts:
    """Of one batch. `now`: seconds since 1970. `token`: the batch's; each attempt has one of its
    own. `provenance`: of all deliveries."""

    def __init__(
        self,
        store: Store,
        now: float,
        token: str,
        provenance: str,
        take_part: TakePart,
        *,
        dry: bool = False,
    ) -> None:
        self._store = store
        self._now = now
        self._token = token
        self._provenance = provenance
        self._take_part = take_part
        self._dry = dry
        self._attempts = 0
        self._decisions: dict[int, Decision] = {}

    def take(self, shares: Sequence[Share]) -> Taken:
        """Decide and write them; the decisions in the order of the deliveries. What undoes a
        transaction alone is held with the store's words."""
        closed = self._taken(parted(shares))
        return Taken([self._decisions[number] for number in sorted(self._decisions)], closed)

    def settle(self, shares: Sequence[Share]) -> list[Settled]:
        """Decide again what is held of the keys that moved, and what the store refused before;
        last, when all that came is taken. The entries that closed."""
        # What was tried is written nowhere, so nothing has moved.
        if self._dry:
            return []
        parts = parted(shares)
        specs = {one.spec.name: one.spec for one in parts}
        # The greater of two contents moves the row, too, and is held (rules R12).
        entities = {one.event.entity for one in self._decisions.values() if one.reason in MOVING}
        moved = dict.fromkeys(one.key for one in parts if one.event.entity in entities)
        return settle_waiting(
            self._store,
            specs,
            self._now,
            self._attempt(),
            list(moved),
            everything=any(one.concerns_all for one in parts),
        )

    def _attempt(self) -> str:
        # One that meets the token of another would take its own duplicates for applied.
        self._attempts += 1
        return f"{self._token}.{self._attempts}"

    def _transaction(self) -> AbstractContextManager[Transaction]:
        return self._store.transaction(self._now, dry=self._dry)

    def _taken(self, parts: Sequence[Part]) -> list[Settled]:
        # Of a batch in which everything is certain, nothing is left.
        if not parts:
            return []
        tables = by_table(parts)
        try:
            with self._transaction() as transaction:
                taken = self._take_part(transaction, joined(tables), self._attempt())
        except Undone as undone:
            return self._cut(parts, undone)
        whole = together(taken)
        self._note(list(chain.from_iterable(tables)), whole.decisions)
        return whole.closed

    def _cut(self, parts: Sequence[Part], undone: Undone) -> list[Settled]:
        """These together undid a transaction: find which."""
        certain, rest = told(parts, undone)
        # It ends: each part is smaller than the whole.
        if certain:
            self._hold(certain, undone)
            return self._taken(rest)
        half = len(parts) // 2
        return self._taken(parts[:half]) + self._taken(parts[half:])

    def _hold(self, parts: Sequence[Part], undone: Undone) -> None:
        """Hold what undoes a transaction."""
        reason = Reason.WAITING if undone.waits else Reason.MALFORMED
        with self._transaction() as transaction:
            for one in parts:
                judged = Judged(
                    number=0,
                    event=one.event,
                    reason=reason,
                    detail=str(undone),
                    retry=undone.waits,
                )
                transaction.open_table(one.spec)
                found = settle_without_rows(transaction, one.spec, [judged], self._provenance)
                self._note([one], list(found.values()))

    def _note(self, parts: Sequence[Part], decisions: Sequence[Decision]) -> None:
        found = zip(parts, decisions, strict=True)
        self._decisions |= {one.number: decision for one, decision in found}


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
    """Decide and write a batch, in one transaction where the store lets it.

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
        parts = Parts(store, now, token, provenance, _taking(provenance), dry=dry)
        taken = parts.take(shares)
        # Last: what the frontier covers is not delivered again. What has no table undoes nothing.
        with store.transaction(now, dry=dry) as transaction:
            rest = take_in(transaction, [], loose, token, provenance, settles=False)
            if frontier is not None:
                transaction.save_frontier(*frontier)
        return together([taken, rest, Taken([], parts.settle(shares))])


def _taking(provenance: str) -> TakePart:
    def take_part(
        transaction: Transaction,
        shares: Sequence[Share],
        token: str,
    ) -> Sequence[Taken]:
        return [take_in(transaction, shares, (), token, provenance, settles=False)]

    return take_part


def parted(shares: Sequence[Share]) -> list[Part]:
    """The deliveries of shares, each by itself."""
    parts: list[Part] = []
    numbers = count()
    for share in shares:
        parts.extend(Part(next(numbers), share.spec, event) for event in share.events)
        parts.extend(Part(next(numbers), share.spec, one.event, one) for one in share.refused)
    return parts


def by_table(parts: Sequence[Part]) -> list[list[Part]]:
    """Deliveries of each table; what is refused comes last."""
    tables: dict[str, list[Part]] = {}
    for one in parts:
        tables.setdefault(one.spec.name, []).append(one)
    return [sorted(found, key=lambda one: one.refused is not None) for found in tables.values()]


def joined(tables: Sequence[Sequence[Part]]) -> list[Share]:
    """One share for each table."""
    shares: list[Share] = []
    for found in tables:
        events: list[Event] = []
        refused: list[Judged] = []
        for one in found:
            if one.refused is None:
                events.append(one.event)
            else:
                refused.append(one.refused)
        shares.append(Share(found[0].spec, events, refused))
    return shares


def told(parts: Sequence[Part], undone: Undone) -> tuple[list[Part], list[Part]]:
    """The deliveries that undid a transaction for certain, and the others."""
    counts = Counter(one.key for one in parts)
    certain: list[Part] = []
    rest: list[Part] = []
    for one in parts:
        # Of a key with several deliveries it may be any of them.
        is_told = one.key in undone.keys and counts[one.key] == 1
        is_alone = len(parts) == 1
        if is_told or is_alone:
            certain.append(one)
        else:
            rest.append(one)
    return certain, rest
