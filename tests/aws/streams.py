"""The recorded streams through the AWS chain into DynamoDB, held item by item against the source's
own final rows.

    python -m tests.aws.streams                                       the small streams, ElasticMQ,
    `anyorder run` python -m tests.aws.streams --stream shop --consumer lambda
    python -m tests.aws.streams --stream users_small --queue moto --by bus

Each record is wrapped as the EventBridge sink connector does, and delivered displaced by up to a
thousand places, one in five twice. One in two hundred fails at first and lies in the dead-letter
queue until the end, when the queue is redriven. `--by bus`: through an EventBridge bus and a rule
(moto's), with a proxy before the consumer that repeats and reorders more; `--by queue`: put into
the queue as the rule would, for big streams. `--consumer lambda`: the handler called with Lambda's
own events instead of `anyorder run`, one function a table, as one rule a topic would have it. Exit
1 when a row is neither equal nor explained, or the books do not balance.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.aws.bus import Bus
from tests.aws.connector import entry_of, event_of, sqs_event
from tests.aws.home import Home, balanced
from tests.aws.queues import Queue, make_sqs_client
from tests.aws.truth import Recording, Verdict, judge
from tests.parts.dynamodb import REGION, make_local_client, start_dynamodb_local, start_moto
from tests.parts.elasticmq import start_elasticmq
from tests.parts.unruly_queue import UnrulyQueue
from tests.recordings import Telling, tellings
from tests.stores.dynamodb_place import exists, live, plain_row, scan

DISPLACED, TWICE, DEAD = 1000, 0.2, 0.005
# messages in the queue at most: moto counts its whole queue for each one it takes
BACKLOG = {"elasticmq": 20_000, "moto": 300}
PER_INVOCATION = 100
LARGE = {"shop"}  # only when asked for


class Delivered:
    """A stream as it arrives: `first`, and what the dead-letter queue gives back at the end."""

    def __init__(self, records: list[dict[str, Any]], seed: int) -> None:
        chance = random.Random(seed)
        copies = [(place + chance.random() * DISPLACED, place) for place in range(len(records))]
        copies += [
            (place + chance.random() * DISPLACED, place)
            for place in range(len(records))
            if chance.random() < TWICE
        ]
        dead = {number for number in range(len(copies)) if chance.random() < DEAD}
        self.first = [
            records[place]
            for _, place in sorted(copy for number, copy in enumerate(copies) if number not in dead)
        ]
        self.dead = [records[copies[number][1]] for number in sorted(dead)]

    @property
    def count(self) -> int:
        return len(self.first) + len(self.dead)


class Trial:
    """One stream into fresh DynamoDB tables. `parts`: the clients of the queue's server and of
    DynamoDB, and a bus or None."""

    def __init__(
        self,
        home: Path,
        recording: Recording,
        sqs: Any,
        dynamodb: Any,
        seed: int = 0,
        batch: int = 500,
        bus: str | None = None,
    ) -> None:
        self.recording = recording
        self.delivered = Delivered(recording.records, seed)
        self.prefix = (
            f"t{os.getpid()}-{recording.telling.stream}-{recording.telling.name}-{seed}-".replace(
                "_", "-"
            )
        )
        self.dynamodb = dynamodb
        self.names = {table: table.split(".")[-1] for table in recording.tables}
        self.url = f"dynamodb://{self.prefix}{{table}}?region={REGION}&endpoint={dynamodb.meta.endpoint_url}"
        self.home = Home(home)
        self.dead = Queue(sqs)
        self.queue = Queue(sqs, visibility=60, dead_letters=self.dead, receives=20)
        self.bus = Bus(bus, self.queue) if bus is not None else None
        self.proxy = UnrulyQueue(bus, seed) if bus is not None else None
        endpoint = self.proxy.endpoint if self.proxy is not None else self.queue.endpoint
        batch = batch if bus is None else min(batch, BACKLOG["moto"] // 2)
        self.home.pipeline(self.queue, endpoint=endpoint, url=self.url, batch=batch, drain="false")
        tables = "".join(
            f'[[table]]\nmatch = "*.{table}"\nname = "{name}"\n\n'
            for table, name in self.names.items()
        )
        text = self.home.file.read_text()
        self.home.file.write_text(
            text[: text.index("[[table]]")] + tables + '[[table]]\nmatch = "*"\nignore = true\n',
            encoding="utf-8",
        )

    # ---- by `anyorder run`

    def run(self) -> dict[str, Any]:
        """Feed the queue while the consumer reads it; then redrive the dead letters; the books of
        the whole run."""
        process = self.home.start()
        self.dead.send(map(event_of, self.delivered.dead))
        self._feed(self.delivered.first, process)
        self._until_empty(process)
        self.dead.redrive(self.queue)
        self._until_empty(process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
        assert process.returncode in (0, 1), err[-3000:]
        return dict(json.loads(out.splitlines()[-1]))

    def _feed(self, records: list[dict[str, Any]], process: subprocess.Popen[str]) -> None:
        most = BACKLOG["moto" if self.bus is not None else "elasticmq"]
        for start in range(0, len(records), min(most, 1000)):
            chunk = records[start : start + min(most, 1000)]
            if self.bus is not None:
                self.bus.put(entry_of(one, self.bus.name) for one in chunk)
            else:
                self.queue.send(map(event_of, chunk))
            while self.queue.count()["visible"] > most:
                assert process.poll() is None, process.communicate()[1][-3000:]
                time.sleep(0.05)

    def _until_empty(self, process: subprocess.Popen[str]) -> None:
        empty = 0
        while empty < 3:
            assert process.poll() is None, process.communicate()[1][-3000:]
            empty = empty + 1 if not sum(self.queue.count().values()) else 0
            time.sleep(0.3)

    # ---- by the Lambda function

    def invoke(self) -> dict[str, Any]:
        """Call one function a table with batches of messages; what it gives back is delivered
        again, and so are the dead letters at the end."""
        from anyorder.aws import LambdaHandler, lambda_handler
        from anyorder.tables import table

        handlers: dict[str, LambdaHandler] = {
            name: lambda_handler(table(self.url, short, envelope="eventbridge"))
            for name, short in self.names.items()
        }
        unmatched = 0
        for records in (self.delivered.first, self.delivered.dead):
            for name, messages in self._by_rule(records).items():
                if name not in handlers:
                    unmatched += len(messages)
                    continue
                for start in range(0, len(messages), PER_INVOCATION):
                    answer = handlers[name](sqs_event(messages[start : start + PER_INVOCATION]))
                    assert answer == {"batchItemFailures": []}, answer
        ignored = collections.Counter(unmatched=unmatched)
        books: dict[str, Any] = {
            "read": unmatched,
            "applied": 0,
            "ignored": ignored,
            "quarantined": collections.Counter(),
        }
        for handler in handlers.values():
            books["read"] += handler.report.read
            books["applied"] += handler.report.applied
            books["ignored"] += handler.report.ignored
            books["quarantined"] += handler.report.quarantined
            handler.table.close()
        return books

    def _by_rule(self, records: Iterable[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for number, record in enumerate(records):
            name = next(
                (table for table in self.recording.tables if record["topic"].endswith(f".{table}")),
                "",
            )
            found.setdefault(name, []).append((f"m{number}", event_of(record)))
        return found

    # ---- judging

    def verdict(self) -> Verdict:
        """Every item against the source's row."""
        full = {short: table for table, short in self.names.items()}
        held = collections.defaultdict(list)
        for entry in self.home.ask("quarantine", "list"):
            if entry["key"] is not None and entry["table"] in full:
                held[full[entry["table"]], self._key(full[entry["table"]], entry["key"])].append(
                    f"{entry['reason']} {entry['detail']}"
                )
        holes = {}
        for row in self.home.ask("incomplete"):
            table = full[row["table"]]
            holes[table, self._key(table, row["key"])] = set(row["holes"])
        items = {
            table: [
                plain_row(item) for item in scan(self.dynamodb, self.prefix + short) if live(item)
            ]
            for table, short in self.names.items()
        }
        return judge(self.recording, items, held, holes)

    def _key(self, table: str, key: dict[str, Any]) -> str:
        return self.recording.found_key(table, key)

    def close(self) -> None:
        """Drop the tables and the queues, end the proxy."""
        if self.proxy is not None:
            self.proxy.stop()
        for short in (*self.names.values(), "anyorder"):
            if exists(self.dynamodb, self.prefix + short):
                self.dynamodb.delete_table(TableName=self.prefix + short)
        for queue in (self.queue, self.dead):
            queue.client.delete_queue(QueueUrl=queue.url)


