"""A table whose rows the caller's own SQL writes, and whether row and memory say the same."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import anyorder

ROWS = "CREATE TABLE orders (id TEXT PRIMARY KEY, total INTEGER CHECK (total < 100), note TEXT)"


def orders(path: Path, **options: Any) -> anyorder.Table:
    """`orders`, in a database where its user made it."""
    database = sqlite3.connect(path)
    database.execute(ROWS.replace("TABLE", "TABLE IF NOT EXISTS"))
    database.close()
    return anyorder.table(
        f"sqlite:///{path}", "orders", key="/id", position="/version", deleted="/gone", **options
    )


def order(key: str, version: int, **columns: Any) -> dict[str, Any]:
    return {"id": key, "version": version, "total": version, **columns}


def event_of(table: anyorder.Table, document: dict[str, Any]) -> anyorder.Event:
    (event,) = table.decode([json.dumps(document).encode()])
    return event


def write(connection: Any, decision: anyorder.Decision) -> None:
    """The caller's own SQL, as the page shows it: from the columns that came."""
    if decision.values is None:
        connection.execute("DELETE FROM orders WHERE id = :id", decision.key)
        return
    named = [name for name in ("total", "note") if name in decision.values]
    told = {**decision.values, **decision.key}
    sets = ", ".join(f"{name} = :{name}" for name in named)
    changed = connection.execute(f"UPDATE orders SET {sets} WHERE id = :id", told).rowcount
    if not changed:
        columns = ", ".join(["id", *named])
        places = ", ".join(f":{name}" for name in ["id", *named])
        connection.execute(f"INSERT INTO orders ({columns}) VALUES ({places})", told)


def rows(path: Path) -> dict[str, int]:
    database = sqlite3.connect(path)
    found = dict(database.execute("SELECT id, total FROM orders").fetchall())
    database.close()
    return found


def agree(table: anyorder.Table, path: Path, key: str) -> bool:
    """Is there a row exactly where the memory says so?"""
    return (table.why(key).state == "row") is (key in rows(path))


def state(table: anyorder.Table, path: Path, key: str) -> tuple[str, int | None]:
    """What the memory says, and what the row shows."""
    return table.why(key).state, rows(path).get(key)
