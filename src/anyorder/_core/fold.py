"""Put one event into one memory (rules R8 with R5, R10 and R12). The law is FOLD: after any order,
repetition, batching and reaping, the row equals the in-order fold of the accepted events.

Theory. A put names some columns; a hole is *unchanged since whatever was before*. So an older event
may still fill or replace an inherited column, and an older delete may clear it. What must never
fill a hole is an event of an earlier, dead
incarnation: `base` remembers up to where everything is dead for certain (`Dead`), or may be
(`Born`, the floor when the empty slot was filled). Ties are broken by (delete < put, fingerprint),
whatever came first; the columns become disputed.

`c` starts a life: it acts as a delete just before itself, so its holes inherit nothing, whenever it
arrives.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from anyorder._core.event import Event, Kind
from anyorder._core.families import Position
from anyorder._core.floor import NOTHING_FORGOTTEN, Floor
from anyorder._core.memory import HOLE, OWN, REST, Base, Born, Cell, Dead, Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import Above, Lineage, Order

replace = msgspec.structs.replace
_NOT_NEWER = (Order.OLDER, Order.SAME)
OLDER, STALE = Order.OLDER, Reason.STALE  # looked up once: they end most decisions
_HELD = {Order.UNDECIDED: Reason.CONFLICT, Order.WAITING: Reason.WAITING}


class Limits(msgspec.Struct, frozen=True):
    """What a table knows beyond its rows: its floor, its greatest truncate, and the snapshot runs
    of its log."""

    floor: Floor = NOTHING_FORGOTTEN
    truncated: Stamp | None = None
    lineage: Lineage = {}


class Applied(NamedTuple):
    """The memory afterwards (None: an empty slot), the reason, and what the event was judged
    against."""

    memory: Memory | None
    reason: Reason
    against: Stamp | Floor | None = None


class _Held(Exception):
    """A comparison inside the fold did not decide."""

    def __init__(self, order: Order, against: Stamp) -> None:
        self.reason, self.against = _HELD[order], against


def stamp_of(event: Event) -> Stamp:
    """The stamp of a put, delete or truncate. It must carry a position."""
    assert event.position is not None
    return Stamp(event.position, int(event.kind is Kind.PUT), event.fingerprint)


def compare(stamp: Stamp, other: Stamp, lineage: Lineage) -> Order:
    """Position first; where it is the same, (delete < put, fingerprint)."""
    order = stamp.position.compare(other.position, lineage)
    if order is not Order.SAME or (
        stamp.rank == other.rank and stamp.fingerprint == other.fingerprint
    ):
        return order
    return Order.NEWER if stamp.tag > other.tag else Order.OLDER


def apply(memory: Memory | None, event: Event, limits: Limits) -> Applied:
    """Decide a put or a delete against what is remembered of its key, and give the memory
    afterwards."""
    if memory is None:
        return _onto_empty(event, limits)
    held, position = memory.stamp, event.position
    assert position is not None
    order = position.compare(held.position, limits.lineage)
    # nothing to fill, nothing to clear: the common case
    if order is OLDER and memory.cells is None and not memory.disputed:
        joined = held.position.joined(position, False)
        return Applied(
            memory
            if joined is held.position
            else replace(memory, stamp=replace(held, position=joined)),
            STALE,
            held,
        )
    if order is Order.UNDECIDED or order is Order.WAITING:
        return Applied(memory, _HELD[order], held)
    return _onto_memory(memory, event, stamp_of(event), order, limits)


def _onto_empty(event: Event, limits: Limits) -> Applied:
    try:
        return _fill(event, stamp_of(event), limits)
    except _Held as undecided:
        return Applied(None, undecided.reason, undecided.against)


def _onto_memory(
    memory: Memory, event: Event, stamp: Stamp, order: Order, limits: Limits
) -> Applied:
    """The event is newer, or older than a row of several events, or at the very position of what is
    remembered."""
    held = memory.stamp
    try:
        tied = order is Order.SAME
        if tied:
            if stamp.rank == held.rank and stamp.fingerprint == held.fingerprint:
                reason = (
                    Reason.CONFLICT
                    if any(memory.source_of(c) is held for c in memory.disputed)
                    else Reason.DUPLICATE
                )
                return Applied(_join(memory, stamp, same=True), reason, held)
            order = Order.NEWER if stamp.tag > held.tag else Order.OLDER
        if not memory.live:
            return _onto_tombstone(memory, event, stamp, order, limits)
        if order is Order.NEWER:
            return _take_row(memory, event, stamp, limits, tied)
        return _older_than_row(memory, event, stamp, limits)
    except _Held as undecided:
        return Applied(memory, undecided.reason, undecided.against)


def _fill(event: Event, stamp: Stamp, limits: Limits) -> Applied:
    """An empty slot: a truncate is exact, then the floor decides."""
    truncated = limits.truncated
    if truncated is not None:
        order = compare(stamp, truncated, limits.lineage)
        if order in _HELD:
            raise _Held(order, truncated)
        if order is not Order.NEWER:
            return Applied(None, Reason.STALE, truncated)
    above = stamp.position.above(limits.floor, limits.lineage)
    if above is not Above.YES:
        reason = (
            Reason.UNKNOWN_SCOPE
            if above is Above.UNKNOWN
            else Reason.LATE
            if stamp.rank
            else Reason.ABSORBED
        )
        return Applied(None, reason, limits.floor)
    if not stamp.rank:
        return Applied(Memory(stamp), Reason.APPLIED)
    base: Base | None = Born(limits.floor) if limits.floor else None
    if (
        truncated is not None
        and truncated.position.above(limits.floor, limits.lineage) is Above.YES
    ):
        base = Dead(truncated)
    return Applied(_fresh(event, stamp, base), Reason.APPLIED)


def _fresh(event: Event, stamp: Stamp, base: Base | None) -> Memory:
    """A row that begins with this put: what it does not name are holes."""
    values: dict[str, Any] = {**dict.fromkeys(event.holes), **(event.fields or {}), REST: None}
    if event.whole:
        return Memory(stamp, values=values)
    return Memory(stamp, _told(event), Dead(stamp) if event.creates else base, values=values)


def _told(event: Event) -> dict[str, Cell]:
    """The cells of a row that consists of this put alone."""
    if event.partial:
        return {**dict.fromkeys(event.fields or (), OWN), REST: HOLE}
    return dict.fromkeys(event.holes, HOLE)


def _onto_tombstone(
    memory: Memory, event: Event, stamp: Stamp, order: Order, limits: Limits
) -> Applied:
    if order is Order.OLDER:
        return Applied(_join(memory, stamp), Reason.STALE, memory.stamp)
    if not stamp.rank:
        return Applied(Memory(_carrying(stamp, memory.stamp)), Reason.APPLIED, memory.stamp)
    row = _fresh(event, _carrying(stamp, memory.stamp), Dead(memory.stamp))
    if stamp.position.compare(memory.stamp.position, limits.lineage) is Order.SAME:
        columns = _columns(row, event) | {*(event.fields or ())}
        return Applied(
            _disputing(row, {c for c in columns if event.names(c)}, columns),
            Reason.CONFLICT,
            memory.stamp,
        )
    return Applied(row, Reason.APPLIED, memory.stamp)


def _take_row(memory: Memory, event: Event, stamp: Stamp, limits: Limits, tied: bool) -> Applied:
    """A newer event takes the row: what a put does not name it inherits."""
    own = _carrying(stamp, memory.stamp)
    if not stamp.rank:
        return Applied(Memory(own), Reason.APPLIED, memory.stamp)
    if event.whole:
        row = Memory(own, values={**(event.fields or {}), REST: None})
        return (
            _with_ties(row, memory, event, stamp, limits)
            if tied
            else Applied(row, Reason.APPLIED, memory.stamp)
        )
    if event.creates:
        row = _fresh(event, own, None)
        return (
            _with_ties(row, memory, event, stamp, limits)
            if tied
            else Applied(row, Reason.APPLIED, memory.stamp)
        )
    cells: dict[str, Cell] = {}
    for column in _columns(memory, event):
        cells[column] = OWN if event.names(column) else memory.source_of(column)
    values = _writes(
        memory,
        cells.keys(),
        {
            **(event.fields or {}),
            **{c: (event.fields or {}).get(c) for c in cells if event.names(c)},
        },
    )
    row = _row(own, cells, memory.base, values)
    if memory.declared is not None and any(
        isinstance(cell, Stamp) for cell in (row.cells or {}).values()
    ):
        row = replace(row, declared=memory.declared)  # what it inherits is still an operator's word
    return _with_ties(row, memory, event, stamp, limits)


def _writes(memory: Memory, apart: Collection[str], told: dict[str, Any]) -> dict[str, Any]:
    """What the row is written with: what this step wrote before, then what is told now. `apart`:
    the columns that are listed, and the rest."""
    before = memory.values or {}
    # null by the rest, and listed from now on
    implied = set(apart) - {*(memory.cells or ()), *before} if REST in before else ()
    kept = {
        column: value for column, value in before.items() if column in apart or REST not in told
    }
    return {**dict.fromkeys(implied), **kept, **told}


def _with_ties(row: Memory, before: Memory, event: Event, stamp: Stamp, limits: Limits) -> Applied:
    """Mark the columns that both contents of one position claim; what the event settles is no
    longer disputed."""
    ties, columns = _ties(before, event, stamp, limits), _columns(before, event) | before.disputed
    still = {c for c in columns if before.is_disputed(c) and not event.names(c)}
    row = _disputing(row, still | ties, columns)
    return _judged(row, before, ties, Reason.APPLIED)


def _judged(row: Memory, before: Memory, ties: frozenset[str], reason: Reason) -> Applied:
    """With this reason, or a conflict with the very content, or end, that claims a column too."""
    for column in ties:
        if row.is_disputed(column):
            held = before.source_of(column)
            return Applied(
                row,
                Reason.CONFLICT,
                held
                if held is not None or not isinstance(before.base, Dead)
                else before.base.stamp,
            )
    return Applied(row, reason, before.stamp)


def _disputing(row: Memory, disputed: set[str] | frozenset[str], columns: set[str]) -> Memory:
    """The row with the mark on the disputed ones of these columns. A column that does not share the
    rest's mark is listed apart."""
    marked = {c for c in disputed if row.source_of(c) is not None}
    if REST not in marked:
        return row if marked == row.disputed else replace(row, disputed=frozenset(marked))
    cells = row.cells or {}
    apart = {c: cells.get(REST, OWN) for c in columns - marked if c not in cells}
    values = (
        None
        if row.values is None
        else dict.fromkeys(apart) | row.values
        if REST in row.values
        else row.values
    )
    return replace(
        row,
        cells={**cells, **apart} or None,
        disputed=frozenset(c for c in marked if c == REST or c in cells),
        values=values,
    )


