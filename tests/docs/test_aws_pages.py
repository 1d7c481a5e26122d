"""The pages about SQS and DynamoDB say what the code asks for, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from anyorder._core.outcome import Reason
from anyorder.guard.contract import TableSpec
from anyorder.testing.bench import Bench
from anyorder.testing.change import Change, delete, put
from tests.docs.pages import ROOT, read

PAGE = ROOT / "docs" / "reference" / "dynamodb.md"
QUEUES = ROOT / "docs" / "reference" / "sqs.md"
SOURCE = ROOT / "src" / "anyorder"
CALLED = re.compile(r"(?:call|pages|_ask)\(\s*\"(\w+)\"|\"(put_item|update_item|delete_item)\",")
# what a transaction needs beside the actions of its writes; IAM knows no TransactWriteItems
CHECKED = {"ConditionCheckItem"}
NOT_ACTIONS = {"TransactWriteItems"}
DAY = 86_400.0
KEYS = 400
START = 1_000 * DAY
MODES: dict[str, tuple[TableSpec, dict[str, Any]]] = {
    "no retention": (TableSpec("kit", ("id",)), {}),
    "a retention": (TableSpec("kit", ("id",), retention=30 * DAY), {}),
    "forget=ttl": (TableSpec("kit", ("id",), retention=30 * DAY), {"forget": "ttl"}),
}


def called(modules: str) -> set[str]:
    """The operations that these modules name, as AWS spells them."""
    source = "".join(read(path) for path in sorted(SOURCE.glob(modules)))
    names = {name for found in CALLED.findall(source) for name in found if name}
    return {"".join(part.capitalize() for part in name.split("_")) for name in names}


def test_the_page_names_exactly_the_actions_that_the_store_calls() -> None:
    named = set(re.findall(r"`dynamodb:(\w+)`", read(PAGE)))

    assert named == called("stores/dynamodb/*.py") - NOT_ACTIONS | CHECKED


def test_the_page_names_exactly_the_actions_that_the_sqs_source_calls() -> None:
    """AWS grants the batch form of an action with the action (AddPermission in the SQS API
    reference)."""
    named = set(re.findall(r"`sqs:(\w+)`", read(QUEUES)))

    assert named == {name.removesuffix("Batch") for name in called("sources/sqs.py")}


def table() -> dict[str, list[str]]:
    """What an event costs, by the page: the first cell of each row, and its cells."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in read(PAGE).splitlines()
        if line.startswith("| ")
    ]
    start = next(place for place, row in enumerate(rows) if row[1:] == list(MODES))
    return {row[0]: row[1:] for row in rows[start + 1 :] if len(row) == len(MODES) + 1}


class Measured:
    """A store on DynamoDB Local with a meter; `units(changes)`: write units an event of a batch."""

    def __init__(self, client: Any, spec: TableSpec, options: dict[str, Any]) -> None:
        from bench.aws_meter import Meter

        from tests.stores.dynamodb_place import dynamodb_place

        self.meter = Meter(client)
        self.bench = Bench(
            "cost",
            lambda: dynamodb_place(client, processes=False, read_first=True, **options),
            spec,
        )
        self.bench.deliver([put(0, 1)], now=START)

    def units(self, changes: Sequence[Change], wanted: Reason = Reason.APPLIED) -> float:
        before = self.meter.writes
        reasons = self.bench.deliver(changes, now=START + 1)
        assert set(reasons) == {wanted}
        return (self.meter.writes - before) / len(changes)

    def forgotten(self) -> float:
        """Write units a tombstone, floors included; DynamoDB's own TTL takes none."""
        if self.bench.store.parts.native_ttl:  # type: ignore[attr-defined]
            return 0.0
        before = self.meter.writes
        gone = self.bench.store.reap(self.bench.spec, START + 2, 10 * KEYS)
        return (self.meter.writes - before) / gone if gone else 0.0


def of_keys(make: Callable[[object, int], Change], version: int) -> list[Change]:
    return [make(key, version) for key in range(1, KEYS + 1)]


def costs(measured: Measured) -> Iterator[tuple[str, float]]:
    yield "create, many in a batch", measured.units(of_keys(put, 1))
    yield "create, alone", measured.units([put(KEYS + 1, 1)])
    yield "update", measured.units(of_keys(put, 2))
    yield "stale or duplicate, read first", measured.units(of_keys(put, 1), Reason.STALE)
    yield "delete", measured.units(of_keys(delete, 3))
    yield "create again, after the delete", measured.units(of_keys(put, 4))
    measured.units(of_keys(delete, 5))
    yield "forgetting a tombstone", measured.forgotten()


@pytest.mark.parametrize("mode", MODES)
def test_the_page_s_costs_are_measured(dynamodb_local: Any, mode: str) -> None:
    """Items below a kilobyte on DynamoDB Local, counted by AWS's rules (bench/aws_meter.py)."""
    spec, options = MODES[mode]
    measured = Measured(dynamodb_local, spec, options)
    with measured.bench:
        found = {what: f"{units:.2f}".rstrip("0").rstrip(".") for what, units in costs(measured)}

    shown = {what: cells[list(MODES).index(mode)] for what, cells in table().items()}
    assert shown == found
