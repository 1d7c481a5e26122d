"""Keys as a person meets them: declared in the pipeline, asked for on the command line, tried again
once their kind is declared."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.desk import Desk

JSON = """
[source]
path = "day.jsonl"
envelope = "json"
options = {{ key = "/id", position = "/version", table = "t" }}
[store]
url = "sqlite:///app.db"
[runtime]
quarantine_share = 1.0
[[table]]
match = "{match}"
{more}
"""
RAW = """
[source]
path = "day.jsonl"
envelope = "raw"
{options}
[store]
url = "sqlite:///app.db"
[runtime]
quarantine_share = 1.0
"""


class Keys(Desk):
    """A directory with a pipeline whose keys are declared, or not."""

    def pipeline(self, more: str = "", match: str = "*") -> None:
        self.write(JSON.format(more=more, match=match))

    def raw(self, options: str = "") -> None:
        self.write(RAW.format(options=options))

    def run(self, *lines: str, code: int = 0) -> dict[str, object]:
        self.deliver(lines, more=True)
        return dict(json.loads(self.verb("run", "--json", code=code)))

    def why(self, key: str, code: int = 0, table: str = "t") -> dict[str, object]:
        return dict(json.loads(self.verb("why", table, key, "--json", code=code)))


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Keys:
    monkeypatch.chdir(tmp_path)
    found = Keys(tmp_path, capsys)
    found.pipeline()
    return found


def record(key: str, value: str, offset: int) -> str:
    place = {"topic": "t", "partition": 0, "offset": offset}
    return json.dumps({**place, "key": key, "value": value})


def test_the_kind_is_the_first_event_s_until_it_is_declared_and_what_was_held_is_retried(
    desk: Keys,
) -> None:
    """The one answer that depends on arrival is loud, and ends by a line in the pipeline."""
    desk.run('{"id": 7, "version": 1}', '{"id": "A-1", "version": 1}', code=1)
    assert desk.verb("quarantine", "retry", code=1) == "0 settled, 1 still open\n"
    (held,) = json.loads(desk.verb("quarantine", "list", "--json", code=1))
    assert "key column 'id' of table t is a number" in held["detail"]
    assert 'kinds = { id = "text" }' in held["detail"]
    assert held["count"] == 1

    desk.pipeline('kinds = { id = "text" }')

    assert desk.verb("quarantine", "retry", str(held["id"])) == "1 settled, 0 still open\n"
    assert desk.why("A-1")["state"] == "row"
    assert desk.run('{"id": 8, "version": 1}', code=1)["quarantined"] == {"malformed": 1}


def test_doctor_says_once_that_keys_are_of_another_kind(desk: Keys) -> None:
    desk.run(
        '{"id": 7, "version": 1}', '{"id": "A", "version": 1}', '{"id": "B", "version": 1}', code=1
    )

    found = json.loads(desk.verb("doctor", "--json", code=1))

    told = [one for one in found if "key column" in one["finding"]]
    assert [one["finding"] for one in told] == [
        "the key column id is a number, and 2 open entries have a text"
    ]
    assert 'kinds = { id = "text" }' in told[0]["what to do"]


def test_an_entry_that_is_closed_or_not_there_is_not_retried(desk: Keys) -> None:
    desk.run('{"id": 7, "version": 1}', '{"id": null, "version": 1}', code=1)
    desk.verb("quarantine", "settle", "1", "--drop")

    desk.verb("quarantine", "retry", "1", code=2)
    desk.verb("quarantine", "retry", "9", code=2)
    assert desk.verb("quarantine", "retry") == "0 settled, 0 still open\n"


def by_hand(desk: Keys, script: str) -> None:
    with closing(sqlite3.connect(desk.path / "app.db")) as database:
        database.executescript(script)


SELF = "CREATE TABLE t (id INTEGER PRIMARY KEY, a REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED"
MENDED = "ALTER TABLE t RENAME b TO old; ALTER TABLE t ADD b TEXT"


def test_what_only_commit_refuses_is_in_no_other_entry_s_way(desk: Keys) -> None:
    by_hand(desk, f"{SELF}, b STRING)")
    desk.run(
        '{"id": 1, "version": 1, "a": 99, "b": "x"}',
        '{"id": 2, "version": 1, "a": null, "b": "007"}',
        '{"id": 3, "version": 1, "a": 98, "b": "y"}',
        code=1,
    )
    by_hand(desk, MENDED)

    assert desk.verb("quarantine", "retry", "1", code=1) == "0 settled, 1 still open\n"
    assert desk.verb("quarantine", "retry", code=1) == "1 settled, 2 still open\n"
    assert desk.why("2")["state"] == "row"


def test_what_goes_to_another_table_and_waits_there_for_commit_is_held_there(desk: Keys) -> None:
    by_hand(desk, f"{SELF})")
    desk.pipeline(match="elsewhere")
    child = '{"id": 1, "version": 1, "a": 9}'
    assert desk.run(child, code=1)["quarantined"] == {"unrouted": 1}
    desk.pipeline()

    assert desk.verb("quarantine", "retry", code=1) == "0 settled, 1 still open\n"
    desk.run('{"id": 9, "version": 1, "a": null}')

    assert desk.why("1")["state"] == "row"
    assert desk.verb("quarantine", "retry") == "0 settled, 0 still open\n"


def test_what_no_table_took_is_routed_again(desk: Keys) -> None:
    desk.pipeline(match="elsewhere")
    assert desk.run('{"id": 7, "version": 1}', code=1)["quarantined"] == {"unrouted": 1}
    assert desk.verb("quarantine", "retry", code=1) == "0 settled, 1 still open\n"

    desk.pipeline()

    assert desk.verb("quarantine", "retry") == "1 settled, 0 still open\n"
    assert desk.why("7")["state"] == "row"


def test_what_becomes_another_key_by_an_option_is_taken_in_under_it(desk: Keys) -> None:
    """The bare keys of the topic were texts, and the table's are numbers."""
    desk.raw()
    first = record('{"id": 7}', '{"n": 1}', 0)
    assert desk.run(first, record("42", '{"n": 2}', 1), code=1)["applied"] == 1

    desk.raw('options = { key_kind = "number" }')

    assert desk.verb("quarantine", "retry") == "1 settled, 0 still open\n"
    assert desk.why("42")["key"] == {"id": 42}


