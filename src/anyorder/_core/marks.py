"""What an operator's word chose, as the memory keeps it: every stamp of its position is *marked*
(rules R11).

So what was chosen lives and dies with its stamp: it goes wherever the stamp goes, and nothing but
what takes the stamp's place ends it. ties.py says what a mark means to the contents that come
later, moves.py what it means to what is newer than the row.
"""

from __future__ import annotations

from anyorder._core.columns import respelled, source_of_part
from anyorder._core.families import Position
from anyorder._core.memory import Cell, Dead, Memory, Stamp, replace
from anyorder._core.position import SAME, Lineage


def marked(memory: Memory, position: Position, lineage: Lineage) -> Memory:
    """The memory after a word for what it shows of this position: nothing of it is disputed any
    more. The very same memory where it shows nothing of that position, or chose it before."""
    cells: dict[str, Cell] = {}
    for name, cell in memory.listed.items():
        if isinstance(cell, Stamp):
            cell = _chosen(cell, position, lineage)
        cells[name] = cell
    base = memory.base
    if isinstance(base, Dead):
        # A content may have ended what was before the row.
        base = Dead(_chosen(base.stamp, position, lineage))
    after = replace(
        memory,
        stamp=_chosen(memory.stamp, position, lineage),
        cells=cells or None,
        base=base,
        disputed=memory.disputed - _settled(memory, position, lineage),
    )
    # What was listed for its dispute alone is not told apart any more.
    if after.live:
        after = respelled(after)
    # Where nothing moved it is the very same memory, so that nothing is written.
    if after == memory:
        return memory
    return after


def _chosen(stamp: Stamp, position: Position, lineage: Lineage) -> Stamp:
    """The stamp, marked if it is of this position."""
    if stamp.position.compare(position, lineage) is SAME:
        return stamp.marked()
    return stamp


def _settled(memory: Memory, position: Position, lineage: Lineage) -> frozenset[str]:
    """The disputed columns that a content of this position told."""
    settled: set[str] = set()
    for name in memory.disputed:
        stamp = source_of_part(memory, name)
        if stamp is not None and stamp.position.compare(position, lineage) is SAME:
            settled.add(name)
    return frozenset(settled)
