"""What a store refused for now, tried again: of every table, as soon as what stood in the way has
moved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from anyorder._core.batch import Settled
from anyorder.errors import Undone
from anyorder.guard.batch import apply, reconsider_keys, reconsider_truncates
from anyorder.guard.contract import Store, TableSpec, Transaction
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
        while keys := self._transaction.settleable():
            closed += self.take(keys)
        return closed

    def reconsider(self, but: Collection[str] = ()) -> list[Settled]:
        """Decide again all that the tables of this store hold, `but` some. The entries that
        closed."""
        closed: list[Settled] = []
        for target in self._transaction.catalogue():
            if target.name not in but:
                spec = self._specs.get(target.name, as_recorded(target))
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
    alone: list[Settled] = []
    # It ends: each round that was undone has found a key that is not told again; and what is left
    # over is told to the next batch.
    for _ in range(ROUNDS):
        tried: list[Key] = []
        try:
            with store.transaction(now) as transaction:
                settling = Settling(transaction, token, specs)
                tried = settling.tried
                closed = settling.take(moved)
                if everything:
                    closed += settling.reconsider()
                closed += settling.run()
            return alone + closed
        except Undone:
            alone += _postpone_undoing(store, specs, tried, now, token)
            # Each of them was decided by itself now, and what else is held was not written.
            moved, everything = (), False
    return alone


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


def _postpone_undoing(
    store: Store,
    specs: Mapping[str, TableSpec],
    tried: Sequence[Key],
    now: float,
    token: str,
) -> list[Settled]:
    """Find the keys that undo a transaction, each in one of its own. The entries that closed with
    the others."""
    closed: list[Settled] = []
    for key in dict.fromkeys(tried):
        try:
            with store.transaction(now) as transaction:
                found = Settling(transaction, token, specs).take([key])
            # Only what is committed has closed.
            closed += found
        except Undone:
            with store.transaction(now) as transaction:
                transaction.postpone(*key)
    return closed


def _by_table(keys: Iterable[Key]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, entity in keys:
        found.setdefault(table, []).append(entity)
    return found
