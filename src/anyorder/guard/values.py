"""What a store is given and what it gives back, in `_core` types only: tables, writes and their
answers, what is recorded. contract.py says who gives what to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from anyorder._core.batch import Held
from anyorder._core.columns import Written
from anyorder._core.event import Delivery, Event
from anyorder._core.fold import Limits
from anyorder._core.key import Kinds
from anyorder._core.memory import Memory
from anyorder._core.outcome import Reason
from anyorder._core.row_clock import RowClock
from anyorder.guard.contents import Content

Decode = Callable[[str, Delivery], Event]
"""Turns a delivery that the quarantine holds back into its event. Before it: the provenance that
its entry keeps, "" where it keeps none."""

AGAIN = " #"  # before the number of an entry that is not the first of its position


class TableSpec(msgspec.Struct, frozen=True):
    """One guarded table as its user declares it.

    `key`: key columns, empty to learn them from the first event. `retention`: seconds that
    tombstones are kept, None for ever. `partitions`: declared partition count of a raw Kafka topic
    (rules R3). `adopt`: what to do with rows that no event explains. `writes_rows`: False when the
    user's own SQL writes them, beside our memory. `sources`: the source tables that are this one
    table by its user's word. `merge`: any number of source tables, whose keys never meet. `kinds`:
    of key columns, where they are declared; the guard adds those that it knows (kinds.py).
    `is_derived`: its name was made from an event's, so no person has chosen it. `clock`: of the
    column from which rows that no event explains take their positions.
    """

    name: str
    key: tuple[str, ...] = ()
    retention: float | None = None
    partitions: int | None = None
    adopt: str = "refuse"
    writes_rows: bool = True
    sources: tuple[str, ...] = ()
    merge: bool = False
    kinds: Kinds = {}
    is_derived: bool = False
    clock: RowClock | None = None


class Remembered(msgspec.Struct, frozen=True, gc=False):
    """What the store holds of one key: its memory, and its open quarantine entries.

    `limits`: this key's own, where a store keeps several floors; else the table's hold. `unread`:
    the store did not look, because its write will tell (`Lost`, `Replaced`); a key that comes to no
    write is asked for again, and then it looks (`recall.recall_one`).
    """

    memory: Memory | None
    held: tuple[Held, ...] = ()
    limits: Limits | None = None
    unread: bool = False


class Write(msgspec.Struct, frozen=True, gc=False):
    """One key's write: the memory that was read, the one to store (None: the slot becomes empty),
    and what is written to the user's row (None: it stays as it is).

    The row goes where the memory after is no longer a live one, whatever is written. `ended`: it
    went in between, so nothing is left of it, not even in columns that no event names.
    """

    entity: str
    key: dict[str, object]
    before: Memory | None
    after: Memory | None
    written: Written | None = None
    ended: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """The columns of the row that get a value; none where it stays as it is."""
        if self.written is None:
            return {}
        return self.written.values

    def row(self, there: dict[str, object] | None) -> dict[str, object] | None:
        """The user's row of the key after this write, where `there` is the one that lies there
        now; None: no row. Columns that no event has named stay as they are."""
        after = self.after
        # A tombstone, or nothing at all, is remembered: either way the row goes.
        is_gone = after is None or not after.live
        if is_gone:
            return None
        # Nothing of the row changes, but what is remembered of it.
        if self.written is None:
            return there
        row = self.written.onto(there or {})
        # The key's own columns are told by every event, so they are in every row.
        return row | self.key


class Refused(NamedTuple):
    """The store did not take a write: `waiting` if it may take it later, else `malformed`.

    What waits is tried again when the rows that stand in its way move; where it lacks `untold`
    columns, which another event of its key may tell, only when that key moves.
    """

    entity: str
    reason: Reason
    detail: str
    untold: bool = False

    @property
    def retry(self) -> bool:
        """Is it tried again when other rows move?"""
        return self.reason is Reason.WAITING and not self.untold


class Lost(NamedTuple):
    """Somebody else moved the key between read and write. `remembered` is what is there now, if the
    store said so."""

    entity: str
    remembered: Memory | None = None


class Replaced(NamedTuple):
    """A write was taken, over this memory instead of the one that it was decided on: older for
    certain, so only labels may differ."""

    entity: str
    memory: Memory | None


Finding = tuple[str, str, str]
"""One thing that needs a person: where, what is wrong, what to do."""

Answer = Refused | Lost | Replaced


class Holding(NamedTuple):
    """A delivery for the quarantine. `retry`: the store refused it for now, so it is tried again by
    itself. `provenance`: source and envelope of the delivery, a short text that many share; its
    entry keeps it as it keeps the delivery.

    `content`: what makes two deliveries of it the same, "" where it has no position. `contents`: of
    a dispute, all that its entry is to list, this one too; its `identity` is then the position's.
    `claims`: the row shows that position as disputed, so that an open entry must list them.
    """

    table: str
    entity: str
    identity: str
    reason: Reason
    detail: str
    event: Event
    retry: bool = False
    provenance: str = ""
    content: str = ""
    contents: tuple[Content, ...] = ()
    claims: bool = False

    def identity_after(self, last: str) -> str:
        """The identity of the entry after one of this position that a word has closed."""
        # They are counted in their identities, since what they list is not the same.
        _, _, number = last.removeprefix(self.identity).partition(AGAIN)
        return f"{self.identity}{AGAIN}{int(number or 1) + 1}"

    @property
    def later(self) -> str:
        """What the identity of every later entry of this position begins with."""
        return self.identity + AGAIN


class News(NamedTuple):
    """What other writers did while a batch was decided on this table.

    `again`: keys to decide again. `seen`: (entity, key, memory) of the rows that this batch saw,
    and `limits`: the table's greatest truncate with its lineage as known now, by which the guard
    sweeps what was written past it; read when nothing is left to decide again.
    """

    again: tuple[str, ...] = ()
    seen: tuple[tuple[str, dict[str, object], Memory], ...] = ()
    limits: Limits = Limits()


class TableFacts(NamedTuple):
    """A guarded table as its store knows it."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int
    live: int
    tombstones: int
    limits: Limits


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the catalogue holds of one target table.

    `source`: the source table that it belongs to, "" while no pipeline has routed one to it.
    `table`: the source's own name for that, and `topics`: those its changes came by, latest first;
    a pipeline's sections are matched against them. `others`: further source tables that it is kept
    from, by its user's word. `kinds`: of the key's columns, as declared or learned. The rest: as
    last declared, see `TableSpec`.
    """

    source: str = ""
    table: str = ""
    topics: tuple[str, ...] = ()
    retention: float | None = None
    partitions: int | None = None
    adopt: str = "refuse"
    others: tuple[str, ...] = ()
    merge: bool = False
    kinds: Kinds = {}

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source table that it is kept from, the first one first; none while nothing was
        routed to it."""
        return tuple(filter(None, (self.source, *self.others)))


class Catalogued(NamedTuple):
    """A target table in the catalogue. `recorded`: None where nothing was, by an anyorder that
    recorded nothing or because nothing was routed to it yet. `columns`: those that events named."""

    name: str
    key: tuple[str, ...]
    recorded: Recorded | None
    columns: tuple[str, ...] = ()

    @property
    def known(self) -> Recorded:
        """What is recorded; of a target without, what holds as long as nothing is."""
        return self.recorded or Recorded()


class Promises(msgspec.Struct, frozen=True):
    """What a store promises and what it cannot; the docs table is generated from it, and the kit
    asserts each."""

    name: str
    guard: str
    memory: str
    forgets: bool
    one_transaction: bool
    exact_outcome: bool
    note: str = ""
