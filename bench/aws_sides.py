"""Two consumers of the same SQS events, as Lambda handlers over DynamoDB: anyorder, and Powertools'
idempotency around a last-write handler."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.parts.dynamodb import REGION, credentials, make_local_client
from tests.stores.dynamodb_place import live, plain_row, scan

import anyorder
from anyorder.aws import lambda_handler
from anyorder.stores.dynamodb.items import encoded
from bench.aws_meter import Meter

Rows = dict[Any, dict[str, object]]
# of a record; SQS's message id differs between two copies
IDENTITY = "powertools_json(body).detail.[topic, partition, offset]"
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}


class Side(NamedTuple):
    """A consumer over a fresh table: its Lambda handler, its meter, how many events it has applied,
    its rows, and how it ends."""

    handler: Callable[[dict[str, Any], Any], Any]
    meter: Meter
    applied: Callable[[], int]
    rows: Callable[[], Rows]
    close: Callable[[], None]


def anyorder_side(endpoint: str, name: str) -> Side:
    """anyorder's DynamoDB store; nothing is forgotten."""
    credentials()
    table = anyorder.table(
        f"dynamodb://{name}?region={REGION}&endpoint={endpoint}",
        "users",
        envelope="eventbridge",
        retention="forever",
    )
    handler = lambda_handler(table)
    client = table.store.parts.requests.client  # type: ignore[attr-defined]

    def rows() -> Rows:
        return by_key(item for item in scan(client, name) if live(item))

    return Side(handler, Meter(client), lambda: handler.report.applied, rows, table.close)


class LastWrite:
    """The handler that everybody writes: what arrives last is the row. `written`: how many events
    it was called with."""

    def __init__(self, client: Any, table: str) -> None:
        self.written = 0
        self._client = client
        self._table = table

    def __call__(self, body: str) -> None:
        detail = json.loads(body)["detail"]
        after = detail["value"]["after"]
        if after is None:
            self._client.delete_item(
                TableName=self._table, Key={"id": encoded("id", detail["key"]["id"])}
            )
        else:
            self._client.put_item(
                TableName=self._table,
                Item={name: encoded(name, value) for name, value in after.items()},
            )
        self.written += 1


def powertools_side(endpoint: str, name: str) -> Side:
    """`@idempotent_function` with its DynamoDB persistence inside its SQS batch processor, as
    Powertools' documentation shows the two together."""
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        EventType,
        process_partial_response,
    )
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )

    client = make_local_client(endpoint)
    meter, write = Meter(client), LastWrite(client, name)
    for table, kind in ((name, "N"), (f"{name}-idempotency", "S")):
        make_table(client, table, kind)
    layer = DynamoDBPersistenceLayer(table_name=f"{name}-idempotency", boto3_client=client)
    config = IdempotencyConfig(event_key_jmespath=IDENTITY, raise_on_no_idempotency_key=True)
    processor = BatchProcessor(event_type=EventType.SQS)

    @idempotent_function(data_keyword_argument="record", persistence_store=layer, config=config)  # type: ignore[untyped-decorator]
    def once(record: SQSRecord) -> None:
        write(record.body)

    def handler(event: dict[str, Any], context: Any) -> Any:
        config.register_lambda_context(context)
        return process_partial_response(
            event, lambda record: once(record=record), processor, context
        )

    return Side(
        handler, meter, lambda: write.written, lambda: by_key(scan(client, name)), client.close
    )


def make_table(client: Any, name: str, kind: str) -> None:
    """A table with the key `id`, on demand capacity."""
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": kind}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def by_key(items: Any) -> Rows:
    return {row["id"]: row for row in map(plain_row, items)}
