"""What goes wrong between us and AWS: credentials, refusals, interruptions; and which tables and
indexes are read."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, StoreBusy, StoreError
from anyorder.guard.contract import TableSpec
from anyorder.stores.dynamodb import requests as dynamodb_requests
from anyorder.stores.dynamodb.floors import DAY
from anyorder.stores.dynamodb.items import EXPIRES, MEMORY, SINCE, KeySchema
from anyorder.stores.dynamodb.requests import Requests, raise_for
from anyorder.stores.dynamodb.schema import create_table, wait_until_active
from anyorder.stores.dynamodb.tables import TableShape
from anyorder.testing.bench import Bench
from anyorder.testing.change import delete, put
from tests.stores.dynamodb_place import dynamodb_place

WEEK = TableSpec("kit", ("id",), retention=7 * DAY)


def error_of(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "sorry"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "PutItem",
    )  # type: ignore[typeddict-item]


def botocore_error(name: str, **words: str) -> BotoCoreError:
    """By name: an older botocore, or its stubs, may not know it."""
    found: BotoCoreError = getattr(botocore.exceptions, name)(**words)
    return found


class Failing:
    """A client whose puts raise these errors in turn, the last one for ever; None is an answer."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors = list(errors)
        self.calls = 0

    def put_item(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        error = self._errors.pop(0) if len(self._errors) > 1 else self._errors[0]
        if error is not None:
            raise error
        return {}

    describe_table = put_item


class Changed:
    """A client that behaves otherwise in some operations."""

    def __init__(self, client: Any, **operations: Any) -> None:
        self._client = client
        self.__dict__.update(operations)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries end at once."""
    monkeypatch.setattr(dynamodb_requests, "PATIENCE", 0.05)


# ---- errors


@pytest.mark.parametrize(
    "error",
    [
        botocore_error("NoCredentialsError"),
        botocore_error("NoRegionError"),
        botocore_error("UnauthorizedSSOTokenError"),
        botocore_error("SSOTokenLoadError", error_msg="no file"),
        botocore_error("TokenRetrievalError", provider="sso", error_msg="Token has expired"),
        botocore_error("CredentialRetrievalError", provider="process", error_msg="expired"),
        botocore_error("PartialCredentialsError", provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        botocore_error("NoAuthTokenError"),
        error_of("UnrecognizedClientException"),
        error_of("InvalidSignatureException"),
        error_of("ExpiredTokenException"),
        error_of("MissingAuthenticationTokenException"),
        error_of("IncompleteSignatureException"),
    ],
    ids=lambda error: (
        error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    ),
)
@pytest.mark.usefixtures("impatient")
def test_bad_credentials_are_said_at_once(error: Exception) -> None:
    """No retry makes them good: one request, and a sentence that says what to renew."""
    client = Failing(error)
    with pytest.raises(ConfigurationError, match="renew the credentials") as raised:
        Requests(client, 2).call("put_item")
    assert "put_item" in str(raised.value)
    assert client.calls == 1


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (error_of("ThrottlingException"), "raise the table's capacity"),
        (error_of("TransactionConflictException"), "other writers"),
        (error_of("InternalServerError", 500), "cannot be reached, or its servers fail"),
        (
            botocore_error("EndpointConnectionError", endpoint_url="http://nowhere"),
            "cannot be reached, or its servers fail",
        ),
    ],
    ids=["throttled", "conflict", "server", "network"],
)
@pytest.mark.usefixtures("impatient")
def test_after_the_patience_the_advice_fits_the_cause(error: Exception, advice: str) -> None:
    """More capacity helps against throttling only."""
    client = Failing(error)
    with pytest.raises(StoreBusy, match=advice) as busy:
        Requests(client, 2).call("put_item")
    assert ("capacity" in str(busy.value)) == (advice == "raise the table's capacity")
    assert client.calls > 1


def test_another_regions_write_is_waited_for() -> None:
    """A strongly consistent global table refuses what another Region is writing; AWS says: try
    again."""
    client = Failing(error_of("ReplicatedWriteConflictException"), None)
    answer = Requests(client, 2).call("put_item")
    assert (answer.code, answer.repeated, client.calls) == ("", False, 2)


def test_what_is_not_permitted_names_the_operation() -> None:
    """A missing permission is the store's refusal, no bad credentials: whoever grants it must know
    which."""
    answer = Requests(Failing(error_of("AccessDeniedException")), 2).call("put_item")
    with pytest.raises(StoreError, match=r"forget a tombstone .*put_item.*AccessDeniedException"):
        raise_for(answer, "forget a tombstone")


def test_a_table_that_may_not_be_described_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two minutes do not grant a permission."""
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waited"))
    with pytest.raises(StoreError, match="describe table orders"):
        wait_until_active(Requests(Failing(error_of("AccessDeniedException")), 2), "orders")


# ---- interruptions


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C is a KeyboardInterrupt, whoever runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_after_ctrl_c_nothing_begins() -> None:
    """Queued writes do not go on behind the back of whoever stopped the run."""
    requests, begun, interrupted = Requests(Failing(None), 1), [], threading.Event()

    def write(number: int) -> None:
        begun.append(number)
        if number == 0:
            time.sleep(0.2)  # until all are queued
            os.kill(os.getpid(), signal.SIGINT)
        interrupted.wait(30)

    with pytest.raises(KeyboardInterrupt):
        requests.each(write, range(50))
    interrupted.set()
    requests._pool.shutdown(wait=True)
    assert begun == [0]


def test_closing_leaves_what_has_not_begun() -> None:
    """The same for whoever closes the store while another thread writes."""
    requests, begun, closed = Requests(Failing(None), 1), [], threading.Event()

    def write(number: int) -> None:
        begun.append(number)
        closed.wait(30)

    for number in range(50):
        requests._pool.submit(write, number)
    requests.close()
    closed.set()
    requests._pool.shutdown(wait=True)
    assert begun in ([], [0])


# ---- first starts


def test_two_first_starts_at_once(dynamodb_local: Any) -> None:
    """Another process makes the table and switches its TTL on between our look and our own
    requests: both go on."""
    with Bench("first starts", lambda: dynamodb_place(dynamodb_local, forget="ttl"), WEEK) as bench:
        store: Any = bench.store

        def create(**arguments: Any) -> Any:
            dynamodb_local.create_table(**arguments)
            if arguments["TableName"] == store.parts.tables.name_of("kit"):
                switch_on_ttl(dynamodb_local, arguments["TableName"])
            return dynamodb_local.create_table(**arguments)

        store.parts.requests.client = Changed(dynamodb_local, create_table=create)
        assert bench.deliver([put(1, 1)], now=1000 * DAY) == [Reason.APPLIED]
        assert list(store.check(WEEK)) == []


def test_a_ttl_that_is_refused_and_not_on_is_an_error(dynamodb_local: Any) -> None:
    """Only a TTL that is on excuses the refusal."""

    def refuse(**_: Any) -> Any:
        raise error_of("ValidationException")

    with Bench("first starts", lambda: dynamodb_place(dynamodb_local, forget="ttl"), WEEK) as bench:
        store: Any = bench.store
        store.parts.requests.client = Changed(dynamodb_local, update_time_to_live=refuse)
        with pytest.raises(StoreError, match="switch on TTL"):
            bench.deliver([put(1, 1)], now=1000 * DAY)


def test_a_table_that_cannot_be_made_says_why() -> None:
    """Any refusal but "it is there already"."""

    class Forbidden:
        def create_table(self, **_: Any) -> None:
            raise error_of("AccessDeniedException")

    with pytest.raises(
        StoreError, match=r"make table orders .*create_table.*AccessDeniedException"
    ):
        create_table(Requests(Forbidden(), 2), "orders", [("id", "S")])


# ---- the index of tombstones


def index(projection: dict[str, Any], *keys: str) -> dict[str, Any]:
    schema = [
        {"AttributeName": name, "KeyType": role}
        for name, role in zip(keys or (SINCE,), ("HASH", "RANGE"), strict=False)
    ]
    return {"IndexName": SINCE, "KeySchema": schema, "Projection": projection}


ALL: dict[str, Any] = {"ProjectionType": "ALL"}
KEYS_ONLY: dict[str, Any] = {"ProjectionType": "KEYS_ONLY"}
MEMORIES: dict[str, Any] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [MEMORY]}
OTHERS: dict[str, Any] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"]}


