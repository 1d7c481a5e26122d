"""A file of JSON lines as files are: growing, rotated, rewritten, cut, packed, and far too long."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from anyorder.envelopes import Limits
from anyorder.errors import SourceError
from anyorder.sources import jsonl, lines
from anyorder.sources.jsonl import JSONLinesSource
from anyorder.sources.lines import Done, Lines
from tests.cli.home import Home

PIPELINE = """
[source]
path = "{path}"
envelope = "json"
options = {{ key = "/id", position = "/version", table = "t" }}
[store]
url = "sqlite:///app.db"
[runtime]
quarantine_share = 1.0
[[table]]
name = "t"
"""
SHORT = Limits(line=20)
PACKED = [("day.jsonl.gz", gzip.compress), ("day.jsonl.xz", lzma.compress)]


def document(number: int, version: int = 1) -> bytes:
    return json.dumps({"id": number, "version": version}).encode()


def documents(*numbers: int) -> bytes:
    return b"".join(document(number) + b"\n" for number in numbers)


class Day(Home):
    """A directory with a pipeline over documents."""

    def of(self, path: str) -> Path:
        (self.path / "pipeline.toml").write_text(PIPELINE.format(path=path), encoding="utf-8")
        return self.path / path

    def run(self, *words: str) -> tuple[dict[str, object], str]:
        """The books of a run, and what it said to people."""
        done = self.ended("run", "--json", *words)
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout), done.stderr

    def ids(self) -> list[int]:
        return sorted(self.rows("t"))

    def held(self) -> list[dict[str, object]]:
        done = self.ended("quarantine", "list", "--nl")
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


# --- the last line


@pytest.mark.parametrize("cut", [1, 12, len(document(2)) - 1])
def test_a_last_line_that_is_being_written_is_left_and_said_every_time(day: Day, cut: int) -> None:
    file = day.of("day.jsonl")
    file.write_bytes(documents(1) + document(2)[:cut])

    first, said = day.run()
    second, again = day.run()
    file.write_bytes(documents(1, 2))
    third, _ = day.run()

    assert (first["read"], second["read"], third["read"]) == (1, 0, 1)
    assert "left for the next run" in said
    assert "left for the next run" in again
    assert day.ids() == [1, 2]
    assert day.held() == []


def test_a_last_line_without_newline_is_taken_if_it_is_whole(day: Day) -> None:
    file = day.of("day.jsonl")
    file.write_bytes(documents(1) + document(2))
    _, said = day.run()
    with file.open("ab") as writer:
        writer.write(b"\n" + documents(3) + b"broken\n")

    books, _ = day.run()

    assert said == ""
    assert (books["read"], day.ids()) == (2, [1, 2, 3])
    assert line_of(day, 1) == "line 4"


@pytest.mark.parametrize("text", [b"1", b"12", b"-", b"tru", b"\x80", b'{"id":1,"version":1'])
def test_what_may_go_on_is_left(text: bytes) -> None:
    assert list(Lines(io.BytesIO(text), grows=True)) == []


def test_standard_input_and_packed_files_end_where_they_end(day: Day) -> None:
    """Nobody goes on writing them: the half of a line is held, not lost."""
    day.of("-")
    half = documents(1) + document(2)[:12]

    books = day.books(text=half, code=1)
    packed_file = day.of("half.jsonl.gz")
    packed_file.write_bytes(gzip.compress(half))
    more, _ = day.run()

    assert (books["applied"], books["quarantined"]) == (1, {"malformed": 1})
    # the same half by another way is the same entry
    assert more["ignored"] == {"duplicate": 2}
    assert len(day.held()) == 1


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_the_half_of_a_packed_line_is_read_whole_when_it_is_there(
    day: Day, name: str, pack: Callable[[bytes], bytes]
) -> None:
    """A log was packed while it was being written; later the whole one lies there."""
    file = day.of(name)
    whole = documents(1, 2, 3)
    for content, code in ((whole[:-6], 1), (whole[:-6], 0), (whole, 0), (whole + b"\n", 0)):
        file.write_bytes(pack(content))
        done = day.ended("run")
        # It goes on at the line, and does not read the file from its beginning.
        assert (done.returncode, "beginning" in done.stderr) == (code, False)

    assert day.ids() == [1, 2, 3]
    assert line_of(day, 1) == "line 3"
    assert len(day.held()) == 1


def test_what_was_done_in_the_middle_of_a_line_is_read_again_from_the_beginning() -> None:
    """An anyorder of before took the half of a packed line for done."""
    text = documents(1, 2)
    half = text[:-6]
    done = Done(2, len(half), hashlib.blake2b(half, digest_size=8).hexdigest())

    assert not Lines(io.BytesIO(text)).skip(done)
    assert Lines(io.BytesIO(half)).skip(done)
    assert Lines(io.BytesIO(half + b" \r\n")).skip(done)


class Growing(io.BytesIO):
    """A file to which somebody appends `pieces`, one whenever its end was seen."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(pieces[0])
        self._pieces = list(pieces[1:])

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line, or as much of it as is there."""
        found = super().readline(size)
        if self._pieces and not found.endswith(b"\n") and len(found) != size:
            place = self.tell()
            self.write(self._pieces.pop(0))
            self.seek(place)
        return found


@pytest.mark.parametrize(
    "half",
    [b'{"id":', b'{"id":1}', b"x" * 20, b"x" * 21, b"x" * 27, b"x" * 40],
)
def test_a_file_that_grows_while_it_is_read_is_never_cut_inside_a_line(
    half: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was given is whole, and the rest is there for the next run."""
    monkeypatch.setattr(lines, "BLOCK", 7)
    end = b"\n" if half.endswith(b"}") else b"rest\n"
    text = b'{"a":1}\n' + half + end + b'{"b":1}\n'
    once = Lines(Growing(b'{"a":1}\n' + half, end, b'{"b":1}\n'), grows=True, limits=SHORT)
    given = [line.text for line in once]

    again = Lines(io.BytesIO(text), grows=True, limits=SHORT)
    assert again.skip(once.done())
    given += [line.text for line in again]

    assert given == [line.text for line in Lines(io.BytesIO(text), limits=SHORT)]
    assert again.done().size == len(text)


