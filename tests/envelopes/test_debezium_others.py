"""The connectors that are read from their documentation, and flattened rows."""

from __future__ import annotations

from typing import Any

import pytest

from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition, OffsetPosition, ScalarPosition
from anyorder._core.position import Order
from anyorder.envelopes.debezium_sources import DOCUMENTED, SOURCES
from tests.envelopes.samples import change, decode, events

ROW = {"id": 42, "name": "Ana"}
MYSQL = {
    "connector": "mysql",
    "schema": None,
    "server_id": 223344,
    "file": "mysql-bin.000003",
    "pos": 484,
    "row": 1,
    "lsn": None,
    "sequence": None,
}
SQLSERVER = {
    "connector": "sqlserver",
    "change_lsn": "00000027:00000758:0003",
    "commit_lsn": "00000027:00000758:0005",
    "event_serial_no": 2,
}
ORACLE = {
    "connector": "oracle",
    "txId": "02000a0037030000",
    "txSeq": 3,
    "scn": "13234397",
    "commit_scn": "13271102",
}
MONGODB = {"connector": "mongodb", "collection": "users", "txId": None}


def of(source: dict[str, Any], op: str = "u", after: object = ROW, **changed: Any) -> Event:
    return decode(change(op, after, **{**source, **changed}), {"id": 42})


def order(new: Event, old: Event) -> Order:
    assert new.position is not None
    assert old.position is not None
    return new.position.compare(old.position, {})


def test_every_connector_but_postgresql_says_that_nobody_has_run_it() -> None:
    assert {name for name, source in SOURCES.items() if source.evidence == DOCUMENTED} == {
        "mysql",
        "mariadb",
        "sqlserver",
        "oracle",
        "mongodb",
    }
    assert all(
        "not run" in (source.__doc__ or "")
        for source in SOURCES.values()
        if source.evidence == DOCUMENTED
    )


# --- MySQL and MariaDB
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connector", ["mysql", "mariadb"])
def test_binlog_coordinates_are_the_position_and_the_base_name_is_scope(connector: str) -> None:
    found = of(MYSQL, connector=connector)

    expected = ScalarPosition(
        "binlog", f"{connector}:shop/mysql-bin", (3, 484, 1), "223344", time=1789028130123456
    )
    assert (found.table, found.position) == ("shop.users", expected)


def test_binlog_file_numbers_are_compared_as_numbers() -> None:
    assert (
        order(
            of(MYSQL, file="mysql-bin.1000000", pos=4), of(MYSQL, file="mysql-bin.999999", pos=9999)
        )
        is Order.NEWER
    )


def test_rows_of_one_statement_are_told_apart_by_row() -> None:
    assert order(of(MYSQL, row=2), of(MYSQL, row=1)) is Order.NEWER


def test_coordinates_of_two_servers_are_not_compared() -> None:
    assert order(of(MYSQL, server_id=5), of(MYSQL)) is Order.UNDECIDED
    assert order(of(MYSQL, file="other.000003"), of(MYSQL)) is Order.UNDECIDED


@pytest.mark.parametrize("row", [0, 1])
def test_a_snapshot_row_is_as_of_its_coordinates_and_loses_the_tie(row: int) -> None:
    read = of(MYSQL, "r", server_id=0, row=0, snapshot="true", pos=484)

    assert read.position.as_of
    assert order(of(MYSQL, row=row), read) is Order.NEWER
    assert order(of(MYSQL, pos=483), read) is Order.OLDER


@pytest.mark.parametrize(
    "changed",
    [
        {"file": None},
        {"file": "nodot"},
        {"file": "a.b"},
        {"pos": None},
        {"pos": True},
        {"pos": -1},
        {"row": 1.5},
        {"server_id": "x"},
        {"db": None},
        {"pos": 2**64},
    ],
)
def test_coordinates_that_are_none_are_malformed(changed: dict[str, Any]) -> None:
    assert of(MYSQL, **changed).kind is Kind.MALFORMED


# --- SQL Server
# --------------------------------------------------------------------------------------------------


