"""Deliberately broken stores, each one plausible mistake away from a right one. The kit must catch
every one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from anyorder._core.batch import Held
from anyorder._core.decide import forget
from anyorder._core.families import ScalarPosition
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, unpack
from anyorder._core.outcome import Reason
from anyorder.guard.contract import (
    Adopted,
    Closing,
    Entry,
    Holding,
    Listing,
    Lost,
    Recorded,
    Refused,
    Remembered,
    TableSpec,
    Word,
    Write,
)
from anyorder.stores.memory.store import MemoryStore
from anyorder.stores.memory.transaction import MemoryTransaction
from anyorder.stores.sqlite.store import SQL, SQLiteStore
from anyorder.stores.sqlite.taking import Taking
from anyorder.stores.sqlite.transaction import SQLiteTransaction

replace = msgspec.structs.replace


class Transaction(MemoryTransaction):
    """The right one; the broken ones override a method."""


class BrokenMemoryStore(MemoryStore):
    """A memory store with a broken transaction."""

    kind: type[MemoryTransaction] = Transaction

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[MemoryTransaction]:
        with super().transaction(now, dry=dry):
            yield self.kind(self.state, now, self.decode)


def broken(kind: type[MemoryTransaction]) -> type[MemoryStore]:
    return type(kind.__name__, (BrokenMemoryStore,), {"kind": kind})


class NoGuard(MemoryTransaction):
    """Writes whatever comes: what is stored is never looked at."""

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        return {}


class OwnContentUnknown(MemoryTransaction):
    """What an adopted row shows is taken for another content of its version."""

    def shows(self, spec: TableSpec, key: Mapping[str, object], told: Mapping[str, Any]) -> bool:
        return False


class PassOverEvents(MemoryTransaction):
    """The pass over adopted rows forgets what events have told since."""

    def adopt(self, spec: TableSpec) -> Adopted:
        self._state.memories.get(spec.name, {}).clear()
        return super().adopt(spec)


class NotOlderWins(MemoryTransaction):
    """`>=` for `>`: an event at the very position of the stored one counts as newer."""

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        found = super().remembered(spec, entities)
        return {
            entity: replace(known, memory=_just_below(known.memory))
            for entity, known in found.items()
        }


def _just_below(memory: Memory | None) -> Memory | None:
    if memory is None:
        return None
    position = memory.stamp.position
    assert isinstance(position, ScalarPosition)
    return replace(
        memory,
        stamp=replace(memory.stamp, position=replace(position, value=(position.value[0] - 1, 1))),
    )


class BoundLost(MemoryTransaction):
    """What is remembered of a key leaves out how far the lives before had come."""

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        found = super().remembered(spec, entities)
        return {
            entity: replace(known, memory=_unbound(known.memory)) for entity, known in found.items()
        }


def _unbound(memory: Memory | None) -> Memory | None:
    return memory and replace(memory, bound=None)


class NoTombstones(MemoryTransaction):
    """A deleted key is forgotten at once, and no floor is raised."""

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        super().write(spec, writes, limits, token)
        for write in writes:
            if write.after is not None and not write.after.live:
                del self._state.memories[spec.name][write.entity]
        return []


class ExpiredAreFiltered(MemoryTransaction):
    """`expires > now` in the guard: a tombstone that is past its retention does not count, although
    it is still there."""

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        rows, found = self._state.memories[spec.name], super().remembered(spec, entities)
        for entity, known in found.items():
            tombstone = known.memory is not None and not known.memory.live
            if (
                tombstone
                and spec.retention is not None
                and rows[entity].since + spec.retention < self._now
            ):
                found[entity] = Remembered(None)
        return found


class TokenIgnored(MemoryTransaction):
    """The attempt's token is not stored, so a lost answer looks like somebody else's write."""

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        return super().write(spec, writes, limits, "")


class SettledNever(MemoryTransaction):
    """What is held is not decided again when its key moves."""

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        return {
            entity: replace(known, held=tuple[Held, ...]())
            for entity, known in super().remembered(spec, entities).items()
        }


class LastClaimWins(MemoryTransaction):
    """What is recorded of a table is overwritten, whoever decided on something else."""

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        self._state.catalogue[table] = after
        return True


class CaseFolded(MemoryTransaction):
    """Two names that differ in case are one table, and nobody is told."""

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        names = {name.lower(): name for name in reversed(self._state.rows)}
        self._state.rows[spec.name] = self._state.rows[names[spec.name.lower()]]
        return super().write(spec, writes, limits, token)


class ProvenanceLost(MemoryTransaction):
    """An entry keeps its delivery, and not how that was read."""

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        return super().hold([holding._replace(provenance="") for holding in holdings])


class HeldWithoutProvenance(MemoryTransaction):
    """An entry keeps its provenance, and what is decided again is told without."""

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        found = super().remembered(spec, entities)
        for entity, there in found.items():
            held = tuple(one._replace(provenance="") for one in there.held)
            found[entity] = replace(there, held=held)
        return found


class ProvenanceOfTheStore(MemoryTransaction):
    """One provenance is kept for all entries, the first that was told."""

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        held = list(holdings)
        known = [one.provenance for one in self._state.entries.values() if one.provenance]
        first = known[0] if known else held[0].provenance
        return super().hold([holding._replace(provenance=first) for holding in held])


class ReadAnewByNobody(MemoryTransaction):
    """An entry that is read by another envelope keeps the one that could not read it."""

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        super().reread(entry, reason, detail, self._state.entries[entry].provenance)


class ReadAnewInADetail(MemoryTransaction):
    """An entry that is read by another envelope says why it was held at first."""

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        super().reread(entry, reason, self._state.entries[entry].detail, provenance)


class RereadWhatIsClosed(MemoryTransaction):
    """A word that was given is overwritten."""

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        there = self._state.entries[entry]
        self._state.entries[entry] = replace(
            there, reason=reason.value, detail=detail, provenance=provenance
        )


class ClosedOverAgain(MemoryTransaction):
    """Of many entries that are closed together, a word that was given is overwritten."""

    def settle_all(self, closings: Sequence[Closing]) -> None:
        for one in closings:
            there = self._state.entries[one.entry]
            self._state.entries[one.entry] = replace(there, state=one.state)


class NumbersInAnyOrder(MemoryTransaction):
    """Entries that are asked for together come in the order of their numbers."""

    def entries_among(self, numbers: Sequence[int]) -> list[Entry]:
        return super().entries_among(sorted(numbers))


class OneContent(MemoryTransaction):
    """A dispute lists the first content that came into its entry, and no other."""

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        return super().hold([holding._replace(contents=()) for holding in holdings])


class WordForgotten(MemoryTransaction):
    """An entry that is closed no longer knows which of its contents the word chose."""

    def settle(self, entry: int, state: str, reason: Reason, word: Word | None = None) -> None:
        super().settle(entry, state, reason)


class ClosedIsOpen(MemoryTransaction):
    """What comes after a word goes into the entry that it closed."""

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        holdings = list(holdings)
        for holding in holdings:
            for entry in self._state.entries.values():
                if holding.contents and entry.identity == holding.identity:
                    self._state.entries[entry.id] = replace(entry, state="settled")
        return super().hold(holdings)


class TornMemory(MemoryTransaction):
    """The memory of the winner, beside the row of whoever wrote first."""

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        rows = self._state.rows[spec.name]
        before = {
            write.entity: dict(rows[write.entity]) for write in writes if write.entity in rows
        }
        super().write(spec, writes, limits, token)
        for entity, row in before.items():
            if entity in rows:
                rows[entity]["y"] = row.get("y")
        return []


class HalfABatch(MemoryStore):
    """A batch that ends in the middle leaves behind what it wrote until then."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[MemoryTransaction]:
        yield MemoryTransaction(self.state.copied() if dry else self.state, now, self.decode)


