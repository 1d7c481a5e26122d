"""Rows that SQLite would change, or take, together with another one (ON DELETE CASCADE and its
like): only their own events may."""

from __future__ import annotations

import itertools

import pytest

from anyorder._core.outcome import Reason
from anyorder.guard.contract import TableSpec
from anyorder.testing.change import Change, truncate
from tests.stores.shop import Make, Shop, Told

ACTIONS = ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE SET DEFAULT"]
SCHEMA = """
CREATE TABLE p (id INTEGER PRIMARY KEY, name UNIQUE);
CREATE TABLE c (id INTEGER PRIMARY KEY, n, p DEFAULT 1 REFERENCES p {});
"""
TREE = "CREATE TABLE t (id INTEGER PRIMARY KEY, up REFERENCES t ON DELETE CASCADE)"


def child(key: object, parent: object, version: int = 1) -> Told:
    return ("c", Change(key, version, {"p": parent}))


def parent(key: object, version: int = 1, name: object = None) -> Told:
    return ("p", Change(key, version, {"name": name}))


def gone(table: str, key: object, version: int = 2) -> Told:
    return (table, Change(key, version))


def said(shop: Shop) -> str:
    found = shop.store.check(TableSpec("p", ("id",)))
    return "; ".join(" ".join(finding) for finding in found)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_parent_waits_for_its_children_whatever_the_table_would_do_with_them(
    make: Make, action: str
) -> None:
    shop = make(SCHEMA.format(action))
    shop.take(parent(1), parent(7), child(1, 7), child(2, 7))

    assert shop.take(gone("p", 7)) == [Reason.WAITING]
    assert shop.rows("c") == {1: 7, 2: 7}
    assert "the row of c with id = 1 still names it by its p = 7" in shop.details()[0]
    shop.take(gone("c", 1))
    assert len(shop.open()) == 1
    shop.take(child(2, None, 2))

    assert (shop.rows("c"), list(shop.rows("p")), shop.open()) == ({2: None}, [1], [])


@pytest.mark.parametrize("action", ACTIONS)
def test_a_child_that_left_its_parent_is_right_whatever_came_first(make: Make, action: str) -> None:
    told = [child(1, 1, 2), gone("p", 7), ("c", Change(1, 3, {"n": 5}, whole=False))]
    for order in itertools.permutations(told):
        shop = make(SCHEMA.format(action))
        shop.take(parent(1), parent(7), child(1, 7))
        for one in order:
            shop.take(one)

        assert (shop.rows("c"), list(shop.rows("p")), shop.open()) == ({1: 1}, [1], [])


def test_rows_that_no_event_tells_of_go_with_their_parent(make: Make) -> None:
    """The table is the user's own, and so is what he wants of it."""
    guarded = "CREATE TABLE g (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE)"
    shop = make(SCHEMA.format("ON DELETE CASCADE") + guarded)
    shop.take(parent(7), ("g", Change(1, 1, {"p": None})))
    shop.by_hand("INSERT INTO c VALUES (1, NULL, 7)")

    assert shop.take(gone("p", 7)) == [Reason.APPLIED]
    assert shop.rows("c") == {}


def test_a_row_put_by_hand_into_a_guarded_table_keeps_its_parent(make: Make) -> None:
    shop = make(SCHEMA.format("ON DELETE CASCADE"))
    shop.take(parent(7), child(1, None))
    shop.by_hand("INSERT INTO c VALUES (9, NULL, 7)")

    assert shop.take(gone("p", 7)) == [Reason.WAITING]
    shop.by_hand("DELETE FROM c WHERE id = 9")
    shop.take(parent(8))

    assert (list(shop.rows("p")), shop.open()) == ([8], [])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_tree_goes_in_every_order(make: Make, size: int) -> None:
    for order in itertools.permutations([gone("t", key) for key in (1, 2, 3)]):
        shop = make(TREE)
        shop.take(*[("t", Change(key, 1, {"up": key - 1 or None})) for key in (1, 2, 3)])
        for start in range(0, 3, size):
            shop.take(*order[start : start + size])

        assert (shop.rows("t"), shop.open()) == ({}, [])


