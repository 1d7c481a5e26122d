"""`anyorder.table`: applying records, asking why, guarding one's own SQL."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder import Reason
from anyorder.errors import BooksUnbalanced, ConfigurationError, StoreError, TableNotEmpty
from anyorder.guard.settle import Settlement
from tests.streams import final_rows, record, stream, tombstone, unordered


def rows_of(path: Path, table: str = "users") -> dict[object, dict[str, object]]:
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    return {row["id"]: dict(row) for row in database.execute(f'SELECT * FROM "{table}"')}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def users(path: Path, **options: Any) -> anyorder.Table:
    return anyorder.table(f"sqlite:///{path}", "users", key="id", **options)


def users_of_their_own(path: Path, columns: str) -> anyorder.Table:
    """Guarded, in a table that its user made."""
    database = sqlite3.connect(path)
    database.execute(f"CREATE TABLE users ({columns})")
    database.close()
    return users(path)


def test_any_order_and_any_repetition_end_in_the_source_s_rows(path: Path) -> None:
    records = list(stream(2000, 100))

    report = users(path).apply(unordered(records))

    assert rows_of(path) == final_rows(records)
    assert report.read == report.applied + report.ignored.total() + report.quarantined.total()


def test_a_delete_that_arrives_before_its_create_leaves_no_row_and_says_so(path: Path) -> None:
    table = users(path)

    table.apply([record(1, "d", 20)])
    report = table.apply([record(1, "c", 10, after={"id": 1, "name": "Ada"})])

    assert rows_of(path) == {}
    assert report.ignored == {"stale": 1}
    assert table.why(1).state == "tombstone"


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_every_order_of_a_short_life_tells_one_story(path: Path, order: tuple[int, ...]) -> None:
    life = [
        record(1, "c", 10, after={"id": 1, "name": "a"}),
        record(1, "d", 20),
        record(1, "c", 30, after={"id": 1, "name": "b"}),
        record(1, "u", 40, after={"id": 1, "name": "c"}),
    ]
    table = users(path)

    for place in order:
        table.apply([life[place]])

    assert rows_of(path) == {1: {"id": 1, "name": "c"}}
    assert table.why(1).position == "pg:app at LSN 0/28"


def test_a_forgotten_key_s_late_put_is_quarantined_and_a_late_delete_absorbed(path: Path) -> None:
    table = users(path, retention=0)
    table.apply([record(1, "d", 20)])

    late = table.apply([record(1, "c", 10, after={"id": 1})])
    absorbed = table.apply([record(2, "d", 15)])

    assert late.quarantined == {"late": 1}
    assert absorbed.ignored == {"absorbed": 1}
    assert rows_of(path) == {}
    assert [entry.reason for entry in table.quarantine.entries()] == ["late"]


def test_an_accepted_late_put_is_marked_and_a_newer_event_makes_it_ordinary(path: Path) -> None:
    table = users(path, retention=0)
    table.apply([record(1, "d", 20), record(1, "c", 10, after={"id": 1, "name": "a"})])
    table.apply([record(1, "c", 10, after={"id": 1, "name": "a"})])

    said = table.quarantine.accept(table.quarantine.entries()[0].id)
    declared = str(table.why(1))
    table.apply([record(1, "u", 50, after={"id": 1, "name": "b"})])

    assert "applied" in said
    assert "operator" in declared
    assert "operator" not in str(table.why(1))
    assert rows_of(path) == {1: {"id": 1, "name": "b"}}


def test_a_dropped_entry_does_not_come_back(path: Path) -> None:
    table = users(path, retention=0)
    late = record(1, "c", 10, after={"id": 1})
    table.apply([record(1, "d", 20)])
    table.apply([late])

    table.quarantine.drop(table.quarantine.entries()[0].id)
    report = table.apply([late])

    assert report.ignored == {"duplicate": 1}
    assert table.quarantine.entries() == []


def test_the_same_quarantined_event_again_is_no_second_entry(path: Path) -> None:
    table = users(path, retention=0)
    table.apply([record(1, "d", 20)])

    reports = [table.apply([record(1, "c", 10, after={"id": 1})]) for _ in range(3)]

    assert [r.quarantined.total() for r in reports] == [1, 0, 0]
    assert [(e.count, e.reason) for e in table.quarantine.entries()] == [(3, "late")]


def test_a_column_nobody_told_is_a_hole_until_an_older_event_tells_it(path: Path) -> None:
    table = users(path)
    table.apply(
        [record(1, "u", 20, after={"id": 1, "name": "b", "photo": "__debezium_unavailable_value"})]
    )
    holes = table.why(1).holes

    report = table.apply([record(1, "c", 10, after={"id": 1, "name": "a", "photo": "png"})])

    assert holes == ["photo"]
    assert report.applied == 1
    assert rows_of(path) == {1: {"id": 1, "name": "b", "photo": "png"}}
    assert table.why(1).holes == []


def test_a_tie_shows_the_same_row_whatever_came_first(tmp_path: Path) -> None:
    one, other = (record(1, "u", 10, after={"id": 1, "name": name}) for name in "ab")
    shown = []

    for number, order in enumerate(([one, other], [other, one])):
        table = users(tmp_path / f"{number}.db")
        reports = [table.apply([each]) for each in order]
        assert reports[1].quarantined == {"conflict": 1}
        assert table.why(1).disputed
        shown.append(rows_of(tmp_path / f"{number}.db"))

    assert shown[0] == shown[1]


def test_a_hint_waits_for_its_delete_and_settles_by_itself(path: Path) -> None:
    table = users(path)
    table.apply([record(1, "c", 10, after={"id": 1})])
    gone = record(1, "d", 20)

    waiting = table.apply([tombstone(gone)])
    settled = table.apply([gone])

    assert waiting.quarantined == {"waiting": 1}
    assert settled.settled == {"not_a_change": 1}
    assert table.quarantine.entries() == []


def test_a_broken_record_is_quarantined_with_its_bytes_and_its_neighbours_are_applied(
    path: Path,
) -> None:
    table = users(path)

    report = table.apply([b"{not json", record(1, "c", 10, after={"id": 1})])

    assert (report.applied, report.quarantined) == (1, {"malformed": 1})
    delivery = table.quarantine.show(table.quarantine.entries()[0].id).delivery
    assert delivery is not None
    assert delivery.value == b"{not json"


def test_a_table_with_rows_is_refused_until_adopting_is_said(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users "
        "VALUES (1, 'old'), (2, 'kept');"
    )
    database.close()

    with pytest.raises(TableNotEmpty):
        users(path).apply([record(1, "c", 10, after={"id": 1, "name": "new"})])
    users(path, adopt="older-than-everything").apply(
        [record(1, "c", 10, after={"id": 1, "name": "new"})]
    )

    assert rows_of(path) == {1: {"id": 1, "name": "new"}, 2: {"id": 2, "name": "kept"}}


def test_the_user_s_own_table_stays_as_it_is_and_keeps_its_constraints(path: Path) -> None:
    table = users_of_their_own(path, "id INTEGER PRIMARY KEY, age INTEGER CHECK (age < 200)")

    report = table.apply(
        [
            record(1, "c", 10, after={"id": 1, "age": 30, "extra": "x"}),
            record(2, "c", 20, after={"id": 2, "age": 999}),
        ]
    )

    assert rows_of(path) == {1: {"id": 1, "age": 30}}
    assert report.quarantined == {"malformed": 1}
    assert "CHECK" in table.quarantine.entries()[0].detail


def test_what_a_constraint_refuses_for_now_waits_and_is_applied_when_it_can_be(path: Path) -> None:
    table = users_of_their_own(path, "id INTEGER PRIMARY KEY, email TEXT UNIQUE")
    table.apply([record(1, "c", 10, after={"id": 1, "email": "a@x"})])

    waiting = table.apply([record(2, "c", 30, after={"id": 2, "email": "a@x"})])
    table.apply([record(1, "u", 20, after={"id": 1, "email": "b@x"})])

    assert waiting.quarantined == {"waiting": 1}
    assert rows_of(path) == {1: {"id": 1, "email": "b@x"}, 2: {"id": 2, "email": "a@x"}}
    assert table.quarantine.entries() == []


def test_a_refused_winner_releases_nobody(path: Path) -> None:
    table = users_of_their_own(path, "id INTEGER PRIMARY KEY, age INTEGER CHECK (age < 200)")

    report = table.apply(
        [
            record(1, "c", 10, after={"id": 1, "age": 30}),
            record(1, "u", 20, after={"id": 1, "age": 999}),
        ]
    )

    assert rows_of(path) == {1: {"id": 1, "age": 30}}
    assert (report.applied, report.quarantined) == (1, {"malformed": 1})


def test_what_was_undecided_when_the_winner_was_refused_is_decided_again_as_soon_as_its_key_moves(
    path: Path,
) -> None:
    table = users_of_their_own(path, "id INTEGER PRIMARY KEY, email TEXT UNIQUE")
    table.apply([record(1, "c", 10, after={"id": 1, "email": "taken@x"})])
    read = snapshot(record(2, "r", 300, after={"id": 2, "email": "read@x"}, offset=5))
    after_the_read = without_bound(record(2, "u", 250, after={"id": 2, "email": "250@x"}, offset=9))
    elsewhere = without_bound(
        record(2, "u", 260, after={"id": 2, "email": "taken@x"}, offset=1, partition=1)
    )  # newer than 250; beside 300, no clock tells

    report = table.apply([read, elsewhere, after_the_read])
    table.apply([record(1, "u", 20, after={"id": 1, "email": "free@x"})])

    assert report.quarantined == {"waiting": 1}
    assert rows_of(path)[2] == {"id": 2, "email": "taken@x"}
    assert table.quarantine.entries() == []


def without_bound(made: dict[str, object]) -> dict[str, object]:
    value = json.loads(str(made["value"]))
    del value["source"]["sequence"]
    return {**made, "value": json.dumps(value)}


def test_a_repetition_beyond_the_first_thousand_records_is_a_duplicate(path: Path) -> None:
    records = [record(n, "c", n, after={"id": n}) for n in range(1, 1001)]

    report = users(path).apply([*records, *records[:5]])

    assert (report.applied, report.ignored) == (1000, {"duplicate": 5})


def test_two_contents_of_one_position_are_one_dispute_that_lists_both(path: Path) -> None:
    table = users(path)
    one, other = (record(1, "u", 10, after={"id": 1, "name": name}) for name in ("first", "second"))

    for each in (one, other, one, other):
        table.apply([each])

    (entry,) = table.quarantine.entries()
    delivery = table.quarantine.show(entry.id).delivery
    assert delivery is not None
    assert entry.detail == 'the other content: {"id":1,"name":"second"}'
    assert rows_of(path) == {1: {"id": 1, "name": "first"}}
    assert b"second" in (delivery.value or b"")
    assert entry.count == 3


def test_a_new_column_widens_the_table_that_we_made(path: Path) -> None:
    table = users(path)

    table.apply([record(1, "c", 10, after={"id": 1, "name": "a"})])
    table.apply([record(2, "c", 20, after={"id": 2, "name": "b", "city": "Oslo"})])

    assert rows_of(path) == {
        1: {"id": 1, "name": "a", "city": None},
        2: {"id": 2, "name": "b", "city": "Oslo"},
    }


def test_integers_beyond_64_bits_and_long_decimals_stay_exact(path: Path) -> None:
    value = '{"id":1,"big":123456789012345678901234567890,"fine":0.1234567890123456789}'
    source = record(1, "c", 10, after={"id": 1})
    source["value"] = str(source["value"]).replace('{"id": 1}', value)

    users(path).apply([source])

    assert rows_of(path)[1] == {
        "id": 1,
        "big": "123456789012345678901234567890",
        "fine": "0.1234567890123456789",
    }


def orders(path: Path, **options: object) -> anyorder.Table:
    return anyorder.table(
        f"sqlite:///{path}",
        "orders",
        key="/order/id",
        position="/version",
        deleted="/cancelled",
        **options,
    )  # type: ignore[arg-type]


def order(key: int, version: int, cancelled: bool = False) -> bytes:
    return json.dumps({"order": {"id": key}, "version": version, "cancelled": cancelled}).encode()


def test_own_sql_commits_together_with_what_is_remembered(path: Path) -> None:
    table, connection = orders(path), sqlite3.connect(path)
    connection.execute("CREATE TABLE totals (id PRIMARY KEY, version)")

    with table.transaction(connection) as guard:
        for event in table.decode([order(7, 2), order(7, 1), order(7, 2)]):
            if guard.accept(event):
                connection.execute(
                    "INSERT OR REPLACE INTO totals VALUES (?, ?)",
                    (event.key["id"], event.fields["version"]),
                )

    assert connection.execute("SELECT * FROM totals").fetchall() == [(7, 2)]


def test_own_sql_in_a_transaction_of_one_s_own_is_committed_by_its_owner(path: Path) -> None:
    table, connection = orders(path), sqlite3.connect(path)
    connection.execute("CREATE TABLE totals (id PRIMARY KEY)")
    events = list(table.decode([order(7, 2), order(8, 1)]))

    for event, end in zip(events, (connection.rollback, connection.commit), strict=True):
        connection.execute("INSERT INTO totals VALUES (?)", (event.fields["version"],))
        with table.transaction(connection) as guard:
            assert guard.accept(event)
        assert connection.in_transaction
        end()

    assert (table.why(7).state, table.why(8).state) == ("unknown", "row")


def test_a_store_without_a_transaction_to_share_says_so() -> None:
    table = anyorder.table("memory://", "users", key="id")

    with (
        pytest.raises(StoreError, match="memory has no transaction to share with your own SQL"),
        table.transaction(sqlite3.connect(":memory:")),
    ):
        pass


def test_own_sql_that_fails_takes_the_memory_back_with_it(path: Path) -> None:
    table, connection = orders(path), sqlite3.connect(path)
    event = next(iter(table.decode([order(7, 2)])))

    def fail() -> None:
        with table.transaction(connection) as guard:
            assert guard.accept(event)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert table.why(7).state == "unknown"


def test_an_older_event_gives_the_caller_only_what_nobody_has_told(path: Path) -> None:
    table, connection = users(path), sqlite3.connect(path)
    newer = record(
        1, "u", 20, after={"id": 1, "name": "b", "photo": "__debezium_unavailable_value"}
    )

    with table.transaction(connection) as guard:
        answers = [
            guard.accept(event)
            for event in table.decode(
                [newer, record(1, "c", 10, after={"id": 1, "name": "a", "photo": "png"})]
            )
        ]

    assert [answer.reason for answer in answers] == [Reason.APPLIED, Reason.APPLIED]
    assert answers[1].values == {"photo": "png"}


def test_versions_are_told_by_one_clock_whatever_queue_they_come_by(path: Path) -> None:
    """By a dead-letter queue an older version is stale and a newer one applied, as by the queue
    itself: a queue's name is no part of a clock."""
    table = orders(path)
    told = [
        anyorder.Delivery(queue, value=order(7, version))
        for queue, version in (("orders", 5), ("orders-dlq", 4), ("orders-dlq", 6))
    ]

    reports = [table.apply([delivery]) for delivery in told]

    assert [(report.applied, report.ignored, report.quarantined) for report in reports] == [
        (1, {}, {}),
        (0, {"stale": 1}, {}),
        (1, {}, {}),
    ]
    assert rows_of(path, "orders")[7]["version"] == 6