class NoLock(MemoryStore):
    """Reads, decides and writes without a lock: two writers may both beat the same predecessor."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[MemoryTransaction]:
        yield Slow(self.state.copied() if dry else self.state, now, self.decode)


class Slow(MemoryTransaction):
    """Gives other threads their turn between decision and write."""

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        time.sleep(0.0005)
        return super().write(spec, writes, limits, token)


class FloorAfterDelete(SQLiteStore):
    """The reaper deletes first and raises the floor in a second transaction."""

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        rows, memory = tombstones(self, spec, before)
        with self.transaction(before) as transaction:
            transaction.open_table(spec)
            self._database.executemany(
                SQL["forget_memory"].format(memory=memory), [(entity,) for entity, _ in rows]
            )
        with self.transaction(before) as transaction:
            limits = transaction.open_table(spec)
            for _, text in rows:
                limits = forget(limits, unpack(text).greatest)
            transaction.save_limits(spec, limits)
        return len(rows)


class UnconditionalReaper(SQLiteStore):
    """The reaper deletes the keys it has seen, whatever is remembered of them by then."""

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        rows, memory = tombstones(self, spec, before)
        with self.transaction(before) as transaction:
            limits = transaction.open_table(spec)
            for _, text in rows:
                limits = forget(limits, unpack(text).greatest)
            transaction.save_limits(spec, limits)
            self._database.executemany(
                SQL["forget_memory"].format(memory=memory), [(entity,) for entity, _ in rows]
            )
        return len(rows)


class ForgetsTheLivesBefore(SQLiteStore):
    """The floor is raised over the tombstone's own version, not over those of earlier lives."""

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        rows, memory = tombstones(self, spec, before)
        with self.transaction(before) as transaction:
            limits = transaction.open_table(spec)
            for entity, text in rows:
                limits = forget(limits, unpack(text).stamp)
                self._database.execute(SQL["forget_memory"].format(memory=memory), (entity,))
            transaction.save_limits(spec, limits)
        return len(rows)


