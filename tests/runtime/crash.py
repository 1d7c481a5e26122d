"""Kill a run at random moments, with a reaper at retention 0, until it is done; then hold the table
against the undisturbed one.

    python -m tests.runtime.crash --kills 50 [--records FILE.jsonl.xz]

After the last restart the table must equal that of a run that was left alone and never reaped,
except for keys with an open quarantine entry, and each of those must name a floor at or above its
position. Without reaping nothing may be quarantined.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PIPELINE = """
[source]
path = "{home}/delivered.jsonl"
[store]
url = "sqlite:///{home}/{name}.db"
[runtime]
batch = {batch}
[[table]]
match = "*.public.*"
retention = "{retention}"
[[table]]
match = "*"
ignore = true
"""


class Trial:
    """One home directory with a delivery order, and the two pipelines over it."""

    def __init__(self, home: Path, records: list[dict[str, object]], seed: int, batch: int) -> None:
        self.home = home
        self.batch = batch
        self.chance = random.Random(seed)
        copies = records + [one for one in records if self.chance.random() < 0.2]
        self.chance.shuffle(copies)
        (home / "delivered.jsonl").write_text(
            "".join(json.dumps(one) + "\n" for one in copies), encoding="utf-8"
        )
        self.delivered = len(copies)

    def pipeline(self, name: str, retention: str) -> Path:
        path = self.home / f"{name}.toml"
        path.write_text(
            PIPELINE.format(home=self.home, name=name, retention=retention, batch=self.batch),
            encoding="utf-8",
        )
        return path

    def run(self, pipeline: Path) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "anyorder", "run", str(pipeline), "--json"]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def killed(self, pipeline: Path, kills: int, seconds: float) -> int:
        """Run until done, killed (SIGKILL) `kills` times at random moments. How many kills
        landed."""
        landed = 0
        while True:
            process = self.run(pipeline)
            if landed < kills:
                try:
                    process.wait(timeout=self.chance.uniform(0.08, 0.08 + 2 * seconds / kills))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    landed += 1
                    continue
            _, err = process.communicate(timeout=900)
            if process.returncode not in (0, 1):
                raise SystemExit(f"the run ended with {process.returncode}: {err[-2000:]}")
            return landed


def tables(path: Path) -> dict[str, dict[str, tuple[object, ...]]]:
    """Every guarded table: key -> its row, columns in the order of their names."""
    database = sqlite3.connect(path)
    found = {}
    for name, key in database.execute("SELECT name, key_columns FROM anyorder_table").fetchall():
        names = sorted(
            column
            for (column,) in database.execute("SELECT name FROM pragma_table_info(?)", (name,))
        )
        columns = ", ".join(f'"{column}"' for column in names)
        rows = [
            dict(zip(names, row, strict=True))
            for row in database.execute(f'SELECT {columns} FROM "{name}"')
        ]
        found[name] = {
            json.dumps([row[c] for c in json.loads(key)]): tuple(row.items()) for row in rows
        }
    return found


def held(path: Path) -> dict[str, set[str]]:
    """Open quarantine entries: table -> keys, hints left out: they hold no row's value."""
    database = sqlite3.connect(path)
    keys = {
        name: json.loads(key)
        for name, key in database.execute("SELECT name, key_columns FROM anyorder_table")
    }
    found: dict[str, set[str]] = {name: set() for name in keys}
    for table, entity, identity in database.execute(
        "SELECT table_name, entity, identity FROM anyorder_quarantine WHERE state = 'open'"
    ):
        if not identity.startswith("hint"):
            found[table].add(json.dumps([json.loads(entity)[column] for column in keys[table]]))
    return found


def unexplained(path: Path) -> list[str]:
    """Open `late` entries whose position the floor does not cover: there must be none."""
    database = sqlite3.connect(path)
    floors = {
        name: json.loads(floor)["entries"]
        for name, floor in database.execute("SELECT name, floor FROM anyorder_table")
    }
    wrong = []
    for table, identity, reason in database.execute(
        "SELECT table_name, identity, reason FROM anyorder_quarantine WHERE state = 'open'"
    ):
        if reason == "late":
            scope, _, rest = identity.partition("@")
            lsn = int(rest.split()[0])
            if not any(
                entry.startswith(scope) and limit >= lsn
                for entry, limit in floors[table].items()
                if entry.startswith("pg:")
            ):
                wrong.append(f"{table} {identity}")
    return wrong


def trial(
    records: list[dict[str, object]], kills: int, seed: int = 0, batch: int = 500
) -> dict[str, object]:
    """One whole trial; raises AssertionError with what is wrong. Returns the figures."""
    with tempfile.TemporaryDirectory() as folder:
        setting = Trial(Path(folder), records, seed, batch)
        began = time.monotonic()
        out, _ = setting.run(setting.pipeline("calm", "forever")).communicate(timeout=900)
        seconds, books = time.monotonic() - began, json.loads(out.splitlines()[-1])
        landed = setting.killed(setting.pipeline("kept", "forever"), kills // 2, seconds)
        landed += setting.killed(setting.pipeline("reaped", "0s"), kills - kills // 2, seconds)
        calm, kept, reaped = (
            tables(setting.home / f"{name}.db") for name in ("calm", "kept", "reaped")
        )
        open_kept, open_reaped = held(setting.home / "kept.db"), held(setting.home / "reaped.db")
        assert books["read"] == setting.delivered, books
        assert not any(open_kept.values()), f"quarantined without reaping: {open_kept}"
        assert kept == calm, "killed and restarted, the table differs"
        different = {
            name: {
                key
                for key in {*calm[name], *reaped.get(name, {})}
                if calm[name].get(key) != reaped.get(name, {}).get(key)
            }
            for name in calm
        }
        silent = {name: keys - open_reaped.get(name, set()) for name, keys in different.items()}
        assert not any(silent.values()), (
            "wrong without a quarantine entry: "
            f"{ {n: sorted(k)[:5] for n, k in silent.items() if k} }"
        )
        assert not unexplained(setting.home / "reaped.db")
        return {
            "deliveries": setting.delivered,
            "kills": landed,
            "rows": sum(map(len, calm.values())),
            "differing, all in quarantine": sum(map(len, different.values())),
            "keys held": sum(map(len, open_reaped.values())),
            "seconds undisturbed": round(seconds, 1),
        }


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--records", type=Path, required=True)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--batch", type=int, default=500)
    chosen = options.parse_args()
    with lzma.open(chosen.records, "rt", encoding="utf-8", newline="\n") as lines:
        records = [json.loads(line) for line in lines]
    print(json.dumps(trial(records, chosen.kills, chosen.seed, chosen.batch)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
