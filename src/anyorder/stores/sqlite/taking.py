"""What SQLite takes of a batch's writes: all together where it can, else in halves until those that
it refuses are found; and the rings among these (`rings`), each as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from anyorder._core.memory import pack
from anyorder.errors import Undone
from anyorder.guard.contract import Write
from anyorder.stores.sqlite.refusal import bare, is_foreign, is_unique, parentless, undone
from anyorder.stores.sqlite.rings import NO_ROWS, Rings
from anyorder.stores.sqlite.rows import RowFollowed, RowWriter
from anyorder.stores.sqlite.schema import Schema
from anyorder.stores.sqlite.values import RowRefused
from anyorder.stores.sqlite.waiting import Waiting
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
FEW = 16  # writes that are not halved any more to find those that are refused


class Taking:
    """Of one transaction. `now`: seconds since 1970. `spared`: rows of a step over several tables,
    which end as their own events say."""

    def __init__(
        self,
        database: sqlite3.Connection,
        tables: Mapping[str, Schema],
        waiting: Waiting,
        now: float,
    ) -> None:
        self.spared = NO_ROWS
        self._database = database
        self._tables = tables
        self._waiting = waiting
        self._now = now

    def refused(
        self,
        writer: RowWriter,
        writes: Sequence[Write],
        token: str,
    ) -> dict[str, Exception]:
        """Write what is taken, rows and memories; the errors of what is not, by entity. Raises
        Undone."""
        writer.spared = self.spared
        refused = self._refused(writer, writes, token)
        # What holds each other's unique values is taken together, or not at all.
        if refused:
            self._release(writer, writes, refused, token)
        return refused

    def _refused(
        self, writer: RowWriter, writes: Sequence[Write], token: str
    ) -> dict[str, Exception]:
        """Write what is taken; the errors of what is not, by entity."""
        try:
            self._together(writer, writes, token)
            return {}
        except (sqlite3.IntegrityError, sqlite3.DataError, RowRefused, Undone) as error:
            # Nothing is left of the transaction that a part could be written in.
            if isinstance(error, Undone):
                raise
            if len(writes) == 1:
                return {writes[0].entity: bare(error)}
        except sqlite3.OperationalError:
            # SQLite does not write a row whose parents have no table yet.
            parent = self._waiting.parent_to_come(writer.table)
            if not parent:
                raise
            if len(writes) == 1:
                return {writes[0].entity: parentless(writer.table, parent)}
        # Few are written one by one at once: where the database refuses, it often refuses several.
        size = len(writes) // 2 if len(writes) > FEW else 1
        refused: dict[str, Exception] = {}
        for start in range(0, len(writes), size):
            refused |= self._refused(writer, writes[start : start + size], token)
        return refused

    def _release(
        self,
        writer: RowWriter,
        writes: Sequence[Write],
        refused: dict[str, Exception],
        token: str,
    ) -> None:
        """Write the rings among what was refused; they are refused no more."""
        # One alone has nobody to change places with.
        if len(writes) == 1:
            return
        rings = Rings(self._database, writer.table)
        held: list[Write] = []
        for write in writes:
            error = refused.get(write.entity)
            # A parent in another table is written with the rows of that one.
            is_tied = is_foreign(error) or isinstance(error, RowFollowed)
            if is_unique(error) or (is_tied and rings.is_tied):
                held.append(write)
        for ring in rings.of(held):
            if not self._refused_ring(writer, rings, ring, token):
                for write in ring:
                    del refused[write.entity]

    def _refused_ring(
        self, writer: RowWriter, rings: Rings, ring: Sequence[Write], token: str
    ) -> bool:
        self._database.execute("SAVEPOINT anyorder_ring")
        try:
            with rings.together(ring):
                rings.release(ring)
                writer.spared |= rings.spared
                self._together(writer, ring, token)
            return False
        except (sqlite3.IntegrityError, sqlite3.DataError, RowRefused) as error:
            self._undo("anyorder_ring", error)
            return True
        finally:
            writer.spared = self.spared
            if self._database.in_transaction:
                self._database.execute("RELEASE anyorder_ring")

    def _together(self, writer: RowWriter, writes: Sequence[Write], token: str) -> None:
        schema = self._tables[writer.table]
        kept = schema.kept()
        self._database.execute("SAVEPOINT anyorder")
        try:
            writer.write(writes)
            self._remember(writer, writes, token)
        except BaseException as error:
            self._undo("anyorder", error)
            schema.put_back(kept)
            raise
        finally:
            if self._database.in_transaction:
                self._database.execute("RELEASE anyorder")

    def _undo(self, savepoint: str, error: BaseException) -> None:
        """Back to a savepoint. Raises Undone where a trigger or a constraint rolled everything
        back."""
        if self._database.in_transaction:
            self._database.execute(f"ROLLBACK TO {savepoint}")
        elif isinstance(error, sqlite3.IntegrityError):
            raise undone(error) from error

    def _remember(self, writer: RowWriter, writes: Sequence[Write], token: str) -> None:
        kept, gone = [], []
        for write in writes:
            after = write.after
            if after is None:
                gone.append((write.entity,))
            else:
                kept.append((write.entity, int(after.live), self._now, pack(after, token)))
        if kept:
            self._database.executemany(SQL["write_memory"].format(memory=writer.memory), kept)
        if gone:
            self._database.executemany(SQL["forget_memory"].format(memory=writer.memory), gone)
