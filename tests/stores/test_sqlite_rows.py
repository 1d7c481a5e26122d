"""SQLite: what the user's own table holds is what was decided, whatever its columns convert, fold,
default or ignore."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder.errors import StoreError, TableNotEmpty
from anyorder.guard.contract import TableSpec
from anyorder.stores.sqlite.store import SQLiteStore
from tests.stores.older import set_back

Document = dict[str, Any] | str


class Own:
    """A table of the user's own in a database file, guarded, with documents as its events."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def sql(self, script: str) -> None:
        """Whatever the user does to his table."""
        with closing(sqlite3.connect(self.path)) as database:
            database.execute("PRAGMA foreign_keys = ON")
            database.executescript(script)

    def apply(self, *documents: Document, **options: Any) -> anyorder.Report:
        """A batch of documents."""
        options = {"key": "/id", "position": "/version"} | options
        table = anyorder.table(f"sqlite:///{self.path}", "t", **options)
        with closing(table):
            return table.apply(
                [one if isinstance(one, str) else json.dumps(one) for one in documents]
            )

    def one_by_one(self, *documents: Document, **options: Any) -> list[str]:
        """The reason of each, a batch each."""
        return [_reason(self.apply(document, **options)) for document in documents]

    def rows(self, columns: str = "*") -> list[tuple[Any, ...]]:
        """What the table holds."""
        with closing(sqlite3.connect(self.path)) as database:
            return sorted(database.execute(f"SELECT {columns} FROM t").fetchall(), key=repr)

    def details(self) -> list[str]:
        """What the quarantine says of what it holds."""
        with closing(sqlite3.connect(self.path)) as database:
            found = database.execute("SELECT detail FROM anyorder_quarantine ORDER BY id")
            return [detail for (detail,) in found]

    def findings(self) -> str:
        """What `doctor` is told of the table."""
        with closing(SQLiteStore(str(self.path))) as store:
            return "\n".join(" | ".join(found) for found in store.check(TableSpec("t")))


def _reason(report: anyorder.Report) -> str:
    if report.applied:
        return "applied"
    ((reason, _),) = (report.ignored + report.quarantined).items()
    return str(reason)


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path / "app.db")


# ---- keys


@pytest.mark.parametrize(
    ("collation", "first", "second"), [("NOCASE", "Ana", "ana"), ("RTRIM", "Ana", "Ana ")]
)
@pytest.mark.parametrize("step", [1, 2])
def test_a_key_never_takes_the_row_of_another_that_the_column_takes_for_it(
    own: Own, collation: str, first: str, second: str, step: int
) -> None:
    """Not by a put and not by a delete; in one batch or in two."""
    own.sql(f"CREATE TABLE t (id TEXT COLLATE {collation} PRIMARY KEY, version INT, n TEXT)")
    own.apply({"id": first, "version": 5, "n": "new"})
    events = [
        {"id": second, "version": 3, "n": "old"},
        {"id": second, "version": 4, "n": "older", "deleted": False},
        {"id": second, "version": 5, "deleted": True},
    ]
    for start in range(0, len(events), step):
        own.apply(*events[start : start + step], deleted="/deleted")

    assert own.rows("id, n") == [(first, "new")]
    assert f"meets the row of {json.dumps({'id': first})}".replace(": ", ":") in own.details()[0]
    assert f"COLLATE {collation}" in own.findings()


def test_one_folding_column_of_two_is_enough(own: Own) -> None:
    own.sql("CREATE TABLE t (a INT, b TEXT COLLATE NOCASE, n, PRIMARY KEY (a, b))")
    keyed = {"key": {"a": "/a", "b": "/b"}, "position": "/v"}

    reasons = own.one_by_one(
        {"a": 1, "b": "x", "v": 1, "n": 1},
        {"a": 1, "b": "X", "v": 2, "n": 2},
        {"a": 2, "b": "X", "v": 3, "n": 3},
        {"a": 1, "b": "x", "v": 4, "n": 4},
        **keyed,
    )

    assert reasons == ["applied", "malformed", "applied", "applied"]
    assert own.rows("a, b, n") == [(1, "x", 4), (2, "X", 3)]


