"""Rows as Debezium's ExtractNewRecordState leaves them: the columns, and among them what its
`add.fields` asked for.

`op` becomes `__op`, `source.lsn` becomes `__source_lsn` (or `__lsn`), a rewritten delete has
`__deleted` = "true". With `__op` and `__lsn` a row keeps its place in the log; without them only
the Kafka offset orders it. (Debezium, event-flattening.adoc.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

from anyorder.envelopes.debezium_sources import INCREMENTAL
from anyorder.errors import Malformed

PREFIX, SOURCE_PREFIX, TRANSACTION_PREFIX = "__", "__source_", "__transaction_"
OP, DELETED = "__op", "__deleted"
POSTGRESQL = "postgresql"
FROM_SOURCE = (
    "version",
    "connector",
    "name",
    "snapshot",
    "db",
    "sequence",
    "schema",
    "table",
    "txId",
    "lsn",
    "xmin",
    "origin",
    "origin_lsn",
)
_BY_METADATA = {PREFIX + name: name for name in FROM_SOURCE}
_OTHER_METADATA = frozenset((OP, DELETED, "__ts_ms", "__ts_us", "__ts_ns"))
_DELETED = {"true": True, "false": False, True: True, False: False, None: False}


class Flat(NamedTuple):
    """A flattened row taken apart: `row` without the metadata, `op` None where it is not told,
    `source` what is told of that block."""

    row: dict[str, Any]
    op: str | None
    deleted: bool
    source: dict[str, Any]
    told: bool

    @property
    def table_name(self) -> str:
        """`public.users` where the metadata tells it, else ""."""
        schema, table = self.source.get("schema"), self.source.get("table")
        return (
            f"{schema}.{table}" if schema and table and type(schema) is type(table) is str else ""
        )

    @property
    def ordered_by_log(self) -> bool:
        """Does it say its place in a PostgreSQL log?"""
        source = self.source
        if self.op is None or source.get("connector", POSTGRESQL) != POSTGRESQL:
            return False
        return source.get("lsn") is not None or (
            source.get("snapshot") == INCREMENTAL and source.get("sequence") is not None
        )


def split(value: dict[str, Any]) -> Flat:
    """Part the columns from the metadata. Raises Malformed where op and deleted contradict each
    other."""
    row: dict[str, Any] = {}
    source: dict[str, Any] = {}
    for name, cell in value.items():
        if name.startswith(SOURCE_PREFIX):
            source[name.removeprefix(SOURCE_PREFIX)] = cell
        elif name in _BY_METADATA:
            source.setdefault(_BY_METADATA[name], cell)
        elif name not in _OTHER_METADATA and not name.startswith(TRANSACTION_PREFIX):
            row[name] = cell
    op, deleted = _operation(value)
    return Flat(row, op, deleted, source, len(row) < len(value))


def _operation(value: dict[str, Any]) -> tuple[str | None, bool]:
    op, deleted = value.get(OP), value.get(DELETED)
    if type(deleted) not in (str, bool, type(None)) or deleted not in _DELETED:
        raise Malformed(f"{DELETED} is neither true nor false: {deleted!r:.80}")
    if op is None:
        return None, _DELETED[deleted]
    if type(op) is not str or (DELETED in value and _DELETED[deleted] != (op == "d")):
        raise Malformed(f"{OP} is {op!r:.80} and {DELETED} is {deleted!r:.80}")
    return op, op == "d"


def is_torn(value: dict[str, Any]) -> bool:
    """Is it an envelope that lost a part, rather than a row?"""
    return type(value.get("source")) is dict or value.keys() >= {"before", "after"}
