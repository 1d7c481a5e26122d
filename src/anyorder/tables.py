"""A guarded table: apply records to it, ask why a row is so. The face that most users meet."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery, Event
from anyorder._core.key import KeyKind, Kinds
from anyorder._core.misfit import check_kinds
from anyorder.envelopes import (
    Envelope,
    KeyOption,
    default_envelope,
    key_columns,
    needs_table,
    open_envelope,
)
from anyorder.envelopes.provenance import Envelopes, provenance_of
from anyorder.errors import ConfigurationError, StoreError
from anyorder.guard.claim import Claim
from anyorder.guard.contract import Recorded, Sharing, Store, TableSpec, Transaction
from anyorder.guard.duration import FOREVER, seconds
from anyorder.guard.forgetting import forget
from anyorder.guard.quarantine import Quarantine
from anyorder.guard.report import Report
from anyorder.guard.story import Story, story_of
from anyorder.guard.targets import declare
from anyorder.sources.records import event_of
from anyorder.stores import open_store

CHUNK = 1000  # deliveries decided together inside the one transaction of `apply`


def table(
    url: str,
    name: str,
    *,
    key: KeyOption = None,
    envelope: str | None = None,
    retention: str | float | None = FOREVER,
    adopt: str = "refuse",
    partitions: int | None = None,
    source: str | Sequence[str] = (),
    merge: bool = False,
    kinds: Mapping[str, str] | None = None,
    **options: Any,
) -> Table:
    """A guarded table in a store.

    Args:
        url: the store, for example `sqlite:///app.db`.
        name: the table's name there; it is created from the events' columns if it does not exist.
        key: key column or columns; for JSON documents, JSON pointers (`"/order/id"`, or `{"column":
            "/pointer"}`); for CloudEvents also "subject". Without it the key is learned from the
            first event.
        envelope: the format of the records: debezium, eventbridge, cloudevents, json, raw.
            The default is json if a `position` pointer is given, else debezium.
        retention: how long tombstones are kept: `"forever"`, `"48h"`, or seconds. Any retention is
            safe; a short one quarantines more.
        adopt: what to do with rows that no event explains: `"refuse"`, or
            `"older-than-everything"`.
        partitions: the partition count of a raw Kafka topic, needed with a retention (rules R3).
        source: the source table whose events it takes, as they tell it (`shop.public.users`), or
            several that are one table (a renamed topic, a moved schema). The default is that of
            the first event that it applies. Events of any other are `unrouted`.
        merge: true if it is kept from any number of source tables (shards, partitions) whose keys
            are unique over all; a truncate of one of them is then a `conflict`.
        kinds: the kind of key columns, `{"id": "number"}`, "text" or "boolean"; else the user's own
            column's type says it, else the first event.
        **options: of the envelope (`position`, `deleted`, `time`, `tombstone`, ...).

    Raises:
        ConfigurationError: contradictory arguments. TableNotEmpty, StoreError: when first used.
    """
    envelope = envelope or default_envelope(options)
    columns, options = key_columns(envelope, key, options)
    # whatever topic or queue they come by: a redrive from another queue tells the same clock
    if needs_table(envelope):
        options = {"table": name, **options}
    decoder = open_envelope(envelope, **options)
    spec = TableSpec(
        name,
        columns,
        seconds(retention),
        partitions,
        adopt,
        sources=_named(source),
        merge=merge,
        kinds=_kinds(columns, kinds or {}),
    )
    if adopt not in ("refuse", "older-than-everything"):
        raise ConfigurationError(f'adopt is "refuse" or "older-than-everything", not {adopt!r}')
    return Table(url, spec, decoder)


def _named(source: str | Sequence[str]) -> tuple[str, ...]:
    """Source tables as a user names them. Raises ConfigurationError for one without a name."""
    sources = (source,) if isinstance(source, str) else tuple(source)
    if not all(sources):
        raise ConfigurationError("source names a source table, as the events tell it, not ''")
    return sources


def _kinds(key: tuple[str, ...], kinds: Mapping[str, str]) -> Kinds:
    """Raises ConfigurationError for a kind that is none, or of a column that the key has not."""
    try:
        found = {column: KeyKind(kind) for column, kind in kinds.items()}
    except ValueError as error:
        names = ", ".join(KeyKind)
        raise ConfigurationError(f"a kind of a key column is one of {names}: {error}") from None
    check_kinds(key, found)
    return found


class Table:
    """See `anyorder.table`, which makes one."""

    def __init__(self, url: str, spec: TableSpec, envelope: Envelope) -> None:
        self.spec = spec
        self.envelope = envelope
        self.store: Store = open_store(url, self._decode)
        self._envelopes = Envelopes()
        self._owned: Recorded | None = None

    def _decode(self, provenance: str, delivery: Delivery) -> Event:
        return self._envelopes.of(provenance, self.envelope).decode(delivery)

    def _reader(self, name: str | None) -> Envelope:
        return self.envelope if name in (None, self.envelope.name) else open_envelope(name)

    def decode(self, records: Iterable[object], *, envelope: str | None = None) -> Iterator[Event]:
        """The event of each record, in order; what cannot be decoded is an event of kind
        `malformed`, never an exception."""
        reader = self._reader(envelope)
        return (event_of(record, reader) for record in records)

    def apply(self, records: Iterable[object], *, envelope: str | None = None) -> Report:
        """Decide and write all records in one transaction. Raises only for infrastructure
        (StoreError); bad records are quarantined.

        `envelope`: their format, where it is not the table's own; what the quarantine then holds of
        them is read so too.
        """
        report = Report()
        reader = self._reader(envelope)
        events = (event_of(record, reader) for record in records)
        owned = self._owned
        with self.store.transaction(time.time()) as transaction:
            while chunk := list(itertools.islice(events, CHUNK)):
                claim = self._claim(transaction, self.spec, reader, owned)
                for taken in claim.take(chunk):
                    report.count(taken)
                owned = claim.owned
        # Only now it is committed; read there once.
        self._owned = owned
        if self.spec.retention == 0:
            self.reap()
        return report

    def _claim(
        self,
        transaction: Transaction,
        spec: TableSpec,
        reader: Envelope,
        owned: Recorded | None,
    ) -> Claim:
        """What is declared here goes into the store's catalogue; it tells whose changes are
        taken."""
        if owned is None:
            owned = declare(transaction, spec)
        # Documents do not tell their table: the envelope says what the user calls it.
        called = reader.options.get("table", self.spec.name)
        telling = not needs_table(reader.name) or called != self.spec.name
        return Claim(transaction, spec, owned, provenance_of(reader), telling=telling)

    @contextmanager
    def transaction(self, connection: Any) -> Iterator[Guard]:
        """Guard the caller's own SQL: what `accept` remembers commits, or rolls back, together with
        what the caller writes.

        `connection` must be to the same database. If it is in a transaction already, the caller
        commits; otherwise this does. Raises StoreError for a store or connection that cannot share
        a transaction.
        """
        if not isinstance(self.store, Sharing):
            raise StoreError(
                f"{self.store.promises.name} has no transaction to share with your own SQL"
            )
        spec = msgspec.structs.replace(self.spec, writes_rows=False)
        with self.store.shared(connection, time.time()) as transaction:
            yield Guard(lambda: self._claim(transaction, spec, self.envelope, None))

    def why(self, key: object) -> Story:
        """The story of one row: what is remembered of it, which event won, what the quarantine
        holds. `key`: a bare value or a mapping."""
        return story_of(self.store, self.spec, key)

    @property
    def quarantine(self) -> Quarantine:
        """What could not be decided, for this table."""
        return Quarantine(self.store, self.spec, self._decode)

    def reap(self, limit: int | None = None) -> int:
        """Forget tombstones older than the retention, floor first; how many. Never with
        `retention="forever"`. Raises NotReapable."""
        return forget(self.store, self.spec, time.time(), limit)

    def close(self) -> None:
        """Release the store's connection."""
        self.store.close()

    def __repr__(self) -> str:
        return f"<Table {self.spec.name} in {self.store.promises.name}>"


class Guard:
    """Inside `Table.transaction`: decides one event at a time; the caller writes the rows."""

    def __init__(self, claim: Callable[[], Claim]) -> None:
        self._make_claim = claim
        self._claim: Claim | None = None

    def accept(self, event: Event | Delivery) -> Decision:
        """Decide an event and remember it. The answer is true if the caller must write
        `answer.values` (None: delete the row).

        `values` may be fewer columns than the event has: an older event only fills what nobody has
        told yet. What the quarantine then holds is read again by the table's own envelope.
        """
        if isinstance(event, Delivery):
            raise ConfigurationError("accept takes an event: loop over table.decode(records)")
        # Nothing is recorded of a table to which no event comes.
        if self._claim is None:
            self._claim = self._make_claim()
        (taken,) = self._claim.take([event])
        return taken.decisions[0]
