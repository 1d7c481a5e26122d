"""The user's table in SQLite: created from the events' columns, widened when one appears, or
exactly as the user has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from anyorder._core.floor import NOTHING_FORGOTTEN
from anyorder.errors import StoreError, TableNotEmpty
from anyorder.guard.contract import TableSpec, Write
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
INT64 = 1 << 63
AS_IT_IS = frozenset({str, float, bytes, bool, type(None)})
Shape = tuple[bool, tuple[str, ...], frozenset[str] | None]
"""What a write of a row looks like: was it live, which columns have a value, which others stay as
they are (None: all)."""
_encode = msgspec.json.Encoder(decimal_format="number")


class Loaded(NamedTuple):
    """A table's line in our own books."""

    key_columns: str
    columns: str
    floor: str
    truncated: str | None
    created: int


def memory_table(name: str) -> str:
    """The quoted name of the memory beside a table."""
    return quoted(f"anyorder_memory_{name}")


class Schema:
    """What is known of one guarded table. `created`: we made the user's table, so we may widen
    it."""

    def __init__(self, name: str, key: tuple[str, ...], created: bool) -> None:
        self.name = name
        self.key = key
        self.created = created
        self.columns: list[str] = []
        self.ignored: set[str] = set()
        self._text = ""
        self.statements: dict[tuple[str, ...], str] = {}

    @classmethod
    def open(cls, database: sqlite3.Connection, spec: TableSpec) -> Schema:
        """Find or make the table's memory and its line in our books; look at the user's table if
        there is one."""
        row = database.execute(SQL["load_table"], {"name": spec.name}).fetchone()
        if row is None:
            exists = (
                database.execute(SQL["table_exists"], {"name": spec.name}).fetchone() is not None
            )
            _refuse_rows(database, spec, exists)
            floor = msgspec.json.encode(NOTHING_FORGOTTEN).decode()
            columns = (
                [name for name, _ in database.execute(SQL["columns_of"], {"name": spec.name})]
                if exists
                else []
            )
            values = {
                "key_columns": msgspec.json.encode(spec.key).decode(),
                "columns": msgspec.json.encode(columns).decode(),
                "floor": floor,
            }
            database.execute(
                SQL["insert_table"],
                {"name": spec.name, "created": int(not exists), "adopt": spec.adopt, **values},
            )
            memory = memory_table(spec.name)
            database.execute(SQL["create_memory"].format(memory=memory))
            database.execute(
                SQL["create_memory_index"].format(
                    memory=memory, index=quoted(f"anyorder_tombstones_{spec.name}")
                )
            )
            row = database.execute(SQL["load_table"], {"name": spec.name}).fetchone()
        loaded = Loaded(*row)
        schema = cls(
            spec.name,
            spec.key or tuple(msgspec.json.decode(loaded.key_columns)),
            bool(loaded.created),
        )
        if not schema.created and schema.key:
            schema.check_key(database)
        return schema

    def load(self, database: sqlite3.Connection) -> Loaded:
        """Our books' line, read in this transaction: another process may have moved the floor or
        added columns."""
        row = database.execute(SQL["load_table"], {"name": self.name}).fetchone()
        if row is None:
            raise StoreError(f"the memory of table {self.name} has been removed from the database")
        loaded = Loaded(*row)
        if loaded.columns != self._text:
            self._text, self.columns = loaded.columns, msgspec.json.decode(loaded.columns)
            self.key = self.key or tuple(msgspec.json.decode(loaded.key_columns))
            self.statements.clear()
        return loaded

    def reload(self, database: sqlite3.Connection) -> None:
        """After a rollback to a savepoint: what was added is gone again."""
        self._text = ""
        self.load(database)

    def check_key(self, database: sqlite3.Connection) -> None:
        """An upsert needs the key to be unique in the user's table."""
        columns = database.execute(SQL["columns_of"], {"name": self.name}).fetchall()
        primary = {name for name, place in columns if place}
        unique = [
            set(names.split("\x00"))
            for _, names in database.execute(SQL["unique_indexes"], {"name": self.name})
        ]
        if set(self.key) not in (primary, *unique):
            names = ", ".join(self.key)
            raise StoreError(
                f"table {self.name} has no primary key or unique index on ({names}): "
                "create one, or name its key in key="
            )

    def content(
        self, database: sqlite3.Connection, key: Mapping[str, object]
    ) -> dict[str, object] | None:
        """The user's row of a key, or None."""
        if not self.columns:
            return None
        condition = " AND ".join(f"{quoted(column)} = ?" for column in self.key)
        found = database.execute(
            SQL["read_row"].format(table=quoted(self.name), condition=condition),
            [key_value(key[column]) for column in self.key],
        )
        row = found.fetchone()
        return (
            None
            if row is None
            else dict(zip((column for column, *_ in found.description), row, strict=True))
        )

    def widen(
        self, database: sqlite3.Connection, key: dict[str, object], columns: Sequence[str]
    ) -> None:
        """Make room for columns that events name for the first time. A table of the user's own is
        left as it is."""
        if not self.key:
            self.key = tuple(key)
        if set(key) != set(self.key):
            raise StoreError(
                f"table {self.name} has the key ({', '.join(self.key)}), "
                f"this event has ({', '.join(key)})"
            )
        known = {column.lower(): column for column in self.columns}
        fresh = [
            c
            for c in dict.fromkeys([*self.key, *columns])
            if known.get(c.lower()) != c and c not in self.ignored
        ]
        if not fresh:
            return
        for column in fresh:
            if column.lower() in known:
                raise StoreError(
                    f"column {column!r} of table {self.name} differs from another only in case, "
                    "which SQLite does not tell apart"
                )
            known[column.lower()] = column
        if not self.created:
            self.ignored.update(fresh)
            return
        self._add(database, fresh)

    def _add(self, database: sqlite3.Connection, fresh: Sequence[str]) -> None:
        table = quoted(self.name)
        if not self.columns:
            names = ", ".join(quoted(column) for column in fresh)
            database.execute(
                SQL["create_table"].format(
                    table=table, columns=names, key=", ".join(map(quoted, self.key))
                )
            )
        else:
            for column in fresh:
                database.execute(SQL["add_column"].format(table=table, column=quoted(column)))
        self.columns = [*self.columns, *fresh]
        self._text = msgspec.json.encode(self.columns).decode()
        self.statements.clear()
        database.execute(
            SQL["save_columns"],
            {
                "name": self.name,
                "columns": self._text,
                "key_columns": msgspec.json.encode(self.key).decode(),
            },
        )


