"""anyorder under a simulated clock: the same table that `anyorder.table` gives, told what time it
is."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery
from anyorder._core.memory import Memory
from anyorder.demo.naive import rows_of
from anyorder.guard.contract import EntryQuery
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.guard.report import Report
from anyorder.stores.sqlite.store import SQLiteStore
from anyorder.tables import table
from anyorder.why.story import Story


class Guarded:
    """A guarded table in SQLite. `retention` as in `anyorder.table`; `url`: in this process's
    memory unless told otherwise."""

    def __init__(
        self, name: str = "users", retention: str | float = "forever", url: str = "sqlite://"
    ) -> None:
        self.table = table(url, name, key="id", retention=retention)
        self.report = Report()
        self._name = secrets.token_hex(4)
        self._batches = 0

    def take(self, deliveries: Sequence[Delivery], now: float) -> list[Decision]:
        """Decide and write a batch, all at one moment (seconds since 1970)."""
        self._batches += 1
        events = list(self.table.decode(deliveries))
        taken = take(
            self.table.store,
            [Share(self.table.spec, events)],
            now=now,
            token=f"{self._name}.{self._batches}",
        )
        self.report.count(taken)
        return taken.decisions

    def reap(self, now: float) -> int:
        """Forget the tombstones that are older than the retention; how many."""
        retention, gone = self.table.spec.retention, 0
        while retention is not None and (
            went := self.table.store.reap(self.table.spec, now - retention, 1000)
        ):
            gone += went
        return gone

    def rows(self) -> dict[int, dict[str, Any]]:
        """The user's table."""
        assert isinstance(self.table.store, SQLiteStore)
        return rows_of(self.table.store.database, self.table.spec.name)

    def memory(self, key: int) -> Memory | None:
        """What is remembered of a key."""
        entity = f'{{"id":{key}}}'
        with self.table.store.reading() as transaction:
            remembered = transaction.remembered(self.table.spec, [entity]).get(entity)
        return None if remembered is None else remembered.memory

    def tombstones(self) -> int:
        """How many tombstones are kept."""
        with self.table.store.reading() as transaction:
            return next(
                (
                    facts.tombstones
                    for facts in transaction.tables()
                    if facts.name == self.table.spec.name
                ),
                0,
            )

    def held(self) -> list[int]:
        """The key of every open entry in the quarantine."""
        with self.table.store.reading() as transaction:
            entries = list(transaction.entries(EntryQuery("open", self.table.spec.name)))
        return [entry.key["id"] for entry in entries if isinstance(entry.key, dict)]

    def close(self) -> None:
        """Release the connection."""
        self.table.close()

    def why(self, key: int) -> Story:
        """The story of one row."""
        return self.table.why(key)