@pytest.mark.parametrize(
    ("declared", "key", "is_kept"),
    [
        ("INTEGER PRIMARY KEY", 7, True),
        ("INTEGER PRIMARY KEY", "7", False),
        ("BIGINT UNSIGNED PRIMARY KEY", 2**63 - 1, True),
        ("BIGINT UNSIGNED PRIMARY KEY", 2**64 - 1, False),
        ("REAL PRIMARY KEY", 2**53 + 1, False),
        ("STRING PRIMARY KEY", "00123", False),
        ("STRING PRIMARY KEY", "123", False),
        ("STRING PRIMARY KEY", "A-17", True),
        ("ENUM PRIMARY KEY", "a", True),
        ("INTERVAL PRIMARY KEY", "00:10", True),
        ("HINT PRIMARY KEY", "00123", False),
        ("TEXT PRIMARY KEY", "00123", True),
        ("TEXT PRIMARY KEY", 123, False),
        ("PRIMARY KEY", 2**64 - 1, True),
        ("PRIMARY KEY", "00123", True),
    ],
)
def test_a_key_that_the_column_would_store_as_another_is_malformed(
    own: Own, declared: str, key: object, is_kept: bool
) -> None:
    own.sql(f"CREATE TABLE t (id {declared}, version INT)")

    reasons = own.one_by_one({"id": key, "version": 1})

    assert reasons == ["applied" if is_kept else "malformed"]
    assert [str(row[0]) for row in own.rows("id")] == ([str(key)] if is_kept else [])
    assert is_kept or "column" in own.details()[0]


def test_a_unique_index_of_an_expression_is_not_the_key(own: Own) -> None:
    own.sql("CREATE TABLE t (id, version, n); CREATE UNIQUE INDEX u ON t (id, lower(n))")

    with pytest.raises(StoreError, match="no primary key or unique index on"):
        own.apply({"id": 1, "version": 1, "n": "a"})


def test_a_key_that_differs_from_the_column_in_case_alone_is_told_so(own: Own) -> None:
    own.sql("CREATE TABLE t (Id INTEGER PRIMARY KEY, version)")

    with pytest.raises(StoreError, match="the table calls it Id: say so in key="):
        own.apply({"id": 1, "version": 1})


def test_a_second_index_that_folds_keys_is_named_and_no_trigger(own: Own) -> None:
    own.sql(
        "CREATE TABLE t (id TEXT PRIMARY KEY, version); CREATE UNIQUE INDEX u ON t"
        " (id COLLATE NOCASE)"
    )

    reasons = own.one_by_one({"id": "a", "version": 1}, {"id": "A", "version": 1})

    assert reasons == ["applied", "malformed"]
    assert "meets the row of" in own.details()[0]
    assert "trigger" not in own.details()[0]


def test_a_key_that_the_table_makes_itself_is_no_key(own: Own) -> None:
    own.sql("CREATE TABLE t (a, id AS (a + 1) STORED UNIQUE, version)")

    with pytest.raises(StoreError, match="key column id of table t is generated"):
        own.apply({"id": 1, "version": 1, "a": 0})


# ---- values


@pytest.mark.parametrize(
    ("declared", "text", "is_kept"),
    [
        ("STRING", '"00123"', False),
        ("STRING", '"123"', True),
        ("STRING", '"1e5"', False),
        ("STRING", '" 1"', False),
        ("STRING", '"x"', True),
        ("DATE", '"2026-11-27"', True),
        ("DATE", '"0x10"', True),
        ("INT", '"12.30"', True),
        ("INT", '"00123"', True),
        ("INT", "true", True),
        ("INT", "1.0", True),
        ("INT", "1.5", True),
        ("INT", "18446744073709551615", False),
        ("INT", "18446744073709551616", False),
        ("DECIMAL(10,2)", '"12.30"', True),
        ("DECIMAL(20,2)", '"12345678901234567.89"', False),
        ("DECIMAL(20,2)", "12345678901234567.89", False),
        ("NUMERIC", '"0.1"', True),
        ("DOUBLE", "9007199254740993", False),
        ("DOUBLE", "9007199254740992", True),
        ("DOUBLE", '"1E+999"', False),
        ("REAL", "-0.0", True),
        ("MONEY", '"0.30000000000000004"', True),
        ("TEXT", "7", True),
        ("TEXT", "0.30000000000000004", False),
        ("TEXT", '"1.50"', True),
        ("TEXT", "true", True),
        ("TEXT", '{"a": "1"}', True),
        ("NUMERIC", "[1, 2]", True),
        ("ANY", '"00123"', False),
        ("ENUM", '"01"', False),
        ("INTERVAL", '"1.50"', False),
        ("PHONE_NUMBER", '"0049170"', False),
        ("PHONE NUMBER", '"0049170"', False),
        ("POINT", '" 7"', False),
        ("SERIAL_NO", '"01"', False),
        ("DECODED", '"01"', False),
        ("REALM", '"01"', False),
        ("MONEYBAG", '"1.50"', False),
        ("FIXEDLENGTH", '"01"', False),
        ("PRINTABLE", '"x"', True),
        ("unsigned big int", '"00123"', True),
        ("double precision", '"12.30"', True),
        ("INTEGER AUTO_INCREMENT", '"12.30"', True),
        ("BLOB", '"00123"', True),
        ("", '"00123"', True),
    ],
)
def test_what_a_column_would_change_is_refused_and_what_it_keeps_is_stored(
    own: Own, declared: str, text: str, is_kept: bool
) -> None:
    own.sql(f"CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, x {declared})")

    report = own.apply('{"id": 1, "version": 1}', f'{{"id": 2, "version": 1, "x": {text}}}')

    assert report.applied == 1 + is_kept
    assert is_kept or "column x is declared" in own.details()[0]
    if is_kept and text.startswith('"') and declared in ("STRING", "TEXT", "BLOB", "", "DATE"):
        assert str(own.rows("x")[0][0]) == json.loads(text)


