"""An Amazon SQS queue, standard or FIFO, as a source; a dead-letter queue is just another queue.

A message is deleted only when its batch is durable, so a crash in between only delivers it again.
While a batch is being written its messages are kept invisible, however long that takes (up to SQS's
own twelve hours). Nothing that SQS says of a message is an identity or an order: a redrive, a retry
of its sender or an overdue delete makes a new message of an old event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, ClassVar, NamedTuple, TypeVar

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import AnyorderError, ConfigurationError, MissingExtra, SourceError
from anyorder.sources.contract import LARGEST_BATCH, Received
from anyorder.sources.messages import FIFO, delivery_of_message, queue_name
from anyorder.urls import Discreet, shown, without_secrets

INSTALL = "the SQS source needs boto3: pip install 'anyorder[aws]'"
# messages in one request:
# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
AT_ONCE = 10
THREADS = 8  # requests at once
# seconds: an empty answer has then asked every server; also how long a stop may take where nothing
# comes
LONG_POLL = 10
GATHER_SECONDS = 1.0  # a batch that has begun waits no longer for more messages
DRAIN_POLL = 2  # seconds of a long poll with `drain`
# seconds of a visibility timeout: a heartbeat must fit in; SQS's most
SHORTEST, LONGEST = 2, 43_200
BEATS = 3  # heartbeats in one visibility timeout
TRIES = 6  # of one request by botocore, with backoff, before the run ends

T = TypeVar("T")
R = TypeVar("R")


class Message(NamedTuple):
    """One received message: the handle of this receipt, and what is in it."""

    receipt: str
    delivery: Delivery


class SQSSettings(Discreet, msgspec.Struct, frozen=True):
    """`queue`: its name or URL. `region`, `endpoint`: by default what boto3 finds. `visibility`:
    seconds for which a message is ours. `drain`: end when the queue is empty."""

    queue: str = ""
    region: str | None = None
    endpoint: str | None = None
    visibility: int | None = None
    drain: bool = False

    nameless: ClassVar[str] = (
        "a queue's name is no part of a clock, since a redrive may come by another queue"
    )

    @property
    def name(self) -> str:
        """The queue's, as it is said."""
        return f"sqs:{self.queue}"

    def open(self, limits: Limits = DEFAULT) -> SQSSource:
        """The source; it asks the queue at once. A message is never too long: SQS has a limit."""
        return SQSSource(
            self.queue,
            region=self.region,
            endpoint=self.endpoint,
            visibility=self.visibility,
            drain=self.drain,
        )


