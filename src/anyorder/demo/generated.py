"""Streams that we make up, in the shape in which Debezium tells the changes of PostgreSQL."""

from __future__ import annotations

import json
from random import Random
from typing import Any, NamedTuple

from anyorder._core.event import Delivery

FIRST_POSITION = 0x16B3F80
RECORD_BYTES = 168  # how far one small change moves a log
Row = dict[str, Any]


class Source:
    """A table whose changes get ascending log positions, one transaction each. `rows` is the truth
    at any moment."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.rows: dict[int, Row] = {}
        self._count = 0

    def put(self, time: float, row: Row) -> Delivery:
        """Create a row, or change it. `time`: when it was committed, in seconds since 1970."""
        before = self.rows.get(row["id"])
        self.rows[row["id"]] = row
        return self._record(time, "c" if before is None else "u", row["id"], None, row)

    def delete(self, time: float, key: int) -> Delivery:
        """Delete a row. Like PostgreSQL, it tells of the old row no more than the key."""
        old = self.rows.pop(key)
        return self._record(
            time,
            "d",
            key,
            {name: value if name == "id" else None for name, value in old.items()},
            None,
        )

    def _record(
        self, time: float, op: str, key: int, before: Row | None, after: Row | None
    ) -> Delivery:
        self._count += 1
        place = FIRST_POSITION + self._count * RECORD_BYTES
        source = {
            "version": "3.7.0.Final",
            "connector": "postgresql",
            "name": "shop",
            "ts_ms": int(time * 1000),
            "ts_us": int(time * 1_000_000),
            "snapshot": "false",
            "db": "shop",
            "sequence": json.dumps([str(place), str(place)], separators=(",", ":")),
            "schema": "public",
            "table": self.table,
            "txId": 1000 + self._count,
            "lsn": place,
        }
        value = {
            "before": before,
            "after": after,
            "source": source,
            "op": op,
            "ts_ms": int(time * 1000),
        }
        return Delivery(
            f"shop.public.{self.table}",
            0,
            self._count - 1,
            int(time * 1000),
            "CreateTime",
            _bytes({"id": key}),
            _bytes(value),
        )


def _bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Change(NamedTuple):
    """One change at the source: when, of which key, and the record of it."""

    time: float
    key: int
    delivery: Delivery


HOUR = 3600.0
DAY = 24 * HOUR
STAYS = 0.35  # the share of users that are never deleted
RETURNS = 0.25  # the share of deleted users that are created again
LIFE = 1.5 * DAY  # mean time from create to delete
GOODBYE = 600.0  # mean seconds from the last change of a user to the delete
QUIET = 14 * HOUR  # mean time between two changes of a user


def week(random: Random, users: int, start: float) -> tuple[list[Change], dict[int, Row]]:
    """The changes of a week of users who come, change, go and sometimes come back; and the rows
    that are left."""
    plans = sorted(
        plan
        for key in range(1, users + 1)
        for plan in _life(random, key, random.uniform(0, 6 * DAY))
    )
    source, changes = Source("users"), []
    for number, (time, key, op) in enumerate(plans):
        when = start + time
        row = {"id": key, "name": f"user {key}", "email": f"{number}@example.org"}
        changes.append(
            Change(when, key, source.put(when, row) if op == "put" else source.delete(when, key))
        )
    return changes, source.rows


def _life(random: Random, key: int, born: float) -> list[tuple[float, int, str]]:
    """(time, key, what) of one user: a put, more puts, perhaps a delete, perhaps another life."""
    ends = born + random.expovariate(1 / LIFE) if random.random() > STAYS else 8 * DAY
    plan, time = [], born
    while time < min(ends, 7 * DAY):
        plan.append((time, key, "put"))
        time += random.expovariate(1 / QUIET)
    if ends < 7 * DAY:
        farewell = ends - random.expovariate(1 / GOODBYE)
        plan += [(farewell, key, "put")] if farewell > born else []
        plan.append((ends, key, "delete"))
        again = ends + random.expovariate(1 / DAY)
        if random.random() < RETURNS and again < 7 * DAY:
            plan += _life(random, key, again)
    return plan
