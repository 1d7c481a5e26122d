"""What a target's name may be: never two tables of the source in one of the store, never ours."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

import anyorder
from anyorder.errors import StoreError
from anyorder.guard.contract import Recorded
from tests.runtime.test_catalogue import HEAD, Pipeline, of, recorded
from tests.streams import record, tombstone

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

    books = json.loads(told.splitlines()[0])
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


def test_letters_that_sqlite_tells_apart_are_two_tables(pipeline: Pipeline) -> None:
    """It folds ASCII only."""
    pipeline.tables(ANYONE)

    assert pipeline.run(made("ünï", 1, 10), made("ÜNÏ", 1, 20))["applied"] == 2
    assert (pipeline.rows("ünï"), pipeline.rows("ÜNÏ")) == (1, 1)


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
        tables = {made for (made,) in database.execute("SELECT name FROM sqlite_master")}
        # Where the name alone tells it, not even our own tables are made.
        is_made = "anyorder_frontier" in tables
        assert not is_made or not database.execute("SELECT * FROM anyorder_frontier").fetchall()


def test_what_names_neither_topic_nor_table_is_unrouted_and_its_neighbours_are_applied(
    pipeline: Pipeline,
) -> None:
    """A line that was cut is malformed, as it is everywhere."""
    pipeline.tables(ANYONE)
    good = made("users", 1, 10)
    cut = json.dumps(good)[:90]
    (pipeline.path / "day.jsonl").write_text(f"{json.dumps(good)}\n{cut}\n{cut}x\n")
    told = pipeline.verb("run", "--json", code=1)

    books = json.loads(told.splitlines()[0])
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


def test_a_target_that_was_dropped_stops_neither_its_neighbours_nor_a_question(
    pipeline: Pipeline,
) -> None:
    """Nothing is written to it any more; its memory may be forgotten, and the doctor sees it."""
    pipeline.tables(ANYONE.replace("name", 'retention = "0s"\nname'))
    pipeline.run(made("users", 1, 10), made("orders", 1, 20))
    script(pipeline, "DROP TABLE users;")
    books = pipeline.run(made("orders", 2, 30), made("orders", 1, 40, "d"))
    findings = pipeline.listed("doctor", code=1)

    assert books["applied"] == 2
    assert pipeline.verb("why", "orders", "2").startswith("orders")
    assert {one["where"] for one in findings} == {"users"}
    assert "the table is gone from the database" in findings[0]["finding"]


BOTH = 'source = ["app.public.users", "app.crm.users"]\nname = "users"\n'


def moved(key: int, lsn: int, op: str = "c", schema: str = "crm") -> Any:
    """A change of the table in another schema, by the topic of that."""
    one = made("users", key, lsn, op)
    value = json.loads(one["value"])
    value["source"]["schema"] = schema
    gone = {"key": None} if op == "t" else {}
    return {**one, "topic": f"app.{schema}.users", "value": json.dumps(value), **gone}


@pytest.mark.parametrize("apart", [True, False], ids=["three runs", "one run"])
def test_named_source_tables_are_one_table(pipeline: Pipeline, apart: bool) -> None:
    """Both are taken, whichever comes first, and a truncate of either is the one table's; others
    go on to the next section."""
    pipeline.tables(f"[[table]]\n{BOTH}", ANYONE)
    batches = [[moved(1, 10), made("orders", 1, 20)], [moved(2, 30, "t")], [made("users", 3, 40)]]
    if not apart:
        batches = [[one for batch in batches for one in batch]]
    for batch in batches:
        pipeline.run(*batch)

    assert (pipeline.rows("users"), pipeline.rows("orders")) == (1, 1)
    found = recorded(pipeline)["users"]
    assert found is not None
    assert found.sources == ("app.crm.users", "app.public.users")


def test_a_source_table_that_is_not_named_is_unrouted_with_what_to_write(
    pipeline: Pipeline,
) -> None:
    pipeline.tables(f"[[table]]\n{BOTH}")
    books = pipeline.run(made("users", 1, 10), moved(1, 20, "d", "hr"), code=1)

    assert (books["applied"], books["quarantined"]) == (1, {"unrouted": 1})
    assert (
        "'app.hr.users', which source = [...] of its [[table]] does not list"
        in (details(pipeline)[0])
    )


def test_one_named_source_table_is_no_list(pipeline: Pipeline) -> None:
    pipeline.tables('[[table]]\nsource = "app.crm.users"\nname = "users"\n')
    books = pipeline.run(made("users", 1, 10), moved(1, 20), code=1)

    assert (books["applied"], books["quarantined"]) == (1, {"unrouted": 1})


@pytest.mark.parametrize("source", ['""', '["app.public.users", ""]'])
def test_a_source_table_without_a_name_is_misuse(pipeline: Pipeline, source: str) -> None:
    pipeline.tables(f"[[table]]\nsource = {source}\n")

    assert "source names a source table" in pipeline.verb("run", code=2)


def test_a_hint_goes_to_the_section_that_names_its_source_table(pipeline: Pipeline) -> None:
    pipeline.tables(f"[[table]]\n{BOTH}")
    gone = moved(1, 20, "d")

    assert pipeline.run(tombstone(gone), code=1)["quarantined"] == {"waiting": 1}
    assert pipeline.run(gone)["settled"] == {"not_a_change": 1}


def test_a_list_does_not_give_away_a_table_of_somebody_else(pipeline: Pipeline) -> None:
    """It names one table; the target is another's already."""
    owner = '[[table]]\nmatch = "app.public.orders"\nname = "users"\n'
    pipeline.tables(owner, f"[[table]]\n{BOTH}")
    books = pipeline.run(made("orders", 1, 10), made("users", 1, 20), moved(1, 30, "d"), code=1)

    assert (books["applied"], books["quarantined"]) == (1, {"unrouted": 2})
    assert pipeline.rows("users") == 1


