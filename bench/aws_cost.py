"""What a stream costs on DynamoDB, beside the idempotency utility of AWS Lambda Powertools around a
last-write handler.

    python -m bench.aws_cost                                       50,000 events of 10,000 keys,
    five runs (half an hour) python -m bench.aws_cost --events 5000 --keys 1000 --runs 1

Both are Lambda handlers that get the same SQS events in the same order: each change wrapped as the
EventBridge connector does, displaced by up to a thousand places, one in five twice, one in two
hundred after all others. anyorder forgets nothing (`retention="forever"`). Powertools knows a
record by its topic, partition and offset, keeps that an hour (its default), and lets the handler
put or delete the row as it arrives. Both write into DynamoDB Local on this machine; requests and
capacity units are counted at each one's boto3 client, by AWS's rules (bench/aws_meter.py). anyorder
has up to eight requests under way, Powertools one. Exit 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.aws.connector import event_of, sqs_event
from tests.aws.streams import Delivered
from tests.parts.dynamodb import start_dynamodb_local
from tests.streams import final_rows, stream

from bench.aws_sides import NOTHING_FAILED, Rows, Side, anyorder_side, powertools_side

SIDES: dict[str, Callable[[str, str], Side]] = {
    "anyorder": anyorder_side,
    "Powertools": powertools_side,
}
PER_INVOCATION = 100  # messages of one SQS event
# milliseconds between two changes: an hour and more of them, so that what is remembered of a log's
# growth is as large as it gets
APART = 100
WRITE_UNITS = 1.05  # an applied event, at most
REQUESTS = 0.5  # of Powertools', at most
_numbers = itertools.count(1)


class Stream(NamedTuple):
    """Lambda events in the order of their delivery, how many messages are in them, and the rows
    that the source ends with."""

    events: list[dict[str, Any]]
    messages: int
    truth: Rows


class Cost(NamedTuple):
    """One run. `applied`: events that the consumer says reached the row; `refused`: writes whose
    condition failed."""

    messages: int
    applied: int
    writes: float
    reads: float
    requests: int
    refused: int
    wrong: tuple[int, int, int]
    seconds: float


class Context:
    """Lambda's context, as far as the two need it."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def make_stream(
    events: int, keys: int, per_invocation: int = PER_INVOCATION, seed: int = 0
) -> Stream:
    """A generated stream of creates, updates and deletes, out of order and partly repeated."""
    records = list(stream(events, keys, seed=seed, step=APART))
    delivered = Delivered(records, seed)
    messages = [
        (f"m{place}", event_of(one))
        for place, one in enumerate([*delivered.first, *delivered.dead])
    ]
    return Stream(
        [sqs_event(list(chunk)) for chunk in chunks(messages, per_invocation)],
        len(messages),
        final_rows(records),
    )


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def cost(make_side: Callable[[str, str], Side], endpoint: str, told: Stream) -> Cost:
    """One run over fresh tables. Raises AssertionError if the consumer gives a message back."""
    side = make_side(endpoint, f"cost-{os.getpid()}-{next(_numbers)}")
    began = time.perf_counter()
    for event in told.events:
        answer = side.handler(event, Context())
        assert answer == NOTHING_FAILED, answer
    seconds = time.perf_counter() - began
    meter = side.meter
    sent, units, refused = meter.requests.total(), (meter.writes, meter.reads), meter.refused
    found = Cost(
        told.messages,
        side.applied(),
        *units,
        sent,
        refused,
        differences(side.rows(), told.truth),
        seconds,
    )
    side.close()
    return found


def differences(found: Rows, truth: Rows) -> tuple[int, int, int]:
    """Wrong, resurrected and missing rows."""
    wrong = sum(found[key] != truth[key] for key in found.keys() & truth.keys())
    return wrong, len(found.keys() - truth.keys()), len(truth.keys() - found.keys())


def goals(ours: Cost, theirs: Cost) -> dict[str, tuple[float, float]]:
    """What was aimed at: name -> (figure, the most that it may be)."""
    return {
        "write units an applied event": (ours.writes / ours.applied, WRITE_UNITS),
        "requests, as a share of Powertools'": (ours.requests / theirs.requests, REQUESTS),
        "wrong, resurrected and missing rows": (sum(ours.wrong), 0),
    }


def table(found: dict[str, list[Cost]]) -> Iterator[str]:
    """Medians of the runs, a line each figure."""
    figures: list[tuple[str, Callable[[Cost], float]]] = [
        ("events applied", lambda one: one.applied),
        ("write units", lambda one: one.writes),
        ("  an applied event", lambda one: one.writes / one.applied),
        ("  a message", lambda one: one.writes / one.messages),
        ("read units", lambda one: one.reads),
        ("requests", lambda one: one.requests),
        ("  an applied event", lambda one: one.requests / one.applied),
        ("  a message", lambda one: one.requests / one.messages),
        ("conditions that failed", lambda one: one.refused),
        ("seconds", lambda one: one.seconds),
    ]
    yield f"{'':26}" + "".join(f"{name:>16}" for name in found)
    for name, figure in figures:
        yield f"{name:26}" + "".join(
            f"{shown(statistics.median(map(figure, runs))):>16}" for runs in found.values()
        )
    yield f"{'wrong/resurrected/missing':26}" + "".join(
        f"{'/'.join(map(str, max(one.wrong for one in runs))):>16}" for runs in found.values()
    )


def shown(figure: float) -> str:
    return f"{figure:,.3f}" if figure < 100 else f"{figure:,.0f}"


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--events", type=int, default=50_000)
    options.add_argument("--keys", type=int, default=10_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument(
        "--batch", type=int, default=PER_INVOCATION, help="messages of one SQS event"
    )
    chosen = options.parse_args()
    told = make_stream(chosen.events, chosen.keys, chosen.batch)
    size = f"{chosen.events:,} events of {chosen.keys:,} keys, {told.messages:,} messages"
    print(f"{size}, {chosen.batch} an SQS event, {chosen.runs} runs", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, list[Cost]] = {name: [] for name in SIDES}
        for _, (name, side) in itertools.product(range(chosen.runs), SIDES.items()):
            service = start_dynamodb_local(Path(tempfile.mkdtemp(dir=folder)))
            try:
                found[name].append(cost(side, service.endpoint, told))
            finally:
                service.stop()
    print(*table(found), sep="\n")
    return judged(goals(found["anyorder"][-1], found["Powertools"][-1]))


def judged(aimed: dict[str, tuple[float, float]]) -> int:
    """Say which goals are met; the exit code."""
    for name, (figure, most) in aimed.items():
        print(f"{'met   ' if figure <= most else 'missed'} {name}: {figure:.3f}, at most {most}")
    return int(any(figure > most for figure, most in aimed.values()))


if __name__ == "__main__":
    sys.exit(main())
