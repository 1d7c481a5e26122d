"""An operator's word for a dispute (rules R11, R12): which content, what it closes, and what comes
afterwards."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import anyorder
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Entry
from tests.stores.older import set_back
from tests.streams import record
from tests.table.test_table import later_by


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def orders(path: Path) -> anyorder.Table:
    url = f"sqlite:///{path}"
    return anyorder.table(url, "orders", key="/id", position="/version", deleted="/gone")


def order(version: int, **told: object) -> bytes:
    return json.dumps({"id": 1, "version": version, **told}).encode()


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [name for (name,) in database.execute("SELECT name FROM orders")]


def disputed(path: Path, *told: str) -> anyorder.Table:
    table = orders(path)
    for name in told:
        table.apply([order(7, name=name)])
    return table


def entry_of(table: anyorder.Table) -> Entry:
    (entry,) = table.quarantine.entries()
    return table.quarantine.show(entry.id)


@pytest.mark.parametrize("content", [1, 2, 3])
def test_each_content_of_a_dispute_can_be_accepted_also_the_one_that_is_shown(
    path: Path, content: int
) -> None:
    table = disputed(path, "a", "b", "c")

    table.quarantine.accept(1, content=content)

    assert names(path) == ["abc"[content - 1]]
    report = table.apply([order(7, name=name) for name in "abccba"])
    assert report.ignored == {"duplicate": 6}
    assert names(path) == ["abc"[content - 1]]


def test_a_third_content_is_a_conflict_of_its_own_and_its_redelivery_a_duplicate(
    path: Path,
) -> None:
    table = disputed(path, "a", "b")

    report = table.apply([order(7, name="c")])
    again = table.apply([order(7, name="c")])

    assert (report.quarantined, again.ignored) == ({"conflict": 1}, {"duplicate": 1})
    assert len(entry_of(table).contents) == 3


def test_a_batch_lists_what_one_by_one_would(path: Path) -> None:
    table = orders(path)

    report = table.apply([order(7, name=name) for name in "abca"])

    assert (report.applied, report.quarantined) == (1, {"conflict": 2})
    assert len(entry_of(table).contents) == 3


def test_a_word_for_one_of_several_contents_says_which(path: Path) -> None:
    table = disputed(path, "a", "b")

    with pytest.raises(ConfigurationError, match=r"lists 2 contents: 1: upsert .*\"a\".*2: upsert"):
        table.quarantine.accept(1)
    with pytest.raises(ConfigurationError, match="has no content 3"):
        table.quarantine.accept(1, content=3)

    assert entry_of(table).state == "open"


def test_a_word_is_refused_if_the_entry_lists_more_by_now(path: Path) -> None:
    table = disputed(path, "a", "b", "c")

    with pytest.raises(ConfigurationError, match="lists 3 contents, and your word was for 2"):
        table.quarantine.accept(1, content=1, of=2)
    with pytest.raises(ConfigurationError, match="lists 3 contents, and your word was for 2"):
        table.quarantine.drop(1, of=2)

    assert entry_of(table).state == "open"


def test_a_dropped_dispute_keeps_what_is_shown_for_good(path: Path) -> None:
    table = disputed(path, "a", "b")
    shown = names(path)

    said = table.quarantine.drop(1)
    report = table.apply([order(7, name=name) for name in "abba"])

    assert "(chosen)" in said
    assert (report.ignored, names(path)) == ({"duplicate": 4}, shown)
    # Some of these would be shown, had nobody said a word.
    assert table.apply([order(7, name=name) for name in "cdefghij"]).quarantined == {"conflict": 8}
    assert names(path) == shown


def test_what_a_word_did_not_list_opens_a_new_entry_and_moves_nothing(path: Path) -> None:
    table = disputed(path, "a", "b")
    table.quarantine.accept(1, content=1)

    report = table.apply([order(7, name="c")])

    assert (report.quarantined, names(path)) == ({"conflict": 1}, ["a"])
    new = entry_of(table)
    assert new.id != 1
    # One of the two was chosen already, so it need not be said which.
    table.quarantine.accept(new.id)
    assert names(path) == ["c"]
    assert table.apply([order(7, name=name) for name in "abc"]).ignored == {"duplicate": 3}


def test_an_open_entry_of_a_settled_position_settles_when_something_newer_comes(
    path: Path,
) -> None:
    table = disputed(path, "a", "b")
    table.quarantine.accept(1, content=1)
    table.apply([order(7, name="c")])

    table.apply([order(8, name="z")])

    assert [entry.state for entry in table.quarantine.entries("")] == ["accepted", "settled"]
    assert names(path) == ["z"]


def test_an_accepted_delete_of_a_dispute_stays_a_delete(path: Path) -> None:
    table = orders(path)
    table.apply([order(7, name="a")])
    table.apply([order(7, gone=True)])
    entry = entry_of(table)
    (deleting,) = [one.number for one in entry.contents if one.delivery is not None]

    table.quarantine.accept(entry.id, content=deleting)

    assert names(path) == []
    assert table.apply([order(7, name="a"), order(7, gone=True)]).ignored == {"duplicate": 2}
    assert any(
        "deleted, by an operator's word between two contents of version 7 (entry 1)" in sentence
        for sentence in table.why(1).sentences
    )


def test_why_says_by_which_entry_a_word_was_given_and_how_many_it_refused(path: Path) -> None:
    table = disputed(path, "a", "b", "c")
    table.quarantine.accept(1, content=2)

    (told,) = [one for one in table.why(1).sentences if "operator's word" in one]

    assert told.startswith("name, version: settled by an operator's word at version 7 (entry 1, ")
    assert told.endswith(
        "; 2 other contents refused). Only something newer, or another word, changes them."
    )


def test_why_says_that_nothing_moves_until_a_new_content_is_accepted(path: Path) -> None:
    table = disputed(path, "a", "b")
    table.quarantine.accept(1, content=1)
    table.apply([order(7, name="c")])

    assert (
        "A content of version 7, which entry 1 settled, says otherwise of name. Nothing "
        "moves until somebody accepts it; anything newer ends it." in str(table.why(1))
    )


def test_why_says_that_the_entry_of_a_word_is_gone(path: Path) -> None:
    table = disputed(path, "a", "b")
    table.quarantine.accept(1, content=1)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM anyorder_quarantine")
        database.execute("DELETE FROM anyorder_content")
        database.commit()

    assert "by an operator's word (its entry is gone)" in str(table.why(1))
    # A refused content is asked about once more, and moves nothing.
    assert table.apply([order(7, name="b")]).quarantined == {"conflict": 1}
    assert names(path) == ["a"]


def test_a_dispute_of_before_still_settles_and_takes_in_what_comes(path: Path) -> None:
    """The entry that an older anyorder opened lists nothing but the content that came second."""
    disputed(path, "a", "b").close()
    set_back(path, 5)
    table = orders(path)

    assert table.apply([order(7, name="b")]).ignored == {"duplicate": 1}
    assert table.apply([order(7, name="c")]).quarantined == {"conflict": 1}
    entry = entry_of(table)
    numbers = [one.number for one in entry.contents]
    assert numbers == list(range(1, len(numbers) + 1))
    table.quarantine.accept(1, content=numbers[-1])
    assert names(path) == ["c"]


def test_a_dispute_of_before_can_be_accepted_as_it_is(path: Path) -> None:
    disputed(path, "a", "b").close()
    set_back(path, 5)
    table = orders(path)

    table.quarantine.accept(1)

    assert names(path) == ["b"]
    assert table.apply([order(7, name="a"), order(7, name="b")]).applied == 0
    assert names(path) == ["b"]


def test_what_the_store_refuses_is_no_word(path: Path) -> None:
    """Nothing is marked, and the entry stays open."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, version, name CHECK (name <> 'a'))"
        )
        database.commit()
    table = orders(path)
    table.apply([order(7, name="b")])
    table.apply([order(7, name="c")])
    (entry,) = table.quarantine.entries()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE anyorder_content SET shown = replace(shown, '\"b\"', '\"a\"')")
        database.commit()

    with pytest.raises(ConfigurationError, match="the store refuses"):
        table.quarantine.accept(entry.id, content=1)

    assert entry_of(table).state == "open"
    assert "operator's word" not in str(table.why(1))
    table.quarantine.accept(entry.id, content=2)
    assert names(path) == ["c"]


