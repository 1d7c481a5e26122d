"""What SQLite refuses for now, or only at COMMIT: it is held alone, its neighbours are applied, and
it settles by itself as soon as what stood in the way has moved."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator, Sequence

import pytest

from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, StoreError, Undone
from anyorder.guard.contract import TableSpec
from anyorder.guard.quarantine import Quarantine
from anyorder.testing.change import Change, decode, part, put, truncate
from tests.stores.older import set_back
from tests.stores.shop import Make, Told

CHILDREN = "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE c (id PRIMARY KEY, p REFERENCES p (id))"
DEFERRED = CHILDREN.replace("(id))", "(id) DEFERRABLE INITIALLY DEFERRED)")
EMAILS = "CREATE TABLE t (id INTEGER PRIMARY KEY, email UNIQUE)"


def child(key: object, parent: object, version: int = 1) -> Told:
    return ("c", Change(key, version, {"p": parent}))


def parent(key: object, version: int = 1) -> Told:
    return ("p", Change(key, version, {}))


def has(key: object, email: object, version: int = 1) -> Told:
    return ("t", Change(key, version, {"email": email}))


# ---- undone as a whole


SAID = [
    (
        CHILDREN,
        [("c", Change(1, 1, {"p": 7}))],
        "its p names the row of p with id = 7, which is not there",
    ),
    (
        DEFERRED,
        [("c", Change(1, 1, {"p": 7}))],
        "its p names the row of p with id = 7, which is not there",
    ),
    (
        EMAILS,
        [
            ("t", Change(1, 1, {"email": "a@b"})),
            ("t", Change(2, 1, {"email": "a@b"})),
        ],
        'its email = "a@b" must be unique, and the row of t with id = 1 holds it',
    ),
    (
        CHILDREN,
        [
            ("p", Change(7, 1, {})),
            ("c", Change(1, 1, {"p": 7})),
            ("p", Change(7, 2)),
        ],
        "the row of c with id = 1 still names it by its p = 7",
    ),
]


@pytest.mark.parametrize(("schema", "told", "detail"), SAID)
def test_an_entry_that_waits_names_the_row_that_it_waits_for(
    make: Make, schema: str, told: list[Told], detail: str
) -> None:
    shop = make(schema)

    for one in told:
        shop.take(one)

    assert shop.details() == [detail]


def test_an_entry_that_is_refused_although_its_row_came_names_it_no_more(make: Make) -> None:
    shop = make(
        f"{CHILDREN}; CREATE TRIGGER no BEFORE INSERT ON c BEGIN SELECT RAISE(ABORT, 'no')"
        " WHERE EXISTS (SELECT 1 FROM p); END"
    )
    shop.take(("c", Change(1, 1, {"p": 7})))

    shop.take(("p", Change(7, 1, {})))
    shop.take(("p", Change(8, 1, {})))

    assert shop.details() == [
        "its table refuses it for now, and no row that stands in the way is known"
    ]


def test_an_entry_that_waits_for_another_row_by_now_names_that_one(make: Make) -> None:
    shop = make(
        "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE c (id PRIMARY KEY, p REFERENCES p, q UNIQUE)"
    )
    shop.take(("c", Change(1, 1, {"p": None, "q": "x"})))
    shop.take(("c", Change(2, 1, {"p": 7, "q": "y"})))
    shop.by_hand("UPDATE c SET q = 'y'")

    shop.take(("p", Change(7, 1, {})))
    shop.take(("p", Change(8, 1, {})))

    assert shop.details() == ['its q = "y" must be unique, and the row of c with id = 1 holds it']


def test_what_is_refused_at_commit_waits_alone_and_settles_with_its_parent(make: Make) -> None:
    shop = make(DEFERRED)

    reasons = shop.take(child(1, 7), child(2, None), parent(5), child(3, 5))

    assert reasons == [Reason.WAITING, Reason.APPLIED, Reason.APPLIED, Reason.APPLIED]
    assert shop.rows("c") == {2: None, 3: 5}
    assert shop.frontier() == "1"
    shop.take(parent(7))
    assert shop.rows("c") == {1: 7, 2: None, 3: 5}
    assert shop.open() == []


def test_what_waits_of_a_key_settles_behind_what_commit_never_takes(make: Make) -> None:
    shop = make(DEFERRED)
    shop.take(child(1, 7, 1))
    shop.take(child(1, 99, 3))
    shop.take(child(1, 8, 2))

    shop.take(parent(7))
    assert shop.rows("c") == {1: 7}
    shop.take(parent(8))
    assert shop.rows("c") == {1: 8}

    assert shop.details() == ["its p names the row of p with id = 99, which is not there"]


def test_a_truncate_decides_again_what_is_held_beside_what_commit_refuses(make: Make) -> None:
    """One that undoes the transaction is in nobody's way."""
    shop = make(DEFERRED.replace("PRIMARY KEY, p", "PRIMARY KEY, a STRING, p"))
    told = Change(2, 5, {"a": "007", "p": None})
    shop.take(("c", Change(1, 5, {"a": "x", "p": 7})), ("c", told))
    assert [reason for _, _, reason in shop.open()] == ["waiting", "malformed"]
    shop.by_hand("ALTER TABLE c RENAME a TO o; ALTER TABLE c ADD a TEXT")

    shop.take(("c", truncate(1)))

    assert [key for _, key, _ in shop.open()] == [1]


