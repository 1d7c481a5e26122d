"""The catalogue: each target has the source table, retention, partitions and key that were said of
it, and no other's."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

import anyorder
from anyorder import Delivery, Event
from anyorder._core.event import Kind
from anyorder._core.key import KeyKind
from anyorder.cli.main import main
from anyorder.errors import ConfigurationError
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Recorded, TableSpec
from anyorder.stores.memory.store import MemoryStore
from anyorder.stores.memory.transaction import MemoryTransaction
from anyorder.stores.sqlite.store import SQLiteStore
from tests.stores.broken import broken
from tests.stores.older import set_back
from tests.streams import record, tombstone

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
NUMBER = {"id": KeyKind.NUMBER}
replace = msgspec.structs.replace
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
        books: dict[str, Any] = json.loads(self.verb("run", "--json", code=code).splitlines()[0])
        return books

    def listed(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.verb(*words, "--nl", code=code).splitlines()]

    def tombstones(self, table: str) -> int:
        database = sqlite3.connect(self.path / "app.db")
        query = f'SELECT count(*) FROM "anyorder_memory_{table}" WHERE live = 0'
        (count,) = database.execute(query).fetchone()
        database.close()
        return int(count)

    def rows(self, table: str) -> int:
        with closing(sqlite3.connect(self.path / "app.db")) as database:
            (count,) = database.execute(f'SELECT count(*) FROM "{table}"').fetchone()
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


def recorded(pipeline: Pipeline) -> dict[str, Recorded | None]:
    """What the store's catalogue holds of each target."""
    store = SQLiteStore(str(pipeline.path / "app.db"))
    with store.reading() as transaction:
        found = {target.name: target.recorded for target in transaction.catalogue()}
    store.close()
    return found


def test_each_section_s_own_settings_are_recorded_with_the_source_table(pipeline: Pipeline) -> None:
    """The topic is renamed on the way to both targets; the record tells whose they are."""
    for table in ("customers", "sales"):
        database = sqlite3.connect(pipeline.path / "app.db")
        database.execute(f"CREATE TABLE {table} (id PRIMARY KEY, name)")
    database.execute("INSERT INTO sales VALUES (7, 'from before')")
    database.commit()
    taken = 'adopt = "older-than-everything"\npartitions = 4\nretention = "1h"'
    pipeline.tables(
        '[[table]]\nmatch = "u"\nname = "customers"\npartitions = 2\n',
        f'[[table]]\nmatch = "o"\nname = "sales"\n{taken}\n',
    )
    pipeline.run(
        of("users", record(1, "c", 10, after={"id": 1}), topic="u"),
        of("orders", record(1, "c", 20, after={"id": 1}), topic="o"),
    )

    assert recorded(pipeline) == {
        "customers": Recorded("app.public.users", "public.users", ("u",), None, 2, kinds=NUMBER),
        "sales": Recorded(
            "app.public.orders",
            "public.orders",
            ("o",),
            3600.0,
            4,
            "older-than-everything",
            kinds=NUMBER,
        ),
    }


def test_a_changed_section_counts_at_once_and_is_recorded(pipeline: Pipeline) -> None:
    """The next run forgets by the new retention, though nothing is routed to the table any more."""
    orders = ORDERS.format(name="{table}", more="")
    pipeline.tables(USERS.format(name="clients", more="partitions = 1"), orders)
    pipeline.run(of("users", record(1, "d", 10)), of("orders", record(1, "d", 20)))
    pipeline.tables(USERS.format(name="clients", more=f"{AT_ONCE}\npartitions = 2"), orders)
    pipeline.run()

    found = recorded(pipeline)["clients"]
    assert found is not None
    assert (found.retention, found.partitions) == (0.0, 2)
    assert (pipeline.tombstones("clients"), pipeline.tombstones("orders")) == (0, 1)


def test_a_dry_run_records_nothing(pipeline: Pipeline) -> None:
    pipeline.tables(USERS.format(name="clients", more=""))
    pipeline.run(record(1, "c", 10, after={"id": 1}))
    before = recorded(pipeline)
    pipeline.tables(
        USERS.format(name="clients", more=AT_ONCE), ORDERS.format(name="{table}", more="")
    )
    (pipeline.path / "day.jsonl").write_text(
        json.dumps(of("orders", record(1, "c", 20, after={"id": 1}))) + "\n"
    )
    pipeline.verb("run", "--dry-run")

    assert recorded(pipeline) == before


