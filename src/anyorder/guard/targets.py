"""One target in the catalogue: opened, compared with what is declared of it, and recorded."""

from __future__ import annotations

import msgspec

from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Catalogued, Recorded, TableSpec, Transaction
from anyorder.guard.owners import declared_as, joined
from anyorder.guard.routes import Origin

MOST_TOPICS = 16  # that a target's changes came by; the latest are kept
replace = msgspec.structs.replace


def opened(transaction: Transaction, spec: TableSpec) -> Catalogued:
    """A target as the catalogue has it; opened first if the store does not know it."""
    target = listed(transaction, spec.name)
    if target is not None:
        return target
    # Opening refuses rows that no event explains, so nothing is recorded of such a table.
    transaction.open_table(spec)
    # a dry run may open nothing, and then lists nothing
    return listed(transaction, spec.name) or Catalogued(spec.name, spec.key, None)


def listed(transaction: Transaction, name: str) -> Catalogued | None:
    """A target as the catalogue has it; None if it has none of the name."""
    return {target.name: target for target in transaction.catalogue()}.get(name)


def record(transaction: Transaction, target: Catalogued, after: Recorded) -> bool:
    """Record this of a target; False if another process recorded something else meanwhile."""
    # Most batches say nothing new.
    if after == target.recorded:
        return True
    return transaction.record(target.name, target.recorded, after)


def claimed(owned: Recorded, declared: TableSpec, origin: Origin) -> Recorded:
    """What is to be recorded of a target to which changes of this origin go."""
    topic, table, source = origin
    # The latest first, as `Catalogue` reads them.
    others = (other for other in owned.topics if other != topic)
    topics = (topic, *others)[:MOST_TOPICS]
    return declared_as(replace(joined(owned, source), table=table, topics=topics), declared)


def as_recorded(target: Catalogued) -> TableSpec:
    """What holds for a target of which nothing is declared. Where nothing is recorded either,
    tombstones are kept: a retention is never guessed."""
    known = target.known
    return TableSpec(
        name=target.name,
        key=target.key,
        retention=known.retention,
        partitions=known.partitions,
        adopt=known.adopt,
        merge=known.merge,
    )


def as_declared(declared: TableSpec, target: Catalogued, owned: Recorded) -> TableSpec:
    """What holds for a target. `owned`: what is recorded of it by now."""
    # A section need not say the key: then it is the one that was learned from the first event.
    return replace(
        declared,
        name=target.name,
        key=declared.key or target.key,
        merge=owned.merge,
    )


def declare(transaction: Transaction, spec: TableSpec) -> Recorded:
    """Record what a user's own code declares of a table: a catalogue of one. What is recorded of
    it now. Raises ConfigurationError for a name that no table can have, and for a key that is not
    the one which memories go by."""
    _check_name(transaction, spec)
    target = opened(transaction, spec)
    check_key(transaction, target, spec)
    after = declared_as(target.known, spec)
    # His word counts more than which change happened to come first.
    if spec.sources:
        after = replace(after, source=spec.sources[0], others=spec.sources[1:])
    if record(transaction, target, after):
        return after
    # Another process declares it too, and its word counts as much as ours.
    return opened(transaction, spec).known


def _check_name(transaction: Transaction, spec: TableSpec) -> None:
    """Raises ConfigurationError for a name that the store has for another table, or none."""
    # The table is the caller's own, if his SQL writes it.
    why = transaction.unfit(spec.name) if spec.writes_rows else ""
    if why:
        raise ConfigurationError(f"table {spec.name!r:.80} cannot be kept: {why}; choose another")
    names = {transaction.same_table(known.name): known.name for known in transaction.catalogue()}
    kept = names.get(transaction.same_table(spec.name), spec.name)
    if kept != spec.name:
        raise ConfigurationError(
            f"table {spec.name} is kept as {kept}, which the store does not tell from it: call it "
            f"{kept}"
        )


def check_key(transaction: Transaction, target: Catalogued, declared: TableSpec) -> None:
    """Memories are found by their key, so a table that has some keeps it. Raises
    ConfigurationError."""
    wanted = set(declared.key)
    if wanted in (set(), set(target.key)):
        return
    # a table of the user's own has no key in the store's line where it was learned from events
    memories = transaction.memories(TableSpec(target.name, target.key or declared.key))
    _, known, _ = next(memories, ("", dict.fromkeys(declared.key), None))
    # Without a memory nothing goes by the key yet, and it may be another.
    if set(known) != wanted:
        raise ConfigurationError(
            f"table {target.name} has memories by the key ({', '.join(known)}), and key says "
            f"({', '.join(declared.key)}): say the key as it was, or give the table another name"
        )