def test_a_child_and_its_parent_in_one_batch_may_come_in_any_order_at_commit(make: Make) -> None:
    shop = make(DEFERRED)

    assert set(shop.take(child(1, 7), parent(7))) == {Reason.APPLIED}


def test_rows_that_name_each_other_settle_where_commit_checks_them(
    make: Make,
) -> None:
    shop = make(
        "CREATE TABLE a (id PRIMARY KEY, b REFERENCES b (id) DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TABLE b (id PRIMARY KEY, a REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);"
    )

    shop.take(("a", Change(1, 1, {"b": 2})))
    shop.take(("b", Change(2, 1, {"a": 1})))

    assert (shop.rows("a"), shop.rows("b"), shop.open()) == ({1: 2}, {2: 1}, [])


@pytest.mark.parametrize(
    "refusal",
    [
        "CREATE TABLE d (id PRIMARY KEY, p); CREATE TRIGGER no BEFORE INSERT ON d "
        "WHEN NEW.p IS NULL BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
        "CREATE TABLE d (id PRIMARY KEY, p NOT NULL ON CONFLICT ROLLBACK)",
    ],
)
def test_what_rolls_everything_back_is_malformed_alone(make: Make, refusal: str) -> None:
    shop = make(f"{CHILDREN}; {refusal}")
    told = [("d", Change(key, 1, {"p": None if key == 1 else "x"})) for key in range(6)]

    reasons = shop.take(*told, parent(5))

    assert reasons == [Reason.APPLIED, Reason.MALFORMED, *[Reason.APPLIED] * 5]
    assert sorted(shop.rows("d"), key=str) == [0, 2, 3, 4, 5]
    assert shop.take(child(9, 5)) == [Reason.APPLIED]
    assert shop.open() == [("d", 1, "malformed")]


def test_what_is_held_of_a_key_does_not_sink_what_came_of_it(make: Make) -> None:
    schema = DEFERRED.replace("c (id PRIMARY KEY,", "c (id PRIMARY KEY, name,")
    shop = make(schema)
    shop.take(("c", Change(1, 1, {"p": 7}, whole=False)))

    assert shop.take(("c", Change(1, 2, {"name": "x"}, whole=False)), parent(1)) == [
        Reason.APPLIED,
        Reason.APPLIED,
    ]
    assert shop.rows("c") == {1: None}
    shop.take(parent(7))

    assert (shop.rows("c"), shop.open()) == ({1: 7}, [])


def test_of_a_key_with_several_deliveries_only_what_commit_refuses_is_held(make: Make) -> None:
    shop = make(DEFERRED)

    reasons = shop.take(child(1, None, 1), child(1, 7, 2), child(2, 8), child(3, None))

    assert reasons == [Reason.APPLIED, Reason.WAITING, Reason.WAITING, Reason.APPLIED]
    assert shop.rows("c") == {1: None, 3: None}
    shop.take(parent(7))
    assert shop.rows("c") == {1: 7, 3: None}


def test_a_parent_whose_children_are_looked_for_at_commit_goes_when_they_have_gone(
    make: Make,
) -> None:
    shop = make(DEFERRED)
    shop.take(parent(7), child(1, 7))

    assert shop.take(("p", Change(7, 2)), parent(8)) == [Reason.WAITING, Reason.APPLIED]
    shop.take(("c", Change(1, 2)))

    assert (shop.rows("p"), shop.open()) == ({8: 8}, [])


def test_a_chain_that_commit_refuses_settles_from_its_end(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id PRIMARY KEY, up REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    ups = {key: key - 1 or None for key in range(1, 30)}

    assert set(shop.take(*[("t", Change(key, 1, {"up": ups[key]})) for key in range(2, 30)])) == {
        Reason.WAITING
    }
    shop.take(("t", Change(1, 1, {"up": None})))

    assert (shop.rows("t"), shop.open()) == (ups, [])


def test_a_unique_value_that_rolls_everything_back_waits_alone(make: Make) -> None:
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, email UNIQUE ON CONFLICT ROLLBACK)")

    reasons = shop.take(has(1, "a"), has(2, "a"), has(3, "c"))

    assert reasons == [Reason.APPLIED, Reason.WAITING, Reason.APPLIED]
    shop.take(has(1, "b", 2))
    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a", 3: "c"}, [])


def test_what_undoes_the_transaction_whenever_it_is_tried_again_is_left_alone(make: Make) -> None:
    shop = make(
        f"{DEFERRED}; CREATE TRIGGER late BEFORE INSERT ON c WHEN NEW.id = 1 AND EXISTS "
        "(SELECT 1 FROM p WHERE id = 7) BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
    )
    shop.take(child(1, 7))

    assert shop.take(parent(7), parent(8)) == [Reason.APPLIED, Reason.APPLIED]
    for key in range(3):
        assert shop.take(parent(9000 + key)) == [Reason.APPLIED]
    assert shop.open() == [("c", 1, "waiting")]


