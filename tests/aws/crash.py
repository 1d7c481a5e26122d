"""Kill the consumer of a queue at random moments, freeze others until their messages are shown to
somebody else, and hold the table.

    python -m tests.aws.crash --kills 30              into DynamoDB Local behind a proxy that
    throttles, fails and loses answers python -m tests.aws.crash --kills 30 --store sqlite

The visibility timeout is a few seconds. A killed consumer (SIGKILL) lets it expire after a write
and before the delete; a frozen one (SIGSTOP) lets it expire in the middle of a write, goes on
beside the one that has its messages by then, and deletes with receipts that have ended. At the end
the queue is empty, every row is the source's, and no entry is left in the quarantine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.aws.connector import event_of
from tests.aws.home import Home, balanced
from tests.aws.queues import Queue, make_sqs_client
from tests.parts.dynamodb import REGION, make_local_client, start_dynamodb_local
from tests.parts.elasticmq import start_elasticmq
from tests.parts.faulty_proxy import FaultyProxy
from tests.stores.dynamodb_place import live, plain_row, scan
from tests.streams import final_rows, stream, unordered

VISIBILITY = 3
SHARE = 0.05  # of the requests to DynamoDB that end badly


class Trial:
    """One queue, one store, and consumers that come and go."""

    def __init__(
        self, home: Path, sqs: Any, url: str, events: int, keys: int, seed: int, batch: int = 50
    ) -> None:
        self.chance = random.Random(seed)
        self.records = list(stream(events, keys, seed=seed))
        self.queue = Queue(sqs, visibility=VISIBILITY)
        self.sent = self.queue.send(map(event_of, unordered(self.records, seed)))
        self.home = Home(home)
        self.settings = {"url": url, "batch": batch, "more": f"visibility = {VISIBILITY}\n"}
        self.home.pipeline(self.queue, drain="false", **self.settings)
        self.killed = self.frozen = 0

    def disturb(self, kills: int, seconds: float) -> None:
        """Kill `kills` consumers; freeze one in three first, while another takes what was its."""
        while self.killed < kills:
            process = self.home.start()
            time.sleep(self.chance.uniform(0.3, seconds))
            if process.poll() is not None:
                raise AssertionError(process.communicate()[1][-3000:])
            if self.killed % 3 == 2:
                self._freeze(process)
            _kill(process)
            self.killed += 1

    def _freeze(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGSTOP)
        other = self.home.start()
        time.sleep(VISIBILITY + 1)
        process.send_signal(signal.SIGCONT)
        time.sleep(self.chance.uniform(0.0, 1.0))
        assert other.poll() is None, other.communicate()[1][-3000:]
        _kill(other)
        self.frozen += 1

    def finish(self) -> dict[str, Any]:
        """A last consumer drains the queue; its books."""
        self.home.pipeline(self.queue, **self.settings)
        books = self.home.run()
        assert balanced(books), books
        assert self.queue.count() == {"visible": 0, "invisible": 0}, "messages are left"
        open_entries = self.home.ask("quarantine", "list")
        assert not open_entries, open_entries[:3]
        return books


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def sqlite_rows(path: Path) -> dict[int, dict[str, Any]]:
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    return {row["id"]: dict(row) for row in database.execute("SELECT * FROM users")}


def dynamodb_rows(client: Any, table: str) -> dict[Any, dict[str, Any]]:
    rows = [plain_row(item) for item in scan(client, table) if live(item)]
    return {row["id"]: row for row in rows}


def trial(
    sqs: Any,
    kills: int,
    *,
    dynamodb: Any = None,
    events: int = 3000,
    keys: int = 200,
    seed: int = 0,
    seconds: float = 1.5,
) -> dict[str, Any]:
    """One whole trial, into DynamoDB behind a faulty proxy, or into SQLite. Raises AssertionError
    with what is wrong; returns the figures."""
    with tempfile.TemporaryDirectory() as folder:
        if dynamodb is None:
            setting = Trial(Path(folder), sqs, f"sqlite:///{folder}/app.db", events, keys, seed)
            return _tried(setting, kills, seconds, lambda: sqlite_rows(Path(folder) / "app.db"))
        prefix = f"crash-{os.getpid()}-{seed}-"
        proxy = FaultyProxy(dynamodb.meta.endpoint_url, SHARE, seed)
        try:
            url = f"dynamodb://{prefix}{{table}}?region={REGION}&endpoint={proxy.endpoint}"
            setting = Trial(Path(folder), sqs, url, events, keys, seed)
            figures = _tried(
                setting,
                kills,
                seconds,
                lambda: {
                    int(r["id"]): r
                    for r in map(plain_row, filter(live, scan(dynamodb, prefix + "users")))
                },
            )  # type: ignore[call-overload]
        finally:
            proxy.stop()
        return {
            **figures,
            "faults": {name: number for name, number in proxy.seen.items() if name != "fine"},
        }


def _tried(setting: Trial, kills: int, seconds: float, rows: Any) -> dict[str, Any]:
    began = time.monotonic()
    setting.disturb(kills, seconds)
    left = sum(setting.queue.count().values())
    books = setting.finish()
    wanted, found = final_rows(setting.records), rows()
    keys = wanted.keys() | found.keys()
    wrong = {key for key in keys if wanted.get(key) != found.get(key)}
    assert not wrong, (
        f"{len(wrong)} rows are wrong: "
        f"{ {key: (found.get(key), wanted.get(key)) for key in sorted(wrong)[:3]} }"
    )
    return {
        "messages": setting.sent,
        "kills": setting.killed,
        "of them frozen beyond the visibility timeout": setting.frozen,
        "in the queue after the last kill": left,
        "read by the last run": books["read"],
        "rows": len(wanted),
        "wrong": len(wrong),
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--kills", type=int, default=30)
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--store", choices=["dynamodb", "sqlite"], default="dynamodb")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        services = [start_elasticmq(Path(folder))] + (
            [start_dynamodb_local(Path(folder))] if chosen.store == "dynamodb" else []
        )
        try:
            dynamodb = make_local_client(services[1].endpoint) if len(services) > 1 else None
            sqs = make_sqs_client(services[0].endpoint)
            print(
                json.dumps(
                    trial(
                        sqs,
                        chosen.kills,
                        dynamodb=dynamodb,
                        events=chosen.events,
                        keys=2000,
                        seed=chosen.seed,
                        seconds=4.0,
                    )
                )
            )
        finally:
            for service in services:
                service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