@pytest.mark.parametrize("words", [["run"], ["reap"], ["doctor"], ["incomplete"]])
def test_another_key_than_that_of_the_memories_is_misuse(
    pipeline: Pipeline, words: list[str]
) -> None:
    pipeline.tables(USERS.format(name="clients", more=""))
    pipeline.run(record(1, "c", 10, after={"id": 1, "email": "a@b"}))
    pipeline.tables(USERS.format(name="clients", more='key = "email"'))

    said = pipeline.verb(*words, code=2)

    assert "table clients has memories by the key (id), and key says (email)" in said


def test_the_key_in_another_order_or_said_where_it_was_learned_is_the_same_key(
    pipeline: Pipeline,
) -> None:
    pipeline.tables(USERS.format(name="clients", more=""))
    one = {**record(1, "c", 10, after={"a": 1, "b": 2}), "key": '{"a":1,"b":2}'}
    pipeline.run(one)
    pipeline.tables(USERS.format(name="clients", more='key = ["b", "a"]'))

    assert pipeline.run({**one, "offset": 11})["ignored"] == {"duplicate": 1}


def test_a_key_learned_into_a_table_of_the_user_s_own_is_kept_too(pipeline: Pipeline) -> None:
    """The store's line of such a table says no key; its memories do."""
    database = sqlite3.connect(pipeline.path / "app.db")
    database.execute("CREATE TABLE clients (id PRIMARY KEY, email UNIQUE)")
    database.commit()
    pipeline.tables(USERS.format(name="clients", more=""))
    pipeline.run(record(1, "c", 10, after={"id": 1, "email": "a@b"}))
    pipeline.tables(USERS.format(name="clients", more='key = "email"'))

    assert "memories by the key (id)" in pipeline.verb("run", code=2)


def test_a_key_that_is_said_after_a_table_was_refused_counts(pipeline: Pipeline) -> None:
    with closing(sqlite3.connect(pipeline.path / "app.db")) as database:
        database.execute("CREATE TABLE clients (id INTEGER, uid INTEGER PRIMARY KEY)")
    pipeline.tables(USERS.format(name="clients", more=""))
    line = json.dumps(record(1, "c", 10, after={"id": 1, "uid": 5}))
    (pipeline.path / "day.jsonl").write_text(line + "\n", encoding="utf-8")
    refused = pipeline.verb("run", code=3)
    pipeline.tables(USERS.format(name="clients", more='key = "uid"'))

    pipeline.verb("run", code=1)

    assert 'CREATE UNIQUE INDEX "clients_key" ON "clients" ("id")' in refused
    assert "has the key (uid), this event has (id)" in pipeline.verb("quarantine", "list", code=1)


def test_a_second_source_table_is_unrouted_and_changes_nothing(pipeline: Pipeline) -> None:
    """Its puts, deletes and truncates are kept with a detail that names both, also when it comes
    in another batch or another run; its neighbours are applied."""
    pipeline.tables('[[table]]\nmatch = "*.users"\nname = "{table}"\n')
    other = of("users", record(1, "d", 50), connector="us")
    emptied = of("users", record(1, "t", 60), connector="us")
    first = pipeline.run(
        record(1, "c", 10, after={"id": 1, "name": "Ana"}),
        other,
        record(2, "c", 20, after={"id": 2, "name": "Bob"}),
        code=1,
    )
    second = pipeline.run(emptied, {**other, "offset": 51, "value": None}, code=1)

    assert (first["applied"], first["quarantined"]) == (2, {"unrouted": 1})
    assert second["quarantined"] == {"unrouted": 2}
    assert pipeline.rows("users") == 2
    detail = pipeline.listed("quarantine", "list", code=1)[0]["detail"]
    assert detail == (
        "the target users belongs to the source table 'app.public.users', this is of "
        "'us.public.users': give it a [[table]] before that one, with "
        'source = "us.public.users" and name = "us_public_users"; or, if they are one table, give '
        'both one [[table]] with source = ["app.public.users", "us.public.users"]; then anyorder '
        "quarantine retry"
    )


