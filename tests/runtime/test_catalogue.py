"""The catalogue: each target has the source table, retention, partitions and key that were said of
it, and no other's."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from anyorder.cli.main import main
from tests.streams import record

HEAD = """
[source]
path = "day.jsonl"
[source.options]
tombstone = "hint"
[store]
url = "sqlite:///app.db"
"""
USERS = '[[table]]\nmatch = "app.public.users"\nname = "{name}"\n{more}\n'
ORDERS = '[[table]]\nmatch = "app.public.orders"\nname = "{name}"\n{more}\n'
FOREVER, AT_ONCE = 'retention = "forever"', 'retention = "0s"'


class Pipeline:
    """A pipeline in a directory of its own, and its verbs, run in this process."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys
        self._offset = 0

    def tables(self, *sections: str) -> None:
        (self.path / "pipeline.toml").write_text(HEAD + "".join(sections), encoding="utf-8")

    def verb(self, *words: str, code: int = 0) -> str:
        self._capsys.readouterr()
        found = main(list(words))
        said = self._capsys.readouterr()
        assert found == code, said
        return said.out + said.err

    def run(self, *records: dict[str, Any], code: int = 0) -> dict[str, Any]:
        """The books of a run over these records only."""
        lines = "".join(json.dumps(one) + "\n" for one in records)
        (self.path / "day.jsonl").write_text(lines, encoding="utf-8")
        books: dict[str, Any] = json.loads(self.verb("run", "--json", code=code).splitlines()[-1])
        return books

    def listed(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.verb(*words, "--nl", code=code).splitlines()]

    def tombstones(self, table: str) -> int:
        database = sqlite3.connect(self.path / "app.db")
        query = f'SELECT count(*) FROM "anyorder_memory_{table}" WHERE live = 0'
        (count,) = database.execute(query).fetchone()
        database.close()
        return int(count)


@pytest.fixture
def pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Pipeline:
    monkeypatch.chdir(tmp_path)
    return Pipeline(tmp_path, capsys)


def of(table: str, one: dict[str, Any], *, connector: str = "app", topic: str = "") -> Any:
    """The same record, of another source table."""
    value = json.loads(one["value"])
    value["source"] |= {"table": table, "name": connector}
    return {
        **one,
        "topic": topic or f"{connector}.public.{table}",
        "value": json.dumps(value),
    }


def test_a_run_reaps_each_table_by_its_own_retention(pipeline: Pipeline) -> None:
    """A table that is kept for ever keeps its tombstones at the end of a run that routes nothing to
    it, whatever its neighbour's retention is."""
    pipeline.tables(
        USERS.format(name="{table}", more=AT_ONCE), ORDERS.format(name="{table}", more=FOREVER)
    )
    pipeline.run(of("users", record(1, "d", 10)), of("orders", record(1, "d", 20)))
    pipeline.run(of("users", record(2, "c", 30, after={"id": 2})))

    assert (pipeline.tombstones("users"), pipeline.tombstones("orders")) == (0, 1)


def test_the_verb_reap_takes_each_table_s_own_retention(pipeline: Pipeline) -> None:
    sections = [USERS.format(name="{table}", more=""), ORDERS.format(name="{table}", more="")]
    pipeline.tables(*sections)
    pipeline.run(of("users", record(1, "d", 10)), of("orders", record(1, "d", 20)))
    pipeline.tables(sections[0].replace("name", f"{AT_ONCE}\nname"), sections[1])

    told = {one["table"]: one for one in pipeline.listed("reap")}

    assert (told["users"]["retention"], told["users"]["forgotten"]) == ("0s", 1)
    assert (told["orders"]["retention"], told["orders"]["forgotten"]) == ("forever", 0)
