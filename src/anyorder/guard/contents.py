"""The contents that the entry of a dispute lists (rules R12): all that claim its position, each
with its delivery. What the row shows has none any more: it is written down as the row tells it."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from anyorder._core.batch import Coalesced, Judged, identity_of
from anyorder._core.event import Delivery, Event, KeyFields, Kind
from anyorder._core.memory import Stamp
from anyorder._core.shown import event_of, stamps_at

TAG = ""  # the one name of an object that stands for a value which JSON has no spelling for


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


class _Shown(msgspec.Struct, array_like=True):
    """What a row showed of an event, as it is stored."""

    stamp: Stamp
    table: str
    fields: dict[str, Any] | None
    holes: list[str]
    partial: bool


_encode = msgspec.json.Encoder(order="deterministic").encode
_shown = msgspec.json.Decoder(_Shown)


def contents_of(
    share: Coalesced,
    judged: Judged,
    row: object,
    provenance: str,
) -> tuple[Content, ...]:
    """What the entry of a dispute is to list: what the row showed before this batch (`row`), what
    the batch tells of the position and no entry holds, and this very delivery."""
    event = judged.event
    found = [of_row(one) for one in _shown_before(share, event, row)]
    for other, told_by in _beside(share, provenance):
        if is_of_position(other, event):
            found.append(of_delivery(other, told_by))
    found.append(of_delivery(event, provenance))
    # Of a content that is told twice, the delivery is the better record.
    by_identity = {one.identity: one for one in found}
    return tuple(by_identity.values())


def is_of_position(one: Event, other: Event) -> bool:
    """Are two events of the very same position?"""
    if one.position is None or other.position is None:
        return False
    return one.position.identity() == other.position.identity()


def _shown_before(share: Coalesced, event: Event, row: object) -> Iterator[Event]:
    assert event.position is not None
    there = row if isinstance(row, Mapping) else None
    memory = share.before
    # Nothing was remembered: then the other content came in this batch.
    if memory is None:
        return
    for stamp in stamps_at(memory, event.position):
        yield event_of(memory, stamp, event.key or {}, event.table, there)


def _beside(share: Coalesced, provenance: str) -> Iterator[tuple[Event, str]]:
    """The events of the batch that no entry holds, with their provenances; and those whose entries
    closed, since what they were applied to may be what is disputed."""
    for judged in share.judged:
        # What is held is listed by its own holding.
        if not judged.reason.quarantined:
            yield judged.event, provenance
    for settled in share.settled:
        yield settled.held.event, settled.held.provenance


def of_row(event: Event) -> Content:
    """What a row showed of an event, as a content."""
    return Content(0, identity_of(event), shown=packed(event))


def of_delivery(event: Event, provenance: str) -> Content:
    """A content that came by a delivery."""
    return Content(0, identity_of(event), event.delivery, provenance)


# ---- what a row showed, as a text


def packed(event: Event) -> str:
    """What a row showed of an event, as a text."""
    assert event.position is not None
    stamp = Stamp(event.position, int(event.kind is Kind.PUT), event.fingerprint)
    fields = None
    if event.fields is not None:
        fields = {name: _spelled(value) for name, value in event.fields.items()}
    shown = _Shown(stamp, event.table, fields, sorted(event.holes), event.partial)
    return _encode(shown).decode()


def unpacked(text: str, key: KeyFields) -> Event:
    """The event that `packed` wrote; `key`: its entry's."""
    shown = _shown.decode(text)
    fields = None
    if shown.fields is not None:
        fields = {name: _told(value) for name, value in shown.fields.items()}
    return Event(
        Kind.PUT if shown.stamp.is_put else Kind.DELETE,
        shown.table,
        key,
        shown.stamp.position,
        fields,
        holes=frozenset(shown.holes),
        partial=shown.partial,
        time=shown.stamp.position.time,
        fingerprint=shown.stamp.fingerprint,
    )


def _spelled(value: object) -> object:
    """A value of a row, exactly, in what JSON has."""
    if isinstance(value, bytes):
        return {TAG: "bytes", "value": base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {TAG: "decimal", "value": str(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return {TAG: "float", "value": repr(value)}
    if isinstance(value, list | tuple):
        return [_spelled(part) for part in value]
    if isinstance(value, Mapping):
        parts = {name: _spelled(part) for name, part in value.items()}
        # One that looks like a tagged value is tagged itself.
        return {TAG: "object", "value": parts} if TAG in parts else parts
    return value


def _told(spelled: object) -> object:
    if isinstance(spelled, list):
        return [_told(part) for part in spelled]
    if not isinstance(spelled, dict):
        return spelled
    value = spelled.get("value")
    match spelled.get(TAG):
        case "bytes":
            return base64.b64decode(str(value))
        case "decimal":
            return Decimal(str(value))
        case "float":
            return float(str(value))
        case "object":
            assert isinstance(value, dict)
            spelled = value
    return {name: _told(part) for name, part in spelled.items()}
