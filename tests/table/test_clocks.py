"""A clock that starts again is noticed over any number of batches."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import TableSpec
from tests.streams import record
from tests.table.test_table import later_by

FAR = 1_000_000


@pytest.fixture
def table(tmp_path: Path) -> anyorder.Table:
    return anyorder.table(f"sqlite:///{tmp_path}/app.db", "users", key="id")


def told(key: int, lsn: int, wait: int) -> dict[str, Any]:
    """`wait`: seconds later than its place in the log says."""
    return later_by(record(key, "u", lsn, after={"id": key}), wait)


def test_what_comes_an_hour_later_and_far_below_is_suspected_in_a_later_batch_too(
    table: anyorder.Table,
) -> None:
    table.apply([told(1, FAR, 0), told(2, 2 * FAR, 0)])
    first = table.apply([told(3, 10, 10 * 3600)])
    second = table.apply([told(4, 20, 10 * 3600)])

    assert (first.quarantined, second.quarantined) == (
        {"suspected_reset": 1},
        {"suspected_reset": 1},
    )


def test_what_comes_late_with_its_own_early_time_is_not_suspected(table: anyorder.Table) -> None:
    table.apply([told(1, FAR, 0), told(2, 2 * FAR, 0)])

    assert table.apply([told(3, 10, 0)]).applied == 1


def test_no_word_for_one_event_believes_a_clock_that_is_suspected(table: anyorder.Table) -> None:
    table.apply([told(1, FAR, 0), told(2, 2 * FAR, 0)])
    table.apply([told(1, 10, 10 * 3600), told(3, 20, 10 * 3600)])

    for entry in table.quarantine.entries():
        with pytest.raises(ConfigurationError, match=r"dismiss 'pg:app\|"):
            table.quarantine.accept(entry.id)
    assert [entry.state for entry in table.quarantine.entries("")] == ["open", "open"]


def without_run(one: dict[str, Any], release: str = "3.7.0.Final") -> dict[str, Any]:
    """As another version tells it, or on a way that strips headers."""
    value = json.loads(one["value"])
    value["source"] |= {"version": release}
    if value["op"] == "r":
        value["source"]["snapshot"] = "true"
    return {**one, "value": json.dumps(value), "headers": []}


def read(key: int, lsn: int, wait: int, release: str = "3.7.0.Final") -> dict[str, Any]:
    one = later_by(record(key, "r", lsn, after={"id": key}), wait)
    return without_run(one, release)


def test_a_snapshot_of_a_restored_database_is_held_without_any_run_named(
    table: anyorder.Table,
) -> None:
    """Each of its rows would be stale, for months, until the new log has passed the old one."""
    table.apply([without_run(told(key, FAR * key, 0)) for key in (1, 2)])

    assert table.apply([read(1, 10, 10 * 3600), read(3, 10, 10 * 3600)]).quarantined == {
        "suspected_reset": 2
    }
    # A snapshot that was delivered again says nothing new.
    assert table.apply([read(1, 10, 10 * 3600)]).ignored == {"duplicate": 1}


def test_a_row_that_tells_when_it_was_read_contradicts_no_change(table: anyorder.Table) -> None:
    """Before Debezium 2.0: hours after its snapshot was taken. The topic is read again."""
    slow = read(1, FAR, 10 * 3600, "1.9.7.Final")
    table.apply([slow, without_run(told(1, 2 * FAR, 0)), without_run(told(2, 3 * FAR, 0))])

    assert table.apply([slow]).ignored == {"stale": 1}
    assert table.apply([read(1, 10, 20 * 3600, "1.9.7.Final")]).ignored == {"stale": 1}


@pytest.mark.parametrize("release", ["1.9.7.Final", "2.5.0.Final"])
def test_a_snapshot_of_a_suspected_clock_is_held_whatever_its_time_tells(
    table: anyorder.Table, release: str
) -> None:
    table.apply([without_run(told(key, FAR * key, 0)) for key in (1, 2)])
    table.apply([without_run(told(3, 10, 10 * 3600))])

    assert table.apply([read(1, 20, 0, release)]).quarantined == {"suspected_reset": 1}


def test_what_a_dismissed_clock_held_of_a_snapshot_is_decided_again(
    table: anyorder.Table,
) -> None:
    table.apply([without_run(told(key, FAR * key, 0)) for key in (1, 2)])
    table.apply([read(1, 10, 10 * 3600), read(3, 10, 10 * 3600)])

    spec = TableSpec("users", ("id",))
    assert table.quarantine.dismiss("pg:app|", [spec]) == 2
    assert table.why(3).state == "row"


def people(tmp_path: Path, **options: object) -> anyorder.Table:
    return anyorder.table(
        f"sqlite:///{tmp_path}/people.db",
        "people",
        key="/id",
        position="/version",
        deleted="/deleted",
        **options,
    )


def life(day: int, version: int, **told: object) -> dict[str, object]:
    at = f"2026-01-{day:02}T00:00:00Z"
    return {"id": "a", "version": version, "at": at, **told}


@pytest.mark.parametrize("size", [1, 5])
def test_a_new_life_is_held_until_a_word_and_then_nothing_of_the_old_one_comes_back(
    tmp_path: Path, size: int
) -> None:
    table = people(tmp_path, time="/at")
    told = [life(1, 7), life(2, 8, deleted=True), life(20, 1), life(21, 2)]
    for start in range(0, len(told), size):
        table.apply(told[start : start + size])
    entries = table.quarantine.entries()
    assert [entry.reason for entry in entries] == ["suspected_reset"] * 2
    assert all("seem to have started again" in entry.detail for entry in entries)

    assert table.quarantine.accept(entries[0].id).startswith("By your word")

    assert table.quarantine.entries() == []
    assert table.why("a").position == "version 2"
    assert table.apply([*told, life(1, 6)]).ignored == {"stale": 4, "duplicate": 1}


def test_what_is_dropped_is_a_duplicate_ever_after(tmp_path: Path) -> None:
    table = people(tmp_path, time="/at")
    table.apply([life(20, 8, deleted=True)])
    table.apply([life(1, 9)])
    (entry,) = table.quarantine.entries()

    table.quarantine.drop(entry.id)

    assert table.apply([life(1, 9)]).ignored == {"duplicate": 1}
    assert table.why("a").state == "tombstone"


def test_only_the_key_that_contradicts_itself_is_suspected(tmp_path: Path) -> None:
    table = people(tmp_path, time="/at")
    table.apply([life(1, 8)])

    found = table.apply([life(20, 1), {**life(20, 1), "id": "b"}])

    assert (found.applied, found.quarantined) == (1, {"suspected_reset": 1})


def test_without_a_time_of_its_own_a_version_is_judged_by_nothing_else(tmp_path: Path) -> None:
    table = people(tmp_path)
    table.apply([life(1, 8)])

    assert table.apply([life(20, 1)]).ignored == {"stale": 1}


def test_a_life_in_parts_shows_nothing_of_the_one_before_after_a_word(tmp_path: Path) -> None:
    table = people(tmp_path, time="/at", partial=True)
    told = [life(1, 1, name="x", email="e"), life(20, 3, phone="p"), life(20, 1, name="y")]
    table.apply(told)
    (entry,) = table.quarantine.entries()
    assert (entry.reason, entry.key) == ("suspected_reset", {"id": "a"})

    table.quarantine.accept(entry.id)

    with closing(sqlite3.connect(tmp_path / "people.db")) as connection:
        found = connection.execute("SELECT name, email, phone FROM people").fetchall()
    assert found == [("y", None, "p")]


def test_another_id_of_a_life_is_a_conflict(tmp_path: Path) -> None:
    table = people(tmp_path, incarnation="/uid")
    table.apply([life(1, 8, uid="x-1")])

    assert table.apply([life(20, 1, uid="x-2")]).quarantined == {"conflict": 1}
