"""The keys of a batch on their way into the store: decided on what is remembered, written, and
decided again where another writer was quicker."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from anyorder._core.batch import CONFLICT, Arrival, Coalesced, Judged, StillHeld, coalesce, replace
from anyorder._core.event import Event
from anyorder._core.fold import Limits
from anyorder.guard.contents import Listing
from anyorder.guard.contract import (
    Answer,
    Holding,
    Lost,
    Refused,
    Remembered,
    Replaced,
    TableSpec,
    Transaction,
    Write,
)
from anyorder.guard.holdings import dispute, disputes, tie, ties
from anyorder.guard.own_content import content_before, with_own_content
from anyorder.guard.recall import NOTHING, recall
from anyorder.guard.refusals import ATTEMPTS, busy, one_by_one

Keys = dict[str, list[Arrival]]
"""The deliveries of each key; none where only what is held of it is decided again."""


NO_ENTRIES: frozenset[int] = frozenset()
NO_NAMES: frozenset[str] = frozenset()


class Plan(NamedTuple):
    """What a round comes to: each key's share, the writes of those that moved, and those that did
    not move although nobody looked. `open`: the shares of which something may be undecided."""

    shares: dict[str, Coalesced]
    writes: list[Write]
    unseen: list[str]
    open: dict[str, Coalesced]


def plan(
    keys: Keys,
    known: Mapping[str, Remembered],
    limits: Limits,
    *,
    reconsider: bool = False,
) -> Plan:
    """Decide every key of a round on what is remembered of it. Pure."""
    made = Plan(shares={}, writes=[], unseen=[], open={})
    for entity, arrivals in keys.items():
        there = known.get(entity, NOTHING)
        share = coalesce(
            there.memory,
            arrivals,
            there.held,
            # Where a store keeps several floors, a key is decided under its own.
            there.limits or limits,
            reconsider=reconsider,
        )
        made.shares[entity] = share
        if share.is_open:
            made.open[entity] = share
        if share.moved:
            write = Write(
                entity,
                _first(arrivals, there).key or {},
                share.before,
                share.after,
                share.written,
                share.ended,
            )
            made.writes.append(write)
        elif there.unread:
            # "Nothing to do" was decided on a memory that nobody has read: it is no answer yet.
            made.unseen.append(entity)
    return made


def _with_held(there: Remembered, only: Collection[int]) -> Remembered:
    """What is remembered of a key, with these of its open entries."""
    return replace(there, held=tuple(one for one in there.held if one.entry in only))


def _first(arrivals: Sequence[Arrival], there: Remembered) -> Event:
    """An event of a key."""
    # A key that only an entry of the quarantine moved has no delivery in this batch.
    first = arrivals[0] if arrivals else there.held[0]
    return first.event


class Writing:
    """A batch's keys in one table. `provenance`: of its deliveries, for what is held. `settles`:
    what is held of a key is decided with what came; `only` these entries of it, where they are
    named.

    `shares`: how each key came out. `contents`: what the rows of disputed keys were before this
    batch. `early`: what the quarantine said of the disputes that were held before their rows were
    written, by number.
    """

    def __init__(
        self,
        transaction: Transaction,
        spec: TableSpec,
        token: str,
        provenance: str,
        *,
        reconsider: bool,
        settles: bool = True,
        only: Collection[int] | None = None,
    ) -> None:
        self.shares: dict[str, Coalesced] = {}
        self.contents: dict[str, object] = {}
        self.early: dict[int, Listing] = {}
        self.provenance = provenance
        self._transaction = transaction
        self._spec = spec
        self._token = token
        self._reconsider = reconsider
        # What is held may be what undid the transaction: then only what came is decided.
        self._only = only if settles else NO_ENTRIES

    def run(self, keys: Keys, limits: Limits) -> None:
        """Decide and write these keys, until the store took each as it was decided."""
        # A store without a transaction around read and write may find that somebody else moved a
        # key in between; such a key is decided again on what is there now. A round that goes on is
        # one in which another writer was taken, so together the writers always get on.
        for _ in range(ATTEMPTS):
            lost = self._attempt(keys, limits)
            if not lost:
                return
            keys = {entity: keys[entity] for entity in lost}
            limits = self._transaction.open_table(self._spec)
        raise busy(self._spec, ", ".join(lost[:3]))

    def named(self) -> set[str]:
        """The columns that these events name, also those that another one overtook. What is held
        says nothing yet, unless it is one of two contents of a position: either may be shown."""
        named: set[str] = set()
        for share in self.shares.values():
            for one in share.judged:
                is_shown = one.reason is CONFLICT or not one.reason.quarantined
                if is_shown:
                    named.update(
                        one.event.fields or NO_NAMES,
                        one.event.holes,
                    )
            for entry in share.settled:
                event = entry.held.event
                named.update(
                    event.fields or NO_NAMES,
                    event.holes,
                )
        return named

    def hold_ties(self, entity: str, share: Coalesced) -> None:
        """What was held alone and is a tie by now goes into the entry of its dispute (rules
        R12)."""
        row = self.contents.get(entity)
        holdings = [
            tie(self._spec.name, entity, share, one, row, self.provenance)
            for one in ties(self._transaction, share)
        ]
        if holdings:
            self._transaction.hold(holdings)

    def _attempt(self, keys: Keys, limits: Limits) -> list[str]:
        """One round; the keys that need another one."""
        known = self._known(list(keys))
        keys = with_own_content(self._transaction, self._spec, keys, known)
        planned = plan(keys, known, limits, reconsider=self._reconsider)
        self.shares |= planned.shares
        self._note_disputes(planned)
        lost = planned.unseen

        # The store answers only for what it did not take as it was decided.
        for answer in self._written(planned.writes, limits):
            entity = answer.entity
            arrivals = keys[entity]
            match answer:
                case Lost():
                    lost.append(entity)
                case Replaced():
                    self._replaced(answer, arrivals, limits)
                case Refused():
                    there = known.get(entity, NOTHING)
                    self._refused(answer, arrivals, there, limits)
        return lost

    def _known(self, entities: Sequence[str]) -> dict[str, Remembered]:
        known = recall(self._transaction, self._spec, entities)
        if self._only is None:
            return known
        return {entity: _with_held(there, self._only) for entity, there in known.items()}

    def _written(self, writes: Sequence[Write], limits: Limits) -> Sequence[Answer]:
        # Often nothing moves: then the store is not asked.
        if not writes:
            return ()
        return self._transaction.write(
            self._spec,
            writes,
            limits,
            self._token,
        )

    def _replaced(self, answer: Replaced, arrivals: Sequence[Arrival], limits: Limits) -> None:
        """It was written over another memory than it was decided on."""
        # That memory was older for certain, so the row is right; only labels may differ.
        share = coalesce(answer.memory, arrivals, (), limits)
        self.shares[answer.entity] = share

    def _refused(
        self,
        refused: Refused,
        arrivals: Sequence[Arrival],
        there: Remembered,
        limits: Limits,
    ) -> None:
        """The store refuses the folded content."""
        # What becomes of each alone nobody knows yet.
        if there.memory is not None:
            self._note_content(refused.entity, _first(arrivals, there))
        # Nothing of it is released (rules R9): the events are decided one by one.
        share = one_by_one(
            self._transaction,
            self._spec,
            arrivals,
            there,
            limits,
            self._token,
            refused,
        )
        # What was held as a dispute before stays where it is, whatever it is held for by now.
        self.shares[refused.entity] = share

    def _note_disputes(self, planned: Plan) -> None:
        """Remember what the rows of disputed keys are before this batch writes them."""
        # The entry of a dispute lists every content (rules R12), and after the write the row tells
        # only one of them.
        for entity, share in planned.open.items():
            told: Iterable[Judged | StillHeld] = chain(share.judged, share.still)
            disputed = next(filter(disputes, told), None)
            if disputed is not None:
                self._note_content(entity, disputed.event)

        # Where row and quarantine are two steps, a dispute is held first, since after a crash in
        # between the other content would be lost.
        if not self._transaction.atomic:
            self._hold_disputes(planned)

    def _note_content(self, entity: str, event: Event) -> None:
        # In a later round of the same batch it is known already.
        if entity not in self.contents:
            before = self.shares[entity].before
            self.contents[entity] = content_before(self._transaction, self._spec, before, event)

    def _hold_disputes(self, planned: Plan) -> None:
        holdings: dict[int, Holding] = {}
        for write in planned.writes:
            share = planned.shares[write.entity]
            self.hold_ties(write.entity, share)
            holdings |= self._disputes_of(write.entity, share)
        if not holdings:
            return
        new = self._transaction.hold(holdings.values())
        self.early |= dict(zip(holdings, new, strict=True))

    def _disputes_of(self, entity: str, share: Coalesced) -> dict[int, Holding]:
        content = self.contents.get(entity)
        found: dict[int, Holding] = {}
        for one in share.judged:
            # In a later round of the same batch it is held already.
            is_new = one.number not in self.early
            if is_new and disputes(one):
                found[one.number] = dispute(
                    self._spec.name,
                    entity,
                    share,
                    one,
                    content,
                    self.provenance,
                )
        return found
