"""Places for the stores that need no service, to run the kit on, and as examples for a new store's
own."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from anyorder._core.event import canonical
from anyorder._core.key import asked, is_readable
from anyorder.guard.contract import Decode, Store
from anyorder.stores.memory.store import MemoryStore
from anyorder.stores.sqlite.store import SQLiteStore
from anyorder.stores.statements import quoted
from anyorder.testing.place import Hook, Place

POISON = "poison"
# No JSON, so that it cannot be evaluated.
PART_OF_IT = f"json_extract(CASE x WHEN '{POISON}' THEN x END, '$')"
POISONED = {
    "check": f"CREATE TABLE kit (id PRIMARY KEY, x CHECK (x IS NOT '{POISON}'), y)",
    "a check that fails": f"CREATE TABLE kit (id PRIMARY KEY, x CHECK ({PART_OF_IT} IS NULL), y)",
    "a generated column": f"CREATE TABLE kit (id PRIMARY KEY, x, y, z AS ({PART_OF_IT}) STORED)",
    "an index": f"CREATE TABLE kit (id PRIMARY KEY, x, y); CREATE INDEX i ON kit ({PART_OF_IT})",
}
"""How a table of the user's refuses a value of its column `x`: an expression forbids it, or cannot
be evaluated."""


def memory_place(kind: type[MemoryStore] = MemoryStore) -> Place:
    """A store in this process's memory; its connections are one object."""
    store = kind()

    def connect(decode: Decode) -> Store:
        store.decode = decode
        return store

    def plant(table: str, rows: Sequence[dict[str, object]]) -> None:
        there = store.state.rows.setdefault(table, {})
        for row in rows:
            key = asked({"id": row["id"]}, {})
            if not is_readable(key):
                raise ValueError(f"no entity has the key {key}")
            there[canonical(key)] = dict(row)

    def remove(table: str, key: object) -> None:
        del store.state.rows[table][canonical({"id": key})]

    def renew(table: str) -> None:
        store.state.rows[table] = {}

    return Place(
        connect,
        lambda table: list(store.state.rows.get(table, {}).values()),
        plant=plant,
        remove=remove,
        renew=renew,
    )


def sqlite_place(
    kind: type[SQLiteStore] = SQLiteStore,
    *,
    refusing: bool = True,
    refused_by: str = "check",
    deferred: bool = False,
    action: str = "",
) -> Place:
    """A database file of its own. `refusing`: the user's table exists and refuses a value, in a way
    of POISONED (`refused_by`); else it is made from the events. `deferred`: the parents of its
    children are looked for at COMMIT; `action`: what becomes of them where a parent changes or
    goes."""
    directory = tempfile.TemporaryDirectory(prefix="anyorder-kit-")
    path = str(Path(directory.name) / "kit.db")
    if refusing:
        when = "DEFERRABLE INITIALLY DEFERRED" if deferred else ""
        _make_tables(path, POISONED[refused_by], f"{action} {when}")

    def rows(table: str) -> list[dict[str, object]]:
        database = sqlite3.connect(path)
        try:
            cursor = database.execute(f"SELECT * FROM {quoted(table)}")
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        except sqlite3.OperationalError:
            return []
        finally:
            database.close()

    def plant(table: str, found: Sequence[dict[str, object]]) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.executemany(
                f"INSERT INTO {quoted(table)} (id, x, y) VALUES (:id, :x, :y)", found
            )

    def remove(table: str, key: object) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(f"DELETE FROM {quoted(table)} WHERE id = ?", (key,))

    def renew(table: str) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(f"DROP TABLE {quoted(table)}")
            database.execute(f"CREATE TABLE {quoted(table)} (id PRIMARY KEY, x)")

    def drop(table: str) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(f"DROP TABLE {quoted(table)}")

    return Place(
        connect=lambda decode: kind(path, decode),
        rows=rows,
        tap=_tap,
        poison=POISON if refusing else None,
        url=f"sqlite:///{quote(str(path))}" if kind is SQLiteStore else None,
        close=directory.cleanup,
        # A table that is made from the events has no row before them.
        plant=plant if refusing else None,
        remove=remove,
        has_child=refusing,
        renew=renew,
        drop=drop,
    )


def _make_tables(path: str, kit: str, ending: str) -> None:
    database = sqlite3.connect(path)
    database.executescript(kit)
    database.execute(
        f"CREATE TABLE child (id PRIMARY KEY, x REFERENCES kit (id) {ending}, y NOT NULL UNIQUE)"
    )
    database.commit()
    database.close()


def _tap(store: Any, hook: Hook) -> None:
    store._database = _Tapped(store._database, hook)


class _Tapped:
    """A SQLite connection that calls the hook before and after each statement."""

    def __init__(self, database: sqlite3.Connection, hook: Hook) -> None:
        self._tapped = database
        self._hook = hook

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        return self._call(self._tapped.execute, statement, *parameters)

    def executemany(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        return self._call(self._tapped.executemany, statement, *parameters)

    def _call(self, method: Any, statement: str, *parameters: Any) -> sqlite3.Cursor:
        told = " ".join(statement.split())[:60]
        self._hook(f"before {told}")
        cursor: sqlite3.Cursor = method(statement, *parameters)
        self._hook(f"after {told}")
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tapped, name)
