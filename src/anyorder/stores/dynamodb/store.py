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
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from anyorder.errors import ConfigurationError, NotReapable
from anyorder.guard.contract import Decode, Promises, TableSpec
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.check import findings
from anyorder.stores.dynamodb.closings import Closings
from anyorder.stores.dynamodb.contents import ContentItems
from anyorder.stores.dynamodb.floors import DAY, Floors, by_bucket
from anyorder.stores.dynamodb.held import HeldItems
from anyorder.stores.dynamodb.items import MEMORY
from anyorder.stores.dynamodb.open_entries import OpenEntries
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.quarantine import QuarantineItems
from anyorder.stores.dynamodb.requests import Requests, make_client, raise_for
from anyorder.stores.dynamodb.staleness import Staleness
from anyorder.stores.dynamodb.tables import Tombstone, UserTables
from anyorder.stores.dynamodb.transaction import DynamoDBTransaction

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
        guard=(
            "a conditional write a key; creates with a floor check in one transaction once "
            "anything may be forgotten"
        ),
        memory="inline: in the row's own item",
        forgets=True,
        one_transaction=False,
        exact_outcome=True,
        note=(
            "a batch is not atomic: each key is; an item has 400 KB, a number 38 digits and no "
            "sign of zero: -0.0 becomes 0; a multi-Region eventually consistent table guards only "
            "inside one Region; a write whose answer was lost and that is overtaken meanwhile is "
            "counted as stale"
        ),
    )

    def __init__(
        self,
        pattern: str,
        decode: Decode | None = None,
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
        if client is None:
            client = make_client(region, endpoint, threads)
        requests = Requests(client, threads)
        tables = UserTables(requests, pattern)
        books = Books(requests, tables.books)
        open_entries, contents = OpenEntries(books), ContentItems(books)
        held = HeldItems(books, contents, decode)
        self.parts = Parts(
            requests=requests,
            tables=tables,
            books=books,
            floors=Floors(books, tables),
            held=held,
            quarantine=QuarantineItems(books, open_entries, contents, held),
            closings=Closings(books, open_entries),
            open_entries=open_entries,
            staleness=Staleness(read_first),
            native_ttl=forget == "ttl",
        )

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[DynamoDBTransaction]:
        """Each key is one atomic step; an exception leaves what was written so far, and the same
        deliveries again make it whole."""
        transaction = DynamoDBTransaction(self.parts, now, dry=dry)
        yield transaction
        transaction.finish()

    @contextmanager
    def reading(self) -> Iterator[DynamoDBTransaction]:
        """Strongly consistent reads; nothing is written."""
        yield DynamoDBTransaction(self.parts, time.time(), dry=True)

    def close(self) -> None:
        """End our threads."""
        self.parts.requests.close()

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
        meta, _ = self.parts.books.load(spec.name)
        if meta is None or meta.guarded is None:
            with self.transaction(now) as transaction:
                transaction.open_table(spec)
            return 0
        if meta.guarded > 0 and now < meta.guarded + DAY:
            return 0
        if meta.expires is not None and self.parts.floors.note(meta, now):
            raise NotReapable
        return 0 if self.parts.native_ttl else self._reap(spec, before, limit)

    def _reap(self, spec: TableSpec, before: float, limit: int) -> int:
        gone = 0
        old = itertools.islice(self.parts.tables.tombstones(spec.name, before), limit)
        for bucket, tombstones in by_bucket(old).items():
            stamps = [tombstone.memory.greatest for tombstone in tombstones]
            self.parts.floors.raise_over(spec.name, bucket, stamps)
            went = self.parts.requests.each(
                lambda tombstone: self._forget(spec, tombstone), tombstones
            )
            gone += sum(went)
        return gone

    def _forget(self, spec: TableSpec, tombstone: Tombstone) -> bool:
        answer = self.parts.requests.call(
            "delete_item",
            TableName=self.parts.tables.name_of(spec.name),
            Key=tombstone.key,
            ConditionExpression="#m = :text",
            ExpressionAttributeNames={"#m": MEMORY},
            ExpressionAttributeValues={":text": {"S": tombstone.text}},
        )
        if answer.code == "ConditionalCheckFailedException":
            return False
        raise_for(answer, f"forget a tombstone of {spec.name}")
        return True

    def check(self, spec: TableSpec) -> Iterator[tuple[str, str, str]]:
        """For `doctor`: (where, finding, what to do) of everything about a table that its guard
        depends on."""
        return findings(self.parts, spec)
