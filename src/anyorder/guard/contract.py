"""What a store must do, in `_core` types only. A new store is one module that implements `Store`,
and one run of the kit.

A batch is decided inside `Store.transaction`: memories and limits are read, `_core` decides, and
what it decided is written, all in one atomic step where the store has one. A store without
transactions writes each key conditionally on the memory it read, and reports `Lost` for keys that
somebody else moved in between; the guard then decides those again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, runtime_checkable

from anyorder._core.batch import Settled
from anyorder._core.event import Event
from anyorder._core.fold import Limits
from anyorder._core.key import Kinds
from anyorder._core.memory import Memory
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder.guard.contents import Closing, Content, Listing, Word
from anyorder.guard.entry import Entry, EntryQuery
from anyorder.guard.values import (
    Answer,
    Catalogued,
    Decode,
    Finding,
    Holding,
    Lost,
    News,
    Promises,
    Recorded,
    Refused,
    Remembered,
    Replaced,
    TableFacts,
    TableSpec,
    Write,
)

__all__ = [
    "Adopted",
    "Adopting",
    "Answer",
    "Catalogued",
    "Closing",
    "Content",
    "Decode",
    "Entry",
    "EntryQuery",
    "Finding",
    "Holding",
    "Listing",
    "Locking",
    "Lost",
    "News",
    "Promises",
    "Recorded",
    "Refused",
    "Remembered",
    "Replaced",
    "Showing",
    "Store",
    "TableFacts",
    "TableSpec",
    "Transaction",
    "Word",
    "Write",
]


class Transaction(Protocol):
    """One atomic step of a store; see the module's first lines for stores that have none.

    `atomic`: are rows, quarantine and frontier one step (`Promises.one_transaction`)? Else a
    dispute is held before its row is written.
    """

    atomic: bool

    def open_table(self, spec: TableSpec) -> Limits:
        """Create or check the table and its memory; its limits, with the store's lineage. Raises
        StoreError, TableNotEmpty."""

    def key_kinds(self, spec: TableSpec) -> Kinds:
        """The kinds of key columns which the types of the user's own table dictate; none of a table
        that we made, or that is not there yet."""

    def remembered(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Remembered]:
        """The memories and open entries of these keys, of an entry each content that came by a
        delivery; a key that is missing has neither."""

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> Sequence[Answer]:
        """Write rows and memories, at most one write a key. What was not taken comes back, and
        nothing of it was written."""

    def name_columns(self, spec: TableSpec, columns: Set[str]) -> None:
        """Events named these columns, whether or not their rows were written: from here on a row
        that is told whole without one of them has nothing there. Asked of every batch."""

    def news(self, spec: TableSpec) -> News:
        """What other writers did to the keys that this transaction decided; a store of one
        transaction has none.

        Asked until `again` is empty; what was answered once is news again only if it moved again.
        """

    def content(self, spec: TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        """The columns of a key's row that events have named, as they are now; None: no row."""

    def hold(self, holdings: Iterable[Holding]) -> list[Listing]:
        """Keep deliveries in the quarantine. One that an entry lists, open or closed by a word (of
        what `claims`: open), is not new: its count goes up. What a dispute tells goes into the open
        entry of its identity, or a new one; an open entry that held it alone settles."""

    def settle(self, entry: int, state: str, reason: Reason, word: Word | None = None) -> None:
        """Close an entry; `word`: what an operator's word chose."""

    def settle_all(self, closings: Sequence[Closing]) -> None:
        """Close many entries, each as `settle` does; one that is closed already stays as it is."""

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        """An open entry is read by another envelope from now on: it tells this provenance, and this
        reason and detail. One that is closed stays as it is."""

    def try_again(self, entry: int) -> None:
        """What an open entry holds was refused for now: it is tried again, as with `retry`."""

    def held_entities(self, spec: TableSpec) -> list[str]:
        """Keys with open entries."""

    def any_refused(self) -> bool:
        """Is anything held that this store refused for now? Asked when a run starts, so it should
        not read the quarantine."""

    def settleable(self) -> list[tuple[str, str]]:
        """(table, entity) of what this store refused for now (`Holding.retry`) and may take after
        what this transaction wrote; of every table, "" for a truncate. Keys that can only be taken
        together are told together.

        Asked until it is empty: a key is told again only after something else was written.
        """

    def crossing(self) -> list[list[tuple[str, str]]]:
        """Of what this store refused for now, keys of several tables that can only be taken
        together; each is told once."""

    def together(
        self,
        keys: Sequence[tuple[str, str]],
        take: Callable[[Sequence[tuple[str, str]]], list[Settled]],
    ) -> list[Settled]:
        """Take such keys, in the order that the store gives them to `take`: it looks at what holds
        between their rows when all are written. Nothing, if one is refused: then none is taken."""

    def ring(self, spec: TableSpec, event: Event) -> list[str]:
        """The keys of the table whose held deliveries the store takes only together with this
        event, which it refused alone: rows that swap a unique value. Most often none."""

    def postpone(self, table: str, entity: str) -> None:
        """Writing what is held of this key undoes the transaction: not settleable until what it
        waits for moves."""

    def memories(self, spec: TableSpec) -> Iterator[tuple[str, dict[str, object], Memory]]:
        """Every (entity, key, memory) of a table; safe to write while iterating."""

    def save_limits(self, spec: TableSpec, limits: Limits) -> None:
        """Store the floor and the greatest truncate."""

    def lineage(self) -> Lineage:
        """The known snapshot runs of every log."""

    def add_run(self, scope: str, run: str) -> None:
        """Remember a snapshot run (rules R14)."""

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, Growth]:
        """The reset detector's state of these scopes, or of all."""

    def save_growths(self, growths: dict[str, Growth]) -> None:
        """Store the reset detector's state."""

    def frontier(self, source: str) -> str | None:
        """How far a source is done, in its own spelling."""

    def save_frontier(self, source: str, position: str) -> None:
        """Store how far a source is done, in the same step as what it delivered."""

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Quarantine entries, oldest first."""

    def open_entries(self) -> int:
        """How many quarantine entries are open."""

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        """Those of these quarantine entries that are open."""

    def entry(self, number: int) -> Entry | None:
        """One entry with its delivery."""

    def entries_among(self, numbers: Sequence[int]) -> list[Entry]:
        """Those of these entries that are there, with their deliveries, in this order."""

    def event(self, number: int) -> Event | None:
        """The event of an entry; None if its delivery cannot be decoded."""

    def tables(self) -> list[TableFacts]:
        """Every guarded table of this store, for `doctor` and `incomplete`."""

    def catalogue(self) -> list[Catalogued]:
        """Every guarded table of this store, with what was recorded of it."""

    def recorded(self, table: str) -> Recorded | None:
        """What was recorded of one table, None where nothing was. Asked of every batch."""

    def same_table(self, table: str) -> str:
        """What two names have in common exactly if one table is kept under both: most often the
        name itself."""

    def unfit(self, table: str) -> str:
        """Why no target can have this name, as the end of a sentence ("it is a view"); "" if one
        can. A name of the store's own books, or of the backend's, never can."""

    def obstacle(self, spec: TableSpec) -> str:
        """Why a table that was never opened cannot be this target, in a sentence: it has rows that
        no event explains, or lacks what rows of this key need. "" if it can, or is not there."""

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        """Record this of a table that was opened. False, and nothing is written, if what is
        recorded is not `before` any more."""

    def quarantine_size(self) -> int:
        """Bytes of deliveries in the quarantine, closed entries included."""


class Store(Protocol):
    """A backend. Reading and writing happens in a transaction; forgetting in `reap`. `promises`:
    what it says of itself, and the kit tries. Many threads may use one store at once: what one of
    them was told is undone by no other."""

    promises: Promises

    def transaction(self, now: float, *, dry: bool = False) -> AbstractContextManager[Transaction]:
        """Commit at the end, roll back on an exception or when `dry`. `now`: seconds since 1970."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """A consistent view that writes nothing and stands in nobody's way."""

    def reap(self, spec: TableSpec, before: float, limit: int) -> int:
        """Forget at most `limit` tombstones written before this time: floor first, only if
        unchanged. How many went."""

    def check(self, spec: TableSpec) -> Iterator[Finding]:
        """What of this backend's own set-up stands in the way of its promises, for `doctor`."""

    def close(self) -> None:
        """Release the connection."""


@runtime_checkable
class Locking(Store, Protocol):
    """A store that may have to wait for other writers."""

    def stop_waiting(self) -> None:
        """Somebody wants to stop: end the wait at hand with StoreBusy, and from now on wait for
        nobody. May be called from a signal handler."""


class Adopted(NamedTuple):
    """How far the pass over a table has come. `rows` looked at so far; `without`: those of them
    whose column holds no position, of which `example` is one; `is_done`: all rows are."""

    rows: int = 0
    without: int = 0
    example: str = ""
    is_done: bool = False


@runtime_checkable
class Adopting(Store, Protocol):
    """A store whose rows can have their positions in a column of their own."""

    def adopt(self, spec: TableSpec, now: float) -> Adopted:
        """Write down the positions of the next rows, in a transaction of its own: those of which
        nothing is remembered yet. Raises TableNotEmpty, StoreError as opening the table does, and
        ConfigurationError if the pass was begun by another clock."""


class Showing(Transaction, Protocol):
    """A transaction of such a store."""

    def shows(self, spec: TableSpec, key: Mapping[str, object], told: Mapping[str, Any]) -> bool:
        """Does the row of a key hold these values, in all columns of them that it has?"""
