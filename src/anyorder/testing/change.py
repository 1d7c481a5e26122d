"""The changes that the kit delivers: two columns, one integer version, and a meaning that does not
come from `_core`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families import ScalarPosition

COLUMNS = ("x", "y")
SCOPE = "kit"
TOPIC = "kit"
Row = dict[str, object]


class Change(NamedTuple):
    """One change of one key at one version. `fields`: what a put tells, None for a delete; `whole`:
    every column not named is null.

    Versions of two scopes do not compare. `time`: its own, in microseconds.
    """

    key: object
    version: int
    fields: dict[str, Any] | None = None
    whole: bool = True
    truncate: bool = False
    scope: str = SCOPE
    time: int | None = None

    def event(self, provenance: str = "") -> Event:
        """The event, as an envelope would decode it; it keeps its own delivery, so that the
        quarantine can give it back, with the provenance that was told beside it."""
        key = provenance.encode() or None
        return decode(provenance, Delivery(topic=TOPIC, key=key, value=msgspec.json.encode(self)))

    def __str__(self) -> str:
        if self.truncate:
            return f"truncate @{self.version}"
        if self.fields is None:
            return f"delete {self.key!r} @{self.version}"
        told = " ".join(f"{name}={str(value)[:40]!r}" for name, value in self.fields.items())
        return f"upsert {self.key!r} @{self.version} {told}" + ("" if self.whole else " (partial)")


_changes = msgspec.json.Decoder(Change)


def decode(provenance: str, delivery: Delivery) -> Event:
    """The event of a delivery that the kit made; anything else is malformed, and what comes with
    another provenance than it was delivered with."""
    told = (delivery.key or b"").decode()
    if delivery.topic != TOPIC or delivery.value is None or told != provenance:
        return Event(Kind.MALFORMED, note="not a change of the kit", delivery=delivery)
    change = _changes.decode(delivery.value)
    return Event(
        _kind(change),
        "kit",
        None if change.truncate else {"id": change.key},
        ScalarPosition("version", change.scope, (change.version,), time=change.time),
        change.fields,
        partial=not change.whole and change.fields is not None,
        time=change.time,
        delivery=delivery,
    )


def _kind(change: Change) -> Kind:
    if change.truncate:
        return Kind.TRUNCATE
    return Kind.DELETE if change.fields is None else Kind.PUT


def put(key: object, version: int) -> Change:
    """A whole put whose values name its version, so that a row tells which event it came from."""
    return Change(key, version, {"x": f"{key}@{version}", "y": f"{key}@{version}"})


def part(key: object, version: int, column: str) -> Change:
    """A put of one column."""
    return Change(key, version, {column: f"{key}@{version}"}, whole=False)


def delete(key: object, version: int) -> Change:
    """A delete."""
    return Change(key, version)


def truncate(version: int) -> Change:
    """A truncate of the whole table."""
    return Change(None, version, truncate=True)


def meaning(changes: Iterable[Change]) -> dict[object, Row]:
    """The law FOLD: the rows after these changes happened in the order of their versions.

    At one version: deletes, then puts by fingerprint (rules R12).
    """
    rows: dict[object, Row] = {}
    for change in sorted(changes, key=_place):
        if change.truncate:
            rows.clear()
        elif change.fields is None:
            rows.pop(change.key, None)
        else:
            before = {} if change.whole else rows.get(change.key, {})
            rows[change.key] = {**dict.fromkeys(COLUMNS), **before, **change.fields}
    return rows


def _place(change: Change) -> tuple[int, bool, str]:
    return change.version, change.fields is not None, change.event().fingerprint
