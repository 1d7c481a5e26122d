"""The quarantine in SQLite: deliveries that could not be decided, byte for byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from anyorder._core.event import Delivery, Event, key_of
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Decode, Entry, EntryQuery, Holding
from anyorder.stores.sqlite.looking import Looked
from anyorder.stores.sqlite.waiting import Foreseen, Waiting
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
PAGE = 1000  # entries read at a time
_encode = msgspec.json.encode
_headers = msgspec.json.Decoder(tuple[tuple[str, str | None], ...])


class Quarantine:
    """Of one transaction. `now`: seconds since 1970. `decode` turns a delivery back into its event;
    `waiting`: what was refused for now, which it keeps beside the entries."""

    def __init__(
        self,
        database: sqlite3.Connection,
        now: float,
        decode: Decode | None,
        looked: Looked,
        foreseen: Foreseen,
    ) -> None:
        self.waiting = Waiting(database, self.event, looked, foreseen)
        self._database = database
        self._now = now
        self._decode = decode

    def hold(self, holding: Holding) -> bool:
        """Keep a delivery; False if it is there already."""
        self._intern(holding.provenance)
        delivery = holding.event.delivery
        number, count = self._database.execute(
            SQL["hold"],
            {
                "table": holding.table,
                "entity": holding.entity,
                "identity": holding.identity,
                "reason": holding.reason.value,
                "detail": holding.detail or holding.event.note,
                "retry": holding.retry,
                "now": self._now,
                "topic": delivery.topic,
                "partition": delivery.partition,
                "offset": delivery.offset,
                "timestamp": delivery.timestamp,
                "timestamp_type": delivery.timestamp_type,
                "key": delivery.key,
                "value": delivery.value,
                "headers": _encode(delivery.headers).decode(),
                "provenance": holding.provenance,
            },
        ).fetchone()
        is_new = bool(count == 1)
        if is_new and holding.retry:
            self.waiting.wait(number, holding.table, holding.event)
        return is_new

    def settle(self, entry: int, state: str, reason: Reason) -> None:
        """Close an entry."""
        self.waiting.closed(entry)
        # Last, since it changes a row: whoever shares the transaction looks at what follows.
        self._database.execute(
            SQL["settle"], {"id": entry, "state": state, "now": self._now, "detail": reason.value}
        )

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        """An open entry is read by another envelope from now on."""
        self._intern(provenance)
        told = {"reason": reason.value, "detail": detail, "provenance": provenance}
        self._database.execute(SQL["reread"], {"id": entry, **told})

    def _intern(self, provenance: str) -> None:
        # What is held of before keeps none.
        if provenance:
            self._database.execute(SQL["intern_provenance"], {"provenance": provenance})

    def try_again(self, entry: int) -> None:
        """Whatever an entry was held for, it was refused for now."""
        # It goes on as it is: it will have its turn again.
        if self.waiting.has_turn(entry):
            return
        found = self._database.execute(SQL["try_again"], {"id": entry}).fetchone()
        # Most often it is tried again already. Its key may have moved: then it waits for something
        # else.
        if found is None:
            self.waiting.refused_again(entry)
            return
        event = self.event(entry)
        if event is not None:
            self.waiting.wait(entry, found[0], event)

    def entities(self, table: str) -> list[str]:
        """The keys of a table with open entries."""
        found = self._database.execute(SQL["open_entities"], {"table": table})
        return [entity for (entity,) in found]

    def postpone(self, table: str, entity: str) -> None:
        """What is held of a key undoes a transaction, whatever each was held for."""
        asked = {"table": table, "entity": entity}
        found = self._database.execute(SQL["open_entries_of"], asked).fetchall()
        for (number,) in found:
            self.try_again(number)
        self.waiting.postpone([number for (number,) in found], table)

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Entries, oldest first."""
        after, named = 0, msgspec.structs.asdict(query)
        statement = SQL["entries_of_key" if query.table and query.entity else "entries"]
        # It ends: each page goes on behind the one before.
        while page := self._database.execute(
            statement, {**named, "after": after, "limit": PAGE}
        ).fetchall():
            yield from (_entry(row) for row in page)
            after = page[-1][0]

    def open_entries(self) -> int:
        """How many entries are open."""
        (count,) = self._database.execute(SQL["count_open"]).fetchone()
        return int(count)

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        """Those of these entries that are open."""
        asked = {"numbers": _encode(list(numbers)).decode()}
        return {number for (number,) in self._database.execute(SQL["open_among"], asked)}

    def entry(self, number: int) -> Entry | None:
        """One entry with its delivery."""
        row = self._database.execute(SQL["entry"], {"id": number}).fetchone()
        if row is None:
            return None
        provenance, *delivery = row[10:]
        return msgspec.structs.replace(
            _entry(row[:10]), delivery=delivery_of(delivery), provenance=provenance
        )

    def event(self, number: int) -> Event | None:
        """The event of an entry; None if it cannot be decoded."""
        row = self._database.execute(SQL["entry"], {"id": number}).fetchone()
        return None if row is None else self.decoded(row[10:])

    def size(self) -> int:
        """Bytes of all deliveries."""
        (size,) = self._database.execute(SQL["quarantine_size"]).fetchone()
        return int(size)

    def decoded(self, columns: Sequence[Any]) -> Event | None:
        """The event of an entry's columns: its provenance, then its delivery."""
        provenance, *delivery = columns
        return None if self._decode is None else self._decode(provenance, delivery_of(delivery))


def delivery_of(columns: Sequence[Any]) -> Delivery:
    """A delivery from the quarantine's columns, byte for byte."""
    topic, partition, offset, timestamp, timestamp_type, key, value, headers = columns
    return Delivery(
        topic, partition, offset, timestamp, timestamp_type, key, value, _headers.decode(headers)
    )


def _entry(row: Sequence[Any]) -> Entry:
    number, table, entity, *rest = row
    return Entry(number, table, key_of(entity) if entity else None, *rest)