def test_what_undoes_the_transaction_again_and_again_costs_the_next_batch_nothing(
    make: Make,
) -> None:
    shop = make(
        f"{DEFERRED}; CREATE TRIGGER late BEFORE INSERT ON c WHEN NEW.id = 1 AND EXISTS "
        "(SELECT 1 FROM p WHERE id = 7) BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
    )
    shop.take(child(1, 7))
    shop.take(parent(7))

    begun = shop.begun()
    shop.take(parent(8))
    assert shop.begun() - begun == 1


def test_a_ring_settles_although_another_undoes_the_transaction(make: Make) -> None:
    shop = make(
        f"{DEFERRED}; {EMAILS}; CREATE TRIGGER late BEFORE INSERT ON c WHEN NEW.id = 1 AND EXISTS "
        "(SELECT 1 FROM p WHERE id = 7) BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
    )
    shop.take(child(1, 7), has(1, "a"), has(2, "b"))
    shop.take(has(1, "b", 2))

    shop.take(has(2, "a", 2), parent(7))

    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a"}, [("c", 1, "waiting")])


def test_what_settles_although_another_undoes_the_transaction_is_told_as_settled(
    make: Make,
) -> None:
    shop = make(
        f"{DEFERRED}; CREATE TRIGGER late BEFORE INSERT ON c WHEN NEW.id = 1 AND EXISTS "
        "(SELECT 1 FROM p WHERE id = 7) BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
    )
    shop.take(child(1, 7), child(2, 7), child(3, 8))

    shop.take(parent(7), parent(8))

    assert (shop.rows("c"), shop.open()) == ({2: 7, 3: 8}, [("c", 1, "waiting")])
    assert len(shop.closed) == 2


def test_an_exception_says_what_the_database_refused(make: Make) -> None:
    shop = make(DEFERRED)

    with pytest.raises(Undone, match="FOREIGN KEY") as caught, shop.store.transaction(1.0):
        shop.store.database.execute("INSERT INTO c VALUES (1, 7)")

    assert caught.value.waits
    assert shop.rows("c") == {}
    assert issubclass(Undone, StoreError)


# ---- waiting


def test_a_child_settles_when_its_parent_comes_to_another_table(make: Make) -> None:
    shop = make(CHILDREN)

    assert shop.take(child(1, 7)) == [Reason.WAITING]
    shop.take(parent(7))

    assert (shop.rows("c"), shop.open()) == ({1: 7}, [])


@pytest.mark.parametrize(("told", "kept"), [("7", 7), (7, "7"), (7.0, 7), ("A", "a"), ("a  ", "a")])
@pytest.mark.parametrize("kind", ["", "INTEGER", "TEXT", "TEXT COLLATE NOCASE", "NUMERIC"])
def test_a_child_settles_however_its_parent_is_spelled(
    make: Make, kind: str, told: object, kept: object
) -> None:
    parents = f"CREATE TABLE p (id {kind} PRIMARY KEY)"
    schema = f"{parents}; CREATE TABLE c (id PRIMARY KEY, p {kind} REFERENCES p)"
    first, later = make(schema), make(schema)
    first.take(parent(kept))
    first.take(child(1, told))

    later.take(child(1, told))
    later.take(parent(kept))

    assert later.rows("c") == first.rows("c")


def test_children_of_children_settle_in_the_batch_of_their_first_parent(make: Make) -> None:
    shop = make("CREATE TABLE t (id PRIMARY KEY, up REFERENCES t (id))")
    ups = {key: key - 1 or None for key in range(1, 30)}

    for key in random.Random(1).sample(range(2, 30), 28):
        shop.take(("t", Change(key, 1, {"up": ups[key]})))
    shop.take(("t", Change(1, 1, {"up": None})))

    assert (shop.rows("t"), shop.open()) == (ups, [])


def test_a_parent_that_still_has_children_goes_when_they_have_gone(make: Make) -> None:
    shop = make(CHILDREN)
    shop.take(parent(7), child(1, 7), child(2, 7))

    assert shop.take(("p", Change(7, 2))) == [Reason.WAITING]
    shop.take(("c", Change(1, 2)))
    assert list(shop.rows("p")) == [7]
    shop.take(child(2, None, 2))

    assert (shop.rows("p"), shop.open()) == ({}, [])


@pytest.mark.parametrize("schema", [CHILDREN, DEFERRED], ids=["at once", "at commit"])
def test_a_truncate_of_parents_waits_for_their_children(make: Make, schema: str) -> None:
    shop = make(schema)
    shop.take(parent(7), parent(8), child(1, 7), child(2, 7))

    assert shop.take(("p", truncate(5))) == [Reason.WAITING]
    assert shop.take(("p", truncate(5))) == [Reason.DUPLICATE]
    assert shop.take(parent(9, 6)) == [Reason.APPLIED]
    assert len(shop.numbers()) == 1
    shop.take(("c", truncate(5)))

    assert (shop.rows("p"), shop.rows("c"), shop.numbers()) == ({9: 9}, {}, [])


