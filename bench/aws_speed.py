"""How fast the DynamoDB store writes, beside a bare loop of the very writes that it sends, with the
same threads, in the same run.

    python -m bench.aws_speed [--keys N]

Into DynamoDB Local on this machine, in batches of 500, with eight requests under way. The bare loop
decides nothing, reads nothing and keeps no
books: it sends what was recorded of the store, as fast as the same threads can. Exit 1 when the
store is below 0.8 of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.parts.dynamodb import make_local_client, start_dynamodb_local
from tests.stores.dynamodb_place import exists

from anyorder.guard.contract import TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores.dynamodb.store import THREADS, DynamoDBStore
from anyorder.testing.change import Change, decode, delete, put
from bench.measure import rates

BATCH = 500
GOAL = 0.8  # of the bare loop
NOW = 1_790_000_000.0
WRITES = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})
TABLES = ("speed-users", "speed-anyorder")
Sent = tuple[str, dict[str, Any]]


class Recording:
    """A client that remembers each write to the user's table."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.sent: list[Sent] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return partial(self._write, name, method) if name in WRITES else method

    def _write(self, name: str, method: Callable[..., Any], **arguments: Any) -> Any:
        # else the server knows it, and does nothing
        again = {key: value for key, value in arguments.items() if key != "ClientRequestToken"}
        if TABLES[0] in {
            arguments.get("TableName"),
            *(
                part["TableName"]
                for item in again.get("TransactItems", ())
                for part in item.values()
            ),
        }:
            self.sent.append((name, again))
        return method(**arguments)


def emptied(client: Any, spec: TableSpec) -> None:
    """Fresh tables, made and known by one event."""
    for table in TABLES:
        if exists(client, table):
            client.delete_table(TableName=table)
    stored(client, spec, [put(-1, 1)])


def stored(client: Any, spec: TableSpec, changes: Sequence[Change]) -> int:
    """Through the store."""
    store = DynamoDBStore("speed-{table}", decode, client=client, threads=THREADS)
    events = [change.event() for change in changes]
    for start in range(0, len(events), BATCH):
        take(store, [Share(spec, events[start : start + BATCH])], now=NOW, token=f"{start}")
    store.close()
    return len(events)


def sent(client: Any, requests: Sequence[Sent]) -> int:
    """The recorded writes, and nothing else."""
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda one: getattr(client, one[0])(**one[1]), requests):
            pass
    return len(requests)


def ratio(client: Any, name: str, spec: TableSpec, changes: Sequence[Change]) -> float:
    """Print both rates; the store's, as a share of the bare loop's."""
    emptied(client, spec)
    recording = Recording(client)
    stored(recording, spec, changes)

    work = {
        "the store": partial(stored, client, spec, changes),
        "the bare loop": partial(sent, client, recording.sent),
    }
    store, bare = rates(work, before=partial(emptied, client, spec))
    print(
        f"\n{name}: {len(changes):,} events, {len(recording.sent):,} writes", store, bare, sep="\n"
    )
    found = (len(changes) / store.wall, len(recording.sent) / bare.wall)
    print(
        f"{found[0]:.2f} s and {found[1]:.2f} s: the store is at "
        f"{found[1] / found[0]:.2f} of the bare loop"
    )
    return found[1] / found[0]


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--keys", type=int, default=4_000)
    keys = range(options.parse_args().keys)
    creates, updates = (
        [put(key, 1) for key in keys],
        [delete(key, 2) if key % 7 == 0 else put(key, 2) for key in keys],
    )
    with tempfile.TemporaryDirectory() as folder:
        service = start_dynamodb_local(Path(folder))
        try:
            client = make_local_client(service.endpoint)
            found = [
                ratio(
                    client,
                    "creates, nothing is ever forgotten",
                    TableSpec("users", ("id",)),
                    creates,
                ),
                ratio(
                    client,
                    "creates, then updates and deletes",
                    TableSpec("users", ("id",)),
                    creates + updates,
                ),
                ratio(
                    client,
                    "creates that look at the floor (a retention)",
                    TableSpec("users", ("id",), retention=3600.0),
                    creates,
                ),
            ]
        finally:
            service.stop()
    return int(min(found) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
