"""The thin layer that talks to DynamoDB: one client, retries of our own, and as much concurrency as
the table takes.

botocore's own retries are off, so that nothing is retried twice. What may have happened or not (a
lost answer, a 5xx) is simply sent again: every write is conditional and carries the attempt's
token, so `writes` can tell its own write from another's.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple, TypeVar

from anyorder.errors import ConfigurationError, MissingExtra, StoreBusy, StoreError
from anyorder.stores.dynamodb.concurrency import Concurrency
from anyorder.urls import without_secrets

INSTALL = "the DynamoDB store needs boto3: pip install 'anyorder[aws]'"
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "ThrottlingException",
        "ThrottlingError",
        "RequestLimitExceeded",
        "LimitExceededException",
    }
)
# another writer's turn; the last one is another Region's, in a strongly consistent global table
CONFLICT = frozenset(
    {
        "TransactionConflictException",
        "TransactionConflict",
        "TransactionInProgressException",
        "ReplicatedWriteConflictException",
    }
)
UNKNOWN = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "RequestTimeout",
    }
)
# why a request is tried again; the first that is met counts
RETRIED = {"throttled": THROTTLED, "conflict": CONFLICT, "unknown": UNKNOWN}
# DynamoDB's words, and STS's, for credentials that are wrong, expired or half there
CREDENTIALS = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignatureException",
        "IncompleteSignature",
        "ExpiredTokenException",
        "ExpiredToken",
        "RequestExpired",
        "InvalidIdentityToken",
        "MissingAuthenticationTokenException",
        "MissingAuthenticationToken",
    }
)
RENEW = (
    "renew the credentials (environment, profile, role; for SSO `aws sso login`); `aws sts "
    "get-caller-identity` tells whether they work"
)
BUSY = {
    "throttled": "raise the table's capacity, or wait",
    "conflict": "other writers change the same items at the same time: run fewer of them, or wait",
    "unknown": (
        "it cannot be reached, or its servers fail: check endpoint, Region and network, or wait"
    ),
}
FORKED = (
    "this DynamoDB store was opened before this process was forked, and its connections "
    "did not come along: open it in each process, after the fork"
)
CLOSED = "this DynamoDB store was closed here; open it again to use it"
# seconds; the pause before a retry is drawn between 0 and a value that doubles
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 3.0
PATIENCE = 120.0  # seconds of retries before StoreBusy
READ_AT_ONCE = 100  # keys of one BatchGetItem

T = TypeVar("T")
R = TypeVar("R")


class Answer(NamedTuple):
    """What DynamoDB said: the response, or the code of a refusal with its message, items and
    cancellation reasons.

    `repeated`: an earlier try of this request may have been carried out although its answer was
    lost. `operation`: what was asked.
    """

    response: dict[str, Any]
    code: str = ""
    message: str = ""
    repeated: bool = False
    operation: str = ""

    @property
    def item(self) -> dict[str, Any] | None:
        """The item that a condition was refused by, where the server says it."""
        return self.response.get("Item")

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Of a cancelled transaction, one an item."""
        found: list[dict[str, Any]] = self.response.get("CancellationReasons") or []
        return found