def test_a_parent_that_still_has_children_keeps_nobody_else_from_their_turn(make: Make) -> None:
    shop = make(CHILDREN)
    keys = range(100)
    shop.take(*[parent(key) for key in keys], *[child(key, key) for key in keys])
    shop.take(*[("p", Change(key, 2)) for key in keys])

    shop.take(("c", Change(99, 2)))

    assert 99 not in shop.rows("p")
    assert len(shop.rows("p")) == 99


def test_two_parents_are_awaited_and_each_may_come_first(make: Make) -> None:
    schema = (
        "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE q (id PRIMARY KEY);"
        "CREATE TABLE c (id PRIMARY KEY, p REFERENCES p, q REFERENCES q)"
    )
    for order in itertools.permutations(
        [parent(7), ("q", Change(8, 1, {})), ("c", Change(1, 1, {"p": 7, "q": 8}))]
    ):
        shop = make(schema)
        for told in order:
            shop.take(told)
        assert (shop.rows("c"), shop.open()) == ({1: 8}, [])


@pytest.mark.parametrize("names", ["p", "p (id)"])
def test_a_parent_whose_table_is_made_later_is_waited_for(make: Make, names: str) -> None:
    shop = make(f"CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES {names})")

    # SQLite takes no row then, not even one without a parent.
    assert shop.take(child(1, 7), child(2, None)) == [Reason.WAITING, Reason.WAITING]
    shop.take(parent(7))

    assert (shop.rows("c"), shop.open()) == ({1: 7, 2: None}, [])


def test_a_unique_value_is_taken_when_it_is_let_go(make: Make) -> None:
    shop = make(EMAILS)
    shop.take(has(1, "a"))

    assert shop.take(has(2, "a")) == [Reason.WAITING]
    shop.take(has(1, "a", 2))
    assert shop.open() == [("t", 2, "waiting")]
    shop.take(has(1, "b", 3))

    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a"}, [])


def test_an_index_on_an_expression_is_waited_for_in_turn(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email); CREATE UNIQUE INDEX u ON t (lower(email))"
    )
    shop.take(has(1, "A"))

    assert shop.take(has(2, "a")) == [Reason.WAITING]
    shop.take(has(1, "b", 2))

    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a"}, [])


def test_what_nobody_can_derive_is_tried_in_turn_so_that_none_starves(make: Make) -> None:
    shop = make(
        "CREATE TABLE open (id PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, day);"
        "CREATE TRIGGER closed BEFORE INSERT ON t WHEN NOT EXISTS "
        "(SELECT 1 FROM open WHERE id = NEW.day) BEGIN SELECT RAISE(ABORT, 'closed'); END"
    )
    shop.take(*[("t", Change(key, 1, {"day": "never"})) for key in range(60)])
    shop.take(("t", Change(99, 1, {"day": 100})))

    shop.take(("open", Change(100, 1, {})))
    for number in range(6):
        shop.take(("open", Change(number, 1, {})))

    assert shop.rows("t") == {99: 100}


def test_hopeless_orphans_starve_nobody(make: Make) -> None:
    shop = make(CHILDREN)
    shop.take(*[child(1000 + number, 5000 + number) for number in range(600)])

    for number in range(99):
        shop.take(child(number, number))
    for number in range(99):
        shop.take(parent(number))

    assert shop.rows("c") == {number: number for number in range(99)}
    assert len(shop.open()) == 600


def test_a_parent_that_came_by_hand_while_nobody_ran_is_seen_at_the_start(make: Make) -> None:
    shop = make(CHILDREN)
    shop.take(*[child(number, number) for number in range(1500)])

    shop.store.close()
    shop.by_hand("INSERT INTO p VALUES (7), (1499)")
    shop.reopen()
    shop.take()

    assert shop.rows("c") == {7: 7, 1499: 1499}


def test_a_parent_that_comes_by_hand_meanwhile_is_seen_within_three_batches(make: Make) -> None:
    shop = make(f"{CHILDREN}; CREATE TABLE o (id PRIMARY KEY)")
    shop.take(*[child(number, number) for number in range(1500)])
    shop.take(("o", Change(0, 1, {})))

    shop.by_hand("INSERT INTO p VALUES (7), (777), (1499)")
    for number in range(3):
        shop.take(("o", Change(number, 2, {})))

    assert shop.rows("c") == {7: 7, 777: 777, 1499: 1499}


def test_a_unique_value_that_goes_with_a_cascade_is_free(make: Make) -> None:
    shop = make(
        "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY,"
        " p REFERENCES p ON DELETE CASCADE, email UNIQUE); CREATE TABLE o (id PRIMARY KEY)"
    )
    shop.take(parent(7), ("t", Change(1, 1, {"p": 7, "email": "a"})))
    shop.take(("t", Change(2, 1, {"p": None, "email": "a"})))

    shop.by_hand("PRAGMA foreign_keys = ON; DELETE FROM p")
    for number in range(3):
        shop.take(("o", Change(number, 2, {})))

    assert shop.rows("t") == {2: "a"}


def test_entries_that_are_closed_wait_for_nothing(make: Make) -> None:
    shop = make(CHILDREN)
    shop.take(child(1, 7), child(2, 7), child(3, 8))
    Quarantine(shop.store, TableSpec("c", ("id",)), decode).drop(shop.numbers()[0])
    shop.take(child(3, None, 2))

    shop.take(parent(7))

    assert (shop.rows("c"), shop.open()) == ({2: 7, 3: None}, [])
    assert shop.store.database.execute("SELECT count(*) FROM anyorder_waiting").fetchone() == (0,)