def disputed_at(memory: Memory, position: Position) -> Stamp | None:
    """The content at this very position that the row shows in a disputed column."""
    stamps = filter(None, map(memory.source_of, memory.disputed))
    return next(
        (stamp for stamp in stamps if stamp.position.identity() == position.identity()), None
    )


def _ties(memory: Memory, event: Event, stamp: Stamp, limits: Limits) -> frozenset[str]:
    """The columns that `event` touches and whose content in the row, or whose end before it, has
    its very position and another tag.

    Its own content in a column that is disputed already counts too. A put that creates ends what it
    does not name.
    """
    found, base = set(), memory.base.stamp if isinstance(memory.base, Dead) else None
    for column in _columns(memory, event) | set(event.fields or ()):
        held = memory.source_of(column) or (base if event.names(column) else None)
        if held is None or not _touches(event, column):
            continue
        if (held.tag != stamp.tag or memory.is_disputed(column)) and stamp.position.compare(
            held.position, limits.lineage
        ) is Order.SAME:
            found.add(column)
    return frozenset(found)


def _older_than_row(memory: Memory, event: Event, stamp: Stamp, limits: Limits) -> Applied:
    """An event older than the row may clear (delete, create) or fill and replace (put) what the row
    inherited from before it."""
    cells = {column: memory.source_of(column) for column in _columns(memory, event)}
    order = {
        column: _order(stamp, held, limits, _touches(event, column))
        for column, held in cells.items()
        if held is not None
    }
    ties, base = _ties(memory, event, stamp, limits), memory.base
    after = {
        c: joined(s, stamp, order[c] is Order.SAME) if s and order[c] in _NOT_NEWER else s
        for c, s in cells.items()
    }
    told: dict[str, Any] = {}
    older = {c for c, held in cells.items() if held is not None and order[c] is Order.NEWER}
    named = {
        c
        for c, held in cells.items()
        if stamp.rank and event.names(c) and (held is None or c in older)
    }
    refused = (
        _refused_by(base, stamp, named, limits)
        if base is not None and stamp.rank and (named or event.creates)
        else None
    )
    if refused is None:
        if not stamp.rank or (event.creates and not event.whole):
            after |= dict.fromkeys(older - named, HOLE)
            told |= dict.fromkeys(older - named)
            base = _dead_up_to(base, stamp, limits) if HOLE in after.values() else base
        for column in named:
            held = cells[column]
            after[column] = stamp if held is None else _carrying(stamp, held)
            told[column] = (event.fields or {}).get(column)
    own = {c for c, held in cells.items() if held is memory.stamp and c not in told}
    row = _row(
        joined(memory.stamp, stamp),
        after | dict.fromkeys(own, OWN),
        base,
        _writes(memory, cells.keys(), told) if told else memory.values,
    )
    still = {
        c
        for c in cells.keys() | memory.disputed
        if memory.is_disputed(c) and c not in told and row.source_of(c) is not None
    }
    row = _kept(_disputing(row, still | ties, cells.keys() | memory.disputed), memory)
    return _judged(row, memory, ties, refused or (Reason.APPLIED if told else Reason.STALE))


