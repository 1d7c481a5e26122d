"""The Lambda function: every kind of event, partial failures, the remaining time; called directly
and by AWS's own runtime client."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.aws import LambdaHandler, lambda_handler
from anyorder.errors import ConfigurationError, OutOfTime, StoreError
from anyorder.guests.lambda_events import arrivals
from tests.aws.connector import event_of, kafka_event, kinesis_event, sqs_event
from tests.envelopes.samples import deliveries
from tests.parts.lambda_runtime import Failed, LambdaRuntime
from tests.streams import RUN, final_rows, record, stream, tombstone, unordered

ANA = {"id": 7, "name": "Ana"}
NOTHING: dict[str, Any] = {"batchItemFailures": []}


class Clock:
    """Lambda's context, as far as we need it."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - time.monotonic()) * 1000))


class Made:
    """A handler over a table in a SQLite file."""

    def __init__(self, path: Path, envelope: str = "eventbridge", **options: Any) -> None:
        self.path = path / "app.db"
        self.table = anyorder.table(f"sqlite:///{self.path}", "users", envelope=envelope, **options)
        self.handler = lambda_handler(self.table)

    def rows(self) -> dict[int, dict[str, object]]:
        database = sqlite3.connect(self.path)
        database.row_factory = sqlite3.Row
        return {row["id"]: dict(row) for row in database.execute("SELECT * FROM users")}


def failed(answer: dict[str, Any]) -> list[str]:
    return [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]


def test_sqs_messages_are_applied_in_any_order(tmp_path: Path) -> None:
    made, records = Made(tmp_path), list(stream(300, 25, seed=1))
    delivered = unordered(records)
    for start in range(0, len(delivered), 10):
        messages = [
            (f"m{start}-{place}", event_of(one))
            for place, one in enumerate(delivered[start : start + 10])
        ]
        assert made.handler(sqs_event(messages), Clock(30)) == NOTHING

    assert made.rows() == final_rows(records)
    assert made.handler.report.read == len(delivered)


def test_a_single_event_of_eventbridge(tmp_path: Path) -> None:
    made = Made(tmp_path)

    assert made.handler(json.loads(event_of(record(7, "c", 10, after=ANA))), Clock(30)) == NOTHING
    assert made.rows() == {7: ANA}


