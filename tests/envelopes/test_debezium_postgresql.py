"""PostgreSQL through Debezium: positions, keys, holes, and everything that is no change."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

import pytest

from anyorder._core.event import Kind
from anyorder._core.families import LogPosition, OffsetPosition
from anyorder._core.position import Order
from anyorder.envelopes import open_envelope
from tests.envelopes.samples import RUN, change, decode, delivery, events

PLACEHOLDER = "__debezium_unavailable_value"
RUN_HEADER = ("__debezium.context.runId", RUN)
ROW = {"id": 7, "name": "Ana"}


def of(
    op: str = "u",
    after: Any = ROW,
    key: object = None,
    options: dict[str, Any] | None = None,
    **source: Any,
) -> Any:
    return decode(change(op, after, **source), {"id": 7} if key is None else key, options=options)


def test_a_change_carries_the_log_position_with_all_its_evidence() -> None:
    found = decode(change("u", ROW), {"id": 7}, headers=(RUN_HEADER,))

    place = LogPosition(
        "pg:shop", 22192096, "u", 22192376, 730, "shop.public.users/3", 88, RUN, 1789028130123456
    )
    assert (found.kind, found.table, found.key, found.fields, found.position) == (
        Kind.PUT,
        "public.users",
        {"id": 7},
        ROW,
        place,
    )
    assert (found.time, found.holes, found.creates, found.partial, found.snapshot_run) == (
        1789028130123456,
        frozenset(),
        False,
        False,
        None,
    )


@pytest.mark.parametrize(
    ("op", "kind", "creates"),
    [
        ("c", Kind.PUT, True),
        ("u", Kind.PUT, False),
        ("r", Kind.PUT, False),
        ("d", Kind.DELETE, False),
    ],
)
def test_each_operation_has_its_kind_and_only_c_starts_a_life(
    op: str, kind: Kind, creates: bool
) -> None:
    found = of(op, None if op == "d" else ROW)

    assert (found.kind, found.creates, found.position.op) == (kind, creates, op)


def test_a_truncate_has_no_key_and_empties_its_table_at_its_position() -> None:
    found = open_envelope("debezium").decode(delivery(change("t"), None))

    assert (found.kind, found.table, found.key, found.position.op, found.position.lsn) == (
        Kind.TRUNCATE,
        "public.users",
        None,
        "t",
        22192096,
    )


@pytest.mark.parametrize(
    "snapshot",
    ["true", "first", "first_in_data_collection", "last_in_data_collection", "last", True],
)
def test_a_snapshot_row_is_a_read_and_makes_its_run_known(snapshot: object) -> None:
    found = decode(
        change("r", ROW, snapshot=snapshot, sequence='[null,"22192096"]'),
        {"id": 7},
        headers=(RUN_HEADER,),
    )

    assert (found.position.op, found.position.lsn, found.position.seq0) == ("r", 22192096, None)
    assert found.snapshot_run == ("pg:shop", RUN)


@pytest.mark.parametrize("snapshot", ["false", "incremental", False, None])
def test_streamed_and_incremental_records_say_nothing_about_snapshot_runs(snapshot: object) -> None:
    assert (
        decode(change("r", ROW, snapshot=snapshot), {"id": 7}, headers=(RUN_HEADER,)).snapshot_run
        is None
    )


def test_an_incremental_read_has_the_second_half_of_sequence_as_its_position() -> None:
    found = of("r", snapshot="incremental", lsn=None, txId=None)

    assert (
        found.position.op,
        found.position.lsn,
        found.position.seq0,
        found.position.transaction,
    ) == ("i", 22192096, 22192376, None)


def test_an_incremental_read_without_its_half_of_sequence_has_its_lsn_and_a_change_is_no_read() -> (
    None
):
    assert of("r", snapshot="incremental", sequence='["5",null]', lsn=9).position.lsn == 9
    assert of("u", snapshot="incremental").position.op == "u"
    assert of("r", snapshot="incremental", sequence=None, lsn=None).kind is Kind.MALFORMED


def test_of_two_run_headers_the_last_holds() -> None:
    assert (
        decode(change(), {"id": 7}, headers=((RUN_HEADER[0], "x"), RUN_HEADER)).position.run == RUN
    )
    assert (
        decode(change(), {"id": 7}, headers=(RUN_HEADER, (RUN_HEADER[0], "x"))).position.run == ""
    )


def test_the_time_is_the_sources_own_in_microseconds_and_older_versions_tell_milliseconds() -> None:
    assert of(ts_us=5).time == 5
    assert of(ts_us=None, ts_ms=5).time == 5000
    assert of(ts_us=None, ts_ms=None).time is None


def test_a_run_id_that_does_not_sort_by_time_is_no_run() -> None:
    random = "01a20ada-bb63-4c1b-84bb-f2b31e0887b3"

    assert [
        decode(change(), {"id": 7}, headers=((RUN_HEADER[0], text),)).position
        for text in (random, "x", None)
    ] == [decode(change(), {"id": 7}).position] * 3
    assert decode(change(), {"id": 7}, headers=((RUN_HEADER[0], RUN.upper()),)).position.run == RUN


@pytest.mark.parametrize("lsn", [0, 22192096, "22192096", 2**63, 2**64 - 1, str(2**64 - 1)])
def test_an_lsn_is_an_unsigned_64_bit_number_or_its_digits(lsn: object) -> None:
    assert of(lsn=lsn).position.lsn == int(str(lsn))


@pytest.mark.parametrize("member", ["lsn", "txId", "ts_us"])
@pytest.mark.parametrize(
    "value",
    [True, 1.5, 1.0, -1, 2**64, "", "-1", "1e3", "0x10", " 1", "１２", "1_0", "9" * 21, [], {}],
)
def test_a_number_of_another_kind_is_malformed_and_never_guessed(
    member: str, value: object
) -> None:
    found = of(**{member: value})

    assert (found.kind, found.table, found.key) == (Kind.MALFORMED, "public.users", {"id": 7})
    assert member in found.note


@pytest.mark.parametrize(
    "sequence",
    [
        "",
        "x",
        "[]",
        '["1"]',
        '["1","2","3"]',
        '{"a":1}',
        '["-1","2"]',
        '["1.5","2"]',
        '[true,"2"]',
        f'["{2**64}","2"]',
        "[1,2",
        7,
    ],
)
def test_a_sequence_that_is_no_pair_of_log_positions_is_malformed(sequence: object) -> None:
    assert of(sequence=sequence).kind is Kind.MALFORMED


@pytest.mark.parametrize(
    ("sequence", "first"),
    [('["5","6"]', 5), ('[null,"6"]', None), ("[5, 6]", 5), (None, None), ("[null,null]", None)],
)
def test_the_first_half_of_sequence_is_told_or_not(sequence: object, first: int | None) -> None:
    assert of(sequence=sequence).position.seq0 == first


@pytest.mark.parametrize(
    "changed",
    [
        {"lsn": None},
        {"name": ""},
        {"name": None},
        {"schema": None},
        {"table": ""},
        {"snapshot": "maybe"},
        {"snapshot": 1},
        {"connector": None},
    ],
)
def test_a_source_block_that_does_not_tell_its_place_is_malformed(changed: dict[str, Any]) -> None:
    assert of(**changed).kind is Kind.MALFORMED


def test_an_unknown_connector_is_refused_and_the_note_says_what_to_do() -> None:
    found = of(connector="vitess")

    assert found.kind is Kind.MALFORMED
    assert "vitess" in found.note
    assert 'tombstone = "delete"' in found.note


@pytest.mark.parametrize("op", ["x", "", None, 1, ["c"], {"c": 1}])
def test_an_unknown_operation_is_malformed(op: Any) -> None:
    assert of(op).kind is Kind.MALFORMED


@pytest.mark.parametrize("after", [None, "absent"])
def test_an_update_without_a_row_is_incomplete_and_no_delete(after: object) -> None:
    value = change("u", None)
    if after == "absent":
        del value["after"]
    found = decode(value, {"id": 7})

    assert (found.kind, found.key, found.position.lsn) == (Kind.NO_CONTENT, {"id": 7}, 22192096)
    assert "after" in found.note


@pytest.mark.parametrize("after", [[], "text", 7, True])
def test_a_row_that_is_no_object_is_malformed(after: object) -> None:
    assert of(after=after).kind is Kind.MALFORMED


# --- keys
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", [b'{"b":1,"a":"x"}', b' { "a" : "x", "b" : 1 } ', b'{"a":"\\u0078","b":1}']
)
def test_one_key_in_any_spelling_is_one_entity(key: bytes) -> None:
    assert of(key=key).entity == '{"a":"x","b":1}'


def test_a_number_and_its_digits_are_two_entities() -> None:
    assert of(key={"id": 42}).entity != of(key={"id": "42"}).entity


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"42", {"id": 42}),
        (b'"x"', {"id": "x"}),
        (b"12345678901234567890123", {"id": 12345678901234567890123}),
    ],
)
def test_a_bare_key_is_the_column_that_the_option_names(
    key: bytes, expected: dict[str, Any]
) -> None:
    assert of(key=key).key == expected
    assert of(key=key, options={"key": "code"}).key == {"code": expected["id"]}


@pytest.mark.parametrize("key", [b"{}", b"null", b'{"schema":null,"payload":null}'])
def test_a_table_without_a_key_is_malformed_and_the_note_says_what_to_do(key: bytes) -> None:
    for found in (of(key=key), open_envelope("debezium").decode(delivery(change("u", ROW), None))):
        assert found.kind is Kind.MALFORMED
        assert found.table == "public.users"
        assert all(
            words in found.note
            for words in ("public.users", "message.key.columns", "REPLICA IDENTITY")
        )


@pytest.mark.parametrize("key", [b"[42]", b"Struct{id=42}", b"", b'{"id":1,"id":2}', b"\xff"])
def test_a_key_that_names_no_columns_is_malformed(key: bytes) -> None:
    found = of(key=key)

    assert (found.kind, found.key, found.table) == (Kind.MALFORMED, None, "public.users")


def test_a_key_change_is_a_delete_and_a_create_of_two_entities_at_one_position() -> None:
    gone, hint, come = (
        event
        for event in events("debezium_postgresql")
        if event.position and event.position.offset in (7, 8, 9)
    )

    assert (gone.kind, hint.kind, come.kind) == (Kind.DELETE, Kind.HINT, Kind.PUT)
    assert gone.entity == hint.entity == '{"id":3}' != come.entity
    assert gone.position.lsn == come.position.lsn
    assert come.creates


# --- null records
# --------------------------------------------------------------------------------------------------


def test_a_null_record_is_a_hint_that_names_the_entity_of_the_delete_before_it() -> None:
    gone, hint = decode(change("d"), {"id": 7}, offset=41), decode(None, {"id": 7}, offset=42)

    assert (hint.kind, hint.table, hint.entity) == (Kind.HINT, gone.table, gone.entity)
    assert hint.position == LogPosition("", -1, "h", partition="shop.public.users/3", offset=42)


def test_a_wrapped_null_is_a_null_record() -> None:
    key = (
        b'{"schema":{"type":"struct","fields":[{"type":"int32","field":"id"}]},"payload":{"id":7}}'
    )

    assert decode(b'{"schema":null,"payload":null}', key).kind is Kind.HINT
    assert decode(None, key).key == {"id": 7}


@pytest.mark.parametrize(
    ("topic", "headers", "table"),
    [
        ("shop.public.users", (), "public.users"),
        ("eu.shop.public.users", (), "public.users"),
        (
            "eu.shop.public.a.b",
            (("__debezium.context.connectorLogicalName", "eu.shop"),),
            "public.a.b",
        ),
        ("renamed", (("__debezium.context.connectorLogicalName", "eu.shop"),), "renamed"),
        (
            "erp.db.dbo.users",
            (
                ("__debezium.context.connectorLogicalName", "erp"),
                ("__debezium.context.connectorName", "sqlserver"),
            ),
            "dbo.users",
        ),
    ],
)
def test_the_table_of_a_null_record_is_read_from_its_topic(
    topic: str, headers: Any, table: str
) -> None:
    assert decode(None, {"id": 7}, topic=topic, headers=headers).table == table


def test_a_record_with_neither_key_nor_value_is_no_change() -> None:
    assert open_envelope("debezium").decode(delivery(None, None)).kind is Kind.CONTROL


def test_where_tombstones_delete_the_offset_is_the_clock_of_every_event() -> None:
    options = {"tombstone": "delete"}
    told = [decode(change(op, ROW), {"id": 7}, options=options) for op in "curdt"] + [
        decode(None, {"id": 7}, options=options)
    ]

    assert [event.kind for event in told] == [Kind.PUT] * 3 + [
        Kind.DELETE,
        Kind.TRUNCATE,
        Kind.DELETE,
    ]
    assert {event.position for event in told} == {
        OffsetPosition("kafka:shop.public.users", 3, 88, time=1789028130123000)
    }
    assert {event.time for event in told} == {1789028130123000}


def test_where_tombstones_delete_any_connector_and_rows_without_metadata_are_read() -> None:
    for value in (change("u", ROW, connector="vitess"), ROW):
        found = decode(value, {"id": 7}, options={"tombstone": "delete"})
        assert (found.kind, found.table, found.fields) == (Kind.PUT, "public.users", ROW)


def test_where_tombstones_delete_a_record_without_an_offset_is_malformed() -> None:
    assert (
        decode(None, {"id": 7}, options={"tombstone": "delete"}, offset=-1).kind is Kind.MALFORMED
    )


def test_without_a_transport_the_position_claims_no_offset() -> None:
    found = decode(change("u", ROW), {"id": 7}, topic="", partition=-1, offset=-1)

    assert (found.kind, found.position.partition, found.position.offset) == (Kind.PUT, "", -1)


# --- holes
# --------------------------------------------------------------------------------------------------

BASE64 = base64.b64encode(PLACEHOLDER.encode()).decode()
OCTETS = list(PLACEHOLDER.encode())


def base64_of(number: int) -> str:
    """A decimal's unscaled number, as Kafka Connect writes it."""
    return base64.b64encode(
        number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    ).decode()