def _kept(row: Memory, before: Memory) -> Memory:
    """The same row of the same write: an operator's mark and the attempt token stay. Nothing moved:
    the very same memory."""
    row = replace(row, declared=before.declared, token=before.token)
    return before if row == before else row


def _touches(event: Event, column: str) -> bool:
    """Does it say anything of the column: a value, or that what it held is gone?"""
    return event.kind is not Kind.PUT or event.creates or event.names(column)


def _order(stamp: Stamp, held: Stamp, limits: Limits, needed: bool = True) -> Order:
    order = compare(stamp, held, limits.lineage)
    if needed and order in _HELD:
        raise _Held(order, held)
    return order


def _refused_by(base: Base, stamp: Stamp, told: Collection[str], limits: Limits) -> Reason | None:
    """May an older put tell these columns of the row? Not from what is dead, and what may be dead
    is late."""
    if isinstance(base, Dead):
        return Reason.STALE if _order(stamp, base.stamp, limits) is Order.OLDER else None
    if stamp.position.above(base.floor, limits.lineage) is Above.YES:
        return None
    return Reason.LATE if told else Reason.STALE


def _dead_up_to(base: Base | None, stamp: Stamp, limits: Limits) -> Base:
    """The base after learning that everything up to `stamp` is dead: the later of the two."""
    if isinstance(base, Dead):
        order = _order(stamp, base.stamp, limits)
        return Dead(
            stamp if order is Order.NEWER else joined(base.stamp, stamp, order is Order.SAME)
        )
    above = Above.YES if base is None else stamp.position.above(base.floor, limits.lineage)
    if above is Above.UNKNOWN:
        raise _Held(Order.WAITING, stamp)
    return Dead(stamp) if above is Above.YES or base is None else base


