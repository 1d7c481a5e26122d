"""`quarantine show` and `settle ID --accept N`: the contents of a dispute on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.desk import Desk

PIPELINE = """
[source]
path = "day.jsonl"
envelope = "json"
options = { key = "/id", position = "/version", deleted = "/gone" }
[store]
url = "sqlite:///app.db"
[[table]]
match = "*"
name = "t"
"""


def _told(name: str | None) -> dict[str, object]:
    return {"gone": True} if name is None else {"name": name}


class Dispute(Desk):
    """A directory with a dispute of two contents, and the verb."""

    def take(self, *names: str | None) -> None:
        """Each of these names; None is a delete."""
        records = [{"id": 1, "version": 7, **_told(name)} for name in names]
        self.deliver(records, more=True)
        self.said("run", code=None)

    def quarantine(self, *words: str, code: int = 0) -> str:
        return "".join(self.said("quarantine", *words, code=code))

    @property
    def names(self) -> list[str]:
        return [name for (name,) in self.query("SELECT name FROM t")]


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Dispute:
    monkeypatch.chdir(tmp_path)
    found = Dispute(tmp_path, capsys)
    found.write(PIPELINE)
    return found


@pytest.fixture
def desk(home: Dispute) -> Dispute:
    for name in "ab":
        home.take(name)
    return home


@pytest.mark.parametrize("number", [1, 2])
def test_the_content_of_a_number_is_accepted_as_show_numbers_them(
    desk: Dispute, number: int
) -> None:
    shown = json.loads(desk.quarantine("show", "1", "--json"))
    (content,) = [one for one in shown["contents"] if one["number"] == number]

    said = desk.quarantine("settle", "1", "--accept", str(number))

    assert desk.names == [content["fields"]["name"]]
    assert f"{number}: upsert" in said
    assert "Entry 1 is closed" in said


def test_accept_alone_is_misuse_where_there_are_several_and_lists_them(desk: Dispute) -> None:
    told = desk.quarantine("settle", "1", "--accept", code=2)

    assert '1: upsert {"id":1,"name":"a","version":7}' in told
    assert '2: upsert {"id":1,"name":"b","version":7}' in told
    assert "--accept N" in told


def test_a_number_that_the_entry_does_not_list_is_misuse(desk: Dispute) -> None:
    assert "has no content 3" in desk.quarantine("settle", "1", "--accept", "3", code=2)


@pytest.mark.parametrize("word", [("--accept", "1"), ("--drop",)])
def test_a_word_of_so_many_contents_is_misuse_if_there_are_more_by_now(
    desk: Dispute, word: tuple[str, ...]
) -> None:
    desk.take("c")

    told = desk.quarantine("settle", "1", *word, "--of", "2", code=2)
    desk.quarantine("settle", "1", *word, "--of", "3")

    assert "lists 3 contents, and your word was for 2" in told


def test_accept_before_the_id_names_the_entry(desk: Dispute) -> None:
    assert "which content of entry 1?" in desk.quarantine("settle", "--accept", "1", code=2)


def test_show_tells_what_the_row_showed_and_what_a_word_chose(desk: Dispute) -> None:
    before = desk.quarantine("show", "1")
    desk.quarantine("settle", "1", "--accept", "2")
    after = desk.quarantine("show", "1")

    assert 'content 1   upsert {"id":1,"name":"a","version":7} (as the row showed it)' in before
    assert (
        'content 2   upsert {"id":1,"name":"b","version":7} (chosen by an operator\'s word)'
        in after
    )


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a"), ("c", "a"), ("a", "c", "b")])
def test_the_detail_tells_a_content_that_the_row_does_not_show(
    home: Dispute, names: tuple[str, ...], *, together: bool
) -> None:
    """Whoever settles many goes by it: what the row shows is right, or the other content is."""
    for told in [names] if together else [(name,) for name in names]:
        home.take(*told)
    (shown,) = home.names
    (entry,) = json.loads(home.quarantine("list", "--json", code=1))
    other = json.loads(entry["detail"].removeprefix("the other content: "))["name"]

    assert other in set(names) - {shown}


@pytest.mark.parametrize("first", [0, 1])
def test_the_detail_of_a_delete_beside_a_row_says_what_the_table_does_not_show(
    home: Dispute, first: int
) -> None:
    home.take(*[("a", None), (None, "a")][first])
    (entry,) = json.loads(home.quarantine("list", "--json", code=1))
    wanted = "a delete" if home.names else '{"id":1,"name":"a","version":7}'

    assert entry["detail"] == f"the other content: {wanted}"


def test_a_word_that_many_entries_are_given_says_no_number(desk: Dispute) -> None:
    told = desk.quarantine("settle", "--table", "t", "--accept", "--of", "2", "--yes", code=2)

    assert "give its id" in told


def test_a_number_behind_accept_and_filters_say_what_to_write_instead(desk: Dispute) -> None:
    told = desk.quarantine("settle", "--accept", "1", "--reason", "conflict", code=2)

    assert "`--accept 1` names entry 1 here, and the filters name others" in told
    assert "settle FILTERS --accept" in told
    assert "settle ID --accept 1" in told


def test_a_dry_run_tells_the_content_that_would_be_accepted_and_accepts_nothing(
    desk: Dispute,
) -> None:
    before = desk.names
    told = desk.quarantine("settle", "1", "--accept", "2", "--dry-run")
    scripts = json.loads(desk.quarantine("settle", "1", "--accept", "2", "--dry-run", "--json"))

    assert 'content 2: upsert {"id":1,"name":"b","version":7}' in told
    assert (scripts["count"], scripts["content"]) == (1, 2)
    assert desk.names == before


def test_a_dry_run_without_a_number_lists_the_contents(desk: Dispute) -> None:
    told = desk.quarantine("settle", "1", "--accept", "--dry-run")

    assert "It lists 2 contents: 1: upsert" in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--accept", "3"), "has no content 3"),
        (("--accept", "1", "--of", "5"), "lists 2 contents, and your word was for 5"),
        (("--drop", "--of", "1"), "lists 2 contents, and your word was for 1"),
    ],
)
def test_a_dry_run_refuses_what_the_word_itself_would_be_refused_for(
    desk: Dispute, words: tuple[str, ...], why: str
) -> None:
    assert why in desk.quarantine("settle", "1", *words, "--dry-run", code=2)


def test_a_dry_run_for_a_closed_entry_says_that_it_is(desk: Dispute) -> None:
    desk.quarantine("settle", "1", "--drop")

    assert "is dropped" in desk.quarantine("settle", "1", "--accept", "1", "--dry-run", code=2)