SHAPES = {
    "text": PLACEHOLDER,
    "base64": BASE64,
    "hexadecimal": PLACEHOLDER.encode().hex(),
    "array": [PLACEHOLDER],
    "array of base64": [BASE64],
    "array of its bytes": list(PLACEHOLDER.encode()),
    "array of its uuid": [
        str(uuid.UUID(bytes=hashlib.md5(PLACEHOLDER.encode()).digest(), version=3))
    ],
    "array of its bytes as floats": [float(octet) for octet in OCTETS],
    "array of its bytes as texts": [str(octet) for octet in OCTETS],
    "array of its bytes as texts with a scale": [f"{octet}.00" for octet in OCTETS],
    "array of its bytes as decimals": [base64_of(octet) for octet in OCTETS],
    "array of its bytes as decimals of scale 2": [base64_of(octet * 100) for octet in OCTETS],
    "array of its bytes as decimals of their own scale": [
        {"scale": 1, "value": base64_of(octet * 10)} for octet in OCTETS
    ],
    "hstore": {PLACEHOLDER: PLACEHOLDER},
    "hstore as text": f'{{"{PLACEHOLDER}":"{PLACEHOLDER}"}}',
    "hstore as text with blanks": f'{{"{PLACEHOLDER}": "{PLACEHOLDER}"}}',
    "array of hstore as text": [f'{{"{PLACEHOLDER}":"{PLACEHOLDER}"}}'],
    "decimal": {"scale": 0, "value": BASE64},
    "geometry": {"wkb": "AQEAACDmEAAAAAAA/IPXl8EAAAD8g9eXwQ==", "srid": 4326},
    "point": {"x": -99999999, "y": -99999999, "wkb": None, "srid": None},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_placeholder_of_any_shape_is_a_hole_and_no_value(shape: str) -> None:
    found = of(after={"id": 7, "big": SHAPES[shape], "tags": ["a"], "name": "Ana"})

    assert found.holes == {"big"}
    assert found.fields == {"id": 7, "tags": ["a"], "name": "Ana"}
    assert not found.whole


@pytest.mark.parametrize(
    "value",
    [
        f"x{PLACEHOLDER}",
        [PLACEHOLDER, PLACEHOLDER],
        ["a", PLACEHOLDER],
        [1],
        [],
        {},
        {"a": PLACEHOLDER},
        {PLACEHOLDER: "a"},
        f'{{"{PLACEHOLDER}":"a"}}',
        f'{{"a":"{PLACEHOLDER}"}}',
        {SHAPES["hstore as text"]: SHAPES["hstore as text"]},
        OCTETS[:-1],
        [*OCTETS, 1],
        [float(octet) for octet in OCTETS[:-1]] + [0.5],
        [str(octet) for octet in OCTETS[:-1]] + ["x"],
        [str(octet) for octet in OCTETS[:-1]] + ["sNaN"],
        [base64_of(octet) for octet in OCTETS[:-1]] + [base64_of(OCTETS[-1] * 100)],
        [base64_of(octet) for octet in OCTETS[:-1]] + [base64_of(OCTETS[-1] * 3)],
        [{"scale": 0, "value": base64_of(octet)} for octet in OCTETS[:-1]] + [{}],
        [*OCTETS[:-1], True],
        [*OCTETS[:-1], None],
        {"x": 1, "y": 1},
        None,
        0,
        [[PLACEHOLDER]],
    ],
)
def test_what_only_looks_like_a_placeholder_is_a_value(value: object) -> None:
    found = of(after={"id": 7, "big": value})

    assert found.holes == frozenset()
    assert found.fields == {"id": 7, "big": value}


def test_a_placeholder_that_is_escaped_in_the_json_is_found() -> None:
    value = change("u", {"id": 7, "big": "@"})
    data = delivery(value).value
    assert data is not None
    found = decode(data.replace(b'"@"', b'"\\u005f_debezium_unavailable_value"'), {"id": 7})

    assert found.holes == {"big"}


def test_the_placeholder_is_an_option_in_text_or_in_hexadecimal() -> None:
    row = {"id": 7, "a": "gone", "b": base64.b64encode(b"gone").decode(), "c": PLACEHOLDER}

    assert of(after=row, options={"placeholder": "gone"}).holes == {"a", "b"}
    assert of(after=row, options={"placeholder": "hex:676F6E65"}).holes == {"a", "b"}


def test_a_placeholder_of_bytes_is_found_in_both_base64_alphabets_and_as_signed_numbers() -> None:
    row = {"id": 7, "a": "+/8=", "b": "-_8=", "c": [-5, -1], "d": [251, 255], "e": "fbff"}

    assert of(after=row, options={"placeholder": "hex:fbff"}).holes == {"a", "b", "c", "e"}


def test_a_placeholder_that_json_escapes_is_found_in_an_hstore_that_is_a_text() -> None:
    name = 'gone "ä"'
    told = [json.dumps({name: name}, ensure_ascii=ascii) for ascii in (True, False)]
    row = {"id": 7, "a": told[0], "b": told[1].replace(" ", ""), "c": told[1]}

    # the blank inside the name is the name's own
    assert of(after=row, options={"placeholder": name}).holes == {"a", "c"}


def test_the_bytes_one_by_one_may_be_negative_zero_and_one() -> None:
    """Where true is no one, and zero has any scale."""
    row = {
        "id": 7,
        "a": [-5.0, 0, 1],
        "b": ["-5", "0", "1"],
        "c": [base64_of(-500), base64_of(0), base64_of(100)],
        "d": [-5, False, True],
        "e": [base64_of(-500), base64_of(1), base64_of(100)],
    }

    assert of(after=row, options={"placeholder": "hex:fb0001"}).holes == {"a", "b", "c"}


def test_a_placeholder_in_a_decimal_column_with_a_schema_is_a_hole_and_no_number() -> None:
    price = {
        "type": "bytes",
        "name": "org.apache.kafka.connect.data.Decimal",
        "parameters": {"scale": "2"},
        "field": "price",
        "optional": True,
    }
    schema = {
        "type": "struct",
        "fields": [
            {
                "type": "struct",
                "fields": [{"type": "int32", "field": "id"}, price],
                "field": "after",
                "optional": True,
            }
        ],
    }
    told = [
        decode({"schema": schema, "payload": change("u", {"id": 7, "price": text})}, {"id": 7})
        for text in (BASE64, "BM4=")
    ]

    assert [(event.holes, event.fields) for event in told] == [
        ({"price"}, {"id": 7}),
        (frozenset(), {"id": 7, "price": "12.30"}),
    ]


# --- what is no change
# --------------------------------------------------------------------------------------------------


def test_records_about_the_connector_are_no_changes_and_say_what_they_are() -> None:
    told = events("debezium_control")

    assert {event.kind for event in told} == {Kind.CONTROL}
    assert [event.note.split()[1] for event in told] == [
        "heartbeat",
        "begin",
        "schema",
        "notification",
        "record",
    ]


def test_a_logical_message_is_no_change() -> None:
    found = decode(
        change("m", None, schema="", table="") | {"message": {"prefix": "p", "content": "MA=="}},
        {"prefix": "p"},
    )

    assert (found.kind, found.note) == (Kind.CONTROL, "a logical message")


@pytest.mark.parametrize(
    "value",
    [
        {"id": 7, "name": "Ana"},
        {},
        {"before": None, "after": ROW},
        {"source": {"connector": "postgresql"}},
        {"status": "open", "id": 7, "event_count": 1, "data_collections": None},
    ],
)
def test_an_object_that_is_no_change_event_is_malformed_and_no_row(value: dict[str, Any]) -> None:
    found = decode(value, {"id": 7})

    assert found.kind is Kind.MALFORMED
    assert "no Debezium change event" in found.note


@pytest.mark.parametrize("lost", ["op", "source"])
def test_an_envelope_that_lost_a_part_is_malformed_even_where_the_offset_orders(lost: str) -> None:
    value = change("u", ROW)
    del value[lost]

    assert {
        decode(value, {"id": 7}, options=options).kind for options in ({}, {"tombstone": "delete"})
    } == {Kind.MALFORMED}


@pytest.mark.parametrize(
    "value",
    [b"", b"no json", b"[1]", b'"text"', b"7", b'\xef\xbb\xbf{"op":"u"}', b'{"op":"u","op":"d"}'],
)
def test_a_value_that_cannot_be_read_is_malformed_with_its_key_and_table(value: bytes) -> None:
    found = decode(value, {"id": 7})

    assert (found.kind, found.key, found.delivery.value) == (Kind.MALFORMED, {"id": 7}, value)
    assert found.note


def test_the_pair_that_by_lsn_alone_would_lose_a_live_row_decodes_to_positions_that_keep_it() -> (
    None
):
    gone = of("d", None, lsn=22192264, sequence='["22190000","22192264"]', txId=729)
    come = of("c", lsn=22192096, sequence='["22192376","22192096"]', txId=730)

    assert come.position.lsn < gone.position.lsn
    assert come.position.compare(gone.position, {}) is Order.NEWER
