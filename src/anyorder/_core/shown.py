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
from anyorder._core.memory import Memory, Stamp
from anyorder._core.names import REST
from anyorder._core.position import UNDECIDED, WAITING, Lineage

Row = Mapping[str, Any]
NOT_DECIDED = frozenset({UNDECIDED, WAITING})
NO_HOLES: frozenset[str] = frozenset()


def stamps_at(memory: Memory | None, position: Position) -> list[Stamp]:
    """The stamps of this very position in a memory, in an order that depends on them alone."""
    identity = position.identity()
    there = (stamp for stamp in _stamps(memory) if stamp.position.identity() == identity)
    return sorted(
        there,
        key=_content,
    )


def incomparable(memory: Memory | None, position: Position, lineage: Lineage) -> list[Stamp]:
    """The stamps in a memory whose clocks do not tell how they stand to this position."""
    found: list[Stamp] = []
    for stamp in _stamps(memory):
        order = position.compare(stamp.position, lineage)
        if order in NOT_DECIDED:
            found.append(stamp)
    return sorted(found, key=_content)


def marked(memory: Memory | None) -> list[Stamp]:
    """The stamps that an operator's word has chosen, one a position."""
    by_position: dict[str, Stamp] = {}
    for stamp in _stamps(memory):
        # Several contents may be shown of one position, each in its own columns.
        if stamp.is_marked:
            by_position[stamp.position.identity()] = stamp
    return list(by_position.values())


def columns_at(memory: Memory, position: Position, columns: Iterable[str]) -> list[str]:
    """Those of these columns that a row shows from this very position."""
    identity = position.identity()
    found: list[str] = []
    # A tombstone shows nothing.
    if not memory.live:
        return found
    for column in sorted(columns):
        stamp = source_of(memory, column)
        if stamp is not None and stamp.position.identity() == identity:
            found.append(column)
    return found


def event_of(memory: Memory, stamp: Stamp, key: KeyFields, table: str, row: Row | None) -> Event:
    """What a row shows of the event of this stamp: the columns that it told and that are still its
    own. Without the `row`, what it told is not known: a put without fields."""
    if not stamp.is_put:
        return Event(
            kind=DELETE,
            table=table,
            key=key,
            position=stamp.position,
            time=stamp.position.time,
        )
    fields, holes = _parts(memory, stamp, key, row)
    # Did it tell all columns, also those that nobody names?
    told_rest = source_of_part(memory, REST)
    is_partial = not _is_one(told_rest, stamp)
    return Event(
        kind=PUT,
        table=table,
        key=key,
        position=stamp.position,
        fields=fields,
        holes=NO_HOLES if is_partial else holes,
        partial=is_partial,
        time=stamp.position.time,
        # Of what it told when it came, which may have been more.
        fingerprint=stamp.fingerprint,
    )


def identity_of_stamp(stamp: Stamp) -> str:
    """What `identity_of` says of the event of this stamp."""
    return f"{stamp.position.identity()} {stamp.fingerprint}"


def _stamps(memory: Memory | None) -> list[Stamp]:
    """What a memory shows, and the delete before its row: each event once."""
    if memory is None:
        return []
    found, ended = memory.stamps, memory.ended
    # A put of the very position of a delete: what was before the row is a content, too.
    if ended is not None and not ended.is_put:
        found.append(ended)
    by_event = {identity_of_stamp(stamp): stamp for stamp in found}
    return list(by_event.values())


def _content(stamp: Stamp) -> tuple[bool, str]:
    return stamp.is_put, stamp.fingerprint


def _parts(
    memory: Memory,
    stamp: Stamp,
    key: KeyFields,
    row: Row | None,
) -> tuple[dict[str, Any] | None, frozenset[str]]:
    """The columns of a row that this event told, and those that it did not."""
    if row is None:
        return None, NO_HOLES
    fields: dict[str, Any] = {}
    others: set[str] = set()
    for name, value in row.items():
        told = source_of(memory, name)
        if _is_one(told, stamp):
            fields[name] = value
        elif name not in key:
            others.add(name)
    return fields, frozenset(others)


def _is_one(found: Stamp | None, stamp: Stamp) -> bool:
    """Is it the very stamp, whatever was joined to it since?"""
    if found is None:
        return False
    return identity_of_stamp(found) == identity_of_stamp(stamp)
