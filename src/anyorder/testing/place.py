"""Where a store under test lies, and how a check fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from anyorder.guard.contract import Decode, Store

Hook = Callable[[str], None]


def _nothing() -> None:
    """Nothing to release."""


class Place(NamedTuple):
    """One store, empty at first. The kit opens several connections to it, in threads and, where it
    can, in processes.

    `connect(decode)`: another connection; the kit closes it.
    `rows(table)`: the user's rows as dictionaries of columns, bookkeeping left out; [] while the
    table does not exist.
    `tap(store, hook)`: from now on call `hook(name)` before and after each call that this
    connection makes to its driver. The kit stops and crashes the store there. Without it only the
    steps between the contract's own calls are tried.
    `poison`: a value of column `x` that the store refuses for good; None if it refuses none.
    `url`: what opens the store from another process, as `anyorder.table` takes it; None keeps the
    writers in threads.
    `has_child`: there is a table `child` whose `x` is null or must name the `id` of a row of `kit`,
    and whose `y` is unique and never null; what it refuses because of another row, or because an
    event does not tell `y`, is to wait.
    `sample`: of the hundreds of sequences, stops and crashes that a check tries one after the
    other, try every so-many-th: for stores that answer over a network.
    `plant(table, rows)`, `remove(table, key)`: put rows into the user's table, and take the row of
    a key from it, behind the store. None where that cannot be, or where it takes the memory too.
    `renew(table)`: drop the user's table and make it anew, empty and without column `y`, behind the
    store. None where that cannot be, or where it takes the memory too.
    `drop(table)`: drop the user's table so, or None.
    `close()`: the store is not needed any more.
    """

    connect: Callable[[Decode], Store]
    rows: Callable[[str], Sequence[dict[str, object]]]
    tap: Callable[[Store, Hook], None] | None = None
    poison: object = None
    url: str | None = None
    close: Callable[[], None] = _nothing
    sample: int = 1
    plant: Callable[[str, Sequence[dict[str, object]]], None] | None = None
    remove: Callable[[str, object], None] | None = None
    has_child: bool = False
    renew: Callable[[str], None] | None = None
    drop: Callable[[str], None] | None = None


MakeStore = Callable[[], Place]


def sample_of(make_store: MakeStore) -> int:
    """Every how-many-th run is tried there."""
    place = make_store()
    place.close()
    return place.sample


class StoreCheckFailed(AssertionError):
    """A store broke a rule. `check`: the name of the check; `steps`: what was done, one line each,
    in order."""

    def __init__(self, check: str, problem: str, steps: Sequence[str]) -> None:
        self.check = check
        self.problem = problem
        self.steps = tuple(steps)
        told = "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1))
        super().__init__(f"{check}: {problem}\n{told}" if told else f"{check}: {problem}")
