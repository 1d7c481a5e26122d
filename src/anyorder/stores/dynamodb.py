"""Amazon DynamoDB: one item holds a row and its memory; every write is conditional on what was read.

A create is one plain conditional put while nothing was ever forgotten. Once a window is set, it carries the check of its own bucket's
floor in one transaction (rules R2). Three ways to forget: never, our own reaper, or DynamoDB's own TTL, where clocks come back: then
a create needs a floor that covers everything which may have expired (rules R2, `covered`).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from anyorder._core.event import Delivery, Event
from anyorder._core.memory import Stamp
from anyorder._core.position import Lineage
from anyorder.errors import ConfigurationError, StoreError
from anyorder.stores.contract import Promises, TableSpec
from anyorder.stores.dynamodb_books import BUCKETS, Books, FloorItem, Meta, bucket_of
from anyorder.stores.dynamodb_items import MEMORY
from anyorder.stores.dynamodb_quarantine import Open, QuarantineItems
from anyorder.stores.dynamodb_requests import Requests, make_client, raise_for
from anyorder.stores.dynamodb_tables import Tombstone, UserTables
from anyorder.stores.dynamodb_transaction import DynamoDBTransaction

DAY = 86_400.0
MARGIN_SHARE = 7  # a request must land within the margin: a day, or this part of a shorter window (rules R2: M = 1 day, T >= 7 days)
STALE_SHARE = 0.05  # above this share of keys that come to no write, reading first is cheaper (a strong read costs a twentieth of a refused write)
STEADY = 1000  # keys over which the share is taken
ANNOUNCED_SHARE = 10  # the reaper notes expiring tombstones anew after this part of the margin
THREADS = 8


class DynamoDBStore:
    """The tables of one account and region.

    `pattern`: the DynamoDB table of a guarded table, `{table}` standing for its name (`users`, or `prod-{table}`). `forget`: "own" (our
    reaper, used only where a window is set) or "ttl" (DynamoDB's own). `threads`: most requests at once. `read_first`: read before
    writing; None: while more than 5 % of the keys come to no write. `client`: a boto3 client to use instead of one of our own.
    Raises MissingExtra without boto3; ConfigurationError without region or credentials.
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
            raise ConfigurationError(f'forget is "own" (our reaper) or "ttl" (DynamoDB\'s own), not {forget!r}')
        self.native_ttl = forget == "ttl"
        self.requests = Requests(client if client is not None else make_client(region, endpoint, threads), threads)
        self.tables = UserTables(self.requests, pattern)
        self.books = Books(self.requests, self.tables.books)
        self.quarantine = QuarantineItems(self.books, decode)
        self._read_first = read_first
        self._stale_share = 1.0
        self._floors: dict[tuple[str, int], FloorItem] = {}
        self._open: dict[str, tuple[tuple[int, int], list[Open]]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[DynamoDBTransaction]:
        """Each key is one atomic step; an exception leaves what was written so far, and the same deliveries again make it whole."""
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
        return not self._read_first if self._read_first is not None else self._stale_share < STALE_SHARE

    def observe(self, stale: int, keys: int) -> None:
        """How many keys of a batch came to no write."""
        if keys:
            weight = min(1.0, keys / STEADY)
            self._stale_share += (stale / keys - self._stale_share) * weight

    # ---- floors

    def floors(self, meta: Meta, buckets: Collection[int], now: float, *, dry: bool = False) -> dict[int, FloorItem]:
        """The floors of these buckets. A remembered one may be too low, never too high; then the create's check fails and it is read again.

        `dry`: nothing is noted for DynamoDB's own expiry, since nothing will be created.
        """
        missing = [bucket for bucket in buckets if not self._covers(meta, bucket, now)]
        if missing:
            self._keep_floors(meta.name, self.books.floors(meta.name, missing))
        if not dry and any(not self._covers(meta, bucket, now) for bucket in missing):
            self._announce(meta, now)
        return {bucket: self._floors[meta.name, bucket] for bucket in buckets}

    def _covers(self, meta: Meta, bucket: int, now: float) -> bool:
        found = self._floors.get((meta.name, bucket))
        return found is not None and (meta.expires is None or found.covered >= self._needed(meta.expires, now))

    @staticmethod
    def _needed(window: float, now: float) -> float:
        """What a floor must cover for a create to be safe now: all that can have expired by the time it lands."""
        return now - window + margin(window)

    def _keep_floors(self, table: str, found: dict[int, FloorItem]) -> None:
        with self._lock:
            for bucket, floor in found.items():
                known = self._floors.get((table, bucket))
                if known is None or floor.version >= known.version:
                    self._floors[table, bucket] = floor

    def forget_floor(self, table: str, bucket: int) -> None:
        """A check failed: read it again next time."""
        with self._lock:
            self._floors.pop((table, bucket), None)

    def floor_check(self, meta: Meta, bucket: int, now: float) -> dict[str, Any]:
        """The part of a create's transaction that holds only while the floor is the one it was decided under."""
        found = self._floors.get((meta.name, bucket), FloorItem(version=0))
        values: dict[str, Any] = {":version": {"N": str(found.version)}}
        condition = "version = :version"
        if meta.expires is not None:
            condition += " AND covered >= :covered"
            values[":covered"] = {"N": str(self._needed(meta.expires, now))}
        key = self.books.key(f"floor#{meta.name}", f"{bucket:02}")
        return {
            "ConditionCheck": {
                "TableName": self.books.table,
                "Key": key,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def renew_floors(self, spec: TableSpec, truncated: Stamp, replaced: Stamp | None, lineage: Lineage) -> None:
        """A truncate in every floor, in the place of the one that it was decided on: whatever was decided without it is decided again."""
        for bucket in range(BUCKETS):
            floor = self.books.raise_floor(spec.name, bucket, (), truncated=truncated, replaced=replaced, lineage=lineage)
            self._keep_floors(spec.name, {bucket: floor})

    # ---- forgetting

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        """Forget tombstones written up to a time: each bucket's floor first, then exactly the tombstones that were examined.

        With `forget="ttl"` nothing is deleted here: the floor is raised over all tombstones that are older than half the window, and
        DynamoDB deletes them. A table that was written without a window at first is reaped from a day after the window was set:
        until then a plain create, decided before, may still be under way.
        """
        now = before + (spec.window or 0.0)
        meta, _ = self.books.load(spec.name)
        if meta is None or meta.guarded is None:
            with self.transaction(now) as transaction:
                transaction.open_table(spec)
            return 0
        if meta.guarded > 0 and now < meta.guarded + DAY:
            return 0
        if meta.expires is not None:
            self._announce(meta, now)
        return 0 if self.native_ttl else self._reap(spec, before, limit)

    def _reap(self, spec: TableSpec, before: float, limit: int) -> int:
        gone = 0
        for bucket, tombstones in _by_bucket(itertools.islice(self.tables.tombstones(spec.name, before), limit)).items():
            stamps = [tombstone.memory.stamp for tombstone in tombstones]
            self._keep_floors(spec.name, {bucket: self.books.raise_floor(spec.name, bucket, stamps)})
            gone += sum(self.requests.each(lambda tombstone: self._forget(spec, tombstone), tombstones))
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

    def _announce(self, meta: Meta, now: float) -> None:
        """Native TTL: every tombstone older than half the window is in its floor, and the floors say so.

        Any time between now - margin and now - window + margin is safe (rules R2). The middle leaves half a window, less the margin, to either side:
        for keys that were never seen to stay ordinary, and for the next note to be late.
        """
        window = meta.expires or 0.0
        covered = min(found.covered for found in self.books.floors(meta.name, range(BUCKETS)).values())
        if covered and now > covered + window:
            raise StoreError(
                f"table {meta.name}: its tombstones were noted up to {time.strftime('%Y-%m-%d %H:%MZ', time.gmtime(covered))}, longer ago than the "
                "window: DynamoDB's TTL may have deleted others unseen. Rebuild the table from its source; `anyorder reap` must run within the window"
            )
        upto = now - window / 2 if covered else now
        if covered and upto - covered < margin(window) / ANNOUNCED_SHARE:
            return
        groups = _by_bucket(self.tables.tombstones(meta.name, upto))
        for bucket in range(BUCKETS):
            stamps = [tombstone.memory.stamp for tombstone in groups.get(bucket, ())]
            self._keep_floors(meta.name, {bucket: self.books.raise_floor(meta.name, bucket, stamps, upto)})

    # ---- the quarantine

    def open_entries(self, meta: Meta) -> list[Open]:
        """The open entries of a table; remembered while its counters say that nothing was opened or closed."""
        counters = (meta.opened, meta.open)
        known = self._open.get(meta.name)
        if known is None or known[0] != counters:
            known = self._open[meta.name] = (counters, self.quarantine.open_entries(meta.name))
        return known[1]

    def check(self, spec: TableSpec) -> Iterator[tuple[str, str, str]]:
        """For `doctor`: (where, finding, what to do) of everything about a table that its guard depends on."""
        from anyorder.stores.dynamodb_check import findings

        return findings(self, spec)


def _by_bucket(tombstones: Iterable[Tombstone]) -> dict[int, list[Tombstone]]:
    groups: dict[int, list[Tombstone]] = {}
    for tombstone in tombstones:
        groups.setdefault(bucket_of(tombstone.entity), []).append(tombstone)
    return groups


def margin(window: float) -> float:
    """How long a request may be under way, clock error included (rules R2): a day, or a seventh of a window shorter than a week."""
    return min(DAY, window / MARGIN_SHARE)