def test_sql_server_is_ordered_by_commit_then_change_then_serial_number() -> None:
    first = of(SQLSERVER)
    told = [
        {"event_serial_no": 3},
        {"change_lsn": "00000027:00000758:0004"},
        {"commit_lsn": "00000027:00000758:000A"},
    ]

    assert [order(of(SQLSERVER, **later), first) for later in told] == [Order.NEWER] * 3
    assert order(of(SQLSERVER, event_serial_no="2"), first) is Order.SAME
    assert order(of(SQLSERVER, change_lsn=None), first) is Order.OLDER
    assert first.position.scope == "sqlserver:shop/shop"


def test_a_sql_server_read_is_newer_than_every_change_at_or_below_its_commit() -> None:
    read = of(SQLSERVER, "r", snapshot="true", change_lsn=None, event_serial_no=None)

    assert (
        order(of(SQLSERVER, change_lsn="ffffffff:ffffffff:ffff", event_serial_no=9), read)
        is Order.OLDER
    )
    assert (
        order(of(SQLSERVER, commit_lsn="00000027:00000758:0006", change_lsn=None), read)
        is Order.NEWER
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"commit_lsn": None},
        {"commit_lsn": "27:758:5"},
        {"commit_lsn": "0000002g:00000758:0005"},
        {"change_lsn": "x"},
        {"commit_lsn": 5},
        {"event_serial_no": 1.5},
    ],
)
def test_a_sql_server_lsn_that_is_none_is_malformed(changed: dict[str, Any]) -> None:
    assert of(SQLSERVER, **changed).kind is Kind.MALFORMED


# --- Oracle
# --------------------------------------------------------------------------------------------------


def test_oracle_is_ordered_by_commit_and_inside_one_transaction_by_number() -> None:
    first = of(ORACLE)

    assert order(of(ORACLE, commit_scn="13271103", scn="1"), first) is Order.NEWER
    assert order(of(ORACLE, txSeq=4), first) is Order.NEWER
    assert order(of(ORACLE, txSeq=4, txId="other"), first) is Order.UNDECIDED
    assert (
        order(of(ORACLE, commit_scn="340282366920938463463374607431768211456"), first)
        is Order.NEWER
    )


def test_an_oracle_read_is_newer_than_every_commit_up_to_its_scn() -> None:
    read = of(ORACLE, "r", snapshot="last", scn="13271102", commit_scn=None, txId=None, txSeq=None)

    assert order(of(ORACLE), read) is Order.OLDER
    assert order(of(ORACLE, commit_scn="13271103", scn="1"), read) is Order.NEWER


@pytest.mark.parametrize(
    "changed",
    [
        {"commit_scn": None},
        {"commit_scn": "x"},
        {"txId": None},
        {"txId": 5},
        {"txSeq": True},
        {"commit_scn": 1.5},
        {"commit_scn": -1},
    ],
)
def test_an_oracle_change_that_does_not_tell_its_commit_is_malformed(
    changed: dict[str, Any],
) -> None:
    assert of(ORACLE, **changed).kind is Kind.MALFORMED


# --- MongoDB
# --------------------------------------------------------------------------------------------------


def test_mongodb_goes_by_the_offset_and_its_documents_are_texts() -> None:
    found = of(MONGODB, "c", '{"_id":{"$numberLong":"42"},"name":"Ana"}')

    assert (found.table, found.fields) == (
        "shop.users",
        {"_id": {"$numberLong": "42"}, "name": "Ana"},
    )
    assert found.position == OffsetPosition("kafka:shop.public.users", 3, 88, time=1789028130123000)


def test_a_mongodb_update_that_tells_only_a_delta_is_incomplete() -> None:
    assert [event.kind for event in events("debezium_mongodb")] == [
        Kind.PUT,
        Kind.NO_CONTENT,
        Kind.DELETE,
    ]


@pytest.mark.parametrize("after", ['{"a":1,"a":2}', "[1]", "no json", "null"])
def test_a_mongodb_document_that_is_no_strict_object_is_not_put(after: str) -> None:
    assert of(MONGODB, "c", after).kind in (Kind.MALFORMED, Kind.NO_CONTENT)


