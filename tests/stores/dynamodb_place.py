"""A place for the kit on a server that speaks DynamoDB: fresh tables under names of their own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any

from anyorder.guard.contract import Store
from anyorder.stores.dynamodb.items import PREFIX, encoded
from anyorder.stores.dynamodb.store import DynamoDBStore
from anyorder.testing import Place
from anyorder.testing.place import Decode, Hook
from anyorder.testing.stops import watched
from tests.parts.dynamodb import REGION
from tests.parts.service import missing

try:
    from boto3.dynamodb.types import TypeDeserializer
except ImportError:
    missing("dynamodb", "pip install 'anyorder[aws]'")

TOO_LARGE = "x" * 410_000
_numbers = itertools.count(1)
plain = TypeDeserializer().deserialize


def dynamodb_place(
    client: Any,
    kind: type[DynamoDBStore] = DynamoDBStore,
    *,
    processes: bool = True,
    threads: int = 4,
    sample: int = 1,
    **options: Any,
) -> Place:
    """`options` are the store's own. `processes`: the kit may open the store from other processes
    by its URL."""
    prefix = f"kit-{os.getpid()}-{next(_numbers)}-"

    def connect(decode: Decode) -> Store:
        return kind(prefix + "{table}", decode, client=client, threads=threads, **options)

    def rows(table: str) -> list[dict[str, object]]:
        return [plain_row(item) for item in scan(client, prefix + table) if live(item)]

    def close() -> None:
        for name in ("kit", "anyorder"):
            if exists(client, prefix + name):
                client.delete_table(TableName=prefix + name)

    def plant(table: str, found: Sequence[dict[str, object]]) -> None:
        client.create_table(
            TableName=prefix + table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.get_waiter("table_exists").wait(TableName=prefix + table)
        for row in found:
            item = {name: encoded(name, value) for name, value in row.items()}
            client.put_item(TableName=prefix + table, Item=item)

    url = f"dynamodb://{prefix}{{table}}?region={REGION}&endpoint={client.meta.endpoint_url}&threads=4"
    return Place(connect, rows, tap, TOO_LARGE, url if processes else None, close, sample, plant)


def exists(client: Any, table: str) -> bool:
    try:
        client.describe_table(TableName=table)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def scan(client: Any, table: str) -> list[dict[str, Any]]:
    """Every item of a table; none while it does not exist."""
    try:
        return [
            item
            for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
            for item in page["Items"]
        ]
    except client.exceptions.ResourceNotFoundException:
        return []


def live(item: dict[str, Any]) -> bool:
    return PREFIX + "since" not in item


def plain_row(item: dict[str, Any]) -> dict[str, object]:
    """The user's columns as Python values; our own attributes left out."""
    row = {name: plain(value) for name, value in item.items() if not name.startswith(PREFIX)}
    return {name: _exact(value) for name, value in row.items()}


def _exact(value: Any) -> Any:
    return (
        int(value)
        if hasattr(value, "to_integral_value") and value == value.to_integral_value()
        else value
    )


def tap(store: Any, hook: Hook) -> None:
    store.parts.requests.client = _Tapped(store.parts.requests.client, hook)


class _Tapped:
    """A client that calls the hook before and after each request."""

    def __init__(self, client: Any, hook: Hook) -> None:
        self._client = client
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        return watched(getattr(self._client, name), name, self._hook)
