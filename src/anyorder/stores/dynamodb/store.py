"""Amazon DynamoDB: one item holds a row and its memory; every write is conditional on what was
read.

A create is one plain conditional put while nothing was ever forgotten. Once a retention is set, it
carries the check of its own bucket's floor in one transaction (rules R2). Three ways to forget:
never, our own reaper, or DynamoDB's own TTL, where clocks come back: then a create needs a floor
that covers everything which may have expired (rules R2, `covered`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anyorder._core.event import Delivery, Event
from anyorder.errors import ConfigurationError, NotReapable
from anyorder.guard.contract import Promises, TableSpec
from anyorder.stores.dynamodb.books import Books, Meta
from anyorder.stores.dynamodb.floors import DAY, Floors, by_bucket
from anyorder.stores.dynamodb.items import MEMORY
from anyorder.stores.dynamodb.quarantine import Open, QuarantineItems
from anyorder.stores.dynamodb.requests import Requests, make_client, raise_for
from anyorder.stores.dynamodb.tables import Tombstone, UserTables
from anyorder.stores.dynamodb.transaction import DynamoDBTransaction

# above this share of keys that come to no write, reading first is cheaper (a strong read costs a
# twentieth of a refused write)
STALE_SHARE = 0.05
STEADY = 1000  # keys over which the share is taken
THREADS = 8


class DynamoDBStore:
    """The tables of one account and region.

    `pattern`: the DynamoDB table of a guarded table, `{table}` standing for its name (`users`, or
    `prod-{table}`). `forget`: "own" (our reaper, used only where a retention is set) or "ttl"
    (DynamoDB's own). `threads`: most requests at once. `read_first`: read before writing; None:
    while more than 5 % of the keys come to no write. `client`: a boto3 client to use instead of one
    of our own. Raises MissingExtra without boto3; ConfigurationError without region or credentials.
    """

    promises = Promises(
        "DynamoDB",
        guard="a conditional write a key; creates with a floor check in one transaction once anything may be forgotten",
        memory="inline: in the row's own item",
        forgets=True,
        one_transaction=False,
        exact_outcome=True,
        note=(
            "a batch is not atomic: each key is; an item has 400 KB, a number 38 digits and no sign of zero: -0.0 becomes 0; a multi-Region "
            "eventually consistent table guards only inside one Region; a write whose answer was lost and that is overtaken meanwhile is counted "
            "as stale"
        ),
    )

    def __init__(
        self,
        pattern: str,
        decode: Callable[[Delivery], Event] | None = None,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        forget: str = "own",
        threads: int = THREADS,
        read_first: bool | None = None,
        client: Any = None,
    ) -> None:
        if forget not in ("own", "ttl"):
            raise ConfigurationError(
                f'forget is "own" (our reaper) or "ttl" (DynamoDB\'s own), not {forget!r}'
            )
        self.native_ttl = forget == "ttl"
        self.requests = Requests(
            client if client is not None else make_client(region, endpoint, threads), threads
        )
        self.tables = UserTables(self.requests, pattern)
        self.books = Books(self.requests, self.tables.books)
        self.floors = Floors(self.books, self.tables)
        self.quarantine = QuarantineItems(self.books, decode)
        self._read_first = read_first
        self._stale_share = 1.0
        self._open: dict[str, tuple[tuple[int, int], list[Open]]] = {}

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[DynamoDBTransaction]:
        """Each key is one atomic step; an exception leaves what was written so far, and the same
        deliveries again make it whole."""
        transaction = DynamoDBTransaction(self, now, dry=dry)
        yield transaction
        transaction.finish()

    @contextmanager
    def reading(self) -> Iterator[DynamoDBTransaction]:
        """Strongly consistent reads; nothing is written."""
        yield DynamoDBTransaction(self, time.time(), dry=True)

    def close(self) -> None:
        """End our threads."""
        self.requests.close()

    # ---- reading or not

    @property
    def skips_reading(self) -> bool:
        """May a batch be written without reading first?"""
        return (
            not self._read_first
            if self._read_first is not None
            else self._stale_share < STALE_SHARE
        )

    def observe(self, stale: int, keys: int) -> None:
        """How many keys of a batch came to no write."""
        if keys:
            weight = min(1.0, keys / STEADY)
            self._stale_share += (stale / keys - self._stale_share) * weight

    # ---- forgetting

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        """Forget tombstones written up to a time: each bucket's floor first, then exactly the
        tombstones that were examined.

        With `forget="ttl"` nothing is deleted here: the floor is raised over all tombstones that
        are older than the retention, and DynamoDB deletes them later. Raises NotReapable where some
        never can be forgotten. A table that was written without a retention at first is reaped from
        a day after the retention was set: until then a plain create, decided before, may still be
        under way.
        """
        now = before + (spec.retention or 0.0)
        meta, _ = self.books.load(spec.name)
        if meta is None or meta.guarded is None:
            with self.transaction(now) as transaction:
                transaction.open_table(spec)
            return 0
        if meta.guarded > 0 and now < meta.guarded + DAY:
            return 0
        if meta.expires is not None and self.floors.note(meta, now):
            raise NotReapable
        return 0 if self.native_ttl else self._reap(spec, before, limit)

    def _reap(self, spec: TableSpec, before: float, limit: int) -> int:
        gone = 0
        for bucket, tombstones in by_bucket(
            itertools.islice(self.tables.tombstones(spec.name, before), limit)
        ).items():
            self.floors.raise_over(
                spec.name, bucket, [tombstone.memory.stamp for tombstone in tombstones]
            )
            gone += sum(
                self.requests.each(lambda tombstone: self._forget(spec, tombstone), tombstones)
            )
        return gone

    def _forget(self, spec: TableSpec, tombstone: Tombstone) -> bool:
        answer = self.requests.call(
            "delete_item",
            TableName=self.tables.name_of(spec.name),
            Key=tombstone.key,
            ConditionExpression="#m = :text",
            ExpressionAttributeNames={"#m": MEMORY},
            ExpressionAttributeValues={":text": {"S": tombstone.text}},
        )
        if answer.code == "ConditionalCheckFailedException":
            return False
        raise_for(answer, f"forget a tombstone of {spec.name}")
        return True

    # ---- the quarantine

    def open_entries(self, meta: Meta) -> list[Open]:
        """The open entries of a table; remembered while its counters say that nothing was opened or
        closed."""
        counters = (meta.opened, meta.open)
        known = self._open.get(meta.name)
        if known is not None and known[0] == counters:
            return known[1]
        found = self.quarantine.open_entries(meta.name)
        # else the query and the counters were read on two sides of somebody's change
        if len(found) == meta.open:
            self._open[meta.name] = (counters, found)
        return found

    def check(self, spec: TableSpec) -> Iterator[tuple[str, str, str]]:
        """For `doctor`: (where, finding, what to do) of everything about a table that its guard
        depends on."""
        from anyorder.stores.dynamodb.check import findings

        return findings(self, spec)
