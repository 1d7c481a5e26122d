"""The page's doorbell: whatever the order of bells and answers, the row is the object as it is."""

from __future__ import annotations

import importlib.util
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.apps.server import write_page
from tests.docs.pages import ROOT

KEYS = [f"cus_{number}" for number in range(5)]
CHANGES = 40


@pytest.fixture
def doorbell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The page's module, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    write_page(ROOT / "docs" / "how-to" / "receive-a-webhook.md", tmp_path)
    spec = importlib.util.spec_from_file_location("doorbell", tmp_path / "doorbell.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    module.customers.close()


def shown(doorbell: ModuleType) -> dict[str, Any]:
    rows = doorbell.customers.store.database.execute("SELECT id, name FROM customers")
    return dict(rows.fetchall())


def test_an_answer_that_was_overtaken_by_a_newer_one_changes_nothing(doorbell: ModuleType) -> None:
    """It was fetched first, and is applied last."""
    answered, overtaken = threading.Event(), threading.Event()

    def slow(key: str) -> dict[str, Any]:
        answered.set()
        overtaken.wait(20)
        return {"name": "old"}

    first = threading.Thread(target=doorbell.ring, args=["cus_1", slow])
    first.start()
    answered.wait(20)
    doorbell.ring("cus_1", lambda key: {"name": "new"})
    overtaken.set()
    first.join()

    assert shown(doorbell) == {"cus_1": "new"}


def test_every_object_is_as_it_is_at_its_source_when_all_bells_have_rung(
    doorbell: ModuleType,
) -> None:
    """Six threads; each change rings twice, and at its source an object may end at any time."""
    source: dict[str, str] = {}
    lock = threading.Lock()

    def fetch(key: str) -> dict[str, Any]:
        with lock:
            name = source.get(key)
        return {"deleted": True} if name is None else {"name": name}

    def change(number: int) -> None:
        key = KEYS[number % len(KEYS)]
        chance = random.Random(number)
        with lock:
            if chance.random() < 0.3:
                source.pop(key, None)
            else:
                source[key] = f"name {number}"
        for _ in range(2):
            doorbell.ring(key, fetch)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, range(CHANGES)))

    assert shown(doorbell) == source
    assert doorbell.customers.quarantine.entries() == []


def test_a_source_that_cannot_be_asked_changes_nothing_and_is_told(doorbell: ModuleType) -> None:
    def unreachable(key: str) -> dict[str, Any]:
        raise ConnectionError("no route to the source")

    with pytest.raises(ConnectionError):
        doorbell.ring("cus_1", unreachable)

    assert doorbell.customers.why("cus_1").state == "unknown"
