"""The contents that the entry of a dispute lists (rules R12): all that claim its position, each
with its delivery. What the row shows has none any more: it is written down as the row tells it."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from anyorder._core.batch import Coalesced, Judged, identity_of
from anyorder._core.event import Delivery, Event, KeyFields, Kind
from anyorder._core.memory import Stamp
from anyorder._core.outcome import Reason
from anyorder._core.shown import event_of, stamps_at


class Content(msgspec.Struct, frozen=True):
    """One of the contents that the entry of a dispute lists (rules R12). `number`: by which a
    person accepts it; its store gives it. `identity`: what makes two deliveries the same event.

    It came by a `delivery`, with its `provenance`, or it is what the row showed (`shown`, a text of
    this module's). `chosen`: an operator's word chose it.
    """

    number: int
    identity: str
    delivery: Delivery | None = None
    provenance: str = ""
    shown: str = ""
    chosen: bool = False


class Listing(NamedTuple):
    """What the quarantine says of a delivery that it is to keep: the entry that lists it, and
    whether it is new there; else the entry's state, and whether a word chose this very content."""

    entry: int
    is_new: bool
    state: str = "open"
    chosen: bool = False


class Word(NamedTuple):
    """What an operator's word does to the list of an entry, `of` so many contents: those that it
    `chose`, by number, and others that are `listed` from now on, since they were replaced by it."""

    chose: tuple[int, ...] = ()
    listed: tuple[Content, ...] = ()
    of: int = 0


class Closing(NamedTuple):
    """How an entry is closed: settled by itself, accepted, or dropped. `word`: what an operator's
    word chose of what it lists; None: nothing is said of that."""

    entry: int
    state: str
    reason: Reason
    word: Word | None = None


class _Shown(msgspec.Struct, array_like=True):
    """What a row showed of an event, as it is stored."""

    stamp: Stamp
    table: str
    fields: Any
    holes: list[str]
    partial: bool


_encode = msgspec.json.Encoder(order="deterministic").encode
_shown = msgspec.json.Decoder(_Shown)


def contents_of(
    share: Coalesced,
    judged: Judged,
    row: object,
    provenance: str,
    own: str,
) -> tuple[Content, ...]:
    """What the entry of a dispute is to list: what the row showed before this batch (`row`), what
    the batch, of this provenance, tells of the position and no entry holds, and this very delivery,
    of its `own`."""
    event = judged.event
    found: dict[str, Content] = {}
    for shown in _shown_before(share, event, row):
        content = Content(
            number=0,
            identity=identity_of(shown),
            shown=packed(shown),
        )
        found[content.identity] = content
    # Of a content that is told twice, the delivery is the better record.
    for other, told_by in (*_beside(share, event, provenance), (event, own)):
        content = Content(
            number=0,
            identity=identity_of(other),
            delivery=other.delivery,
            provenance=told_by,
        )
        found[content.identity] = content
    return tuple(found.values())


def is_of_position(one: Event, other: Event) -> bool:
    """Are two events of the very same position?"""
    if one.position is None or other.position is None:
        return False
    return one.position.identity() == other.position.identity()


def _shown_before(share: Coalesced, event: Event, row: object) -> Iterator[Event]:
    assert event.position is not None
    memory = share.before
    # Nothing was remembered: then the other content came in this batch.
    if memory is None:
        return
    there = None
    if isinstance(row, Mapping):
        there = row
    for stamp in stamps_at(memory, event.position):
        yield event_of(memory, stamp, event.key or {}, event.table, there)


def _beside(share: Coalesced, event: Event, provenance: str) -> Iterator[tuple[Event, str]]:
    """The events of the batch that are of this position and that no entry holds, with their
    provenances; and those whose entries closed, since what they were applied to may be what is
    disputed."""
    # What is held is listed by its own holding.
    unheld = (one.event for one in share.judged if not one.reason.quarantined)
    told = [(other, provenance) for other in unheld]
    for settled in share.settled:
        held = settled.held
        told.append((held.event, held.provenance))
    for other, told_by in told:
        if is_of_position(other, event):
            yield other, told_by


# ---- what a row showed, as a text


def packed(event: Event) -> str:
    """What a row showed of an event, as a text."""
    assert event.position is not None
    stamp = Stamp(event.position, int(event.kind is Kind.PUT), event.fingerprint)
    shown = _Shown(
        stamp=stamp,
        table=event.table,
        # None where what it told is not known.
        fields=_spelled(event.fields),
        holes=sorted(event.holes),
        partial=event.partial,
    )
    return _encode(shown).decode()


def unpacked(text: str, key: KeyFields) -> Event:
    """The event that `packed` wrote; `key`: its entry's."""
    shown = _shown.decode(text)
    kind = Kind.DELETE
    if shown.stamp.is_put:
        kind = Kind.PUT
    return Event(
        kind=kind,
        table=shown.table,
        key=key,
        position=shown.stamp.position,
        fields=_told(shown.fields),
        holes=frozenset(shown.holes),
        partial=shown.partial,
        time=shown.stamp.position.time,
        fingerprint=shown.stamp.fingerprint,
    )


def _spelled(value: object) -> object:
    """A value of a row, exactly, in what JSON has: what it has no spelling for, and what holds such
    values, is a list that says first what it is."""
    spell = SPELLINGS.get(type(value))
    # A text, a number of any size, a truth value, null: JSON's own.
    if spell is None:
        return value
    return spell(value)


def _spelled_float(value: Any) -> object:
    # Infinite, or no number at all.
    if not math.isfinite(value):
        return ["float", repr(value)]
    return value


def _told(spelled: Any) -> Any:
    """The value that was spelled so."""
    if not isinstance(spelled, list):
        return spelled
    kind, told = spelled
    return READINGS[kind](told)


SPELLINGS: dict[type, Callable[[Any], object]] = {
    bytes: lambda value: ["bytes", base64.b64encode(value).decode()],
    Decimal: lambda value: ["decimal", str(value)],
    float: _spelled_float,
    list: lambda value: ["list", list(map(_spelled, value))],
    tuple: lambda value: ["list", list(map(_spelled, value))],
    dict: lambda value: ["object", {name: _spelled(part) for name, part in value.items()}],
}
READINGS: dict[str, Callable[[Any], object]] = {
    "bytes": base64.b64decode,
    "decimal": Decimal,
    "float": float,
    "list": lambda told: list(map(_told, told)),
    "object": lambda told: {name: _told(part) for name, part in told.items()},
}