# --- flattened
# --------------------------------------------------------------------------------------------------

FLAT = {
    "id": 42,
    "name": "Ana",
    "__op": "u",
    "__lsn": 24023128,
    "__txId": 555,
    "__source_ts_us": 1789028130123456,
    "__deleted": "false",
}


def flat(**changed: Any) -> Event:
    value = {name: cell for name, cell in {**FLAT, **changed}.items() if cell != "absent"}
    return decode(value, {"id": 42})


def test_a_flattened_row_with_op_and_lsn_keeps_its_place_in_the_log() -> None:
    found = flat(__sequence='["24023119","24023128"]')

    place = LogPosition(
        "pg:shop", 24023128, "u", 24023119, 555, "shop.public.users/3", 88, "", 1789028130123456
    )
    assert (found.kind, found.table, found.key, found.fields, found.position) == (
        Kind.PUT,
        "public.users",
        {"id": 42},
        ROW,
        place,
    )


def test_metadata_is_no_column_but_a_users_own_underscores_are() -> None:
    told = {
        "__table": "users",
        "__schema": "app",
        "__source_version": "3.7",
        "__transaction_id": "1:2",
        "__ts_ms": 5,
        "__mine": 1,
        "_own": 2,
    }
    found = flat(**told)

    assert (found.table, found.fields) == ("app.users", {**ROW, "__mine": 1, "_own": 2})


@pytest.mark.parametrize("lost", ["__op", "__lsn"])
def test_a_flattened_row_without_op_or_lsn_goes_by_the_offset(lost: str) -> None:
    put, gone = (
        flat(**{lost: "absent"}),
        flat(**{lost: "absent", "__deleted": "true", **({"__op": "d"} if lost == "__lsn" else {})}),
    )

    assert (put.kind, gone.kind) == (Kind.PUT, Kind.DELETE)
    assert {type(event.position) for event in (put, gone)} == {OffsetPosition}


@pytest.mark.parametrize(
    "changed",
    [
        {"__deleted": "true"},
        {"__op": "d"},
        {"__deleted": "yes"},
        {"__deleted": 1},
        {"__deleted": []},
        {"__op": 5},
        {"__op": "t"},
        {"__op": "x"},
    ],
)
def test_metadata_that_contradicts_itself_is_malformed(changed: dict[str, Any]) -> None:
    assert flat(**changed).kind is Kind.MALFORMED


@pytest.mark.parametrize("deleted", ["true", True])
def test_a_rewritten_delete_is_a_delete_in_the_log(deleted: object) -> None:
    found = flat(__op="d", __deleted=deleted)

    assert (found.kind, found.position.op, found.fields) == (Kind.DELETE, "d", None)


def test_a_flattened_incremental_read_has_its_place_from_sequence() -> None:
    found = flat(__op="r", __lsn=None, __snapshot="incremental", __sequence='["1","2"]')

    assert (found.position.op, found.position.lsn) == ("i", 2)


def test_the_log_of_a_flattened_row_is_named_by_its_metadata_its_header_or_its_topic() -> None:
    named = flat(__source_name="eu.shop"), flat(__name="eu.shop")
    header = decode(
        FLAT, {"id": 42}, headers=(("__debezium.context.connectorLogicalName", "eu.shop"),)
    )

    assert {event.position.scope for event in (*named, header)} == {"pg:eu.shop"}
    assert decode(FLAT, {"id": 42}, topic="eu.shop.public.users").position.scope == "pg:eu.shop"


def test_a_flattened_row_has_holes_too() -> None:
    found = flat(name="__debezium_unavailable_value")

    assert (found.holes, found.fields) == ({"name"}, {"id": 42})


def test_the_time_of_an_oracle_change_is_its_commit_s_where_that_is_told() -> None:
    assert of(ORACLE, commit_ts_ms=1789028158971).position.time == 1789028158971000
    assert of(ORACLE).position.time == 1789028130123456