class ReapsTheYoung(SQLiteStore):
    """The reaper forgets every tombstone that it finds, however young."""

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        return super().reap(spec, math.inf, limit)


class ReapsWithoutLimit(SQLiteStore):
    """The reaper forgets in one step all that is old."""

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        return super().reap(spec, before, 1000)


def tombstones(store: SQLiteStore, spec: TableSpec, before: float) -> tuple[list[Any], str]:
    with store.transaction(before) as transaction:
        transaction.open_table(spec)
        memory = transaction.memory_of(spec)
        statement = SQL["old_tombstones"].format(memory=memory)
        return store._database.execute(
            statement, {"before": before, "limit": 100}
        ).fetchall(), memory


class FloorReadOutside(SQLiteStore):
    """The floor is read before the transaction that inserts begins."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        known = {}
        if self._database.execute(SQL["has_schema"]).fetchone() is not None:
            with self.reading() as early:
                known = {facts.name: facts.limits for facts in early.tables()}
        with super().transaction(now, dry=dry) as transaction:
            look = transaction.open_table
            transaction.open_table = lambda spec: look(spec) and known.get(spec.name, Limits())  # type: ignore[method-assign]
            yield transaction


class FloorReadOnce(SQLiteStore):
    """The floor is read when the connection first sees the table, and then believed."""

    known: Limits | None = None

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        with super().transaction(now, dry=dry) as transaction:
            look = transaction.open_table

            def once(spec: TableSpec) -> Limits:
                fresh = look(spec)
                self.known = self.known or fresh
                return self.known

            transaction.open_table = once  # type: ignore[method-assign]
            yield transaction

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        gone = super().reap(spec, before, limit)
        self.known = None
        return gone


class LosersReleased(SQLiteStore):
    """A refused winner takes its losers with it: they count as decided by it."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        with super().transaction(now, dry=dry) as transaction:
            write = transaction.write

            def swallowing(
                spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
            ) -> list[Refused | Lost]:
                write(spec, writes, limits, token)
                return []

            transaction.write = swallowing  # type: ignore[method-assign]
            yield transaction


class WaitsForever(SQLiteStore):
    """What was refused for now is never found to be settleable."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        with super().transaction(now, dry=dry) as transaction:
            transaction.settleable = list  # type: ignore[method-assign]
            yield transaction


class TriesOneByOne(SQLiteStore):
    """Of rows that can only be taken together, one is told."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        with super().transaction(now, dry=dry) as transaction:
            settleable = transaction.settleable
            transaction.settleable = lambda: settleable()[:1]  # type: ignore[method-assign]
            yield transaction


class RowWithoutMemory(SQLiteStore):
    """No transaction round row, memory and quarantine: what a crash leaves is half a write."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        self._tables.clear()
        yield Autocommit(self._database, self._tables, now, self.decode)


class StaysOpen(SQLiteStore):
    """What an exception cut off is neither kept nor undone."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        self._database.execute("BEGIN IMMEDIATE")
        transaction = SQLiteTransaction(self._database, self._tables, now, self.decode)
        yield transaction
        if dry:
            self._database.execute("ROLLBACK")
            self._tables.clear()
        else:
            transaction.commit()


class Autocommit(SQLiteTransaction):
    """Every statement by itself."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taking = MemoriesFirst(self._database, self._tables, self._waiting, self._now)


class MemoriesFirst(Taking):
    """Memories before rows, and no savepoint round them."""

    def _together(self, writer: Any, writes: Sequence[Write], token: str) -> None:
        self._remember(writer, writes, token)
        writer.write(writes)


class EveryNameFits(SQLiteStore):
    """Events may write into the store's own books."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        with super().transaction(now, dry=dry) as transaction:
            transaction.unfit = lambda table: ""  # type: ignore[method-assign]
            yield transaction


class NamesAsSpelled(SQLiteStore):
    """Names are compared as they are written, and the store folds them."""

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[SQLiteTransaction]:
        with super().transaction(now, dry=dry) as transaction:
            transaction.same_table = lambda table: table  # type: ignore[method-assign]
            yield transaction


class NoTurns(SQLiteStore):
    """One connection for all threads, and none waits for another's transaction to end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._turn = threading.Semaphore(1000)  # type: ignore[assignment]

    def close(self) -> None:
        # A thread that failed may have left anything open.
        self._database.close()
