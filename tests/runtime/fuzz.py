"""Mutated records through a whole run on SQLite: whatever they hold, no exception leaves it, the
books balance, and whoever looks into the store afterwards gets an answer.

python tests/runtime/fuzz.py --count 100000 [--seed 0]      prints figures; exit code 1 if a run
ended before its file did
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / part) for part in ("src", ".")]

import msgspec

from anyorder._core.event import Delivery
from anyorder.guard.contract import EntryQuery, TableSpec
from anyorder.runtime.loop import Run
from anyorder.runtime.pipeline import Pipeline
from anyorder.runtime.sections import PipelineFile
from anyorder.why.story import story_of
from tests.envelopes import samples
from tests.envelopes.fuzz import mutated, variant

LINES = 40  # in a run
NAMES = ("{table}", "{topic}", "{schema}_{table}", "t")


def line_of(delivery: Delivery) -> bytes:
    """A delivery as a line of the record format; bytes that are no text as near as can be."""
    texts = {
        name: None if value is None else value.decode("utf-8", "replace")
        for name, value in (("key", delivery.key), ("value", delivery.value))
    }
    return json.dumps({**msgspec.structs.asdict(delivery), **texts}).encode()


def lines_of(fixture: str, chance: random.Random) -> list[bytes]:
    """Lines of one format, most of them with something wrong in them."""
    told = samples.deliveries(fixture)
    lines = []
    for _ in range(LINES):
        line = line_of(variant(chance.choice(told), told, chance))
        if chance.random() < 0.15:
            line = mutated(line, chance) or b""
        if chance.random() < 0.1:
            line = chance.choice(told).value or b""
        lines.append(line.replace(b"\n", b" "))
    return [line for line in lines if line.strip()]


def problem_of(fixture: str, folder: Path, chance: random.Random) -> str:
    """What is wrong with a run over such lines; "" if nothing."""
    lines = lines_of(fixture, chance)
    (folder / "day.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    envelope, options = samples.READ_BY[fixture]
    told = {
        "source": {"envelope": envelope, "options": options},
        "store": {"url": "sqlite://"},
        "runtime": {"batch": chance.choice((1, 7, 100)), "quarantine_share": 1.0},
        "table": [{"match": "*", "name": chance.choice(NAMES)}],
    }
    path = {"path": str(folder / "day.jsonl")}
    pipeline = Pipeline(msgspec.convert(told, PipelineFile), path)
    store = pipeline.open_store()
    try:
        report = Run(pipeline, store).run()
        with store.reading() as transaction:
            entries = list(transaction.entries(EntryQuery(state="")))
            looked = [
                (TableSpec(table.name, table.key), key)
                for table in transaction.tables()
                for _, key, _ in transaction.memories(TableSpec(table.name, table.key))
            ]
        for spec, key in looked[:3]:
            assert str(story_of(store, spec, key))
        assert len(entries) <= report.quarantined.total()
        return "" if report.read == len(lines) else f"{report.read} of {len(lines)} lines read"
    except Exception as error:
        return f"{type(error).__name__} {error}"
    finally:
        store.close()


def run(count: int, seed: int) -> list[str]:
    """About `count` lines, the same for the same seed; what was wrong, with the run's own seed."""
    wrong = []
    fixtures = sorted(samples.READ_BY)
    with tempfile.TemporaryDirectory() as name:
        for number in range(max(1, count // LINES)):
            fixture = fixtures[number % len(fixtures)]
            problem = problem_of(fixture, Path(name), random.Random(f"{seed} {number}"))
            if problem:
                wrong.append(f"{fixture}, run {number}: {problem:.300}")
    return wrong


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    began = time.perf_counter()
    wrong = run(chosen.count, chosen.seed)
    print(f"{chosen.count} lines in {time.perf_counter() - began:.0f} s, {len(wrong)} wrong")
    print("\n".join(wrong[:50]))
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
