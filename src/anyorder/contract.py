"""What a store or a source of your own implements, and the words that it is told in.

Public: what is listed here does not move. `Store` and `Transaction` say what a store must do,
`Source` what a source must; the rest are the values that they are given and give. `pack`, `unpack`
and `forget` are the core's own: a memory as a text and back, and the floor after a tombstone is
gone. `anyorder.testing` checks a store.
"""

from __future__ import annotations

from anyorder._core.batch import Held, Settled
from anyorder._core.columns import Written
from anyorder._core.decide import forget
from anyorder._core.event import Delivery, Event, canonical, key_of
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder._core.key import KeyKind, Kinds
from anyorder._core.memory import Memory, pack, unpack
from anyorder._core.outcome import Reason
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder._core.row_clock import RowClock
from anyorder.guard.contract import (
    Adopted,
    Adopting,
    Answer,
    Catalogued,
    Closing,
    Content,
    Decode,
    Entry,
    EntryQuery,
    Finding,
    Holding,
    Listing,
    Locking,
    Lost,
    News,
    Promises,
    Recorded,
    Refused,
    Remembered,
    Replaced,
    Showing,
    Store,
    TableFacts,
    TableSpec,
    Transaction,
    Word,
    Write,
)
from anyorder.guard.sharing import Shared, Sharing
from anyorder.sources.contract import Measured, Passing, Received, Source, Stoppable

__all__ = [
    "Adopted",
    "Adopting",
    "Answer",
    "Catalogued",
    "Closing",
    "Content",
    "Decode",
    "Delivery",
    "Entry",
    "EntryQuery",
    "Event",
    "Finding",
    "Floor",
    "Growth",
    "Held",
    "Holding",
    "KeyKind",
    "Kinds",
    "Limits",
    "Lineage",
    "Listing",
    "Locking",
    "Lost",
    "Measured",
    "Memory",
    "News",
    "Passing",
    "Promises",
    "Reason",
    "Received",
    "Recorded",
    "Refused",
    "Remembered",
    "Replaced",
    "RowClock",
    "Settled",
    "Shared",
    "Sharing",
    "Showing",
    "Source",
    "Stoppable",
    "Store",
    "TableFacts",
    "TableSpec",
    "Transaction",
    "Word",
    "Write",
    "Written",
    "canonical",
    "forget",
    "key_of",
    "pack",
    "unpack",
]