def test_versions_that_count_per_key_cannot_be_forgotten(path: Path) -> None:
    """Which is said before the first of them."""
    with pytest.raises(anyorder.AnyorderError, match="retention"):
        orders(path, retention=0)


@pytest.mark.parametrize(
    "options",
    [{"retention": "soon"}, {"adopt": "maybe"}, {"envelope": "xml"}, {"key": {"id": "/id"}}],
    ids=["retention", "adopt", "envelope", "key"],
)
def test_contradictory_arguments_are_refused_at_once(
    path: Path, options: dict[str, object]
) -> None:
    with pytest.raises(ConfigurationError):
        anyorder.table(f"sqlite:///{path}", "users", **options)  # type: ignore[arg-type]


def test_a_key_of_several_columns_needs_all_of_them(path: Path) -> None:
    table = anyorder.table(f"sqlite:///{path}", "stock", key=["sku", "place"])
    moved = record(1, "c", 10, after={"sku": "a", "place": "b", "level": 1})
    table.apply([{**moved, "key": '{"sku":"a","place":"b"}'}])

    assert table.why({"sku": "a", "place": "b"}).state == "row"
    with pytest.raises(ConfigurationError):
        table.why("a")


def test_a_database_of_a_newer_release_is_left_alone(path: Path) -> None:
    users(path).apply([])
    database = sqlite3.connect(path)
    database.execute("UPDATE anyorder_schema SET version = 999")
    database.commit()

    with pytest.raises(StoreError, match="newer"):
        users(path)


