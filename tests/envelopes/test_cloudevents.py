"""CloudEvents 1.0: only the sequence of one source orders them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from anyorder._core.event import Event, Kind
from anyorder._core.position import Order
from anyorder.envelopes import open_envelope
from anyorder.errors import ConfigurationError
from tests.envelopes.samples import decode, delivery

EVENT = {
    "specversion": "1.0",
    "id": "evt-1",
    "source": "https://crm.example",
    "type": "user.changed",
    "subject": "42",
    "sequence": "9",
    "data": {"name": "Ana"},
}
INTEGER = {"sequence": "integer"}


def of(options: dict[str, Any] | None = None, **changed: Any) -> Event:
    value = {name: cell for name, cell in {**EVENT, **changed}.items() if cell != "absent"}
    return decode(value, None, "cloudevents", INTEGER if options is None else options)


def binary(value: object, options: dict[str, Any] | None = None, **changed: Any) -> Event:
    attributes = {
        name: cell
        for name, cell in {**EVENT, **changed}.items()
        if cell != "absent" and name != "data"
    }
    headers = (
        *((f"ce_{name}", cell) for name, cell in attributes.items()),
        ("content-type", "application/json"),
    )
    return decode(
        value, None, "cloudevents", INTEGER if options is None else options, headers=headers
    )


def order(new: Event, old: Event) -> Order:
    assert new.position is not None
    assert old.position is not None
    return new.position.compare(old.position, {})


def test_a_structured_event_puts_its_data_under_its_subject() -> None:
    found = of(time="2026-09-10T08:15:30.123456Z")

    assert (found.kind, found.table, found.key, found.fields, found.time) == (
        Kind.PUT,
        "shop.public.users",
        {"id": "42"},
        {"name": "Ana"},
        1789028130123456,
    )
    assert (found.position.scope, found.position.value) == ("cloudevents:https://crm.example", (9,))


def test_the_binary_mode_of_kafka_says_the_same_with_headers() -> None:
    straight, by_headers = of(), binary({"name": "Ana"})

    assert (by_headers.kind, by_headers.key, by_headers.fields, by_headers.position) == (
        straight.kind,
        straight.key,
        straight.fields,
        straight.position,
    )


def test_a_null_value_is_a_tombstone_in_binary_mode_and_nothing_in_structured_mode() -> None:
    assert (binary(None).kind, binary(None).key) == (Kind.DELETE, {"id": "42"})
    assert (
        open_envelope("cloudevents", **INTEGER).decode(delivery(None, None)).kind is Kind.MALFORMED
    )
    assert of(data=None).kind is Kind.NO_CONTENT


def test_a_type_that_matches_the_glob_deletes() -> None:
    options = {**INTEGER, "deleted_type": "*.deleted"}

    assert [
        of(options, type=text, data="absent").kind for text in ("user.deleted", "user.changed")
    ] == [Kind.DELETE, Kind.NO_CONTENT]


@pytest.mark.parametrize(
    ("sequence", "newer", "older"),
    [
        ("integer", "10", "9"),
        ("lexicographic", "9", "10"),
        ("integer32-wrap", "-2147483648", "2147483647"),
    ],
)
def test_how_sequence_is_compared_is_configured(sequence: str, newer: str, older: str) -> None:
    assert (
        order(
            of({"sequence": sequence}, sequence=newer), of({"sequence": sequence}, sequence=older)
        )
        is Order.NEWER
    )


@pytest.mark.parametrize(
    ("small", "great"), [("a", "b"), ("a", "aa"), ("Z", "a"), ("é", "ｆ"), ("￿", "\U00010000")]
)
def test_lexicographic_order_is_that_of_code_points(small: str, great: str) -> None:
    assert (
        order(
            of({"sequence": "lexicographic"}, sequence=great),
            of({"sequence": "lexicographic"}, sequence=small),
        )
        is Order.NEWER
    )


def test_sequences_of_two_sources_are_not_compared() -> None:
    assert order(of(source="a", sequence="2"), of(source="b", sequence="1")) is Order.UNDECIDED


def test_an_event_without_a_sequence_is_malformed_and_the_note_says_what_to_do() -> None:
    found = of(sequence="absent")

    assert (found.kind, found.key) == (Kind.MALFORMED, {"id": "42"})
    assert "sequence" in found.note
    assert "position" in found.note


def test_how_to_compare_must_be_said_unless_the_event_says_it() -> None:
    assert of({}).kind is Kind.MALFORMED
    assert 'sequence = "integer"' in of({}).note
    assert of({}, sequencetype="Integer", sequence="-5").position.value == (2**32 - 5,)
    assert of({}, sequencetype="Text").kind is Kind.MALFORMED


@pytest.mark.parametrize(
    ("sequence", "value"),
    [("integer", v) for v in ("", "x", "-1", "1.5", True, 1.5)]
    + [("integer32-wrap", v) for v in ("2147483648", "", "1.0", True, "²")]
    + [("lexicographic", v) for v in ("", 5, "x" * 251)],
)
def test_a_sequence_that_is_none_is_malformed(sequence: str, value: object) -> None:
    assert of({"sequence": sequence}, sequence=value).kind is Kind.MALFORMED


@pytest.mark.parametrize("lost", ["specversion", "id", "source", "type", "subject"])
@pytest.mark.parametrize("value", ["absent", "", None, 5])
def test_an_event_without_a_required_attribute_is_malformed(lost: str, value: object) -> None:
    assert of(**{lost: value}).kind is Kind.MALFORMED


@pytest.mark.parametrize("version", ["0.3", "1.1", 1.0])
def test_other_versions_are_refused(version: object) -> None:
    assert of(specversion=version).kind is Kind.MALFORMED


def test_data_may_come_in_base64_as_a_text_or_not_at_all() -> None:
    encoded = base64.b64encode(b'{"name":"Ana"}').decode()

    assert of(data="absent", data_base64=encoded).fields == {"name": "Ana"}
    assert of(data="absent", data_base64=base64.b64encode(b"\xff").decode()).fields == {
        "value": "base64:/w=="
    }
    assert of(data="plain").fields == {"value": "plain"}
    assert binary(b"plain").fields == {"value": "plain"}
    assert of(data="absent", dataref="https://blobs.example/1").note.endswith(
        "https://blobs.example/1"
    )
    assert {
        of(data_base64=encoded).kind,
        of(data="absent", data_base64="?").kind,
        binary(b'{"a":1,"a":2}').kind,
    } == {Kind.MALFORMED}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("partitionkey", {"id": "p"}),
        ("/user/id", {"id": 7}),
        (["/user/id", "/user/realm"], {"id": 7, "realm": "x"}),
        ({"user": "/user/id"}, {"user": 7}),
    ],
)
def test_the_key_may_be_the_partition_key_or_lie_in_the_data(
    key: object, expected: dict[str, Any]
) -> None:
    assert (
        of({**INTEGER, "key": key}, partitionkey="p", data={"user": {"id": 7, "realm": "x"}}).key
        == expected
    )


def test_a_tombstone_whose_key_lies_in_the_data_is_malformed() -> None:
    found = binary(None, {**INTEGER, "key": "/id"})

    assert found.kind is Kind.MALFORMED
    assert "subject" in found.note


@pytest.mark.parametrize("value", [[EVENT], [], "text", 5])
def test_a_batch_is_refused(value: object) -> None:
    assert decode(value, None, "cloudevents", INTEGER).kind is Kind.MALFORMED


def test_one_id_with_two_keys_is_two_events() -> None:
    first, second = of(subject="1"), of(subject="2")

    assert first.entity != second.entity


@pytest.mark.parametrize(
    "options",
    [
        {"sequence": "natural"},
        {"sequence": 5},
        {"key": "id"},
        {"key": []},
        {"deleted_type": 5},
        {"table": None},
        {"incarnation": 5},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        open_envelope("cloudevents", **options)


@pytest.mark.parametrize("where", ["/created_at", "createdat"])
def test_an_incarnation_lies_in_the_data_or_is_an_attribute(where: str) -> None:
    options = {**INTEGER, "incarnation": where}
    first = of(options, createdat="2026-01-01T00:00:00Z", data={"created_at": 5})
    second = of(options, createdat="2026-02-01T00:00:00Z", data={"created_at": 6}, sequence="1")

    assert order(second, first) is Order.NEWER
    assert second.position.scope == 'cloudevents:https://crm.example/{"id":"42"}'
    assert second.position.per_entity


def test_an_event_without_its_incarnation_is_malformed() -> None:
    found = of({**INTEGER, "incarnation": "/created_at"})

    assert (found.kind, found.key) == (Kind.MALFORMED, {"id": "42"})
