"""Two trees side by side: each in a process of its own, in turns, on the same stream."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import msgspec

from bench.measure import HEADER, RUNS, Done, rate_of, ratio

HERE = Path(__file__).resolve().parents[1]
GOALS = {
    "decide": 0.8,
    "pipeline": 0.95,
    "pipeline of json": 0.95,
}  # of the other tree's rate, in CPU


class Side:
    """A tree's product, measured by this tree's bench."""

    def __init__(self, tree: Path, events: int, keys: int) -> None:
        paths = os.pathsep.join(map(str, (tree / "src", HERE)))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bench.side", str(events), str(keys)],
            cwd=HERE,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        measured = self._line()
        if not Path(measured).is_relative_to(tree):
            raise SystemExit(f"{measured} would be measured instead of {tree}")

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def do(self, what: str) -> Done:
        """Once."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._line(), type=Done)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise SystemExit("the bench does not run on one of the trees")
        return line


def compare(other: Path, events: int, keys: int) -> bool:
    """Print this tree's rates beside the other's, ratios first. Are the goals reached?"""
    if not (other / "src" / "anyorder").is_dir():
        raise SystemExit(f"{other} is no tree of anyorder: it has no src/anyorder")
    with ExitStack() as stack:
        sides = [stack.enter_context(Side(tree, events, keys)) for tree in (HERE, other)]
        seen: dict[str, list[list[Done]]] = {what: [[], []] for what in GOALS}
        for what, runs in seen.items():
            for round_ in range(RUNS + 1):
                for side, dones in zip(sides, runs, strict=True):
                    done = side.do(what)
                    if round_:  # the first is not counted
                        dones.append(done)
    found = {
        what: (rate_of(f"{what}, this tree", ours), rate_of(f"{what}, {other}", theirs))
        for what, (ours, theirs) in seen.items()
    }
    print(
        f"\n{seen['decide'][0][0].events:,} deliveries of {keys:,} keys, A B A B, medians of {RUNS}"
    )
    for what, (ours, theirs) in found.items():
        print(
            ratio(f"{what}, this tree / the other", ours, theirs), f"(goal: {GOALS[what]} in CPU)"
        )
    print(HEADER, *(rate for pair in found.values() for rate in pair), sep="\n")
    return all(ours.cpu >= GOALS[what] * theirs.cpu for what, (ours, theirs) in found.items())
