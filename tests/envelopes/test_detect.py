"""An unknown payload's format, and each field's role."""

from __future__ import annotations

import json

import pytest

from anyorder._core.event import Delivery
from anyorder.envelopes import detect, open_envelope
from anyorder.envelopes.formats import FORMATS
from tests.envelopes.samples import READ_BY, change, deliveries, delivery

OTHERS = (
    "maxwell",
    "aws dms",
    "dynamodb stream",
    "dynamodb through kinesis",
    "kinesis",
    "sqs",
    "s3",
    "s3 through eventbridge",
    "eventbridge, bare",
    "kubernetes watch",
    "salesforce change event",
    "cockroachdb changefeed",
    "cockroachdb resolved",
    "stripe",
    "google pub/sub",
    "cosmos change feed",
    "mongodb change stream",
    "kafka through lambda",
)
FORMAT_OF = {"debezium_flattened": "debezium, flattened", "json_orders": "", "raw": ""}


@pytest.mark.parametrize(("number", "name"), list(enumerate(OTHERS)))
def test_payloads_of_other_systems_are_named_and_have_roles(number: int, name: str) -> None:
    found = detect(deliveries("others")[number])

    assert found.format == name
    assert found.why
    assert {role.role for role in found.roles} - {"ignored"}


# that has two, see test_dynamodb_streams.py
@pytest.mark.parametrize("fixture", sorted(READ_BY.keys() - {"dynamodb_streams"}))
def test_what_an_envelope_reads_is_named_after_it(fixture: str) -> None:
    told = [
        detect(one) for one in deliveries(fixture) if one.value is not None and one.key != b"SKU-1"
    ]

    assert {found.format for found in told} == {FORMAT_OF.get(fixture, fixture.partition("_")[0])}


def test_a_debezium_change_has_order_identity_deletion_time_key_and_evidence() -> None:
    roles = {
        role.field: role.role for role in detect(delivery(change("u", {"id": 7}), {"id": 7})).roles
    }

    expected = {
        "/source/lsn": "order",
        "/source/table": "identity",
        "/op": "deletion",
        "/source/ts_us": "time",
        "key": "key",
        "offset": "evidence",
        "/after": "row",
    }
    assert expected.items() <= roles.items()
    assert roles["/before"] == "ignored"


def test_where_nothing_better_is_told_the_offset_is_the_order() -> None:
    for value in (b'{"a":1}', b'{"a":1,"__deleted":"false"}', None):
        assert {role.field: role.role for role in detect(delivery(value, b"k")).roles}[
            "offset"
        ] == "order"


def test_what_is_inside_an_eventbridge_event_is_told_too() -> None:
    roles = {role.field: role.role for role in detect(deliveries("eventbridge")[0]).roles}

    assert (roles["/detail/offset"], roles["/detail/value/source/lsn"], roles["/id"]) == (
        "order",
        "order",
        "ignored",
    )


def test_a_connector_that_nobody_has_run_says_so() -> None:
    assert "not run" in detect(deliveries("debezium_mysql")[0]).why
    assert "not supported" in detect(delivery(change(connector="vitess"))).why


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "not JSON"),
        (b"\x00\x00\x00\x00\x05\x02abc", "schema registry"),
        (b'{"a":1,"a":2}', "twice"),
        (b"[1]", "no object"),
        (b'{"mine":1}', "names: mine"),
        (b"{}", "names: none"),
    ],
)
def test_what_is_not_known_is_said_with_the_reason(value: bytes, why: str) -> None:
    found = detect(Delivery(value=value))

    assert found.format == ""
    assert why in found.why


def test_a_long_value_is_cut_short() -> None:
    (role,) = detect(Delivery(value=json.dumps({"a": "x" * 1000}).encode())).roles

    assert len(role.value) == 60


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_every_format_names_an_envelope_that_exists_or_says_what_to_do(format: object) -> None:
    envelope, why, marks, roles = format.envelope, format.why, format.marks, format.roles  # type: ignore[attr-defined]

    assert (
        not envelope
        or open_envelope(
            envelope, **({"key": "/a", "position": "/b"} if envelope == "json" else {})
        ).name
        == envelope
    )
    assert len(why.split()) >= 4
    assert marks
    assert roles