def test_kafka_records_with_tombstones_and_headers(tmp_path: Path) -> None:
    made = Made(tmp_path, "debezium")
    records: list[dict[str, Any]] = [
        record(7, "c", 10, after={**ANA, "name": "Ánà"}),
        record(8, "c", 20, after={**ANA, "id": 8}),
        record(8, "d", 30),
    ]
    assert made.handler(kafka_event([*records, tombstone(records[2])]), Clock(30)) == NOTHING

    assert made.rows() == {7: {**ANA, "name": "Ánà"}}
    (arrival, *_) = arrivals(kafka_event(records))
    assert arrival.delivery == anyorder.Delivery(
        topic="app.public.users",
        partition=0,
        offset=10,
        timestamp=records[0]["timestamp"],
        timestamp_type="CreateTime",
        key=records[0]["key"].encode(),
        value=records[0]["value"].encode(),
        headers=tuple(map(tuple, records[0]["headers"])),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("signed", [True, False])
def test_a_kafka_header_that_is_not_ascii_and_one_without_a_value(
    tmp_path: Path, signed: bool
) -> None:
    """A header's octets are UTF-8, whether they are spelled -128..127 or 0..255; the run that a
    header beside them names is the event's."""
    made, told = Made(tmp_path, "debezium"), record(7, "c", 10, after=ANA)
    headers = [
        ["empty", None],
        ["ville", "Orléans"],
        ["__debezium.context.runId", RUN],
        ["clé", "é"],
    ]
    event = kafka_event([{**told, "headers": headers}])
    (found,) = event["records"]["app.public.users-0"]
    if not signed:
        found["headers"] = [
            {name: octets and [octet % 256 for octet in octets]}
            for header in found["headers"]
            for name, octets in header.items()
        ]
    (arrival,) = arrivals(event)
    (decoded,) = made.table.decode([arrival.delivery])

    assert [list(header) for header in arrival.delivery.headers] == headers
    assert decoded.position.run == RUN  # type: ignore[union-attr]
    assert made.handler(event, Clock(30)) == NOTHING
    assert made.rows() == {7: ANA}


def test_a_kafka_header_that_is_no_text_costs_nothing_but_itself(tmp_path: Path) -> None:
    made, event = Made(tmp_path, "debezium"), kafka_event([record(7, "c", 10, after=ANA)])
    event["records"]["app.public.users-0"][0]["headers"].append({"key": [-1, -61]})

    assert made.handler(event, Clock(30)) == NOTHING
    assert made.rows() == {7: ANA}


def test_kinesis_records(tmp_path: Path) -> None:
    options = {"key": "/id", "position": "/version"}
    made = Made(tmp_path, "json", table="users", **options)
    event = kinesis_event([("49", '{"id":7,"version":2}'), ("50", '{"id":7,"version":1}')])

    assert made.handler(event, Clock(30)) == NOTHING
    assert made.rows() == {7: {"id": 7, "version": 2}}


def test_dynamodb_streams_records(tmp_path: Path) -> None:
    made = Made(tmp_path, "dynamodb_streams")
    created, changed, gone, _ = (
        json.loads(delivery.value or b"") for delivery in deliveries("dynamodb_streams")
    )

    assert made.handler({"Records": [changed, created]}, Clock(30)) == NOTHING
    assert made.rows()[101]["name"] == "Ana M"
    assert made.handler({"Records": [gone, created]}, Clock(30)) == NOTHING
    assert made.rows() == {}


def test_a_list_of_records_as_pipes_sends_it(tmp_path: Path) -> None:
    made = Made(tmp_path)
    messages = sqs_event([("m1", event_of(record(7, "c", 10, after=ANA)))])["Records"]

    assert made.handler(messages, Clock(30)) == NOTHING
    assert made.rows() == {7: ANA}


def parsed(format: str, text: str) -> object:
    """A record as Lambda's runtime hands it over where no service packed it: parsed, with the JSON
    text somewhere in its row."""
    value = json.loads(text)
    if format == "dynamodb_streams":
        change = json.loads(deliveries("dynamodb_streams")[0].value or b"")
        image = {**change["dynamodb"]["NewImage"], "name": {"S": value}}
        return {"Records": [{**change, "dynamodb": {**change["dynamodb"], "NewImage": image}}]}
    event = json.loads(event_of(record(7, "c", 10, after={**ANA, "name": value})))
    return [event] if format == "pipes" else event


@pytest.mark.parametrize("text", ['"\\ud800"', "1e400"], ids=["half a pair", "beyond a double"])
@pytest.mark.parametrize("format", ["eventbridge", "pipes", "dynamodb_streams"])
def test_what_lambda_parsed_and_json_cannot_say_is_quarantined(
    tmp_path: Path, format: str, text: str
) -> None:
    """A lone surrogate is no exception for ever, and a number beyond a double is no null: both are
    malformed, and kept."""
    made = Made(tmp_path, "dynamodb_streams" if format == "dynamodb_streams" else "eventbridge")

    assert made.handler(parsed(format, text), Clock(30)) == NOTHING
    assert (made.handler.report.applied, made.handler.report.quarantined) == (0, {"malformed": 1})


def test_a_body_that_is_an_object_already_is_read(tmp_path: Path) -> None:
    """Pipes may hand on a message whose JSON body it has parsed: it is the same event."""
    made, told = Made(tmp_path), json.loads(event_of(record(7, "c", 10, after=ANA)))

    assert made.handler(sqs_event([("m1", told)])["Records"], Clock(30)) == NOTHING
    assert made.rows() == {7: ANA}


def test_bad_records_are_quarantined_with_their_bytes_and_have_not_failed(tmp_path: Path) -> None:
    made = Made(tmp_path)
    good = event_of(record(7, "c", 10, after=ANA))

    assert (
        made.handler(sqs_event([("m1", "not json"), ("m2", good), ("m3", "{}")]), Clock(30))
        == NOTHING
    )
    assert made.rows() == {7: ANA}
    held = [
        made.table.quarantine.show(entry.id).delivery for entry in made.table.quarantine.entries()
    ]
    assert {delivery.value for delivery in held if delivery is not None} == {b"not json", b"{}"}


def test_data_that_is_no_base64_is_quarantined(tmp_path: Path) -> None:
    made = Made(tmp_path, "debezium")
    event = kinesis_event([("1", "x")])
    event["Records"][0]["kinesis"]["data"] = "%%%"

    assert made.handler(event, Clock(30)) == NOTHING
    assert made.handler.report.quarantined == {"malformed": 1}


class Breaking:
    """A table's store that fails, or takes its time, from some transaction on."""

    def __init__(self, handler: LambdaHandler, after: int, seconds: float = 0.0) -> None:
        self._store, self._left, self._seconds = handler.table.store, after, seconds
        self.calls = 0
        handler.table.store = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def transaction(self, now: float, *, dry: bool = False) -> Any:
        self.calls += 1
        if self.calls > self._left and not self._seconds:
            raise StoreError("DynamoDB refuses to write: AccessDenied")
        if self.calls > self._left:
            time.sleep(self._seconds)
        return self._store.transaction(now, dry=dry)


def messages_of(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(f"m{place}", event_of(one)) for place, one in enumerate(records)]


def test_a_store_that_fails_in_the_middle_fails_the_rest_which_then_comes_again(
    tmp_path: Path,
) -> None:
    made, records = Made(tmp_path), list(stream(350, 40, seed=2))
    messages = messages_of(records)
    broken = Breaking(made.handler, after=2)
    answer = made.handler(sqs_event(messages), Clock(30))

    assert failed(answer) == [identifier for identifier, _ in messages[200:]]
    made.handler.table.store = broken._store
    again = set(failed(answer))
    assert (
        made.handler(sqs_event([one for one in messages if one[0] in again]), Clock(30)) == NOTHING
    )
    assert made.rows() == final_rows(records)


def test_kinesis_and_dynamodb_streams_fail_by_sequence_number(tmp_path: Path) -> None:
    kinesis, streams = (
        Made(tmp_path, "json", table="users", key="/id", position="/version"),
        Made(tmp_path, "dynamodb_streams"),
    )
    Breaking(kinesis.handler, after=1)
    Breaking(streams.handler, after=1)
    change = json.loads(deliveries("dynamodb_streams")[0].value or b"")
    numbers = [str(number) for number in range(130)]
    records = [
        {**change, "dynamodb": {**change["dynamodb"], "SequenceNumber": number}}
        for number in numbers
    ]

    assert (
        failed(kinesis.handler(kinesis_event([(number, "{}") for number in numbers]), Clock(30)))
        == numbers[100:]
    )
    assert failed(streams.handler({"Records": records}, Clock(30))) == numbers[100:]


def test_where_nothing_was_decided_the_failure_is_raised_for_want_of_partial_answers(
    tmp_path: Path,
) -> None:
    """A mapping without ReportBatchItemFailures takes any answer for success, and deletes what
    failed."""
    made = Made(tmp_path)
    Breaking(made.handler, after=0)

    with pytest.raises(StoreError, match="AccessDenied"):
        made.handler(sqs_event(messages_of([record(7, "c", 10, after=ANA)])), Clock(30))


@pytest.mark.parametrize(
    "event",
    [
        kafka_event([record(7, "c", 10, after=ANA)]),
        json.loads(event_of(record(7, "c", 10, after=ANA))),
    ],
)
def test_where_no_partial_answer_is_possible_the_failure_is_raised(
    tmp_path: Path, event: dict[str, Any]
) -> None:
    made = Made(tmp_path)
    Breaking(made.handler, after=0)

    with pytest.raises(StoreError, match="AccessDenied"):
        made.handler(event, Clock(30))


def test_what_does_not_fit_into_the_remaining_time_is_delivered_again(tmp_path: Path) -> None:
    made, records = Made(tmp_path), list(stream(1000, 50, seed=3))
    messages = messages_of(records)
    slow = Breaking(made.handler, after=0, seconds=0.4)
    began = time.monotonic()
    answer = made.handler(sqs_event(messages), Clock(2.5))

    assert time.monotonic() - began < 2.5
    assert failed(answer) == [identifier for identifier, _ in messages[100 * slow.calls :]]
    assert 1 <= slow.calls <= 5


def test_without_any_time_nothing_is_begun(tmp_path: Path) -> None:
    made = Made(tmp_path)

    for event in (sqs_event([("m1", "{}")]), kafka_event([record(7, "c", 10, after=ANA)])):
        with pytest.raises(OutOfTime):
            made.handler(event, Clock(0.1))
    assert made.handler.report.read == 0


class Hanging(Breaking):
    """A table's store whose transactions after some wait until `end` is called. `calls`: how many
    were begun."""

    def __init__(self, handler: LambdaHandler, after: int = 0) -> None:
        super().__init__(handler, after)
        self._ended = threading.Event()

    def transaction(self, now: float, *, dry: bool = False) -> Any:
        self.calls += 1
        if self.calls > self._left:
            assert self._ended.wait(60)
        return self._store.transaction(now, dry=dry)

    def end(self) -> None:
        self._ended.set()


def invoked(made: Made, messages: list[tuple[str, str]], seconds: float) -> list[str]:
    """What Lambda delivers again, told within the seconds that the handler has: what is given back,
    or all of it where it raises."""
    began = time.monotonic()
    try:
        found = failed(made.handler(sqs_event(messages), Clock(seconds)))
    except OutOfTime:
        found = [identifier for identifier, _ in messages]
    assert time.monotonic() - began < seconds
    return found


def test_a_store_that_hangs_does_not_take_the_invocation_with_it(tmp_path: Path) -> None:
    """What is not done is given back in time, and while it hangs no invocation begins anything on
    top of it."""
    made, records = Made(tmp_path), list(stream(250, 30, seed=9))
    messages = messages_of(records)
    every = [identifier for identifier, _ in messages]
    hanging = Hanging(made.handler, after=1)

    assert invoked(made, messages, 1.5) == every[100:]
    assert hanging.calls == 2
    for _ in range(3):
        assert invoked(made, messages[100:], 0.8) == every[100:]
    with pytest.raises(OutOfTime):
        made.handler(kafka_event(records[:1]), Clock(0.8))
    assert hanging.calls == 2
    hanging.end()
    assert invoked(made, messages[100:], 30) == []
    assert hanging.calls == 4
    assert made.rows() == final_rows(records)


def test_a_store_that_hangs_and_then_fails_is_asked_again(tmp_path: Path) -> None:
    """The end of what hung, whatever it is, does not fail the invocation that waited for it."""
    made = Made(tmp_path)
    messages = messages_of([record(7, "c", 10, after=ANA)])
    hanging = Hanging(made.handler)
    store, hanging._store = hanging._store, None  # type: ignore[assignment]

    assert invoked(made, messages, 0.8) == ["m0"]
    hanging.end()
    made.handler.table.store = store
    assert invoked(made, messages, 30) == []
    assert made.rows() == {7: ANA}


@pytest.mark.parametrize(
    "event",
    [{"Records": [{"eventSource": "aws:s3"}]}, {"a": 1}, "text", {"Records": ["x"]}, [5], None],
)
def test_an_event_of_another_source_is_refused_and_acknowledges_nothing(
    tmp_path: Path, event: object
) -> None:
    with pytest.raises(ConfigurationError, match="no event of SQS"):
        Made(tmp_path).handler(event, Clock(30))


def test_a_handler_needs_a_table_and_an_envelope_that_exists(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"anyorder.table"):
        lambda_handler("users")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="no envelope 'avro'"):
        lambda_handler(Made(tmp_path).table, envelope="avro")