def test_a_pipe_with_a_name_is_read_as_standard_input_is(day: Day) -> None:
    """What was read from it once does not lie in it any more."""
    day.of("pipe")
    os.mkfifo(day.path / "pipe")
    for numbers in ((1, 2), (3,)):
        with subprocess.Popen(
            [sys.executable, "-m", "anyorder", "run", "--json"], cwd=day.path
        ) as process:
            (day.path / "pipe").write_bytes(documents(*numbers))
        assert process.returncode == 0

    assert day.ids() == [1, 2, 3]


# --- the frontier


@pytest.mark.parametrize(
    ("before", "after", "read"),
    [
        (documents(1, 2), documents(1, 2, 3), 1),
        # a daily export begins with the same record
        (documents(1, 2), documents(1, 4, 5), 3),
        (documents(1, 2, 3), documents(1, 4), 2),
        # rewritten in the middle, as long as it was
        (documents(1, 2, 3), documents(1, 4, 3, 5), 4),
        # copytruncate
        (documents(1, 2), documents(3), 1),
        (documents(1, 2), b"", 0),
        (documents(1, 2), documents(1), 1),
    ],
)
def test_a_file_is_resumed_only_if_all_that_was_done_is_still_there(
    day: Day, before: bytes, after: bytes, read: int
) -> None:
    file = day.of("day.jsonl")
    file.write_bytes(before)
    day.run()
    file.write_bytes(after)

    books, said = day.run()

    assert books["read"] == read
    assert ("from its beginning" in said) is not after.startswith(before)
    assert set(day.ids()) == {json.loads(one)["id"] for one in (before + after).splitlines()}


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_a_packed_file_is_resumed_by_its_content(
    day: Day, name: str, pack: Callable[[bytes], bytes]
) -> None:
    file = day.of(name)
    file.write_bytes(pack(documents(1, 2)))
    day.run()
    file.write_bytes(pack(documents(1, 2)) + pack(documents(3)))

    books, said = day.run()

    assert (books["read"], said) == (1, "")