def test_what_was_dropped_and_has_no_key_stays_dropped(path: Path) -> None:
    table = orders(path)
    table.apply([b"no JSON"])
    table.quarantine.drop(1)

    report = table.apply([b"no JSON"])

    assert (report.ignored, table.quarantine.entries()) == ({"duplicate": 1}, [])


TELLING = {
    "put and delete": (
        record(1, "u", 100, after={"id": 1, "name": "a"}),
        record(1, "d", 100, offset=101),
    ),
    "two reads": (
        record(1, "r", 100, after={"id": 1, "name": "a"}),
        later_by(record(1, "r", 100, after={"id": 1, "name": "b"}), 5),
    ),
}


@pytest.mark.parametrize("kind", TELLING)
@pytest.mark.parametrize("content", [1, 2])
@pytest.mark.parametrize("is_turned", [False, True])
def test_a_word_holds_for_all_that_one_place_of_a_log_told(
    path: Path, kind: str, content: int, is_turned: bool
) -> None:
    first, second = TELLING[kind]
    told = [second, first] if is_turned else [first, second]
    table = anyorder.table(f"sqlite:///{path}", "users", key="id")
    for one in told:
        table.apply([one])
    (entry,) = table.quarantine.entries()
    assert len(table.quarantine.show(entry.id).contents) == 2

    table.quarantine.accept(entry.id, content=content)
    chosen = table.why(1).state
    for one in (*told, *reversed(told)):
        assert table.apply([one]).ignored == {"duplicate": 1}

    assert (table.why(1).state, table.quarantine.entries()) == (chosen, [])