@pytest.mark.parametrize("newer_first", [True, False])
def test_what_a_newer_event_tells_of_a_row_is_not_waited_for(make: Make, newer_first: bool) -> None:
    """The older event would write the parent only, so that another holds its value is nothing."""
    shop = make(
        "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE c (id PRIMARY KEY, p REFERENCES p, q UNIQUE)"
    )
    newer = ("c", Change(4, 2, {"q": "free"}, whole=False))
    older = ("c", Change(4, 1, {"p": 1, "q": "held"}, whole=False))
    shop.take(("c", Change(1, 1, {"p": None, "q": "held"})))

    for told in [newer, older] if newer_first else [older, newer]:
        shop.take(told)
    shop.take(parent(1))

    found = shop.store.database.execute("SELECT id, p, q FROM c ORDER BY id").fetchall()
    assert (found, shop.open()) == ([(1, None, "held"), (4, 1, "free")], [])


def test_a_row_that_a_trigger_moved_is_free(make: Make) -> None:
    """The unique value of 1 is another one at once, by the table's own hand."""
    shop = make(
        f"{EMAILS}; CREATE TRIGGER stamp AFTER INSERT ON t BEGIN "
        "UPDATE t SET email = NEW.email || '!' WHERE id = NEW.id; END;"
        "CREATE TABLE o (id PRIMARY KEY)"
    )
    shop.take(has(1, "a"))
    shop.take(has(2, "a"))

    assert shop.rows("t") == {1: "a!"}
    shop.take(has(1, "b", 2))
    for number in range(3):
        shop.take(("o", Change(number, 1, {})))

    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a!"}, [])


# ---- rings


def swapped(count: int) -> tuple[list[Told], list[Told], dict[object, object]]:
    """Rows, the changes by which each takes the value of the next, and what comes of it."""
    before = [has(key, f"v{key}") for key in range(count)]
    after = [has(key, f"v{(key + 1) % count}", 2) for key in range(count)]
    return before, after, {key: f"v{(key + 1) % count}" for key in range(count)}


def cuts(told: Sequence[Told]) -> Iterator[list[list[Told]]]:
    """One batch, one by one, and in two parts."""
    yield [list(told)]
    yield [[one] for one in told]
    yield [list(told[:1]), list(told[1:])]


@pytest.mark.parametrize(
    "schema",
    [
        EMAILS,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE) STRICT",
        "CREATE TABLE t (id, email TEXT UNIQUE, PRIMARY KEY (id)) WITHOUT ROWID",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email UNIQUE CHECK (email IS NOT NULL))",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email COLLATE NOCASE UNIQUE)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, one DEFAULT 1, email, UNIQUE (one, email))",
    ],
)
@pytest.mark.parametrize("count", [2, 3])
def test_a_ring_of_unique_values_settles_in_every_order(
    make: Make, schema: str, count: int
) -> None:
    before, after, wanted = swapped(count)
    for order in itertools.permutations(after):
        for batches in cuts(order):
            shop = make(schema)
            shop.take(*before)
            for batch in batches:
                shop.take(*batch)
            assert (shop.rows("t"), shop.open()) == (wanted, [])


@pytest.mark.parametrize("size", [1, 2])
def test_a_ring_in_an_index_on_a_part_of_the_table_settles(make: Make, size: int) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email);"
        "CREATE UNIQUE INDEX used ON t (email) WHERE email <> ''"
    )
    before, after, wanted = swapped(3)
    shop.take(*before, has(8, ""), has(9, ""))

    for start in range(0, 3, size):
        shop.take(*after[start : start + size])

    assert (shop.rows("t"), shop.open()) == ({**wanted, 8: "", 9: ""}, [])


def test_a_ring_of_numbers_that_may_not_be_null_settles(make: Make) -> None:
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, email INT NOT NULL UNIQUE) STRICT")
    shop.take(has(1, 1), has(2, 2))

    shop.take(has(1, 2, 2), has(2, 1, 2))

    assert shop.rows("t") == {1: 2, 2: 1}


CHECKED = [
    ("INTEGER NOT NULL UNIQUE CHECK (email >= 0)", [1, 2]),
    ("INTEGER NOT NULL UNIQUE CHECK (email BETWEEN 1 AND 2)", [1, 2]),
    ("INTEGER UNIQUE CHECK (email IS NOT NULL AND email < 9)", [1, 2]),
    ("REAL NOT NULL UNIQUE CHECK (email > 0.5)", [1.5, 2.5]),
    ("TEXT NOT NULL UNIQUE CHECK (email LIKE '%@%')", ["a@b", "c@d"]),
    ("TEXT NOT NULL UNIQUE CHECK (email IN ('red', 'blue'))", ["red", "blue"]),
    ("TEXT NOT NULL UNIQUE CHECK (length(email) = 1)", ["a", "b"]),
]