def test_from_start_reads_everything_again(day: Day) -> None:
    day.of("day.jsonl").write_bytes(documents(1, 2))
    day.run()

    books, said = day.run("--from-start")

    assert (books["ignored"], said) == ({"duplicate": 2}, "")


def test_a_frontier_of_before_is_understood() -> None:
    """It kept the number of the line, and the hash of the first one."""
    text = documents(1, 2, 3)
    first = "a" * 16

    assert not Lines(io.BytesIO(text)).skip_lines(2, first)
    found = Lines(io.BytesIO(text))
    assert found.skip_lines(2, of_before(text))
    assert [line.number for line in found] == [3]
    assert not Lines(io.BytesIO(text)).skip_lines(4, of_before(text))


def of_before(text: bytes) -> str:
    import hashlib

    return hashlib.blake2b(text.splitlines(keepends=True)[0], digest_size=8).hexdigest()


@pytest.mark.parametrize("frontier", ["", "x", "1", "1:2:3:4", "a:b:c", "::", "2:9999:00"])
def test_a_frontier_that_nobody_wrote_is_no_frontier(tmp_path: Path, frontier: str) -> None:
    file = tmp_path / "day.jsonl"
    file.write_bytes(documents(1, 2))

    found = list(JSONLinesSource(str(file)).batches(frontier, 10))

    assert [len(batch) for batch in found] == [2]


def test_every_batch_says_how_far_it_is_done(tmp_path: Path) -> None:
    file = tmp_path / "day.jsonl"
    file.write_bytes(documents(*range(10)) + b"\n\n" + documents(10, 11))

    for size in (1, 2, 5, 100):
        batches = list(JSONLinesSource(str(file)).batches(None, size))
        for place, batch in enumerate(batches):
            rest = [one for later in batches[place + 1 :] for one in later]
            again = JSONLinesSource(str(file)).batches(batch[-1].mark, 100)
            assert [one.delivery for more in again for one in more] == [
                one.delivery for one in rest
            ]


# --- the place


def test_an_entry_tells_file_and_line(day: Day) -> None:
    day.of("day.jsonl").write_bytes(documents(1) + b"\n{broken\n" + b'{"id": 2}\n' + documents(3))

    day.run()

    assert (line_of(day, 1), line_of(day, 2)) == ("line 3", "line 4")
    assert "day.jsonl line 3" in day.anyorder("quarantine", "show", "1")


def line_of(day: Day, number: int) -> str:
    place: str = json.loads(day.anyorder("quarantine", "show", str(number), "--json"))["place"]
    return " ".join(place.split()[-2:])


def test_the_same_broken_line_at_another_place_is_the_same_entry(day: Day) -> None:
    file = day.of("day.jsonl")
    file.write_bytes(b"{broken\n")
    day.run()
    file.write_bytes(documents(1) + b"{broken\n")
    day.run()

    assert [one["count"] for one in day.held()] == [2]


# --- what is cut, damaged, or without any measure