@pytest.mark.parametrize(
    ("declared", "is_kept"), [("ANY", True), ("INTEGER", True), ("TEXT", True)]
)
def test_a_strict_table_converts_too_and_any_keeps_all(
    own: Own, declared: str, is_kept: bool
) -> None:
    own.sql(f"CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, x {declared}) STRICT")

    own.apply({"id": 1, "version": 1, "x": "00123"}, {"id": 2, "version": 1, "x": 2**64 - 1})

    kept = {"ANY": ["00123", str(2**64 - 1)], "INTEGER": ["123"], "TEXT": ["00123", str(2**64 - 1)]}
    assert [str(x) for (x,) in own.rows("x")] == kept[declared]


# ---- columns


def test_what_no_event_names_is_never_written(own: Own) -> None:
    own.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, a, mine NOT NULL DEFAULT 'd')")
    own.apply({"id": 1, "version": 1, "a": 1})
    own.sql("UPDATE t SET mine = 'by hand'")

    own.apply({"id": 1, "version": 2, "a": 2}, {"id": 2, "version": 1, "a": 1})

    assert own.rows("id, a, mine") == [(1, 2, "by hand"), (2, 1, "d")]


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("partial", [True, False])
def test_a_delete_takes_what_no_event_names_in_batches_of_any_size(
    own: Own, step: int, partial: bool
) -> None:
    """Nothing of a deleted row clings to the row that comes after it."""
    own.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, a, mine NOT NULL DEFAULT 'd')")
    own.apply({"id": 1, "version": 1, "a": 1})
    own.sql("UPDATE t SET mine = 'by hand'")
    documents: list[Document] = [
        {"id": 1, "version": 2, "deleted": True},
        {"id": 1, "version": 3, "a": 3},
    ]

    for place in range(0, 2, step):
        own.apply(*documents[place : place + step], partial=partial, deleted="/deleted")

    assert own.rows("id, a, mine") == [(1, 3, "d")]


@pytest.mark.parametrize(
    "default",
    [
        *("'d'", "7", "bare", '"quoted"', "NULL", "(1 + 1)", "-1", "[in brackets]", "`a b`"),
        *("`it's ``back`` `", "straße", "a$b", "(5 -- five\n)", "(5 /* five */)", '"two ""x"""'),
    ],
)
@pytest.mark.parametrize("step", [1, 4])
def test_a_column_that_is_ours_goes_back_to_its_own_default_in_every_order(
    tmp_path: Path, default: str, step: int
) -> None:
    """What a whole put does not name, on insert and on update; alone and together with parts."""
    events = [
        {"id": 1, "version": 1, "a": 1, "c": "told"},
        {"id": 1, "version": 2, "a": 2},
        {"id": 1, "version": 3, "partial": True, "a": 3},
        {"id": 2, "version": 1, "c": "x"},
    ]
    shown = set()
    for number, order in enumerate(itertools.permutations(events)):
        own = Own(tmp_path / f"{number}.db")
        own.sql(
            f"CREATE TABLE t (id INTEGER PRIMARY KEY, version, partial, a, c DEFAULT {default})"
        )
        for start in range(0, len(order), step):
            own.apply(*order[start : start + step])
        shown.add(tuple(own.rows("id, a, c")))

    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE TABLE d (id, c DEFAULT {default})")
        database.execute("INSERT INTO d (id) VALUES (1)")
        ((expected,),) = database.execute("SELECT c FROM d").fetchall()
    assert shown == {((1, 3, expected), (2, None, "x"))}


def test_parts_of_a_row_in_every_order_leave_a_default_where_nobody_tells(tmp_path: Path) -> None:
    """An older whole put takes what the newer part did not tell; the rest goes to its default,
    which here is the text b, not the column."""
    shown = set()
    for number, order in enumerate(itertools.permutations(range(3))):
        own = Own(tmp_path / f"{number}.db")
        own.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, version, a, b, c DEFAULT b)")
        own.apply({"id": 9, "version": 1, "a": 1, "b": 1, "c": 1})
        steps: list[tuple[dict[str, Any], bool]] = [
            ({"id": 1, "version": 1, "a": 1, "b": 1, "c": 1}, False),
            ({"id": 1, "version": 2, "a": 2}, False),
            ({"id": 1, "version": 3, "b": 3}, True),
        ]
        for step in order:
            document, partial = steps[step]
            own.apply(document, partial=partial)
        shown.add(own.rows("id, a, b, c")[0])

    assert shown == {(1, 2, 3, "b")}


