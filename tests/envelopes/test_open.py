"""Envelopes are opened by name; a wrong name or option is refused with what there is."""

from __future__ import annotations

from typing import Any

import pytest

from anyorder._core.event import Delivery, Event, Kind
from anyorder.envelopes import ENVELOPES, key_columns, needs_table, open_envelope
from anyorder.envelopes.envelope import BUG, Reader
from anyorder.errors import ConfigurationError
from tests.envelopes.samples import ORDERS


@pytest.mark.parametrize("name", ENVELOPES)
def test_every_envelope_opens_under_its_name(name: str) -> None:
    assert open_envelope(name, **(ORDERS if name == "json" else {})).name == name


@pytest.mark.parametrize("name", ["avro", "", "Debezium", None, 5])
def test_an_unknown_envelope_is_refused_and_the_known_ones_are_named(name: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="cloudevents, debezium, dynamodb_streams, eventbridge, json, raw"
    ):
        open_envelope(name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("debezium", {"tombstones": "hint"}),
        ("raw", {"position": "/x"}),
        ("eventbridge", {"key_": "x"}),
        ("json", {"Key": "/id"}),
    ],
)
def test_an_unknown_option_is_refused_and_the_known_ones_are_named(
    name: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match=r"has no option .*; it has: .*key"):
        open_envelope(name, **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("debezium", {"tombstone": "drop"}),
        ("debezium", {"key": ""}),
        ("debezium", {"placeholder": 5}),
        ("debezium", {"placeholder": "hex:xyz"}),
        ("raw", {"key": None}),
        ("eventbridge", {"inner": "x"}),
        ("eventbridge", {"dead_letter_topics": "dlq"}),
        ("eventbridge", {"dead_letter_topics": [5]}),
    ],
)
def test_an_option_whose_value_makes_no_sense_is_refused(
    name: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError):
        open_envelope(name, **options)


SUBJECT = {"key": "subject"}
ID = {"key": {"id": "/id"}}


@pytest.mark.parametrize(
    ("name", "options", "key", "columns", "more"),
    [
        ("debezium", {}, "id", ("id",), {"key": "id"}),
        ("debezium", {}, None, (), {}),
        ("raw", {}, ["a", "b"], ("a", "b"), {}),
        ("dynamodb_streams", {}, "pk", ("pk",), {}),
        ("json", {}, "/order/id", ("id",), {"key": {"id": "/order/id"}}),
        ("json", {}, "id", ("id",), ID),
        ("json", {}, {"number": "no"}, ("number",), {"key": {"number": "/no"}}),
        ("cloudevents", {}, "subject", (), SUBJECT),
        ("cloudevents", {}, "/id", ("id",), ID),
        ("cloudevents", {}, "id", ("id",), {}),
        ("eventbridge", {}, "id", ("id",), {"key": "id"}),
        ("eventbridge", {"inner": "json"}, "/id", ("id",), ID),
        ("eventbridge", {"inner": "cloudevents"}, "subject", (), SUBJECT),
    ],
)
def test_an_envelope_says_what_a_key_means_to_it(
    name: str, options: dict[str, Any], key: Any, columns: tuple[str, ...], more: dict[str, Any]
) -> None:
    assert key_columns(name, key, options) == (columns, {**options, **more})


@pytest.mark.parametrize(
    ("name", "options", "key", "sentence"),
    [
        ("debezium", {}, "/id", "the debezium envelope takes column names as key, not pointers"),
        ("eventbridge", {"inner": "raw"}, {"a": "/b"}, "the raw envelope takes column names"),
        ("json", {}, None, "JSON documents need a key"),
        ("xml", {}, "id", "no envelope 'xml'"),
        ("eventbridge", {"inner": "eventbridge"}, "id", "not eventbridge itself"),
    ],
)
def test_a_key_that_an_envelope_does_not_take_is_refused(
    name: str, options: dict[str, Any], key: Any, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        key_columns(name, key, options)


def test_only_documents_need_to_be_told_their_table() -> None:
    assert [name for name in ENVELOPES if needs_table(name)] == ["json"]


def test_eventbridge_is_not_inside_itself() -> None:
    with pytest.raises(ConfigurationError, match="not eventbridge itself"):
        open_envelope("eventbridge", inner="eventbridge")


def test_a_bug_in_a_decoder_is_malformed_and_loud_and_stops_nothing() -> None:
    class Broken(Reader):
        name = "broken"

        def read(self, delivery: Delivery) -> Event:
            raise KeyError("x")

        def key_of(self, delivery: Delivery) -> Any:
            raise ZeroDivisionError

    found = Broken().decode(Delivery("t", value=b"v"))

    assert (found.kind, found.table, found.key, found.delivery.value) == (
        Kind.MALFORMED,
        "t",
        None,
        b"v",
    )
    assert found.note.startswith(BUG)
    assert "KeyError" in found.note
