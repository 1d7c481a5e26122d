"""The `source` block of each Debezium connector: which table a change is of, and where it lies in
the database's own log.

PostgreSQL is run and recorded. The others follow the field documentation and Debezium's own
comparators; nobody has run them here, and `evidence` says so for the docs. The positions of a
connector that is not listed are not known.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import msgspec

from anyorder._core.event import Delivery
from anyorder._core.families import (
    LogPosition,
    Position,
    ScalarPosition,
    binlog,
    hexadecimal,
    version,
)
from anyorder.envelopes.envelope import offset_position
from anyorder.errors import Malformed

RUN = "__debezium.context.runId"
# UUIDv7: only these sort by time
RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
UNSIGNED = 2**64 - 1
LSN_DIGITS = 20  # of a SQL Server LSN, 8:8:4
ABOVE_EVERY_LSN = 16**LSN_DIGITS
ABOVE_EVERY_SEQUENCE = 2**63
INCREMENTAL, STREAMED = "incremental", "false"
SNAPSHOT = frozenset(
    ("true", "first", "first_in_data_collection", "last_in_data_collection", "last")
)
KNOWN_SNAPSHOTS = SNAPSHOT | {INCREMENTAL, STREAMED}
_AS_TEXT: dict[str | bool | None, str] = {True: "true", False: STREAMED, None: STREAMED}
DOCUMENTED = "from documentation, not run"

Number = (
    Annotated[int, msgspec.Meta(ge=0)]
    | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]
    | None
)
"""A number or its digits: documentation shows both. Never a boolean, a fraction or a sign."""

Name = Annotated[str, msgspec.Meta(min_length=1)]


def whole(value: int | str | None, name: str) -> int:
    """The number itself. A PostgreSQL LSN is unsigned in a signed field, so a negative one would
    mean 8 EiB of log: the type refuses it."""
    if type(value) is int and value <= UNSIGNED:
        return value
    found = int(value or 0)
    if found > UNSIGNED:
        raise Malformed(f"source.{name} does not fit 64 bits: {value!r:.80}")
    return found


class Source(msgspec.Struct, frozen=True, gc=False):
    """What all connectors tell. `space` and `item` name the two members that name a table."""

    evidence: ClassVar[str] = DOCUMENTED

    name: Name
    connector: Name
    release: Any = msgspec.field(default=None, name="version")
    snapshot: str | bool | None = None
    ts_us: Number = None
    ts_ms: Number = None
    db: str | None = None
    schema: str | None = None
    table: str | None = None

    @property
    def table_name(self) -> str:
        """The source's own name for the table: `public.users`."""
        schema, table = self.schema, self.table
        # Asked for every record, and nearly every one tells both.
        if schema and table:
            return f"{schema}.{table}"
        return _joined(schema, table)

    @property
    def source_table(self) -> str:
        """The same with the connector's name before it: two connectors may read tables of one
        name."""
        return f"{self.name}.{self.table_name}"

    @property
    def taken(self) -> str:
        """`snapshot`: one of SNAPSHOT, "incremental" or "false". Documentation also shows JSON
        booleans."""
        value = self.snapshot
        if value == STREAMED:
            return STREAMED
        found = _AS_TEXT.get(value, value)
        if type(found) is not str or found not in KNOWN_SNAPSHOTS:
            raise Malformed(f"source.snapshot says nothing that is known: {value!r:.80}")
        return found

    @property
    def time(self) -> int | None:
        """The source's own time in microseconds: `ts_us`, or `ts_ms` of older versions."""
        if self.ts_us is not None:
            return whole(self.ts_us, "ts_us")
        return None if self.ts_ms is None else whole(self.ts_ms, "ts_ms") * 1000

    @property
    def tells_when_read(self) -> bool:
        """Does a row of a snapshot tell when it was read? Since 2.0 it tells when the snapshot was
        taken (DBZ-5591)."""
        # A row that was read hours later contradicts every change since, when it comes again.
        return str(self.release).startswith(("0.", "1."))

    def position(self, op: str, delivery: Delivery) -> Position:
        """Where a change of this kind lies. Raises Malformed where the block does not tell it."""
        raise Malformed(
            f"positions of the connector {self.connector!r:.80} are not supported; "
            'with the envelope option tombstone = "delete" the Kafka offset orders its events'
        )

    def is_read(self, op: str) -> bool:
        """Is it a snapshot row: as of its position, not a change at it?"""
        return op == "r" or self.taken == INCREMENTAL

    def scalar(
        self,
        kind: str,
        part: str | None,
        value: tuple[int, ...],
        op: str,
        *,
        lineage: str = "",
        group: str = "",
    ) -> ScalarPosition:
        """The scope names the connector and the part of its history inside which numbers
        compare."""
        scope = f"{self.connector}:{self.name}/{part or ''}"
        return ScalarPosition(
            kind, scope, value, lineage, group, as_of=self.is_read(op), time=self.time
        )


