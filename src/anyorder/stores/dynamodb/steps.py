"""What happens to one of our items, as a step of a transaction (`transact_write_items`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.requests import Answer, raise_for

Step = dict[str, Any]
Key = tuple[str, str]


def putting(
    books: Books, key: Key, values: Item, condition: str = "", asked: Item | None = None
) -> Step:
    """The item is written, whatever was there; `condition`: only while it holds, with the values
    that it has `asked` for."""
    put: Step = {"TableName": books.table, "Item": {**books.key(*key), **values}}
    if condition:
        put["ConditionExpression"] = condition
    if asked:
        put["ExpressionAttributeValues"] = asked
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


def transacted(books: Books, steps: Sequence[Step]) -> Answer:
    """What DynamoDB says to one transaction. The request token makes a lost answer harmless."""
    return books.requests.call(
        "transact_write_items", TransactItems=list(steps), ClientRequestToken=uuid.uuid4().hex
    )


def transact(books: Books, steps: Sequence[Step]) -> bool:
    """One transaction; False if a condition failed."""
    answer = transacted(books, steps)
    codes = {reason.get("Code") for reason in answer.reasons}
    if answer.code == "TransactionCanceledException" and "ConditionalCheckFailed" in codes:
        return False
    raise_for(answer, "write the quarantine")
    return True
