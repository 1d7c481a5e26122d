"""Which positions compare across keys is asked only where it counts: with a retention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import NotReapable
from anyorder.runtime.pipeline import load_pipeline

VERSIONS = {"key": "/id", "position": "/version", "deleted": "/gone"}
PIPELINE = """
[source]
path = "day.jsonl"
envelope = "{envelope}"
options = {{ {options} }}
[store]
url = "memory://"
[[table]]
name = "t"
{more}
"""


def opened(**said: Any) -> None:
    anyorder.table("memory://", "t", **said).close()


def test_without_a_retention_nobody_asks() -> None:
    opened(**VERSIONS)
    opened(**VERSIONS, retention="forever")


def test_with_a_retention_positions_that_count_for_a_key_are_refused_at_once() -> None:
    """And not when the first tombstone is old enough, long after the rows are written."""
    with pytest.raises(NotReapable, match='say position_scope = "stream"'):
        opened(**VERSIONS, retention="30d")
    with pytest.raises(NotReapable, match='say position_scope = "stream"'):
        opened(**VERSIONS, retention=0, position_scope="entity")
    opened(**VERSIONS, retention="30d", position_scope="stream")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({**VERSIONS, "incarnation": "/born"}, "inside one life of its key"),
        ({"envelope": "cloudevents", "incarnation": "born"}, "inside one life of its key"),
        ({"envelope": "dynamodb_streams"}, "one item only"),
        ({**VERSIONS, "key": None, "envelope": "eventbridge", "inner": "json"}, "for each key"),
    ],
)
def test_what_can_never_be_forgotten_says_to_leave_the_retention_out(
    said: dict[str, Any], why: str
) -> None:
    if said.get("inner"):
        said = {**said, "key": "/id"}

    with pytest.raises(NotReapable, match=f"{why}.*leave the retention out"):
        opened(**said, retention="1h")


@pytest.mark.parametrize("said", [{}, {"envelope": "raw", "partitions": 3}])
def test_a_log_and_an_offset_compare_across_keys(said: dict[str, Any]) -> None:
    opened(**said, retention="1h")


def test_a_pipeline_is_refused_before_it_reads_and_an_ignored_table_is_not_asked_about(
    tmp_path: Path,
) -> None:
    options = 'key = "/id", position = "/version", table = "t"'

    def load(more: str, options: str = options) -> None:
        text = PIPELINE.format(envelope="json", options=options, more=more)
        (tmp_path / "p.toml").write_text(text, encoding="utf-8")
        load_pipeline(str(tmp_path / "p.toml"))

    with pytest.raises(NotReapable, match=r'\[\[table\]\] match = "\*" has a retention'):
        load('retention = "48h"')
    load('retention = "forever"')
    load('retention = "48h"\nignore = true')
    load('retention = "48h"', options + ', position_scope = "stream"')