class Requests:
    """Calls of one client. `threads`: the most requests at once.

    Raises StoreBusy after two minutes of refusals; ConfigurationError at once where the credentials
    are at fault.
    """

    def __init__(self, client: Any, threads: int) -> None:
        self.client = client
        self.concurrency = Concurrency(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="anyorder-dynamodb")
        self._jitter = random.Random()
        self._process = os.getpid()
        self._is_closed = False

    def call(self, operation: str, **arguments: Any) -> Answer:
        """One request, with its retries."""
        until, pause, repeated = time.monotonic() + PATIENCE, FIRST_PAUSE, False
        # ends: with an answer, or out of patience
        while True:
            self._check_open()
            with self.concurrency:
                answer = self._once(operation, arguments)
            code = _code_of(answer)
            if not code:
                if not repeated:
                    self.concurrency.succeeded()
                return answer._replace(repeated=repeated, operation=operation)
            if code == "throttled":
                self.concurrency.throttled()
            repeated = repeated or code == "unknown"
            if time.monotonic() > until:
                raise StoreBusy(
                    f"DynamoDB keeps refusing {operation} ({answer.code}): {answer.message}. What "
                    f"to do: {BUSY[code]}"
                )
            time.sleep(self._jitter.uniform(0, pause))
            pause = min(LONGEST_PAUSE, pause * 2)

    def _once(self, operation: str, arguments: dict[str, Any]) -> Answer:
        from botocore.exceptions import (
            BotoCoreError,
            ChecksumError,
            ClientError,
            ConnectionError,
            HTTPClientError,
            IncompleteReadError,
        )

        try:
            return Answer(getattr(self.client, operation)(**arguments))
        except ClientError as error:
            found = error.response.get("Error", {})
            code = str(found.get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in CREDENTIALS:
                raise ConfigurationError(
                    f"AWS refuses the credentials of {operation}: {error}. If this machine's clock "
                    f"is right, {RENEW}"
                ) from error
            if status >= 500:
                code = "InternalServerError"
            return Answer(dict(error.response), code, str(found.get("Message", "")))
        except (ConnectionError, HTTPClientError, IncompleteReadError, ChecksumError) as error:
            return Answer({}, "InternalServerError", without_secrets(str(error)))
        # nothing was sent: no credentials or Region, an expired SSO login, a profile that
        # contradicts itself
        except BotoCoreError as error:
            raise ConfigurationError(
                f"the AWS SDK cannot send {operation}: {without_secrets(str(error))}. If that is "
                f"about credentials, {RENEW}"
            ) from None

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """The function of each item, at once as far as the concurrency goes; in order.

        Raises the first exception (or Ctrl-C); what has not begun by then does not begin, and what
        is under way is waited for.
        """
        if len(items) == 1:
            return [function(items[0])]
        self._check_open()
        running: list[Future[R]] = []
        try:
            running.extend(self._pool.submit(function, item) for item in items)
            return [found.result() for found in running]
        except (RuntimeError, CancelledError):
            # Another thread has closed the store, and the pool takes nothing more.
            self._check_open()
            raise
        finally:
            wait([found for found in running if not found.cancel()])

    def get_many(
        self, keys: Sequence[tuple[str, dict[str, Any]]], attributes: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """The items of (table, key) that exist, each under "table" and "item"; strongly
        consistent. `attributes`: those of them that are wanted, none for all."""
        if not keys:
            return []
        chunks = [keys[start : start + READ_AT_ONCE] for start in range(0, len(keys), READ_AT_ONCE)]

        def read(chunk: Sequence[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
            return self._get_chunk(chunk, projection(attributes))

        return list(itertools.chain.from_iterable(self.each(read, chunks)))

    def _get_chunk(
        self, keys: Sequence[tuple[str, dict[str, Any]]], projected: dict[str, Any]
    ) -> list[dict[str, Any]]:
        wanted: dict[str, Any] = {}
        for table, key in keys:
            asked = wanted.setdefault(table, {"Keys": [], "ConsistentRead": True, **projected})
            asked["Keys"].append(key)
        found: list[dict[str, Any]] = []
        until, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        # ends: when every key was answered, or out of patience
        while wanted:
            answer = self.call("batch_get_item", RequestItems=wanted)
            raise_for(answer, "read")
            for table, items in answer.response["Responses"].items():
                found += [{"table": table, "item": item} for item in items]
            wanted = answer.response.get("UnprocessedKeys") or {}
            if wanted:
                self.concurrency.throttled()
                if time.monotonic() > until:
                    raise StoreBusy(
                        "DynamoDB leaves keys of BatchGetItem unprocessed; raise the table's read "
                        "capacity, or wait"
                    )
                time.sleep(self._jitter.uniform(0, pause))
                pause = min(LONGEST_PAUSE, pause * 2)
        return found

    def pages(self, operation: str, **arguments: Any) -> Iterable[dict[str, Any]]:
        """The items of every page of a query or scan."""
        for response in self.responses(operation, **arguments):
            yield from response.get("Items", ())

    def responses(self, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Every page of a query or scan, as it is answered."""
        while True:
            answer = self.call(operation, **arguments)
            raise_for(answer, operation)
            yield answer.response
            if not answer.response.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = answer.response["LastEvaluatedKey"]

    def _check_open(self) -> None:
        if os.getpid() != self._process:
            raise StoreError(FORKED)
        if self._is_closed:
            raise StoreError(CLOSED)

    def close(self) -> None:
        """End the threads; what has not begun does not begin."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)


def _code_of(answer: Answer) -> str:
    """ "throttled", "conflict" and "unknown" are tried again; "" is an answer."""
    codes = {answer.code}
    if answer.code == "TransactionCanceledException":
        codes = {str(reason.get("Code")) for reason in answer.reasons}
        if "ConditionalCheckFailed" in codes:
            return ""
    for kind, known in RETRIED.items():
        if codes & known:
            return kind
    return ""


def projection(attributes: Sequence[str]) -> dict[str, Any]:
    """The arguments of a request that wants these attributes only; none for all."""
    if not attributes:
        return {}
    # Some of their names are words of DynamoDB's own.
    names = {f"#p{place}": name for place, name in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def raise_for(answer: Answer, what: str) -> None:
    """Raises StoreError for an answer that is an error."""
    if answer.code:
        raise StoreError(
            f"DynamoDB refuses to {what} ({answer.operation}): {answer.code}: {answer.message}"
        )


def make_client(region: str | None, endpoint: str | None, threads: int) -> Any:
    """A client without retries of its own; credentials come from the SDK's own chain. Raises
    MissingExtra."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise MissingExtra(INSTALL) from error
    config = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=threads + 2,
        connect_timeout=5,
        read_timeout=20,
    )
    try:
        return boto3.session.Session().client(
            "dynamodb", region_name=region, endpoint_url=endpoint, config=config
        )
    except (BotoCoreError, ValueError) as error:
        # a ValueError tells the endpoint as it was given
        is_endpoint = isinstance(error, ValueError)
        why = "the endpoint is no URL" if is_endpoint else without_secrets(str(error))
        raise ConfigurationError(
            f"cannot make a DynamoDB client: {why}; the URL names them: "
            "dynamodb://TABLE?region=eu-central-1, or &endpoint=http://127.0.0.1:8000"
        ) from None