@pytest.mark.parametrize(("column", "values"), CHECKED)
@pytest.mark.parametrize("strict", ["", "STRICT"])
@pytest.mark.parametrize("size", [1, 2])
def test_a_ring_settles_whatever_is_checked_of_its_values(
    make: Make, column: str, values: list[object], strict: str, size: int
) -> None:
    """What stands in the row for a moment is no value of the user's."""
    shop = make(f"CREATE TABLE t (id INTEGER PRIMARY KEY, email {column}) {strict}")
    first, second = values
    shop.take(has(1, first), has(2, second))
    after = [has(1, second, 2), has(2, first, 2)]

    for start in range(0, 2, size):
        shop.take(*after[start : start + size])

    assert (shop.rows("t"), shop.open()) == ({1: second, 2: first}, [])


def test_a_ring_of_which_one_breaks_a_check_waits_and_nothing_is_left_of_it(make: Make) -> None:
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, other CHECK (other > 0), email UNIQUE)")
    shop.take(
        ("t", Change(1, 1, {"other": 1, "email": "a"})),
        ("t", Change(2, 1, {"other": 1, "email": "b"})),
    )

    shop.take(
        ("t", Change(1, 2, {"other": -1, "email": "b"})),
        ("t", Change(2, 2, {"other": 1, "email": "a"})),
        ("t", Change(3, 1, {"other": -1, "email": "c"})),
    )

    found = shop.store.database.execute("SELECT * FROM t").fetchall()
    assert found == [(1, 1, "a"), (2, 1, "b")]
    assert len(shop.open()) == 3
    assert shop.store.database.execute("PRAGMA ignore_check_constraints").fetchone() == (0,)


NAMED = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT UNIQUE);"
    "CREATE TABLE c (id PRIMARY KEY, p REFERENCES t (email)"
)


@pytest.mark.parametrize("ending", ["", " DEFERRABLE INITIALLY DEFERRED", " ON UPDATE CASCADE"])
@pytest.mark.parametrize("size", [1, 2])
def test_parents_swap_the_value_by_which_their_children_name_them(
    make: Make, ending: str, size: int
) -> None:
    shop = make(f"{NAMED}{ending})")
    shop.take(has(1, "a"), has(2, "b"))
    shop.take(child(1, "a"), child(2, "b"))
    after = [has(1, "b", 2), has(2, "a", 2)]

    for start in range(0, 2, size):
        shop.take(*after[start : start + size])

    # No event told that a child has another parent by now, or follows it.
    assert (shop.rows("t"), shop.rows("c")) == ({1: "b", 2: "a"}, {1: "a", 2: "b"})
    assert shop.open() == []


@pytest.mark.parametrize("size", [1, 3])
def test_a_parent_whose_value_nobody_takes_over_keeps_it_for_its_child(
    make: Make, size: int
) -> None:
    shop = make(f"{NAMED})")
    shop.take(has(1, "a"), has(2, "b"), has(3, "x"))
    shop.take(child(1, "a"))
    after = [has(1, "b", 2), has(2, "c", 2), has(3, "y", 2)]

    for start in range(0, 3, size):
        shop.take(*after[start : start + size])

    assert (shop.rows("t"), shop.open()) == ({1: "a", 2: "c", 3: "y"}, [("t", 1, "waiting")])
    shop.take(child(1, None, 2))
    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "c", 3: "y"}, [])


@pytest.mark.parametrize("size", [1, 2])
def test_a_value_by_which_children_name_a_row_is_handed_over_to_another(
    make: Make, size: int
) -> None:
    """There is no ring: who has it only lets it go, and may not before the other one takes it."""
    for order in itertools.permutations([has(1, "z", 2), has(2, "a", 2)]):
        shop = make(f"{NAMED})")
        shop.take(has(1, "a"), has(2, None))
        shop.take(child(1, "a"))
        for start in range(0, 2, size):
            shop.take(*order[start : start + size])

        assert (shop.rows("t"), shop.rows("c"), shop.open()) == ({1: "z", 2: "a"}, {1: "a"}, [])


def test_rows_that_name_each_other_by_another_column_than_the_key_come_in_one_batch(
    make: Make,
) -> None:
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, up REFERENCES t (name))")

    shop.take(
        ("t", Change(1, 1, {"name": "a", "up": "b"})),
        ("t", Change(2, 1, {"name": "b", "up": "a"})),
    )

    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a"}, [])


def test_a_ring_leaves_no_child_without_its_parent(make: Make) -> None:
    """1 and 2 would swap their tags, but nobody takes over the name that 1 gives up."""
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, tag UNIQUE, email TEXT UNIQUE);"
        "CREATE TABLE c (id PRIMARY KEY, p REFERENCES t (email))"
    )
    shop.take(
        ("t", Change(1, 1, {"tag": "x", "email": "a"})),
        ("t", Change(2, 1, {"tag": "y", "email": "b"})),
    )
    shop.take(child(1, "a"))

    reasons = shop.take(
        ("t", Change(1, 2, {"tag": "y", "email": "c"})),
        ("t", Change(2, 2, {"tag": "x", "email": "b"})),
        has(9, "z"),
    )

    assert reasons == [Reason.WAITING, Reason.WAITING, Reason.APPLIED]
    assert shop.rows("t") == {1: "a", 2: "b", 9: "z"}
    assert shop.begun() == 3


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("ending", ["", " DEFERRABLE INITIALLY DEFERRED"])
def test_rows_of_a_table_that_name_each_other_settle(make: Make, ending: str, size: int) -> None:
    told = [("t", Change(key, 1, {"up": key % 3 + 1})) for key in (1, 2, 3)]
    for order in itertools.permutations(told):
        shop = make(f"CREATE TABLE t (id INTEGER PRIMARY KEY, up REFERENCES t (id){ending})")
        for start in range(0, 3, size):
            shop.take(*order[start : start + size])

        assert (shop.rows("t"), shop.open()) == ({1: 2, 2: 3, 3: 1}, [])


