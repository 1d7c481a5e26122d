"""A guarded table: apply records to it, ask why a row is so. The face that most users meet."""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery, Event
from anyorder._core.misfit import declared_kinds
from anyorder._core.row_clock import RowClock, check_without, column_of
from anyorder.envelopes import (
    Envelope,
    EnvelopeName,
    KeyOption,
    default_envelope,
    keeps_for_ever,
    key_columns,
    needs_table,
    open_envelope,
    row_clock,
)
from anyorder.envelopes.keyless import with_keys
from anyorder.envelopes.provenance import Envelopes, provenance_of
from anyorder.errors import ConfigurationError, NotReapable, StoreError, Undone
from anyorder.guard.acceptance import Acceptance
from anyorder.guard.adoption import adopt_rows, check_store
from anyorder.guard.claim import Claim
from anyorder.guard.contract import Recorded, Store, TableSpec, Transaction
from anyorder.guard.duration import FOREVER, seconds
from anyorder.guard.forgetting import forget
from anyorder.guard.intake import Share, Taken
from anyorder.guard.moments import Moments
from anyorder.guard.parts import Parts
from anyorder.guard.quarantine import Quarantine
from anyorder.guard.report import Report
from anyorder.guard.sharing import Shared, Sharing
from anyorder.guard.targets import declare
from anyorder.sources.records import events_of
from anyorder.stores import open_store
from anyorder.why.story import Story, story_of

log = logging.getLogger("anyorder")
CHUNK = 1000  # deliveries decided together inside a transaction of `apply`
# Deliveries of a transaction of `apply`: they are kept, since the database may undo it as a whole.
TOGETHER = 50_000


def table(
    url: str,
    name: str,
    *,
    key: KeyOption = None,
    envelope: EnvelopeName | None = None,
    retention: str | float | None = FOREVER,
    adopt: str = "refuse",
    adopt_without: Literal["refuse", "older-than-everything"] = "older-than-everything",
    partitions: int | None = None,
    source: str | Sequence[str] = (),
    merge: bool = False,
    kinds: Mapping[str, Literal["number", "text", "boolean"]] | None = None,
    **options: Any,
) -> Table:
    """A guarded table in a store.

    Args:
        url: the store, for example `sqlite:///app.db`.
        name: the table's name there; it is created from the events' columns if it does not exist.
        key: key column or columns; for JSON documents, JSON pointers (`"/order/id"`, or `{"column":
            "/pointer"}`); for CloudEvents also "subject". Without it the key is learned from the
            first event.
        envelope: the format of the records: debezium, eventbridge, cloudevents, dynamodb_streams,
            json, raw. The default is json if a `position` pointer is given, else debezium.
        retention: how long tombstones are kept: `"forever"`, `"48h"`, or seconds. Any retention is
            safe; a short one quarantines more.
        adopt: what to do with rows that no event explains: `"refuse"`, `"older-than-everything"`,
            or `"column:version"`: each has its position in its column of that name.
        adopt_without: what a row is whose column holds no position: `"older-than-everything"`, or
            a reason to `"refuse"` the table.
        partitions: the partition count of a raw Kafka topic, needed with a retention (rules R3).
        source: the source table whose events it takes, as they tell it (`shop.public.users`), or
            several that are one table (a renamed topic, a moved schema). The default is that of
            the first event that it applies. Events of any other are `unrouted`.
        merge: true if it is kept from any number of source tables (shards, partitions) whose keys
            are unique over all; a truncate of one of them is then a `conflict`.
        kinds: the kind of key columns, `{"id": "number"}`, "text" or "boolean"; else the user's own
            column's type says it, else the first event.
        **options: of the envelope (`position`, `deleted`, `time`, `tombstone`, ...), and `limits`
            of a document, by name: `{"document": 1_000_000, "depth": 20}`.

    Raises:
        ConfigurationError: contradictory arguments. NotReapable: a retention, and positions that
            do not compare across keys. TableNotEmpty, StoreError: when first used.
    """
    format = envelope or default_envelope(options)
    columns, options = key_columns(format, key, options)
    # whatever topic or queue they come by: a redrive from another queue tells the same clock
    if needs_table(format):
        options = {"table": name, **options}
    decoder = open_envelope(format, **options)
    spec = TableSpec(
        name,
        columns,
        seconds(retention),
        partitions,
        adopt,
        sources=_named(source),
        merge=merge,
        kinds=declared_kinds(columns, kinds or {}),
        clock=_clock_of(adopt, adopt_without, decoder),
    )
    never = "" if spec.retention is None else keeps_for_ever(format, options)
    if never:
        raise NotReapable(f"table {name} has a retention, and {never}")
    return Table(url, spec, decoder)