class PostgreSQL(Source, frozen=True, gc=False):
    """The log position (rules R4, R5). A row of an incremental snapshot has no LSN: the second half
    of `sequence` is its S."""

    evidence: ClassVar[str] = "recorded: Debezium 3.6 and 3.7 on PostgreSQL 15"

    lsn: Number = None
    transaction: Number = msgspec.field(default=None, name="txId")
    sequence: str | None = None

    def position(self, op: str, delivery: Delivery) -> LogPosition:
        first, own = sequence_of(self.sequence)
        lsn = self.lsn
        # Nearly every record is streamed, and says so in this very word.
        if self.snapshot != STREAMED and self.taken == INCREMENTAL and op == "r":
            op, lsn = "i", own if own is not None else lsn
        if lsn is None:
            raise Malformed("source.lsn is null, so nothing tells the change's place in the log")
        transaction = None if self.transaction is None else whole(self.transaction, "txId")
        partition, offset = transport(delivery)
        return LogPosition(
            f"pg:{self.name}",
            whole(lsn, "lsn"),
            op,
            first,
            transaction,
            partition,
            offset,
            run_of(delivery),
            self.time,
        )


class MySQL(Source, frozen=True, gc=False):
    """Binlog coordinates (file number, pos, row) of MySQL and MariaDB, one lineage per server id.
    From documentation, not run.

    A snapshot row has `row` 0 and server id 0, and is as of its coordinates: it loses the tie
    against a change there. Not told apart: rows inside one compressed transaction
    (binlog_transaction_compression), which all show the outer `pos`.
    """

    file: str | None = None
    pos: Number = None
    row: Number = None
    server_id: Number = None

    @property
    def table_name(self) -> str:
        return _joined(self.db, self.table)

    def position(self, op: str, delivery: Delivery) -> ScalarPosition:
        if self.pos is None:
            raise Malformed("source.pos is null, so nothing tells the change's place in the binlog")
        base, value = binlog.parse(self.file, whole(self.pos, "pos"), whole(self.row, "row"))
        server = whole(self.server_id, "server_id")
        return self.scalar("binlog", base, value, op, lineage=str(server) if server else "")


class SQLServer(Source, frozen=True, gc=False):
    """(commit_lsn, change_lsn, event_serial_no); a read at a commit is newer than every change up
    to it. From documentation, not run."""

    commit_lsn: str | None = None
    change_lsn: str | None = None
    event_serial_no: Number = None

    @property
    def source_table(self) -> str:
        # one connector reads several databases
        return ".".join(part for part in (self.name, self.db, self.table_name) if part)

    def position(self, op: str, delivery: Delivery) -> ScalarPosition:
        if self.commit_lsn is None:
            raise Malformed(
                "source.commit_lsn is null, so nothing tells the change's place in the log"
            )
        commit = hexadecimal.parse(self.commit_lsn, LSN_DIGITS)
        if self.is_read(op):
            return self.scalar("sqlserver", self.db, (*commit, ABOVE_EVERY_LSN, 0), op)
        change = hexadecimal.parse(
            self.change_lsn, LSN_DIGITS if self.change_lsn is not None else None
        )
        return self.scalar(
            "sqlserver",
            self.db,
            (*commit, *change, whole(self.event_serial_no, "event_serial_no")),
            op,
        )


