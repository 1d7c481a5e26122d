"""The catalogue: which target table each source table goes to, and what was declared of the target.

Both are recorded in the store when events are first routed, never guessed from a target's name: two
targets may fit one glob, and one of them would then be forgotten by the other's retention. At every
start the pipeline's sections are matched against the source tables that were recorded, so that what
they say now counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from anyorder._core.event import Event, Kind
from anyorder.errors import ConfigurationError, StoreBusy
from anyorder.guard.contract import Catalogued, Recorded, Store, TableSpec, Transaction

FOLLOWERS = frozenset((Kind.HINT, Kind.CONTROL, Kind.MALFORMED))
"""They need not tell their table: they claim no target, and go where their topic's changes go."""
MOST_TOPICS = 16  # that a source table's changes came by; the latest are kept
ATTEMPTS = 100  # times a target is read again because another process recorded something of it
NOTHING = Recorded()
replace = msgspec.structs.replace


class Ignored(msgspec.Struct, frozen=True):
    """The pipeline ignores it: its deliveries are `not_a_change`."""


class Unrouted(msgspec.Struct, frozen=True):
    """No table takes it. `detail`: whose the target is, where a section matches."""

    detail: str = ""


Route = TableSpec | Ignored | Unrouted
Origin = tuple[str, str, str]
"""Where an event is from: its topic, the source's own name for the table, and the source table."""
Declared = Callable[[str, str], Route]
"""What a pipeline says of a topic and of the source's own name for a table."""


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
            if declared is None:
                self.unnamed.append(target)
                self._learn(_as_recorded(target), target.recorded or NOTHING)
            else:
                _check_key(transaction, target, declared)
                self._renew(target, declared)

    def _declared_of(self, target: Catalogued) -> TableSpec | None:
        """What the pipeline says of a target's own source table; None if it does not name the
        target."""
        recorded = target.recorded or NOTHING
        for topic in recorded.topics:
            match self._declared(topic, recorded.table):
                case TableSpec(name=target.name) as declared:
                    return declared
        return None

    def _renew(self, target: Catalogued, declared: TableSpec) -> None:
        recorded = target.recorded or NOTHING
        renewed = _declared_as(recorded, declared)
        if renewed != recorded:
            self._changed.append((target.name, recorded, renewed))
        self._learn(_with_key(declared, target), renewed)

    def save(self, store: Store, now: float) -> None:
        """Record what is declared now, in seconds since 1970: it is what stays of a target when the
        pipeline names it no longer."""
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
        return self._specs.get(name)

    # ---- routing

    def routes(
        self, store: Store, events: Sequence[Event], now: float, *, dry: bool = False
    ) -> list[Route]:
        """Where each event goes. What is new is recorded first, in a transaction of its own, and
        before anything follows it. Raises TableNotEmpty, StoreError, ConfigurationError."""
        fresh = [event for event in events if self._is_new(event)]
        if fresh:
            with store.transaction(now, dry=dry) as transaction:
                for event in fresh:
                    self._claim(transaction, event)
        return [self._route(event) for event in events]

    def _is_new(self, event: Event) -> bool:
        return event.kind not in FOLLOWERS and _origin(event) not in self._routes

    def _route(self, event: Event) -> Route:
        if event.kind in FOLLOWERS:
            return self._followed(event)
        return self._routes[_origin(event)]

    def _followed(self, event: Event) -> Route:
        """Where a delivery goes that claims nothing."""
        topic = event.delivery.topic
        declared = self._declared(topic, event.table)
        if isinstance(declared, Ignored):
            return declared
        # the topic knows better than a name guessed from it, unless it carries several tables
        followed = self._by_topic.get(topic, {})
        if not event.source and len(followed) == 1:
            return next(iter(followed.values()))
        if isinstance(declared, Unrouted):
            return declared
        return self._foreign(declared.name, event.source) or self._specs.get(
            declared.name, declared
        )

    def _claim(self, transaction: Transaction, event: Event) -> None:
        """The target of an event's source table, recorded as its own unless it has another
        already."""
        origin = _origin(event)
        if origin in self._routes:
            return
        topic, table, source = origin
        declared = self._declared(topic, table)
        if not isinstance(declared, TableSpec):
            self._routes[origin] = declared
            return
        # what this process learned counts also in a dry run, which records nothing
        foreign = self._foreign(declared.name, source)
        if foreign is None:
            self._record(transaction, declared, origin)
            foreign = self._foreign(declared.name, source)
        if foreign is None:
            self._lead(origin, self._specs[declared.name])
            return
        self._routes[origin] = foreign
        self._by_topic.setdefault(topic, {}).setdefault(declared.name, foreign)

    def _record(self, transaction: Transaction, declared: TableSpec, origin: Origin) -> None:
        # It ends: a target is read again only after another process recorded something of it, and
        # each origin is recorded once. What is there by then is what is decided on.
        for _ in range(ATTEMPTS):
            target = _opened(transaction, declared)
            there = target.recorded or NOTHING
            if there.source not in ("", origin[2]):
                self._recorded[target.name] = there
                return
            _check_key(transaction, target, declared)
            claimed = _claimed(there, declared, origin)
            if claimed == target.recorded or transaction.record(
                target.name, target.recorded, claimed
            ):
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
            f"the target {name} belongs to the source table {owner}; give "
            f"{source or 'these records'} a [[table]] before that one, with another name"
        )

    def _learn(self, spec: TableSpec, recorded: Recorded) -> None:
        """What counts for a target from now on, and which topics lead to it."""
        self._specs[spec.name], self._recorded[spec.name] = spec, recorded
        for topic in recorded.topics:
            match self._declared(topic, recorded.table):
                case TableSpec(name=spec.name):
                    self._lead((topic, recorded.table, recorded.source), spec)

    def _lead(self, origin: Origin, spec: TableSpec) -> None:
        self._routes[origin] = spec
        self._by_topic.setdefault(origin[0], {})[spec.name] = spec


