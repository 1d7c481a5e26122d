"""What is remembered of keys, and which clocks are suspected of having started again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from anyorder._core.batch import Held
from anyorder._core.event import Event
from anyorder.guard.contract import Remembered, TableSpec, Transaction

NOTHING = Remembered(None)


def recall(
    transaction: Transaction, spec: TableSpec, entities: Sequence[str]
) -> dict[str, Remembered]:
    """What is remembered of these keys, with the open entries that may settle."""
    known = transaction.remembered(spec, entities)
    # Only a person's word ends a suspicion (rules R13), so what such a clock told stays held.
    held = [one.event for there in known.values() for one in there.held]
    suspected = suspected_clocks(transaction, held)
    if not suspected:
        return known
    return {entity: _without(there, suspected) for entity, there in known.items()}


def _without(there: Remembered, suspected: set[str]) -> Remembered:
    held = (one for one in there.held if clock_of(one.event) not in suspected)
    return there._replace(held=tuple(held))


def recall_one(transaction: Transaction, spec: TableSpec, entity: str) -> Remembered:
    """What is remembered of one key, read now."""
    found = transaction.remembered(spec, [entity]).get(entity, NOTHING)
    if not found.unread:
        return found
    # A store may leave the first look to its write (`Remembered.unread`), never the second.
    return transaction.remembered(spec, [entity]).get(entity, NOTHING)


def suspected_clocks(transaction: Transaction, events: Iterable[Event]) -> set[str]:
    """The clocks of these events that are suspected of having started again (rules R13)."""
    clocks = {clock_of(event) for event in events} - {""}
    if not clocks:
        return set()
    growths = transaction.growths(sorted(clocks))
    return {clock for clock, growth in growths.items() if growth.suspected}


def unsuspected(transaction: Transaction, held: Sequence[Held]) -> list[Held]:
    """Those of these entries whose clocks are not suspected."""
    suspected = suspected_clocks(transaction, [one.event for one in held])
    return [one for one in held if clock_of(one.event) not in suspected]


def clock_of(event: Event) -> str:
    """The growing clock of an event, by its scope; "" if it has none that should only grow."""
    growing = None if event.position is None else event.position.growing()
    if growing is None:
        return ""
    scope, _ = growing
    return scope
