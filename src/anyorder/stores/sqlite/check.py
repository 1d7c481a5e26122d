"""What of a table in SQLite needs a person: keys that it folds, columns that it lacks, rows that
somebody else took."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from anyorder._core.row_clock import REFUSE
from anyorder.guard.contract import Finding, TableSpec
from anyorder.stores.sqlite.adoption import known_pass
from anyorder.stores.sqlite.declared import Declared, declared_now
from anyorder.stores.sqlite.names import memory_table
from anyorder.stores.sqlite.reachable import unreachable
from anyorder.stores.sqlite.schema import Loaded
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
SHOWN = 5  # names of columns in one finding


def findings(database: sqlite3.Connection, spec: TableSpec) -> Iterator[Finding]:
    """Every finding of one table that our books have."""
    row = database.execute(SQL["load_table"], {"name": spec.name}).fetchone()
    if row is None:
        return
    loaded = Loaded(*row)
    declared = declared_now(database, spec.name)
    ours = msgspec.json.decode(loaded.columns)
    if declared is None:
        # One that is still to be made is missed by nobody.
        if ours or not loaded.created:
            yield spec.name, "the table is gone from the database", "restore it"
        return
    key = spec.key or tuple(msgspec.json.decode(loaded.key_columns))
    yield from _keys(spec.name, declared, key)
    yield from _columns(spec.name, declared, loaded, ours)
    if loaded.adopt != REFUSE and not loaded.created:
        yield from _unreachable(database, spec, declared, key)
    yield from _without(database, spec.name)
    yield from _rows(database, spec.name, declared)
    yield from _followers(database, spec.name)


def journal(path: str, database: sqlite3.Connection) -> Iterator[Finding]:
    """Does the journal of a database file make its readers and its writer wait for each other?"""
    (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal" and path != ":memory:":
        yield (
            path,
            f"the journal mode is {mode}, so readers and the writer block each other",
            "move the file to a local disk: WAL needs shared memory, which network file systems "
            "lack",
        )


def _keys(table: str, declared: Declared, key: tuple[str, ...]) -> Iterator[Finding]:
    for column in key:
        collation = declared.collations.get(column)
        if collation is not None:
            yield (
                table,
                f"key column {column} has COLLATE {collation}, which takes several keys for one: "
                "the second to come is malformed",
                "declare the column without it, if two such keys are two rows",
            )
        typed = declared.typed.get(column)
        if typed is not None and not typed.keeps_keys:
            yield (
                table,
                f"key column {column} is declared {typed.declared}, which makes numbers of texts: "
                "such keys are malformed",
                "declare it TEXT or INTEGER",
            )


def _unreachable(
    database: sqlite3.Connection, spec: TableSpec, declared: Declared, key: tuple[str, ...]
) -> Iterator[Finding]:
    """Rows that somebody put there since."""
    for found in unreachable(database, spec.name, declared, key, spec.kinds):
        yield spec.name, str(found), "give them a key as events tell it, or delete them"


def _without(database: sqlite3.Connection, table: str) -> Iterator[Finding]:
    """Rows that were to take their position from a column and found none there."""
    reached = known_pass(database, table)
    if reached is None or not reached.without:
        return
    yield (
        table,
        f"{reached.without} of {reached.rows} rows had no position in the column "
        f"{reached.clock.column} when they were adopted ({reached.example}), and were taken as "
        "older than every event",
        "nothing, if no event from before is still to come; else look them up at the source",
    )


def _columns(table: str, declared: Declared, loaded: Loaded, ours: list[str]) -> Iterator[Finding]:
    missing: dict[str, int] = msgspec.json.decode(loaded.missing)
    # What was ours and is gone is told as that.
    there = {*declared.columns, *ours}
    lacked = {name: rows for name, rows in missing.items() if name not in there}
    if lacked:
        shown = [f"{name} ({_times(rows)})" for name, rows in lacked.items()]
        yield (
            table,
            f"events tell columns that the table lacks: {_some(shown)}",
            "add them to the table, or let them be",
        )
    gone = [name for name in ours if name not in declared.columns]
    if gone:
        yield (
            table,
            f"columns that events told are gone from the table: {_some(gone)}",
            "add them again, or let them be",
        )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"{shown}, ..." if len(names) > SHOWN else shown


def _rows(database: sqlite3.Connection, table: str, declared: Declared) -> Iterator[Finding]:
    """Rows that are remembered and not there, and who may have taken them."""
    counting = SQL["count_rows"].format(table=quoted(table))
    (rows,) = database.execute(counting).fetchone()
    memories = SQL["count_memories"].format(memory=memory_table(table))
    _, live = database.execute(memories).fetchone()
    if rows >= live:
        return
    who = ["somebody by hand"]
    parents = [name for (name,) in database.execute(SQL["cascades_of"], {"name": table})]
    if parents:
        who.insert(0, f"ON DELETE CASCADE of {', '.join(parents)}")
    if declared.has_triggers:
        who.insert(0, "a trigger")
    yield (
        table,
        f"{live - rows} rows are remembered and gone: {' or '.join(who)} took them",
        "what tells such a row in part is held as a conflict; a whole upsert writes it anew",
    )


def _followers(database: sqlite3.Connection, table: str) -> Iterator[Finding]:
    """What waits for rows that their table would take, or change, by itself."""
    for child, action, number in database.execute(SQL["awaits_followers"], {"name": table}):
        yield (
            table,
            f"{number} deliveries wait for rows of {child}, which {action} would take or change, "
            "and whose own events have not come",
            "nothing, if the source tells them; where it does not (MySQL cascades without a word), "
            "delete or change those rows by hand",
        )