def test_a_dispute_stays_open_until_a_person_says_a_word(desk: Keys) -> None:
    desk.run('{"id": 7, "version": 1, "n": 1}', '{"id": 7, "version": 1, "n": 2}', code=1)

    assert desk.verb("quarantine", "retry", code=1) == "0 settled, 1 still open\n"


def test_a_key_is_found_as_a_person_spells_it(desk: Keys) -> None:
    desk.run('{"id": 1.0, "version": 1}', '{"id": 2.50, "version": 1}')

    assert desk.why("1.0")["key"] == {"id": 1}
    assert desk.why("2.5")["state"] == desk.why("2.500")["state"] == "row"
    assert desk.why('{"id": 2.5}')["state"] == "row"


def test_the_text_of_a_number_is_found_where_the_keys_are_texts(desk: Keys) -> None:
    desk.raw()
    desk.run(record("42", '{"n": 1}', 0), record("-0", '{"n": 2}', 1), record("0", '{"n": 3}', 2))

    assert desk.why("42")["key"] == {"id": "42"}
    assert [desk.why(key)["state"] for key in ("0", "-0")] == ["row", "row"]
    assert desk.why('{"id": 42}')["state"] == "row"
    assert desk.why("1", code=1)["state"] == "unknown"


def test_a_kind_of_no_key_column_is_misuse(desk: Keys) -> None:
    desk.pipeline('key = "id"\nkinds = { name = "text" }')
    (desk.path / "day.jsonl").write_text('{"id": 1, "version": 1}\n')

    desk.verb("run", code=2)
    desk.pipeline('kinds = { id = "float" }')
    desk.verb("run", code=2)


