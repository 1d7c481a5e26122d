"""python -m bench [--events N]: decode, decide, batch, SQLite guarded write, the whole pipeline
against an unguarded one and against consumers as people write them by hand; ratios first.
--against TREE: decide and pipeline beside another checkout's."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from tests.streams import stream

from bench.against import compare
from bench.measure import HEADER, rates, ratio


def coalesce_all(events: Sequence[object]) -> int:
    """Fold each key's events of a batch into one write."""
    from anyorder._core.batch import Arrival, arrivals_of, coalesce
    from anyorder._core.event import Event
    from anyorder._core.fold import Limits
    from bench.work import batches

    limits = Limits()
    for batch in batches(events, 10_000):
        groups: dict[str, list[Arrival]] = {}
        for arrival in arrivals_of(event for event in batch if isinstance(event, Event)):
            groups.setdefault(arrival.event.entity, []).append(arrival)
        for arrivals in groups.values():
            coalesce(None, arrivals, (), limits)
    return len(events)


def peak_memory(events: int, keys: int) -> str:
    """Peak resident memory of a real `anyorder run` over a file of this many deliveries."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with (home / "day.jsonl").open("w", encoding="utf-8") as lines:
            for one in stream(events, keys, seed=5):
                lines.write(json.dumps(one) + "\n")
        (home / "p.toml").write_text(
            f'[source]\npath = "{home}/day.jsonl"\n'
            f'[store]\nurl = "sqlite:///{home}/a.db"\n'
            '[[table]]\nname = "users"\n'
        )
        subprocess.run(
            [sys.executable, "-m", "anyorder", "run", str(home / "p.toml")],
            check=True,
            capture_output=True,
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return f"{peak:.0f} MB peak over {events:,} deliveries of {keys:,} keys"


def measure(events: int, keys: int) -> None:
    """Print the rates over one stream, ratios first."""
    from bench import by_hand
    from bench.work import Work, decoded

    with tempfile.TemporaryDirectory() as folder:
        work = Work(events, keys, folder)
        known = decoded(work.deliveries)
        alone = rates(
            {
                "decode": work.decode,
                "decide": work.decide,
                "coalesce, batches of 10,000": partial(coalesce_all, known),
            }
        )
        stored = rates(
            {
                "SQLite guarded write, batches of 500": partial(work.write, known),
                "whole pipeline, guarded": work.pipeline,
                "the same batches upserted, unguarded": work.unguarded,
                "by hand: typed, folded, upserted": partial(by_hand.unguarded, work),
                "by hand, and guarded by a version": partial(by_hand.guarded, work),
            }
        )
    size = sum(len(delivery.value or b"") for delivery in work.deliveries) // len(known)
    print(
        f"\n{len(known):,} deliveries of {keys:,} keys, any order, 20 % twice, {size} bytes each;"
        f" msgspec {msgspec.__version__}"
    )
    print(ratio("guarded / unguarded", stored[1], stored[2]))
    print(ratio("guarded / by hand, guarded by a version", stored[1], stored[4]))
    print(HEADER, *alone, *stored, sep="\n")


def main() -> int:
    """Exit code 1: slower than the other tree may be."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=60_000)
    options.add_argument("--against", type=Path, help="another checkout, to compare with")
    options.add_argument(
        "--memory", type=int, default=0, help="also measure peak memory over this many events"
    )
    chosen = options.parse_args()
    # first: a child begins with its parent's peak, so the parent must still be small
    if chosen.memory:
        print(peak_memory(chosen.memory, chosen.memory // 5))
    sizes = (chosen.events // 5, 1000)
    if chosen.against is not None:
        reached = [compare(chosen.against.resolve(), chosen.events, keys) for keys in sizes]
        return int(not all(reached))
    for keys in sizes:
        measure(chosen.events, keys)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
