"""The nastiest situations of event sources, as far as decoding has a part in them: what naive code
gets wrong must come out right."""

from __future__ import annotations

import json
from typing import Any

from anyorder._core.batch import identity_of
from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families import LogPosition, OffsetPosition
from anyorder._core.position import Growing, Order
from anyorder.envelopes import open_envelope
from tests.envelopes.samples import RUN, as_bytes, change, decode, without_delivery

ROW = {"id": 7, "name": "Ana"}
LATER_RUN = "01a20bff-0000-7000-8000-000000000000"


def of(
    op: str = "u",
    *,
    offset: int = 88,
    partition: int = 3,
    topic: str = "shop.public.users",
    run: str = RUN,
    **source: Any,
) -> Event:
    after = None if op == "d" else ROW
    return decode(
        change(op, after, **source),
        {"id": 7},
        offset=offset,
        partition=partition,
        topic=topic,
        headers=(("__debezium.context.runId", run),),
    )


def order(new: Event, old: Event) -> Order:
    assert new.position is not None
    assert old.position is not None
    return new.position.compare(old.position, {})


def through_eventbridge(value: Any, *, event: dict[str, Any] | None = None, **detail: Any) -> Event:
    record = {
        "topic": "shop.public.users",
        "partition": 3,
        "offset": 88,
        "timestamp": 1,
        "timestampType": "CreateTime",
        "headers": [],
        "key": {"id": 7},
    }
    if value is not ...:
        record["value"] = value
    body = {
        "version": "0",
        "id": "a",
        "detail-type": "t",
        "source": "s",
        "time": "2026-09-10T08:15:31Z",
        **(event or {}),
        "detail": {**record, **detail},
    }
    return open_envelope("eventbridge").decode(Delivery(value=as_bytes(body)))


def test_01_an_insert_with_a_lower_lsn_than_the_delete_before_it_is_newer() -> None:
    gone = of("d", offset=41, lsn=22192264, sequence='["22190000","22192264"]', txId=729)
    come = of("c", offset=43, lsn=22192096, sequence='["22192376","22192096"]', txId=730)

    assert order(come, gone) is Order.NEWER


def test_02_an_update_that_was_open_during_the_snapshot_is_newer_than_a_read_above_it() -> None:
    read = of("r", offset=10, lsn=22251696, snapshot="true", sequence='[null,"22251696"]')

    assert (
        order(of(offset=11, lsn=22251320, sequence='["22251700","22251320"]'), read) is Order.NEWER
    )
    assert order(of(offset=11, lsn=22251320, sequence='[null,"22251320"]'), read) is Order.NEWER


def test_03_a_change_that_comes_again_at_a_higher_offset_is_the_same_change() -> None:
    first, again, later = (
        of(offset=12, lsn=100),
        of(offset=502, lsn=100, sequence='[null,"100"]', run=LATER_RUN),
        of(offset=13, lsn=101),
    )

    assert order(again, first) is Order.SAME
    assert order(again, later) is Order.OLDER
    assert first.position.identity() == again.position.identity()


def test_04_a_tombstone_has_no_source_clock_so_it_is_a_hint_or_offsets_are_everybody_s() -> None:
    assert decode(None, {"id": 7}).kind is Kind.HINT
    by_offset = [
        decode(value, {"id": 7}, options={"tombstone": "delete"})
        for value in (change("d"), change("u", ROW), None)
    ]
    assert {type(event.position) for event in by_offset} == {OffsetPosition}


def test_05_an_offloaded_value_is_no_deletion() -> None:
    found = through_eventbridge(
        ..., dataref="arn:aws:s3:::large/5f1c", datarefJsonPath="$.detail.value"
    )

    assert (found.kind, found.key) == (Kind.NO_CONTENT, {"id": 7})


