"""Entries of several pipelines and programs in one quarantine: each is read again as it was read
when it came; those of one's own source by today's envelope."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder._core.event import Delivery, Kind
from anyorder.cli.main import main
from anyorder.envelopes import Envelope, open_envelope
from anyorder.envelopes.provenance import Envelopes, Provenance, provenance_of
from anyorder.runtime.pipeline import load_pipeline
from tests.aws.connector import event_of
from tests.stores.older import set_back
from tests.streams import record

PIPELINE = """
[source]
path = "{name}.jsonl"
envelope = "{envelope}"
options = {options}
[store]
url = "sqlite:///app.db"
[[table]]
match = "*"
name = "users"
retention = "0s"
"""
ADA, BEN = {"id": 1, "name": "Ada"}, {"id": 2, "name": "Ben"}
BY_VERSION = (
    '{ key = "/id", position = "/version", position_scope = "stream", deleted = "/deleted", '
    'table = "users" }'
)
BY_CHANGE = BY_VERSION.replace("/version", "/change")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipeline(here: Path, name: str, envelope: str, options: str = "{}") -> None:
    text = PIPELINE.format(name=name, envelope=envelope, options=options)
    (here / f"{name}.toml").write_text(text, encoding="utf-8")


def run(here: Path, name: str, *lines: str, code: int = 0) -> None:
    """Run a pipeline over these lines only."""
    text = "".join(f"{line}\n" for line in lines)
    (here / f"{name}.jsonl").write_text(text, encoding="utf-8")
    assert main(["run", f"{name}.toml"]) == code


def states(here: Path) -> dict[int, tuple[str, str]]:
    """The state of each entry, and what it is held for, by its key."""
    query = "SELECT entity, state, reason FROM anyorder_quarantine"
    with closing(sqlite3.connect(here / "app.db")) as database:
        found = database.execute(query).fetchall()
    return {json.loads(entity)["id"]: (state, reason) for entity, state, reason in found}


def test_what_two_pipelines_hold_settles_when_its_key_moves_through_the_other(here: Path) -> None:
    """Debezium records in one, the same inside EventBridge events in the other."""
    pipeline(here, "plain", "debezium")
    pipeline(here, "bus", "eventbridge")
    run(here, "plain", *(json.dumps(record(key, "d", 30 + key)) for key in (1, 2)))
    run(here, "plain", json.dumps(record(1, "c", 10, after=ADA)), code=1)
    run(here, "bus", event_of(record(2, "c", 20, after=BEN)), code=1)
    assert states(here) == {1: ("open", "late"), 2: ("open", "late")}

    run(here, "bus", event_of(record(1, "c", 40, after=ADA)))
    run(here, "plain", json.dumps(record(2, "c", 50, after=BEN)))

    assert states(here) == {1: ("settled", "late"), 2: ("settled", "late")}


def test_a_person_accepts_with_either_pipeline(here: Path, capsys: Any) -> None:
    pipeline(here, "plain", "debezium")
    pipeline(here, "bus", "eventbridge")
    run(here, "plain", json.dumps(record(1, "d", 30)))
    run(here, "bus", event_of(record(1, "c", 10, after=ADA)), code=1)

    assert main(["quarantine", "settle", "1", "--accept", "--pipeline", "plain.toml"]) == 0
    assert states(here) == {1: ("accepted", "late")}


def test_what_another_envelope_held_settles_by_the_table(here: Path) -> None:
    """`Table.apply(envelope=...)`: the table itself reads it again, whatever its own envelope."""
    url = f"sqlite:///{here}/app.db"
    with closing(anyorder.table(url, "users", key="id", retention=0)) as users:
        users.apply([record(key, "d", 30 + key) for key in (1, 2)])
        late = [event_of(record(1, "c", 10, after=ADA)), event_of(record(2, "c", 20, after=BEN))]
        users.apply(late, envelope="eventbridge")
    with closing(anyorder.table(url, "users", key="id")) as users:
        users.apply([record(1, "c", 40, after=ADA)])
        (entry,) = users.quarantine.entries()
        users.quarantine.accept(entry.id)

    assert states(here) == {1: ("settled", "late"), 2: ("accepted", "late")}


def test_a_corrected_option_counts_at_once_for_entries_of_its_own_source(here: Path) -> None:
    """Held because the pipeline pointed at the wrong member; with the right one it is newest."""
    pipeline(here, "day", "json", BY_CHANGE)
    run(here, "day", '{"id": 1, "version": 30, "change": 30, "deleted": true}')
    run(here, "day", '{"id": 1, "version": 50, "change": 10}', code=1)
    assert states(here) == {1: ("open", "late")}
    pipeline(here, "day", "json", BY_VERSION)

    run(here, "day", '{"id": 1, "version": 40, "change": 40}')

    assert states(here) == {1: ("settled", "late")}
    with closing(sqlite3.connect(here / "app.db")) as database:
        assert database.execute("SELECT id, version FROM users").fetchall() == [(1, 50)]


def entries(here: Path, name: str) -> list[anyorder.Event]:
    """The events of all entries, as this pipeline reads them."""
    told = load_pipeline(f"{name}.toml")
    with closing(told.open_store()) as store, store.reading() as transaction:
        found = [transaction.event(number) for number in range(1, len(states(here)) + 1)]
    return [event for event in found if event is not None]


def test_an_option_of_ours_does_not_count_for_entries_of_another_source(here: Path) -> None:
    """Two pipelines of one format that point at different members."""
    pipeline(here, "versions", "json", BY_VERSION)
    pipeline(here, "changes", "json", BY_CHANGE)
    run(here, "versions", '{"id": 1, "version": 30, "deleted": true}')
    run(here, "changes", '{"id": 1, "change": 10}', code=1)

    mine, other = entries(here, "changes"), entries(here, "versions")

    assert mine == other
    assert mine[0].kind is Kind.PUT


def test_entries_of_before_are_read_by_whoever_opens_the_store(here: Path) -> None:
    """A database of the schema before: no entry names anything, and all are ours."""
    pipeline(here, "day", "json", BY_VERSION)
    run(here, "day", '{"id": 1, "version": 30, "deleted": true}')
    run(here, "day", '{"id": 1, "version": 10}', code=1)
    set_back(here / "app.db", 2)
    pipeline(here, "day", "json", BY_VERSION.replace("table =", 'time = "/at", table ='))

    (event,) = entries(here, "day")
    run(here, "day", '{"id": 1, "version": 40}')

    assert event.kind is Kind.PUT
    assert states(here) == {1: ("settled", "late")}


def test_many_entries_share_the_text_of_their_provenance(here: Path) -> None:
    pipeline(here, "day", "json", BY_VERSION)
    pipeline(here, "night", "json", BY_CHANGE)
    run(here, "day", "(", ")", '"', code=1)
    run(here, "night", "}", "]", code=1)

    with closing(sqlite3.connect(here / "app.db")) as database:
        texts = [text for (text,) in database.execute("SELECT provenance FROM anyorder_provenance")]
        held = database.execute("SELECT count(*) FROM anyorder_quarantine").fetchone()

    assert held == (5,)
    assert [json.loads(text)["source"] for text in texts] == [
        f"jsonl:{here}/day.jsonl",
        f"jsonl:{here}/night.jsonl",
    ]


@pytest.mark.parametrize(
    "provenance",
    [
        str(Provenance("avro", {}, "elsewhere")),
        str(Provenance("debezium", {"placeholders": "x"}, "elsewhere")),
        str(Provenance("debezium", {"tombstone": 5}, "elsewhere")),
        str(Provenance("json", {"key": {}, "position": []}, "elsewhere")),
        '{"options":{}}',
        "of a later anyorder",
    ],
)
def test_what_nobody_can_open_any_more_is_malformed_and_says_so(provenance: str) -> None:
    delivery = Delivery(value=b"{}")

    event = Envelopes().of(provenance, open_envelope("debezium"), "here").decode(delivery)

    assert (event.kind, event.delivery) == (Kind.MALFORMED, delivery)
    assert "cannot be opened any more" in event.note


@pytest.mark.parametrize(
    "opened",
    [
        open_envelope("debezium"),
        open_envelope("debezium", tombstone="delete", key="nr"),
        open_envelope("eventbridge", dead_letter_topics={"dlq.b", "dlq.a"}, inner="raw", key="nr"),
        open_envelope("eventbridge"),
        open_envelope("json", key=("/a", "/b"), position="/version", partial=True),
        open_envelope("json", key={"b": "/b", "a": "/a"}, position="/version", table="users"),
        open_envelope("cloudevents", sequence="integer", key=["/data/a"]),
        open_envelope("dynamodb_streams", expired="ignore"),
    ],
)
def test_the_text_of_an_envelope_opens_the_same_again(opened: Envelope) -> None:
    """Its name and what it was opened with, and one spelling for all that say the same."""
    text = provenance_of(opened, "elsewhere")

    again = Envelopes().of(text, open_envelope("raw"), "here")

    assert type(again) is type(opened)
    assert provenance_of(again, "elsewhere") == text


def test_a_source_that_nothing_names_owns_what_has_its_format() -> None:
    """A table of a program and standard input: what was corrected counts, another format is read
    as it was."""
    own, envelopes = open_envelope("json", key="/id", position="/version"), Envelopes()
    before = provenance_of(open_envelope("json", key="/id", position="/change"))

    assert envelopes.of(before, own) is own
    assert envelopes.of("", own) is own
    assert envelopes.of(provenance_of(open_envelope("raw")), own).name == "raw"
    assert envelopes.of(provenance_of(own, "jsonl:/day"), own) is not own


def test_a_source_is_named_without_its_environment(here: Path) -> None:
    """Who settles an entry has no queue: its name is what the pipeline says."""
    text = PIPELINE.format(name="x", envelope="eventbridge", options="{}")
    (here / "sqs.toml").write_text(
        text.replace('path = "x.jsonl"', 'kind = "sqs"\nqueue = "$QUEUE"'), encoding="utf-8"
    )

    told = json.loads(load_pipeline("sqs.toml").provenance)

    assert told == {
        "envelope": "eventbridge",
        "options": {"inner": "debezium"},
        "source": "sqs:$QUEUE",
    }


def test_an_option_of_a_type_that_json_has_not_is_spelled_as_its_plain_value() -> None:
    class Named(str):
        """A text of a program's own type."""

    plain = open_envelope("debezium", placeholder="gone")
    own = open_envelope("debezium", placeholder=Named("gone"))

    assert provenance_of(own) == provenance_of(plain)


def test_what_another_table_of_the_program_settles_is_read_by_the_options_of_its_own(
    tmp_path: Path,
) -> None:
    """A child waits for its parent's row; the parent's table has pointers that mean something else
    in the child's documents."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE p (id INTEGER PRIMARY KEY, n);"
            "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p (id), gone, version);"
        )
    url = f"sqlite:///{path}"
    with (
        closing(anyorder.table(url, "c", key="/id", position="/rev")) as children,
        closing(
            anyorder.table(url, "p", key="/id", position="/version", deleted="/gone")
        ) as parents,
    ):
        child = {"id": 1, "rev": 5, "version": 1, "p": 7, "gone": True}
        assert children.apply([child]).quarantined == {"waiting": 1}
        assert parents.apply([{"id": 7, "version": 1}]).settled == {"applied": 1}
        after = children.apply([child, {**child, "rev": 6, "gone": False}])

    assert (after.applied, after.quarantined) == (1, {})
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT * FROM c").fetchall() == [(1, 7, 0, 1)]