@pytest.fixture
def declared_otherwise(desk: Keys) -> Keys:
    """A row came under a text, and then its key was declared a number."""
    desk.run('{"id": "1", "version": 1}', '{"id": 1, "version": 2}', code=1)
    desk.pipeline('kinds = { id = "number" }')
    assert desk.verb("quarantine", "retry") == "1 settled, 0 still open\n"
    return desk


def test_doctor_finds_what_is_left_under_keys_of_the_kind_of_before(
    declared_otherwise: Keys,
) -> None:
    """No event reaches such a row any more, so a person must."""
    (found,) = json.loads(declared_otherwise.verb("doctor", "--json", code=1))

    assert found["where"] == "t"
    assert found["finding"] == (
        'the key column id is a number now, and 1 row is left under a text of before: {"id":"1"}'
    )
    assert "Delete these rows" in found["what to do"]

    with sqlite3.connect(declared_otherwise.path / "app.db") as database:
        database.execute("DELETE FROM t WHERE typeof(id) = 'text'")
    database.close()
    assert "of before" not in declared_otherwise.verb("doctor", code=1)


def test_why_reaches_a_key_of_the_kind_of_before_that_is_said_exactly(
    declared_otherwise: Keys,
) -> None:
    """A JSON text or object is the key that it spells; what is bare is the key that is meant."""
    assert declared_otherwise.why("1")["key"] == {"id": 1}
    for exact in ('"1"', '{"id": "1"}'):
        told = declared_otherwise.why(exact)
        assert (told["key"], told["state"]) == ({"id": "1"}, "row")
        assert "no event reaches it any more" in " ".join(map(str, told["sentences"]))
    assert declared_otherwise.why('"7"', code=1)["state"] == "unknown"


def test_what_the_pipeline_declares_is_not_advised_against(declared_otherwise: Keys) -> None:
    """Whoever follows the advice of before would declare the kind back and forth."""
    declared_otherwise.verb("run", "--from-start", code=1)

    found = json.loads(declared_otherwise.verb("doctor", "--json", code=1))

    (told,) = [one for one in found if "open entr" in one["finding"] and "key" in one["finding"]]
    assert 'declare kinds = { id = "text" }' not in told["what to do"]
    assert "as declared" in told["what to do"]


def test_the_type_of_the_user_s_own_column_is_not_advised_against(desk: Keys) -> None:
    """A line in the pipeline would change nothing."""
    with sqlite3.connect(desk.path / "app.db") as database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, version)")
    database.close()
    desk.run('{"id": "A", "version": 1}', code=1)

    found = json.loads(desk.verb("doctor", "--json", code=1))

    (told,) = [one for one in found if "key column" in one["finding"]]
    assert "kinds = " not in told["what to do"]
    assert "the type of its column" in told["what to do"]


@pytest.mark.parametrize("long", ["9" * 5000, "-" + "9" * 4300, "0." + "9" * 5000, "1e4400"])
def test_a_number_of_more_digits_than_anybody_needs_is_held_and_leaves_no_verb_broken(
    desk: Keys, long: str
) -> None:
    """It is no key, so it is an entry like any other."""
    desk.raw('options = { key_kind = "number" }')
    desk.run(record(long, '{"n": 1}', 0), record("5", '{"n": 1}', 1), code=1)

    (held,) = json.loads(desk.verb("quarantine", "list", "--json", code=1))
    assert held["key"] is None
    assert "which names no row" in held["detail"]
    assert "which names no row" in desk.verb("quarantine", "show", str(held["id"]))
    assert desk.verb("quarantine", "retry", code=1) == "0 settled, 1 still open\n"
    assert "malformed" in desk.verb("doctor", code=1)
    assert desk.why("5")["state"] == "row"
    assert "nothing is remembered" in desk.verb("why", "t", long, code=1)
    assert "dropped" in desk.verb("quarantine", "settle", str(held["id"]), "--drop")