def _refuse_rows(database: sqlite3.Connection, spec: TableSpec, exists: bool) -> None:
    if not exists or spec.adopt == "older-than-everything":
        return
    if database.execute(SQL["any_row"].format(table=quoted(spec.name))).fetchone() is not None:
        raise TableNotEmpty(
            f"table {spec.name} already has rows that no event explains. If every event to come "
            'is newer than them, say adopt="older-than-everything" '
            "(--adopt older-than-everything); otherwise use an empty table"
        )


class RowWriter:
    """Writes what memories say into the user's table, grouped by statement."""

    def __init__(self, database: sqlite3.Connection, schema: Schema, spec: TableSpec) -> None:
        self._database = database
        self._schema = schema
        self._rows = spec.writes_rows
        self.table = spec.name
        self.memory = memory_table(spec.name)

    def write(self, writes: Sequence[Write]) -> None:
        """Rows of one batch, at most one write a key; deletes first, they free unique values.
        Raises sqlite3.IntegrityError where one is refused."""
        if not self._rows or not writes:
            return
        gone: list[Write] = []
        shapes: dict[Shape, list[Write]] = {}
        for write in writes:
            after = write.after
            if after is None or not after.live:
                gone.append(write)
            elif write.written is not None:
                live = write.before is not None and write.before.live
                values, spared = write.written
                shapes.setdefault((live, tuple(values), spared), []).append(write)
        self._fit(writes, shapes)
        if gone and self._schema.columns:
            self._database.executemany(self._deletion(), [self._key(write) for write in gone])
        for shape, found in shapes.items():
            self._write_shape(shape, found)

    def _fit(self, writes: Sequence[Write], shapes: Iterable[Shape]) -> None:
        """Every key has the table's columns, and the table those of the events."""
        columns = dict.fromkeys(column for _, values, _ in shapes for column in values)
        key = self._schema.key
        for number, write in enumerate(writes):
            if number == 0 or write.key.keys() != set(key):
                self._schema.widen(self._database, write.key, list(columns))

    def _write_shape(self, shape: Shape, writes: Sequence[Write]) -> None:
        """Writes that name the same columns are one statement; a row that is there and is told in
        part is updated."""
        live, values, spared = shape
        columns = self._named(values, spared)
        if live and (
            not columns or len(columns) + len(self._schema.key) != len(self._schema.columns)
        ):
            if columns:
                self._database.executemany(
                    self._update(columns),
                    [_adapted(write, columns) + self._key(write) for write in writes],
                )
        else:
            self._database.executemany(
                self._insert(columns),
                [self._key(write) + _adapted(write, columns) for write in writes],
            )

    def _key(self, write: Write) -> list[object]:
        return [key_value(write.key[column]) for column in self._schema.key]

    def _named(self, values: tuple[str, ...], spared: frozenset[str] | None) -> tuple[str, ...]:
        """The columns to write, key columns apart: those with a value and, where only some are
        spared, every other known one."""
        others = [column for column in self._schema.columns if column not in self._schema.key]
        if spared is None:
            return tuple(column for column in others if column in values)
        return tuple(column for column in others if column in values or column not in spared)

    def _deletion(self) -> str:
        return self._cached(
            ("delete",),
            lambda: SQL["delete_row"].format(
                table=quoted(self._schema.name), condition=self._condition()
            ),
        )

    def _update(self, columns: tuple[str, ...]) -> str:
        assignments = ", ".join(f"{quoted(column)} = ?" for column in columns)
        return self._cached(
            ("update", *columns),
            lambda: SQL["update_row"].format(
                table=quoted(self._schema.name),
                assignments=assignments,
                condition=self._condition(),
            ),
        )

    def _insert(self, columns: tuple[str, ...]) -> str:
        names = [*self._schema.key, *columns]
        return self._cached(
            ("insert", *names),
            lambda: SQL["insert_row" if columns else "insert_row_of_keys"].format(
                table=quoted(self._schema.name),
                columns=", ".join(map(quoted, names)),
                places=", ".join("?" * len(names)),
                key=", ".join(map(quoted, self._schema.key)),
                assignments=", ".join(
                    f"{quoted(column)} = excluded.{quoted(column)}" for column in columns
                ),
            ),
        )

    def _condition(self) -> str:
        return " AND ".join(f"{quoted(column)} = ?" for column in self._schema.key)

    def _cached(self, name: tuple[str, ...], make: Any) -> str:
        statement = self._schema.statements.get(name)
        if statement is None:
            statement = self._schema.statements[name] = make()
        return statement


def _adapted(write: Write, columns: tuple[str, ...]) -> list[object]:
    get = write.values.get
    return [
        value if (value := get(column)).__class__ in AS_IT_IS else adapted(value)
        for column in columns
    ]


def key_value(value: object) -> object:
    """A key's value as SQLite stores it exactly. A decimal that a float spells is one, as it was
    before keys were decimals: else a row of then would be found no more."""
    if isinstance(value, Decimal):
        nearest = float(value)
        # `Decimal` takes the shortest digits of the float, not its binary value.
        is_exact = Decimal(repr(nearest)) == value
        return nearest if is_exact else str(value)
    return adapted(value)


def adapted(value: object) -> object:
    """A decoded value as SQLite stores it exactly: integers beyond 64 bits and decimals as text,
    lists and objects as JSON text."""
    if value.__class__ in AS_IT_IS:
        return value
    if isinstance(value, int):
        return value if -INT64 <= value < INT64 else str(value)
    if isinstance(value, Decimal):
        return str(value)
    return _encode.encode(value).decode()
