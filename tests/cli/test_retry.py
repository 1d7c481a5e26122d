"""`anyorder quarantine retry`: a corrected pipeline reads again what its mistake held; no word of a
person is in it, and what cannot be read stays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anyorder._core.event import Delivery
from anyorder.guard.quarantine import Quarantine
from anyorder.runtime.again import Reading
from anyorder.runtime.pipeline import load_pipeline
from anyorder.runtime.retry import Retried, Retry
from tests.cli.desk import Desk
from tests.streams import final_rows, record, stream, tombstone, unordered

PIPELINE = """
[source]
path = "{path}"
envelope = "{envelope}"
options = {options}
[store]
url = "sqlite:///app.db"
[runtime]
quarantine_share = 1.0
{tables}
"""
EVERY = '[[table]]\nmatch = "*"\nretention = "0s"\n'
RECORDS = list(stream(300, 20))
SCOPE = 'position_scope = "stream", table = "users" }'
BY_NOWHERE = f'{{ key = "/id", position = "/nowhere", {SCOPE}'
BY_VERSION = f'{{ key = "/id", position = "/version", {SCOPE}'


class Corrected(Desk):
    """A directory with a pipeline that is mistaken, until another is written."""

    def pipeline(
        self,
        envelope: str = "debezium",
        options: str = "{}",
        tables: str = EVERY,
        path: str = "day.jsonl",
    ) -> None:
        self.write(PIPELINE.format(envelope=envelope, options=options, tables=tables, path=path))

    def run(self, records: Sequence[object], code: int = 1) -> str:
        """Run over these records; what it says on standard error."""
        self.deliver(records)
        return self.said("run", "--no-preflight", code=code)[1]

    def retry(self, *words: str, code: int = 0) -> str:
        return self.verb("quarantine", "retry", *words, code=code)

    def entries(self, columns: str = "table_name, reason, detail, state, count") -> list[Any]:
        query = (
            f"SELECT {columns} FROM anyorder_quarantine AS q LEFT JOIN anyorder_provenance AS p "
            "ON p.id = q.provenance_id ORDER BY q.id"
        )
        return self.query(query)

    def open_entries(self) -> list[Any]:
        return [one for one in self.entries() if one[3] == "open"]

    def rows(self, table: str = "users") -> dict[int, dict[str, object]]:
        with closing(sqlite3.connect(self.path / "app.db")) as database:
            database.row_factory = sqlite3.Row
            return {row["id"]: dict(row) for row in database.execute(f'SELECT * FROM "{table}"')}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Corrected:
    monkeypatch.chdir(tmp_path)
    found = Corrected(tmp_path, capsys)
    found.pipeline()
    return found


def test_what_another_envelope_held_comes_to_the_source_s_rows(desk: Corrected) -> None:
    desk.pipeline("cloudevents")
    desk.run(unordered(RECORDS))
    desk.pipeline()

    desk.retry()

    assert desk.rows() == final_rows(RECORDS)
    assert desk.open_entries() == []


def test_a_second_retry_has_nothing_to_do(desk: Corrected) -> None:
    desk.pipeline("cloudevents")
    desk.run(RECORDS)
    desk.pipeline()
    desk.retry()

    assert desk.retry() == "0 settled, 0 still open\n"


def test_it_goes_where_today_s_sections_send_it(desk: Corrected) -> None:
    """By the topic alone, which was all that could be read, it went to another table."""
    tables = '[[table]]\nmatch = "*"\nname = "{schema}_{table}"\n'
    desk.pipeline("cloudevents", tables=tables)
    desk.run(RECORDS)
    assert {table for table, *_ in desk.open_entries()} == {"app.public_users"}
    desk.pipeline(tables=tables)

    desk.retry()

    assert desk.rows("public_users") == final_rows(RECORDS)
    assert desk.open_entries() == []


def test_what_is_ignored_today_is_no_change(desk: Corrected) -> None:
    desk.pipeline("cloudevents")
    desk.run(RECORDS)
    desk.pipeline(tables='[[table]]\nmatch = "*"\nignore = true\n')

    desk.retry()

    assert desk.open_entries() == []
    assert {detail.rpartition("; ")[2] for _, _, detail, _, _ in desk.entries()} == {
        "then not_a_change"
    }


def test_a_section_that_is_gone_takes_nothing_away(desk: Corrected) -> None:
    """A retry by mistake: what the table holds stays with it."""
    desk.run([record(1, "d", 30)], code=0)
    desk.run([record(1, "c", 10, after={"id": 1})])
    before = desk.entries()
    assert [one[:2] for one in before] == [("users", "late")]
    desk.pipeline(tables='[[table]]\nmatch = "nowhere"\n')

    assert desk.retry(code=1) == "0 settled, 1 still open\n"
    assert desk.entries() == before


def test_no_word_is_in_it(desk: Corrected) -> None:
    """What is late by now is held as late: whether its key was deleted only a person can tell."""
    desk.pipeline("cloudevents")
    desk.run([record(1, "c", 10, after={"id": 1}), record(2, "c", 20, after={"id": 2})])
    desk.pipeline()
    desk.run([record(1, "d", 30)], code=0)

    assert desk.retry(code=1) == "0 settled, 2 still open\n"

    assert [one[:2] for one in desk.open_entries()] == 2 * [("users", "late")]
    assert desk.query("SELECT memory FROM anyorder_memory_users") == []


def test_what_nobody_can_read_stays_and_says_why_today(desk: Corrected) -> None:
    """Its entry names today's envelope, and it was held once."""
    broken = {**record(1, "c", 10), "key": None, "value": '{"op": "c", "source": {}}'}
    desk.pipeline("cloudevents")
    desk.run([broken])
    desk.pipeline()

    assert desk.retry(code=1) == "0 settled, 1 still open\n"

    ((table, reason, detail, state, count),) = desk.entries()
    assert (table, reason, state, count) == ("users", "malformed", "open", 1)
    assert "CloudEvent" not in detail
    ((provenance,),) = desk.entries("provenance")
    assert json.loads(provenance)["envelope"] == "debezium"
    assert '"event":"malformed"' in desk.verb("quarantine", "show", "1", "--json")


