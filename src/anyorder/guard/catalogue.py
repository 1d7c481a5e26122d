"""The catalogue: which target table each source table goes to, and what was declared of the target.

Both are recorded in the store when events are first routed, never guessed from a target's name: two
targets may fit one glob, and one of them would then be forgotten by the other's retention. At every
start the pipeline's sections are matched against the source tables that were recorded, so that what
they say now counts at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from anyorder._core.event import Event
from anyorder.errors import StoreBusy
from anyorder.guard.contract import Catalogued, Recorded, Store, TableSpec, Transaction
from anyorder.guard.names import Names, unusable
from anyorder.guard.owners import admits, belongs, declared_as, way_out
from anyorder.guard.routes import (
    Declared,
    Ignored,
    Origin,
    Route,
    Unrouted,
    claims,
    first_keys,
    origin_of,
)
from anyorder.guard.targets import (
    as_declared,
    as_recorded,
    check_key,
    claimed,
    opened,
    record,
)

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
        self._names = Names()
        self._changed: list[tuple[str, Recorded, Recorded]] = []
        self._routes: dict[Origin, Route] = {}
        self._by_topic: dict[str, dict[str, Route]] = {}

    def load(self, transaction: Transaction) -> None:
        """Match what is recorded against what is declared. Raises ConfigurationError for a key
        that is not the one which memories go by."""
        for target in transaction.catalogue():
            declared = self._declared_of(transaction, target)
            # Nobody says any more what holds for it, so what was said last goes on to hold.
            if declared is None:
                self.unnamed.append(target)
                self._learn(as_recorded(target), target.known)
            else:
                check_key(transaction, target, declared)
                self._renew(target, declared)

    def _declared_of(self, transaction: Transaction, target: Catalogued) -> TableSpec | None:
        """What the pipeline says of a target's own source tables; None if it does not name the
        target."""
        for origin in _origins(target.known):
            match self._declared_there(transaction, origin):
                case TableSpec(name=target.name) as declared:
                    return declared
        # A target of before has no source table yet: nothing is guessed from its name.
        return None

    def _declared_there(self, transaction: Transaction, origin: Origin) -> Route:
        """What the pipeline says of an origin, by the name that the store has for its target."""
        declared = self._declared(*origin)
        if isinstance(declared, TableSpec):
            self._names.look(transaction, declared.name)
        return self._names.known(declared)

    def _renew(self, target: Catalogued, declared: TableSpec) -> None:
        renewed = declared_as(target.known, declared)
        # Only noted here: at the start of a run nothing is written before its first batch.
        if renewed != target.known:
            self._changed.append((target.name, target.known, renewed))
        self._learn(as_declared(declared, target, renewed), renewed)

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
        origins = first_keys(events)
        followed = self._names_of_followers(events)
        # Most batches bring no source table that is new: then nothing is recorded.
        if followed or not origins.keys() <= self._routes.keys():
            with store.transaction(now, dry=dry) as transaction:
                # As they came: of two source tables with one target, the first has it.
                for origin, key in origins.items():
                    self._claim(transaction, origin, key)
                for name in followed:
                    self._names.look(transaction, name)
        return list(map(self._route, events))

    def foreseen(self, transaction: Transaction, event: Event) -> Route:
        """Where an event would go, for who only looks: nothing is opened, and nothing recorded."""
        origin = origin_of(event)
        if not claims(event):
            return self._followed(event)
        declared = self._declared_there(transaction, origin)
        if origin in self._routes or not isinstance(declared, TableSpec):
            return self._routes.get(origin, declared)
        return self._foreign(declared, origin) or self._specs.get(declared.name, declared)

    def _names_of_followers(self, events: Sequence[Event]) -> dict[str, None]:
        """Names of targets, not looked at yet, to which deliveries go that claim nothing."""
        found: dict[str, None] = {}
        # Also a hint, or broken bytes, would open a table of that name, to be held for it.
        for event in itertools.filterfalse(claims, events):
            declared = self._declared(*origin_of(event))
            if isinstance(declared, TableSpec) and self._names.is_new(declared.name):
                found[declared.name] = None
        return found

    def _route(self, event: Event) -> Route:
        # A hint, a control record and broken bytes are not asked whose they are: they may not know.
        if claims(event):
            return self._routes[origin_of(event)]
        return self._followed(event)

    def _followed(self, event: Event) -> Route:
        """Where a delivery goes that claims nothing."""
        origin = origin_of(event)
        topic, _, _ = origin
        declared = self._names.known(self._declared(*origin))
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
        if event.source:
            foreign = self._foreign(declared, origin)
            if foreign is not None:
                return foreign
        return self._specs.get(declared.name, declared)

    def _claim(self, transaction: Transaction, origin: Origin, key: tuple[str, ...]) -> None:
        """Where a source table goes, recorded unless the target is another's already. `key`: the
        columns by which its events go."""
        if origin in self._routes:
            return
        declared = self._declared_there(transaction, origin)
        # Ignored, of no section, or a name that can be no target's: nothing could be claimed.
        if not isinstance(declared, TableSpec):
            self._routes[origin] = declared
            return
        # No person named this table, so its rows must not stop those of all others.
        why = unusable(transaction, declared, key) if declared.is_derived else None
        if why is not None:
            self._routes[origin] = why
            return

        # what this process has learned counts in a dry run too, which records nothing
        if self._foreign(declared, origin) is None:
            self._record(transaction, declared, origin)
        foreign = self._foreign(declared, origin)
        if foreign is None:
            self._lead(origin, self._specs[declared.name])
            return
        self._routes[origin] = foreign
        # the owner's changes may come by this topic too: followers stay with them
        self._by_topic.setdefault(origin[0], {}).setdefault(declared.name, foreign)

    def _record(self, transaction: Transaction, declared: TableSpec, origin: Origin) -> None:
        # It ends: a target is read again only after another process recorded something of it, and
        # a process records each origin once. What is there by then is what is decided on.
        for _ in range(ATTEMPTS):
            target = opened(transaction, declared)
            # A section's word counts, though it may not have been recorded yet.
            noted = self._recorded.get(target.name, NOTHING)
            owned = replace(target.known, merge=target.known.merge or noted.merge)
            # Another process was quicker with another source table: the target is not ours.
            if not admits(owned, declared, origin[2]):
                self._recorded[target.name] = owned
                return
            check_key(transaction, target, declared)
            after = claimed(owned, declared, origin)
            if record(transaction, target, after):
                self._learn(as_declared(declared, target, after), after)
                return
        raise StoreBusy(
            f"table {declared.name}: other processes recorded something of it {ATTEMPTS} times"
        )

    def _foreign(self, declared: TableSpec, origin: Origin) -> Unrouted | None:
        """R1: `unrouted`, if a target belongs to another source table."""
        _, table, source = origin
        owned = self._recorded.get(declared.name, NOTHING)
        if admits(owned, declared, source):
            return None
        named = declared.name
        said = self._declared(*origin)
        # By its name alone nobody would see that it is the same table.
        if isinstance(said, TableSpec) and said.name != named:
            named = f"{named}, which the store does not tell from {said.name},"
        return Unrouted(f"{belongs(owned, named, source)}: {way_out(owned, table, source)}")

    def _learn(self, spec: TableSpec, recorded: Recorded) -> None:
        """What counts for a target from now on, and which topics lead to it."""
        self._specs[spec.name] = spec
        self._recorded[spec.name] = recorded
        # a topic that leads elsewhere by now, or is ignored, is not followed any more
        for origin in _origins(recorded):
            match self._names.known(self._declared(*origin)):
                case TableSpec(name=spec.name):
                    self._lead(origin, spec)

    def _lead(self, origin: Origin, spec: TableSpec) -> None:
        # Followers go by the topic alone, so the topic is led as well.
        self._routes[origin] = spec
        self._by_topic.setdefault(origin[0], {})[spec.name] = spec


def _origins(recorded: Recorded) -> Iterator[Origin]:
    """Where changes of a target may come from, as far as that is recorded."""
    # the latest topic first: an older one may have been given to another target since
    for topic in recorded.topics:
        for source in recorded.sources:
            yield topic, recorded.table, source
