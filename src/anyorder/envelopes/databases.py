"""Formats in which databases and their connectors tell a change, and which no envelope of ours is
for. From documentation."""

from __future__ import annotations

from anyorder.envelopes.format import (
    BY_JSON,
    DELETION,
    EVIDENCE,
    IDENTITY,
    KEY,
    NONE_READS,
    ORDER,
    ROW,
    TIME,
    Format,
)

DATABASES = (
    Format(
        "canal",
        "",
        (
            "a change event of Canal (flat message): its rows lie in a list, and ts and es are "
            f"times of a millisecond, which many changes share; {NONE_READS}"
        ),
        ("/database", "/table", "/isDdl", "/pkNames"),
        {
            "/data": ROW,
            "/old": EVIDENCE,
            "/pkNames": KEY,
            "/type": DELETION,
            "/es": TIME,
            "/ts": EVIDENCE,
            "/id": EVIDENCE,
            "/database": IDENTITY,
            "/table": IDENTITY,
            "/gtid": EVIDENCE,
        },
    ),
    Format(
        "maxwell",
        "",
        (
            "a Maxwell change event; its position is only there with output_binlog_position, and "
            f"is no number; {NONE_READS}"
        ),
        ("/database", "/table", "/type", "/ts", "/data"),
        {
            "/position": ORDER,
            "/xoffset": ORDER,
            "/server_id": ORDER,
            "/commit": ORDER,
            "/primary_key": KEY,
            "/type": DELETION,
            "/ts": TIME,
            "/data": ROW,
            "/xid": EVIDENCE,
            "/gtid": EVIDENCE,
            "/database": IDENTITY,
            "/table": IDENTITY,
        },
    ),
    Format(
        "aws dms",
        "",
        (
            "an AWS DMS record; stream-position is only there with "
            f"IncludeTransactionDetails; {BY_JSON}"
        ),
        ("/metadata/record-type", "/metadata/operation"),
        {
            "/metadata/stream-position": ORDER,
            "/metadata/transaction-record-id": ORDER,
            "/metadata/operation": DELETION,
            "/metadata/commit-timestamp": TIME,
            "/metadata/partition-key-value": KEY,
            "/metadata/table-name": IDENTITY,
            "/metadata/schema-name": IDENTITY,
            "/data": ROW,
        },
    ),
    Format(
        "cockroachdb, enriched",
        "",
        (
            "an enriched change of CockroachDB: source.mvcc_timestamp orders the whole cluster "
            "(enriched_properties = source), ts_ns is of its processing; the key is only there "
            f"with key_in_value; {BY_JSON}"
        ),
        ("/op", "/source/mvcc_timestamp"),
        {
            "/op": DELETION,
            "/source/mvcc_timestamp": ORDER,
            "/source/ts_hlc": EVIDENCE,
            "/source/table_name": IDENTITY,
            "/source/database_name": IDENTITY,
            "/key": KEY,
            "/after": ROW,
            "/ts_ns": EVIDENCE,
        },
        """\
envelope = "json"
options = { table = "users", key = "/key/id", position = "/source/mvcc_timestamp", \
position_kind = "lexicographic", position_scope = "stream", deleted = "/op=d", fields = "/after" }
""",
        keyed_by="/key",
    ),
    Format(
        "cockroachdb, enriched",
        "",
        (
            "an enriched change of CockroachDB that tells no commit time, and ts_ns is of its "
            "processing: create the changefeed with enriched_properties = source, and key_in_value"
        ),
        ("/op", "/ts_ns", "/after"),
        {"/op": DELETION, "/after": ROW, "/key": KEY, "/ts_ns": EVIDENCE},
    ),
    Format(
        "cockroachdb changefeed",
        "",
        (
            "a CockroachDB change; updated orders the whole cluster. Of a delete nothing but a "
            'null after is told, which no option names: use envelope = "enriched"'
        ),
        ("/after", "/updated"),
        {"/updated": ORDER, "/mvcc_timestamp": EVIDENCE, "/key": KEY, "/after": ROW},
    ),
    Format(
        "sequin",
        "",
        (
            "a change of Sequin: commit_lsn orders transactions, and commit_idx the changes of "
            "one, so two changes of one key in one transaction are a conflict by commit_lsn alone; "
            f"{BY_JSON}"
        ),
        ("/record", "/action", "/metadata/commit_lsn"),
        {
            "/metadata/commit_lsn": ORDER,
            "/metadata/commit_idx": ORDER,
            "/metadata/commit_timestamp": TIME,
            "/metadata/table_name": IDENTITY,
            "/metadata/table_schema": IDENTITY,
            "/metadata/idempotency_key": EVIDENCE,
            "/action": DELETION,
            "/record": ROW,
            "/changes": EVIDENCE,
        },
        """\
envelope = "json"
options = { table = "users", key = "/record/id", position = "/metadata/commit_lsn", \
position_scope = "stream", deleted = "/action=delete", fields = "/record" }
""",
    ),
    Format(
        "goldengate",
        "",
        (
            "a change of Oracle GoldenGate: pos orders one trail. A delete tells its row in before "
            f"only, where no option finds the key; {NONE_READS}"
        ),
        ("/op_type", "/op_ts", "/pos"),
        {
            "/pos": ORDER,
            "/op_type": DELETION,
            "/op_ts": TIME,
            "/current_ts": EVIDENCE,
            "/primary_keys": KEY,
            "/after": ROW,
            "/before": EVIDENCE,
            "/table": IDENTITY,
        },
    ),
    Format(
        "wal2json",
        "",
        (
            "a change of wal2json (format-version 2): its columns lie in a list, and lsn is only "
            f"there with include-lsn; {NONE_READS} (plugin.name = pgoutput)"
        ),
        ("/action", "/schema", "/table", "/columns"),
        {
            "/lsn": ORDER,
            "/xid": EVIDENCE,
            "/timestamp": TIME,
            "/action": DELETION,
            "/identity": KEY,
            "/columns": ROW,
            "/schema": IDENTITY,
            "/table": IDENTITY,
        },
    ),
    Format(
        "wal2json",
        "",
        (
            "a delete of wal2json (format-version 2): identity is the key of the row; "
            f"{NONE_READS} (plugin.name = pgoutput)"
        ),
        ("/action=D", "/schema", "/table", "/identity"),
        {"/lsn": ORDER, "/identity": KEY, "/schema": IDENTITY, "/table": IDENTITY},
    ),
    Format(
        "wal2json",
        "",
        (
            "a transaction of wal2json (format-version 1), many changes in one record; "
            f"{NONE_READS} (plugin.name = pgoutput)"
        ),
        ("/change/0/kind", "/change/0/table"),
        {"/change": ROW, "/nextlsn": ORDER, "/xid": EVIDENCE, "/timestamp": TIME},
    ),
    Format(
        "cockroachdb resolved",
        "",
        "a CockroachDB resolved timestamp: not a change",
        ("/resolved",),
        {"/resolved": EVIDENCE},
    ),
    Format(
        "cosmos change feed",
        "",
        f"a Cosmos DB change; lsn is shared by a batch; {BY_JSON}",
        ("/current", "/metadata/lsn"),
        {
            "/metadata/lsn": ORDER,
            "/metadata/crts": TIME,
            "/metadata/operationType": DELETION,
            "/current": ROW,
        },
    ),
    Format(
        "mongodb change stream",
        "",
        "a MongoDB change event; its token is officially opaque; no envelope of its own",
        ("/_id/_data", "/operationType"),
        {
            "/_id": ORDER,
            "/documentKey": KEY,
            "/operationType": DELETION,
            "/wallTime": TIME,
            "/fullDocument": ROW,
            "/ns": IDENTITY,
        },
    ),
)
