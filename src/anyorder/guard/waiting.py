"""What a store refused for now, tried again: of every table, as soon as what stood in the way has
moved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from anyorder._core.age import newest_first
from anyorder._core.batch import Settled
from anyorder.errors import Undone
from anyorder.guard.batch import apply, reconsider_keys, reconsider_truncates
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.recall import recall_one
from anyorder.guard.targets import as_recorded

ROUNDS = 20  # times that what undoes the transaction is looked for after one batch
NO_SPECS: Mapping[str, TableSpec] = {}
Key = tuple[str, str]
"""A table's name and an entity."""


class Settling:
    """Of one transaction. `specs`: the tables as they are declared; others are as recorded.
    `tried`: what was decided again, whether the transaction is committed or not."""

    def __init__(
        self,
        transaction: Transaction,
        token: str,
        specs: Mapping[str, TableSpec] = NO_SPECS,
    ) -> None:
        self.tried: list[Key] = []
        self._transaction = transaction
        self._token = token
        self._specs = dict(specs)

    def run(self) -> list[Settled]:
        """Decide again what the store may take now, until nothing moves. The entries that
        closed."""
        closed: list[Settled] = []
        # It ends: a key is told again only after another one was written, and what was written is
        # held no more.
        while rings := self._take_singly(closed):
            for keys in rings:
                # All of a ring, or nothing; then it waits on.
                found = self._transaction.together(
                    keys,
                    self.take,
                )
                closed += found
        return closed

    def _take_singly(self, closed: list[Settled]) -> list[list[Key]]:
        """Take what needs no key of another table; the keys of what does, ring by ring."""
        while keys := self._transaction.settleable():
            closed += self.take(keys)
        return self._transaction.crossing()

    def reconsider(self, but: Collection[str] = ()) -> list[Settled]:
        """Decide again all that the tables of this store hold, `but` some. The entries that
        closed."""
        closed: list[Settled] = []
        for target in self._transaction.catalogue():
            if target.name not in but:
                spec = self._specs.get(target.name, as_recorded(target))
                held = self._transaction.held_entities(spec)
                # A truncate that is held is of no key.
                self.tried += [(spec.name, entity) for entity in [*held, ""]]
                told = apply(self._transaction, spec, [], self._token, reconsider=True)
                closed += told.closed
        return closed

    def take(self, keys: Sequence[Key]) -> list[Settled]:
        """Decide what is held of these keys again, all of a table together."""
        self.tried += keys
        closed: list[Settled] = []
        for name, entities in _by_table(keys).items():
            spec = self._spec_of(name)
            # Nobody knows the table any more: what is held of it stays.
            if spec is not None:
                closed += self._take(spec, entities)
        return closed

    def newest_first(self, key: Key) -> list[int]:
        """The open entries of a key."""
        name, entity = key
        spec = self._spec_of(name)
        if spec is None:
            return []
        held = recall_one(self._transaction, spec, entity).held
        return list(dict.fromkeys(one.entry for one in newest_first(held)))

    def take_entry(self, key: Key, entry: int) -> list[Settled]:
        """Decide one entry of a key as if nothing else were held of it. The entries that
        closed."""
        name, entity = key
        spec = self._spec_of(name)
        assert spec is not None
        limits = self._transaction.open_table(spec)
        return reconsider_keys(self._transaction, spec, [entity], limits, self._token, {entry})

    def _take(self, spec: TableSpec, entities: Sequence[str]) -> list[Settled]:
        transaction, token = self._transaction, self._token
        limits = transaction.open_table(spec)
        keys = sorted(entity for entity in entities if entity)
        closed = reconsider_keys(transaction, spec, keys, limits, token)
        # A truncate concerns every key, so it is held under none.
        if len(keys) < len(entities):
            closed += reconsider_truncates(transaction, spec, limits, token)
        return closed

    def _spec_of(self, name: str) -> TableSpec | None:
        if name not in self._specs:
            recorded = {one.name: as_recorded(one) for one in self._transaction.catalogue()}
            self._specs = recorded | self._specs
        return self._specs.get(name)


def settle_waiting(
    store: Store,
    specs: Mapping[str, TableSpec],
    now: float,
    token: str,
    moved: Sequence[Key] = (),
    *,
    everything: bool = False,
) -> list[Settled]:
    """The same in transactions of its own, where a key may undo a transaction: such a key is left
    alone, and the others are taken. `now`: seconds since 1970. `moved`: keys that are decided again
    as well, or `everything` that is held. The entries that closed."""
    moved = _with_entries(store, specs, moved)
    closed: list[Settled] = []
    # It ends: each round that was undone has found a key that is not told again; and what is left
    # over is told to the next batch.
    for _ in range(ROUNDS):
        tried: list[Key] = []
        try:
            with store.transaction(now) as transaction:
                settling = Settling(transaction, token, specs)
                tried = settling.tried
                found = settling.take(moved)
                if everything:
                    found += settling.reconsider()
                found += settling.run()
            return closed + found
        except Undone:
            closed += _Alone(store, specs, now, token).take(tried)
            # Each of them was decided by itself now.
            moved, everything = (), False
    return closed


def _with_entries(
    store: Store,
    specs: Mapping[str, TableSpec],
    keys: Iterable[Key],
) -> list[Key]:
    """Those of these keys of which anything is held."""
    found: list[Key] = []
    with store.reading() as transaction:
        for name, entities in _by_table(keys).items():
            known = transaction.remembered(specs[name], entities)
            found.extend((name, entity) for entity, there in known.items() if there.held)
    return found


class _Alone:
    """Keys that undid a transaction together, each in one of its own."""

    def __init__(
        self,
        store: Store,
        specs: Mapping[str, TableSpec],
        now: float,
        token: str,
    ) -> None:
        self._store = store
        self._specs = specs
        self._now = now
        self._token = token

    def take(self, keys: Iterable[Key]) -> list[Settled]:
        """Decide what is held of each, and postpone what undoes its transaction again. The entries
        that closed."""
        closed: list[Settled] = []
        for key in dict.fromkeys(keys):
            try:
                with self._store.transaction(self._now) as transaction:
                    found = self._settling(transaction).take([key])
            except Undone:
                found = self._take_entries(key)
                with self._store.transaction(self._now) as transaction:
                    transaction.postpone(*key)
            closed += found
        return closed

    def _take_entries(self, key: Key) -> list[Settled]:
        """Decide each entry of a key alone, newest first, as where a write is refused at once
        (`refusals`): what the store never takes is no reason to hold what is older."""
        with self._store.reading() as transaction:
            entries = self._settling(transaction).newest_first(key)
        closed: list[Settled] = []
        # One alone was tried already.
        has_moved = len(entries) > 1
        # It ends: each further round needs an entry that closed.
        while has_moved:
            found: list[Settled] = []
            for entry in entries:
                found += self._take_entry(key, entry)
            gone = {one.held.entry for one in found}
            entries = [entry for entry in entries if entry not in gone]
            closed += found
            has_moved = bool(gone)
        return closed

    def _take_entry(self, key: Key, entry: int) -> list[Settled]:
        try:
            with self._store.transaction(self._now) as transaction:
                found = self._settling(transaction).take_entry(key, entry)
        # It is this one, too, that the store does not take.
        except Undone:
            return []
        return found

    def _settling(self, transaction: Transaction) -> Settling:
        return Settling(transaction, self._token, self._specs)


def _by_table(keys: Iterable[Key]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, entity in keys:
        found.setdefault(table, []).append(entity)
    return found