def _clock_of(adopt: str, without: str, envelope: Envelope) -> RowClock | None:
    """The clock of the column that tells the positions of rows; None where none does. Raises
    ConfigurationError."""
    column = column_of(adopt)
    check_without(column, without)
    return row_clock(envelope.name, envelope.options, column, without) if column else None


def _named(source: str | Sequence[str]) -> tuple[str, ...]:
    """Source tables as a user names them. Raises ConfigurationError for one without a name."""
    sources = (source,) if isinstance(source, str) else tuple(source)
    if not all(sources):
        raise ConfigurationError("source names a source table, as the events tell it, not ''")
    return sources


class Table:
    """See `anyorder.table`, which makes one. Many threads may use it at once; after a fork, each
    process opens its own. At the end of a `with` block it is closed."""

    def __init__(self, url: str, spec: TableSpec, envelope: Envelope) -> None:
        self.spec = spec
        self.envelope = with_keys(envelope, self._key_of)
        self.store: Store = open_store(url, self._decode)
        check_store(self.store, spec)
        self._is_adopted = spec.clock is None
        self._envelopes = Envelopes()
        self._owned: Recorded | None = None

    def _decode(self, provenance: str, delivery: Delivery) -> Event:
        return self._envelopes.of(provenance, self.envelope, table=self.spec.name).decode(delivery)

    def _reader(self, name: str | None) -> Envelope:
        if name is None or name == self.envelope.name:
            return self.envelope
        return with_keys(open_envelope(name), self._key_of)

    def _key_of(self, _event: Event) -> tuple[str, ...]:
        return self.spec.key

    def decode(
        self, records: Iterable[object], *, envelope: EnvelopeName | None = None
    ) -> Iterator[Event]:
        """The event of each record, in order, one at a time as you ask for it; what cannot be
        decoded is an event of kind `malformed`, never an exception. Raises ConfigurationError for
        what is no record."""
        return events_of(records, self._reader(envelope))

    def apply(self, records: Iterable[object], *, envelope: EnvelopeName | None = None) -> Report:
        """Decide and write all records, a list or any other iterable, in one transaction, or one
        for each 50,000 of them, which are kept until it is committed. Raises StoreError for
        infrastructure, and ConfigurationError for what is no record at all (None, a number); bad
        records are quarantined.

        `envelope`: their format, where it is not the table's own; what the quarantine then holds of
        them is read so too.
        """
        report = Report()
        self._adopt_rows()
        reader = self._reader(envelope)
        events = events_of(records, reader)
        moments = Moments(reader.options)
        while kept := list(itertools.islice(events, TOGETHER)):
            moments.look(kept)
            try:
                report.add(self._apply_together(kept, reader))
            except Undone:
                report.add(self._apply_in_parts(kept, reader))
        if self.spec.retention == 0:
            self.reap()
        return report

    def _adopt_rows(self) -> None:
        """Write down the positions of rows that were there before, once."""
        if self._is_adopted:
            return
        told = adopt_rows(self.store, self.spec, time.time())
        if told:
            log.warning("%s", told)
        self._is_adopted = True

    def _apply_together(self, events: Sequence[Event], reader: Envelope) -> Report:
        report = Report()
        owned = self._owned
        with self.store.transaction(time.time()) as transaction:
            for start in range(0, len(events), CHUNK):
                claim = self._claim(transaction, self.spec, reader, owned)
                for taken in claim.take(events[start : start + CHUNK]):
                    report.count(taken)
                owned = claim.owned
        # Only now it is committed; read there once.
        self._owned = owned
        return report

    def _apply_in_parts(self, events: Sequence[Event], reader: Envelope) -> Report:
        """One of them, or something that was held, undid the transaction: all others are taken."""

        def take_part(
            transaction: Transaction,
            shares: Sequence[Share],
            _token: str,
        ) -> list[Taken]:
            # A claim has tokens of its own.
            claim = self._claim(transaction, self.spec, reader, None)
            claim.settles = False
            return claim.take([event for share in shares for event in share.events])

        report = Report()
        token = secrets.token_hex(4)
        parts = Parts(
            self.store, time.time(), token, provenance_of(reader, table=self.spec.name), take_part
        )
        shares = [Share(self.spec, events)]
        report.count(parts.take(shares))
        report.count(Taken([], parts.settle(shares)))
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
        provenance = provenance_of(reader, table=self.spec.name, own_sql=not spec.writes_rows)
        return Claim(transaction, spec, owned, provenance, telling=telling)

    @contextmanager
    def transaction(self, connection: Any) -> Iterator[Guard]:
        """Guard the caller's own SQL: what `accept` remembers commits, or rolls back, together with
        what the caller writes.

        `connection`: of sqlite3, a SQLAlchemy Connection or Session, or django.db.connection, to
        the same database. If it is in a transaction already, the caller commits; otherwise this
        does. Raises StoreError for a store or connection that cannot share a transaction.
        """
        if not isinstance(self.store, Sharing):
            raise StoreError(
                f"{self.store.promises.name} has no transaction to share with your own SQL"
            )
        with self.store.shared(connection, time.time()) as shared:
            guard = Guard(shared, self.spec, self._own_claim)
            with guard.running():
                yield guard

    def _own_claim(self, transaction: Transaction, spec: TableSpec) -> Claim:
        # Read anew in every block: the caller's transaction may be rolled back after it.
        return self._claim(transaction, spec, self.envelope, None)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Table {self.spec.name} in {self.store.promises.name}>"


