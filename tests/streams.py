"""Generated Debezium streams, in source order, for tests and benchmarks: rows of `public.users`
with every kind of change."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

RUN = "01a20ada-bb63-7c1b-84bb-f2b31e0887b3"
BEGAN = 1_790_000_000_000_000  # microseconds


def record(
    key: int,
    op: str,
    lsn: int,
    *,
    after: dict[str, object] | None = None,
    offset: int | None = None,
    partition: int = 0,
) -> dict[str, object]:
    """One change record as a consumer sees it. The last commit before it ended at its own lsn -
    1."""
    time = BEGAN + lsn * 1000
    source = {
        "version": "3.7.0.Final",
        "connector": "postgresql",
        "name": "app",
        "ts_ms": time // 1000,
        "snapshot": "false",
        "db": "app",
        "sequence": json.dumps([str(lsn - 1), str(lsn)]),
        "ts_us": time,
        "schema": "public",
        "table": "users",
        "txId": lsn,
        "lsn": lsn,
    }
    value = {
        "before": None,
        "after": after,
        "source": source,
        "op": op,
        "ts_ms": time // 1000 + 5,
        "transaction": None,
    }
    return {
        "topic": "app.public.users",
        "partition": partition,
        "offset": lsn if offset is None else offset,
        "timestamp": time // 1000,
        "timestamp_type": "CreateTime",
        "key": json.dumps({"id": key}),
        "value": json.dumps(value),
        "headers": [["__debezium.context.runId", RUN]],
    }


def tombstone(of: dict[str, object]) -> dict[str, object]:
    """The null record that follows a delete."""
    return {**of, "value": None, "offset": int(str(of["offset"])) + 1}


def stream(
    events: int, keys: int, seed: int = 0, deletes: float = 0.15, step: int = 10
) -> Iterator[dict[str, object]]:
    """`events` changes of `keys` rows in commit order; a key comes to life again after its delete.
    `step`: of the log, and milliseconds of time."""
    chance, live = random.Random(seed), set()
    for number in range(1, events + 1):
        key, lsn = chance.randrange(keys), number * step
        if key in live and chance.random() < deletes:
            live.discard(key)
            yield record(key, "d", lsn)
            continue
        after = {
            "id": key,
            "name": f"name {chance.randrange(1000)}",
            "email": f"u{key}@example.org",
            "age": chance.randrange(90),
            "changed": lsn,
        }
        yield record(key, "u" if key in live else "c", lsn, after=after)
        live.add(key)


def final_rows(records: list[dict[str, object]]) -> dict[int, dict[str, object]]:
    """The rows that the source ends with: the in-order fold, written here without any of the
    product's code."""
    rows: dict[int, dict[str, object]] = {}
    for one in records:
        key = json.loads(str(one["key"]))["id"]
        if one["value"] is None:
            continue
        value = json.loads(str(one["value"]))
        if value["op"] == "d":
            rows.pop(key, None)
        else:
            rows[key] = value["after"]
    return rows


def unordered(
    records: list[dict[str, object]], seed: int = 0, repeats: float = 0.2
) -> list[dict[str, object]]:
    """The same records in any order, some of them twice."""
    chance = random.Random(seed)
    copies = records + [one for one in records if chance.random() < repeats]
    chance.shuffle(copies)
    return copies
