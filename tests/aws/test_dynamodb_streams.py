"""Records of a real stream (DynamoDB Local's), as Lambda hands them on, keep another table right in
any order."""

from __future__ import annotations

import base64
import itertools
import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import anyorder
from anyorder.aws import lambda_handler
from tests.parts.dynamodb import REGION


def records_of(endpoint: str, arn: str) -> list[dict[str, Any]]:
    """Every record of a stream, as Lambda writes it: the stream's ARN beside it, times as seconds,
    binary as base64."""
    import boto3

    client: Any = boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=endpoint)
    found: list[dict[str, Any]] = []
    for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        place = client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while place and (answer := client.get_records(ShardIterator=place))["Records"]:
            found += [{**_plain(record), "eventSourceARN": arn} for record in answer["Records"]]
            place = answer.get("NextShardIterator")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(cell) for name, cell in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "timestamp"):
        return value.timestamp()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def test_a_real_stream_in_any_order_ends_as_the_table(dynamodb_local: Any, tmp_path: Path) -> None:
    name, chance = f"source-{os.getpid()}", random.Random(1)
    table = dynamodb_local.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    wanted: dict[int, dict[str, Any]] = {}
    for number in range(200):
        key = chance.randrange(25)
        if chance.random() < 0.2:
            dynamodb_local.delete_item(TableName=name, Key={"id": {"N": str(key)}})
            wanted.pop(key, None)
        else:
            wanted[key] = {
                "id": key,
                "name": f"n{number}",
                "photo": bytes([number % 256]),
                "ratio": number / 8,
            }
            item = {
                "id": {"N": str(key)},
                "name": {"S": f"n{number}"},
                "photo": {"B": bytes([number % 256])},
                "ratio": {"N": str(number / 8)},
            }
            dynamodb_local.put_item(TableName=name, Item=item)
    records = records_of(dynamodb_local.meta.endpoint_url, table["LatestStreamArn"])
    delivered = records + [record for record in records if chance.random() < 0.2]
    chance.shuffle(delivered)
    handler = lambda_handler(
        anyorder.table(f"sqlite:///{tmp_path}/app.db", "copy", envelope="dynamodb_streams")
    )
    rest = iter(delivered)
    while chunk := list(itertools.islice(rest, 30)):
        assert handler({"Records": chunk}) == {"batchItemFailures": []}

    assert len(records) > 150
    assert not handler.report.quarantined
    database = sqlite3.connect(tmp_path / "app.db")
    database.row_factory = sqlite3.Row
    assert {row["id"]: dict(row) for row in database.execute("SELECT * FROM copy")} == wanted