def test_06_a_record_redriven_by_a_dead_letter_topic_is_the_original_or_has_no_offset() -> None:
    headers = [
        {"__connect.errors.topic": "shop.public.users"},
        {"__connect.errors.partition": "3"},
        {"__connect.errors.offset": "88"},
    ]
    original = through_eventbridge(change("u", ROW))

    assert without_delivery(
        through_eventbridge(change("u", ROW), topic="dlq", partition=0, offset=9, headers=headers)
    ) == without_delivery(original)
    blind = through_eventbridge(
        change("u", ROW), topic="dlq", partition=0, offset=9, headers=headers[:1]
    )
    assert (blind.position.lsn, blind.position.partition) == (original.position.lsn, "")


def test_07_in_a_topic_made_again_the_source_clock_goes_on_and_raw_offsets_are_one_scope() -> None:
    assert order(of(offset=0, lsn=200), of(offset=88123, lsn=100)) is Order.NEWER
    raw = [decode(b"{}", b"k", "raw", offset=offset) for offset in (88123, 0)]
    assert order(raw[1], raw[0]) is Order.OLDER
    # what the reset detector goes by
    assert raw[0].position.growing() == Growing("kafka:shop.public.users#0/3", 88123)


def test_08_of_a_key_that_moved_to_another_partition_the_source_decides_offsets_cannot() -> None:
    assert (
        order(of(partition=11, offset=12, lsn=200), of(partition=3, offset=90000, lsn=100))
        is Order.NEWER
    )
    raw = [
        decode(b"{}", b"k", "raw", offset=offset, partition=partition)
        for offset, partition in ((90000, 3), (12, 11))
    ]
    assert order(raw[1], raw[0]) is Order.UNDECIDED


def test_09_a_log_that_starts_again_lower_is_told_apart_by_the_snapshot_run() -> None:
    lost, read = of(lsn=200), of("r", lsn=150, snapshot="true", run=LATER_RUN)

    assert read.snapshot_run == ("pg:shop", LATER_RUN)
    assert read.position.compare(lost.position, {"pg:shop": (LATER_RUN,)}) is Order.NEWER


def test_10_no_timeline_is_taken_for_an_ordered_number() -> None:
    assert isinstance(of(timeline=1).position, LogPosition)
    assert of(timeline=1).position == of(timeline=5).position


def test_11_an_unchanged_out_of_line_column_is_a_hole_and_its_placeholder_is_no_value() -> None:
    found = decode(change("u", {"id": 7, "big": "__debezium_unavailable_value"}), {"id": 7})

    assert (found.holes, found.fields) == ({"big"}, {"id": 7})


def test_12_rows_of_one_statement_share_file_and_position_and_are_still_different_events() -> None:
    source = {"connector": "mysql", "server_id": 1, "file": "mysql-bin.000003", "pos": 484}
    rows = [decode(change("c", {"id": row}, **source, row=row), {"id": row}) for row in range(500)]

    assert (
        len({event.position.identity() for event in rows})
        == len({event.entity for event in rows})
        == 500
    )


def test_12b_one_cloudevents_id_on_two_keys_is_two_events() -> None:
    event = {
        "specversion": "1.0",
        "id": "name:x;lsn:1",
        "source": "s",
        "type": "t",
        "sequence": "1",
        "data": {},
    }
    found = [
        decode({**event, "subject": key}, None, "cloudevents", {"sequence": "integer"})
        for key in ("41", "42")
    ]

    assert {one.entity for one in found} == {'{"id":"41"}', '{"id":"42"}'}


def test_13_mongodb_goes_by_the_offset_whatever_its_wall_time_and_counter_say() -> None:
    source = {"connector": "mongodb", "collection": "users", "txId": None}
    old, new = (
        decode(
            change("u", '{"_id":1}', **source, ts_ms=ms, ts_us=None, ord=number),
            {"id": "1"},
            offset=offset,
        )
        for ms, number, offset in ((2000, 9, 1), (1000, 1, 2))
    )

    assert order(new, old) is Order.NEWER


