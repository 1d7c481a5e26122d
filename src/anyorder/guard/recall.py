"""What is remembered of keys, and which clocks are suspected of having started again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from anyorder._core.batch import Held
from anyorder._core.event import Event
from anyorder._core.misfit import decidable
from anyorder.guard.contract import Remembered, TableSpec, Transaction
from anyorder.guard.own_sql import is_by_own_sql

replace = msgspec.structs.replace
NOTHING = Remembered(None)


def recall(
    transaction: Transaction,
    spec: TableSpec,
    entities: Sequence[str],
) -> dict[str, Remembered]:
    """What is remembered of these keys, with the open entries that may settle."""
    known = transaction.remembered(spec, entities)
    waiting = {entity: there for entity, there in known.items() if there.held}
    # Most batches touch nothing that is held.
    if not waiting:
        return known
    decided: dict[str, list[Held]] = {}
    for entity, there in waiting.items():
        # An entry that is of another key by now waits for `quarantine retry`.
        # And what the caller's own code held waits for that.
        others = [one for one in there.held if not is_by_own_sql(one.provenance)]
        decided[entity] = decidable(
            entity,
            others,
            spec.name,
            spec.kinds,
        )

    # Only a person's word ends a suspicion (rules R13). Until then what such a clock told is not
    # decided again, or the first key that moves would let the doubtful events in.
    suspected = _suspected(transaction, chain.from_iterable(decided.values()))
    for entity, held in decided.items():
        known[entity] = replace(waiting[entity], held=tuple(_trusted(held, suspected)))
    return known


def recall_one(transaction: Transaction, spec: TableSpec, entity: str) -> Remembered:
    """What is remembered of one key, read now."""
    found = transaction.remembered(spec, [entity]).get(entity, NOTHING)
    # A store may leave the first look to its write (`Remembered.unread`), never the second.
    if found.unread:
        found = transaction.remembered(spec, [entity]).get(entity, NOTHING)
    return found


def held_there(transaction: Transaction, spec: TableSpec, event: Event) -> list[Held]:
    """What the open entries of an event's key hold, whoever writes the rows."""
    # A truncate is held under no key, and of what cannot be decoded nobody knows it.
    if event.key is None:
        return []
    # A store tells what is held only to those who write them.
    writing = replace(spec, writes_rows=True)
    there = recall_one(
        transaction,
        writing,
        event.entity,
    )
    return list(there.held)


def unsuspected(transaction: Transaction, held: Sequence[Held]) -> list[Held]:
    """Those of these entries whose clocks are not suspected of having started again."""
    return _trusted(held, _suspected(transaction, held))


def _suspected(transaction: Transaction, held: Iterable[Held]) -> set[str]:
    """The clocks of these entries that are suspected."""
    clocks = {clock_of(one.event) for one in held}
    # What has no growing clock is never suspected.
    clocks.discard("")
    # Most batches hold nothing: then nothing is read.
    if not clocks:
        return clocks
    growths = transaction.growths(sorted(clocks))
    # A clock that nobody has watched yet cannot have contradicted itself.
    return {clock for clock, growth in growths.items() if growth.suspected}


def _trusted(held: Sequence[Held], suspected: set[str]) -> list[Held]:
    return [one for one in held if clock_of(one.event) not in suspected]


def suspected_clock(transaction: Transaction, event: Event) -> str:
    """The clock of an event if it is suspected of having started again, by its scope; "" if not."""
    scope = clock_of(event)
    # What has no growing clock is never suspected.
    growth = transaction.growths([scope]).get(scope) if scope else None
    return scope if growth is not None and growth.suspected else ""


def clock_of(event: Event) -> str:
    """The growing clock of an event, by its scope; "" if it has none that should only grow."""
    # What cannot be decoded has no clock at all.
    if event.position is None:
        return ""
    # Versions that count for each key, and times, are not watched as a whole (rules R13).
    return event.position.clock()