def make_user_table(client: Any, name: str, *indexes: dict[str, Any]) -> None:
    """As a user makes it."""
    attributes = [{"AttributeName": "id", "AttributeType": "N"}] + [
        {"AttributeName": SINCE, "AttributeType": "N"}
    ] * bool(indexes)
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    more: dict[str, Any] = {"GlobalSecondaryIndexes": list(indexes)} if indexes else {}
    client.create_table(
        TableName=name,
        KeySchema=key,
        AttributeDefinitions=attributes,
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def switch_on_ttl(client: Any, name: str) -> None:
    client.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES}
    )


def test_a_tombstone_that_an_index_hides_is_noted_all_the_same(dynamodb_local: Any) -> None:
    """An index of keys only carries no memories: the note reads the table, so a create that comes
    after DynamoDB's TTL is late, not a resurrection."""
    with Bench("keys only", lambda: dynamodb_place(dynamodb_local, forget="ttl"), WEEK) as bench:
        name = bench.store.parts.tables.name_of("kit")  # type: ignore[attr-defined]
        # without TTL: by our clock the server's would come at once
        make_user_table(dynamodb_local, name, index(KEYS_ONLY))
        bench.deliver([put(2, 1), put(1, 1)], now=1000 * DAY)
        bench.deliver([delete(1, 5)], now=1000 * DAY + 1)
        for day in range(1001, 1016):
            bench.store.reap(WEEK, (day - 7) * DAY, 1000)
        dynamodb_local.delete_item(TableName=name, Key={"id": {"N": "1"}})  # DynamoDB's TTL
        bench.delivered.clear()
        assert bench.deliver([put(1, 1)], now=1015 * DAY + 10) == [Reason.LATE]


