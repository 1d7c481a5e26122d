"""A guarded table as an AWS Lambda function: applies what an event source mapping delivers, and
says which records to deliver again.

Records that cannot be decided are in the quarantine, so they did not fail. What fails is what was
not decided: the store could not be reached, or the invocation's time ran out. It is delivered
again, and what was written meanwhile is recognised.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import Protocol

from anyorder._core.outcome import Reason
from anyorder.envelopes import open_envelope
from anyorder.errors import ConfigurationError, OutOfTime
from anyorder.guard.report import Report
from anyorder.guests.lambda_events import Arrival, arrivals
from anyorder.tables import Table

AT_ONCE = 100  # records decided together
RESERVE = 0.5  # seconds kept for the answer
SPARE = 2.0  # a batch is begun only if this many of the slowest so far would still fit
FOREVER = 900.0  # seconds, Lambda's most: without a context, as in a test

log = logging.getLogger("anyorder.aws")


class Context(Protocol):
    """What we need of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


class LambdaHandler:
    """Call it as Lambda does: `handler(event, context)`. `report`: the books of this execution
    environment since its cold start."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.report = Report()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="anyorder-lambda")
        self._overdue: Future[Report] | None = None

    def __call__(
        self, event: object, context: Context | None = None
    ) -> dict[str, list[dict[str, str]]]:
        """The answer that Lambda expects: the records to deliver again, each by its identifier.

        Raises ConfigurationError for an event that is none of ours, and what the store raised (or
        OutOfTime) where nothing was decided, or the event source takes no partial answer (Kafka, a
        single EventBridge event): Lambda then delivers all of it again.
        """
        ends = (
            time.monotonic()
            + (context.get_remaining_time_in_millis() / 1000 if context is not None else FOREVER)
            - RESERVE
        )
        arrived = arrivals(event)
        rest, problem = self._apply(arrived, ends)
        if not rest:
            return {"batchItemFailures": []}
        assert problem is not None
        undecided = [arrival.identifier for arrival in rest]
        if len(rest) == len(arrived) or not all(undecided):
            # all of it comes again, also where the mapping does not ask for partial answers
            raise problem
        log.error(
            "%d records will be delivered again: %s: %s",
            len(undecided),
            type(problem).__name__,
            problem,
        )
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in undecided]}

    def _apply(
        self, waiting: Sequence[Arrival], ends: float
    ) -> tuple[Sequence[Arrival], Exception | None]:
        """Decide and write batch by batch; what is left when the time or the store gives out, and
        why."""
        slowest = 0.0
        try:
            self._catch_up(ends)
            while waiting and time.monotonic() + SPARE * slowest < ends:
                began = time.monotonic()
                report = self._within([arrival.delivery for arrival in waiting[:AT_ONCE]], ends)
                slowest = max(slowest, time.monotonic() - began)
                waiting = waiting[AT_ONCE:]
                self._note(report)
        # whatever the store or its driver raises: the rest is delivered again
        except Exception as problem:
            return waiting, problem
        return waiting, OutOfTime() if waiting else None

    def _within(self, deliveries: Sequence[object], ends: float) -> Report:
        """Apply, but wait no longer than there is time. What goes on in the background is over
        before anything else begins."""
        self._overdue = running = self._worker.submit(self.table.apply, deliveries)
        try:
            report = running.result(max(0.0, ends - time.monotonic()))
        except TookTooLong:
            if not running.done():
                raise OutOfTime from None
            raise
        finally:
            if running.done():
                self._overdue = None
        return report

    def _catch_up(self, ends: float) -> None:
        """An invocation before ran out of time in the middle of a batch: one store does one thing
        at a time."""
        if self._overdue is None:
            return
        try:
            self._overdue.result(max(0.0, ends - time.monotonic()))
        except TookTooLong:
            if not self._overdue.done():
                raise OutOfTime from None
        except Exception as problem:  # of records that have been reported as failed already
            log.warning("a batch of an earlier invocation failed: %s", problem)
        self._overdue = None

    def _note(self, report: Report) -> None:
        """Into the books. What waits for another event settles by itself; any other reason needs a
        person."""
        self.report.add(report)
        log.log(
            logging.WARNING if report.quarantined.keys() - {Reason.WAITING} else logging.INFO,
            "%s",
            report,
        )


def lambda_handler(table: Table, envelope: str | None = None) -> LambdaHandler:
    """A Lambda function around a guarded table.

        import anyorder
        from anyorder.aws import lambda_handler

        users = anyorder.table("dynamodb://users", "users", envelope="eventbridge")
        handler = lambda_handler(users)

    The event source mapping needs `FunctionResponseTypes: [ReportBatchItemFailures]`, except for
    Kafka.

    Args:
        table: an `anyorder.table(...)`, made once outside the handler.
        envelope: the format of the records: the table's own from now on.

    Returns:
        A callable `handler(event, context)` for events of SQS, Kinesis, DynamoDB Streams, Kafka
        (MSK or self-managed), EventBridge and EventBridge Pipes.

    Raises:
        ConfigurationError: an envelope that does not exist.
    """
    if not isinstance(table, Table):
        raise ConfigurationError(
            f"lambda_handler takes an anyorder.table(...), not {type(table).__name__}"
        )
    if envelope not in (None, table.envelope.name):
        table.envelope = open_envelope(envelope)
    return LambdaHandler(table)