def test_a_dispute_lists_both_contents_as_at_once(desk: Corrected) -> None:
    """Two contents of one position, of which one was read by mistake."""
    first = {"id": 1, "version": 1, "n": 1}
    desk.pipeline("json", BY_VERSION)
    desk.run([first], code=0)
    desk.pipeline("json", BY_NOWHERE)
    desk.run([{**first, "n": 2}])
    desk.pipeline("json", BY_VERSION)

    assert desk.retry(code=1) == "0 settled, 1 still open\n"

    ((_, reason, detail, _, _),) = desk.open_entries()
    assert (reason, "the other content" in detail) == ("conflict", True)


def test_a_word_that_was_given_meanwhile_counts(desk: Corrected) -> None:
    """Somebody drops an entry after it was read, and before it is decided."""
    desk.pipeline("cloudevents")
    desk.run([record(1, "c", 10, after={"id": 1}), record(2, "c", 20, after={"id": 2})])
    desk.pipeline()
    pipeline = load_pipeline("pipeline.toml")
    with closing(pipeline.open_store()) as store, closing(pipeline.open_store()) as other:
        with store.reading() as transaction:
            catalogue = pipeline.routing.catalogue(transaction)
        dropped = Quarantine(other, None, pipeline.decode)

        def read_anew(provenance: str, delivery: Delivery) -> Reading:
            if delivery.offset == 10:
                dropped.drop(1)
            return pipeline.read_anew(provenance, delivery)

        done = Retry(store, catalogue, read_anew).run()

    assert done == Retried(settled=2, open=0)
    assert desk.rows().keys() == {2}
    assert [one[3] for one in desk.entries()] == ["dropped", "settled"]


def test_what_only_the_envelope_of_before_reads_stays_with_it(desk: Corrected) -> None:
    """Standard input has no name: what came by it may be of several formats."""
    desk.pipeline("json", BY_VERSION, path="-")
    pipeline = load_pipeline("pipeline.toml")
    delivery = Delivery(value=b'{"id": 1, "version": 1}', offset=1)
    before = pipeline.read_anew(pipeline.provenance, delivery)
    desk.pipeline("debezium", path="-")

    after = load_pipeline("pipeline.toml").read_anew(before.provenance, delivery)

    assert after == before


def test_what_came_by_standard_input_is_read_by_today_s_envelope(desk: Corrected) -> None:
    change = record(1, "c", 10, after={"id": 1})
    desk.pipeline("cloudevents", path="-")
    delivery = Delivery(
        topic=str(change["topic"]),
        key=str(change["key"]).encode(),
        value=str(change["value"]).encode(),
    )
    before = load_pipeline("pipeline.toml").provenance
    desk.pipeline("debezium", path="-")
    pipeline = load_pipeline("pipeline.toml")

    found = pipeline.read_anew(before, delivery)

    assert (found.event.entity, found.provenance) == ('{"id":1}', pipeline.provenance)


