"""How the demo is played for its tests: an act alone, or the whole as a person runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import NamedTuple

import msgspec
import pytest

import anyorder
from anyorder.demo.acts import ACTS, retention
from anyorder.demo.blocks import Act

PLAY = dict(ACTS)  # a test may put its own in ACTS
BY_ITSELF = """
import sys
from anyorder.cli.main import main
code = main(['demo'])
print(*sys.modules)
sys.exit(code)
"""


class Performed(NamedTuple):
    """An act, and what each retention came to while it was played (of the others: nothing)."""

    act: Act
    endings: Sequence[retention.Ending]


def perform(number: int, seed: int) -> Performed:
    """One act."""
    found: list[retention.Ending] = []
    ending = retention.ending

    def noted(*asked: object) -> retention.Ending:
        found.append(ending(*asked))  # type: ignore[arg-type]
        return found[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "ending", noted)
        return Performed(PLAY[number](seed), found)


class Shown(NamedTuple):
    """A whole demo: what it printed, where its page is, the processor's seconds."""

    output: str
    page: Path
    seconds: float


def shown(folder: Path, words: Sequence[str], environment: Mapping[str, str]) -> Shown:
    """`anyorder demo`, in a process of its own."""
    before = getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    after = getrusage(RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Shown(done.stdout, folder / "anyorder-demo.html", seconds)


def demo(folder: Path) -> Shown:
    """As a person runs it."""
    return shown(folder, ["-m", "anyorder", "demo"], {"PYTHONHASHSEED": "1"})


def demo_by_itself(folder: Path) -> Shown:
    """With nothing installed but msgspec; the last line is what was imported."""
    for package in (anyorder, msgspec):
        (folder / package.__name__).symlink_to(Path(str(package.__file__)).parent)
    environment = {"PYTHONPATH": str(folder), "PYTHONHASHSEED": "2"}
    return shown(folder, ["-S", "-c", BY_ITSELF], environment)


def without_timing(output: str) -> str:
    """What a demo printed, but for its last line."""
    *lines, last = output.splitlines()
    assert re.fullmatch(r"\d+\.\d s", last)
    return "\n".join(lines)
