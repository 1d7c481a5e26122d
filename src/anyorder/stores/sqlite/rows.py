"""Writes what memories say into the user's table, and makes sure that the row which a statement
reached is the key's own, and was written.

The number of changed rows is looked at after every statement. It is a sum over many rows, so where
it is not what it should be, the batch is undone and its rows are written one by one; then it is
known which row it was, and the table tells why.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence, Set

import msgspec

from anyorder._core.columns import NONE_SPARED, Written, holes
from anyorder._core.event import canonical
from anyorder._core.outcome import Reason
from anyorder.guard.contract import TableSpec, Write
from anyorder.stores.sqlite.constraints import Constraints, folded_row
from anyorder.stores.sqlite.evaluation import write_rows
from anyorder.stores.sqlite.lines import place_by
from anyorder.stores.sqlite.lookup import Lookup
from anyorder.stores.sqlite.names import folded, memory_table
from anyorder.stores.sqlite.schema import Schema
from anyorder.stores.sqlite.untold import ends_before, reset_untold
from anyorder.stores.sqlite.values import Adapted, RowRefused, adapted_all, adapted_keys
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
NONE_CLEARED: tuple[str, ...] = ()


class Shape(msgspec.Struct, frozen=True, gc=False):
    """What a write of a row looks like: was it `live`; of which columns it has a value; which
    others stay as they are (`spared`, None: all); and which nobody tells any more (`cleared`).
    `ended`: what lay there went, also in columns that no event names."""

    live: bool
    values: tuple[str, ...]
    spared: frozenset[str] | None
    cleared: tuple[str, ...] = NONE_CLEARED
    ended: bool = False


class RowNotWritten(RowRefused):
    """A statement reached fewer rows than it was given. `reason`: of the key, where it was one."""

    def __init__(self, message: str, reason: Reason = Reason.MALFORMED) -> None:
        super().__init__(message)
        self.reason = reason


class RowFollowed(RowNotWritten):
    """With this row the table would change, or take, another one that only its own event may."""


class RowWriter:
    """One table's rows of one batch, grouped by statement. `reset`: rows of before that lost what
    a column held which is ours from now on. `spared`: rows of guarded tables, by table and place,
    of which the caller sees to it that they end as their own events say."""

    def __init__(self, database: sqlite3.Connection, schema: Schema, spec: TableSpec) -> None:
        self._database = database
        self._schema = schema
        self._lookup = Lookup(database, schema)
        self._rows = spec.writes_rows
        self.table = spec.name
        self.memory = memory_table(spec.name)
        self.reset: list[Write] = []
        self.spared: frozenset[tuple[str, str]] = frozenset()

    def write(self, writes: Sequence[Write]) -> None:
        """Rows of one batch, at most one write a key; deletes first, they free unique values.
        Raises sqlite3.IntegrityError or RowRefused where one is refused."""
        if not self._rows or not writes:
            return
        gone: list[Write] = []
        shapes: dict[Shape, list[Write]] = {}
        for write in writes:
            if _goes(write):
                gone.append(write)
            elif write.written is not None:
                shapes.setdefault(self._shape_of(write, write.written), []).append(write)
        self._fit(writes, shapes)
        self.reset_untold()
        # Most tables have no children, and most children keep their parents.
        if self._schema.declared.has_followers:
            self._spare_followers(writes)
        if gone and self._schema.columns:
            self._delete(gone)
        for shape, found in shapes.items():
            self._write_shape(shape, found)
            self._require_rows(found)

    def reset_untold(self) -> None:
        """Columns that became ours go back to their default where nobody tells them. Before rows
        are written that do."""
        if self._schema.joined:
            self.reset += reset_untold(self._database, self._schema, self._write_one)

    def _write_one(self, write: Write) -> None:
        self.write([write])

    def _shape_of(self, write: Write, written: Written) -> Shape:
        live = write.before is not None and write.before.live
        values, spared = written.values, written.spared
        ended = write.ended or ends_before(write)
        # A hole is null, as it is told; but where the column has a default, nobody tells it.
        if not self._schema.declared.defaults or write.after is None:
            return Shape(live, tuple(values), spared, ended=ended)
        cleared = [column for column in holes(write.after, values) if column in values]
        named = [column for column in values if column not in cleared]
        return Shape(live, tuple(named), spared, tuple(cleared), ended)

    def _fit(self, writes: Sequence[Write], shapes: Mapping[Shape, Sequence[Write]]) -> None:
        """Every key has the table's columns, and the table those of the events."""
        named: dict[str, int] = {}
        for shape, found in shapes.items():
            for column in (*shape.values, *shape.cleared):
                named[column] = named.get(column, 0) + len(found)
        schema = self._schema
        key = set(schema.key)
        for number, write in enumerate(writes):
            if number == 0 or write.key.keys() != key:
                schema.widen(self._database, write.key, named)
                key = set(schema.key)
        if not schema.created:
            schema.note_missing(self._database, named)
        for column, typed in schema.typed(schema.key).items():
            typed.check_keys([write.key[column] for write in writes])

    def _spare_followers(self, writes: Sequence[Write]) -> None:
        """Raises RowFollowed where the table would change, or take, other rows with one of these
        (ON DELETE CASCADE and its like). Only their own events may: which rows follow depends on
        what has come already, and what comes later would not bring them back."""
        constraints = Constraints(self._database)
        going = {place_by(folded_row(write.key)) for write in writes if _goes(write)}
        table = folded(self.table)
        for write in writes:
            after = None if _goes(write) else write.values
            for follower in constraints.followers(self.table, write.key, after):
                place = place_by(follower.known_by)
                is_going = follower.table == table and place in going
                if not is_going and (follower.table, place) not in self.spared:
                    raise RowFollowed(follower.why, Reason.WAITING)

    # ---- what goes

    def _delete(self, writes: Sequence[Write]) -> None:
        schema = self._schema
        statement = self._statement(("delete",), self._deletion)
        keys = self._lookup.columns([write.key for write in writes])
        write_rows(self._database, self.table, statement, keys)
        # A row that was not there is gone as well; but a trigger may have kept one that was.
        if not schema.declared.has_triggers:
            return
        for write in writes:
            if self._lookup.exists(write.key):
                raise RowNotWritten(
                    f"a trigger of table {schema.name} kept the row of {canonical(write.key)}, "
                    "which is to be deleted: change the trigger, then retry"
                )

    # ---- what is written

    def _write_shape(self, shape: Shape, writes: Sequence[Write]) -> None:
        """Writes that name the same columns are one statement; a row that is there and is told in
        part is updated."""
        named = self._others(lambda column: column in shape.values)
        # They go back to their own default: nobody tells them any more.
        reset = self._others(lambda column: column in shape.cleared)
        if shape.spared is not None:
            kept = shape.spared.union(named)
            reset = self._others(lambda column: column not in kept)
            if shape.ended:
                reset = self._all_others(kept)
        # Of a row that is told whole nothing need be there: where it is gone, it is written anew.
        if shape.live and shape.spared != NONE_SPARED:
            self._update(named, reset, writes)
        else:
            self._upsert(named, reset, writes)

    def _require_rows(self, writes: Sequence[Write]) -> None:
        """Raises RowNotWritten for a row that is not there when its triggers are done."""
        if not self._schema.declared.has_triggers:
            return
        for write in writes:
            if not self._lookup.exists(write.key):
                raise RowNotWritten(
                    f"a trigger of table {self._schema.name} takes the row of "
                    f"{canonical(write.key)} away, or gives it another key: change the trigger, "
                    "then retry"
                )

    def _others(self, is_wanted: Callable[[str], bool]) -> tuple[str, ...]:
        """Those of our columns that are wanted, key columns apart."""
        columns, key = self._schema.columns, self._schema.key
        return tuple(column for column in columns if column not in key and is_wanted(column))

    def _all_others(self, kept: Set[str]) -> tuple[str, ...]:
        """The columns of the table that are not kept, the user's own among them, key columns
        apart."""
        kept = {*kept, *self._schema.key}
        ours = [column for column in self._schema.columns if column not in kept]
        own = [column for column in self._schema.declared.columns if column not in kept]
        return tuple(dict.fromkeys([*ours, *own]))

    def _update(
        self, named: tuple[str, ...], reset: tuple[str, ...], writes: Sequence[Write]
    ) -> None:
        if not named and not reset:
            return
        statement = self._statement(
            ("update", *named, "", *reset), lambda: self._update_statement(named, reset)
        )
        keys = self._lookup.columns([write.key for write in writes])
        self._run(statement, [*self._columns(writes, named), *keys], writes)

    def _upsert(
        self, named: tuple[str, ...], reset: tuple[str, ...], writes: Sequence[Write]
    ) -> None:
        statement = self._statement(
            ("insert", *named, "", *reset), lambda: self._insert_statement(named, reset)
        )
        keys = [
            adapted_keys([write.key[column] for write in writes]) for column in self._schema.key
        ]
        self._run(statement, [*keys, *self._columns(writes, named)], writes)

    def _columns(self, writes: Sequence[Write], named: tuple[str, ...]) -> list[list[Adapted]]:
        """The values of these columns, a list a column. Raises RowRefused for one that its column
        would change."""
        told = [write.values for write in writes]
        typed = self._schema.declared.typed
        found: list[list[Adapted]] = []
        for column in named:
            values = [each.get(column) for each in told]
            if column in typed:
                typed[column].check_values(values)
            found.append(adapted_all(values))
        return found

    def _run(
        self, statement: str, columns: Sequence[list[Adapted]], writes: Sequence[Write]
    ) -> None:
        """Run a statement once a write. `columns`: for each of its places the values of all."""
        changed = write_rows(self._database, self.table, statement, columns)
        if changed == len(writes):
            return
        if len(writes) > 1:
            raise RowNotWritten(f"{changed} of {len(writes)} rows of {self.table} were written")
        raise self._unwritten(writes[0])

    def _unwritten(self, write: Write) -> RowNotWritten:
        """Why the one row was not written."""
        entity, table = canonical(write.key), self._schema.name
        if self._lookup.exists(write.key):
            return RowNotWritten(
                f"a trigger of table {table} ignored what was written to the row of {entity}: "
                "change the trigger, then retry"
            )
        other = self._lookup.met(write.key)
        if other is not None:
            return RowNotWritten(
                f"the key {entity} meets the row of {canonical(other)}: table {table} does not "
                f"tell them apart ({self._collations()}). Declare the key column without it"
            )
        if write.before is not None and write.before.live:
            return RowNotWritten(
                f"the row of {entity} is gone from table {table}, though no event deleted it: "
                "somebody else did, or a cascade or trigger. A whole upsert writes it anew",
                Reason.CONFLICT,
            )
        if not self._schema.declared.has_triggers:
            return RowNotWritten(
                f"the key {entity} meets another row: a unique index of table {table} takes the "
                "two for one, though the key column tells them apart. Drop that index, or make it "
                "COLLATE BINARY"
            )
        return RowNotWritten(
            f"a trigger of table {table} ignored the row of {entity}: change it, then retry"
        )

    def _collations(self) -> str:
        collations = self._schema.declared.collations
        told = [
            f"{name}: COLLATE {collations[name]}" for name in self._schema.key if name in collations
        ]
        return ", ".join(told) or "by its unique index"

    # ---- statements

    def _deletion(self) -> str:
        schema = self._schema
        return SQL["delete_row"].format(
            table=quoted(schema.name), condition=self._lookup.condition()
        )

    def _update_statement(self, named: tuple[str, ...], reset: tuple[str, ...]) -> str:
        schema = self._schema
        told = [f"{quoted(column)} = ?" for column in named]
        told += [f"{quoted(column)} = {schema.declared.default_of(column)}" for column in reset]
        return SQL["update_row"].format(
            table=quoted(schema.name),
            assignments=", ".join(told),
            condition=self._lookup.condition(),
        )

    def _insert_statement(self, named: tuple[str, ...], reset: tuple[str, ...]) -> str:
        schema = self._schema
        names = [*schema.key, *named]
        # A row of nothing but its key is still looked for, so that it is counted.
        assigned = [*named, *reset] or schema.key
        return SQL["insert_row"].format(
            table=quoted(schema.name),
            columns=", ".join(map(quoted, names)),
            places=", ".join("?" * len(names)),
            key=", ".join(map(quoted, schema.key)),
            assignments=", ".join(
                f"{quoted(column)} = excluded.{quoted(column)}" for column in assigned
            ),
            exactly=self._exactly(),
        )

    def _exactly(self) -> str:
        """Where the table takes several texts for one key: only the row of this very text."""
        schema, folding = self._schema, self._schema.declared.collations
        table = quoted(schema.name)
        parts: list[str] = []
        for column in schema.key:
            if column in folding:
                name = quoted(column)
                parts.append(f"{table}.{name} = excluded.{name} COLLATE BINARY")
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def _statement(self, name: tuple[str, ...], make: Callable[[], str]) -> str:
        statement = self._schema.statements.get(name)
        if statement is None:
            statement = self._schema.statements[name] = make()
        return statement


def _goes(write: Write) -> bool:
    """Is there no row after this write?"""
    after = write.after
    return after is None or not after.live
