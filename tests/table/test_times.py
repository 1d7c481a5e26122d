"""Times as positions, and times that only tell when something was."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import anyorder

NEW, OLD = "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
MILLISECONDS = 1798761600000  # of the new one


def table(path: Path, **options: object) -> anyorder.Table:
    return anyorder.table(
        f"sqlite:///{path / 'app.db'}",
        "users",
        key="/id",
        position="/at",
        position_kind="timestamp",
        **options,  # type: ignore[arg-type]
    )


def told(at: object, name: str) -> dict[str, object]:
    return {"id": 1, "at": at, "name": name}


@pytest.mark.parametrize("turned", [False, True])
def test_of_a_text_and_an_integer_the_later_moment_wins_in_either_order(
    tmp_path: Path, turned: bool
) -> None:
    records = [told(OLD, "old"), told(MILLISECONDS, "new")]
    users = table(tmp_path, unit="ms")

    report = users.apply(records[::-1] if turned else records)

    assert report.quarantined.total() == 0
    with closing(sqlite3.connect(tmp_path / "app.db")) as database:
        assert database.execute("SELECT name FROM users").fetchall() == [("new",)]


def test_rows_of_before_a_unit_was_corrected_are_a_conflict_and_stay(tmp_path: Path) -> None:
    """Seconds that were taken for milliseconds are of 1970: whatever came would be newer, and the
    other way round everything stale."""
    table(tmp_path, unit="ms").apply([told(MILLISECONDS // 1000, "of 1970")])

    report = table(tmp_path, unit="s").apply([told(MILLISECONDS // 1000 + 1, "now")])

    assert report.quarantined == {"conflict": 1}


def test_an_integer_without_a_unit_waits_in_the_quarantine_for_the_word(tmp_path: Path) -> None:
    report = table(tmp_path).apply([told(OLD, "old"), told(MILLISECONDS, "new")])

    assert (report.applied, report.quarantined) == (1, {"malformed": 1})


@pytest.mark.parametrize(
    ("time", "warnings"),
    [
        (1798761600, 1),  # seconds
        (0, 1),
        (MILLISECONDS, 0),
        ("1969-01-01T00:00:00Z", 0),
        (None, 0),
    ],
)
def test_a_time_of_1970_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, time: object, warnings: int
) -> None:
    with caplog.at_level(logging.WARNING, "anyorder"):
        table(tmp_path, time="/seen").apply([{**told(at, at), "seen": time} for at in (OLD, NEW)])

    assert len(caplog.records) == warnings
    assert all("1970" in one.getMessage() for one in caplog.records)


def test_a_format_that_says_itself_how_its_times_are_told_is_not_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = {"topic": "t", "partition": 0, "offset": 1, "timestamp": 5, "key": "1", "value": "{}"}
    with caplog.at_level(logging.WARNING, "anyorder"):
        anyorder.table("sqlite://", "t", envelope="raw").apply([record])

    assert caplog.records == []


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("s", "timestamp 2026-09-10 08:15:30.000000Z"),
        # Whoever reads 1970 sees that it was the wrong unit; of a number nobody sees it.
        ("ms", "timestamp 1970-01-21 16:57:08.130000Z"),
        ("ns", "timestamp 1970-01-01 00:00:01.789028130Z"),
    ],
)
def test_a_time_that_orders_is_told_as_a_date(tmp_path: Path, unit: str, said: str) -> None:
    users = table(tmp_path, unit=unit)

    users.apply([told(1789028130, "Ana")])

    assert f"by an upsert at {said}" in str(users.why(1))