@pytest.mark.parametrize(
    ("default", "text"),
    [
        ("'d'", "d"),
        ("[in brackets]", "in brackets"),
        ("`it's ``back`` `", "it's `back` "),
        ("straße", "straße"),
        ("a$b", "a$b"),
        ("('d' -- a comment\n)", "d"),
    ],
)
def test_a_column_that_a_delete_ended_has_its_default_in_every_order(
    tmp_path: Path, default: str, text: str
) -> None:
    """Nobody tells it in the life that began after the delete, whichever of them came first."""
    shown = set()
    for number, order in enumerate(itertools.permutations(range(3))):
        own = Own(tmp_path / f"{number}.db")
        own.sql(
            f"CREATE TABLE t (id INTEGER PRIMARY KEY, version, b, c NOT NULL DEFAULT {default})"
        )
        own.apply({"id": 9, "version": 1, "b": 1, "c": 1})
        steps: list[tuple[dict[str, Any], bool]] = [
            ({"id": 1, "version": 1, "c": 1}, True),
            ({"id": 1, "version": 2, "deleted": True}, False),
            ({"id": 1, "version": 3, "b": 3}, True),
        ]
        for step in order:
            document, partial = steps[step]
            own.apply(document, partial=partial, deleted="/deleted")
        assert own.details() == []
        shown.add(own.rows("id, b, c")[0])

    assert shown == {(1, 3, text)}


def test_a_column_that_the_user_adds_is_filled_from_then_on_and_was_counted_before(
    own: Own,
) -> None:
    own.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, version INT)")
    own.apply({"id": 1, "version": 1, "phone": "1"}, {"id": 2, "version": 1, "phone": "2"})
    before = own.findings()
    own.sql("ALTER TABLE t ADD COLUMN phone TEXT")
    own.apply({"id": 1, "version": 2, "phone": "3"})

    assert "events tell columns that the table lacks: phone (2 times)" in before
    assert own.findings() == ""
    assert own.rows("id, phone") == [(1, "3"), (2, None)]


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_an_adopted_row_holds_does_not_depend_on_who_names_a_column_first(
    own: Own, order: tuple[int, ...], size: int
) -> None:
    """A column that any event names is the events', in every row that one of them tells whole; what
    none names is the user's."""
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, a DEFAULT 'none', b, mine);"
        "INSERT INTO t VALUES (1, 0, 'old', 'old', 'mine'), (2, 0, 'old', 'old', 'mine'),"
        "(3, 0, 'old', 'old', 'mine')"
    )
    events = [
        {"id": 1, "version": 1, "a": "1", "b": "1"},
        {"id": 1, "version": 2, "b": "2"},
        {"id": 2, "version": 1, "b": "1"},
    ]
    told = [events[place] for place in order]
    for start in range(0, 3, size):
        own.apply(*told[start : start + size], adopt="older-than-everything")

    assert own.rows() == [
        (1, 2, "none", "2", "mine"),
        (2, 1, "none", "1", "mine"),
        (3, 0, "old", "old", "mine"),
    ]


@pytest.mark.parametrize(
    ("declared", "keys", "told", "said"),
    [
        ("", [b"abc"], "YWJj", "1 by id, as X'616263': bytes"),
        ("", [None, 1, None], 1, "2 by id, as NULL: no value"),
        ("INT", ["abc", 1], 1, "1 by id, as 'abc': a text, and the column is a number"),
        ("", [1, 2, "3"], 1, "1 by id, as '3': a text, and the column is a number"),
        ("", ["1", "2", 3], "1", "1 by id, as 3: a number, and the column is a text"),
        ("TEXT", ["1", b"2"], "1", "1 by id, as X'32': bytes"),
        ("BOOLEAN", [0, 1, 2], True, "1 by id, as 2: a number, and the column is a boolean"),
        ("", [1e19, 1], 1, "1 by id, as 1.0e+19: a double beyond 64 bits"),
        ("REAL", [float("inf"), 1], 1, ": infinite)"),
        ("", [1.5, 3.0, -(2**63), 2**63 - 1], 3, ""),
        ("REAL", [1e19, 1.5], 10**19, ""),
        ("BOOLEAN", [0, 1], False, ""),
        ("", ["1", "a", "é"], "é", ""),
    ],
)
@pytest.mark.parametrize("is_learned", [True, False])
def test_rows_whose_key_no_event_can_have_are_not_adopted(
    own: Own, declared: str, keys: list[object], told: object, said: str, is_learned: bool
) -> None:
    """Nothing is written, and the sentence counts them and shows one; what events can have is
    adopted. The key is declared, or learned from the first event."""
    own.sql(f"CREATE TABLE t (id {declared}, version, n, PRIMARY KEY (id))")
    with closing(sqlite3.connect(own.path)) as database, database:
        database.executemany("INSERT INTO t VALUES (?, 0, 'old')", [(key,) for key in keys])
    event = {"id": told, "version": 1, "n": "new"}
    record = {"topic": "t", "partition": 0, "offset": 0, "key": json.dumps({"id": told}).encode()}
    options: dict[str, Any] = {"envelope": "raw"}
    if not is_learned:
        options = {"key": "/id", "position": "/version"}
    records = [record | {"value": json.dumps(event).encode()}] if is_learned else [event]
    table = anyorder.table(f"sqlite:///{own.path}", "t", adopt="older-than-everything", **options)

    with closing(table):
        if said:
            with pytest.raises(TableNotEmpty, match=re.escape(said)):
                table.apply(records)
        else:
            assert table.apply(records).applied == 1

    assert len(own.rows()) == len(keys)
    assert ("new" in repr(own.rows())) is not bool(said)