def test_books_that_do_not_balance_stop_the_batch_before_it_commits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = users(path)
    table.apply([record(1, "c", 10, after={"id": 1, "name": "a"})])

    monkeypatch.setattr("anyorder.guard.intake.apply", lambda *_, **__: Settlement({}, []))
    with pytest.raises(BooksUnbalanced):
        table.apply([record(1, "u", 20, after={"id": 1, "name": "b"})])

    assert rows_of(path) == {1: {"id": 1, "name": "a"}}


def test_a_truncate_that_cannot_be_placed_yet_is_one_entry_however_often_it_comes(
    path: Path,
) -> None:
    table = users(path)
    first, later = (
        truncate_record(lsn, run)
        for lsn, run in (
            (100, "01a20ada-bb63-7c1b-84bb-f2b31e0887b3"),
            (50, "01a20aff-bb63-7c1b-84bb-f2b31e0887b3"),
        )
    )
    table.apply([first])

    reports = [table.apply([later]) for _ in range(3)]

    assert [report.quarantined for report in reports] == [{"waiting": 1}, {}, {}]
    assert [report.ignored for report in reports[1:]] == [{"duplicate": 1}] * 2
    assert [entry.count for entry in table.quarantine.entries()] == [3]


def truncate_record(lsn: int, run: str) -> dict[str, object]:
    made = record(1, "t", lsn)
    return {**made, "key": None, "headers": [["__debezium.context.runId", run]]}