def test_its_answer_counts_what_is_open_in_the_end(desk: Corrected) -> None:
    """A null record that came before its delete is held anew, and settles in a later batch."""
    change = record(1, "d", 10)
    touched = [record(9, "u", lsn, after={"id": 9}) for lsn in range(2000, 3000)]
    desk.pipeline("cloudevents")
    desk.run([tombstone(change), *touched, change])
    desk.pipeline()

    assert desk.retry() == "1002 settled, 0 still open\n"
    assert desk.open_entries() == []


def test_every_run_says_what_is_open(desk: Corrected) -> None:
    """Also one that held nothing itself: its exit code is its own."""
    told = desk.run([{**record(key, "c", key, after={"id": key}), "value": "{"} for key in (1, 2)])
    assert "2 entries are open in the quarantine: `anyorder quarantine list` shows why" in told

    _, told = desk.said("run")
    assert "2 entries are open in the quarantine" in told
    desk.verb("quarantine", "settle", "1", "--drop")
    _, told = desk.said("run", "pipeline.toml")
    assert "1 entry is open" in told
    assert "`anyorder quarantine list --pipeline pipeline.toml`" in told
    desk.verb("quarantine", "settle", "2", "--drop")
    _, told = desk.said("run")
    assert told == ""


def test_what_comes_by_two_places_is_held_with_both_while_no_table_takes_it(
    desk: Corrected,
) -> None:
    """The second tells more of its transport; by the same place it is the same delivery."""
    first = record(1, "c", 10, after={"id": 1})
    desk.pipeline(tables='[[table]]\nmatch = "nowhere"\n')
    desk.run([first, {**first, "offset": 99}, first])

    assert [one[4] for one in desk.open_entries()] == [2, 1]
    desk.pipeline()
    assert desk.retry() == "2 settled, 0 still open\n"


def test_why_names_the_entry_that_was_accepted_before_any_table_took_it(desk: Corrected) -> None:
    desk.pipeline(tables='[[table]]\nmatch = "elsewhere"\n')
    desk.run([record(1, "c", 10, after={"id": 1, "name": "a"})])
    desk.pipeline()

    desk.verb("quarantine", "settle", "1", "--accept")

    told = desk.verb("why", "users", "1")
    assert "by an operator's word at pg:app at LSN" in told
    assert "(entry 1," in told
    assert "its entry is gone" not in told


TOLD = [
    {"id": 1, "other": 5, "version": 7, "name": "a"},
    {"id": 1, "other": 6, "version": 7, "name": "b"},
]
OF_PEOPLE = 'position_scope = "stream", table = "people" }'
BY_OTHER = f'{{ key = "/other", position = "/version", {OF_PEOPLE}'
TO_PEOPLE = f'{{ key = "/id", position = "/version", {OF_PEOPLE}'


@pytest.mark.parametrize("size", [1, 2])
def test_what_a_dispute_lists_goes_to_the_keys_that_it_has_today(
    desk: Corrected, size: int
) -> None:
    """They were of one key by mistake; nothing is disputed any more. What was applied before stays
    where it was applied."""
    desk.pipeline("json", BY_VERSION)
    for start in range(0, 2, size):
        told = TOLD[: start + size]
        desk.run(told, code=int(len(told) > 1))
    assert [one[1] for one in desk.open_entries()] == ["conflict"]
    desk.pipeline("json", BY_OTHER)

    desk.retry()

    found = desk.query("SELECT other, name FROM people ORDER BY other")
    assert found == [(5, "a"), (6, "b")][2 - size :]
    assert desk.open_entries() == []


def test_a_dispute_that_goes_to_another_table_is_one_there(desk: Corrected) -> None:
    desk.pipeline("json", BY_VERSION)
    desk.run(TOLD)
    (shown,) = desk.query("SELECT name FROM users")
    desk.pipeline("json", TO_PEOPLE)

    desk.retry(code=1)

    # As if both had been delivered to it: which one is shown depends on nothing else.
    assert desk.query("SELECT name FROM people") == [shown]
    assert [one[:2] for one in desk.open_entries()] == [("people", "conflict")]
    (number,) = desk.query("SELECT id FROM anyorder_quarantine WHERE state = 'open'")
    found = desk.verb("quarantine", "show", str(number[0]), "--json")
    assert len(json.loads(found)["contents"]) == 2
    assert desk.retry(code=1) == "0 settled, 1 still open\n"
