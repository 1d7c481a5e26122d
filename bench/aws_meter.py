"""What the requests of a boto3 client to DynamoDB come to: how many, and how many capacity units
AWS would charge for them.

The client's own events are counted, so whoever uses the client is left as it is. DynamoDB Local
says what a request consumed as AWS does, but for four cases, which are counted by AWS's rules
(docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html):

* a write whose condition fails consumes the write units of the item that is there, at least one;
  the server says nothing;
* a transaction consumes two units a started kilobyte of each of its items; DynamoDB Local counts
  one item a table;
* a cancelled transaction consumes the same; the server says nothing;
* a strongly consistent read of an item that does not exist consumes one read unit; in a batch,
  DynamoDB Local counts none.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

from anyorder.stores.dynamodb.items import Item

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
KILOBYTE = 1024  # one write unit
TRANSACTION = 2  # units of a transaction for each one of a plain write


class Meter:
    """`requests` by operation as they go out, retries included; `writes` and `reads` in capacity
    units; `refused`: failed conditions."""

    def __init__(self, client: Any) -> None:
        self.requests: Counter[str] = Counter()
        self.writes = 0.0
        self.reads = 0.0
        self.refused = 0
        self._lock = threading.Lock()
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._ask)
        events.register("before-send.dynamodb", self._sent)
        events.register("after-call.dynamodb", self._answered)

    def _ask(
        self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> dict[str, Any]:
        """Have the server say what it consumed; remember what was asked for."""
        context["asked"] = params
        return (
            {**params, "ReturnConsumedCapacity": "TOTAL"}
            if "ReturnConsumedCapacity" in model.input_shape.members
            else params
        )

    def _sent(self, event_name: str, **_: Any) -> None:
        with self._lock:
            self.requests[event_name.rpartition(".")[2]] += 1

    def _answered(
        self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        written, read = consumed(model.name, context["asked"], parsed)
        with self._lock:
            self.writes += written
            self.reads += read
            self.refused += failed(parsed)


def consumed(operation: str, asked: dict[str, Any], answer: dict[str, Any]) -> tuple[float, float]:
    """Write units and read units of one request."""
    if operation == "TransactWriteItems":
        return TRANSACTION * sum(
            write_units(part.get("Put", {}).get("Item")) for part in asked["TransactItems"]
        ), 0.0
    if failed(answer):
        return write_units(answer.get("Item")), 0.0
    told = answer.get("ConsumedCapacity", [])
    units = sum(part["CapacityUnits"] for part in (told if isinstance(told, list) else [told]))
    if operation == "BatchGetItem":
        units += sum(len(part["Keys"]) for part in asked["RequestItems"].values()) - sum(
            map(len, answer.get("Responses", {}).values())
        )
    return (units, 0.0) if operation in WRITES else (0.0, units)


def failed(answer: dict[str, Any]) -> bool:
    """Did the condition of a plain write fail?"""
    return bool(answer.get("Error", {}).get("Code") == "ConditionalCheckFailedException")


def write_units(item: Item | None) -> float:
    """One a started kilobyte; one for no item."""
    return float(max(1, -(-item_bytes(item or {}) // KILOBYTE)))


def item_bytes(item: Item) -> int:
    """About what AWS counts: names and values; nested ones by their JSON, which is longer."""
    return sum(
        len(name.encode()) + _bytes(*next(iter(value.items()))) for name, value in item.items()
    )


def _bytes(kind: str, value: Any) -> int:
    if kind == "N":
        return len(value) // 2 + 2
    if kind == "B":
        return len(value)
    return len(value.encode() if kind == "S" else json.dumps(value, default=repr))
