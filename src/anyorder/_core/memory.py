"""What a store remembers of an entity, and its one spelling as JSON text.

A whole row is remembered by one stamp: all its columns came from one event. `cells` lists only the
columns that did not: another event's stamp, OWN (named by the row's own event although the rest is
not), or HOLE (nobody has told it yet). The pseudo-column `"*"` stands for every column that is not
listed.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from anyorder._core.families import Position
from anyorder._core.floor import Floor

REST = "*"
OWN: Literal[True] = True
HOLE: None = None


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Which event: its position (with the joined offset), 0 for a delete or 1 for a put, and its
    fingerprint.

    (rank, fingerprint) continues the order where the position ends, so a tie is a function of the
    events (rules R12).
    """

    position: Position
    rank: int
    fingerprint: str

    @property
    def tag(self) -> tuple[int, str]:
        return self.rank, self.fingerprint


class Born(msgspec.Struct, frozen=True, array_like=True, tag="born"):
    """The floor when the empty slot was filled: everything up to it *may* be dead."""

    floor: Floor


class Dead(msgspec.Struct, frozen=True, array_like=True, tag="dead"):
    """Everything up to this event is dead for certain."""

    stamp: Stamp


Base = Born | Dead
Cell = Stamp | bool | None


class Memory(msgspec.Struct, frozen=True, gc=False):
    """The event that won and, for a row made of several events, where its columns came from.

    `disputed`: columns that two contents of one position claim. `declared`: the floor under which
    an operator's word put the row there (rules R11). `token` is the write attempt that stored it.
    `values` is what the decision writes to the user's row (`"*"`: every other known column becomes
    null); it is never stored here.
    """

    stamp: Stamp
    cells: dict[str, Cell] | None = None
    base: Base | None = None
    disputed: frozenset[str] = frozenset()
    declared: Floor | None = None
    token: str = ""
    values: dict[str, Any] | None = None

    @property
    def live(self) -> bool:
        """A row; otherwise a tombstone."""
        return self.stamp.rank == 1

    def source_of(self, column: str) -> Stamp | None:
        """The stamp of the event that told this column; None is a hole."""
        if self.cells is None:
            return self.stamp
        cell = self.cells[column] if column in self.cells else self.cells.get(REST, OWN)
        return self.stamp if cell is True else cell if isinstance(cell, Stamp) else None

    def is_disputed(self, column: str) -> bool:
        """Do two contents of one position claim this column? A column that is not listed apart
        shares the rest's answer."""
        return column in self.disputed or (
            REST in self.disputed and column not in (self.cells or ())
        )

    def holes(self, columns: frozenset[str] | set[str] = frozenset()) -> list[str]:
        """The columns whose value no event has told; `columns` are the table's known ones, for rows
        of partial events."""
        if self.cells is None or not self.live:
            return []
        return sorted(
            c for c in (columns | self.cells.keys()) - {REST} if self.source_of(c) is None
        )


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[Stamp, str])
_full_decoder = msgspec.json.Decoder(
    tuple[Stamp, str, dict[str, Cell] | None, Base | None, frozenset[str], Floor | None]
)


def pack(memory: Memory, token: str | None = None) -> str:
    """The memory as JSON text: `[stamp, token]`, or with cells, base, disputed columns and birth
    floor. `token`: of this attempt."""
    token = memory.token if token is None else token
    if memory.cells is None and memory.declared is None and not memory.disputed:
        return _encoder.encode((memory.stamp, token)).decode()
    return _encoder.encode(
        (memory.stamp, token, memory.cells, memory.base, sorted(memory.disputed), memory.declared)
    ).decode()


def unpack(text: str) -> Memory:
    """The memory that `pack` wrote."""
    try:
        stamp, token = _decoder.decode(text)
    except msgspec.ValidationError:
        stamp, token, cells, base, disputed, declared = _full_decoder.decode(text)
        return Memory(stamp, cells, base, disputed, declared, token)
    return Memory(stamp, token=token)