FIRST, LATER = "01a20ada-bb63-7c1b-84bb-f2b31e0887b3", "01a20aff-bb63-7c1b-84bb-f2b31e0887b3"


def test_a_waiting_truncate_is_decided_again_when_its_run_is_known_to_have_begun_with_a_snapshot(
    path: Path,
) -> None:
    table = users(path)
    table.apply([truncate_record(100, FIRST), of_run(record(1, "c", 120, after={"id": 1}), FIRST)])
    table.apply([truncate_record(50, LATER)])

    report = table.apply(
        [
            snapshot(of_run(record(2, "r", 40, after={"id": 2}), LATER)),
            of_run(record(3, "c", 60, after={"id": 3}), LATER),
        ]
    )

    assert report.settled == {"applied": 1}
    assert table.quarantine.entries() == []
    # what the snapshot read, and what the earlier run told, lies before the truncate
    assert rows_of(path) == {3: {"id": 3}}


def test_what_is_refused_only_at_commit_is_held_alone(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE teams (id PRIMARY KEY); CREATE TABLE users (id PRIMARY KEY,"
        " team REFERENCES teams (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    table = users(path)
    rows = [{"id": key, "team": 7 if key == 1500 else None} for key in range(2000)]

    report = table.apply(iter([record(row["id"], "c", 10, after=row) for row in rows]))

    assert (report.applied, report.quarantined) == (1999, {"waiting": 1})
    database.execute("INSERT INTO teams VALUES (7)")
    database.commit()
    report = table.apply([record(7, "u", 20, after={"id": 7, "team": 7})])
    assert (report.applied, report.settled) == (1, {"applied": 1})


def test_a_snapshot_run_that_one_table_learns_decides_again_what_every_table_holds(
    path: Path,
) -> None:
    orders = anyorder.table(f"sqlite:///{path}", "orders", key="id")
    told = [
        of_run(record(1, "u", 500, after={"id": 1, "name": "first"}), FIRST),
        of_run(record(1, "u", 100, after={"id": 1, "name": "later"}), LATER),
    ]
    report = orders.apply(of_orders(one) for one in told)
    assert report.quarantined == {"waiting": 1}

    users(path).apply([snapshot(of_run(record(7, "r", 50, after={"id": 7}), LATER))])

    assert orders.quarantine.entries() == []
    assert rows_of(path, "orders") == {1: {"id": 1, "name": "later"}}


def test_what_the_clocks_will_tell_says_what_it_waits_for(path: Path) -> None:
    table = users(path)
    told = [
        of_run(record(1, "u", 500, after={"id": 1}), FIRST),
        of_run(record(1, "u", 100, after={"id": 1}), LATER),
    ]
    table.apply([*told, tombstone(of_run(record(1, "d", 900), LATER))])

    update, hint = sorted(entry.detail for entry in table.quarantine.entries())
    assert update.startswith("it and an update at pg:app at LSN 0/1F4 (")
    assert "it waits for a snapshot record of the later run" in update
    assert hint == "it follows a delete of its key, which has not come"


def test_what_was_held_for_another_reason_waits_as_well_once_the_database_refuses_it(
    path: Path,
) -> None:
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE teams (id PRIMARY KEY);"
        "CREATE TABLE users (id PRIMARY KEY, team REFERENCES teams (id))"
    )
    table = users(path)
    told = [
        of_run(record(1, "u", 500, after={"id": 1, "team": None}), FIRST),
        of_run(record(1, "u", 100, after={"id": 1, "team": 7}), LATER),
    ]
    table.apply(told)
    table.apply([snapshot(of_run(record(7, "r", 50, after={"id": 7, "team": None}), LATER))])
    assert [entry.reason for entry in table.quarantine.entries()] == ["waiting"]

    database.execute("INSERT INTO teams VALUES (7)")
    database.commit()
    table.apply([of_run(record(8, "c", 120, after={"id": 8, "team": None}), LATER)])

    assert rows_of(path)[1] == {"id": 1, "team": 7}
    assert table.quarantine.entries() == []


def of_orders(told: dict[str, object]) -> dict[str, object]:
    """The same of another table of the same log."""
    value = json.loads(str(told["value"]))
    value["source"]["table"] = "orders"
    return {**told, "topic": "app.public.orders", "value": json.dumps(value)}


def test_a_waiting_truncate_is_applied_on_an_operator_s_word(path: Path) -> None:
    table = users(path)
    table.apply([truncate_record(100, FIRST), truncate_record(50, LATER)])
    (entry,) = table.quarantine.entries()

    table.quarantine.accept(entry.id)

    assert [(one.id, one.state) for one in table.quarantine.entries("")] == [(entry.id, "accepted")]
    assert table.apply([truncate_record(50, LATER)]).ignored == {"duplicate": 1}


def test_what_a_suspected_clock_told_is_not_decided_again_before_a_person_says_so(
    path: Path,
) -> None:
    table, second = users(path, source=["app.public.users", "other.public.users"]), 1000
    told = [
        later_by(record(key, "u", lsn, after={"id": key, "name": str(lsn)}), wait)
        for key, lsn, wait in ((1, second, 0), (2, 2 * second, 0))
    ]
    table.apply(
        [
            *told,
            later_by(truncate_record(5, FIRST), 3600),
            later_by(record(1, "u", 10, after={"id": 1, "name": "again"}), 3600),
        ]
    )
    known = {"suspected_reset": 2}

    table.apply(
        [snapshot(of_run(record(9, "r", 7, after={"id": 9, "name": "r"}), LATER), log="other")]
    )  # a run is learned: what is held is decided again

    assert counted(table) == known
    assert {row["name"] for row in rows_of(path).values()} == {str(second), str(2 * second), "r"}
    # healthy after all: what it told is old
    assert table.quarantine.dismiss(f"pg:app|{FIRST}", [table.spec]) == 2
    assert counted(table) == {}


def counted(table: anyorder.Table) -> dict[str, int]:
    return dict(Counter(entry.reason for entry in table.quarantine.entries()))


def of_run(made: dict[str, object], run: str) -> dict[str, object]:
    return {**made, "headers": [["__debezium.context.runId", run]]}


def later_by(made: dict[str, object], seconds: int) -> dict[str, object]:
    value = json.loads(str(made["value"]))
    value["source"]["ts_us"] += seconds * 1_000_000
    value["source"]["ts_ms"] += seconds * 1000
    return {**made, "value": json.dumps(value)}


def snapshot(made: dict[str, object], log: str = "app") -> dict[str, object]:
    value = json.loads(str(made["value"]))
    value["source"] |= {"name": log, "snapshot": "true"}
    return {**made, "value": json.dumps(value)}
