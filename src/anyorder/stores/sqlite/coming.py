"""The lines of what waits whose rows have moved: by a write of this transaction, or by another
hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from anyorder.guard.contract import Write
from anyorder.stores.sqlite.constraints import Constraints, folded_row
from anyorder.stores.sqlite.lines import Line, place_in
from anyorder.stores.sqlite.looking import Looked
from anyorder.stores.sqlite.names import folded
from anyorder.stores.statements import load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
Moved = Sequence[tuple[str, Sequence[Write]]]
"""Tables, and what was written to each."""
_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Coming:
    """Of one transaction. `looked`: how far the store has looked for what others moved."""

    def __init__(
        self,
        database: sqlite3.Connection,
        constraints: Constraints,
        looked: Looked,
    ) -> None:
        self._database = database
        self._constraints = constraints
        self._looked = looked
        self._is_looked = False

    @property
    def is_start(self) -> bool:
        """Was nothing looked through yet since the store was opened?"""
        return not self._looked.through

    def with_writes(self, moved: Moved) -> Iterator[Line]:
        """The lines that wait for a row which was written."""
        by_table: dict[str, list[Write]] = {}
        for table, writes in moved:
            by_table.setdefault(folded(table), []).extend(writes)
        for table, together in by_table.items():
            # Most tables are awaited by nobody, so their rows are not looked at.
            for columns in self._awaited_columns(table):
                yield from self._lines(table, columns, together)

    def _awaited_columns(self, table: str) -> Iterator[str]:
        after = ""
        # It ends: each step goes on behind the columns of the one before.
        while True:
            asked = {"awaited": table, "after": after}
            (columns,) = self._database.execute(SQL["next_awaited_columns"], asked).fetchone()
            if columns is None:
                return
            yield columns
            after = columns

    def _lines(self, table: str, columns: str, writes: Sequence[Write]) -> Iterator[Line]:
        names = _decode(columns)
        written: dict[str, Write] = {}
        for write in writes:
            place = place_in(write.key, names)
            if place is None:
                place = self._place_of_row(table, write, names)
            # A row that goes tells its key only: what waits for other columns waits for it to come.
            if place is not None:
                written[place] = write
        asked = {
            "awaited": table,
            "columns": columns,
            "places": _encode(list(written)).decode(),
        }
        for found in self._database.execute(SQL["awaiting"], asked).fetchall():
            line = Line._make(found)
            # Nobody's parent comes with a delete.
            if line.absent or is_there(written[line.place]):
                yield line

    def _place_of_row(self, table: str, write: Write, names: Sequence[str]) -> str | None:
        """The place of a row by other columns than its key, or by a key that is spelled in another
        case."""
        own = folded_row(write.key)
        if not is_there(write):
            return place_in(own, names)
        place = place_in(folded_row(write.values) | own, names)
        if place is not None:
            return place
        # It was told in part: the others stand in it.
        return place_in(self._constraints.find(table, own) or {}, names)

    def by_others(self) -> Iterator[Line]:
        """The lines whose rows came, or went, by whatever hand: all at the start, then some in each
        transaction, since a row may be moved by a trigger, a cascade, or somebody else."""
        # Once a transaction: what it writes itself is known.
        if self._is_looked:
            return
        self._is_looked = True
        window = self._looked.window(self._database)
        conditions = self._database.execute(SQL["conditions"], window).fetchall()
        for awaited, absent, checked in conditions:
            names = _decode(checked)
            condition = " AND ".join(
                f"t.{quoted(name)} = json_extract(w.wanted, '$[{number}]')"
                for number, name in enumerate(names)
            )
            statement = SQL["fulfilled"].format(table=quoted(awaited), condition=condition)
            asked = window | {"awaited": awaited, "absent": absent, "checked": checked}
            try:
                found = self._database.execute(statement, asked).fetchall()
            except sqlite3.OperationalError:
                # The table, or a column of it, is not there: then nothing has come.
                continue
            for (number,) in found:
                line = self._database.execute(SQL["waiting_line"], {"id": number}).fetchone()
                yield Line._make(line)


def is_there(write: Write) -> bool:
    """Is there a row after this write?"""
    after = write.after
    return after is not None and after.live