@pytest.mark.parametrize(
    ("projection", "words"),
    [
        (KEYS_ONLY, "does not project anyorder_memory"),
        (OTHERS, "does not project anyorder_memory"),
        (MEMORIES, ""),
        (ALL, ""),
    ],
)
def test_doctor_looks_at_what_the_index_carries(
    dynamodb_local: Any, projection: dict[str, Any], words: str
) -> None:
    """An index that cannot be used is a finding, and the advice names the projection."""
    with Bench("doctor", lambda: dynamodb_place(dynamodb_local), WEEK) as bench:
        store: Any = bench.store
        make_user_table(dynamodb_local, store.parts.tables.name_of("kit"), index(projection))
        findings = [(finding, to_do) for _, finding, to_do in store.check(WEEK)]
        assert len(findings) == bool(words)
        for finding, to_do in findings:
            assert words in finding
            assert "INCLUDE with the attribute anyorder_memory" in to_do


@pytest.mark.parametrize(
    ("found", "kind", "usable"),
    [
        ({**index(MEMORIES), "IndexStatus": "ACTIVE"}, "N", True),
        ({**index(MEMORIES), "IndexStatus": "ACTIVE", "Backfilling": False}, "N", True),
        ({**index(ALL), "IndexStatus": "ACTIVE"}, "N", True),
        ({**index(MEMORIES), "IndexStatus": "ACTIVE", "Backfilling": True}, "N", False),
        ({**index(MEMORIES), "IndexStatus": "CREATING"}, "N", False),
        ({**index(MEMORIES), "IndexStatus": "DELETING"}, "N", False),
        ({**index(KEYS_ONLY), "IndexStatus": "ACTIVE"}, "N", False),
        ({**index(OTHERS), "IndexStatus": "ACTIVE"}, "N", False),
        ({**index(ALL), "IndexStatus": "ACTIVE"}, "S", False),
        ({**index(ALL, SINCE, "total"), "IndexStatus": "ACTIVE"}, "N", False),
        ({**index(ALL, "total", SINCE), "IndexStatus": "ACTIVE"}, "N", False),
        ({**index(ALL), "IndexName": "mine", "IndexStatus": "ACTIVE"}, "N", False),
    ],
)
def test_only_an_index_that_holds_every_tombstone_is_read(
    found: dict[str, Any], kind: str, usable: bool
) -> None:
    """Complete, by the number alone, and with the memories; of any other one the table itself is
    read."""
    described = {
        "AttributeDefinitions": [{"AttributeName": SINCE, "AttributeType": kind}],
        "GlobalSecondaryIndexes": [found],
    }
    assert TableShape("kit", KeySchema((("id", "N"),)), described).indexed is usable