def test_a_row_that_no_event_can_have_is_found_by_doctor_where_it_came_later(own: Own) -> None:
    own.sql("CREATE TABLE t (id PRIMARY KEY, version, n); INSERT INTO t VALUES (1, 0, 'old')")
    own.apply({"id": 1, "version": 1, "n": "new"}, adopt="older-than-everything")
    own.sql("INSERT INTO t VALUES (NULL, 0, 'x'), (9e999, 0, 'x')")

    assert "(2 by id, as " in own.findings()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_both_contents_of_a_dispute_name_their_columns(own: Own, order: tuple[int, int]) -> None:
    """Whichever is shown, it is the same row."""
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, a, b);"
        "INSERT INTO t VALUES (1, 0, 'old', 'old')"
    )
    events = [{"id": 1, "version": 1, "a": "1"}, {"id": 1, "version": 1, "b": "1"}]
    for place in order:
        own.apply(events[place], adopt="older-than-everything")

    assert "old" not in own.rows()[0]


def test_an_old_value_that_may_not_go_stays_and_sinks_nobody(own: Own) -> None:
    """Where the table refuses to let go of it, the row of before is left alone."""
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, a);"
        "INSERT INTO t VALUES (1, 0, 'old'), (2, 0, 'old');"
        "CREATE TRIGGER keeping BEFORE UPDATE OF a ON t WHEN NEW.a IS NULL "
        "BEGIN SELECT RAISE(ABORT, 'a is kept'); END"
    )
    adopting = {"adopt": "older-than-everything"}
    own.apply({"id": 1, "version": 1}, **adopting)

    report = own.apply({"id": 2, "version": 1, "a": "new"}, **adopting)

    assert report.applied == 1
    assert own.rows() == [(1, 1, "old"), (2, 1, "new")]


def test_what_the_user_filled_in_for_the_events_of_before_is_not_taken_away(own: Own) -> None:
    """He added the column that events had named, as `doctor` told him, and its values."""
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, version INT);INSERT INTO t VALUES (1, 0), (2, 0)"
    )
    adopting = {"adopt": "older-than-everything"}
    own.apply(*({"id": key, "version": 1, "phone": "1"} for key in (1, 2)), **adopting)
    own.sql("ALTER TABLE t ADD COLUMN phone; UPDATE t SET phone = 'filled in'")

    own.apply({"id": 2, "version": 2, "phone": "2"}, **adopting)

    assert own.rows("id, phone") == [(1, "filled in"), (2, "2")]


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_table_that_is_made_has_the_columns_of_every_event(
    own: Own, order: tuple[int, int], size: int
) -> None:
    """Also those that only an event names which a newer one has overtaken."""
    events = [
        {"id": 1, "version": 1, "a": "1"},
        {"id": 1, "version": 2, "b": "2"},
    ]
    told = [events[place] for place in order]
    for start in range(0, 2, size):
        own.apply(*told[start : start + size])

    assert own.rows("id, a, b") == [(1, None, "2")]


def test_a_name_that_no_column_can_have_is_no_trouble_where_it_is_overtaken(own: Own) -> None:
    own.apply({"id": 1, "version": 2, "b": "2"})

    reasons = own.one_by_one({"id": 1, "version": 1, "B": "1", "nul\x00": 1, "a": 1})

    assert reasons == ["stale"]
    assert own.rows("id, a, b") == [(1, None, "2")]


def test_the_table_is_looked_at_again_while_we_run(own: Own) -> None:
    """Columns that the user adds, renames and drops under an open connection."""
    table = anyorder.table(f"sqlite:///{own.path}", "t", key="/id", position="/v")
    with closing(table):
        table.apply(['{"id": 1, "v": 1, "a": 1, "b": 1}'])
        own.sql("ALTER TABLE t ADD COLUMN c; ALTER TABLE t DROP COLUMN a")
        table.apply(['{"id": 1, "v": 2, "b": 2, "c": 2}'])
        own.sql("ALTER TABLE t RENAME COLUMN b TO d")
        said = own.findings()
        table.apply(['{"id": 1, "v": 3, "a": 3, "b": 3, "c": 3}'])

        assert "columns that events told are gone from the table: b, a" in said
        assert own.rows("id, v, a, b, c, d") == [(1, 3, 3, 3, 3, 2)]
        own.sql("DROP TABLE t")
        with pytest.raises(StoreError, match="table t is gone"):
            table.apply(['{"id": 1, "v": 4}'])


