"""What is costly to make, made once a test run, however many workers it has."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What `make` gives, in a folder that all workers see: the first worker that asks makes it, the
    others wait and read it. It must be picklable."""
    folder = common_folder(factory) / f"once {name}"
    folder.mkdir(exist_ok=True)
    kept = folder / "made"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = pickle.dumps(make(folder))
            kept.write_bytes(made)
    found: Made = pickle.loads(kept.read_bytes())
    return found


def common_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run, the same for all its workers."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