MERGED = '[[table]]\nmatch = "*.users"\nname = "users"\nmerge = true\n'


def shard(number: int, key: int, lsn: int, op: str = "c") -> Any:
    gone = {"key": None} if op == "t" else {}
    return {**of("users", made("users", key, lsn, op), connector=f"shard{number}"), **gone}


def test_every_source_table_that_matches_is_merged_and_none_truncates_the_others(
    pipeline: Pipeline,
) -> None:
    """In every batch, and on nobody's word; what else follows is applied."""
    pipeline.tables(MERGED)
    first = pipeline.run(*(shard(number, number, 10) for number in range(1, 4)))
    second = pipeline.run(shard(2, 0, 50, "t"), shard(4, 4, 10), shard(2, 2, 60, "d"), code=1)
    said = pipeline.verb("quarantine", "settle", "1", "--accept", code=2)

    assert first["applied"] == 3
    assert (second["applied"], second["quarantined"]) == (2, {"conflict": 1})
    assert pipeline.rows("users") == 3
    assert "would empty all" in details(pipeline)[0]
    assert "would empty all" in said


def test_what_was_merged_stays_merged_when_the_section_says_so_no_longer(
    pipeline: Pipeline,
) -> None:
    """The rows lie together: a truncate is a conflict, and a new source table is unrouted."""
    pipeline.tables(MERGED)
    pipeline.run(shard(1, 1, 10), shard(2, 2, 10))
    pipeline.tables(MERGED.replace("merge = true", ""))
    books = pipeline.run(shard(1, 0, 50, "t"), shard(2, 3, 60), code=1)

    assert (books["applied"], books["quarantined"]) == (1, {"conflict": 1})
    assert pipeline.rows("users") == 3


def test_a_table_that_was_one_source_table_s_is_merged_from_the_next_start_on(
    pipeline: Pipeline,
) -> None:
    pipeline.tables(MERGED.replace("merge = true", ""))
    pipeline.run(shard(1, 1, 10))
    pipeline.tables(MERGED)

    assert pipeline.run(shard(2, 2, 10))["applied"] == 1


def test_the_word_of_one_section_is_not_another_s(pipeline: Pipeline) -> None:
    """Its target is the other section's, which says nothing of merging."""
    pipeline.tables('[[table]]\nmatch = "shard1.*"\nname = "users"\n', MERGED)
    books = pipeline.run(shard(1, 1, 10), shard(2, 1, 20, "d"), code=1)

    assert (books["applied"], books["quarantined"]) == (1, {"unrouted": 1})


def test_books_without_a_list_are_read_as_of_one_source_table() -> None:
    old = msgspec.json.decode(b'{"source":"a","table":"t","topics":["x"]}', type=Recorded)

    assert old == Recorded("a", "t", ("x",))
    assert old.sources == ("a",)