def test_14_a_replay_and_another_copy_are_the_very_same_event() -> None:
    original = through_eventbridge(change("u", ROW))
    replayed = through_eventbridge(
        change("u", ROW),
        event={"id": "b", "time": "2027-09-10T08:15:31Z", "replay-name": "last-year"},
    )

    assert without_delivery(replayed) == without_delivery(original)


def test_16_a_key_change_is_two_entities_with_one_source_block_and_two_identities() -> None:
    gone, come = (
        decode(change(op, None if op == "d" else {"id": key}), {"id": key})
        for op, key in (("d", 42), ("c", 43))
    )

    assert gone.entity != come.entity
    assert identity_of(gone) != identity_of(come)
    assert come.creates


def test_17_a_truncate_has_no_key_and_is_ordered_by_the_log_in_any_partition() -> None:
    wiped = open_envelope("debezium").decode(
        Delivery("shop.public.users", 0, 5, value=as_bytes(change("t", lsn=150)))
    )

    assert (wiped.kind, wiped.key, wiped.table) == (Kind.TRUNCATE, None, "public.users")
    assert [wiped.position.compare(of(lsn=lsn).position, {}) for lsn in (100, 200)] == [
        Order.NEWER,
        Order.OLDER,
    ]


def test_19_digit_strings_are_compared_as_the_numbers_they_spell() -> None:
    options: dict[str, Any] = {"key": "/id", "position": "/v"}
    pairs = [
        ("999", "1000", "kubernetes"),
        ("9" * 21, "1" + "0" * 24, "version"),
        (2**53, 2**53 + 1, "version"),
        ("18849496460467696127", "18849496460467696128", "version"),
    ]

    for old, new, kind in pairs:
        told = [
            decode({"id": 1, "v": value}, None, "json", {**options, "position_kind": kind})
            for value in (new, old)
        ]
        assert order(*told) is Order.NEWER


def test_deletes_that_come_under_another_detail_type_are_deletes() -> None:
    assert through_eventbridge(None, event={"detail-type": "shop.public.users"}).kind is Kind.HINT
    assert through_eventbridge(change("d"), event={"detail-type": "other"}).kind is Kind.DELETE


def test_a_renamed_connector_is_another_scope() -> None:
    assert order(of(name="shop2", lsn=200), of(lsn=100)) is Order.UNDECIDED


def test_commits_at_one_scn_on_two_threads_are_not_ordered_by_guess() -> None:
    source = {"connector": "oracle", "commit_scn": "5", "scn": "4"}

    assert (
        order(of(**source, txId="a", txSeq=2), of(**source, txId="b", txSeq=1)) is Order.UNDECIDED
    )


def test_an_update_of_a_time_step_back_is_ordered_by_position_and_never_by_time() -> None:
    assert order(of(lsn=200, ts_us=1), of(lsn=100, ts_us=2)) is Order.NEWER


def test_a_key_that_differs_only_in_number_and_text_is_two_rows() -> None:
    assert (
        decode(change("u", ROW), {"id": 42}).entity != decode(change("u", ROW), {"id": "42"}).entity
    )


def test_a_null_and_a_missing_column_are_two_things() -> None:
    null, missing = (
        decode(change("u", {"id": 7, "name": None}), {"id": 7}),
        decode(change("u", {"id": 7}), {"id": 7}),
    )

    assert null.fields == {"id": 7, "name": None}
    assert "name" not in missing.fields
    assert null.fingerprint != missing.fingerprint


def test_one_content_in_two_layouts_has_one_fingerprint() -> None:
    value = change("u", {"id": 7, "n": 1.5, "t": "é"})
    layouts = [
        json.dumps(value).encode(),
        json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).encode(),
        json.dumps(value).replace("1.5", "15e-1").encode(),
    ]

    assert len({decode(layout, {"id": 7}).fingerprint for layout in layouts}) == 1
