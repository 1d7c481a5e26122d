"""Break each decision rule in a copy of the source, one at a time: a test must go red every time.

    python -m tests.mutants.run [--only R8] [--jobs 2] [--list]

Exit code 1 if a mutant survives. The test that a mutant names as its killer runs first, then all
from the quickest to the slowest; the first that is red ends it. A test that is red without any
mutant, or cannot be run, kills nothing: it stops everything.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.mutants import MUTANTS
from tests.mutants.mutation import LeftBehind, Mutant, broken

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".parts", "__pycache__", ".*_cache")
STAGES = (
    ["tests/core", "tests/table"],
    ["tests/model"],
    ["tests/stores/test_kit.py", "tests/cli", "tests/runtime"],
)
PYTEST = ("-m", "pytest", "-x", "-rfE", "--no-header", "-p", "no:cacheprovider")
SECONDS = 600
GREEN, RED = 0, 1  # exit codes of pytest; any other means that it did not run the tests


def judge(mutant: Mutant) -> str | None:
    """Break the rule in a copy, and say what came of it. The test that went red; None: none did."""
    began = time.monotonic()
    with copied() as folder:
        for path, text in broken(mutant, folder).items():
            path.write_text(text, encoding="utf-8")
        red = next(filter(None, (red_test(folder, tests) for tests in stages(mutant))), None)
    is_known = mutant.killed_by and red is not None and red.startswith(mutant.killed_by)
    if red is not None and not is_known:
        expect_green([red])
    verdict = "SURVIVED" if red is None else "killed  "
    print(f"{verdict} {named(mutant)} {red or ''} {time.monotonic() - began:.0f} s", flush=True)
    return red


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of everything that tests need."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "copy"
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        yield folder


def expect_green(tests: Sequence[str]) -> None:
    """Raises SystemExit if one of these tests is red in a copy in which nothing is broken."""
    with copied() as folder:
        red = red_test(folder, tests)
    if red is not None:
        raise SystemExit(f"{red} is red without any mutant")


def stages(mutant: Mutant) -> Iterator[Sequence[str]]:
    if mutant.killed_by:
        yield [mutant.killed_by]
    yield from STAGES


def red_test(folder: Path, tests: Sequence[str]) -> str | None:
    """The first of these tests that goes red in this copy; the first of them if they do not end;
    None if all are green. Raises SystemExit if they cannot be run."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder / 'src'}:{folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = [sys.executable, *PYTEST, *tests]
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
        return tests[0]
    if done.returncode == GREEN:
        return None
    if done.returncode != RED:
        raise SystemExit(f"{' '.join(tests)} did not run:\n{done.stdout[-2000:]}{done.stderr}")
    lines = done.stdout.splitlines()
    first = next(line for line in lines if line.startswith(("FAILED ", "ERROR ")))
    return first.split(" - ")[0].split(" ", 1)[1]


def listed(mutant: Mutant) -> bool:
    """Name a mutant, and say whether the source has left it behind."""
    try:
        broken(mutant, ROOT)
    except (LeftBehind, OSError) as gone:
        print(f"{named(mutant)} LEFT BEHIND: {gone}")
        return True
    print(named(mutant).rstrip())
    return False


def named(mutant: Mutant) -> str:
    return f"{mutant.rule:<10} {mutant.mistake:<75}"


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", default="", help="mutants whose rule or mistake contains this")
    options.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    options.add_argument("--list", action="store_true", help="name them, run nothing")
    chosen = options.parse_args()
    found = [m for m in MUTANTS if chosen.only in m.rule or chosen.only in m.mistake]
    if chosen.list:
        left = sum(listed(mutant) for mutant in found)
        print(f"{len(found)} mutants, {left} left behind by the source, none was run")
        return int(left > 0)
    killers = {mutant.killed_by for mutant in found} - {""}
    if killers:
        expect_green(sorted(killers))
    with ThreadPoolExecutor(chosen.jobs) as pool:
        survived = sum(red is None for red in pool.map(judge, found))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime
    print(f"{len(found) - survived} killed, {survived} survived, {seconds:.0f} s of CPU")
    return int(survived > 0)


if __name__ == "__main__":
    raise SystemExit(main())
