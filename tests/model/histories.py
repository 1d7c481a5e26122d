"""Histories of one or two keys as letters, the events they are, and what they mean: the in-order
fold.

    P put of every column       X Y  puts with a hole (y, x: exists, not told)       p q  partial
    puts (x, y: only these are told) D delete                    C    a put that creates       N
    one that creates, with a hole y M m  of two keys: `M` moves row a to key b (a delete and a put
    that creates, at one position), `m` with a hole y T truncates the table

A letter alone is key a; "bX" is key b.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition, OffsetPosition, Position, ScalarPosition
from anyorder._core.floor import Floor
from anyorder._core.fold import Limits

NAMED = {"P": "xy", "C": "xy", "X": "x", "Y": "y", "p": "x", "q": "y", "N": "x"}
FAMILIES = ("log", "kafka", "version")


def position(family: str, at: int, op: str) -> Position:
    """The position of the event number `at` (from 1), in order."""
    if family == "log":
        return LogPosition("pg:main", 10 * at, op, 10 * at - 5, at, "0", at)
    if family == "kafka":
        return OffsetPosition("kafka:topic", 0, at)
    return ScalarPosition("version", "versions", (at,))


def limits_of(family: str) -> Limits:
    """Where nothing was forgotten."""
    return Limits(Floor(partitions=1) if family == "kafka" else Floor())


class Told(NamedTuple):
    """One event, the key it is about ("" is every key), and its letter."""

    key: str
    event: Event
    label: str


def told(family: str, history: Sequence[str], positions: Sequence[int] | None = None) -> list[Told]:
    """The events of a history; `positions` where some share one."""
    out: list[Told] = []
    for number, word in enumerate(history, 1):
        at, key, letter = (
            positions[number - 1] if positions else number,
            "a" if len(word) == 1 else word[0],
            word[-1],
        )
        if letter == "T":
            out.append(Told("", Event(Kind.TRUNCATE, position=position(family, at, "t")), f"T{at}"))
        elif letter in "Mm":
            out.append(
                Told("a", Event(Kind.DELETE, position=position(family, at, "d")), f"D a{at}")
            )
            out.append(
                Told(
                    "b", _put(family, number, at, "C" if letter == "M" else "N"), f"{letter} b{at}"
                )
            )
        elif letter == "D":
            out.append(
                Told(key, Event(Kind.DELETE, position=position(family, at, "d")), f"D {key}{at}")
            )
        else:
            out.append(Told(key, _put(family, number, at, letter), f"{letter} {key}{at}"))
    return out


def _put(family: str, number: int, at: int, letter: str) -> Event:
    fields: dict[str, object] = {column: f"{number}{column}" for column in NAMED[letter]}
    holes = frozenset() if letter in "PCpq" else frozenset("xy") - set(NAMED[letter])
    creates = letter in "CN"
    return Event(
        Kind.PUT,
        position=position(family, at, "c" if creates else "u"),
        fields=fields,
        holes=holes,
        partial=letter in "pq",
        creates=creates,
    )


def _tells(event: Event, column: str) -> bool:
    """Does a put tell this column's value?"""
    return column in (event.fields or {}) if event.partial else column not in event.holes


def meaning(events: Iterable[Event], columns: Sequence[str]) -> dict[str, object] | None:
    """The law FOLD: the row when these happen in this order, without what nothing told."""
    row: dict[str, object] | None = None
    for event in events:
        if event.kind is not Kind.PUT:
            row = None
            continue
        before = {} if row is None or event.creates else row
        row = before | {
            column: (event.fields or {}).get(column) for column in columns if _tells(event, column)
        }
    return row
