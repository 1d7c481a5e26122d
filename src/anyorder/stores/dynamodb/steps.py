"""What happens to one of our items, as a step of a transaction (`transact_write_items`)."""

from __future__ import annotations

from typing import Any

from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.items import Item

Step = dict[str, Any]
Key = tuple[str, str]


def putting(books: Books, key: Key, values: Item, condition: str = "") -> Step:
    """The item is written, whatever was there; `condition`: only while it holds."""
    put: Step = {"TableName": books.table, "Item": {**books.key(*key), **values}}
    if condition:
        put["ConditionExpression"] = condition
    return {"Put": put}


def changing(
    books: Books,
    key: Key,
    expression: str,
    values: Item,
    names: dict[str, str],
    condition: str = "",
) -> Step:
    """Some attributes of the item change; `condition`: only while it holds."""
    update: Step = {
        "TableName": books.table,
        "Key": books.key(*key),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    if condition:
        update["ConditionExpression"] = condition
    return {"Update": update}


def removing(books: Books, key: Key) -> Step:
    """The item goes."""
    return {"Delete": {"TableName": books.table, "Key": books.key(*key)}}
