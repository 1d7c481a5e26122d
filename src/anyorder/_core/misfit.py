"""A key whose values are of another kind than their columns: it names no row, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from anyorder._core.batch import Arrival, Held, Judged
from anyorder._core.coherence import coherent
from anyorder._core.decide import BY_DECODER
from anyorder._core.event import DELETE, PUT, Event, Kind, canonical
from anyorder._core.key import KINDS, KeyKind, Kinds, kind_of
from anyorder._core.names import is_nameable
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError

NO_KIND = object()
_get_kind: Callable[[type, object], object] = KINDS.get
CHANGES = frozenset({PUT, DELETE})


def is_plain(event: Event, kinds: Kinds) -> bool:
    """Is it a change whose key certainly fits, and whose row tells that very key, or none? Nearly
    every event is, and then `judged_alone` need not be asked."""
    key, told = event.key, event.fields
    if event.kind is PUT:
        is_readable = told is not None and is_nameable(event)
    else:
        is_readable = event.kind is DELETE
    if not key or not is_readable:
        return False
    for column, value in key.items():
        # Types first: true is no number here, though to Python it equals 1.
        if kinds.get(column) is not _get_kind(value.__class__, NO_KIND):
            return False
        cell = value if told is None else told.get(column, value)
        if cell.__class__ is not value.__class__ or cell != value:
            return False
    return True


def misfits(key: Mapping[str, object], kinds: Kinds) -> bool:
    """Is a value of another kind than its column's, or of none?"""
    for column, value in key.items():
        kind = kind_of(value)
        # What is not known yet fits any kind.
        if kind is None or kinds.get(column, kind) is not kind:
            return True
    return not key


def judged_alone(arrival: Arrival, table: str, kinds: Kinds) -> Judged | None:
    """How a delivery is decided without a comparison: by the decoder, or by its key. None: it
    must be compared."""
    number, event = arrival.number, coherent(arrival.event)
    if event.kind in BY_DECODER:
        return Judged(number, event, BY_DECODER[event.kind], detail=event.note)
    # Nearly every key fits.
    if event.key is not None and not misfits(event.key, kinds):
        return None
    fault = misfit(event, table, kinds)
    if fault:
        return Judged(number, event, Reason.MALFORMED, detail=fault)
    return None


def misfit(event: Event, table: str, kinds: Kinds) -> str:
    """Why an event's key names no row of a table, in a sentence, and what to do; "" if it does."""
    key = event.key
    # A truncate concerns every key, and has none.
    if event.kind is Kind.TRUNCATE:
        return ""
    if key is None:
        return f"the event has no key, so it names no row of table {table}"
    if not misfits(key, kinds):
        return ""
    return _why(key, table, kinds)


def decidable(
    entity: str,
    held: Sequence[Held],
    table: str,
    kinds: Kinds,
) -> list[Held]:
    """Those of a key's open entries whose event, as it is read today, is of this very key. Any
    other would be decided on the memory of another entity."""
    found: list[Held] = []
    for one in held:
        # What contradicts itself is no better for being decided again.
        event = coherent(one.event)
        is_same = event.entity == entity
        if is_same and not misfit(event, table, kinds):
            found.append(one._replace(event=event))
    return found


def first_told(events: Iterable[Event], kinds: Kinds) -> dict[str, KeyKind]:
    """The kinds that the first event tells whose key fits what is known; none if there is no such
    event."""
    for told in filter(None, (told_kinds(event, kinds) for event in events)):
        return told
    return {}


def told_kinds(event: Event, kinds: Kinds) -> dict[str, KeyKind]:
    """The kinds that an event tells, if its key fits what is known."""
    # What contradicts itself is refused, so it says nothing of the key either.
    event = coherent(event)
    # A hint changes nothing, and of what cannot be read the key may be broken, too.
    is_change = event.kind in CHANGES
    if is_change and event.key and not misfits(event.key, kinds):
        return kinds_told(event.key)
    return {}


def kinds_told(key: Mapping[str, object]) -> dict[str, KeyKind]:
    """The kinds of a key's columns, of those whose value has one."""
    told: dict[str, KeyKind] = {}
    for column, value in key.items():
        kind = kind_of(value)
        if kind is not None:
            told[column] = kind
    return told


def other_kinds(key: Mapping[str, object], kinds: Kinds) -> list[tuple[str, KeyKind, KeyKind]]:
    """The columns of a key that are of another kind than they should be: the column, the kind that
    is known, and the one that is told."""
    # Nearly every key fits.
    if not misfits(key, kinds):
        return []
    told = kinds_told(key).items()
    return [(name, kinds[name], kind) for name, kind in told if kinds.get(name, kind) is not kind]


def declared_kinds(key: Sequence[str], declared: Mapping[str, str]) -> Kinds:
    """The kinds of a key's columns as a user writes them. Raises ConfigurationError for a word that
    is no kind, and for columns that a declared key does not have."""
    kinds = {column: _kind_called(word, column) for column, word in declared.items()}
    _check_columns(key, kinds)
    return kinds


def _kind_called(word: str, column: str) -> KeyKind:
    try:
        return KeyKind(word)
    except ValueError:
        words = ", ".join(KeyKind)
        raise ConfigurationError(
            f'kinds says {column} = "{word}", and a kind is one of {words}'
        ) from None


def _check_columns(key: Sequence[str], kinds: Kinds) -> None:
    others = sorted(kinds.keys() - set(key))
    # Where the key is learned from the events, nobody knows its columns yet.
    if key and others:
        names, columns = ", ".join(others), ", ".join(key)
        raise ConfigurationError(f"kinds names {names}, but the key is ({columns})")


def _why(key: Mapping[str, object], table: str, kinds: Kinds) -> str:
    for column, value in key.items():
        kind, wanted = kind_of(value), kinds.get(column)
        if kind is None:
            return (
                f"the key column {column!r} of table {table} has {value!s:.40}, which names "
                f"no row: a key is an exact number, a text or a boolean. Mend the producer"
            )
        if wanted is not None and kind is not wanted:
            return (
                f"the key column {column!r} of table {table} is a {wanted}, and this event has "
                f"the {kind} {canonical(value):.40}. {_to_do(column, wanted, kind)}"
            )
    return f"the event's key is empty, so it names no row of table {table}"


def _to_do(column: str, wanted: KeyKind, kind: KeyKind) -> str:
    declared = (
        f"if {kind} is right, change the type of the table's own column, or where it has none "
        f'declare kinds = {{ {column} = "{kind}" }}, and run `anyorder quarantine retry`'
    )
    # The bare keys of a raw topic are texts, whatever they look like.
    if (wanted, kind) == (KeyKind.NUMBER, KeyKind.TEXT):
        return (
            'Mend the producer; with envelope = "raw", say key_kind = "number" in its options; '
            f"{declared}"
        )
    return f"Mend the producer; {declared}"
