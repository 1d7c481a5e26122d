"""What was forgotten is known by the floor, and by what is declared of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import anyorder
from anyorder import Delivery


@pytest.mark.parametrize(
    ("partitions", "later", "older"),
    [(1, {}, {"late": 1}), (None, {"unknown_scope": 1}, {"unknown_scope": 1})],
    ids=["declared", "not declared"],
)
def test_a_raw_topic_s_declared_partitions_tell_what_lies_above_the_floor(
    tmp_path: Path, partitions: int | None, later: dict[str, int], older: dict[str, int]
) -> None:
    """Each time they are declared, not as they were when the table was made."""
    url = f"sqlite:///{tmp_path}/app.db"
    gone = anyorder.table(url, "users", envelope="raw", retention=0)
    gone.apply([Delivery("users", 0, 5, key=b"a")])
    table = anyorder.table(url, "users", envelope="raw", retention=0, partitions=partitions)

    told = [Delivery("users", 0, offset, key=b"b", value=b'{"n": 1}') for offset in (2, 9)]
    reports = [table.apply([one]) for one in told]

    assert [report.quarantined for report in reports] == [older, later]