@pytest.fixture
def told(own: Own, caplog: pytest.LogCaptureFixture) -> Callable[[str, Document], list[str]]:
    """What a writer that goes on says when the user has done this to the table."""
    table = anyorder.table(f"sqlite:///{own.path}", "t", key="/id", position="/v")

    def tell(script: str, document: Document) -> list[str]:
        caplog.clear()
        own.sql(script)
        table.apply([document if isinstance(document, str) else json.dumps(document)])
        return [record.getMessage() for record in caplog.records]

    return tell


@pytest.mark.parametrize("act", ["DROP COLUMN a", "RENAME COLUMN a TO b"])
@pytest.mark.parametrize("is_own", [True, False])
def test_a_column_that_goes_while_we_run_is_told_once(
    own: Own, told: Callable[[str, Document], list[str]], act: str, is_own: bool
) -> None:
    """And what follows: in a table that we made it is made anew, in the user's own it is not."""
    made = "CREATE TABLE t (id PRIMARY KEY, v, a)" if is_own else ""
    assert told(made, {"id": 1, "v": 1, "a": 1}) == []
    first = told(f"ALTER TABLE t {act}", {"id": 1, "v": 2, "a": 2})
    follows = "is not written until it is there again" if is_own else "makes it anew"

    assert [follows in line for line in first] == [True]
    assert first[0].startswith("column a is gone from table t, dropped or renamed: ")
    assert told("", {"id": 1, "v": 3, "a": 3}) == []
    assert told("CREATE TABLE another (a)", {"id": 1, "v": 4, "a": 4}) == []


def test_what_is_gone_is_not_told_as_lacked_too(
    own: Own, told: Callable[[str, Document], list[str]]
) -> None:
    """It was lacked before it came, and is gone now: one finding of one column."""
    told("CREATE TABLE t (id PRIMARY KEY, v)", {"id": 1, "v": 1, "a": 1})
    assert "lacks: a (once)" in own.findings()
    told("ALTER TABLE t ADD COLUMN a", {"id": 1, "v": 2, "a": 2})
    told("ALTER TABLE t DROP COLUMN a", {"id": 1, "v": 3, "a": 3})

    assert "gone from the table: a" in own.findings()
    assert "lacks" not in own.findings()


def test_a_column_that_comes_back_and_goes_again_is_told_again(
    own: Own, told: Callable[[str, Document], list[str]]
) -> None:
    told("CREATE TABLE t (id PRIMARY KEY, v, a)", {"id": 1, "v": 1, "a": 1})
    told("ALTER TABLE t DROP COLUMN a", {"id": 1, "v": 2, "a": 2})

    assert told("ALTER TABLE t ADD COLUMN a", {"id": 1, "v": 3, "a": 3}) == []
    assert len(told("ALTER TABLE t DROP COLUMN a", {"id": 1, "v": 4, "a": 4})) == 1


def test_a_table_that_is_made_anew_while_we_run_is_told_once(
    own: Own, told: Callable[[str, Document], list[str]]
) -> None:
    """Unless nothing of it is remembered."""
    made = "CREATE TABLE t (id PRIMARY KEY, v, a);"
    assert told(made, {"id": 1, "v": 1, "a": 1}) == []
    first = told("DROP TABLE t;" + made, {"id": 2, "v": 1, "a": 1})

    assert [line.partition(",")[0] for line in first] == ["table t is empty"]
    assert told("ALTER TABLE t ADD COLUMN c", {"id": 1, "v": 2, "a": 2}) == []
    assert own.rows("id, a") == [(1, 2), (2, 1)]


def test_a_table_of_which_nothing_is_remembered_may_be_empty(
    own: Own, told: Callable[[str, Document], list[str]]
) -> None:
    """Its last row was deleted by an event."""
    told("CREATE TABLE t (id PRIMARY KEY, v, a)", {"id": 1, "v": 1, "a": 1})
    table = anyorder.table(
        f"sqlite:///{own.path}", "t", key="/id", position="/v", deleted="/deleted"
    )
    with closing(table):
        table.apply([{"id": 1, "v": 2, "deleted": True}])

    assert told("ALTER TABLE t ADD COLUMN c", {"id": 2, "v": 1, "a": 1}) == []


def test_only_ascii_case_is_one_name_to_sqlite(own: Own) -> None:
    report = own.apply(
        {"id": 1, "version": 1, "É": 1, "é": 2}, {"id": 2, "version": 1, "A": 1, "a": 2}
    )

    assert report.applied == 1
    assert own.rows('"É", "é"') == [(1, 2)]
    assert "differs only in case" in own.details()[0]