def _columns(memory: Memory, event: Event) -> set[str]:
    """Every column that the row or the event tells apart from the rest, and the rest."""
    columns = {REST, *event.holes, *(memory.cells or ())}
    return (
        columns | set(event.fields or ()) if event.partial or memory.cells is not None else columns
    )


def _row(
    stamp: Stamp, cells: dict[str, Cell], base: Base | None, values: dict[str, Any] | None
) -> Memory:
    """Normalised: a column that says the same as the rest is not listed; a row all its own lists
    nothing; no hole, no base."""
    rest = cells.get(REST, OWN)
    listed = {column: cell for column, cell in cells.items() if column != REST and cell != rest}
    if rest is not OWN:
        listed[REST] = rest
    return Memory(stamp, listed or None, base if HOLE in cells.values() else None, values=values)


def joined(stamp: Stamp, other: Stamp, same: bool = False) -> Stamp:
    """This stored stamp after meeting one that is not newer; `same`: another copy of the very
    event."""
    position = stamp.position.joined(other.position, same)
    return stamp if position is stamp.position else replace(stamp, position=position)


def _carrying(stamp: Stamp, held: Stamp) -> Stamp:
    """The new event's stamp with the joined offset of what it replaces (rules R5)."""
    return joined(stamp, held)


def _join(memory: Memory, stamp: Stamp, same: bool = False) -> Memory:
    """The memory after meeting what is not newer; a put that creates is the end of what was before
    it, too."""
    met, base = joined(memory.stamp, stamp, same), memory.base
    if met is memory.stamp:
        return memory
    if (
        same
        and isinstance(base, Dead)
        and base.stamp.tag == stamp.tag
        and base.stamp.position.identity() == stamp.position.identity()
    ):
        base = Dead(joined(base.stamp, stamp, same))
    return replace(memory, stamp=met, base=base)
