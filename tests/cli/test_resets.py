"""`anyorder doctor` tells a clock that started again from single keys that did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.home import Home

PIPELINE = """
[source]
path = "day.jsonl"
envelope = "json"
[source.options]
key = "/id"
position = "/version"
position_scope = "{scope}"
time = "/at"
table = "people"
[store]
url = "sqlite:///app.db"
"""
TOLD = [
    {"id": "a", "version": 7, "at": "2026-01-01T00:00:00Z"},
    {"id": "b", "version": 8, "at": "2026-01-02T00:00:00Z"},
    {"id": "a", "version": 1, "at": "2026-02-01T00:00:00Z"},
]


def found(path: Path, scope: str) -> list[dict[str, Any]]:
    (path / "pipeline.toml").write_text(PIPELINE.format(scope=scope))
    (path / "day.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in TOLD))
    home = Home(path)
    assert home.ended("run").returncode == 1
    done = home.ended("doctor", "--nl")
    assert done.returncode == 1
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_key_whose_versions_started_again_is_named_and_has_no_scope_to_dismiss(
    tmp_path: Path,
) -> None:
    (told,) = (one for one in found(tmp_path, "entity") if "versions" in one["finding"])

    assert told["where"] == "people"
    assert '{"id":"a"}' in told["finding"]
    assert "accept" in told["what to do"]
    assert "dismiss" not in told["what to do"]


def test_a_clock_of_documents_that_started_again_is_named_with_what_dismisses_it(
    tmp_path: Path,
) -> None:
    told = found(tmp_path, "stream")

    assert not any("versions" in one["finding"] for one in told)
    assert any("dismiss 'version:json:people|'" in one["what to do"] for one in told)