def test_what_was_added_and_rolled_back_is_added_again(own: Own) -> None:
    """A batch that one event spoils is written one by one, its new columns too."""
    own.apply({"id": 1, "version": 1, "m": "a"})
    own.sql("CREATE UNIQUE INDEX u ON t (m)")

    own.apply({"id": 1, "version": 2, "m": "a", "z": 1}, {"id": 2, "version": 1, "m": "a", "z": 1})

    assert own.rows("id, z") == [(1, 1)]


def test_a_key_that_only_a_refused_event_told_is_not_the_table_s(own: Own) -> None:
    raw = anyorder.table(f"sqlite:///{own.path}", "t", envelope="raw")
    odd = json.dumps({"A" * 300: 1}).encode()

    with closing(raw):
        report = raw.apply(
            [
                {"topic": "t", "partition": 0, "offset": number, "key": key, "value": b'{"x": 1}'}
                for number, key in enumerate([odd, b"a", b"b"])
            ]
        )

    assert (report.applied, report.quarantined) == (2, {"malformed": 1})
    assert own.rows("id") == [("a",), ("b",)]


def test_more_columns_than_sqlite_has_are_malformed(own: Own) -> None:
    wide = {f"c{number}": number for number in range(2500)}

    report = own.apply({"id": 1, "version": 1}, {"id": 2, "version": 1, **wide})

    assert (report.applied, report.quarantined) == (1, {"malformed": 1})
    assert "SQLite's limit is" in own.details()[0]


def test_books_of_before_list_columns_that_no_event_named_and_they_are_let_go(own: Own) -> None:
    """Those of a table that the user made; one that we made keeps its own."""
    own.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, a, mine)")
    own.apply({"id": 1, "version": 1, "a": 1})
    set_back(own.path, 3)
    own.sql(
        'UPDATE anyorder_table SET columns = \'["id","version","a","mine"]\';'
        "INSERT INTO anyorder_table (name, key_columns, columns, floor, created, adopt)"
        " VALUES ('ours', '[\"id\"]', '[\"id\",\"b\"]', '{\"entries\":{}}', 1, 'refuse');"
        "UPDATE t SET mine = 'by hand'"
    )
    own.apply({"id": 1, "version": 2, "a": 2})

    assert own.rows("a, mine") == [(2, "by hand")]
    with closing(sqlite3.connect(own.path)) as database:
        listed = dict(database.execute("SELECT name, columns FROM anyorder_table"))
    assert json.loads(listed["ours"]) == ["id", "b"]
    assert sorted(json.loads(listed["t"])) == ["a", "id", "version"]


# ---- what wrote nothing


@pytest.mark.parametrize("act", ["INSERT", "UPDATE", "DELETE"])
def test_what_a_trigger_ignores_is_not_applied(own: Own, act: str) -> None:
    own.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, gone)")
    first = own.one_by_one({"id": 1, "version": 1})
    own.sql(f"CREATE TRIGGER g BEFORE {act} ON t BEGIN SELECT RAISE(IGNORE); END")
    second = {
        "INSERT": {"id": 2, "version": 1},
        "UPDATE": {"id": 1, "version": 2},
        "DELETE": {"id": 1, "version": 2, "gone": True},
    }[act]

    assert first + own.one_by_one(second, deleted="/gone") == ["applied", "malformed"]
    assert own.rows("id, version") == [(1, 1)]
    assert "trigger" in own.details()[0]


OBJECT, TEXT = '{"name": "a"}', "no JSON"
LEAST = -(2**63)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("script", "good", "bad"),
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a, n AS (a ->> '$.name') STORED)", OBJECT, TEXT),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a, n AS (abs(a)) STORED)", 5, LEAST),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a CHECK (json_type(a) > 'o'))", OBJECT, TEXT),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a);"
            "CREATE INDEX names ON t (json_extract(a, '$.name'))",
            OBJECT,
            TEXT,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE log (x);"
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN"
            " INSERT INTO log VALUES (json_extract(new.a, '$.name')); END",
            OBJECT,
            TEXT,
        ),
    ],
)
def test_what_an_expression_of_the_table_cannot_evaluate_is_malformed_alone(
    own: Own, script: str, good: object, bad: object, batch: int
) -> None:
    own.sql(script)
    documents = [{"id": number, "version": 1, "a": good} for number in range(3)]
    documents[1]["a"] = bad
    for start in range(0, 3, batch):
        own.apply(*documents[start : start + batch])

    assert own.rows("id, a") == [(0, good), (2, good)]
    assert "expression of table t" in own.details()[0]


