"""Records in Python: what JSON does not have is malformed, and its neighbours are applied."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import ConfigurationError
from anyorder.sources.records import decode


@pytest.fixture
def table(tmp_path: Path) -> Iterator[anyorder.Table]:
    found = anyorder.table(f"sqlite:///{tmp_path}/a.db", "t", key="/id", position="/version")
    yield found
    found.close()


def looped() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@dataclasses.dataclass
class Measured:
    """As a user's own code has it."""

    x: float


@pytest.mark.parametrize(
    "odd",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        [1, {"deep": (float("nan"),)}],
        Measured(float("nan")),
        "\ud800",
        {"\ud800": 1},
        1j,
        pytest.param(object(), id="object"),
        looped(),
    ],
    ids=str,
)
def test_a_value_that_json_has_not_is_malformed_and_its_neighbours_are_applied(
    table: anyorder.Table, odd: object
) -> None:
    """It says so, and stays so when it is decided again."""
    records = [{"id": number, "version": 1, "s": "x"} for number in (1, 2, 3)]
    report = table.apply([records[0], {**records[1], "s": odd}, records[2]])

    (entry,) = table.quarantine.entries()
    assert (report.applied, report.quarantined) == (2, {"malformed": 1})
    assert entry.detail.startswith(("the record cannot be written as JSON", "NaN and Infinity"))
    with pytest.raises(ConfigurationError, match="cannot be accepted"):
        table.quarantine.accept(entry.id)


@pytest.mark.parametrize("kept", [None, [None], "NaN", "null", 0.5, Measured(0.5), Decimal("1.50")])
def test_null_and_words_that_look_like_no_number_are_kept(
    table: anyorder.Table, kept: object
) -> None:
    assert table.apply([{"id": 1, "version": 1, "s": kept}]).applied == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset": "x"},
        {"partition": 1.5},
        {"topic": 7},
        {"timestamp": datetime(2026, 11, 27, tzinfo=UTC)},
        {"headers": [("only a name",)]},
        {"headers": 5},
        {"key": float("nan")},
        {"value": {"id": 1, "x": float("nan")}},
    ],
    ids=str,
)
def test_a_record_with_a_wrong_member_is_malformed_for_every_envelope(
    wrong: dict[str, Any],
) -> None:
    record = {"key": "k", "value": json.dumps({"id": 1, "version": 1}), "offset": 1} | wrong

    for envelope, options in (("raw", {}), ("json", {"key": "/id", "position": "/version"})):
        (event,) = decode([record], envelope, **options)
        assert event.kind == "malformed"
        (again,) = decode([event.delivery], envelope, **options)
        assert again.kind == "malformed"


@pytest.mark.parametrize("one", [{"id": 1, "version": 1}, '{"id": 1, "version": 1}', b"{}"])
def test_one_record_that_is_in_no_list_is_misuse(table: anyorder.Table, one: Any) -> None:
    """Its names, or letters, would be taken for records."""
    with pytest.raises(ConfigurationError, match="put it into a list"):
        table.apply(one)
    with pytest.raises(ConfigurationError, match="put it into a list"):
        decode(one)
