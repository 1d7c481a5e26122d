"""Does an event's content agree with itself? What contradicts itself is malformed for every store,
and stays so however often it is decided again."""

from __future__ import annotations

from anyorder._core.batch import replace
from anyorder._core.columns import is_nameable
from anyorder._core.event import PUT, Event, Kind, canonical


def coherent(event: Event) -> Event:
    """The event; of kind MALFORMED, with its reason, where its content contradicts itself."""
    if event.kind is not PUT:
        return event
    problem = _contradiction(event)
    # Nearly always there is none, and it is the very same event.
    if not problem:
        return event
    return replace(event, kind=Kind.MALFORMED, note=problem)


def _contradiction(event: Event) -> str:
    """What is wrong with a put, "" if nothing is."""
    if not is_nameable(event):
        return "it names a column that has no name: have the producer give it one"
    key, fields = event.key, event.fields
    if key is None or fields is None:
        return ""
    # The row has one column of each name, so what the event tells there must be the key.
    for column, value in key.items():
        told = fields.get(column, value)
        is_key = told is value or (told == value and told.__class__ is value.__class__)
        if not is_key and not _spells(told, value):
            return (
                f"its key says {column} is {value!r:.80}, its row says {told!r:.80}: name the "
                "key's column otherwise (key = ...), or have the producer tell one of them"
            )
    return ""


def _spells(told: object, key: object) -> bool:
    """Is it the key in another spelling: an equal number, or the number that a text spells?"""
    is_either_flag = isinstance(told, bool) or isinstance(key, bool)
    if told == key and not is_either_flag:
        return True
    # The bare key of a raw topic is a text, and a JSON row tells the same as a number.
    return isinstance(key, str) and canonical(told) == key
