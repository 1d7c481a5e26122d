"""A store in this process's memory, for tests: the contract in its plainest form. One lock, and a
copy to roll back to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import ClassVar

import msgspec

from anyorder._core.decide import forget
from anyorder._core.memory import unpack
from anyorder.guard.contract import (
    Adopted,
    Decode,
    Finding,
    Promises,
    TableSpec,
)
from anyorder.stores.memory.state import State
from anyorder.stores.memory.transaction import MemoryTransaction


class MemoryStore:
    """`decode` turns a held delivery back into its event. `state.rows[table][entity]` are the rows,
    for tests to look at."""

    promises = Promises(
        "memory",
        guard="one lock",
        memory="beside, in one dictionary",
        forgets=True,
        one_transaction=True,
        exact_outcome=True,
        note="for tests; nothing is kept",
    )

    def __init__(self, decode: Decode | None = None) -> None:
        self.decode = decode
        self.state = State()
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[MemoryTransaction]:
        with self._lock:
            before = self.state.copied()
            try:
                yield MemoryTransaction(self.state, now, self.decode)
            except BaseException:
                self.state = before
                raise
            if dry:
                self.state = before

    def reading(self) -> AbstractContextManager[MemoryTransaction]:
        return self.transaction(0.0, dry=True)

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        with self.transaction(before) as transaction:
            limits, memories = transaction.open_table(spec), self.state.memories[spec.name]
            old = [
                entity
                for entity, row in memories.items()
                if row.since <= before and not unpack(row.memory).live
            ][:limit]
            for entity in old:
                limits = forget(limits, unpack(memories.pop(entity).memory).greatest)
            transaction.save_limits(spec, limits)
            return len(old)

    def adopt(self, spec: TableSpec, now: float) -> Adopted:
        with self.transaction(now) as transaction:
            return transaction.adopt(spec)

    def check(self, spec: TableSpec) -> Iterator[Finding]:
        yield (
            "the store",
            "nothing is kept: it lies in this process's memory",
            "use it in tests only",
        )

    def close(self) -> None:
        return None


class MemoryAddress(msgspec.Struct, frozen=True):
    """`memory://`: a new store each time; what follows says nothing."""

    promises: ClassVar[Promises] = MemoryStore.promises

    def open(self, decode: Decode | None) -> MemoryStore:
        """An empty store."""
        return MemoryStore(decode)

    open_dry = open
    open_looking = open

    def copied(self, decode: Decode | None) -> AbstractContextManager[None]:
        """It cannot be copied."""
        return nullcontext()

    def missing(self) -> str:
        """It is there as soon as it is opened."""
        return ""

    def is_made(self) -> bool:
        """It is there as soon as it is opened."""
        return True

    @staticmethod
    def ddl(tables: Sequence[str]) -> None:
        """There is none."""
