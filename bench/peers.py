"""python -m bench.peers [--events N]: the workloads on which the README puts anyorder beside
others, through `anyorder run` into SQLite and through a hand-written upsert. Rows that end wrong /
resurrected / missing, and what is left to ask."""

from __future__ import annotations

import argparse
import io
import json
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from anyorder.cli.main import main as anyorder_main
from bench.work import judged
from bench.workload import (
    COLUMNS,
    Change,
    Delivered,
    Row,
    changes,
    displaced,
    in_order,
    truth,
    twinned,
    undecided,
)

PIPELINE = """
[source]
path = "{path}"
envelope = "json"
options = {{ key = "/id", position = "/seq", position_scope = "stream", deleted = "/deleted", \
table = "items", partial = {partial} }}
[store]
url = "sqlite:///{database}"
[[table]]
name = "items"
retention = "{retention}"
"""
ASSIGNED = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS)
UPSERT = f"INSERT INTO items VALUES (:id, :a, :b, :c) ON CONFLICT (id) DO UPDATE SET {ASSIGNED}"
LINE = "{:<52} {:>14} {:>12}   {}"
Rows = dict[int, Row]


class Ended(NamedTuple):
    """How anyorder's table ended, and the keys of what is open in its quarantine."""

    rows: Rows
    asked: list[int]


def upserted(made: Sequence[Change], order: Iterable[int]) -> Rows:
    """What a consumer ends with that writes what arrives."""
    with sqlite3.connect(":memory:") as database:
        database.execute(f"CREATE TABLE items (id PRIMARY KEY, {', '.join(COLUMNS)})")
        for place in order:
            change = made[place]
            if change.deleted:
                database.execute("DELETE FROM items WHERE id = ?", (change.key,))
            else:
                values = {"id": change.key, **dict.fromkeys(COLUMNS), **change.fields}
                database.execute(UPSERT, values)
        return _rows(database)


def guarded(
    made: Sequence[Change],
    delivered: Delivered,
    *,
    partial: bool = False,
    forgetting: bool = False,
) -> Ended:
    """What `anyorder run` ends with. `forgetting`: before the stragglers come, every tombstone is
    forgotten."""
    with tempfile.TemporaryDirectory() as folder:
        run = _Runs(Path(folder), made, partial)
        if forgetting:
            run(delivered.first, "forever")
            run.forget()
            run(delivered.stragglers, "0s")
        else:
            run(delivered.everything, "forever")
        return run.ended()


class _Runs:
    """Runs of one pipeline into one database."""

    def __init__(self, home: Path, made: Sequence[Change], partial: bool) -> None:
        self._home, self._made = home, made
        self._partial = str(partial).lower()

    def __call__(self, order: Sequence[int], retention: str) -> None:
        """Deliver this, and count it: nothing may be left out."""
        path = self._home / f"{retention}.jsonl"
        with path.open("w", encoding="utf-8") as lines:
            lines.writelines(f"{json.dumps(self._made[place].document())}\n" for place in order)
        self._write(path, retention)
        *_, last = self._anyorder("run", str(self._pipeline), "--json").splitlines()
        assert json.loads(last)["read"] == len(order), last

    def forget(self) -> None:
        """Every tombstone, as `anyorder reap` does it."""
        self._write(self._home / "nothing.jsonl", "0s")
        self._anyorder("reap", "--pipeline", str(self._pipeline))

    def ended(self) -> Ended:
        """The table, and the questions."""
        with sqlite3.connect(self._database) as database:
            rows = _rows(database)
        listed = self._anyorder("quarantine", "list", "--pipeline", str(self._pipeline), "--nl")
        return Ended(rows, [json.loads(line)["key"]["id"] for line in listed.splitlines()])

    @property
    def _pipeline(self) -> Path:
        return self._home / "pipeline.toml"

    @property
    def _database(self) -> Path:
        return self._home / "items.db"

    def _write(self, path: Path, retention: str) -> None:
        told = PIPELINE.format(
            path=path, database=self._database, retention=retention, partial=self._partial
        )
        self._pipeline.write_text(told, encoding="utf-8")

    def _anyorder(self, *words: str) -> str:
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(io.StringIO()):
            code = anyorder_main(list(words))
        assert code in (0, 1), said.getvalue()  # 1: something is in the quarantine
        return said.getvalue()


def _rows(database: sqlite3.Connection) -> Rows:
    database.row_factory = sqlite3.Row
    names = ", ".join(("id", *COLUMNS))
    return {row["id"]: dict(row) for row in database.execute(f"SELECT {names} FROM items")}


def compared(
    name: str,
    made: Sequence[Change],
    delivered: Delivered,
    *,
    partial: bool = False,
    forgetting: bool = False,
) -> str:
    """One workload through both. Rows that no rule over positions decides are left out."""
    ours = guarded(made, delivered, partial=partial, forgetting=forgetting)
    naive = upserted(made, delivered.everything)
    wanted, open_keys = truth(made), undecided(made)
    scores = [
        judged(_without(rows, open_keys), _without(wanted, open_keys))
        for rows in (naive, ours.rows)
    ]
    asked = _questions(ours, wanted.keys() - ours.rows.keys())
    return LINE.format(name, *scores, asked).rstrip()


def _without(rows: Mapping[int, Row], keys: Set[int]) -> Rows:
    return {key: row for key, row in rows.items() if key not in keys}


def _questions(ours: Ended, missing: Set[int]) -> str:
    if not ours.asked:
        return ""
    told = f"{len(ours.asked):,} open questions"
    explained = len(missing & set(ours.asked))
    return f"{told}, {explained} of the missing among them" if missing else told


def ties(made: Sequence[Change], orders: Sequence[Delivered]) -> str:
    """Of the rows that no rule over positions decides: how many end differently when only the order
    of arrival changes."""
    open_keys = undecided(made)
    moved = [
        sum(one.get(key) != other.get(key) for key in open_keys)
        for one, other in (
            [upserted(made, order.everything) for order in orders],
            [guarded(made, order).rows for order in orders],
        )
    ]
    shown = [f"{number} of {len(open_keys)}" for number in moved]
    return LINE.format("e  two events at one position: decided by arrival", *shown, "").rstrip()


def main(words: Sequence[str] | None = None) -> int:
    """Exit code 0."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=200_000)
    events = options.parse_args(words).events
    random = Random(1)
    made = changes(random, events)
    parts = changes(random, events, partial=True)
    tied = twinned(random, made)
    mixed = partial(displaced, random, events)
    deletes = sum(change.deleted for change in made) / events
    print(f"{events:,} events, {deletes:.0%} deletes; truth: {len(truth(made)):,} rows")
    print(LINE.format("", "upsert", "anyorder", "wrong/resurrected/missing"))
    print(compared("a  in order", made, in_order(events)), flush=True)
    print(compared("b  displaced", made, mixed()), flush=True)
    print(compared("c  and a fifth twice", made, mixed(repeated=True)), flush=True)
    late = mixed(repeated=True, straggling=True)
    print(compared("d  and 0.5 % after everything else", made, late), flush=True)
    forgotten = "d  the same, all tombstones forgotten before these"
    print(compared(forgotten, made, late, forgetting=True), flush=True)
    orders = [displaced(random, len(tied), repeated=True) for _ in range(2)]
    print(ties(tied, orders), flush=True)
    some = mixed(repeated=True)
    print(compared("f  updates that name some columns only", parts, some, partial=True))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
