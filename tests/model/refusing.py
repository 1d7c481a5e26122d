"""R9: a store that refuses some contents (their type, a constraint). The product's own guard writes
to the product's own memory store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from anyorder._core.batch import arrivals_of
from anyorder._core.event import Delivery, Event
from anyorder._core.fold import Limits
from anyorder._core.memory import unpack
from anyorder._core.outcome import Reason
from anyorder.guard.batch import apply
from anyorder.guard.contract import Lost, Refused, TableSpec, Write
from anyorder.stores.memory.store import MemoryStore
from anyorder.stores.memory.transaction import MemoryTransaction
from tests.model.histories import Told

SPEC = TableSpec("t", ("id",))
KEY: dict[str, object] = {"id": 1}
Books = tuple[bytes, bytes, frozenset[object]]
_text = msgspec.json.Encoder(order="deterministic").encode


class RefusingTransaction(MemoryTransaction):
    """Takes no row that would show a refused value."""

    refused: frozenset[object] = frozenset()

    def write(
        self, spec: TableSpec, writes: Sequence[Write], limits: Limits, token: str
    ) -> list[Refused | Lost]:
        def shows(write: Write) -> bool:
            return not self.refused.isdisjoint(write.values.values())

        failures: list[Refused | Lost] = [
            Refused(write.entity, Reason.MALFORMED, "refused") for write in writes if shows(write)
        ]
        return failures + super().write(
            spec, [write for write in writes if not shows(write)], limits, token
        )


class RefusingStore(MemoryStore):
    """`refused`: the values that it does not take."""

    def __init__(self, events: Sequence[Event], refused: frozenset[object]) -> None:
        super().__init__(lambda _, delivery: events[delivery.offset])
        self.refused = refused

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[MemoryTransaction]:
        transaction = RefusingTransaction(self.state, now, self.decode)
        transaction.refused = self.refused
        yield transaction


def delivered(told: Sequence[Told]) -> list[Event]:
    """The events of one key, each with the place from which a held delivery is decoded again."""
    return [
        msgspec.structs.replace(one.event, key=KEY, delivery=Delivery(offset=place, value=b""))
        for place, one in enumerate(told)
    ]


def play(
    events: Sequence[Event],
    refused: frozenset[object],
    order: Sequence[int],
    parts: Sequence[tuple[int, int]],
    limits: Limits,
) -> Books:
    """Deliver the events in this order, cut into these batches: the row, what is remembered, and
    the positions that are open in the end.

    Of two contents of one position one entry is open: as a dispute, or as refused, whichever was
    known first.
    """
    store = RefusingStore(events, refused)
    with store.transaction(0.0) as transaction:
        transaction.open_table(SPEC)
        transaction.save_limits(SPEC, limits)
        for start, end in parts:
            arrivals = arrivals_of(events[place] for place in order[start:end])
            apply(transaction, SPEC, arrivals, f"token {start}")
    held = {
        events[entry.delivery.offset].position
        for entry in store.state.entries.values()
        if entry.state == "open" and entry.delivery
    }
    rows, memories = store.state.rows["t"], store.state.memories["t"]
    remembered = [unpack(row.memory) for row in memories.values()]
    told = _text([[m.stamp, m.cells, m.base, sorted(m.disputed)] for m in remembered])
    return _text(list(rows.values())), told, frozenset(held)
