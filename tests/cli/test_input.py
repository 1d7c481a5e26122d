"""What `anyorder run` reads of a file or of standard input, and from where it goes on."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anyorder.cli.main import main
from anyorder.runtime.pipeline import load_pipeline
from tests.streams import record

PIPELINE = """
[source]
path = "{path}"
[store]
url = "sqlite:///app.db"
[[table]]
match = "app.public.*"
"""


class Here:
    """A directory with a pipeline, and `anyorder run` in this process."""

    def __init__(
        self, path: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.path = path
        self._patch = patch
        self._capsys = capsys
        self.source("day.jsonl")

    def source(self, path: str) -> None:
        (self.path / "pipeline.toml").write_text(PIPELINE.format(path=path), encoding="utf-8")

    def books(self, *words: str, given: bytes = b"", code: int = 0) -> dict[str, Any]:
        """The books of a run. `given`: standard input."""
        # A file of the system's, as a shell gives one.
        (self.path / "given").write_bytes(given)
        self._capsys.readouterr()
        with (self.path / "given").open(encoding="utf-8") as stream:
            self._patch.setattr(sys, "stdin", stream)
            found = main(["run", "--json", *words])
        said = self._capsys.readouterr()
        assert found == code, said
        books: dict[str, Any] = json.loads(said.out.splitlines()[-1])
        return books


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, monkeypatch, capsys)


def lines(*keys: int) -> bytes:
    """A create of each key, one a line."""
    made = [record(key, "c", 10 * key, after={"id": key}) for key in keys]
    return b"".join(json.dumps(one).encode() + b"\n" for one in made)


def test_standard_input_is_read_from_its_beginning_every_time(here: Here) -> None:
    """It may be anything each time, even if it begins with the same record."""
    here.source("-")
    here.books(given=lines(1, 2, 3))

    books = here.books(given=lines(1, 4))

    assert (books["read"], books["applied"], books["ignored"]) == (2, 1, {"duplicate": 1})


def test_a_file_that_grew_is_read_from_where_it_ended(here: Here) -> None:
    (here.path / "day.jsonl").write_bytes(lines(1, 2, 3))
    first = here.books("--batch", "2")
    (here.path / "day.jsonl").write_bytes(lines(1, 2, 3, 4))

    assert (first["read"], here.books()["read"], here.books()["read"]) == (3, 1, 0)


def test_a_packed_file_that_grew_is_read_from_where_it_ended(here: Here) -> None:
    here.source("day.jsonl.gz")
    (here.path / "day.jsonl.gz").write_bytes(gzip.compress(lines(1, 2)))
    first = here.books()
    (here.path / "day.jsonl.gz").write_bytes(gzip.compress(lines(1, 2, 3)))

    assert (first["read"], here.books()["read"]) == (2, 1)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_lines_of_nothing_are_no_deliveries_and_lines_may_end_as_they_like(
    here: Here, end: bytes
) -> None:
    told = lines(1, 2).replace(b"\n", end)
    text = end + told + b"  " + end + end + lines(3).replace(b"\n", end)
    (here.path / "day.jsonl").write_bytes(text)

    assert here.books() | {"seconds": 0} == {
        "read": 3,
        "applied": 3,
        "ignored": {},
        "quarantined": {},
        "settled": {},
        "seconds": 0,
    }
    assert here.books()["read"] == 0


def test_two_files_of_one_store_have_a_frontier_each(here: Here) -> None:
    """Files with the same first record, one after the other and back again."""
    for name, keys in (("one.jsonl", (1, 2)), ("two.jsonl", (1, 3, 4))):
        (here.path / name).write_bytes(lines(*keys))
    found = []

    for name in ("one.jsonl", "two.jsonl", "one.jsonl", "two.jsonl"):
        here.source(name)
        found.append(here.books()["read"])

    assert found == [2, 3, 0, 0]


USERS = '[[table]]\nmatch = "app.public.users"\n'
ORDERS = USERS.replace("users", "orders")
IGNORED = "ignore = true\n"


@pytest.mark.parametrize(
    ("one", "another", "read"),
    [
        (USERS + IGNORED, USERS, 2),
        (USERS, ORDERS + IGNORED + USERS, 2),
        (USERS, USERS + 'name = "people"\n', 2),
        (USERS, USERS + 'key = "id"\nkinds = { id = "number" }\n', 0),
        (USERS, USERS + 'retention = "90d"\n', 0),
        (USERS, USERS + "# a word for people\n", 0),
    ],
)
def test_pipelines_that_make_something_else_of_one_file_have_a_frontier_each(
    here: Here, one: str, another: str, read: int
) -> None:
    """What one of them ignored or put elsewhere is not done for the other."""
    (here.path / "day.jsonl").write_bytes(lines(1, 2))
    head, _, _ = PIPELINE.format(path="day.jsonl").partition("[[table]]")
    found = []

    for sections in (one, another, one, another):
        (here.path / "pipeline.toml").write_text(head + sections, encoding="utf-8")
        found.append(here.books()["read"])

    assert found == [2, read, 0, 0]


def test_one_file_read_by_two_envelopes_is_read_by_each(here: Here) -> None:
    """Each calls the table of its documents otherwise."""
    (here.path / "day.jsonl").write_bytes(b'{"id": 1, "version": 1}\n')
    store = '[store]\nurl = "sqlite:///app.db"\n'
    for table in ("users", "orders"):
        options = f'{{ key = "/id", position = "/version", table = "{table}" }}'
        source = f'[source]\npath = "day.jsonl"\nenvelope = "json"\noptions = {options}\n'
        (here.path / "pipeline.toml").write_text(source + store, encoding="utf-8")
        assert here.books()["applied"] == 1


def test_a_frontier_of_before_that_tells_no_pipeline_is_gone_on_from(here: Here) -> None:
    (here.path / "day.jsonl").write_bytes(lines(1, 2))
    here.books()
    with closing(sqlite3.connect(here.path / "app.db")) as database, database:
        database.execute(
            "UPDATE anyorder_frontier SET source = 'jsonl:' || ?",
            [str((here.path / "day.jsonl").resolve())],
        )

    assert here.books()["read"] == 0


def test_a_file_by_another_way_to_it_is_the_same_source(here: Here) -> None:
    (here.path / "day.jsonl").write_bytes(lines(1, 2))
    here.books()
    here.source(str(here.path / "." / "day.jsonl"))

    assert here.books()["read"] == 0


def test_a_stop_between_two_lines_of_nothing_goes_on_at_the_right_line(here: Here) -> None:
    """Lines are counted, not deliveries."""
    (here.path / "day.jsonl").write_bytes(b"\n\n" + lines(1, 2) + b"\n")
    first = here.books("--batch", "1")
    (here.path / "day.jsonl").write_bytes(b"\n\n" + lines(1, 2) + b"\n" + lines(3))

    second = here.books()

    assert (first["read"], second["read"], second["applied"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"{}\n"), "with gzip: have its name end in .gz"),
        (lzma.compress(b"{}\n"), "with xz: have its name end in .xz"),
        (bz2.compress(b"{}\n"), "with bzip2, which is not read: unpack it first (bunzip2)"),
        (b"\x28\xb5\x2f\xfd\x04\x00{}", "with zstd, which is not read: unpack it first (zstd -d)"),
    ],
    ids=["gzip", "xz", "bzip2", "zstd"],
)
@pytest.mark.parametrize("verb", [["run"], ["decode", "day.jsonl"]], ids=["run", "decode"])
def test_a_packed_file_whose_name_does_not_say_so_is_misuse_and_holds_nothing(
    here: Here, capsys: pytest.CaptureFixture[str], content: bytes, said: str, verb: list[str]
) -> None:
    (here.path / "day.jsonl").write_bytes(content)

    code = main(verb)

    assert (code, capsys.readouterr().err.strip().endswith(said)) == (2, True)


def test_a_file_that_is_not_there_is_misuse_and_makes_nothing_done(here: Here) -> None:
    code = main(["run", "--json"])
    (here.path / "day.jsonl").write_bytes(lines(1))

    assert code != 0
    assert here.books()["applied"] == 1


def test_a_line_that_is_no_record_is_kept_byte_for_byte_without_its_end(here: Here) -> None:
    told = b"  {broken\xff\t "
    (here.path / "day.jsonl").write_bytes(told + b"\r\n" + lines(1))

    books = here.books(code=1)

    with closing(sqlite3.connect("app.db")) as database:
        kept = database.execute("SELECT value FROM anyorder_quarantine").fetchall()
    assert (books["applied"], kept) == (1, [(told,)])


def test_a_file_is_a_source_by_its_name_and_standard_input_may_be_anything(here: Here) -> None:
    """What the quarantine holds of it belongs to whichever pipeline has its format."""
    named = json.loads(load_pipeline().provenance).get("source", "")
    here.source("-")
    nameless = json.loads(load_pipeline().provenance).get("source", "")

    assert named.endswith(str(here.path / "day.jsonl"))
    assert nameless == ""