@pytest.mark.parametrize(("connector", "schema"), [("us", "public"), ("app", "other")])
def test_the_lines_that_a_detail_suggests_give_the_second_source_table_its_own_target(
    pipeline: Pipeline, connector: str, schema: str
) -> None:
    """And the first one keeps its own."""
    first = '[[table]]\nmatch = "*.users"\nname = "{table}"\n'
    pipeline.tables(first)
    own = record(1, "c", 10, after={"id": 1})
    value = json.loads(of("users", own, connector=connector)["value"])
    value["source"]["schema"] = schema
    other = {**own, "topic": f"{connector}.{schema}.users", "value": json.dumps(value)}
    pipeline.run(own, other, code=1)
    detail = pipeline.listed("quarantine", "list", code=1)[0]["detail"]
    found = re.search(r'with (source = "[^"]+") and (name = "[^"]+")', detail)
    assert found is not None

    pipeline.tables("[[table]]\n", "\n".join(found.groups()), "\n", first)

    assert pipeline.verb("quarantine", "retry") == "1 settled, 0 still open\n"
    target = found[2].split('"')[1]
    assert (pipeline.rows("users"), pipeline.rows(target)) == (1, 1)
    assert pipeline.run(record(2, "c", 20, after={"id": 2}))["applied"] == 1
    assert (pipeline.rows("users"), pipeline.rows(target)) == (2, 1)


def test_of_two_source_tables_without_a_target_both_are_held(pipeline: Pipeline) -> None:
    """One key at one position is two events there, and a second delivery is none."""
    pipeline.tables('[[table]]\nmatch = "app.public.nothing"\nname = "nothing"\n')
    users = record(1, "c", 10, after={"id": 1})
    orders = of("orders", users)

    books = [pipeline.run(users, orders, code=1), pipeline.run(orders)]

    assert books[0]["quarantined"] == {"unrouted": 2}
    assert books[1]["ignored"] == {"duplicate": 1}


def test_records_that_name_no_table_and_no_topic_keep_the_target_that_they_had_first(
    pipeline: Pipeline,
) -> None:
    """They are of one source table, too: in one run or in three, another does not take its
    place."""
    documents = {"envelope": "json", "options": '{ key = "/id", position = "/v" }'}
    head = '[source]\npath = "day.jsonl"\nenvelope = "{envelope}"\noptions = {options}\n'
    store = '[store]\nurl = "sqlite:///app.db"\n[[table]]\nname = "x"\n'
    pipeline.path.joinpath("pipeline.toml").write_text(head.format(**documents) + store)
    plain = [{"id": number, "v": 1} for number in (1, 2)]
    foreign = {"topic": "a.users", "partition": 0, "offset": 1, "key": None}
    foreign["value"] = json.dumps({"id": 3, "v": 1})

    books = [pipeline.run(plain[0]), pipeline.run(foreign, code=1), pipeline.run(plain[1])]

    assert [one["applied"] for one in books] == [1, 0, 1]
    assert books[1]["quarantined"] == {"unrouted": 1}


def test_what_was_unrouted_is_accepted_once_it_has_a_table_of_its_own(pipeline: Pipeline) -> None:
    anyone = '[[table]]\nmatch = "*.users"\nname = "{table}"\n'
    pipeline.tables(anyone)
    other = of("users", record(1, "c", 50, after={"id": 1, "name": "Uma"}), connector="us")
    pipeline.run(record(1, "c", 10, after={"id": 1, "name": "Ana"}))
    pipeline.run(other, code=1)

    refused = pipeline.verb("quarantine", "settle", "1", "--accept", code=2)
    pipeline.tables('[[table]]\nmatch = "us.*"\nname = "us_users"\n', anyone)
    pipeline.verb("quarantine", "settle", "1", "--accept")

    assert "belongs to the source table 'app.public.users'" in refused
    assert (pipeline.rows("us_users"), pipeline.rows("users")) == (1, 1)
    owned = {name: found and found.source for name, found in recorded(pipeline).items()}
    assert owned == {"users": "app.public.users", "us_users": "us.public.users"}


