"""What a store remembers of an entity, and its one spelling as JSON text.

A whole row is remembered by one stamp: all its columns came from one event. `cells` lists only the
columns that did not: another event's stamp, OWN (told by the row's own event although the rest is
not), or HOLE (nobody has told it yet). How the columns that are not listed are spelled, only
columns.py knows.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from anyorder._core.families import AdoptedPosition, Position
from anyorder._core.families.restarting import Bound, above_bound
from anyorder._core.floor import Floor
from anyorder._core.position import NEWER, OLDER, SAME, UNDECIDED, WAITING, Lineage, Order

OWN: Literal[True] = True
HOLE: None = None
OF_A_PUT, MARKED = (
    1,
    2,
)  # the bits of a stamp's rank; memories of before, which hold no mark, read the same
replace = msgspec.structs.replace


class NotDecided(Exception):
    """The clocks of two stamps do not tell which is the newer. `order` says why, `against` is the
    stamp that was there."""

    def __init__(self, order: Order, against: Stamp) -> None:
        self.order, self.against = order, against


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Which event: its position (with the joined offset), its rank, and its fingerprint.

    The rank is 0 for a delete, 1 for a put; 2 and 3 where an operator's word chose that content of
    its position: the stamp is *marked*. Only what is provably newer, or another word, moves what a
    marked stamp told (rules R11).
    """

    position: Position
    rank: int
    fingerprint: str

    @property
    def is_put(self) -> bool:
        """Of a put; otherwise of a delete or truncate."""
        return bool(self.rank & OF_A_PUT)

    @property
    def is_marked(self) -> bool:
        """Did an operator's word choose this content of its position?"""
        return self.rank >= MARKED

    @property
    def tag(self) -> tuple[int, str]:
        """What continues the order where the position ends, so that a tie is a function of the
        events, never of arrival (rules R12): a delete before a put, then by fingerprint; what is
        marked is above them all."""
        return self.rank, self.fingerprint

    def compare(self, other: Stamp, lineage: Lineage) -> Order:
        """How this stamp stands to another: by position, then by tag."""
        order = self.position.compare(other.position, lineage)
        if order is SAME:
            return self.compare_content(other)
        return order

    def compare_content(self, other: Stamp) -> Order:
        """How this stamp stands to another of the same position: SAME only of the same event."""
        if self.has_content_of(other):
            return SAME
        # A tie: whichever came first must not matter, so the contents themselves decide.
        if self.tag > other.tag:
            return NEWER
        return OLDER

    def decided(self, other: Stamp, lineage: Lineage) -> Order:
        """NEWER, OLDER or SAME. Raises NotDecided where the clocks do not tell."""
        order = self.compare(other, lineage)
        # Going on with a guess would be arrival order wins, so the whole event is held.
        if order is UNDECIDED or order is WAITING:
            raise NotDecided(order, other)
        return order

    def has_content_of(self, other: Stamp) -> bool:
        """Of two stamps at one position: are they of one event?"""
        return self.is_put is other.is_put and self.fingerprint == other.fingerprint

    def marked(self) -> Stamp:
        """This stamp, chosen by an operator's word."""
        return replace(self, rank=self.rank | MARKED)

    def joined(self, other: Stamp, *, same: bool = False) -> Stamp:
        """This stored stamp after meeting one that is not newer; `same`: another copy of the very
        event. It carries the greater offset on (rules R5)."""
        position = self.position.joined(other.position, same)
        # Nearly always nothing is joined; then the memory is the same one and need not be written.
        if position is self.position:
            return self
        return replace(self, position=position)


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

    `base`: for a row with holes, its past, which must not fill them (rules R8). `disputed`: columns
    that two contents of one position claim. `declared`: the floor under which an operator's word
    put the row there (rules R11). `token` is the write attempt that stored it. `bound`: the lives
    before this one, whose versions may be greater than its own (rules R13).
    """

    stamp: Stamp
    cells: dict[str, Cell] | None = None
    base: Base | None = None
    disputed: frozenset[str] = frozenset()
    declared: Floor | None = None
    token: str = ""
    bound: Bound | None = None

    @property
    def live(self) -> bool:
        """A row; otherwise a tombstone."""
        return bool(self.stamp.rank & OF_A_PUT)

    @property
    def is_simple(self) -> bool:
        """A tombstone, or a row that one event alone told and claims. Nearly all are."""
        return self.cells is None and not self.disputed

    @property
    def listed(self) -> dict[str, Cell]:
        """The columns that are told apart from the others; none of a row of one event."""
        return self.cells or {}

    @property
    def stamps(self) -> list[Stamp]:
        """The events that told the row, or the end of it; its own first."""
        told = [cell for cell in self.listed.values() if isinstance(cell, Stamp)]
        return [self.stamp, *told]

    @property
    def ended(self) -> Stamp | None:
        """The event up to which all before the row is dead for certain; None if nothing tells."""
        if isinstance(self.base, Dead):
            return self.base.stamp
        return None

    @property
    def greatest(self) -> Stamp:
        """Of a tombstone, what a floor must cover when it is forgotten: its own position, and the
        greater versions of the lives before it."""
        # Only an operator's word begins a life with smaller versions.
        if self.bound is None:
            return self.stamp
        position = above_bound(self.stamp.position, self.bound)
        return replace(self.stamp, position=position)


def adopted(floor: Floor) -> Memory:
    """What stands for a row that was there before its table was guarded: a put older than every
    event, of all its columns (rules R8). `floor`: the table's."""
    stamp = Stamp(AdoptedPosition(), OF_A_PUT, "")
    # What was forgotten may have been newer than the row; then only a person can tell, as of a row
    # that he put there himself (rules R11).
    return Memory(stamp, declared=floor if floor else None)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[Stamp, str])


class _Full(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A memory that says more than its stamp. Memories of before must be read unchanged, so this
    may grow at its end only."""

    stamp: Stamp
    token: str
    cells: dict[str, Cell] | None
    base: Base | None
    disputed: frozenset[str]
    declared: Floor | None
    bound: Bound | None = None


_full_decoder = msgspec.json.Decoder(_Full)


def pack(memory: Memory, token: str | None = None) -> str:
    """The memory as JSON text: `[stamp, token]`, or with cells, base, disputed columns and birth
    floor; and its bound behind them. `token`: of this attempt."""
    if token is None:
        token = memory.token
    # Of nearly every memory there is no more to say than this.
    told: tuple[object, ...] = (memory.stamp, token)
    is_bounded = memory.bound is not None
    if is_bounded or not memory.is_simple or memory.declared is not None:
        told += (memory.cells, memory.base, sorted(memory.disputed), memory.declared)
    # Without one it is spelled as ever.
    if is_bounded:
        told += (memory.bound,)
    return _encoder.encode(told).decode()


def unpack(text: str) -> Memory:
    """The memory that `pack` wrote."""
    # The short text is the common one, and its decoder tells at once if it is the other.
    try:
        stamp, token = _decoder.decode(text)
    except msgspec.ValidationError:
        full = _full_decoder.decode(text)
        return Memory(
            stamp=full.stamp,
            cells=full.cells,
            base=full.base,
            disputed=full.disputed,
            declared=full.declared,
            token=full.token,
            bound=full.bound,
        )
    return Memory(stamp, token=token)
