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


def deep() -> list[Any]:
    """Deeper than Python's own words for it go."""
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


class Speechless:
    """Nobody can show it."""

    def __repr__(self) -> str:
        raise RuntimeError("it has no words")


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
        pytest.param(deep(), id="deep"),
        pytest.param(10**5000, id="5001 digits"),
        pytest.param({10**5000: 1}, id="a name of 5001 digits"),
        pytest.param(Speechless(), id="speechless"),
        pytest.param({Speechless(): 1}, id="a speechless name"),
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


@pytest.mark.parametrize("one", ["1", "1.0", "1.00", "1E+2", "0.5", "1e-7", "12.340", "-0"])
def test_a_decimal_is_the_number_that_it_is(table: anyorder.Table, one: str) -> None:
    """As a document spells it: in the key, in the row and as the position."""
    spelled = f'{{"id": {one}, "version": 2, "x": {one}}}'
    assert table.apply([{"id": Decimal(one), "version": Decimal(1), "x": 1}]).applied == 1
    assert table.apply([{"id": Decimal(one), "version": 2, "x": Decimal(one)}]).applied == 1

    assert table.apply([spelled]).ignored == {"duplicate": 1}
    assert table.why(Decimal(one)).state == "row"
    assert list(table.quarantine.entries()) == []


@pytest.mark.parametrize(
    "record",
    [
        {"id": 0.5, "version": 1},
        {"key": {"id": 0.5}, "value": {"id": 0.5, "version": 1}},
        {"value": {"id": 0.5, "version": 1}},
        {"id": Measured(0.5), "version": 1},
    ],
    ids=str,
)
def test_a_float_with_a_fraction_is_no_key(table: anyorder.Table, record: object) -> None:
    """Nobody knows the decimal it was; and deciding it again changes nothing."""
    assert table.apply([record]).quarantined == {"malformed": 1}
    assert table.apply([record]).ignored == {"duplicate": 1}

    (entry,) = table.quarantine.entries()
    (again,) = table.decode([table.quarantine.show(entry.id).delivery])
    assert again.kind == "malformed"
    assert (
        table.apply([{"id": Decimal("0.5"), "version": 1}, {"id": 1.0, "version": 1}]).applied == 2
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset": "x"},
        {"partition": 1.5},
        {"topic": 7},
        {"timestamp": datetime(2026, 11, 27, tzinfo=UTC)},
        {"headers": [("only a name",)]},
        {"headers": 5},
        {"offset": 2**70},
        {"partition": -(2**70)},
        {"partition": -2},
        {"offset": -5},
        {"timestamp": 2**63},
        {"topic": "\ud800"},
        {"timestamp_type": "\ud800"},
        {"headers": [("a", "\ud800")]},
        {"headers": [("\ud800", None)]},
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


@pytest.mark.parametrize(
    "broken",
    [
        {"topic": "u", "offset": 2**70, "value": "{"},
        {"topic": "u", "timestamp": 2**63, "value": "{"},
        {"topic": "\ud800", "value": "{"},
        {"topic": "u", "value": "{", "headers": [("a", "\ud800")]},
        {"topic": "u", "value": "{", "key": "\ud800"},
        anyorder.Delivery(topic=None, value=b"{"),  # type: ignore[arg-type]
        anyorder.Delivery(topic="\ud800", value=b"{"),
        anyorder.Delivery(offset=2**70, value=b"{"),
        anyorder.Delivery(timestamp=2**63, value=b"{"),
        anyorder.Delivery(value="{"),  # type: ignore[arg-type]
        anyorder.Delivery(key=1, value=b"{"),  # type: ignore[arg-type]
        anyorder.Delivery(headers=(("a", b"x"),), value=b"{"),  # type: ignore[arg-type]
        anyorder.Delivery(headers=(("a", "\udfff"),), value=b"{"),
    ],
    ids=ascii,
)
def test_what_no_quarantine_could_keep_is_held_as_text_and_its_neighbours_are_applied(
    table: anyorder.Table, broken: object
) -> None:
    report = table.apply([{"id": 1, "version": 1}, broken, {"id": 2, "version": 1}])

    assert (report.applied, report.quarantined) == (2, {"malformed": 1})
    (entry,) = table.quarantine.entries()
    assert table.quarantine.show(entry.id).delivery.value is not None


@pytest.mark.parametrize("one", [{"id": 1, "version": 1}, '{"id": 1, "version": 1}', b"{}"])
def test_one_record_that_is_in_no_list_is_misuse(table: anyorder.Table, one: Any) -> None:
    """Its names, or letters, would be taken for records."""
    with pytest.raises(ConfigurationError, match="put it into a list"):
        table.apply(one)
    with pytest.raises(ConfigurationError, match="put it into a list"):
        decode(one)


@pytest.mark.parametrize("none", [None, 5, object()])
def test_what_is_no_number_of_records_is_misuse(table: anyorder.Table, none: Any) -> None:
    with pytest.raises(ConfigurationError, match="records are a list"):
        table.apply(none)


def test_a_header_of_bytes_is_their_text() -> None:
    """As every client of Kafka gives it."""
    record = {"value": "{}", "headers": [("a", b"b\xff"), ("c", None)]}

    (event,) = decode([record], "raw")

    assert event.delivery.headers == (("a", "b\ufffd"), ("c", None))
