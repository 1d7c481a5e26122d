"""What a store of before holds as `incomplete` is `no_content` today, and the same entry."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from anyorder._core.outcome import REASONS, Reason
from anyorder.guard.contract import Entry, EntryQuery
from anyorder.stores.dynamodb.entries import entry_of, is_asked_for
from tests.cli.home import Home

DUMP = Path(__file__).parent / "fixtures" / "incomplete.sql"
PIPELINE = """
[source]
path = "day.jsonl"
envelope = "eventbridge"
options = { inner = "debezium" }
[store]
url = "sqlite:///app.db"
[[table]]
name = "users"
key = "id"
"""
ITEM = {
    "place": {"S": "000000000000007"},
    "table": {"S": "users"},
    "entity": {"S": '{"id":1}'},
    "identity": {"S": "incomplete 70d6bba834f1ea5a"},
    "reason": {"S": "incomplete"},
    "detail": {"S": "it lies elsewhere"},
    "state": {"S": "open"},
    "first_seen": {"N": "1.0"},
    "last_seen": {"N": "1.0"},
    "count": {"N": "1"},
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With a database that the version before the new name has made: the events 1 and 3 are open,
    2 is dropped."""
    with closing(sqlite3.connect(tmp_path / "app.db")) as database:
        database.executescript(DUMP.read_text(encoding="utf-8"))
    (tmp_path / "pipeline.toml").write_text(PIPELINE, encoding="utf-8")
    return Home(tmp_path)


def without_value(number: int) -> dict[str, object]:
    """The same event as it was delivered then."""
    place = {"topic": "shop.public.users", "partition": 0, "offset": 3 + number}
    detail = {**place, "key": {"id": number}}
    return {"version": "0", "detail-type": "x", "source": "s", "detail": detail}


@pytest.mark.parametrize("reason", ["no_content", "incomplete"])
def test_entries_of_before_are_listed_by_either_name_under_the_new_one(
    home: Home, reason: str
) -> None:
    told = home.anyorder("quarantine", "list", "--reason", reason, "--nl", code=1)

    listed = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert [(one["id"], one["reason"]) for one in listed] == [(1, "no_content"), (3, "no_content")]


def test_an_entry_of_before_is_shown_counted_and_dropped(home: Home) -> None:
    shown = home.anyorder("quarantine", "show", "1")
    found = home.anyorder("doctor", code=1)
    home.anyorder("quarantine", "settle", "--reason", "incomplete", "--drop", "--yes")

    assert "no_content: The value lies elsewhere" in shown
    assert "2 open in quarantine: no_content" in found
    assert home.anyorder("quarantine", "list") == "the quarantine is empty\n"


def test_a_delivery_of_before_that_comes_again_finds_its_entry(home: Home) -> None:
    home.deliver([without_value(number) for number in (1, 2, 3)])

    assert home.books()["ignored"] == {"duplicate": 3}


def test_what_comes_today_is_called_by_the_new_name(home: Home) -> None:
    home.deliver([without_value(4)])

    assert home.books(code=1)["quarantined"] == {"no_content": 1}


def test_an_item_of_before_is_read_and_found_by_the_new_name() -> None:
    assert entry_of(ITEM).reason == "no_content"
    assert is_asked_for(EntryQuery(reason="no_content"), ITEM)
    assert not is_asked_for(EntryQuery(reason="malformed"), ITEM)


def test_every_store_s_entries_have_the_name_of_today() -> None:
    entry = Entry(1, "users", None, "incomplete", "", "open", 1.0, 1.0, 1, "x")

    assert entry.reason == "no_content"
    assert REASONS[Reason("incomplete")] is REASONS[Reason.NO_CONTENT]