def test_a_source_table_is_the_same_by_another_topic(pipeline: Pipeline) -> None:
    """The record tells it, whatever the topic is called; both topics lead to its section later."""
    anyone = '[[table]]\nname = "users"\n'
    pipeline.tables(anyone)
    pipeline.run(record(1, "c", 10, after={"id": 1}))
    books = pipeline.run(of("users", record(2, "c", 20, after={"id": 2}), topic="renamed"))
    pipeline.tables('[[table]]\nmatch = "app.*"\nname = "users"\nretention = "1h"\n')

    found = recorded(pipeline)["users"]
    assert found is not None
    assert (books["applied"], found.topics) == (1, ("renamed", "app.public.users"))
    assert pipeline.listed("reap")[0]["retention"] == "1h"


def test_a_raw_topic_is_its_own_source_table(pipeline: Pipeline) -> None:
    head = HEAD.replace('tombstone = "hint"', "").replace(
        "[source]", '[source]\nenvelope = "raw"', 1
    )
    (pipeline.path / "pipeline.toml").write_text(head + '[[table]]\nname = "all"\n')
    one = {"topic": "a", "partition": 0, "offset": 1, "key": "1", "value": '{"x":1}'}

    books = pipeline.run(one, {**one, "topic": "b"}, code=1)

    assert (books["applied"], books["quarantined"]) == (1, {"unrouted": 1})


def test_hints_and_malformed_deliveries_follow_the_changes_of_their_topic(
    pipeline: Pipeline,
) -> None:
    """Their topic names no schema, so only the changes tell which target it leads to: those of this
    batch, whatever comes first in it, or of an earlier run."""
    pipeline.tables('[[table]]\nname = "{schema}_{table}"\n')
    gone = of("users", record(1, "d", 20), topic="renamed")
    broken = {**gone, "offset": 30, "value": '{"op"'}
    pipeline.run(tombstone(gone), broken, gone, code=1)
    pipeline.run({**tombstone(gone), "offset": 40}, {**broken, "offset": 41}, code=1)

    entries = pipeline.listed("quarantine", "list", "--state", "all", code=1)
    assert set(recorded(pipeline)) == {"public_users"}
    assert {entry["table"] for entry in entries} == {"public_users"}


def test_hints_and_malformed_deliveries_neither_claim_nor_contradict(pipeline: Pipeline) -> None:
    """What comes first of a target is a hint and a broken record of another topic; the target is
    still free. Nor are they refused where it is taken."""
    pipeline.tables('[[table]]\nname = "users"\n')
    other = of("users", record(1, "d", 20), connector="us")
    pipeline.run(tombstone(other), {**other, "value": "{", "offset": 9}, code=1)
    before = recorded(pipeline)
    pipeline.run(record(1, "c", 10, after={"id": 1}))
    books = pipeline.run(tombstone({**other, "topic": "new", "offset": 70}), code=1)

    after = recorded(pipeline)["users"]
    assert before == {"users": None}
    assert books["quarantined"] == {"waiting": 1}
    assert after is not None
    assert after.source == "app.public.users"


def test_a_hint_of_a_refused_source_table_is_unrouted_as_its_changes_are(
    pipeline: Pipeline,
) -> None:
    pipeline.tables('[[table]]\nname = "users"\n')
    other = of("users", record(1, "d", 20), connector="us")

    books = pipeline.run(record(1, "c", 10, after={"id": 1}), tombstone(other), other, code=1)

    assert books["quarantined"] == {"unrouted": 2}


def test_a_topic_of_several_tables_leads_its_followers_by_the_names_they_have(
    pipeline: Pipeline,
) -> None:
    """All records come by one topic, as from a queue. A broken one goes where its source block
    says; one of a source table that was refused goes to no table; a hint goes with the owner."""
    pipeline.tables('[[table]]\nname = "{table}"\n')
    users = of("users", record(1, "d", 10), topic="all")
    broken = {**of("orders", record(1, "c", 20, after={"id": 1}), topic="all"), "key": "{"}
    refused = {**of("users", record(1, "c", 30), connector="us", topic="all"), "offset": 30}
    pipeline.run(users, refused, code=1)
    unreadable = {**refused, "key": "{", "offset": 40}
    pipeline.run(refused, tombstone(users), broken, unreadable, code=1)

    entries = pipeline.listed("quarantine", "list", "--state", "all", code=1)
    held = sorted((entry["reason"], entry["table"]) for entry in entries)
    assert held == [("malformed", ""), ("malformed", "orders"), ("unrouted", "")]


