"""What SQLite keeps beside the rows: how far sources are done, runs, growths, and which tables it
guards."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder._core.memory import Stamp
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder.guard.contract import Catalogued, Recorded, TableFacts
from anyorder.stores.sqlite.names import memory_table
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
_encode = msgspec.json.encode
_truncated = msgspec.json.Decoder(Stamp)
_floor = msgspec.json.Decoder(Floor)
_growth = msgspec.json.Decoder(Growth)
_recorded = msgspec.json.Decoder(Recorded)


class Books:
    """Of one transaction; see `contract.Transaction`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._lineage: Lineage | None = None

    def lineage(self) -> Lineage:
        if self._lineage is None:
            # Every start of a connector with a snapshot is a run, so there may be thousands.
            runs: dict[str, list[str]] = {}
            for scope, run in self._database.execute(SQL["lineage"]):
                runs.setdefault(scope, []).append(run)
            self._lineage = {scope: tuple(found) for scope, found in runs.items()}
        return self._lineage

    def add_run(self, scope: str, run: str) -> None:
        self._database.execute(SQL["add_run"], {"scope": scope, "run": run})
        self._lineage = None

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, Growth]:
        found = (
            self._database.execute(SQL["growths"], {"scopes": _encode(scopes).decode()})
            if scopes is not None
            else self._database.execute(SQL["all_growths"])
        )
        return {scope: _growth.decode(text) for scope, text in found}

    def save_growths(self, growths: dict[str, Growth]) -> None:
        self._database.executemany(
            SQL["save_growth"],
            [(scope, _encode(growth).decode()) for scope, growth in growths.items()],
        )

    def frontier(self, source: str) -> str | None:
        row = self._database.execute(SQL["frontier"], {"source": source}).fetchone()
        return None if row is None else str(row[0])

    def save_frontier(self, source: str, position: str) -> None:
        self._database.execute(SQL["save_frontier"], {"source": source, "position": position})

    def tables(self) -> list[TableFacts]:
        return [self._facts(*row) for row in self._database.execute(SQL["tables"]).fetchall()]

    def _facts(
        self, name: str, key: str, columns: str, floor: str, truncated: str | None, created: int
    ) -> TableFacts:
        memories, live = self._database.execute(
            SQL["count_memories"].format(memory=memory_table(name))
        ).fetchone()
        limits = Limits(
            _floor.decode(floor),
            None if truncated is None else _truncated.decode(truncated),
            self.lineage(),
        )
        decode = msgspec.json.decode
        rows = 0
        # A table that is to be made has none yet, and one may have been removed.
        if self._database.execute(SQL["table_exists"], {"name": name}).fetchone() is not None:
            (rows,) = self._database.execute(
                SQL["count_rows"].format(table=quoted(name))
            ).fetchone()
        return TableFacts(
            name, tuple(decode(key)), tuple(decode(columns)), rows, live, memories - live, limits
        )

    def catalogue(self) -> list[Catalogued]:
        return [
            Catalogued(name, _names(key), _recorded_of(text), _names(columns))
            for name, key, text, columns in self._database.execute(SQL["catalogue"])
        ]

    def recorded(self, table: str) -> Recorded | None:
        row = self._database.execute(SQL["recorded"], {"name": table}).fetchone()
        return None if row is None else _recorded_of(row[0])

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        row = self._database.execute(SQL["recorded"], {"name": table}).fetchone()
        if row is None or _recorded_of(row[0]) != before:
            return False
        self._database.execute(SQL["record"], {"name": table, "recorded": _encode(after).decode()})
        return True


def _names(text: str) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(text))


def _recorded_of(text: str | None) -> Recorded | None:
    return None if text is None else _recorded.decode(text)
