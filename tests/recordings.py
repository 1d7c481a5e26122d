"""Where the recorded real streams are, and how they are read.

The environment variable ANYORDER_DATA names their folder. Without it, tests that need them are
skipped, unless `ANYORDER_REQUIRE` names `recordings`: then their absence is an error.
"""

from __future__ import annotations

import json
import lzma
import os
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ANYORDER_DATA") or ROOT / ".recordings")
if "recordings" in os.environ.get("ANYORDER_REQUIRE", "") and not DATA.is_dir():
    raise FileNotFoundError(
        f"recordings are required (ANYORDER_REQUIRE), but ANYORDER_DATA names no folder: {DATA}"
    )

needs_recordings = pytest.mark.skipif(
    not DATA.is_dir(), reason="no recorded streams: set ANYORDER_DATA to their folder"
)


class Telling(NamedTuple):
    """One connector's telling of a recorded stream: `records`, or `records_schema` and the like."""

    stream: str
    name: str

    @property
    def manifest(self) -> dict[str, Any]:
        return tomllib.loads((DATA / self.stream / "manifest.toml").read_text(encoding="utf-8"))

    @property
    def path(self) -> Path:
        return DATA / self.stream / f"{self.name}.jsonl.xz"

    def lines(self) -> Iterator[bytes]:
        with lzma.open(self.path, "rb") as lines:
            yield from lines

    def rows(self) -> Iterator[dict[str, Any]]:
        """The lines as objects; for `source` and `vanished`."""
        return (json.loads(line) for line in self.lines())

    def __str__(self) -> str:
        return f"{self.stream}-{self.name}"


def chosen(streams: Collection[str]) -> list[Telling]:
    """The tellings of these streams, or of all where none is named. Ends the program, with what is
    wrong, where there are no recordings."""
    if not DATA.is_dir():
        raise SystemExit(f"ANYORDER_DATA names no folder of recorded streams: {DATA}")
    return [one for one in tellings() if not streams or one.stream in streams]


def tellings() -> list[Telling]:
    """Every telling of every recorded stream, [] where there are none."""
    return [
        Telling(path.parent.name, path.name.removesuffix(".jsonl.xz"))
        for path in sorted(DATA.glob("*/records*.jsonl.xz"))
    ]
