"""Break each decision rule in a copy of the source, one at a time: a test must go red every time.

    python -m tests.mutants.run [--only R8] [--jobs 2] [--list]

Exit code 1 if a mutant survives. Tests run from the quickest to the slowest and stop at the first
that is red.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
STAGES = (
    ["tests/core", "tests/table"],
    ["tests/model"],
    ["tests/stores/test_kit.py", "tests/cli", "tests/runtime"],
)
SECONDS = 600


def mutated(mutant: Mutant, folder: Path) -> None:
    """The copy's file with the piece replaced. Raises SystemExit if the source no longer has it
    exactly once."""
    path = folder / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) < 1:
        raise SystemExit(
            f"{mutant.file} no longer has {mutant.old!r}: bring tests/mutants up to date"
        )
    text = text.replace(mutant.old, mutant.new)
    if path.suffix == ".py":
        compile(text, mutant.file, "exec")  # one that is no Python would be killed for nothing
    path.write_text(text, encoding="utf-8")


def killer(folder: Path) -> str | None:
    """The first test that goes red in this copy, or None."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder / 'src'}:{folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for stage in STAGES:
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-rfE",
            "--no-header",
            "-p",
            "no:cacheprovider",
            *stage,
        ]
        try:
            done = subprocess.run(
                words,
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{stage[0]} did not end"
        if done.returncode:
            red = [
                line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))
            ]
            return (
                red[0].split(" - ")[0].removeprefix("FAILED ").removeprefix("ERROR ")
                if red
                else done.stdout[-200:]
            )
    return None


def judge(mutant: Mutant, *, run: bool) -> str | None:
    """Break the rule in a copy and say which test went red; None: none did."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "copy"
        shutil.copytree(
            ROOT,
            folder,
            ignore=shutil.ignore_patterns(".git", ".venv", ".parts", "__pycache__", ".*_cache"),
        )
        mutated(mutant, folder)
        red = killer(folder) if run else ""
    verdict = "SURVIVED" if red is None else "killed  " if run else "not run "
    print(
        f"{verdict} {mutant.rule:<10} {mutant.mistake:<75} {red or ''} {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return red


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", default="", help="mutants whose rule or mistake contains this")
    options.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    options.add_argument("--list", action="store_true", help="name the mutants, run nothing")
    chosen = options.parse_args()
    found = [m for m in MUTANTS if chosen.only in m.rule or chosen.only in m.mistake]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        survived = sum(red is None for red in pool.map(partial(judge, run=not chosen.list), found))
    print(
        f"{len(found)} mutants, none was run"
        if chosen.list
        else f"{len(found) - survived} killed, {survived} survived"
    )
    return int(survived > 0)


if __name__ == "__main__":
    raise SystemExit(main())