@pytest.mark.parametrize(("name", "pack"), PACKED)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_packed_file_that_is_cut_is_applied_as_far_as_it_goes_and_the_rest_held(
    day: Day, name: str, pack: Callable[[bytes], bytes], share: float
) -> None:
    whole = documents(*range(20_000))
    cut = pack(whole)
    file = day.of(name)
    file.write_bytes(cut[: int(len(cut) * share)])

    books, _ = day.run()
    (entry,) = day.held()
    again, _ = day.run()
    file.write_bytes(cut)
    rest, _ = day.run()

    assert books["quarantined"] == {"malformed": 1}
    assert "ends in the middle" in str(entry["detail"])
    assert int(str(books["applied"])) > 0 if name.endswith("gz") else True
    assert again["ignored"] == {"duplicate": 1}
    # what was cut is not done: the whole file is read to its end
    assert day.ids() == list(range(20_000))
    assert int(str(books["applied"])) + int(str(rest["applied"])) == 20_000


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_a_packed_file_that_is_damaged_or_none_is_held(
    day: Day, name: str, pack: Callable[[bytes], bytes]
) -> None:
    file = day.of(name)
    damaged = bytearray(pack(documents(*range(20_000))))
    damaged[len(damaged) // 2 : len(damaged) // 2 + 40] = b"\xff" * 40
    for content in (bytes(damaged), b"this is not packed\n"):
        file.write_bytes(content)
        books = json.loads(day.ended("run", "--json").stdout)
        assert sum(books["quarantined"].values()) + books["ignored"].get("duplicate", 0) >= 1
        assert day.ended("quarantine", "list").returncode == 1


def test_a_line_beyond_any_use_is_one_entry_and_its_neighbours_are_applied(day: Day) -> None:
    """A bomb: 200 MB in a small file."""
    bomb = b'{"id": 7, "version": 1, "x": "' + b"a" * 200_000_000 + b'"}\n'
    day.of("day.jsonl.gz").write_bytes(
        gzip.compress(documents(1) + bomb + documents(2), compresslevel=1)
    )

    books, _ = day.run()

    assert (books["read"], books["applied"], books["quarantined"]) == (3, 2, {"malformed": 1})
    assert "longer than" in str(day.held()[0]["detail"])
    assert day.ids() == [1, 2]


def test_a_packed_file_that_unpacks_without_end_ends_malformed(tmp_path: Path) -> None:
    file = tmp_path / "bomb.jsonl.xz"
    file.write_bytes(lzma.compress(documents(1) + b"\n" * 80_000_000 + documents(2)))

    source = JSONLinesSource(str(file), Limits(unpacked=1_000_000))
    found = [one for batch in source.batches(None, 10) for one in batch]

    assert [bool(one.note) for one in found] == [False, True]
    assert "unpacks to more than" in found[1].note


def test_a_packed_file_that_needs_too_much_memory_is_not_unpacked(tmp_path: Path) -> None:
    hungry = [{"id": lzma.FILTER_LZMA2, "dict_size": 512 * 1024 * 1024}]
    file = tmp_path / "hungry.jsonl.xz"
    file.write_bytes(lzma.compress(documents(1), filters=hungry))

    ((one,),) = JSONLinesSource(str(file)).batches(None, 10)

    assert "more than" in one.note
    assert "memory" in one.note


def test_a_batch_is_bounded_by_its_bytes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "LARGEST_BATCH", 1000)
    file = tmp_path / "day.jsonl"
    file.write_bytes((b'{"x":"' + b"a" * 400 + b'"}\n') * 10)

    found = [len(batch) for batch in JSONLinesSource(str(file)).batches(None, 500)]

    assert found == [3, 3, 3, 1]


def test_a_long_line_is_read_on_to_its_end_and_counted_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 7)
    text = b'{"a":1}\n' + b"x" * 100 + b"\n" + b"y" * 19 + b"\n" + b'{"b":1}\n'
    found = Lines(io.BytesIO(text), limits=SHORT)

    read = [(line.number, len(line.text), bool(line.note)) for line in found]

    assert read == [(1, 7, False), (2, 20, True), (3, 19, False), (4, 7, False)]
    assert found.done().size == len(text)


def test_a_disk_that_fails_while_it_is_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "day.jsonl"
    file.write_bytes(documents(1))

    def failing(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(SourceError, match="Input/output error"):
        list(JSONLinesSource(str(file)).batches(None, 10))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_for_more_input_and_what_has_come_is_decided(
    day: Day, number: signal.Signals
) -> None:
    day.of("-")
    with subprocess.Popen(
        [sys.executable, "-m", "anyorder", "run", "--json"],
        cwd=day.path,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(documents(1, 2))
        process.stdin.flush()
        until_opened(day.path / "app.db")
        process.send_signal(number)
        process.wait(timeout=20)

    assert process.returncode == 0
    assert day.ids() == [1, 2]


def until_opened(file: Path) -> None:
    """Wait until the run has opened its store, and a little for what comes next."""
    # it ends with the test's own time limit at the latest
    while not file.exists():
        time.sleep(0.01)
    time.sleep(0.7)


def test_standard_input_is_another_one_every_time(day: Day) -> None:
    """No frontier of before counts for it, though the same bytes come again."""
    day.of("-")

    first = day.books(text=documents(1, 2))
    second = day.books(text=documents(1, 2))

    assert (first["read"], second["read"]) == (2, 2)
