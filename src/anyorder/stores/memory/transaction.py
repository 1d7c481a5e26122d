"""Rows, memories and books of the store in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec
from msgspec import json

from anyorder._core.event import canonical
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder._core.key import Kinds
from anyorder._core.memory import Memory, adopted, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder.guard.contract import (
    Adopted,
    Catalogued,
    Lost,
    News,
    Recorded,
    Refused,
    Remembered,
    TableFacts,
    TableSpec,
    Write,
)
from anyorder.stores.memory.quarantine import MemoryQuarantine
from anyorder.stores.memory.state import Row

replace = msgspec.structs.replace


class MemoryTransaction(MemoryQuarantine):
    """See `contract.Transaction`."""

    atomic = True

    def open_table(self, spec: TableSpec) -> Limits:
        self._state.rows.setdefault(spec.name, {})
        self._state.memories.setdefault(spec.name, {})
        self._state.keys.setdefault(spec.name, spec.key)
        limits = self._state.limits.setdefault(spec.name, Limits())
        return Limits(
            Floor(limits.floor.entries, spec.partitions), limits.truncated, self.lineage()
        )

    def key_kinds(self, spec: TableSpec) -> Kinds:
        return {}

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        memories, wanted = self._state.memories[spec.name], set(entities)
        # Where the caller's own SQL writes the rows, nothing of it is decided again here.
        held = self.held(spec.name, wanted) if spec.writes_rows else {}
        found = {one: unpack(memories[one].memory) for one in wanted if one in memories}
        if spec.adopt != "refuse":
            for entity in (wanted & self._state.rows[spec.name].keys()) - found.keys():
                found[entity] = self._of_before(spec, entity)
        return {
            one: Remembered(found.get(one), tuple(held.get(one, ())))
            for one in found.keys() | held.keys()
        }

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        # What was refused before may be taken now.
        if writes:
            self._asked = False
        gone: list[Refused | Lost] = []
        for write in writes:
            if self._is_gone(spec, write):
                gone.append(Refused(write.entity, Reason.CONFLICT, "its row is gone"))
                continue
            self._state.keys[spec.name] = self._state.keys[spec.name] or tuple(write.key)
            rows = self._state.rows[spec.name]
            row = write.row(rows.pop(write.entity, None))
            if row is not None:
                rows[write.entity] = row
            if write.after is None:
                self._state.memories[spec.name].pop(write.entity, None)
            else:
                self._state.memories[spec.name][write.entity] = Row(
                    write.key, pack(replace(write.after, token=token)), self._now
                )
        return gone

    def name_columns(self, spec: TableSpec, columns: Set[str]) -> None:
        """A row has the columns that are told of it, whatever others have."""

    def _is_gone(self, spec: TableSpec, write: Write) -> bool:
        """Is the row not there of which a part is to be written?"""
        before, after, written = write.before, write.after, write.written
        if before is None or after is None or written is None or written.replaces:
            return False
        is_row = before.live and after.live and spec.writes_rows
        return is_row and write.entity not in self._state.rows[spec.name]

    def news(self, spec: TableSpec) -> News:
        return News()

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        return self._state.rows[spec.name].get(canonical(key))

    def memories(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        known, rows = self._state.memories[spec.name], self._state.rows[spec.name]
        for entity, row in tuple(known.items()):
            yield entity, row.key, unpack(row.memory)
        if spec.adopt != "refuse":
            for entity in sorted(rows.keys() - known.keys()):
                yield entity, json.decode(entity), self._of_before(spec, entity)

    def adopt(self, spec: TableSpec) -> Adopted:
        """Write down the positions of the rows of which nothing is remembered yet."""
        self.open_table(spec)
        known, rows = self._state.memories[spec.name], self._state.rows[spec.name]
        without = 0
        for entity in sorted(rows.keys() - known.keys()):
            memory = self._of_before(spec, entity)
            # Its key is asked for again, should an event come.
            if memory.stamp.position.scope == "":
                without += 1
            else:
                known[entity] = Row(json.decode(entity), pack(memory), self._now)
        return Adopted(len(rows), without, is_done=True)

    def _of_before(self, spec: TableSpec, entity: str) -> Memory:
        floor = self._state.limits[spec.name].floor
        if spec.clock is None:
            return adopted(floor)
        value = self._state.rows[spec.name][entity].get(spec.clock.column)
        return spec.clock.memory_of(value, entity, floor)

    def shows(self, spec: TableSpec, key: Mapping[str, object], told: Mapping[str, Any]) -> bool:
        """Does the row of a key hold these values, in all columns of them that it has?"""
        row = self._state.rows[spec.name].get(canonical(key))
        return row is not None and all(
            row.get(name, value) == value for name, value in told.items()
        )

    def save_limits(self, spec: TableSpec, limits: Limits) -> None:
        self._state.limits[spec.name] = Limits(limits.floor, limits.truncated)

    def lineage(self) -> Lineage:
        return dict(self._state.runs)

    def add_run(self, scope: str, run: str) -> None:
        self._state.runs[scope] = tuple(sorted({*self._state.runs.get(scope, ()), run}))

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, Growth]:
        return {
            scope: growth
            for scope, growth in self._state.growths.items()
            if scopes is None or scope in scopes
        }

    def save_growths(self, growths: dict[str, Growth]) -> None:
        self._state.growths.update(growths)

    def frontier(self, source: str) -> str | None:
        return self._state.frontiers.get(source)

    def save_frontier(self, source: str, position: str) -> None:
        self._state.frontiers[source] = position

    def tables(self) -> list[TableFacts]:
        return [self._facts(name) for name in sorted(self._state.memories)]

    def _facts(self, name: str) -> TableFacts:
        live = sum(unpack(row.memory).live for row in self._state.memories[name].values())
        rows, count = self._state.rows[name], len(self._state.memories[name])
        return TableFacts(
            name,
            self._state.keys[name],
            self._columns(name),
            len(rows),
            live,
            count - live,
            replace(self._state.limits[name], lineage=self.lineage()),
        )

    def catalogue(self) -> list[Catalogued]:
        keys, recorded = self._state.keys, self._state.catalogue
        return [
            Catalogued(name, keys[name], recorded.get(name), self._columns(name))
            for name in sorted(keys)
        ]

    def _columns(self, name: str) -> tuple[str, ...]:
        rows = self._state.rows[name].values()
        return tuple(dict.fromkeys(column for row in rows for column in row))

    def recorded(self, table: str) -> Recorded | None:
        return self._state.catalogue.get(table)

    def same_table(self, table: str) -> str:
        return table

    def unfit(self, table: str) -> str:
        return ""

    def obstacle(self, spec: TableSpec) -> str:
        return ""

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        opened = table in self._state.keys
        if not opened or self._state.catalogue.get(table) != before:
            return False
        self._state.catalogue[table] = after
        return True
