"""A pipeline over documents whose table forgets deletes at once, so that late events are easy to
make."""

from __future__ import annotations

PIPELINE = """
[source]
path = "day.jsonl"
envelope = "json"
[source.options]
key = "/id"
position = "/v"
position_scope = "stream"
deleted = "/gone"
table = "users"
[store]
url = "{url}"
[runtime]
{runtime}
[[table]]
match = "users"
retention = "0s"
"""


def pipeline(url: str = "sqlite:///app.db", runtime: str = "quarantine_share = 1.0") -> str:
    """The text of its file."""
    return PIPELINE.format(url=url, runtime=runtime)
