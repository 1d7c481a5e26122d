"""DynamoDB tables on the server: made, and waited for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from anyorder.errors import StoreError
from anyorder.stores.dynamodb.requests import Requests, raise_for


def create_table(
    requests: Requests,
    table: str,
    key: Sequence[tuple[str, str]],
    index: tuple[str, tuple[str, ...]] | None = None,
) -> None:
    """Make a table on demand capacity, and wait for it. `index`: the number attribute of a sparse
    index, and what it carries."""
    attributes = [{"AttributeName": name, "AttributeType": kind} for name, kind in key]
    arguments: dict[str, Any] = {
        "TableName": table,
        "KeySchema": [
            {"AttributeName": name, "KeyType": role}
            for (name, _), role in zip(key, ("HASH", "RANGE"), strict=False)
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if index is not None:
        attribute, carried = index
        attributes.append({"AttributeName": attribute, "AttributeType": "N"})
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(carried)}
        schema = [{"AttributeName": attribute, "KeyType": "HASH"}]
        arguments["GlobalSecondaryIndexes"] = [
            {"IndexName": attribute, "KeySchema": schema, "Projection": projection}
        ]
    answer = requests.call("create_table", AttributeDefinitions=attributes, **arguments)
    # another first start made it, or we did and the answer was lost
    if answer.code != "ResourceInUseException":
        raise_for(answer, f"make table {table}")
    wait_until_active(requests, table)


def wait_until_active(requests: Requests, table: str) -> dict[str, Any]:
    """A table's description, once it is there."""
    until = time.monotonic() + 120
    # ends: when the table is there, or after two minutes
    while True:
        answer = requests.call("describe_table", TableName=table)
        # a table that was just made may not be known yet
        if answer.code != "ResourceNotFoundException":
            raise_for(answer, f"describe table {table}")
        described: dict[str, Any] = answer.response.get("Table", {})
        if described.get("TableStatus") in ("ACTIVE", "UPDATING"):
            return described
        if time.monotonic() > until:
            raise StoreError(
                f"table {table} is not ready after two minutes: "
                f"{answer.code or described.get('TableStatus')}"
            )
        time.sleep(0.2)
