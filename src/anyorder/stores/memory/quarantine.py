"""The quarantine of the store in memory: which entry a delivery goes into, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set

import msgspec

from anyorder._core.batch import Held, Settled
from anyorder._core.event import Delivery, Event, canonical
from anyorder._core.outcome import Reason
from anyorder.guard.contract import (
    Closing,
    Content,
    Decode,
    Entry,
    EntryQuery,
    Holding,
    Listing,
    TableSpec,
    Word,
)
from anyorder.stores.memory.state import State

replace = msgspec.structs.replace


class MemoryQuarantine:
    """The part of a transaction that keeps deliveries: see `contract.Transaction`."""

    def __init__(self, state: State, now: float, decode: Decode | None) -> None:
        self._state = state
        self._now = now
        self._decode = decode
        self._asked = False

    def held(self, table: str, wanted: Set[str]) -> dict[str, list[Held]]:
        """What open entries hold of these keys, by entity."""
        found: dict[str, list[Held]] = {}
        for entry in self._state.entries.values():
            if entry.state == "open" and entry.table == table:
                for one in self._events(entry):
                    if one.event.entity in wanted:
                        found.setdefault(one.event.entity, []).append(one)
        return found

    def _events(self, entry: Entry) -> Iterator[Held]:
        """The events that an entry holds, of those that have a key and can be decoded."""
        if self._decode is None:
            return
        for one in _told(entry):
            event = self._decode(one.provenance, one.delivery or Delivery())
            if event.key is not None:
                yield Held(entry.id, event, one.provenance, one.number)

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        return [self._hold(holding) for holding in holdings]

    def _hold(self, holding: Holding) -> Listing:
        key = holding.event.key if holding.entity else None
        there = [
            entry
            for entry in self._state.entries.values()
            if (entry.table, entry.key) == (holding.table, key)
        ]
        alone = _alone(there, holding)
        if alone is not None:
            self.settle(alone.id, "settled", Reason.CONFLICT)
            there = [self._state.entries[one.id] for one in there]
        known = _listing(there, holding)
        entry = self._entry_for(there, holding, key) if known is None else self._kept(known)
        if entry.state == "open":
            entry = replace(entry, contents=_with(entry.contents, holding.contents))
        self._state.entries[entry.id] = replace(entry, count=entry.count + 1, last_seen=self._now)
        return known or Listing(entry.id, is_new=alone is None)

    def _kept(self, kept: Listing) -> Entry:
        return self._state.entries[kept.entry]

    def _entry_for(
        self, there: Sequence[Entry], holding: Holding, key: dict[str, object] | None
    ) -> Entry:
        """The entry that a delivery goes into: an open one of its position, a settled one that is
        open again, or a new one."""
        last = _last(there, holding)
        if last is not None and last.state == "open":
            return last
        identity = holding.identity
        if last is not None and last.state != "settled":
            identity, last = holding.identity_after(last.identity), None
        number = last.id if last is not None else len(self._state.entries) + 1
        detail = holding.detail or holding.event.note
        if holding.retry:
            self._state.retries.add(number)
        return Entry(
            number,
            holding.table,
            key,
            holding.reason.value,
            detail,
            "open",
            self._now,
            self._now,
            0,
            identity,
            holding.event.delivery if last is None else last.delivery,
            holding.provenance if last is None else last.provenance,
            contents=() if last is None else last.contents,
        )

    def settle(self, entry: int, state: str, reason: Reason, word: Word | None = None) -> None:
        held = self._state.entries[entry]
        # A word that was given stays.
        if held.state != "open":
            return
        detail = f"{held.detail}; then {reason.value}" if held.detail else reason.value
        chosen, listed, _ = word or Word()
        contents = [replace(one, chosen=one.number in chosen) for one in held.contents]
        self._state.entries[entry] = replace(
            held,
            state=state,
            detail=detail,
            last_seen=self._now,
            closed=self._now,
            contents=_with(contents, listed),
        )

    def settle_all(self, closings: Sequence[Closing]) -> None:
        for one in closings:
            self.settle(one.entry, one.state, one.reason, one.word)

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        held = self._state.entries[entry]
        if held.state == "open":
            self._state.entries[entry] = replace(
                held, reason=reason.value, detail=detail, provenance=provenance
            )

    def held_entities(self, spec: TableSpec) -> list[str]:
        found = [
            entry
            for entry in self._state.entries.values()
            if entry.state == "open" and entry.table == spec.name and entry.key is not None
        ]
        return sorted({canonical(entry.key) for entry in found})

    def try_again(self, entry: int) -> None:
        self._state.retries.add(entry)

    def any_refused(self) -> bool:
        held = (self._state.entries[number] for number in self._state.retries)
        return any(entry.state == "open" for entry in held)

    def settleable(self) -> list[tuple[str, str]]:
        # It refuses nothing itself; a store that is made from it may, and cannot say why.
        asked, self._asked = self._asked, True
        if asked:
            return []
        held = (self._state.entries[number] for number in sorted(self._state.retries))
        return [
            (entry.table, canonical(entry.key))
            for entry in held
            if entry.state == "open" and entry.key
        ]

    def crossing(self) -> list[list[tuple[str, str]]]:
        return []

    def together(
        self,
        keys: Sequence[tuple[str, str]],
        take: Callable[[Sequence[tuple[str, str]]], list[Settled]],
    ) -> list[Settled]:
        return take(keys)

    def ring(self, spec: TableSpec, event: Event) -> list[str]:
        return []

    def postpone(self, table: str, entity: str) -> None:
        """Nothing that it does undoes a transaction."""

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        for entry in tuple(self._state.entries.values()):
            if query.selects(entry):
                yield replace(entry, delivery=None, contents=())

    def open_entries(self) -> int:
        return sum(entry.state == "open" for entry in self._state.entries.values())

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        return {one for one in numbers if self._state.entries[one].state == "open"}

    def entry(self, number: int) -> Entry | None:
        return self._state.entries.get(number)

    def entries_among(self, numbers: Sequence[int]) -> list[Entry]:
        found = map(self.entry, numbers)
        return [entry for entry in found if entry is not None]

    def event(self, number: int) -> Event | None:
        entry = self._state.entries.get(number)
        return (
            None
            if entry is None or entry.delivery is None or self._decode is None
            else self._decode(entry.provenance, entry.delivery)
        )

    def quarantine_size(self) -> int:
        return sum(
            len(entry.delivery.value or b"")
            for entry in self._state.entries.values()
            if entry.delivery is not None
        )


def _told(entry: Entry) -> list[Content]:
    """What an entry holds that came by a delivery."""
    own = Content(0, entry.identity, entry.delivery, entry.provenance)
    return [one for one in entry.contents or (own,) if one.delivery is not None]


def _listing(there: Sequence[Entry], holding: Holding) -> Listing | None:
    """What the latest entry says that lists this delivery, and is open or closed by a word."""
    # A dispute is of a position, not of one content.
    names = {holding.content, "" if holding.contents else holding.identity} - {""}
    states = {"open"} if holding.claims else {"open", "accepted", "dropped"}
    for entry in reversed(there):
        found = [one for one in entry.contents if one.identity in names]
        if entry.state in states and (found or entry.identity in names):
            chosen = found[0].chosen if found else entry.state == "accepted"
            return Listing(entry.id, False, entry.state, chosen)
    return None


def _alone(there: Sequence[Entry], holding: Holding) -> Entry | None:
    """The open entry that holds alone what a dispute lists from now on."""
    for entry in there:
        is_alone = entry.state == "open" and entry.identity == holding.content
        if holding.contents and is_alone:
            return entry
    return None


def _last(there: Sequence[Entry], holding: Holding) -> Entry | None:
    """The latest entry of this identity."""
    for entry in reversed(there):
        if entry.identity == holding.identity or entry.identity.startswith(holding.later):
            return entry
    return None


def _with(listed: Sequence[Content], contents: Sequence[Content]) -> tuple[Content, ...]:
    """What an entry lists, and what is new to it of these contents."""
    found = list(listed)
    for one in contents:
        if one.identity not in {each.identity for each in found}:
            found.append(replace(one, number=len(found) + 1))
    return tuple(found)
