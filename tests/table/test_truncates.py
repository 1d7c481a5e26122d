"""A truncate ends what waited for the keys that it takes."""

from __future__ import annotations

from pathlib import Path

import anyorder
from tests.streams import record, tombstone
from tests.table.test_table import truncate_record

RUN = "01a20ada-bb63-7c1b-84bb-f2b31e0887b3"


def test_what_was_late_is_settled_by_a_truncate_that_is_newer(tmp_path: Path) -> None:
    """Whether its key was dead had been forgotten; after the truncate it is, for certain."""
    table = anyorder.table(f"sqlite:///{tmp_path}/app.db", "users", key="id", retention=0)
    table.apply([record(1, "d", 20)])
    late = table.apply([record(2, "c", 10, after={"id": 2})])

    report = table.apply([truncate_record(30, RUN)])

    assert late.quarantined == {"late": 1}
    assert report.settled == {"stale": 1}
    assert table.quarantine.entries() == []


def test_what_is_newer_than_a_truncate_goes_on_waiting(tmp_path: Path) -> None:
    table = anyorder.table(f"sqlite:///{tmp_path}/app.db", "users", key="id", retention=0)
    table.apply([record(1, "d", 40)])
    table.apply([record(2, "c", 35, after={"id": 2})])

    report = table.apply([truncate_record(30, RUN)])

    assert report.settled.total() == 0
    assert [entry.reason for entry in table.quarantine.entries()] == ["late"]


def test_a_copy_on_the_other_side_of_a_truncate_is_a_duplicate(tmp_path: Path) -> None:
    """What comes after a truncate is decided by itself, on what this very batch has written."""
    table = anyorder.table(f"sqlite:///{tmp_path}/app.db", "users", key="id")
    created = record(1, "c", 40, after={"id": 1})

    report = table.apply([created, truncate_record(30, RUN), created])

    assert (report.applied, report.ignored) == (2, {"duplicate": 1})


def test_a_hint_that_comes_after_a_truncate_meets_what_it_left_in_a_batch_too(
    tmp_path: Path,
) -> None:
    """The slot is empty then, and nothing says that the delete before the hint has come."""
    tables = [anyorder.table(f"sqlite:///{tmp_path}/{name}.db", "users", key="id") for name in "ab"]
    deleted = record(1, "d", 20)
    records = [deleted, truncate_record(30, RUN), tombstone(deleted)]

    tables[0].apply(records)
    for one in records:
        tables[1].apply([one])

    assert [len(table.quarantine.entries()) for table in tables] == [1, 1]