class SQSSource:
    """`queue`: a name or a URL. `visibility`: seconds that a message stays invisible between two
    heartbeats; the queue's own by default.

    `drain`: end when the queue stays empty, instead of waiting for more. `endpoint`: of a local
    server. `client`: a boto3 client to use instead of one of our own. Credentials come from the
    SDK's own chain. Raises MissingExtra without boto3, ConfigurationError for contradictory
    options, SourceError if the queue cannot be found.
    """

    acknowledges = True

    def __init__(
        self,
        queue: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        visibility: int | None = None,
        drain: bool = False,
        client: Any = None,
    ) -> None:
        if not queue:
            raise ConfigurationError(
                'a source of kind sqs needs a queue: queue = "users", or its URL'
            )
        if visibility is not None and not SHORTEST <= visibility <= LONGEST:
            raise ConfigurationError(
                f"visibility is {SHORTEST} to {LONGEST} seconds, not {visibility}"
            )
        self._client = client if client is not None else make_client(region, endpoint)
        self._url = (
            queue
            if "://" in queue
            else str(self._ask("get_queue_url", QueueName=queue)["QueueUrl"])
        )
        self.place = shown(queue)
        self._queue = queue_name(queue)
        self.name = f"sqs:{self._url}"
        self._visibility = visibility or max(SHORTEST, *self._attributes("VisibilityTimeout"))
        self._drain = drain
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="anyorder-sqs")
        self._heart = threading.Thread(
            target=self._beat, name="anyorder-sqs-heartbeat", daemon=True
        )
        self._heart.start()

    def batches(self, frontier: str | None, size: int) -> Iterator[Sequence[Received]]:
        """Messages in lists of at most `size`, an empty one where a long poll found none. With
        `drain`, until the queue stays empty."""
        while not self._closing.is_set():
            batch = self._gather(size)
            if not batch and self._drain and self._is_empty():
                return
            yield [Received(message.delivery, message.receipt) for message in batch]

    def _gather(self, size: int) -> list[Message]:
        """One long poll, and what else is there: more requests at once as long as each brings all
        it may."""
        batch = self._receive(min(AT_ONCE, size), DRAIN_POLL if self._drain else LONG_POLL)
        until, width = time.monotonic() + GATHER_SECONDS, 1
        while _has_room(batch, size) and time.monotonic() < until:
            missing = size - len(batch)
            wanted = [AT_ONCE] * min(width, missing // AT_ONCE) or [missing]
            more = [
                message
                for found in self._each(lambda count: self._receive(count, 0), wanted)
                for message in found
            ]
            if not more:
                break
            batch += more
            width = min(THREADS, 2 * width) if len(more) == sum(wanted) else 1
        return batch

    def _is_empty(self) -> bool:
        """Nothing is there, nothing is delayed, and nothing is invisible but what we hold: a
        message of a consumer that died comes back.

        A FIFO queue hides what is behind the messages that we hold, so a dry run, which gives them
        back only at its end, has seen what it can.
        """
        found = self._attributes(
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        )
        with self._lock:
            return sum(found) <= len(self._held) or bool(self._held and self._url.endswith(FIFO))

    def _receive(self, count: int, wait: int) -> list[Message]:
        answer = self._ask(
            "receive_message",
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._visibility,
            MessageAttributeNames=["All"],
        )
        found = [
            Message(
                one["ReceiptHandle"], delivery_of_message(one["Body"], self._queue, _headers(one))
            )
            for one in answer.get("Messages", ())
        ]
        with self._lock:
            self._held |= {message.receipt for message in found}
        return found

    def done(self, batch: Sequence[Received]) -> None:
        """Delete what is durable. A message that SQS does not delete is only delivered again, and
        then known.

        Raises SourceError if SQS refuses the request as a whole: then everything would come again
        for ever.
        """
        receipts = list(dict.fromkeys(received.mark for received in batch))
        with self._lock:
            self._held -= set(receipts)
        again = [
            receipt for failed in self._each(self._delete, _tens(receipts)) for receipt in failed
        ]
        self._each(self._delete, _tens(again))

    def _delete(self, receipts: Sequence[str]) -> list[str]:
        """Delete some; those that SQS failed to delete by no fault of ours."""
        entries = [
            {"Id": str(place), "ReceiptHandle": receipt} for place, receipt in enumerate(receipts)
        ]
        failed = self._ask("delete_message_batch", QueueUrl=self._url, Entries=entries).get(
            "Failed", ()
        )
        return [receipts[int(entry["Id"])] for entry in failed if not entry.get("SenderFault")]

    def close(self) -> None:
        """End the heartbeat; what was received and is not done comes back at once, or else when its
        visibility ends."""
        self._closing.set()
        self._heart.join()
        with self._lock:
            left = list(self._held)
            self._held.clear()
        self._each(lambda receipts: self._extend(receipts, 0), _tens(left))
        self._pool.shutdown()

    # ---- the heartbeat

    def _beat(self) -> None:
        """While messages are held, tell SQS so, well before it shows them to somebody else."""
        while not self._closing.wait(self._visibility / BEATS):
            with self._lock:
                held = list(self._held)
            self._each(lambda receipts: self._extend(receipts, self._visibility), _tens(held))

    def _extend(self, receipts: Sequence[str], seconds: int) -> None:
        """A failure is not raised: the messages are then delivered twice, which changes nothing."""
        entries = [
            {"Id": str(place), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for place, receipt in enumerate(receipts)
        ]
        try:
            self._ask("change_message_visibility_batch", QueueUrl=self._url, Entries=entries)
        except AnyorderError:
            return

    # ---- requests

    def _attributes(self, *names: str) -> list[int]:
        found = self._ask("get_queue_attributes", QueueUrl=self._url, AttributeNames=list(names))[
            "Attributes"
        ]
        return [int(found[name]) for name in names]

    def _each(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        if len(items) < 2:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))

    def _ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except NoCredentialsError as error:
            raise ConfigurationError(
                f"{error}: the AWS SDK's own chain finds none (environment, profile, role)"
            ) from error
        except (BotoCoreError, ClientError) as error:
            place = shown(str(arguments.get("QueueUrl") or arguments.get("QueueName")))
            # not from the error: it tells the endpoint as it was given
            raise SourceError(
                f"SQS does not answer {operation} on the queue {place}: "
                f"{without_secrets(str(error))}{_advice(str(error))}"
            ) from None
        return answer


def _advice(error: str) -> str:
    """What to correct where the service knows no such queue; else ""."""
    if "NonExistentQueue" not in error and "QueueDoesNotExist" not in error:
        return ""
    return " Correct queue, region or endpoint in [source], or create the queue"


def _has_room(batch: Sequence[Message], size: int) -> bool:
    """May more messages join those that there are? Their number is bounded, and their bytes."""
    if not batch or len(batch) >= size:
        return False
    held = sum(len(message.delivery.value or b"") for message in batch)
    return held <= LARGEST_BATCH


def _tens(receipts: Sequence[str]) -> list[list[str]]:
    rest = iter(receipts)
    return list(iter(lambda: list(islice(rest, AT_ONCE)), []))


def _headers(message: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The attributes that are texts or numbers; a rule's dead-letter queue says there why it gave
    up."""
    return [
        (name, cell["StringValue"])
        for name, cell in message.get("MessageAttributes", {}).items()
        if "StringValue" in cell
    ]


def make_client(region: str | None, endpoint: str | None) -> Any:
    """A client that retries with backoff. Raises MissingExtra, ConfigurationError."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise MissingExtra(INSTALL) from error
    config = Config(
        retries={"total_max_attempts": TRIES, "mode": "standard"},
        max_pool_connections=THREADS + 2,
        connect_timeout=5,
        read_timeout=LONG_POLL + 10,
    )
    try:
        return boto3.session.Session().client(
            "sqs", region_name=region, endpoint_url=endpoint, config=config
        )
    except (BotoCoreError, ValueError) as error:
        # a ValueError tells the endpoint as it was given
        is_endpoint = isinstance(error, ValueError)
        why = "the endpoint is no URL" if is_endpoint else without_secrets(str(error))
        raise ConfigurationError(
            f"cannot make an SQS client: {why}; [source] names them: "
            'region = "eu-central-1", or endpoint = "http://127.0.0.1:9324"'
        ) from None
