"""The catalogue: which target table each source table goes to, and what was declared of the target.

Both are recorded in the store when events are first routed, never guessed from a target's name: two
targets may fit one glob, and one of them would then be forgotten by the other's retention. At every
start the pipeline's sections are matched against the source tables that were recorded, so that what
they say now counts at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from anyorder._core.event import Event
from anyorder.errors import ConfigurationError, StoreBusy
from anyorder.guard.contract import Catalogued, Recorded, Store, TableSpec, Transaction
from anyorder.guard.routes import Declared, Ignored, Origin, Route, Unrouted, claims, origin_of

MOST_TOPICS = 16  # that a source table's changes came by; the latest are kept
ATTEMPTS = 100  # times a target is read again because another process recorded something of it
NOTHING = Recorded()
replace = msgspec.structs.replace


class Catalogue:
    """Of one pipeline and its store, as `load` found it. `declared`: what the pipeline says.

    `unnamed`: the targets that the pipeline does not name; they keep what was recorded.
    """

    def __init__(self, declared: Declared) -> None:
        self.unnamed: list[Catalogued] = []
        self._declared = declared
        self._recorded: dict[str, Recorded] = {}
        self._specs: dict[str, TableSpec] = {}
        self._changed: list[tuple[str, Recorded, Recorded]] = []
        self._routes: dict[Origin, Route] = {}
        self._by_topic: dict[str, dict[str, Route]] = {}

    def load(self, transaction: Transaction) -> None:
        """Match what is recorded against what is declared. Raises ConfigurationError for a key
        that is not the one which memories go by."""
        for target in transaction.catalogue():
            declared = self._declared_of(target)
            # Nobody says any more what holds for it, so what was said last goes on to hold.
            if declared is None:
                self.unnamed.append(target)
                self._learn(_as_recorded(target), target.known)
            else:
                _check_key(transaction, target, declared)
                self._renew(target, declared)

    def _declared_of(self, target: Catalogued) -> TableSpec | None:
        """What the pipeline says of a target's own source table; None if it does not name the
        target."""
        # the latest topic first: an older one may have been given to another target since
        for topic in target.known.topics:
            match self._declared(topic, target.known.table):
                case TableSpec(name=target.name) as declared:
                    return declared
        # A target of before has no source table yet: nothing is guessed from its name.
        return None

    def _renew(self, target: Catalogued, declared: TableSpec) -> None:
        renewed = _declared_as(target.known, declared)
        # Only noted here: at the start of a run nothing is written before its first batch.
        if renewed != target.known:
            self._changed.append((target.name, target.known, renewed))
        self._learn(_with_key(declared, target), renewed)

    def save(self, store: Store, now: float) -> None:
        """Record what is declared now, in seconds since 1970: it is what stays of a target when the
        pipeline names it no longer."""
        # A start that changes nothing writes nothing, so that many may start at once.
        if not self._changed:
            return
        with store.transaction(now) as transaction:
            for name, before, after in self._changed:
                # False: another process starts too, and its sections count as much as ours
                transaction.record(name, before, after)
        self._changed.clear()

    def specs(self) -> list[TableSpec]:
        """Every target of the store, as declared, or else as recorded."""
        return list(self._specs.values())

    def spec_of(self, name: str) -> TableSpec | None:
        """The target of this name."""
        # An entry of the quarantine may be of no table, or of one that is gone.
        return self._specs.get(name)

    # ---- routing

    def routes(
        self,
        store: Store,
        events: Sequence[Event],
        now: float,
        *,
        dry: bool = False,
    ) -> list[Route]:
        """Where each event goes. What is new is recorded first, in a transaction of its own, and
        before anything follows it. Raises TableNotEmpty, StoreError, ConfigurationError."""
        origins = dict.fromkeys(map(origin_of, filter(claims, events)))
        # Most batches bring no source table that is new: then nothing is recorded.
        if not origins.keys() <= self._routes.keys():
            with store.transaction(now, dry=dry) as transaction:
                # As they came: of two source tables with one target, the first has it.
                for origin in origins:
                    self._claim(transaction, origin)
        return list(map(self._route, events))

    def _route(self, event: Event) -> Route:
        # A hint, a control record and broken bytes are not asked whose they are: they may not know.
        if claims(event):
            return self._routes[origin_of(event)]
        return self._followed(event)

    def _followed(self, event: Event) -> Route:
        """Where a delivery goes that claims nothing."""
        topic = event.delivery.topic
        declared = self._declared(topic, event.table)
        # what is ignored is ignored whole, whatever its topic led to before
        if isinstance(declared, Ignored):
            return declared
        # a topic of one table knows better than the name which was guessed from the topic
        followed = self._by_topic.get(topic, {})
        if not event.source and len(followed) == 1:
            return next(iter(followed.values()))
        if isinstance(declared, Unrouted):
            return declared
        # only one that tells its table can tell that the target is another's
        foreign = self._foreign(declared.name, event.source)
        if event.source and foreign is not None:
            return foreign
        return self._specs.get(declared.name, declared)

    def _claim(self, transaction: Transaction, origin: Origin) -> None:
        """Where a source table goes, recorded unless the target is another's already."""
        if origin in self._routes:
            return
        topic, table, source = origin
        declared = self._declared(topic, table)
        # Ignored, or of no section: there is no target that could be claimed.
        if not isinstance(declared, TableSpec):
            self._routes[origin] = declared
            return

        # what this process has learned counts in a dry run too, which records nothing
        if self._foreign(declared.name, source) is None:
            self._record(transaction, declared, origin)
        foreign = self._foreign(declared.name, source)
        if foreign is None:
            self._lead(origin, self._specs[declared.name])
            return
        self._routes[origin] = foreign
        # the owner's changes may come by this topic too: followers stay with them
        self._by_topic.setdefault(topic, {}).setdefault(declared.name, foreign)

    def _record(self, transaction: Transaction, declared: TableSpec, origin: Origin) -> None:
        # It ends: a target is read again only after another process recorded something of it, and
        # a process records each origin once. What is there by then is what is decided on.
        for _ in range(ATTEMPTS):
            target = _opened(transaction, declared)
            # Another process was quicker with another source table: the target is not ours.
            if target.known.source not in ("", origin[2]):
                self._recorded[target.name] = target.known
                return
            _check_key(transaction, target, declared)
            claimed = _claimed(target.known, declared, origin)
            if _record(transaction, target, claimed):
                self._learn(_with_key(declared, target), claimed)
                return
        raise StoreBusy(
            f"table {declared.name}: other processes recorded something of it {ATTEMPTS} times"
        )

    def _foreign(self, name: str, source: str) -> Unrouted | None:
        """R1: `unrouted`, if a target belongs to another source table. Else rows of two tables meet
        under one key, and a delete or truncate in one of them empties the other."""
        owner = self._recorded.get(name, NOTHING).source
        if owner in ("", source):
            return None
        return Unrouted(
            f"the target {name} belongs to the source table {owner!r}, this is of {source!r}: give "
            "it a [[table]] before that one, with another name"
        )

    def _learn(self, spec: TableSpec, recorded: Recorded) -> None:
        """What counts for a target from now on, and which topics lead to it."""
        self._specs[spec.name] = spec
        self._recorded[spec.name] = recorded
        # a topic that leads elsewhere by now, or is ignored, is not followed any more
        for topic in recorded.topics:
            match self._declared(topic, recorded.table):
                case TableSpec(name=spec.name):
                    self._lead((topic, recorded.table, recorded.source), spec)

    def _lead(self, origin: Origin, spec: TableSpec) -> None:
        # Followers go by the topic alone, so the topic is led as well.
        self._routes[origin] = spec
        self._by_topic.setdefault(origin[0], {})[spec.name] = spec


