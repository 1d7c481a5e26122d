"""A DynamoDB client that throttles, fails, and loses answers; and one that is older than ALL_OLD on
a failed condition."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

WRITES = ("put_item", "update_item", "delete_item", "transact_write_items")
THROTTLE = {
    "Error": {"Code": "ThrottlingException", "Message": "slow down"},
    "ResponseMetadata": {"HTTPStatusCode": 400},
}
FAILURE = {
    "Error": {"Code": "InternalServerError", "Message": "sorry"},
    "ResponseMetadata": {"HTTPStatusCode": 500},
}


class FaultyClient:
    """A share of the requests fails before, or after, it was carried out. `seen` counts what
    happened."""

    def __init__(self, client: Any, share: float, seed: int = 1) -> None:
        self._client = client
        self._share = share
        self._draw = random.Random(seed)
        self.seen: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return (
            self._faulty(name, method)
            if name in (*WRITES, "get_item", "batch_get_item", "query")
            else method
        )

    def _faulty(self, name: str, method: Any) -> Any:
        def call(**arguments: Any) -> Any:
            kind = (
                self._draw.choice(("throttle", "failure", "lost answer", "failed answer"))
                if self._draw.random() < self._share
                else "fine"
            )
            self.seen[kind] += 1
            if kind == "throttle":
                raise ClientError(THROTTLE, name)
            if kind == "failure":
                raise ClientError(FAILURE, name)
            answer = method(**arguments)
            if kind == "lost answer":
                raise ReadTimeoutError(endpoint_url="http://lost")
            if kind == "failed answer":
                raise ClientError(FAILURE, name)
            return answer

        return call


class OldClient:
    """A server that does not know ReturnValuesOnConditionCheckFailure: a failed condition says
    nothing of the item."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return method if name not in WRITES else self._silent(method)

    def _silent(self, method: Any) -> Any:
        def call(**arguments: Any) -> Any:
            try:
                return method(**arguments)
            except ClientError as error:
                error.response.pop("Item", None)  # type: ignore[misc]
                for reason in error.response.get("CancellationReasons", ()):
                    reason.pop("Item", None)
                raise

        return call