class Oracle(Source, frozen=True, gc=False):
    """(commit_scn, txSeq), ordered by txSeq inside one transaction only; a read at S is newer than
    every commit up to S.

    Its time is that of the commit where that is told, since a long transaction's changes are much
    older. From documentation, not run. XStream tells no commit_scn and is not supported.
    """

    scn: int | str | None = None
    commit_scn: int | str | None = None
    transaction: str | None = msgspec.field(default=None, name="txId")
    number: Number = msgspec.field(default=None, name="txSeq")
    commit_ts_ms: Number = None

    @property
    def time(self) -> int | None:
        if self.commit_ts_ms is None:
            return super().time
        return whole(self.commit_ts_ms, "commit_ts_ms") * 1000

    def position(self, op: str, delivery: Delivery) -> ScalarPosition:
        if self.is_read(op):
            return self.scalar(
                "oracle", self.db, (*version.parse(self.scn), ABOVE_EVERY_SEQUENCE), op
            )
        if self.commit_scn is None or not self.transaction:
            raise Malformed(
                "source.commit_scn or txId is null (XStream?), so nothing tells the change's "
                "place in the log"
            )
        value = *version.parse(self.commit_scn), whole(self.number, "txSeq")
        return self.scalar("oracle", self.db, value, op, group=self.transaction)


class MongoDB(Source, frozen=True, gc=False):
    """The Kafka offset: since 3.4 the event no longer has the cluster time that would make a
    position. From documentation, not run."""

    collection: str | None = None

    @property
    def table_name(self) -> str:
        return _joined(self.db, self.collection)

    def position(self, op: str, delivery: Delivery) -> Position:
        return offset_position(delivery)


SOURCES: dict[object, type[Source]] = {
    "postgresql": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
    "sqlserver": SQLServer,
    "oracle": Oracle,
    "mongodb": MongoDB,
}


def source_of(block: dict[str, Any]) -> Source:
    """The block as its connector means it. Raises Malformed for a member of a wrong type."""
    connector = block.get("connector")
    kind = SOURCES.get(connector, Source) if type(connector) is str else Source
    try:
        return msgspec.convert(block, kind)
    except msgspec.ValidationError as error:
        raise Malformed(f"the source block: {error}") from None


_pair = msgspec.json.Decoder(tuple[int | str | None, int | str | None]).decode


def sequence_of(text: str | None) -> tuple[int | None, int | None]:
    """`source.sequence`: ["last commit seen", "own position"] as a JSON text, each may be null."""
    if text is None:
        return None, None
    try:
        first, own = _pair(text)
    except (msgspec.DecodeError, RecursionError):
        raise Malformed(f"source.sequence is not a pair of log positions: {text!r:.80}") from None
    return _log_position(first), _log_position(own)


def _log_position(value: int | str | None) -> int | None:
    if type(value) is str and value.isdigit() and value.isascii() and len(value) <= 20:
        value = int(value)
    if value is None or (type(value) is int and 0 <= value <= UNSIGNED):
        return value
    raise Malformed(f"source.sequence is not a pair of log positions: {value!r:.80}")


def transport(delivery: Delivery) -> tuple[str, int]:
    """(topic/partition, offset), or ("", -1) where they are not known: then nothing is told by
    offset."""
    if delivery.topic and delivery.partition >= 0 and delivery.offset >= 0:
        return f"{delivery.topic}/{delivery.partition}", delivery.offset
    return "", -1


def run_of(delivery: Delivery) -> str:
    """The id of the connector's run, or "" where there is none that sorts by time."""
    run = None
    for name, value in delivery.headers:
        if name == RUN:
            run = value
    return _sortable(run) if run else ""


@lru_cache(maxsize=64)
def _sortable(run: str) -> str:
    return run.lower() if RUN_ID.fullmatch(run.lower()) else ""


def _joined(space: str | None, item: str | None) -> str:
    if not space or not item:
        raise Malformed("the source block does not name its table")
    return f"{space}.{item}"