def tried(trial: Trial, consumer: str) -> tuple[dict[str, Any], list[str]]:
    """One whole trial: the figures, and what is wrong."""
    began = time.monotonic()
    books = trial.run() if consumer == "run" else trial.invoke()
    seconds = time.monotonic() - began
    figures, problems = trial.verdict()
    if books["read"] < trial.delivered.count or not balanced(books):
        problems = [
            f"the books do not balance: {books}, delivered {trial.delivered.count}",
            *problems,
        ]
    told = {
        name: books[name] if isinstance(books[name], int) else dict(books[name])
        for name in ("read", "applied", "ignored", "quarantined")
    }
    return {
        **figures,
        "books": told,
        "per second": round(trial.delivered.count / seconds),
    }, problems


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--stream", action="append", help="only these (default: all but the largest)"
    )
    options.add_argument("--consumer", choices=["run", "lambda"], default="run")
    options.add_argument("--queue", choices=["elasticmq", "moto"], default="elasticmq")
    options.add_argument("--by", choices=["queue", "bus"], default="queue")
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    if chosen.by == "bus" and chosen.queue != "moto":
        options.error("the bus is moto's, and delivers to its own queues only: --queue moto")
    wanted = [
        one
        for one in tellings()
        if one.stream in (chosen.stream or {t.stream for t in tellings()} - LARGE)
    ]
    with tempfile.TemporaryDirectory() as folder:
        return _all(wanted, chosen, Path(folder))


def _all(wanted: list[Telling], chosen: argparse.Namespace, folder: Path) -> int:
    services = [
        start_dynamodb_local(folder),
        start_moto(folder) if chosen.queue == "moto" else start_elasticmq(folder),
    ]
    failed = 0
    try:
        dynamodb, sqs = (
            make_local_client(services[0].endpoint),
            make_sqs_client(services[1].endpoint),
        )
        for telling in wanted:
            home = folder / str(telling)
            home.mkdir()
            bus = services[1].endpoint if chosen.by == "bus" else None
            trial = Trial(home, Recording(telling), sqs, dynamodb, chosen.seed, chosen.batch, bus)
            figures, problems = tried(trial, chosen.consumer)
            trial.close()
            failed += bool(problems)
            print(
                "FAIL" if problems else "ok  ",
                telling,
                f"{chosen.consumer} {chosen.queue} {chosen.by}",
                json.dumps(figures),
                flush=True,
            )
            for problem in problems[:8]:
                print("     ", problem[:400], flush=True)
    finally:
        for service in services:
            service.stop()
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return int(failed > 0 or not wanted)


if __name__ == "__main__":
    sys.exit(main())
