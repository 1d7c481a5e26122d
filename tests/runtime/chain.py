"""Two writer processes and a reaper on one SQLite file.

    python -m tests.runtime.chain --events 100000

Triggers on the memory table log every write as (before, after). Per key, each write's `before` must
be the `after` of the write before it: a fork would mean that two writers both beat the same
predecessor. The table must end right, and no "database is locked" may reach the user.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.streams import final_rows, stream, unordered

PIPELINE = """
[source]
path = "{home}/{part}.jsonl"
[store]
url = "sqlite:///{home}/app.db"
[runtime]
batch = {batch}
quarantine_share = 1.0
[[table]]
match = "*"
name = "users"
retention = "{retention}"
"""
LOG = """
CREATE TABLE log (number INTEGER PRIMARY KEY, entity TEXT, before TEXT, after TEXT);
CREATE TRIGGER log_insert AFTER INSERT ON anyorder_memory_users BEGIN
    INSERT INTO log (entity, after) VALUES (new.entity, new.memory);
END;
CREATE TRIGGER log_update AFTER UPDATE ON anyorder_memory_users BEGIN
    INSERT INTO log (entity, before, after) VALUES (new.entity, old.memory, new.memory);
END;
CREATE TRIGGER log_delete AFTER DELETE ON anyorder_memory_users BEGIN
    INSERT INTO log (entity, before) VALUES (old.entity, old.memory);
END;
"""


def anyorder(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "anyorder", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def prepared(
    home: Path, events: int, keys: int, batch: int, retention: str
) -> tuple[list[dict[str, object]], int]:
    """The stream, cut in two by chance, and the pipelines; the table is made by one event of its
    own. Returns the stream and deliveries."""
    records = list(stream(events, keys, seed=events))
    deliveries = unordered(records, seed=1)
    for part, lines in (
        ("first", records[:1]),
        ("left", deliveries[::2]),
        ("right", deliveries[1::2]),
    ):
        (home / f"{part}.jsonl").write_text(
            "".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8"
        )
        (home / f"{part}.toml").write_text(
            PIPELINE.format(home=home, part=part, batch=batch, retention=retention),
            encoding="utf-8",
        )
    first = anyorder("run", str(home / "first.toml"))
    _, complaint = first.communicate(timeout=60)
    assert first.returncode == 0, complaint
    database = sqlite3.connect(home / "app.db")
    database.executescript(LOG)
    database.close()
    return records, len(deliveries)


def race(home: Path) -> tuple[int, int, str]:
    """Both writers, and a reaper that never rests, until the writers are done. Deliveries read,
    reaps, everything said on stderr."""
    writers = [anyorder("run", str(home / f"{part}.toml"), "--json") for part in ("left", "right")]
    said, reaps = "", 0
    while any(writer.poll() is None for writer in writers):
        reaper = anyorder("reap", "--pipeline", str(home / "left.toml"))
        said += reaper.communicate(timeout=120)[1]
        reaps += 1
    read = 0
    for writer in writers:
        out, err = writer.communicate()
        assert writer.returncode in (0, 1), err
        said += err
        read += json.loads(out.splitlines()[-1])["read"]
    return read, reaps, said


def forks(database: sqlite3.Connection) -> int:
    """Writes whose `before` is not the `after` of the write before them on the same key."""
    rows = database.execute("SELECT entity, before, after FROM log ORDER BY entity, number")
    broken = 0
    for _, writes in itertools.groupby(rows, key=lambda row: row[0]):
        chain = list(writes)
        broken += sum(later[1] != earlier[2] for earlier, later in itertools.pairwise(chain))
    return broken


def judged(home: Path, records: list[dict[str, object]]) -> dict[str, int]:
    """The table against the in-order fold; keys with an open entry that holds a row's value are
    counted apart."""
    database = sqlite3.connect(home / "app.db")
    database.row_factory = sqlite3.Row
    wanted = final_rows(records)
    found = {row["id"]: dict(row) for row in database.execute("SELECT * FROM users")}
    entries = database.execute(
        "SELECT DISTINCT entity FROM anyorder_quarantine WHERE state = 'open'"
    )
    held = {json.loads(entity)["id"] for (entity,) in entries}
    different = {key for key in {*wanted, *found} if wanted.get(key) != found.get(key)}
    writes = database.execute("SELECT count(*) FROM log").fetchone()[0]
    tombstones = database.execute("SELECT count(*) FROM log WHERE after IS NULL").fetchone()[0]
    return {
        "writes": writes,
        "forgotten": tombstones,
        "forks": forks(database),
        "wrong": len(different - held),
        "wrong but held": len(different & held),
    }


def trial(events: int, keys: int, batch: int = 200, retention: str = "0s") -> dict[str, object]:
    """One race; raises AssertionError with what is wrong. Returns the figures."""
    with tempfile.TemporaryDirectory() as folder:
        home, began = Path(folder), time.monotonic()
        records, delivered = prepared(home, events, keys, batch, retention)
        read, reaps, said = race(home)
        figures = {
            "events": events,
            "delivered": delivered,
            "reaps": reaps,
            **judged(home, records),
            "seconds": round(time.monotonic() - began, 1),
        }
        assert read == delivered, figures
        assert "locked" not in said, said
        assert figures["forks"] == 0, figures
        assert figures["wrong"] == 0, figures
        return figures


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--events", type=int, default=100_000)
    options.add_argument("--keys", type=int, default=2000)
    options.add_argument("--retention", default="0s")
    chosen = options.parse_args()
    print(json.dumps(trial(chosen.events, chosen.keys, retention=chosen.retention)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
