"""Which kind each column of a table's key is: number, text or boolean.

The user's own column says it where it has a type; else what was declared; else the first event
that the store takes, or a memory of before kinds were kept. What was declared or learned is
recorded in the catalogue. An event whose key is of another kind is `malformed`: its row would be
another entity's, or a second one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from anyorder._core.batch import Arrival, identity_of
from anyorder._core.event import Event
from anyorder._core.key import KeyKind, Kinds
from anyorder._core.misfit import first_told, kinds_told, misfits, told_kinds
from anyorder.errors import StoreBusy
from anyorder.guard.contract import Recorded, TableSpec, Transaction

ATTEMPTS = 100  # times the catalogue is read again because another process recorded something
NOTHING = Recorded()
replace = msgspec.structs.replace


def with_kinds(transaction: Transaction, spec: TableSpec, events: Iterable[Event]) -> TableSpec:
    """A table that was opened, with all that is known of its key's kinds.

    A column of which nothing is known is of the kind that these events tell first; that is recorded
    in the same step. Raises StoreBusy if other processes never leave the catalogue alone.
    """
    events = list(events)
    # It ends: the catalogue is read again only after another process recorded something of this
    # table, and each does so once for what it learned.
    for _ in range(ATTEMPTS):
        recorded = transaction.recorded(spec.name)
        known = _known(transaction, spec, recorded)
        learned = _learned(transaction, spec, events, known)
        kinds = {**learned, **known}
        if _is_recorded(transaction, spec, recorded, learned):
            return replace(spec, kinds=kinds)
    raise StoreBusy(f"table {spec.name}: other processes recorded something of it {ATTEMPTS} times")


def unlearn(transaction: Transaction, spec: TableSpec, known: TableSpec) -> TableSpec:
    """The store refused the event that told a table's kinds: what is known of them without it.
    `known`: the table as it was before."""
    # What is remembered needs no event to tell it.
    kinds = known.kinds or _remembered(transaction, spec)
    recorded = transaction.recorded(spec.name) or NOTHING
    kept = {column: kind for column, kind in recorded.kinds.items() if column in kinds}
    if kept != recorded.kinds:
        # False: another process recorded something of it meanwhile, and has learned from us.
        transaction.record(spec.name, recorded, replace(recorded, kinds=kept))
    return replace(known, kinds=kinds)


def teacher(arrivals: Sequence[Arrival], kinds: Kinds) -> int | None:
    """The place of the first delivery that tells a kind which is not known; None if none does."""
    for place, arrival in enumerate(arrivals):
        told = told_kinds(arrival.event, kinds)
        # Nearly always the first one tells that all of them are known.
        if told:
            return None if told.keys() <= kinds.keys() else place
    return None


def lesson_of(
    arrivals: Sequence[Arrival], place: int, kinds: Kinds
) -> tuple[Sequence[Arrival], Sequence[Arrival]]:
    """What is decided together with the delivery at this place, which tells these kinds, and what
    comes after it: nearly always all fit, and are decided together."""
    if all(_fits(arrival.event, kinds) for arrival in arrivals):
        return arrivals, []
    first = arrivals[place].event
    lesson = list(arrivals[: place + 1])
    rest: list[Arrival] = []
    for arrival in arrivals[place + 1 :]:
        # Another copy would meet what this very attempt has written.
        into = lesson if _are_one(arrival.event, first) else rest
        into.append(arrival)
    return lesson, rest


def _are_one(event: Event, first: Event) -> bool:
    """Are they copies of one event?"""
    is_of_key = event.key == first.key
    return is_of_key and identity_of(event) == identity_of(first)


def _fits(event: Event, kinds: Kinds) -> bool:
    # What has no key contradicts none.
    if not event.key:
        return True
    return not misfits(
        event.key,
        kinds,
    )


def known_kinds(transaction: Transaction, spec: TableSpec) -> Kinds:
    """What is known of a table's kinds; nothing is learned."""
    return _known(transaction, spec, transaction.recorded(spec.name))


def _known(transaction: Transaction, spec: TableSpec, recorded: Recorded | None) -> Kinds:
    there = recorded or NOTHING
    dictated = transaction.key_kinds(spec)
    return {**there.kinds, **spec.kinds, **dictated}


def _learned(
    transaction: Transaction,
    spec: TableSpec,
    events: Iterable[Event],
    known: Kinds,
) -> Kinds:
    """The kinds of columns of which none is known."""
    fresh = first_told(events, known)
    # Only the first batch of a table brings such a column.
    if fresh.keys() <= known.keys():
        return {}
    # A table of before has memories, and goes on by their kinds.
    if not known:
        fresh |= _remembered(transaction, spec)
    return fresh


def _remembered(transaction: Transaction, spec: TableSpec) -> dict[str, KeyKind]:
    """The kinds of a key that is remembered; none of a table without memories."""
    # One look is enough: of before there may be several kinds, and then nobody knows better.
    memories = transaction.memories(spec)
    _, key, _ = next(memories, ("", {}, None))
    return kinds_told(key)


def _is_recorded(
    transaction: Transaction,
    spec: TableSpec,
    recorded: Recorded | None,
    learned: Kinds,
) -> bool:
    """Record what was learned or declared; False if another process recorded something."""
    there = recorded or NOTHING
    kinds = {**learned, **there.kinds, **spec.kinds}
    # Most batches say nothing new.
    if kinds == there.kinds:
        return True
    return transaction.record(spec.name, recorded, replace(there, kinds=kinds))