def test_a_row_of_a_tree_waits_for_those_that_stay(make: Make) -> None:
    shop = make(TREE)
    shop.take(*[("t", Change(key, 1, {"up": 1 if key > 1 else None})) for key in (1, 2, 3)])

    shop.take(gone("t", 1), gone("t", 2))

    assert (shop.rows("t"), shop.open()) == ({1: None, 3: 1}, [("t", 1, "waiting")])


def test_a_truncate_takes_a_tree_and_waits_for_children_elsewhere(make: Make) -> None:
    shop = make(f"{TREE}; CREATE TABLE c (id PRIMARY KEY, p REFERENCES t ON DELETE CASCADE)")
    shop.take(*[("t", Change(key, 1, {"up": key - 1 or None})) for key in (1, 2, 3)])
    shop.take(child(1, 3))

    assert shop.take(("t", truncate(5))) == [Reason.WAITING]
    assert shop.rows("c") == {1: 3}
    shop.take(("c", truncate(5)))

    assert (shop.rows("t"), shop.numbers()) == ({}, [])


@pytest.mark.parametrize("action", ["ON UPDATE SET NULL", "ON UPDATE SET DEFAULT"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_parent_keeps_its_name_until_its_children_have_let_it_go(
    make: Make, action: str, is_first: bool
) -> None:
    schema = SCHEMA.format(f"(name) {action}").replace("DEFAULT 1", "DEFAULT 'x'")
    shop = make(schema)
    shop.take(parent(1, name="x"), parent(7, name="a"))
    shop.take(child(1, "a"))
    told = [parent(7, 2, "b"), child(1, "x", 2)]

    for one in told if is_first else reversed(told):
        shop.take(one)
        assert shop.rows("c")[1] in ("a", "x")

    assert (shop.rows("p"), shop.rows("c"), shop.open()) == ({1: "x", 7: "b"}, {1: "x"}, [])


def test_doctor_says_whose_end_no_event_has_told(make: Make) -> None:
    shop = make(SCHEMA.format("ON DELETE CASCADE"))
    shop.take(parent(7), child(1, 7))
    assert said(shop) == ""

    shop.take(gone("p", 7))

    assert "1 deliveries wait for rows of c, which ON DELETE CASCADE would take" in said(shop)


def test_doctor_says_who_would_follow_a_parent_to_its_new_name(make: Make) -> None:
    shop = make(SCHEMA.format(NAMED))
    shop.take(parent(7, 1, "a"), child(1, "a"))

    shop.take(parent(7, 2, "b"))

    assert "1 deliveries wait for rows of c, which ON UPDATE CASCADE would take" in said(shop)


NAMED = "(name) ON UPDATE CASCADE"


@pytest.mark.parametrize("size", [1, 2])
def test_a_parent_and_the_children_that_follow_it_are_renamed_in_every_order(
    make: Make, size: int
) -> None:
    for order in itertools.permutations([parent(7, 2, "b"), child(1, "b", 2)]):
        shop = make(SCHEMA.format(NAMED))
        shop.take(parent(7, 1, "a"), child(1, "a"))
        for start in range(0, 2, size):
            shop.take(*order[start : start + size])

        assert (shop.rows("p"), shop.rows("c"), shop.open()) == ({7: "b"}, {1: "b"}, [])


def test_a_child_whose_source_did_not_follow_is_not_renamed_with_its_parent(make: Make) -> None:
    """It names the parent of that name, whoever that is."""
    for order in itertools.permutations([parent(7, 2, "b"), parent(8, 1, "a")]):
        shop = make(SCHEMA.format(NAMED))
        shop.take(parent(7, 1, "a"), child(1, "a"))
        for one in order:
            shop.take(one)

        assert shop.rows("c") == {1: "a"}
        shop.take(child(1, None, 2))
        assert (shop.rows("p"), shop.open()) == ({7: "b", 8: "a"}, [])


def test_a_table_that_the_same_batch_begins_keeps_its_rows(make: Make) -> None:
    """They were there before, and what no event has named is not touched."""
    for order in itertools.permutations([gone("p", 7), child(2, 1)]):
        shop = make(SCHEMA.format("ON DELETE CASCADE"))
        shop.take(parent(1), parent(7))
        shop.by_hand("INSERT INTO c VALUES (9, NULL, 7)")
        spec = TableSpec("c", ("id",), adopt="older-than-everything")
        shop.take(*order, specs={"c": spec})

        assert shop.rows("c") == {9: 7, 2: 1}
        assert shop.open() == [("p", 7, "waiting")]


MUTUAL = """
CREATE TABLE p (id INTEGER PRIMARY KEY, c REFERENCES c {0});
CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p {0});
"""


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("ending", ["", "ON DELETE RESTRICT", "ON DELETE CASCADE"])
def test_rows_of_two_tables_that_name_each_other_come_and_go_in_every_order(
    make: Make, size: int, ending: str
) -> None:
    coming = [("p", Change(1, 1, {"c": 1})), ("c", Change(1, 1, {"p": 1}))]
    for order in itertools.permutations(coming):
        shop = make(MUTUAL.format(ending))
        for start in range(0, 2, size):
            shop.take(*order[start : start + size])
        assert (shop.rows("p"), shop.rows("c"), shop.open()) == ({1: 1}, {1: 1}, [])

    for order in itertools.permutations([gone("p", 1), gone("c", 1)]):
        shop = make(MUTUAL.format(ending))
        shop.take(*coming)
        for start in range(0, 2, size):
            shop.take(*order[start : start + size])
        assert (shop.rows("p"), shop.rows("c"), shop.open()) == ({}, {}, [])


@pytest.mark.parametrize("size", [1, 2])
def test_a_ring_over_two_tables_leaves_nothing_of_itself_where_one_is_refused(
    make: Make, size: int
) -> None:
    """Else the child would follow its parent, though its own event was not taken."""
    trigger = "CREATE TRIGGER no BEFORE UPDATE ON c WHEN NEW.n = 99 BEGIN SELECT {}; END;"
    shop = make(SCHEMA.format(NAMED) + trigger.format("RAISE(ABORT, 'not yet')"))
    shop.take(parent(7, 1, "a"), ("c", Change(1, 1, {"n": 1, "p": "a"})))
    told = [parent(7, 2, "b"), ("c", Change(1, 2, {"n": 99, "p": "b"}))]
    for start in range(0, 2, size):
        shop.take(*told[start : start + size])

    assert (shop.rows("p"), shop.rows("c")) == ({7: "a"}, {1: "a"})
    assert sorted(table for table, _, _ in shop.open()) == ["c", "p"]
    shop.take(("c", Change(1, 3, {"n": 2, "p": "b"})))
    assert (shop.rows("p"), shop.rows("c"), shop.open()) == ({7: "b"}, {1: "b"}, [])


@pytest.mark.parametrize("ending", ["", "ON UPDATE RESTRICT", "ON UPDATE CASCADE"])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_two_parents_and_their_children_are_renamed_in_every_order(
    make: Make, ending: str, size: int
) -> None:
    told = [parent(7, 2, "x"), parent(8, 2, "y"), child(1, "x", 2), child(2, "y", 2)]
    for order in itertools.permutations(told):
        shop = make(SCHEMA.format(f"(name) {ending}"))
        shop.take(parent(7, 1, "a"), parent(8, 1, "b"), child(1, "a"), child(2, "b"))
        for start in range(0, 4, size):
            shop.take(*order[start : start + size])

        assert shop.open() == []
        assert (shop.rows("p"), shop.rows("c")) == ({7: "x", 8: "y"}, {1: "x", 2: "y"})


def test_a_child_goes_over_to_a_parent_that_takes_the_place_of_its_own(make: Make) -> None:
    """The old one would take it along, were it not written first."""
    told = [gone("p", 7), parent(8, 1, "a"), ("c", Change(1, 2, {"p": 8}, whole=False))]
    for order in itertools.permutations(told):
        shop = make(SCHEMA.format("ON DELETE CASCADE"))
        shop.take(parent(7, 1, "a"), ("c", Change(1, 1, {"n": 5, "p": 7})))
        for one in order:
            shop.take(one)

        assert (shop.rows("p"), shop.open()) == ({8: "a"}, [])
        assert shop.store.database.execute("SELECT * FROM c").fetchall() == [(1, 5, 8)]