class Guard:
    """Inside `Table.transaction`: decides one event at a time; the caller writes the rows. For one
    thread."""

    def __init__(
        self,
        shared: Shared,
        spec: TableSpec,
        claim: Callable[[Transaction, TableSpec], Claim],
    ) -> None:
        self._shared = shared
        own_sql = msgspec.structs.replace(spec, writes_rows=False)
        self._acceptance = Acceptance(shared, own_sql, claim)

    def accept(self, event: Event) -> Decision:
        """Decide an event and remember it. The answer is true if the caller must write
        `answer.values` (None: delete the row), before the next event is accepted.

        `values` may be fewer columns than the event has: an older event only fills what nobody has
        told yet. Of two contents of one position the greater is to be written, whichever came
        first: such an answer is true and quarantined. If the SQL that follows fails and that is
        caught, or changes no row, the event is not remembered, and held as malformed; any other
        exception is not seen here unless it leaves the block: where one may be caught inside, use
        `accepting`. What the quarantine then holds is read again by the table's own envelope.
        Raises StoreError if the transaction was ended inside the block.
        """
        return self._acceptance.accept(_event_of(event))

    @contextmanager
    def accepting(self, event: Event) -> Iterator[Decision]:
        """`accept` for a `with` block: an exception that leaves it undoes what was remembered of
        the event together with what was written for it, and nothing else of the transaction."""
        with self._acceptance.accepting(_event_of(event)) as decision:
            yield decision

    def refuse(self, event: Event, why: str) -> Decision:
        """Put an event into the quarantine as malformed, with a sentence of the caller's. Nothing
        is remembered of it: inside `accepting`, that is undone with what was written; after a bare
        `accept`, it is taken back. Raises ConfigurationError if something was written after a bare
        `accept`, or the next event is accepted by now."""
        return self._acceptance.refuse(_event_of(event), why)

    @contextmanager
    def running(self) -> Iterator[None]:
        """From the beginning of the block to its end; `Table.transaction` does it."""
        try:
            self._acceptance.open()
            yield
            self._shared.flush()
        except BaseException as error:
            self._acceptance.abandon(error)
            raise
        self._acceptance.finish()


def _event_of(event: object) -> Event:
    if isinstance(event, Event):
        return event
    raise ConfigurationError(
        f"the guard takes events, one at a time, not {type(event).__name__}: `for event in "
        "table.decode(records)`"
    )
