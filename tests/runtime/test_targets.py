"""What a target's name may be: never two tables of the source in one of the store, never ours."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import StoreError
from tests.runtime.test_catalogue import HEAD, Pipeline, of
from tests.streams import record

ANYONE = '[[table]]\nname = "{table}"\n'
ADOPTING = '[[table]]\nname = "{table}"\nadopt = "older-than-everything"\n'
STRANGE = (
    "anyorder_frontier",
    "Anyorder_Quarantine",
    "ANYORDER_anything",
    "sqlite_stat1",
    "SQLite_master",
    "json_each",
    "JSON_TREE",
    "pragma_table_info",
    "an_index",
    "A_View",
    "words",
    "words_data",
    "x" * 300,
    "x" * 181,
    "with\0NUL",
)


@pytest.fixture
def pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Pipeline:
    monkeypatch.chdir(tmp_path)
    return Pipeline(tmp_path, capsys)


def script(pipeline: Pipeline, statements: str) -> None:
    with closing(sqlite3.connect(pipeline.path / "app.db")) as database:
        database.executescript(statements)


def details(pipeline: Pipeline) -> list[str]:
    return [one["detail"] for one in pipeline.listed("quarantine", "list", code=1)]


def made(table: str, key: int, lsn: int, op: str = "c") -> Any:
    after = None if op in "dt" else {"id": key, "name": table}
    return of(table, record(key, op, lsn, after=after))


@pytest.mark.parametrize("sections", [ANYONE, ADOPTING], ids=["ours", "adopted"])
@pytest.mark.parametrize("batch", ["1", "500"])
@pytest.mark.parametrize("op", ["c", "d", "t"])
def test_two_source_tables_whose_names_the_store_does_not_tell_apart_never_share_a_target(
    pipeline: Pipeline, sections: str, batch: str, op: str
) -> None:
    """SQLite folds ASCII: the second is unrouted, and the first one's row stays."""
    pipeline.tables(sections)
    records = [made("Users", 1, 10), made("users", 1, 20, op), made("Users", 2, 30)]
    lines = "".join(json.dumps(one) + "\n" for one in records)
    (pipeline.path / "day.jsonl").write_text(lines, encoding="utf-8")
    told = pipeline.verb("run", "--batch", batch, "--json", code=1)

    books = json.loads(told.splitlines()[-1])
    assert (books["applied"], books["quarantined"]) == (2, {"unrouted": 1})
    assert pipeline.rows("Users") == 2
    (detail,) = details(pipeline)
    assert "which the store does not tell from users" in detail
    assert "'app.public.Users'" in detail


def test_two_sections_that_lead_to_one_table_of_the_store_never_share_it(
    pipeline: Pipeline,
) -> None:
    """The tables are there, in other letters than the pipeline writes them."""
    script(pipeline, "CREATE TABLE People (id PRIMARY KEY, name);")
    pipeline.tables(
        '[[table]]\nmatch = "app.public.users"\nname = "PEOPLE"\n',
        '[[table]]\nmatch = "app.public.clients"\nname = "people"\n',
    )
    books = pipeline.run(made("users", 1, 10), made("clients", 1, 20, "d"), code=1)

    assert (books["applied"], books["quarantined"]) == (1, {"unrouted": 1})
    assert pipeline.rows("People") == 1


def test_other_letters_in_the_pipeline_are_the_same_target_of_the_same_source_table(
    pipeline: Pipeline,
) -> None:
    """Its memory goes on: an old event is stale."""
    pipeline.tables('[[table]]\nname = "Clients"\n')
    pipeline.run(made("users", 1, 20))
    pipeline.tables('[[table]]\nname = "clients"\nretention = "1h"\n')
    books = pipeline.run(made("users", 1, 10, "u"), made("users", 2, 30))

    assert (books["applied"], books["ignored"]) == (1, {"stale": 1})
    assert pipeline.rows("clients") == 2
    assert {one["table"]: one["retention"] for one in pipeline.listed("reap")} == {"Clients": "1h"}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("broken", [False, True], ids=["a change", "a broken record"])
