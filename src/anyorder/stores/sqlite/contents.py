"""What the entries of disputes list, in SQLite: every content of a position, by its number (rules
R12)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from anyorder._core.batch import identity_of
from anyorder._core.event import Delivery, Event
from anyorder.guard.contract import Content, Entry, Word
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
NO_DELIVERY = Delivery()
_encode = msgspec.json.encode
_headers = msgspec.json.Decoder(tuple[tuple[str, str | None], ...])


class Contents:
    """Of one transaction. `event`: of an entry's own delivery, by its number; None if it cannot be
    decoded."""

    def __init__(self, database: sqlite3.Connection, event: Callable[[int], Event | None]) -> None:
        self._database = database
        self._event = event

    def of(self, entry: Entry) -> tuple[Content, ...]:
        """What an entry lists; nothing where it holds one delivery alone."""
        found: list[Content] = []
        for number, identity, chosen, shown, provenance, *delivery in self._rows(entry.id):
            content = Content(number, identity, None, provenance, shown, bool(chosen))
            if delivery[-1] is not None:
                content = msgspec.structs.replace(content, delivery=delivery_of(delivery))
            elif not shown:
                content = msgspec.structs.replace(
                    content, delivery=entry.delivery, provenance=entry.provenance
                )
            found.append(content)
        return tuple(found)

    def adopt(self, entry: int) -> None:
        """An entry of before lists nothing: its own delivery becomes the first of its contents."""
        if self._rows(entry):
            return
        event = self._event(entry)
        # What cannot be read any more has a number all the same.
        identity = "" if event is None else identity_of(event)
        self._list(entry, 1, Content(1, identity), is_own=True)

    def add(self, entry: int, contents: Sequence[Content], own: str = "") -> None:
        """List what is new to an entry. `own`: the identity of what came by its own delivery."""
        listed = {row[1] for row in self._rows(entry)}
        fresh = [one for one in contents if one.identity not in listed]
        for number, content in enumerate(fresh, len(listed) + 1):
            self._list(entry, number, content, is_own=content.identity == own)

    def settle(self, entry: int, word: Word) -> None:
        """An operator's word closes the entry."""
        self.add(entry, word.listed)
        chosen = _encode(word.chose).decode()
        self._database.execute(SQL["choose"], {"entry": entry, "chosen": chosen})

    def intern(self, provenance: str) -> None:
        """A text that many share is kept once."""
        if provenance:
            self._database.execute(SQL["intern_provenance"], {"provenance": provenance})

    def _rows(self, entry: int) -> list[Any]:
        return self._database.execute(SQL["contents"], {"entry": entry}).fetchall()

    def _list(self, entry: int, number: int, content: Content, *, is_own: bool) -> None:
        self.intern(content.provenance)
        delivery = told(content.delivery or NO_DELIVERY)
        # The bytes of the entry's own are there already.
        if is_own or content.delivery is None:
            delivery = dict.fromkeys(delivery)
        row = {
            "entry": entry,
            "number": number,
            "identity": content.identity,
            "shown": content.shown or None,
            "provenance": content.provenance,
            **delivery,
        }
        self._database.execute(SQL["list_content"], row)


def told(delivery: Delivery) -> dict[str, object]:
    """A delivery as columns."""
    return {
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "timestamp": delivery.timestamp,
        "timestamp_type": delivery.timestamp_type,
        "key": delivery.key,
        "value": delivery.value,
        "headers": _encode(delivery.headers).decode(),
    }


def delivery_of(columns: Sequence[Any]) -> Delivery:
    """A delivery from its columns, byte for byte."""
    topic, partition, offset, timestamp, timestamp_type, key, value, headers = columns
    return Delivery(
        topic, partition, offset, timestamp, timestamp_type, key, value, _headers.decode(headers)
    )