def test_an_index_is_read_once_it_is_built(dynamodb_local: Any) -> None:
    """While it is being built it is not read, and it is not thought absent for ever."""
    state, read = {"IndexStatus": "CREATING", "Backfilling": True}, []

    def describe(**arguments: Any) -> Any:
        answer = dynamodb_local.describe_table(**arguments)
        for found in answer["Table"].get("GlobalSecondaryIndexes", ()):
            found.update(state)
        return answer

    def scan(**arguments: Any) -> Any:
        read.append(arguments.get("IndexName"))
        return dynamodb_local.scan(**arguments)

    with Bench("index", lambda: dynamodb_place(dynamodb_local), WEEK) as bench:
        store: Any = bench.store
        store.parts.requests.client = Changed(dynamodb_local, describe_table=describe)
        bench.deliver([delete(1, 5)], now=1000 * DAY)
        assert "not ready (CREATING)" in " ".join(finding for _, finding, _ in store.check(WEEK))
        store.parts.requests.client = Changed(dynamodb_local, describe_table=describe, scan=scan)
        first = list(store.parts.tables.tombstones("kit", 1001 * DAY))
        state.update({"IndexStatus": "ACTIVE", "Backfilling": False})
        assert first == list(store.parts.tables.tombstones("kit", 1001 * DAY)) != []
        assert read == [None, SINCE]


def test_a_tombstone_without_its_memory_stops_the_reaper(dynamodb_local: Any) -> None:
    """It would be in no floor, while the note says that all are."""
    with Bench("no memory", lambda: dynamodb_place(dynamodb_local), WEEK) as bench:
        store: Any = bench.store
        bench.deliver([put(1, 1)], now=1000 * DAY)
        dynamodb_local.put_item(
            TableName=store.parts.tables.name_of("kit"), Item={"id": {"N": "2"}, SINCE: {"N": "5"}}
        )
        with pytest.raises(
            StoreError, match=r'\{"id":2\} has anyorder_since but no anyorder_memory'
        ):
            list(store.parts.tables.tombstones("kit", 1001 * DAY))


def test_requests_after_closing_are_refused_in_a_sentence() -> None:
    requests = Requests(Failing(None), 4)
    requests.close()

    with pytest.raises(StoreError, match="was closed here"):
        requests.call("put_item")
    with pytest.raises(StoreError, match="was closed here"):
        requests.each(str, [1, 2])


def test_a_thread_that_meets_the_closing_is_told_in_a_sentence() -> None:
    requests = Requests(Failing(None), 1)
    begun = threading.Event()

    def slow(_: int) -> None:
        begun.set()
        time.sleep(0.05)

    def close() -> None:
        begun.wait()
        requests.close()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(StoreError, match="was closed here"):
        requests.each(slow, range(50))
    closing.join()


def test_requests_in_a_forked_process_are_refused_in_a_sentence() -> None:
    requests = Requests(Failing(None), 4)
    requests._process -= 1

    with pytest.raises(StoreError, match="after the fork"):
        requests.each(str, [1, 2])