@pytest.mark.parametrize("seed", range(5))
def test_a_ring_of_ten_settles_whatever_comes_between(make: Make, seed: int) -> None:
    chance = random.Random(seed)
    before, after, wanted = swapped(10)
    chance.shuffle(after)
    shop = make(EMAILS)
    shop.take(*before, has(77, "held"))
    shop.take(has(78, "held"))
    while after:
        size = chance.randint(1, 4)
        shop.take(*after[:size], has(len(after) * 1000, f"own{len(after)}"))
        after = after[size:]

    assert {key: shop.rows("t")[key] for key in range(10)} == wanted
    assert shop.open() == [("t", 78, "waiting")]


@pytest.mark.parametrize("count", [300])
def test_a_large_shift_of_unique_values_costs_in_proportion(make: Make, count: int) -> None:
    """Looked at pair by pair it would take minutes."""
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, email INTEGER UNIQUE)")
    shop.take(*[has(key, key) for key in range(count)])
    steps = 0

    def counted() -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(lambda *_: counted())
    try:
        shop.take(*[has(key, key + 1, 2) for key in range(count)])
    finally:
        sys.setprofile(None)

    assert shop.open() == []
    assert shop.rows("t") == {key: key + 1 for key in range(count)}
    assert steps < 3000 * count


@pytest.mark.parametrize("size", [1, 3])
def test_one_that_wants_a_value_of_a_ring_does_not_keep_it_out(make: Make, size: int) -> None:
    told = [has(1, "b", 2), has(2, "a", 2), has(3, "b")]
    for order in itertools.permutations(told):
        shop = make(EMAILS)
        shop.take(has(1, "a"), has(2, "b"))
        for start in range(0, len(order), size):
            shop.take(*order[start : start + size])

        assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a"}, [("t", 3, "waiting")])


def cut_anywhere(told: Sequence[Told]) -> Iterator[list[list[Told]]]:
    """Every way to cut four changes into batches."""
    for cut in range(8):
        places = [0, *(place for place in (1, 2, 3) if cut >> (place - 1) & 1), len(told)]
        yield [list(told[start:end]) for start, end in itertools.pairwise(places)]


def test_one_that_wants_a_value_of_a_ring_for_a_moment_does_not_keep_it_out(make: Make) -> None:
    told = [has(1, "b", 2), has(2, "a", 2), has(3, "b"), has(3, "c", 2)]
    for order in itertools.permutations(told):
        for batches in cut_anywhere(order):
            shop = make(EMAILS)
            shop.take(has(1, "a"), has(2, "b"))
            for batch in batches:
                shop.take(*batch)

            assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a", 3: "c"}, [])
            shop.store.close()


def test_a_ring_that_closes_because_a_row_has_moved_settles(make: Make) -> None:
    """What 1 waits for is held by another row by now, which waits for 1."""
    shop = make(EMAILS)
    shop.take(has(1, "a"), has(2, "b"), has(3, "c"), has(4, "d"))
    shop.take(has(1, "c", 2), has(2, "a", 3))
    shop.take(has(2, "c", 2), has(3, "e", 2))

    assert (shop.rows("t"), shop.open()) == ({1: "c", 2: "a", 3: "e", 4: "d"}, [])


def test_a_ring_that_also_waits_for_another_row_settles_when_it_has_moved(make: Make) -> None:
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, tag UNIQUE, email UNIQUE)")
    shop.take(
        ("t", Change(1, 1, {"tag": None, "email": "a"})),
        ("t", Change(2, 1, {"tag": None, "email": "b"})),
        ("t", Change(3, 1, {"tag": "x", "email": None})),
    )
    shop.take(("t", Change(1, 2, {"tag": "x", "email": "b"})))
    shop.take(("t", Change(2, 2, {"tag": None, "email": "a"})))
    assert len(shop.open()) == 2

    shop.take(("t", Change(3, 2, {"tag": "y", "email": None})))

    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a", 3: None}, [])


def test_a_ring_of_which_one_was_never_told_waits(make: Make) -> None:
    shop = make(EMAILS)
    before, after, _ = swapped(4)
    shop.take(*before)

    shop.take(*after[:3])

    assert shop.rows("t") == {key: f"v{key}" for key in range(4)}
    assert len(shop.open()) == 3


