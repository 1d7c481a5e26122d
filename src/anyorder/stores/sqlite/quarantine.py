"""The quarantine in SQLite: deliveries that could not be decided, byte for byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from anyorder._core.event import Event, key_of
from anyorder._core.outcome import Reason, former_name
from anyorder.guard.contract import (
    Decode,
    Entry,
    EntryQuery,
    Holding,
    Listing,
    Word,
)
from anyorder.stores.sqlite.contents import Contents, delivery_of, told
from anyorder.stores.sqlite.looking import Looked
from anyorder.stores.sqlite.waiting import Foreseen, Waiting
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
PAGE = 1000  # entries read at a time
_encode = msgspec.json.encode
ENTRY = 11  # columns of an entry itself; those of its provenance and delivery follow


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
        self._contents = Contents(database, self.event)
        self._database = database
        self._now = now
        self._decode = decode

    def hold(self, holding: Holding) -> Listing:
        """Keep a delivery, unless an entry lists it already."""
        if holding.contents:
            return self._hold_dispute(holding)
        return self._known(holding) or self._keep(holding, holding.identity)

    def _hold_dispute(self, holding: Holding) -> Listing:
        """One entry a position lists what each delivery tells of it (rules R12)."""
        asked = {
            "table": holding.table,
            "entity": holding.entity,
            "identity": holding.identity,
            "after": holding.later,
        }
        was_alone = self._settle_alone(holding)
        found = self._database.execute(SQL["last_of_position"], asked).fetchone()
        number, state, identity = found or (0, "", holding.identity)
        is_there = state in ("open", "settled")
        if is_there:
            self._contents.adopt(number)
        kept = self._known(holding)
        if kept is None:
            if state in ("accepted", "dropped"):
                identity = holding.identity_after(identity)
            number = self._keep(holding, identity).entry
            kept = Listing(number, is_new=not was_alone)
        if kept.state == "open":
            self._contents.add(kept.entry, holding.contents, "" if is_there else holding.content)
        return kept

    def _settle_alone(self, holding: Holding) -> bool:
        """Does an open entry hold alone what its dispute lists from now on? It settles."""
        asked = {
            "table": holding.table,
            "entity": holding.entity,
            "content": holding.content,
        }
        found = self._database.execute(SQL["open_alone"], asked).fetchall()
        for (number,) in found:
            self.settle(number, "settled", Reason.CONFLICT)
        return bool(found)

    def _known(self, holding: Holding) -> Listing | None:
        """What lists the delivery already, and sees it again."""
        # What has no position, or no key, is listed by no other entry than its own.
        if not holding.content:
            return None
        asked = {
            "table": holding.table,
            "entity": holding.entity,
            "content": holding.content,
        }
        found = self._database.execute(SQL["listing"], asked).fetchone()
        if found is None:
            return None
        number, state, chosen = found
        # The row disputes what a word has settled of another: an open entry must list it.
        if holding.claims and state != "open":
            return None
        self._database.execute(SQL["seen_again"], {"id": number, "now": self._now})
        return Listing(number, False, state, bool(chosen))

    def _keep(self, holding: Holding, identity: str) -> Listing:
        """Into the entry of this identity: a new one, or one that is there."""
        self._contents.intern(holding.provenance)
        number, count, state = self._database.execute(
            SQL["hold"],
            {
                "table": holding.table,
                "entity": holding.entity,
                "identity": identity,
                "reason": holding.reason.value,
                "detail": holding.detail or holding.event.note,
                "retry": holding.retry,
                "now": self._now,
                **told(holding.event.delivery),
                "provenance": holding.provenance,
            },
        ).fetchone()
        is_new = bool(count == 1)
        if is_new and holding.retry:
            self.waiting.wait(number, holding.table, holding.event)
        return Listing(number, is_new, state, state == "accepted")

    def settle(self, entry: int, state: str, reason: Reason, word: Word | None = None) -> None:
        """Close an entry."""
        self.waiting.closed(entry)
        if word is not None:
            self._contents.settle(entry, word)
        # Last, since it changes a row: whoever shares the transaction looks at what follows.
        self._database.execute(
            SQL["settle"], {"id": entry, "state": state, "now": self._now, "detail": reason.value}
        )

    def reread(self, entry: int, reason: Reason, detail: str, provenance: str) -> None:
        """An open entry is read by another envelope from now on."""
        self._contents.intern(provenance)
        told = {"reason": reason.value, "detail": detail, "provenance": provenance}
        self._database.execute(SQL["reread"], {"id": entry, **told})

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

    def holds(self, table: str) -> bool:
        """Has a table open entries?"""
        (is_any,) = self._database.execute(SQL["any_open"], {"table": table}).fetchone()
        return bool(is_any)

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
        after = 0
        named = {**msgspec.structs.asdict(query), "former": former_name(query.reason)}
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
        provenance, *delivery = row[ENTRY:]
        entry = msgspec.structs.replace(
            _entry(row[:ENTRY]), delivery=delivery_of(delivery), provenance=provenance
        )
        return msgspec.structs.replace(entry, contents=self._contents.of(entry))

    def event(self, number: int) -> Event | None:
        """The event of an entry; None if it cannot be decoded."""
        row = self._database.execute(SQL["entry"], {"id": number}).fetchone()
        return None if row is None else self.decoded(row[ENTRY:])

    def size(self) -> int:
        """Bytes of all deliveries."""
        (size,) = self._database.execute(SQL["quarantine_size"]).fetchone()
        return int(size)

    def decoded(self, columns: Sequence[Any]) -> Event | None:
        """The event of an entry's columns: its provenance, then its delivery."""
        provenance, *delivery = columns
        return None if self._decode is None else self._decode(provenance, delivery_of(delivery))


def _entry(row: Sequence[Any]) -> Entry:
    number, table, entity, *rest, closed = row
    key = key_of(entity) if entity else None
    entry = Entry(number, table, key, *rest)
    return msgspec.structs.replace(entry, closed=closed)
