"""What a row shows of one position, as events.

The second of two contents that claim a position finds the first in the row alone: its delivery is
not known any more (rules R12). It is a content all the same: listed, and accepted like one that has
come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anyorder._core.columns import source_of, source_of_part
from anyorder._core.event import DELETE, PUT, Event, KeyFields
from anyorder._core.families import Position
from anyorder._core.memory import Dead, Memory, Stamp
from anyorder._core.names import REST
from anyorder._core.position import UNDECIDED, WAITING, Lineage

Row = Mapping[str, Any]


def stamps_at(memory: Memory | None, position: Position) -> list[Stamp]:
    """The stamps of this very position in a memory, in an order that depends on them alone."""
    identity = position.identity()
    there = [stamp for stamp in _stamps(memory) if stamp.position.identity() == identity]
    return sorted(there, key=_content)


def incomparable(memory: Memory | None, position: Position, lineage: Lineage) -> list[Stamp]:
    """The stamps in a memory whose clocks do not tell how they stand to this position."""
    found: list[Stamp] = []
    for stamp in _stamps(memory):
        order = position.compare(stamp.position, lineage)
        if order is UNDECIDED or order is WAITING:
            found.append(stamp)
    return sorted(found, key=_content)


def _stamps(memory: Memory | None) -> list[Stamp]:
    """What a memory shows, and the delete before its row: each event once."""
    if memory is None:
        return []
    stamps = [memory.stamp]
    stamps += [cell for cell in memory.listed.values() if isinstance(cell, Stamp)]
    # A put of the very position of a delete: what was before the row is a content, too.
    if isinstance(memory.base, Dead) and not memory.base.stamp.is_put:
        stamps.append(memory.base.stamp)
    by_content = {(stamp.position.identity(), _content(stamp)): stamp for stamp in stamps}
    return list(by_content.values())


def _content(stamp: Stamp) -> tuple[bool, str]:
    return stamp.is_put, stamp.fingerprint


def marked(memory: Memory | None) -> list[Stamp]:
    """The stamps that an operator's word has chosen, one a position."""
    by_position = {one.position.identity(): one for one in _stamps(memory) if one.is_marked}
    return list(by_position.values())


def columns_at(memory: Memory, position: Position, columns: Iterable[str]) -> list[str]:
    """Those of these columns that a row shows from this very position."""
    identity, found = position.identity(), list[str]()
    for column in sorted(columns):
        stamp = source_of(memory, column)
        if memory.live and stamp is not None and stamp.position.identity() == identity:
            found.append(column)
    return found


def event_of(memory: Memory, stamp: Stamp, key: KeyFields, table: str, row: Row | None) -> Event:
    """What a row shows of the event of this stamp: the columns that it told and that are still its
    own. Without the `row`, what it told is not known: a put without fields."""
    kind = PUT if stamp.is_put else DELETE
    fields, holes, partial = None, frozenset[str](), False
    if kind is PUT and row is not None:
        fields = {name: value for name, value in row.items() if _tells(memory, stamp, name)}
        # Did it tell all columns, also those that nobody names?
        partial = not _is_one(source_of_part(memory, REST), stamp)
        if not partial:
            holes = frozenset(name for name in row if name not in fields and name not in key)
    return Event(
        kind,
        table,
        key,
        stamp.position,
        fields,
        holes=holes,
        partial=partial,
        time=stamp.position.time,
        # Of what it told when it came, which may have been more.
        fingerprint=stamp.fingerprint,
    )


def _tells(memory: Memory, stamp: Stamp, column: str) -> bool:
    return _is_one(source_of(memory, column), stamp)


def _is_one(found: Stamp | None, stamp: Stamp) -> bool:
    """Is it the very stamp, whatever was joined to it since?"""
    if found is None or found.position.identity() != stamp.position.identity():
        return False
    return found.has_content_of(stamp)


def identity_of_stamp(stamp: Stamp) -> str:
    """What `identity_of` says of the event of this stamp."""
    return f"{stamp.position.identity()} {stamp.fingerprint}"
