"""The JSON schema of a pipeline file says what the file's own reader says."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from anyorder.cli.main import main
from anyorder.runtime.schema import schema
from tests.docs.pages import ROOT, blocks, name_of, pages

SECTIONS = {"store", "source", "runtime", "limits", "table"}
STORE = {"url": "memory://"}
VALIDATOR = Draft202012Validator(schema())


def told(text: str) -> dict[str, Any]:
    """A file, or a part of one beside some store."""
    return {"store": STORE, **tomllib.loads(text)}


def pipelines() -> dict[str, dict[str, Any]]:
    """Every pipeline of the pages and of the examples, by where it is."""
    found: dict[str, dict[str, Any]] = {}
    for page in pages():
        for block in blocks(page):
            if block.language == "toml" and SECTIONS & tomllib.loads(block.text).keys():
                found[f"{name_of(page)}:{block.line}"] = told(block.text)
    for path in sorted((ROOT / "examples").rglob("*.toml")):
        if SECTIONS & tomllib.loads(path.read_text(encoding="utf-8")).keys():
            found[name_of(path)] = told(path.read_text(encoding="utf-8"))
    return found


def test_it_is_a_schema_and_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    Draft202012Validator.check_schema(schema())
    assert main(["schema", "pipeline"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()


def test_every_pipeline_of_the_pages_is_valid() -> None:
    found = pipelines()

    assert len(found) > 10
    for place, file in found.items():
        assert [error.message for error in VALIDATOR.iter_errors(file)] == [], place


RIGHT = """
[source]
kind = "sqs"
queue = "orders"
drain = true
envelope = "json"
options = { key = "/id", position = "/version" }
[store]
url = "sqlite:///app.db"
[limits]
depth = 20
[[table]]
name = "t"
source = ["a.b", "a.c"]
kinds = { id = "number" }
retention = 3600
"""
WRONG = [
    ('kind = "sqs"', 'kind = "sqss"'),
    ('kind = "sqs"', ""),
    ("queue =", "path ="),
    ("drain = true", 'drain = "yes"'),
    ('"json"', '"jsn"'),
    ("position =", "positon ="),
    ("[store]", "[stores]"),
    ("url =", "urls ="),
    ("depth = 20", 'depth = "20"'),
    ("depth =", "deep ="),
    ('name = "t"', "name = 1"),
    ("[[table]]", "[table]"),
    ("source = [", "sources = ["),
    ('"number"', '"numbers"'),
    ("retention = 3600", "retention = true"),
    ('name = "t"', 'adopt = "yes"'),
    ('name = "t"', 'adopt = "column:"'),
    ('name = "t"', 'adopt_without = "yes"'),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_a_wrong_file_is_not_valid(right: str, wrong: str) -> None:
    assert list(VALIDATOR.iter_errors(tomllib.loads(RIGHT))) == []
    assert right in RIGHT

    file = tomllib.loads(RIGHT.replace(right, wrong, 1))
    assert list(VALIDATOR.iter_errors(file)) != []


def test_a_source_of_one_s_own_may_have_any_key() -> None:
    own = {"source": {"kind": "ours:Folder", "folder": "in"}, "store": STORE}

    assert list(VALIDATOR.iter_errors(own)) == []


def test_the_file_that_a_person_begins_with_needs_a_store_only(tmp_path: Path) -> None:
    assert list(VALIDATOR.iter_errors({"store": STORE})) == []
    assert list(VALIDATOR.iter_errors({})) != []