def test_a_name_that_no_target_can_have_is_unrouted_and_its_neighbours_are_applied(
    pipeline: Pipeline, name: str, broken: bool
) -> None:
    """Ours, SQLite's own, what our statements call, a view, an index, a virtual table and its
    shadow, too long, unusable; the run goes on, and so does the next one."""
    script(
        pipeline,
        "CREATE TABLE people (id PRIMARY KEY, name); CREATE INDEX an_index ON people (name);"
        "CREATE VIEW a_view AS SELECT * FROM people; CREATE VIRTUAL TABLE words USING fts5(word);",
    )
    pipeline.tables(ADOPTING)
    strange = made(name, 1, 20)
    if broken:
        strange["value"] = "{"
    books = pipeline.run(made("users", 1, 10), strange, made("users", 2, 30), code=1)
    again = pipeline.run(made("users", 3, 40))

    reason = "malformed" if broken else "unrouted"
    assert (books["applied"], books["quarantined"]) == (2, {reason: 1})
    assert again["applied"] == 1
    assert pipeline.rows("users") == 3
    assert broken or "cannot be a target" in details(pipeline)[0]


@pytest.mark.parametrize("name", ["anyorder_frontier", "A_VIEW", "sqlite_x", "", "y" * 300])
@pytest.mark.parametrize("words", [["run"], ["run", "--dry-run"]])
def test_a_name_that_the_pipeline_spells_out_is_misuse_before_anything_is_read(
    pipeline: Pipeline, name: str, words: list[str]
) -> None:
    script(pipeline, "CREATE TABLE t (id PRIMARY KEY); CREATE VIEW a_view AS SELECT * FROM t;")
    pipeline.tables(f'[[table]]\nmatch = "app.public.users"\nname = "{name}"\n', ANYONE)
    (pipeline.path / "day.jsonl").write_text(json.dumps(made("orders", 1, 10)) + "\n")

    said = pipeline.verb(*words, code=2)

    assert f'[[table]] match = "app.public.users": {name:.20}' in said
    with closing(sqlite3.connect(pipeline.path / "app.db")) as database:
        assert not database.execute("SELECT * FROM anyorder_frontier").fetchall()


def test_what_names_neither_topic_nor_table_is_unrouted_and_its_neighbours_are_applied(
    pipeline: Pipeline,
) -> None:
    """A line that was cut is malformed, as it is everywhere."""
    pipeline.tables(ANYONE)
    good = made("users", 1, 10)
    cut = json.dumps(good)[:90]
    (pipeline.path / "day.jsonl").write_text(f"{json.dumps(good)}\n{cut}\n{cut}x\n")
    told = pipeline.verb("run", "--json", code=1)

    books = json.loads(told.splitlines()[-1])
    assert (books["applied"], books["quarantined"]) == (1, {"malformed": 2})


def test_documents_of_no_table_are_unrouted_and_say_what_to_write(pipeline: Pipeline) -> None:
    documents = 'envelope = "json"\noptions = { key = "/id", position = "/v" }\n[store]'
    head = HEAD.replace('[source.options]\ntombstone = "hint"\n[store]', documents)
    (pipeline.path / "pipeline.toml").write_text(head)

    books = pipeline.run({"id": 1, "v": 1}, {"id": 2, "v": 1}, code=1)

    assert books["quarantined"] == {"unrouted": 2}
    assert 'names neither a topic nor a table: say name = "..."' in details(pipeline)[0]


def test_a_target_that_was_dropped_is_the_store_s_trouble_and_no_content(tmp_path: Path) -> None:
    """Its events are not consumed: they are applied once the table is back."""
    path = tmp_path / "app.db"
    with closing(anyorder.table(f"sqlite:///{path}", "users")) as users:
        users.apply([made("users", 1, 10)])
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP TABLE users")
            with pytest.raises(StoreError, match="table users is gone"):
                users.apply([made("users", 2, 20)])
            database.execute("CREATE TABLE users (id PRIMARY KEY, name)")
        report = users.apply([made("users", 2, 20)])

    assert report.applied == 1
