"""Whose changes a table of the user's own code takes: those of the source tables that he names,
else of the one whose change it applied first (rules R1)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence

import msgspec

from anyorder._core.batch import Judged
from anyorder._core.event import Event, Kind
from anyorder._core.outcome import Reason
from anyorder.errors import StoreBusy
from anyorder.guard.contract import Recorded, TableSpec, Transaction
from anyorder.guard.intake import Share, Taken, take_in
from anyorder.guard.owners import admits, belongs, joined
from anyorder.guard.routes import NAMELESS, claims, origin_of
from anyorder.guard.targets import opened, record

ATTEMPTS = 100  # times a table is read again because another process recorded something of it
OWN = frozenset((Reason.APPLIED, Reason.DUPLICATE))
"""A change that ends so is of the table's own source table."""
replace = msgspec.structs.replace
ELSEWHERE = "give it to a table of its own; or, if they are one table, name both in source=[...]"


class Claim:
    """Of one table in one transaction.

    `owned`: what is recorded of the table (`declare`); as it is now holds once the transaction is
    committed. `provenance`: of all deliveries. `telling`: do they tell their source table, rather
    than what the user calls it? `settles`: what the store refused before is tried again.
    """

    def __init__(
        self,
        transaction: Transaction,
        spec: TableSpec,
        owned: Recorded,
        provenance: str,
        *,
        telling: bool,
    ) -> None:
        self.owned = owned
        self._transaction = transaction
        self._spec = spec
        self.provenance = provenance
        self._telling = telling
        self.settles = True
        self._token = ""

    def take(self, events: Sequence[Event], token: str = "") -> list[Taken]:
        """Decide and write events; those of another source table are `unrouted`. `token`: this
        attempt's at one event; by default each part has one of its own. Raises ConfigurationError,
        StoreError."""
        self._token = token
        taken: list[Taken] = []
        rest = list(events)
        # Until the table is somebody's, what could make it so is tried, source table by source
        # table. It ends with the first change that is applied, or with the events.
        while rest and not self.owned.source:
            size = self._first_source(rest)
            taken.append(self._tried(rest[:size]))
            rest = rest[size:]
        if rest:
            taken.append(self._taken(rest))
        return taken

    def _first_source(self, events: Sequence[Event]) -> int:
        """How many events there are before a second source table is told; of several, only up to
        the first change of the first one: whether that is applied decides about the others."""
        # The place of the first change of each source table, in the order of the events.
        first: dict[str, int] = {}
        for number, event in enumerate(events, 1):
            first.setdefault(self._source(event), number)
        first.pop(NAMELESS, None)
        if len(first) > 1:
            return min(first.values())
        return len(events)

    def _tried(self, events: Sequence[Event]) -> Taken:
        """Take events of one source table, which may make the table its own."""
        before = self.owned
        taken = self._taken(events)
        told = self._told(events)
        # What tells no source table may well be applied, and says nothing of whose it is.
        ends = {one.reason for one in taken.decisions if self._source(one.event) in told}
        # It was recorded first, for stores where another process may do so meanwhile.
        ours = [joined(before, source) for source in told]
        # What the batch has learned of the key's kinds is nobody's claim, and stays.
        owned = replace(self.owned, kinds=before.kinds)
        if owned in ours and ends.isdisjoint(OWN):
            there = self._transaction.recorded(self._spec.name) or before
            undone = replace(before, kinds=there.kinds)
            claimed = replace(owned, kinds=there.kinds)
            self._transaction.record(self._spec.name, claimed, undone)
            self.owned = undone
        return taken

    def _taken(self, events: Sequence[Event]) -> Taken:
        told = self._told(events)
        # Most batches are of one source table, which is known: then nothing is asked.
        if not told.issubset(self.owned.sources):
            self.owned = self._owning(told)
        # What was merged once stays so, whatever is declared by now.
        spec = replace(self._spec, merge=self.owned.merge)
        share = Share(spec, events)
        if not told.issubset(self.owned.sources):
            share = self._parted(share)
        # A part that meets the token of another would take its own duplicates for applied.
        token = self._token or secrets.token_hex(4)
        return take_in(
            self._transaction,
            [share],
            (),
            token,
            self.provenance,
            settles=self.settles,
        )

    def _owning(self, sources: Collection[str]) -> Recorded:
        """What is recorded of the table, with those of these source tables that it may have."""
        # It ends: a round is lost only to another process that recorded something of the table.
        for _ in range(ATTEMPTS):
            target = opened(self._transaction, self._spec)
            owned = target.known
            # In one order, whatever the set's: of two that would both be the first, one is.
            for source in sorted(sources):
                if admits(owned, self._spec, source):
                    owned = joined(owned, source)
            if record(self._transaction, target, owned):
                return owned
        raise StoreBusy(
            f"table {self._spec.name}: other processes recorded something of it {ATTEMPTS} times"
        )

    def _parted(self, share: Share) -> Share:
        """A share without what is another source table's; that is judged."""
        own: list[Event] = []
        refused: list[Judged] = []
        lost = self._lost(share.events)
        for event in share.events:
            # A hint says no more than its topic: it goes where the changes of its topic go.
            follows = event.kind is Kind.HINT and event.delivery.topic in lost
            if follows or self._is_foreign(event):
                refused.append(self._refused(event))
            else:
                own.append(event)
        return Share(share.spec, own, refused)

    def _lost(self, events: Sequence[Event]) -> set[str]:
        """The topics by which changes of other source tables come, and none of the table's own."""
        # By whether they are another's: a topic may bring both, as a queue does.
        topics: dict[bool, set[str]] = {True: set(), False: set()}
        for event in filter(claims, events):
            topics[self._is_foreign(event)].add(event.delivery.topic)
        return topics[True] - topics[False]

    def _is_foreign(self, event: Event) -> bool:
        return self._source(event) not in (NAMELESS, *self.owned.sources)

    def _refused(self, event: Event) -> Judged:
        _, _, source = origin_of(event)
        told = belongs(self.owned, self._spec.name, source)
        # Numbered with the batch that it is held in.
        return Judged(
            number=0,
            event=event,
            reason=Reason.UNROUTED,
            detail=f"{told}: {ELSEWHERE}",
        )

    def _told(self, events: Sequence[Event]) -> set[str]:
        """The source tables that these events tell."""
        return set(map(self._source, events)) - {NAMELESS}

    def _source(self, event: Event) -> str:
        """The source table that a change tells, NAMELESS if it tells none."""
        # What claims nothing, as a hint, goes where it was given.
        if self._telling and claims(event):
            return origin_of(event)[2]
        return NAMELESS
