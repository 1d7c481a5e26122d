"""What a stream costs on DynamoDB, beside Powertools' idempotency around a last-write handler: the
goals of `python -m bench.aws_cost`, small."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import Any

import pytest
from bench.aws_cost import cost, differences, goals, make_stream
from bench.aws_meter import Meter, consumed, write_units
from bench.aws_sides import Rows, anyorder_side, make_table, powertools_side

from tests.parts.dynamodb import make_local_client
from tests.parts.service import missing

# What is recorded once a table (its source, the kinds of its key) weighs little by then.
FEW = make_stream(900, 90)


def test_the_goals_hold_on_a_small_stream(dynamodb_local: Any) -> None:
    """At most 1.05 write units an applied event with nothing forgotten, at most half of Powertools'
    requests, and not one wrong row."""
    if importlib.util.find_spec("aws_lambda_powertools") is None:
        missing("powertools", "pip install aws-lambda-powertools")
    endpoint = dynamodb_local.meta.endpoint_url
    ours, theirs = cost(anyorder_side, endpoint, FEW), cost(powertools_side, endpoint, FEW)

    assert theirs.applied == 900
    assert sum(theirs.wrong) > 0, "a stream on which a last-write handler is right shows nothing"
    for name, (figure, most) in goals(ours, theirs).items():
        assert figure <= most, name


def test_the_goals_hold_at_sqs_s_own_batch_size_too(dynamodb_local: Any) -> None:
    """Ten messages an invocation, without a batching window: no wrong row, and hardly more than a
    write unit and two requests an applied event."""
    told = make_stream(600, 200, per_invocation=10)
    ours = cost(anyorder_side, dynamodb_local.meta.endpoint_url, told)

    assert ours.wrong == (0, 0, 0)
    assert ours.writes / ours.applied <= 1.15
    assert ours.requests / ours.applied <= 2


def test_rows_are_held_against_the_source_s() -> None:
    truth: Rows = {1: {"id": 1}, 2: {"id": 2}, 3: {"id": 3}}

    assert differences(dict(truth), truth) == (0, 0, 0)
    assert differences({1: {"id": 1}, 2: {"id": 9}, 4: {"id": 4}}, truth) == (1, 1, 1)


# ---- the meter


@pytest.fixture
def client(dynamodb_local: Any) -> Iterator[Any]:
    """A client of its own, whose events nobody else hears, and a table of it."""
    found = make_local_client(dynamodb_local.meta.endpoint_url)
    make_table(found, f"meter-{os.getpid()}", "N")
    yield found
    found.delete_table(TableName=f"meter-{os.getpid()}")


def item(key: int, size: int = 0) -> dict[str, Any]:
    return {"id": {"N": str(key)}, "text": {"S": "x" * size}}


def test_a_write_counts_its_kilobytes_and_a_refused_one_those_of_what_is_there(client: Any) -> None:
    table, meter = f"meter-{os.getpid()}", Meter(client)
    client.put_item(TableName=table, Item=item(1, 2500))
    assert (meter.writes, meter.refused) == (3, 0)
    for refused in (item(1), item(1, 9000)):
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.put_item(
                TableName=table,
                Item=refused,
                ConditionExpression="attribute_not_exists(id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    client.delete_item(TableName=table, Key={"id": {"N": "9"}})

    assert (meter.writes, meter.reads, meter.refused) == (3 + 3 + 3 + 1, 0, 2)
    assert meter.requests == {"PutItem": 3, "DeleteItem": 1}


def test_a_read_counts_four_kilobytes_and_an_item_that_does_not_exist(client: Any) -> None:
    table = f"meter-{os.getpid()}"
    client.put_item(TableName=table, Item=item(1, 5000))
    meter = Meter(client)
    client.get_item(TableName=table, Key={"id": {"N": "1"}}, ConsistentRead=True)
    client.get_item(TableName=table, Key={"id": {"N": "8"}}, ConsistentRead=True)
    client.batch_get_item(
        RequestItems={
            table: {"Keys": [{"id": {"N": key}} for key in "189"], "ConsistentRead": True}
        }
    )

    assert (meter.writes, meter.reads) == (0, 2 + 1 + 2 + 1 + 1)
    assert meter.requests.total() == 3


@pytest.mark.parametrize("answer", [{}, {"Error": {"Code": "TransactionCanceledException"}}])
def test_a_transaction_counts_twice_for_each_of_its_items_even_when_it_is_cancelled(
    answer: dict[str, Any],
) -> None:
    asked = {
        "TransactItems": [
            {"ConditionCheck": {}},
            {"Put": {"Item": item(1)}},
            {"Put": {"Item": item(2, 1500)}},
        ]
    }

    assert consumed("TransactWriteItems", asked, answer) == (2 * (1 + 1 + 2), 0)


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1024 - 8, 1), (1024 - 7, 2), (10_000, 10)])
def test_a_started_kilobyte_is_a_write_unit(size: int, units: int) -> None:
    assert write_units(item(1, size)) == units