def test_a_topic_that_is_ignored_by_now_is_ignored_whole(pipeline: Pipeline) -> None:
    users = USERS.format(name="clients", more="")
    pipeline.tables(users)
    pipeline.run(record(1, "d", 20))
    pipeline.tables(USERS.format(name="clients", more="ignore = true"))

    books = pipeline.run(tombstone(record(1, "d", 40)), record(2, "d", 50))

    assert books["ignored"] == {"not_a_change": 2}


def test_a_dry_run_finds_a_second_source_table_too(pipeline: Pipeline) -> None:
    """In another batch than the first one, of which nothing was recorded."""
    pipeline.tables('[[table]]\nname = "users"\n')
    records = [record(1, "c", 10, after={"id": 1}), of("users", record(1, "d", 5), connector="us")]
    lines = "".join(json.dumps(one) + "\n" for one in records)
    (pipeline.path / "day.jsonl").write_text(lines, encoding="utf-8")

    told = pipeline.verb("run", "--dry-run", "--batch", "1", "--json", code=1)

    assert json.loads(told.splitlines()[0])["quarantined"] == {"unrouted": 1}


def test_a_section_with_another_name_begins_another_target(pipeline: Pipeline) -> None:
    """The old target keeps what was recorded; its source table's changes, and the followers of its
    topic, go to the new one from now on, in this run and the next."""
    pipeline.tables(USERS.format(name="old", more='retention = "9d"'))
    pipeline.run(record(1, "c", 10, after={"id": 1}))
    pipeline.tables(USERS.format(name="new", more='retention = "1d"'))
    for offset in (30, 40):
        gone = record(offset, "d", offset)
        pipeline.run(tombstone(gone), gone)

    assert {one["table"]: one["retention"] for one in pipeline.listed("reap")} == {
        "new": "1d",
        "old": "9d",
    }
    assert (pipeline.rows("old"), pipeline.tombstones("new")) == (1, 2)
    assert [one["where"] for one in pipeline.listed("doctor", code=1)] == ["old"]


def test_a_target_s_key_is_the_learned_one_where_none_is_declared() -> None:
    store, spec = MemoryStore(), TableSpec("users", retention=0.0)
    with store.transaction(0.0) as transaction:
        transaction.open_table(TableSpec("users", ("id",)))
        transaction.record("users", None, Recorded("a", "a", ("a",)))
    catalogue = Catalogue(lambda topic, table, source: spec)
    with store.reading() as transaction:
        catalogue.load(transaction)

    assert catalogue.spec_of("users") == replace(spec, key=("id",))


def test_a_target_that_is_named_no_longer_keeps_what_was_recorded_and_doctor_says_so(
    pipeline: Pipeline,
) -> None:
    orders = ORDERS.format(name="{table}", more=AT_ONCE)
    pipeline.tables(USERS.format(name="clients", more='retention = "30d"'), orders)
    pipeline.run(of("users", record(1, "d", 10)), of("orders", record(1, "c", 20, after={"id": 1})))
    pipeline.tables(orders)
    pipeline.run(of("orders", record(1, "d", 30)))

    told = {one["table"]: one["retention"] for one in pipeline.listed("reap")}
    findings = pipeline.listed("doctor", code=1)

    assert told == {"clients": "30d", "orders": "0s"}
    assert pipeline.tombstones("clients") == 1
    assert [one["where"] for one in findings] == ["clients"]
    assert "no [[table]] names it now: its retention stays 30d" in findings[0]["finding"]
    assert "app.public.users" in findings[0]["what to do"]


def test_a_database_of_the_old_version_goes_on_and_is_recorded_when_first_routed(
    pipeline: Pipeline,
) -> None:
    """Until then no retention is guessed for its targets, and doctor says so."""
    pipeline.tables(USERS.format(name="clients", more=""))
    pipeline.run(record(1, "d", 10), record(2, "c", 20, after={"id": 2}))
    set_back(pipeline.path / "app.db", 1)
    pipeline.tables(USERS.format(name="clients", more=AT_ONCE))

    reaped = pipeline.listed("reap")
    findings = pipeline.listed("doctor", code=1)
    books = pipeline.run(record(3, "c", 30, after={"id": 3}))

    assert [(one["retention"], one["forgotten"]) for one in reaped] == [("forever", 0)]
    assert "no source table is recorded" in findings[0]["finding"]
    assert books["applied"] == 1
    assert pipeline.tombstones("clients") == 0
    assert pipeline.verb("doctor").startswith("nothing found\nclients is kept from ")


