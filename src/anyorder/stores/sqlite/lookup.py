"""How the row of a key is found in the user's table: that row and no other, whatever the table
takes for the same key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from anyorder._core.event import key_of
from anyorder._core.floor import Floor
from anyorder._core.memory import Memory, adopted
from anyorder._core.misfit import misfits
from anyorder.stores.sqlite.declared import NOTHING_DECLARED
from anyorder.stores.sqlite.schema import Schema
from anyorder.stores.sqlite.values import Adapted, adapted_key, adapted_keys, as_told
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
Row = dict[str, Any]


class Lookup:
    """The rows of one table, by their keys."""

    def __init__(self, database: sqlite3.Connection, schema: Schema) -> None:
        self._database = database
        self._schema = schema

    def condition(self) -> str:
        """The condition that finds the row of a key and no other. The index is asked as it
        compares; where that folds texts, the very text is asked for as well."""
        folding = self._schema.declared.collations
        parts: list[str] = []
        for column in self._schema.key:
            parts.append(f"{quoted(column)} = ?")
            if column in folding:
                parts.append(f"{quoted(column)} = ? COLLATE BINARY")
        return " AND ".join(parts)

    def columns(self, keys: Sequence[Mapping[str, object]]) -> list[list[Adapted]]:
        """The values of `condition` for each of these keys: for each of its places those of all."""
        folding = self._schema.declared.collations
        found: list[list[Adapted]] = []
        for column in self._schema.key:
            values = adapted_keys([key[column] for key in keys])
            found.append(values)
            if column in folding:
                found.append(values)
        return found

    def values(self, key: Mapping[str, object]) -> list[Adapted]:
        """The values of `condition`."""
        return [value for (value,) in self.columns([key])]

    def exists(self, key: Mapping[str, object]) -> bool:
        """Is there a row of this very key?"""
        statement = SQL["row_exists"].format(
            table=quoted(self._schema.name), condition=self.condition()
        )
        return self._database.execute(statement, self.values(key)).fetchone() is not None

    def content(self, key: Mapping[str, object]) -> Row | None:
        """The user's row of a key, or None."""
        schema = self._schema
        if schema.declared is NOTHING_DECLARED or key.keys() != set(schema.key):
            return None
        return self._read(self.condition(), self.values(key))

    def adopted(self, entity: str, floor: Floor) -> Memory:
        """What stands for the row of a key of which no event has told anything. `floor`: the
        table's."""
        schema = self._schema
        clock = schema.clock
        # Somebody may have taken the column away since.
        if clock is None or clock.column not in schema.declared.names.values():
            return adopted(floor)
        statement = SQL["read_value"].format(
            column=quoted(clock.column), table=quoted(schema.name), condition=self.condition()
        )
        row = self._database.execute(statement, self.values(key_of(entity))).fetchone()
        return clock.memory_of(as_told(row[0]), entity, floor)

    def met(self, key: Mapping[str, object]) -> Row | None:
        """The key of the row that the table takes for this key's, or None."""
        names = self._schema.key
        # As the index compares, which may fold where the column itself does not.
        folding = self._schema.declared.collations
        collated = [f"COLLATE {quoted(folding.get(column, 'BINARY'))}" for column in names]
        pairs = zip(names, collated, strict=True)
        condition = " AND ".join(f"{quoted(column)} = ? {collation}" for column, collation in pairs)
        there = self._read(condition, [adapted_key(key[column]) for column in names])
        return None if there is None else {column: there[column] for column in names}

    def _read(self, condition: str, values: list[Adapted]) -> Row | None:
        statement = SQL["read_row"].format(table=quoted(self._schema.name), condition=condition)
        found = self._database.execute(statement, values)
        row = found.fetchone()
        if row is None:
            return None
        names = [column for column, *_ in found.description]
        return dict(zip(names, row, strict=True))

    def unexplained(self, entities: Iterable[str]) -> Iterator[str]:
        """Those of these entities of which there is a row."""
        schema = self._schema
        for entity in entities:
            key: Row = key_of(entity)
            # The first event tells the key, where nobody declared it.
            if not schema.key and key.keys() == schema.declared.primary:
                schema.learn_key(self._database, tuple(key))
            # An entity of another key has no row here, and its write will say so.
            if key.keys() == set(schema.key) and self.exists(key):
                yield entity

    def every_key(self) -> Iterator[Row]:
        """The key of every row, read before the first is given."""
        schema = self._schema
        # Before the first event of a table whose key nobody declared there is none to ask for.
        if not schema.key:
            return
        columns = ", ".join(map(quoted, schema.key))
        statement = SQL["all_keys"].format(table=quoted(schema.name), columns=columns)
        for values in self._database.execute(statement).fetchall():
            told = dict(zip(schema.key, map(as_told, values), strict=True))
            # What somebody put there since the table was adopted may be of no entity at all.
            if not misfits(told, {}):
                yield told
