"""A table takes the changes of its own source table, and of no other."""

from __future__ import annotations

import itertools
import json
import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder import Delivery, Reason
from anyorder._core.key import KeyKind
from anyorder.aws import lambda_handler
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Recorded
from tests.streams import record, tombstone

NUMBER = {"id": KeyKind.NUMBER}
OWNER = "app.public.users"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def table(path: Path, **options: Any) -> anyorder.Table:
    return anyorder.table(f"sqlite:///{path}", "users", **options)


def of(source: str, one: dict[str, object], topic: str = "") -> dict[str, object]:
    """The same record, of another source table: connector, schema and table."""
    value = json.loads(str(one["value"]))
    value["source"] |= dict(zip(("name", "schema", "table"), source.split("."), strict=True))
    return {**one, "topic": topic or source, "value": json.dumps(value)}


def put(key: int, lsn: int) -> dict[str, object]:
    return record(key, "c", lsn, after={"id": key, "name": str(lsn)})


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute("SELECT id FROM users ORDER BY id")]


def recorded(users: anyorder.Table) -> Recorded | None:
    with users.store.reading() as transaction:
        (target,) = transaction.catalogue()
    return target.recorded


FOREIGN = {
    "put": of("app.public.orders", put(1, 50)),
    "delete": of("app.public.orders", record(1, "d", 50)),
    "truncate": {**of("app.public.orders", record(1, "t", 50)), "key": None},
    "other schema": of("app.crm.users", record(1, "d", 50)),
    "other database": of("us.public.users", record(1, "d", 50)),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("again", [True, False], ids=["opened again", "the same object"])
def test_what_another_source_table_told_is_unrouted_and_changes_nothing(
    path: Path, foreign: dict[str, object], together: bool, again: bool
) -> None:
    users = table(path)
    batches = [[put(1, 10), foreign, put(2, 60)]]
    if not together:
        batches = [[put(1, 10)], [foreign], [put(2, 60)]]
    reports = []
    for batch in batches:
        users = table(path) if again else users
        reports.append(users.apply(batch))

    assert sum(report.applied for report in reports) == 2
    assert sum(report.quarantined["unrouted"] for report in reports) == 1
    assert rows(path) == [1, 2]
    (entry,) = users.quarantine.entries()
    assert (entry.reason, entry.key) == ("unrouted", None)
    assert f"users belongs to the source table '{OWNER}'" in entry.detail


def test_what_is_unrouted_stays_so_when_its_key_moves_and_is_never_accepted(path: Path) -> None:
    """Nor is a second key of its very position taken for a duplicate of it."""
    users = table(path)
    users.apply([put(1, 10)])
    deletes = [of("app.public.orders", record(key, "d", 50)) for key in (1, 2)]
    report = users.apply(deletes)
    users.apply([put(1, 20), put(2, 30)])

    assert report.quarantined == {"unrouted": 2}
    assert rows(path) == [1, 2]
    assert len(users.quarantine.entries()) == 2
    for entry in users.quarantine.entries():
        with pytest.raises(ConfigurationError, match="belongs to the source table"):
            users.quarantine.accept(entry.id)


def test_once_both_are_said_to_be_one_table_it_is_accepted(path: Path) -> None:
    users = table(path)
    users.apply([put(1, 10)])
    users.apply([of("app.crm.users", put(2, 50))])
    users.close()
    users = table(path, source=[OWNER, "app.crm.users"])
    (entry,) = users.quarantine.entries()
    users.quarantine.accept(entry.id)

    assert rows(path) == [1, 2]


def test_the_first_change_that_is_applied_says_whose_the_table_is(path: Path) -> None:
    """Not one that the store refuses, nor a hint, nor broken bytes."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE users (id PRIMARY KEY, name CHECK (name <> '5'))")
    users = table(path)
    refused = of("app.public.orders", put(9, 5))
    hint = tombstone(of("app.public.events", record(1, "d", 4)))
    report = users.apply([b"{", hint, refused, put(1, 10), of("app.public.orders", put(2, 20))])

    assert report.applied == 1
    assert report.quarantined == {"malformed": 2, "waiting": 1, "unrouted": 1}
    assert recorded(users) == Recorded(OWNER, kinds=NUMBER)


def test_a_table_whose_books_are_older_is_claimed_by_what_it_knows_already(path: Path) -> None:
    """Its first event is a duplicate, and thereby its own."""
    users = table(path)
    users.apply([put(1, 10)])
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE anyorder_table SET recorded = NULL")
        database.commit()
    users = table(path)
    report = users.apply([put(1, 10), of("app.public.orders", record(1, "d", 50))])

    assert (report.ignored, report.quarantined) == ({"duplicate": 1}, {"unrouted": 1})
    assert rows(path) == [1]


def test_hints_go_with_the_changes_of_their_topic(path: Path) -> None:
    users = table(path)
    gone = of("app.public.orders", record(1, "d", 50))
    report = users.apply([put(1, 10), gone, tombstone(gone)])

    assert report.quarantined == {"unrouted": 2}


def test_one_source_table_by_several_topics_is_one(path: Path) -> None:
    """A dead-letter topic, a renamed one: each record names its source table."""
    users = table(path)
    by = [of(OWNER, put(key, key), topic) for key, topic in enumerate(("a", "b", "dlq"), 1)]

    assert users.apply(by).applied == 3


def test_what_tells_no_source_table_is_taken_as_ever(path: Path) -> None:
    """Documents from any queue; and raw bytes without a topic are malformed, as they were."""
    users = table(path, key="/id", position="/v")
    made = (Delivery(queue, value=b'{"id":%d,"v":1}' % key) for key, queue in enumerate("abc"))

    assert users.apply(made).applied == 3
    assert users.apply([b'{"id":7,"v":1}']).applied == 1
    assert recorded(users) == Recorded(kinds=NUMBER)


def test_documents_and_changes_of_one_table_meet_in_it(path: Path) -> None:
    users = table(path)
    users.apply([put(1, 10)])
    cloud = {"specversion": "1.0", "id": "1", "source": "/x", "type": "t", "subject": "5"}
    told = {**cloud, "time": "2026-01-01T00:00:00Z", "data": {"id": 5}}
    report = users.apply([json.dumps(told)], envelope="cloudevents")

    assert report.quarantined.get("unrouted", 0) == 0


def test_what_the_user_calls_his_documents_is_told_where_he_says_it(path: Path) -> None:
    """Two source tables of documents are two, if he gives them two names."""
    told = [Delivery("queue", value=b'{"id":1,"v":%d}' % version) for version in (1, 2)]
    options = {"key": "/id", "position": "/v"}
    with closing(table(path, table="eu", **options)) as users:
        users.apply(told[:1])
    with closing(table(path, table="us", **options)) as users:
        report = users.apply(told[1:])

    assert report.quarantined == {"unrouted": 1}


def test_a_raw_topic_is_its_own_source_table(path: Path) -> None:
    users = table(path, envelope="raw", key="id")
    one = Delivery("users", 0, 1, key=b"1", value=b'{"x":1}')
    other = Delivery("orders", 0, 2, key=b"2", value=b'{"x":1}')

    assert users.apply([one]).applied == 1
    assert users.apply([other]).quarantined == {"unrouted": 1}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_several_named_source_tables_are_one_table(path: Path, order: tuple[int, ...]) -> None:
    """A truncate of either empties it: it is the one table's. A third one is unrouted."""
    users = table(path, source=[OWNER, "app.crm.users"])
    emptied = {**of("app.crm.users", record(1, "t", 30)), "key": None}
    told = [put(1, 10), emptied, of("app.crm.users", put(2, 40))]
    for place in order:
        users.apply([told[place]])
    third = users.apply([of("app.public.orders", record(2, "d", 60))])

    assert rows(path) == [2]
    assert third.quarantined == {"unrouted": 1}
    assert recorded(users) == Recorded(OWNER, others=("app.crm.users",), kinds=NUMBER)


def test_the_named_source_table_counts_whatever_comes_first(path: Path) -> None:
    users = table(path, source=OWNER)
    report = users.apply([of("app.public.orders", put(1, 10)), put(2, 20)])

    assert (report.applied, report.quarantined) == (1, {"unrouted": 1})
    assert rows(path) == [2]


def test_merged_source_tables_never_truncate_each_other(path: Path) -> None:
    """Not on an operator's word either, and not once the word is taken back: their rows lie
    together."""
    users = table(path, merge=True)
    emptied = {**of("s2.public.users", record(1, "t", 90)), "key": None}
    first = users.apply([of("s1.public.users", put(1, 10)), of("s2.public.users", put(2, 20))])
    second = users.apply([emptied])
    users.close()
    users = table(path)
    third = users.apply([{**of("s1.public.users", record(1, "t", 95)), "key": None}])

    assert first.applied == 2
    assert (second.quarantined, third.quarantined) == ({"conflict": 1}, {"conflict": 1})
    assert rows(path) == [1, 2]
    (entry, _) = users.quarantine.entries()
    assert "would empty all" in entry.detail
    with pytest.raises(ConfigurationError, match="would empty all"):
        users.quarantine.accept(entry.id)
    found = recorded(users)
    assert found is not None
    assert found.sources == ("s1.public.users", "s2.public.users")


def test_a_held_truncate_of_merged_source_tables_is_not_decided_again(path: Path) -> None:
    """A snapshot run is learned, and all that is held is decided again: not this."""
    users = table(path, merge=True)
    emptied = {**of("s2.public.users", record(1, "t", 90)), "key": None}
    users.apply([of("s1.public.users", put(1, 10)), of("s2.public.users", put(2, 20)), emptied])
    told = of("s3.public.users", record(3, "r", 10, after={"id": 3}))
    read = str(told["value"]).replace('"snapshot": "false"', '"snapshot": "true"')
    report = users.apply([{**told, "value": read}])

    assert (report.applied, report.settled) == (1, {})
    assert rows(path) == [1, 2, 3]


def test_a_guard_in_the_user_s_own_transaction_takes_its_own_source_table_only(path: Path) -> None:
    users = table(path, key="id")
    told = [put(1, 10), of("app.public.orders", record(1, "d", 50)), put(2, 60)]
    with closing(sqlite3.connect(path)) as connection:
        answers = []
        for one in told:
            with users.transaction(connection) as guard:
                answers += [guard.accept(event).reason for event in users.decode([one])]

    assert answers == [Reason.APPLIED, Reason.UNROUTED, Reason.APPLIED]
    assert users.why(1).state == "row"


def test_a_claim_goes_with_the_transaction_that_made_it(path: Path) -> None:
    users = table(path)
    (event,) = users.decode([of("app.public.orders", put(1, 10))])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN")
        with users.transaction(connection) as guard:
            assert guard.accept(event)
        connection.rollback()

    assert users.apply([put(1, 20)]).applied == 1


def test_a_lambda_function_takes_its_table_s_source_table_only(path: Path) -> None:
    handler = lambda_handler(table(path))
    told = [put(1, 10), FOREIGN["truncate"], put(2, 60)]
    event = {"eventSource": "aws:kafka", "records": {"all-0": [_in_kafka(one) for one in told]}}

    assert handler(event) == {"batchItemFailures": []}
    assert handler.report.quarantined == {"unrouted": 1}
    assert rows(path) == [1, 2]


def _in_kafka(one: dict[str, object]) -> dict[str, object]:
    """A record as Lambda passes it on: key and value in base64."""
    texts = {name: one[name] for name in ("key", "value") if one[name] is not None}
    encoded = {name: b64encode(str(text).encode()).decode() for name, text in texts.items()}
    return {**one, "key": None, **encoded, "timestampType": "CREATE_TIME", "headers": []}


@pytest.mark.parametrize("name", ["anyorder_frontier", "SQLITE_x", "", "x" * 300, "a_view"])
def test_a_name_that_no_table_can_have_is_misuse(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE TABLE t (a); CREATE VIEW A_VIEW AS SELECT * FROM t")
    with (
        closing(anyorder.table(f"sqlite:///{path}", name)) as users,
        pytest.raises(ConfigurationError),
    ):
        users.apply([put(1, 10)])


def test_another_spelling_of_a_table_that_is_there_is_misuse(path: Path) -> None:
    """SQLite does not tell them apart, and two memories would share its rows."""
    with closing(table(path)) as users:
        users.apply([put(1, 10)])
    with (
        closing(anyorder.table(f"sqlite:///{path}", "Users")) as users,
        pytest.raises(ConfigurationError, match="call it users"),
    ):
        users.apply([put(1, 10)])


@pytest.mark.parametrize("source", ["", ["a", ""]])
def test_a_source_table_without_a_name_is_misuse(path: Path, source: Any) -> None:
    with pytest.raises(ConfigurationError, match="source names a source table"):
        table(path, source=source)