def test_a_table_of_the_user_s_own_code_is_a_catalogue_of_one(pipeline: Pipeline) -> None:
    """What it declares is recorded, so a pipeline's verbs know it, and whose it is."""
    url = f"sqlite:///{pipeline.path}/app.db"
    with closing(anyorder.table(url, "clients", retention="1h")) as clients:
        clients.apply([record(1, "d", 10)])
    with closing(anyorder.table(url, "clients", retention="2h", partitions=3)) as clients:
        clients.apply([record(2, "d", 20)])
    pipeline.tables(ORDERS.format(name="{table}", more=AT_ONCE))

    assert recorded(pipeline) == {
        "clients": Recorded("app.public.users", retention=7200.0, partitions=3, kinds=NUMBER)
    }
    assert pipeline.listed("reap")[0]["retention"] == "2h"
    assert pipeline.verb("doctor").startswith("nothing found\nclients is kept from ")
    pipeline.tables(USERS.format(name="clients", more=""))
    pipeline.run(record(3, "d", 30))
    found = recorded(pipeline)["clients"]
    assert found is not None
    assert found.source == "app.public.users"
    other = anyorder.table(url, "clients", key="email")
    with closing(other), pytest.raises(ConfigurationError, match=r"memories by the key \(id\)"):
        other.apply([record(4, "d", 40)])


def test_a_guard_in_the_user_s_own_transaction_records_too(pipeline: Pipeline) -> None:
    url = f"sqlite:///{pipeline.path}/app.db"
    connection = sqlite3.connect(pipeline.path / "app.db")
    clients = anyorder.table(url, "clients", retention="1h")
    with clients.transaction(connection) as guard:
        for event in clients.decode([record(1, "d", 10), record(2, "d", 20)]):
            guard.accept(event)
    connection.close()
    clients.close()

    assert recorded(pipeline) == {
        "clients": Recorded("app.public.users", retention=3600.0, kinds=NUMBER)
    }


def test_an_entry_is_accepted_and_a_clock_dismissed_by_each_table_s_own_settings(
    pipeline: Pipeline,
) -> None:
    """Both ask the catalogue: a `[[table]]` whose name happens to fit has no say."""
    misfit = '[[table]]\nmatch = "app.public.*"\nname = "c{table}"\nretention = "0s"\n'
    pipeline.tables(USERS.format(name="clients", more=AT_ONCE), misfit)
    pipeline.run(record(1, "d", 20))
    pipeline.run(record(1, "c", 10, after={"id": 1}), code=1)
    pipeline.tables(USERS.format(name="clients", more='retention = "2h"'), misfit)
    pipeline.verb("quarantine", "settle", "1", "--accept")

    assert pipeline.rows("clients") == 1
    assert pipeline.listed("reap")[0]["retention"] == "2h"


class Quicker(MemoryTransaction):
    """Just before something is recorded, another process does it."""

    def record(self, table: str, before: Recorded | None, after: Recorded) -> bool:
        super().record(table, before, replace(after, source=self.other))
        return super().record(table, before, after)

    other = "elsewhere"


@pytest.mark.parametrize(("other", "routed"), [("elsewhere", False), ("a", True)])
def test_of_two_processes_that_claim_a_target_one_has_it(other: str, routed: bool) -> None:
    """Whoever is second sees whose it is, and takes it only as the same source table."""
    kind = type("Quick", (Quicker,), {"other": other})
    spec = TableSpec("users", ("id",))
    catalogue = Catalogue(lambda topic, table, source: spec)
    event = Event(Kind.DELETE, "a", {"id": 1}, delivery=Delivery("a"))

    (route,) = catalogue.routes(broken(kind)(), [event], 0.0)

    assert isinstance(route, TableSpec) is routed