def test_a_delete_whose_trigger_cannot_be_evaluated_is_malformed_alone(own: Own) -> None:
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE log (x);"
        "CREATE TRIGGER g AFTER DELETE ON t BEGIN"
        " INSERT INTO log VALUES (json_extract(old.a, '$.name')); END"
    )
    for number, told in enumerate((OBJECT, TEXT)):
        own.apply({"id": number, "version": 1, "a": told})
    own.apply(*({"id": number, "version": 2, "gone": True} for number in (1, 0)), deleted="/gone")

    assert own.rows("id") == [(1,)]
    assert "expression of table t" in own.details()[0]


def test_a_ring_whose_free_value_cannot_be_evaluated_waits(own: Own) -> None:
    """Two rows that swap values are freed by a text for a moment, which is no JSON."""
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL UNIQUE,"
        " n AS (a ->> '$.name') STORED)"
    )
    one, two = '{"name": "a"}', '{"name": "b"}'
    own.apply({"id": 1, "version": 1, "a": one}, {"id": 2, "version": 1, "a": two})
    own.apply({"id": 1, "version": 2, "a": two}, {"id": 2, "version": 2, "a": one})

    assert own.rows("id, a") == [(1, one), (2, two)]


def test_a_trigger_that_no_row_can_pass_is_the_table_s_trouble_and_not_the_event_s(
    own: Own,
) -> None:
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a);"
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO nowhere VALUES (1); END"
    )
    with pytest.raises(StoreError, match="no such table"):
        own.apply({"id": 1, "version": 1, "a": 1})


@pytest.mark.parametrize("clause", ["IGNORE", "REPLACE", "ROLLBACK", "FAIL"])
def test_the_table_s_own_conflict_clause_does_not_count(own: Own, clause: str) -> None:
    """A row that it would drop, or whose neighbour it would drop, waits instead."""
    own.sql(
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, mail UNIQUE ON CONFLICT {clause},"
        f" n NOT NULL ON CONFLICT {clause} DEFAULT 4)"
    )
    reasons = own.one_by_one(
        {"id": 1, "version": 1, "mail": "a", "n": 1},
        {"id": 2, "version": 1, "mail": "a", "n": 1},
        {"id": 3, "version": 1, "mail": "c", "n": None},
        {"id": 1, "version": 2, "mail": "b", "n": None},
    )

    assert reasons == ["applied", "waiting", "malformed", "malformed"]
    assert own.rows() == [(1, 1, "a", 1)]


@pytest.mark.parametrize(
    "moving",
    ["UPDATE t SET id = 100 + id WHERE id = NEW.id", "DELETE FROM t WHERE id = NEW.id"],
)
@pytest.mark.parametrize("when", ["INSERT", "UPDATE OF n"])
def test_a_row_that_a_trigger_takes_from_its_key_is_malformed_and_its_neighbours_are_not(
    own: Own, moving: str, when: str
) -> None:
    """Remembered as if it were there, its next event would meet the row that it has become."""
    own.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, n);"
        f"CREATE TRIGGER away AFTER {when} ON t WHEN NEW.n = 9 BEGIN {moving}; END"
    )
    own.apply({"id": 1, "version": 1, "n": 1}, {"id": 2, "version": 1, "n": 1})
    moved = 3 if when == "INSERT" else 1

    own.apply({"id": moved, "version": 2, "n": 9}, {"id": 2, "version": 2, "n": 2})
    (said,) = own.details()
    again = own.one_by_one({"id": 1, "version": 3, "n": 3}, {"id": 3, "version": 3, "n": 3})

    assert said.startswith('a trigger of table t takes the row of {"id":')
    assert again == ["applied", "applied"]
    assert own.rows("id, n") == [(1, 3), (2, 2), (3, 3)]


def test_a_row_that_a_cascade_took_is_missed_and_doctor_names_who(own: Own) -> None:
    own.sql(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, n,"
        " p REFERENCES p ON DELETE CASCADE);"
        "INSERT INTO p VALUES (1), (2)"
    )
    own.apply({"id": 1, "version": 1, "n": 1, "p": 1}, {"id": 2, "version": 1, "n": 1, "p": 1})
    own.sql("DELETE FROM p WHERE id = 1")

    said = own.findings()
    part = own.one_by_one({"id": 1, "version": 2, "n": 2}, partial=True)
    whole = own.one_by_one({"id": 1, "version": 3, "n": 3, "p": 2})

    assert "2 rows are remembered and gone: ON DELETE CASCADE of p or somebody by hand" in said
    assert (part, whole) == (["conflict"], ["applied"])
    assert "is gone from table t, though no event deleted it" in own.details()[0]
    assert own.rows("id, n, p") == [(1, 3, 2)]


def test_what_a_batch_tells_of_a_missing_column_is_counted_once_whatever_was_refused(
    own: Own,
) -> None:
    own.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, version INT, n INT NOT NULL)")
    own.apply({"id": 3, "version": 1, "n": 1})

    own.apply({"id": 1, "version": 1, "n": 1, "phone": "a"}, {"id": 2, "version": 1, "n": None})

    assert "phone (once)" in own.findings()
