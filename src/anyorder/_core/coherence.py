"""Does an event's content agree with itself? What contradicts itself is malformed for every store,
and stays so however often it is decided again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from anyorder._core.event import PUT, Event, Kind, canonical
from anyorder._core.names import is_nameable

NOTHING: Mapping[str, object] = MappingProxyType({})


def coherent(event: Event) -> Event:
    """The event; of kind MALFORMED, with its reason, where its content contradicts itself."""
    if event.kind is not PUT:
        return event
    problem = _contradiction(event)
    # Nearly always there is none, and it is the very same event.
    if not problem:
        return event
    return replace(
        event,
        kind=Kind.MALFORMED,
        note=problem,
    )


def _contradiction(event: Event) -> str:
    """What is wrong with a put, "" if nothing is."""
    if not is_nameable(event):
        return "it names a column that has no name: have the producer give it one"
    key: Mapping[str, object] = event.key or NOTHING
    fields: Mapping[str, object] = event.fields or NOTHING
    # The row has one column of each name, so what the event tells there must be the key.
    for column, value in key.items():
        told = fields.get(column, value)
        # Nearly always it is the very key, or it is not told a second time.
        if told is not value and not _is_same(told, value):
            return (
                f"its key says {column} is {value!r:.80}, its row says {told!r:.80}: "
                "name the key's column otherwise (key = ...), "
                "or have the producer tell one of them"
            )
    return ""


def _is_same(told: object, key: object) -> bool:
    """Is it the key, perhaps in another spelling?"""
    # To Python true equals 1; to no source are they one key.
    if isinstance(told, bool) is not isinstance(key, bool):
        return False
    if told == key:
        return True
    # The bare key of a raw topic is a text, and a JSON row tells the same as a number.
    return canonical(told) == key