def declare(transaction: Transaction, spec: TableSpec) -> None:
    """Record what a user's own code declares of a table: a catalogue of one, which takes the events
    that it is given. Raises ConfigurationError for another key than the one that memories go by."""
    target = _opened(transaction, spec)
    _check_key(transaction, target, spec)
    declared = _declared_as(target.recorded or NOTHING, spec)
    if declared != target.recorded:
        transaction.record(spec.name, target.recorded, declared)


def _origin(event: Event) -> Origin:
    topic, table = event.delivery.topic, event.table
    return topic, table, event.source or topic or table


def _opened(transaction: Transaction, spec: TableSpec) -> Catalogued:
    """A target as the catalogue has it; opened first if the store does not know it."""
    found = _listed(transaction, spec.name)
    if found is None:
        transaction.open_table(spec)
        found = _listed(transaction, spec.name)
    return found or Catalogued(spec.name, spec.key, None)


def _listed(transaction: Transaction, name: str) -> Catalogued | None:
    return next((target for target in transaction.catalogue() if target.name == name), None)


def _as_recorded(target: Catalogued) -> TableSpec:
    """Where nothing is recorded, tombstones are kept: a retention is never guessed."""
    recorded = target.recorded or NOTHING
    return TableSpec(
        target.name, target.key, recorded.retention, recorded.partitions, recorded.adopt
    )


def _with_key(declared: TableSpec, target: Catalogued) -> TableSpec:
    return replace(declared, key=declared.key or target.key)


def _declared_as(recorded: Recorded, spec: TableSpec) -> Recorded:
    return replace(recorded, retention=spec.retention, partitions=spec.partitions, adopt=spec.adopt)


def _claimed(recorded: Recorded, declared: TableSpec, origin: Origin) -> Recorded:
    topic, table, source = origin
    others = (other for other in recorded.topics if other != topic)
    topics = (topic, *others)[:MOST_TOPICS]
    return _declared_as(replace(recorded, source=source, table=table, topics=topics), declared)


def _check_key(transaction: Transaction, target: Catalogued, declared: TableSpec) -> None:
    """Memories are found by their key, so a table that has some keeps it."""
    wanted = set(declared.key)
    if not wanted or wanted == set(target.key):
        return
    memories = transaction.memories(TableSpec(target.name, target.key))
    _, known, _ = next(memories, ("", dict.fromkeys(declared.key), None))
    if set(known) != wanted:
        raise ConfigurationError(
            f"table {target.name} has memories by the key ({', '.join(known)}), and key says "
            f"({', '.join(declared.key)}): say the key as it was, or give the table another name"
        )