def declare(transaction: Transaction, spec: TableSpec) -> None:
    """Record what a user's own code declares of a table: a catalogue of one, which takes the events
    that it is given. Raises ConfigurationError for a key that is not the one which memories go
    by."""
    target = _opened(transaction, spec)
    _check_key(transaction, target, spec)
    # If it is not taken, another process declares it too, and its word counts as much as ours.
    _record(transaction, target, _declared_as(target.known, spec))


def _record(transaction: Transaction, target: Catalogued, after: Recorded) -> bool:
    """Record this of a target; False if another process recorded something else meanwhile."""
    # Most batches say nothing new.
    if after == target.recorded:
        return True
    return transaction.record(target.name, target.recorded, after)


def _opened(transaction: Transaction, spec: TableSpec) -> Catalogued:
    """A target as the catalogue has it; opened first if the store does not know it."""
    if _listed(transaction, spec.name) is None:
        # Opening refuses rows that no event explains, so nothing is recorded of such a table.
        transaction.open_table(spec)
    # a dry run may open nothing, and then lists nothing
    return _listed(transaction, spec.name) or Catalogued(spec.name, spec.key, None)


def _listed(transaction: Transaction, name: str) -> Catalogued | None:
    return {target.name: target for target in transaction.catalogue()}.get(name)


def _as_recorded(target: Catalogued) -> TableSpec:
    """Where nothing is recorded, tombstones are kept: a retention is never guessed."""
    known = target.known
    return TableSpec(
        name=target.name,
        key=target.key,
        retention=known.retention,
        partitions=known.partitions,
        adopt=known.adopt,
        kinds=known.kinds,
    )


def _with_key(declared: TableSpec, target: Catalogued) -> TableSpec:
    # A section need not say the key: then it is the one that was learned from the first event.
    key = declared.key or target.key
    return replace(declared, key=key)


def _declared_as(recorded: Recorded, spec: TableSpec) -> Recorded:
    # Not the key: that is what the memories go by, and they know it best.
    return replace(
        recorded,
        retention=spec.retention,
        partitions=spec.partitions,
        adopt=spec.adopt,
        # what was learned stays beside what is declared
        kinds={**recorded.kinds, **spec.kinds},
    )


def _claimed(recorded: Recorded, declared: TableSpec, origin: Origin) -> Recorded:
    topic, table, source = origin
    # The latest first, as `Catalogue._declared_of` reads them.
    others = (other for other in recorded.topics if other != topic)
    topics = (topic, *others)[:MOST_TOPICS]
    claimed = replace(
        recorded,
        source=source,
        table=table,
        topics=topics,
    )
    return _declared_as(claimed, declared)


def _check_key(transaction: Transaction, target: Catalogued, declared: TableSpec) -> None:
    """Memories are found by their key, so a table that has some keeps it."""
    wanted = set(declared.key)
    if wanted in (set(), set(target.key)):
        return
    # a table of the user's own has no key in the store's line where it was learned from events
    memories = transaction.memories(TableSpec(target.name, target.key))
    _, known, _ = next(memories, ("", dict.fromkeys(declared.key), None))
    # Without a memory nothing goes by the key yet, and it may be another.
    if set(known) != wanted:
        raise ConfigurationError(
            f"table {target.name} has memories by the key ({', '.join(known)}), and key says "
            f"({', '.join(declared.key)}): say the key as it was, or give the table another name"
        )
