"""The floors of guarded tables: stored in BUCKETS items a table, remembered here, and what a create
must check of its own.

A key always uses the floor of its own bucket, by the hash of the key, never "any copy" (rules R2);
creates of different buckets do not meet in one item. Under DynamoDB's own TTL clocks come back: a
create then needs a floor that covers everything which may have expired (`covered`). A tombstone is
in the floor after its retention, and expires after three: so whoever notes them may be away for a
retention, and be late.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from anyorder._core.floor import EVERYTHING, NOTHING_FORGOTTEN, Floor
from anyorder._core.memory import Stamp
from anyorder._core.position import Lineage, Order
from anyorder.errors import NotReapable
from anyorder.stores.dynamodb.books import Books, Meta
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.tables import Tombstone, UserTables

BUCKETS = 16
DAY = 86_400.0
# a request must land within the margin: a day, or this part of a shorter retention (rules R2: M = 1
# day, T >= 7 days)
MARGIN_SHARE = 7
# seconds of a retention under DynamoDB's TTL: its margin is then four times as long as a request
# may be under way
SHORTEST = 3600.0
EXPIRY = 3  # retentions until DynamoDB's TTL may delete a tombstone
NOTED_SHARE = 10  # expiring tombstones are noted anew after this part of the margin
_floor = msgspec.json.Decoder(Floor)
_stamp = msgspec.json.Decoder(Stamp)
_encode = msgspec.json.encode


class FloorItem(NamedTuple):
    """One bucket's floor. `version` counts its raises; `covered`: all tombstones stamped up to then
    are in it (native TTL).

    `truncated`: the table's greatest truncate, here because a create must be decided under both at
    once.
    """

    floor: Floor = NOTHING_FORGOTTEN
    version: int = 1
    covered: float = 0.0
    truncated: Stamp | None = None


def bucket_of(entity: str) -> int:
    """The floor item of a key: always the same."""
    return zlib.crc32(entity.encode()) % BUCKETS


class Floors:
    """A remembered floor may be too low, never too high; then a create's check fails, and it is
    read again."""

    def __init__(self, books: Books, tables: UserTables) -> None:
        self._books = books
        self._tables = tables
        self._known: dict[tuple[str, int], FloorItem] = {}
        self._lock = threading.Lock()

    def add(self, table: str) -> None:
        """The floor items of a table, those that are not there."""

        def add(bucket: int) -> None:
            self._books.update(
                *_key(table, bucket),
                "SET version = if_not_exists(version, :one)",
                {":one": {"N": "1"}},
            )

        self._books.requests.each(add, range(BUCKETS))

    def read(self, table: str, buckets: Iterable[int] = range(BUCKETS)) -> dict[int, FloorItem]:
        """The floors of these buckets, as stored."""
        found = self._books.get([_key(table, bucket) for bucket in buckets])
        return {int(place): _floor_item(item) for (_, place), item in found.items()}

    def of(
        self, meta: Meta, buckets: Collection[int], now: float, *, dry: bool = False
    ) -> dict[int, FloorItem]:
        """The floors to decide creates of these buckets under.

        `dry`: nothing is noted for DynamoDB's own expiry, since nothing will be created.
        """
        missing = [bucket for bucket in buckets if not self._is_fresh(meta, bucket, now)]
        if missing:
            self._keep(meta.name, self.read(meta.name, missing))
        if not dry and any(not self._is_fresh(meta, bucket, now) for bucket in missing):
            self.note(meta, now)
        return {bucket: self._of_bucket(meta.name, bucket) for bucket in buckets}

    def _of_bucket(self, table: str, bucket: int) -> FloorItem:
        known = self._known.get((table, bucket))
        # Another thread may have found it too low in this very moment.
        return known or self.read(table, [bucket])[bucket]

    def check(self, meta: Meta, bucket: int, version: int, now: float) -> dict[str, Any]:
        """The part of a create's transaction that holds only while the floor is the one it was
        decided under, of this version: what is remembered here may be newer, by another thread."""
        values: dict[str, Any] = {":version": {"N": str(version)}}
        condition = "version = :version"
        if meta.expires is not None:
            condition += " AND covered >= :covered"
            values[":covered"] = {"N": str(_needed(meta.expires, now))}
        check = {
            "TableName": self._books.table,
            "Key": self._books.key(*_key(meta.name, bucket)),
            "ConditionExpression": condition,
        }
        return {"ConditionCheck": {**check, "ExpressionAttributeValues": values}}

    def read_again(self, table: str, bucket: int) -> None:
        """A check failed: read it again next time."""
        with self._lock:
            self._known.pop((table, bucket), None)

    def raise_over(
        self,
        table: str,
        bucket: int,
        tombstones: Iterable[Stamp],
        covered: float = 0.0,
        *,
        lost: bool = False,
    ) -> None:
        """Raise a bucket's floor over these tombstones, all of those stamped up to `covered` among
        them. `lost`: over everything."""
        stamps = list(tombstones)
        self._change(table, bucket, lambda before: _raised(before, stamps, covered, lost))

    def truncate(
        self, table: str, truncated: Stamp, replaced: Stamp | None, lineage: Lineage
    ) -> None:
        """A truncate into every floor: whatever was decided without it is decided again.

        `replaced`: the truncate that this one was decided on; it goes although the two may not
        compare.
        """
        for bucket in range(BUCKETS):
            self._change(
                table, bucket, lambda before: _truncated(before, truncated, replaced, lineage)
            )

    def _change(self, table: str, bucket: int, change: Callable[[FloorItem], FloorItem]) -> None:
        """Store what this makes of a floor; as a new version, so that creates notice."""
        # ends: each turn means that another writer raised this floor between our look and our write
        while True:
            before = self.read(table, [bucket])[bucket]
            after = change(before)._replace(version=before.version + 1)
            if self._replace(table, bucket, before, after):
                self._keep(table, {bucket: after})
                return

    def _replace(self, table: str, bucket: int, before: FloorItem, after: FloorItem) -> bool:
        values: Item = {
            ":floor": {"S": _encode(after.floor).decode()},
            ":covered": {"N": str(after.covered)},
            ":old": {"N": str(before.version)},
            ":new": {"N": str(after.version)},
        }
        expression = "SET floor = :floor, covered = :covered, version = :new"
        if after.truncated is not None:
            expression, values[":truncated"] = (
                f"{expression}, truncated = :truncated",
                {"S": _encode(after.truncated).decode()},
            )
        return self._books.update(
            *_key(table, bucket), expression, values, condition="version = :old"
        )

    def _keep(self, table: str, found: dict[int, FloorItem]) -> None:
        with self._lock:
            for bucket, floor in found.items():
                known = self._known.get((table, bucket))
                if known is None or floor.version >= known.version:
                    self._known[table, bucket] = floor

    # ---- DynamoDB's own expiry

    def _is_fresh(self, meta: Meta, bucket: int, now: float) -> bool:
        found = self._known.get((meta.name, bucket))
        return found is not None and (
            meta.expires is None or now - meta.expires - found.covered < _pause(meta.expires)
        )

    def note(self, meta: Meta, now: float, retention: float | None = None) -> int:
        """Every tombstone older than its retention is in its floor, and the floors say so. How many
        had to be left: they never expire.

        Any time between now - margin and now - the time until they expire + margin is safe (rules
        R2); the first note has no other behind it, and takes the latest. `retention`: the shorter
        one that is about to hold. If the last note is so old that tombstones may be gone unseen,
        the floor is raised over everything, as R2 says.
        """
        expires = meta.expires or 0.0
        known = self.read(meta.name)
        self._keep(meta.name, known)
        covered = min(found.covered for found in known.values())
        holds = expires if retention is None else retention
        upto = now - (holds if covered else margin(expires))
        if covered and upto - covered < _pause(holds):
            return 0
        # with the margin, since the look at the tombstones may take that long too
        lost = bool(covered) and covered < _needed(expires, now)
        tombstones = list(self._tables.tombstones(meta.name, upto))
        groups = by_bucket(
            tombstone for tombstone in tombstones if is_forgettable(tombstone.memory.stamp)
        )
        for bucket in range(BUCKETS):
            self.raise_over(
                meta.name,
                bucket,
                [tombstone.memory.greatest for tombstone in groups.get(bucket, ())],
                upto,
                lost=lost,
            )
        return len(tombstones) - sum(map(len, groups.values()))


def is_forgettable(stamp: Stamp) -> bool:
    """May a tombstone at this position go, because a floor can stand for it?"""
    try:
        return bool(stamp.position.raising(NOTHING_FORGOTTEN))
    except NotReapable:
        return False


def by_bucket(tombstones: Iterable[Tombstone]) -> dict[int, list[Tombstone]]:
    """Tombstones by the bucket of their floor."""
    groups: dict[int, list[Tombstone]] = {}
    for tombstone in tombstones:
        groups.setdefault(bucket_of(tombstone.entity), []).append(tombstone)
    return groups


def margin(retention: float) -> float:
    """How long a request may be under way, clock error included (rules R2): a day, or a seventh of
    a retention shorter than a week."""
    return min(DAY, retention / MARGIN_SHARE)


def _needed(retention: float, now: float) -> float:
    """What a floor must cover for a create to be safe now: all that can have expired by the time it
    lands."""
    return now - EXPIRY * retention + margin(retention)


def _pause(retention: float) -> float:
    """Seconds between two notes."""
    return margin(retention) / NOTED_SHARE


def _key(table: str, bucket: int) -> tuple[str, str]:
    return f"floor#{table}", f"{bucket:02}"


def _raised(
    before: FloorItem, tombstones: Sequence[Stamp], covered: float, lost: bool
) -> FloorItem:
    floor = EVERYTHING if lost else before.floor
    for stamp in tombstones:
        if floor == EVERYTHING:
            break
        try:
            floor = stamp.position.raising(floor)
        except NotReapable:
            if not covered:
                raise
            # its clock has no place beside the others in this floor, and DynamoDB will delete it
            # all the same
            floor = EVERYTHING
    return before._replace(floor=floor, covered=max(before.covered, covered))


def _truncated(
    before: FloorItem, truncated: Stamp, replaced: Stamp | None, lineage: Lineage
) -> FloorItem:
    greatest = before.truncated
    if greatest in (None, replaced) or truncated.compare(greatest, lineage) is Order.NEWER:
        return before._replace(truncated=truncated)
    return before


def _floor_item(item: Item) -> FloorItem:
    floor = _floor.decode(item["floor"]["S"]) if "floor" in item else NOTHING_FORGOTTEN
    truncated = _stamp.decode(item["truncated"]["S"]) if "truncated" in item else None
    return FloorItem(
        floor,
        int(item["version"]["N"]),
        float(item["covered"]["N"]) if "covered" in item else 0.0,
        truncated,
    )