def test_an_envelope_other_than_the_tables_own(tmp_path: Path) -> None:
    made = Made(tmp_path, "debezium")
    handler = lambda_handler(made.table, envelope="eventbridge")

    assert (
        handler(sqs_event([("m1", event_of(record(7, "c", 10, after=ANA)))]), Clock(30)) == NOTHING
    )
    assert made.rows() == {7: ANA}


def test_what_the_quarantine_holds_of_a_handler_with_an_envelope_of_its_own_can_be_accepted(
    tmp_path: Path,
) -> None:
    """The envelope that the handler is given is the table's from then on, so what is held is read
    as it was read when it came."""
    made = Made(tmp_path, "debezium", retention=0)
    handler = lambda_handler(made.table, envelope="eventbridge")
    handler(sqs_event([("m1", event_of(record(7, "d", 20)))]), Clock(30))
    handler(sqs_event([("m2", event_of(record(7, "c", 10, after=ANA)))]), Clock(30))
    (entry,) = made.table.quarantine.entries()

    assert entry.reason == "late"
    assert "applied" in made.table.quarantine.accept(entry.id)
    assert made.rows() == {7: ANA}


def test_the_tables_own_envelope_said_again_keeps_its_options(tmp_path: Path) -> None:
    """Pointers that the table was made with are not lost to a handler that only repeats the
    envelope's name."""
    made = Made(tmp_path, "json", key="/id", position="/version")
    handler = lambda_handler(made.table, envelope="json")

    assert handler(sqs_event([("m1", '{"id":7,"version":2}')]), Clock(30)) == NOTHING
    assert made.rows() == {7: {"id": 7, "version": 2}}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[LambdaRuntime]:
    """AWS's runtime client with the function of functions.py over a SQLite file."""
    (tmp_path / "function.py").write_text(
        "from tests.aws.functions import handler\n", encoding="utf-8"
    )
    variables = {
        "ANYORDER_URL": f"sqlite:///{tmp_path}/app.db",
        "ANYORDER_ENVELOPE": "eventbridge",
        "PYTHONPATH": ":".join(_paths()),
    }
    found = LambdaRuntime(tmp_path, "function.handler", variables)
    yield found
    found.stop()


def _paths() -> list[str]:
    root = Path(__file__).parents[2]
    return [str(root), str(root / "src")]


def test_awss_own_runtime_client_calls_the_handler(runtime: LambdaRuntime, tmp_path: Path) -> None:
    records = list(stream(200, 20, seed=4))
    delivered = unordered(records)
    answers = [
        runtime.invoke(sqs_event(messages_of(delivered[start : start + 10])))
        for start in range(0, len(delivered), 10)
    ]
    bad = runtime.invoke(sqs_event([("m", "no json")]))

    assert answers == [NOTHING] * len(answers)
    assert bad == NOTHING
    made = Made(tmp_path)
    assert made.rows() == final_rows(records)
    with pytest.raises(Failed, match="ConfigurationError"):
        runtime.invoke({"Records": [{"eventSource": "aws:s3"}]})
    print(f"cold start {runtime.cold_start:.2f} s")