def test_a_row_that_keeps_its_value_never_loses_it_to_another(make: Make) -> None:
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, other, email UNIQUE)")
    shop.take(has(1, "a"), has(2, "b"))

    shop.take(
        ("t", Change(1, 2, {"other": 1}, whole=False)),
        has(2, "a", 2),
    )

    assert shop.rows("t") == {1: "a", 2: "b"}
    assert shop.open() == [("t", 2, "waiting")]


def test_rows_that_wait_for_values_which_the_others_keep_lose_none(make: Make) -> None:
    shop = make("CREATE TABLE t (id INTEGER PRIMARY KEY, tag UNIQUE, email UNIQUE)")
    shop.take(
        ("t", Change(1, 1, {"tag": "x", "email": "a"})),
        ("t", Change(2, 1, {"tag": "y", "email": "b"})),
    )

    shop.take(
        ("t", Change(1, 2, {"tag": "y"}, whole=False)),
        ("t", Change(2, 2, {"email": "a"}, whole=False)),
    )

    found = shop.store.database.execute("SELECT * FROM t").fetchall()
    assert found == [(1, "x", "a"), (2, "y", "b")]
    assert len(shop.open()) == 2


def test_a_ring_settles_by_an_operator_s_word(make: Make) -> None:
    shop = make(EMAILS)
    shop.take(has(1, "a", 5), has(2, "b", 5))
    shop.take(("t", Change(1, 9, {"email": "b"}, scope="other")))
    shop.take(has(2, "a", 6))
    assert shop.open() == [("t", 1, "conflict"), ("t", 2, "waiting")]

    quarantine = Quarantine(shop.store, TableSpec("t", ("id",)), decode)
    quarantine.accept(shop.numbers()[0])

    assert (shop.rows("t"), shop.open()) == ({1: "b", 2: "a"}, [])


def test_an_operator_s_word_that_the_database_refuses_is_told(make: Make) -> None:
    shop = make(DEFERRED)
    shop.take(child(1, 7), child(2, 8))
    quarantine = Quarantine(shop.store, TableSpec("c", ("id",)), decode)

    with pytest.raises(ConfigurationError, match="the store refuses this event: FOREIGN KEY"):
        quarantine.accept(shop.numbers()[0])

    assert len(shop.open()) == 2


def test_what_an_older_anyorder_held_is_tried_again(make: Make) -> None:
    shop = make(CHILDREN)
    shop.take(child(1, 7), child(2, 8))
    shop.store.close()
    set_back(shop.path, 3)

    shop.reopen()
    shop.take(parent(7))

    assert shop.rows("c") == {1: 7}


# ---- a column that may not be null, and that the event does not tell

DOCUMENTS = "CREATE TABLE t (id INTEGER PRIMARY KEY, x, y NOT NULL, other TEXT NOT NULL DEFAULT '')"


def test_a_column_that_may_not_be_null_and_is_not_told_waits_and_names_itself(make: Make) -> None:
    """An update that tells too little waits until an event of its key tells the rest."""
    shop = make(DOCUMENTS)
    assert shop.take(("t", part(1, 2, "x")), ("t", put(2, 1))) == [Reason.WAITING, Reason.APPLIED]
    (number,) = shop.numbers()
    with shop.store.reading() as transaction:
        entry = transaction.entry(number)
    assert entry is not None
    assert "column y" in entry.detail
    assert "a whole event of the key ends it" in entry.detail
    shop.take(("t", put(1, 1)))
    assert shop.open() == []
    assert shop.store.database.execute("SELECT x, y FROM t WHERE id = 1").fetchone() == (
        "1@2",
        "1@1",
    )


def test_a_whole_event_without_a_column_that_may_not_be_null_is_malformed(make: Make) -> None:
    """It says that the column is null, and nothing that comes will change that."""
    shop = make(DOCUMENTS)
    assert shop.take(("t", Change(1, 1, {"x": 1}))) == [Reason.MALFORMED]


def test_what_waits_for_its_own_key_costs_nothing(make: Make) -> None:
    """No batch looks at it but one of its key."""
    shop = make(DOCUMENTS)
    shop.take(*(("t", part(key, 2, "x")) for key in range(100)))
    (lines,) = shop.store.database.execute("SELECT count(*) FROM anyorder_waiting").fetchone()
    assert (len(shop.open()), lines) == (100, 0)
    shop.reopen()
    shop.take(("t", put(1000, 1)))
    (lines,) = shop.store.database.execute("SELECT count(*) FROM anyorder_waiting").fetchone()
    assert lines == 0


def test_what_waited_for_its_own_key_then_waits_for_a_parent(make: Make) -> None:
    """Once its row is told whole, it is another row that stands in the way."""
    shop = make("CREATE TABLE p (id PRIMARY KEY); CREATE TABLE t (id PRIMARY KEY, "
                "x REFERENCES p (id), y NOT NULL)")  # fmt: skip
    assert shop.take(("t", part(1, 2, "x"))) == [Reason.WAITING]
    shop.take(("t", Change(1, 1, {"x": None, "y": "a"})))
    assert shop.open() == [("t", 1, Reason.WAITING)]
    shop.take(("p", Change("1@2", 1, {})))
    assert shop.open() == []
    assert shop.store.database.execute("SELECT * FROM t").fetchall() == [(1, "1@2", "a")]
