"""Files as people have them: what kcat, rpk and kafka-console-consumer print, and what is typed.

`dumps/kcat-*` were written by kcat 1.7.1, `dumps/console-*` by kafka-console-consumer 4.4.0, all
from the same five records on a broker 4.4.0; `dumps.json` has the commands, `make_dumps.py` makes
them anew. What rpk writes is made here, after its source (`writeRecordJSON`).
"""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anyorder.sources.columns import columns_of
from tests.cli.home import Home

DUMPS = Path(__file__).parent / "dumps"
PIPELINE = """
[source]
path = "{path}"
{more}
[store]
url = "sqlite:///app.db"
[runtime]
quarantine_share = 1.0
[[table]]
match = "*"
name = "users"
key = "id"
"""
DOCUMENTS = """
[source]
path = "{path}"
envelope = "json"
options = {{ key = "/id", position = "/version", table = "users" }}
{more}
[store]
url = "sqlite:///app.db"
[runtime]
quarantine_share = 1.0
[[table]]
name = "users"
"""
LEFT = {2: "Rob"}
RECORDS = [json.loads(line) for line in (DUMPS / "kcat-json.jsonl").read_bytes().splitlines()]
DAY = [{"id": number, "version": 1, "name": f'n{number} é \n {{["'} for number in (1, 2, 3)]


def as_rpk(record: dict[str, Any]) -> dict[str, Any]:
    """As rpk topic consume prints it: nothing of what is null."""
    flat = record.get("headers", [])
    headers = [
        {"key": name, "value": text} for name, text in zip(flat[::2], flat[1::2], strict=True)
    ]
    told = {"topic": record["topic"], "key": record["key"], "value": record["payload"]}
    told |= {"headers": headers, "timestamp": record["ts"], "partition": 0}
    return {name: one for name, one in told.items() if one} | {
        "partition": 0,
        "offset": record["offset"],
    }


def as_objects(record: dict[str, Any]) -> dict[str, Any]:
    """With its key and its value as JSON of their own."""
    value = None if record["payload"] is None else json.loads(record["payload"])
    place = {name: record[name] for name in ("topic", "partition", "offset")}
    return place | {"key": json.loads(record["key"]), "value": value}


def printed(
    records: list[dict[str, Any]], *, indent: int | None = None, array: bool = False
) -> str:
    if array:
        return json.dumps(records, indent=indent)
    return "".join(json.dumps(record, indent=indent) + "\n" for record in records)


class Day(Home):
    """A directory with a dump in it."""

    def given(
        self, content: bytes, more: str = "", pipeline: str = PIPELINE, end: str = ""
    ) -> Path:
        file = self.path / f"dump{end}"
        (self.path / "pipeline.toml").write_text(
            pipeline.format(path=file.name, more=more), encoding="utf-8"
        )
        file.write_bytes(content)
        return file

    def run(self) -> tuple[dict[str, Any], str]:
        """The books of a run, and what it said to people."""
        done = self.ended("run", "--json")
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout), done.stderr

    def names(self) -> dict[int, object]:
        return {key: row["name"] for key, row in self.rows().items()}

    def held(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in self.ended("quarantine", "list", "--nl").stdout.splitlines()
        ]


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


# --- tools


@pytest.mark.parametrize("name", sorted(path.name for path in DUMPS.iterdir()))
def test_what_a_tool_printed_makes_the_table_that_its_topic_makes(day: Day, name: str) -> None:
    day.given((DUMPS / name).read_bytes(), 'null = ""' if name == "kcat-tab.txt" else "")

    books, _ = day.run()

    assert day.names() == LEFT
    is_untold = name == "kcat-pipe.txt"
    assert books["quarantined"] == ({"malformed": 1} if is_untold else {})


def test_every_dump_has_the_command_that_made_it() -> None:
    commands = json.loads((DUMPS.parent / "dumps.json").read_bytes())

    assert sorted(commands) == sorted(path.name for path in DUMPS.iterdir())


def test_what_the_console_consumer_says_of_itself_is_no_record_before_the_first_one_alone(
    day: Day,
) -> None:
    """Kafka 4 says on standard output that an option is of before."""
    said, *lines = (DUMPS / "console-key.txt").read_bytes().splitlines(keepends=True)
    day.given(b"".join([said, said, *lines, said]))

    books, _ = day.run()

    assert said.startswith(b"Option --property is deprecated")
    assert (books["read"], books["quarantined"]) == (6, {"malformed": 1})
    assert day.names() == LEFT


def test_what_follows_behind_what_the_console_consumer_said_is_read_by_the_next_run(
    day: Day,
) -> None:
    said, *lines = (DUMPS / "console-all.txt").read_bytes().splitlines(keepends=True)
    file = day.given(b"".join([said, *lines[:2]]))
    first, _ = day.run()
    file.write_bytes(b"".join([said, *lines]))

    books, _ = day.run()

    assert (first["read"], books["read"], day.names()) == (2, 3, LEFT)


def test_a_null_that_kcat_printed_as_nothing_is_held_with_what_to_say(day: Day) -> None:
    day.given((DUMPS / "kcat-pipe.txt").read_bytes())

    day.run()

    (entry,) = day.held()
    assert 'null = ""' in entry["detail"]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("told", [as_rpk, as_objects])
def test_records_of_rpk_and_records_of_objects_are_read(
    day: Day, told: Callable[[dict[str, Any]], dict[str, Any]], indent: int | None
) -> None:
    day.given(printed([told(record) for record in RECORDS], indent=indent).encode())

    books, _ = day.run()

    assert (books["read"], books["quarantined"], day.names()) == (5, {}, LEFT)


def test_a_record_of_rpk_without_its_value_is_no_delete(day: Day) -> None:
    record = as_rpk(RECORDS[0])
    del record["value"]
    day.given(printed([record | {"value_size": 300}]).encode())

    books, _ = day.run()

    assert books["quarantined"] == {"malformed": 1}
    assert "--meta-only" in day.held()[0]["detail"]


def test_a_key_that_kcat_could_not_read_is_told(day: Day) -> None:
    day.given(printed([RECORDS[0] | {"key": None, "key_error": "no schema"}]).encode())

    day.run()

    assert "no schema" in day.held()[0]["detail"]


def test_numbers_of_an_object_stay_as_they_are_written(day: Day) -> None:
    record = b'{"key": {"id": 1}, "value": {"id": 1, "name": 1.10, "n": 18446744073709551617}}'
    day.given(record, 'envelope = "json"\noptions = { key = "/id", position = "/n" }')

    books, _ = day.run()

    assert (books["applied"], day.rows()[1]["n"]) == (1, "18446744073709551617")


def test_a_line_without_a_column_of_the_first_is_held_and_its_neighbours_are_read(
    day: Day,
) -> None:
    lines = (DUMPS / "console-all.txt").read_bytes().splitlines(keepends=True)
    day.given(b"".join([*lines[:2], b"Processed a total of 2 messages\n", *lines[2:]]))

    books, _ = day.run()

    assert (books["quarantined"], day.names()) == ({"malformed": 1}, LEFT)
    assert "timestamp" in day.held()[0]["detail"]


def test_the_end_of_a_line_is_not_taken_for_columns() -> None:
    assert columns_of(b'"name": "x"}, "source":{"a":1}}') is None
    assert columns_of(b'{"id":1,"source":') is None
    assert columns_of(b'1,{"a":1}}') is None


def test_columns_may_be_named_with_what_separates_them(day: Day) -> None:
    content = (DUMPS / "console-key.txt").read_bytes().replace(b"\t{", b" => {")
    content = content.replace(b"\tnull", b" => null")
    day.given(content, 'format = "columns"\nseparator = " => "')

    books, _ = day.run()

    assert (books["quarantined"], day.names()) == ({}, LEFT)


def test_raw_values_have_the_topic_that_the_pipeline_names(day: Day) -> None:
    lines = b"".join(
        b'Partition:0\tOffset:%d\tuser-1\t{"name":"n%d"}\n' % (number, number) for number in (2, 1)
    )
    day.given(lines, 'topic = "users"\nenvelope = "raw"')
    day.run()

    assert [row["name"] for row in day.rows().values()] == ["n2"]


# --- what is missing


def test_what_a_missing_offset_and_a_missing_key_cost_is_said_once(day: Day) -> None:
    day.given((DUMPS / "console-values.txt").read_bytes() * 3)

    done = day.ended("run", "--json", "--batch", "2")

    assert done.stderr.count("no partition and offset") == 1
    assert done.stderr.count("no key comes") == 1


def test_nothing_is_said_where_nothing_is_missing(day: Day) -> None:
    day.given((DUMPS / "kcat-json.jsonl").read_bytes())

    _, said = day.run()

    assert said == ""


def test_a_record_without_its_key_that_changes_it_is_held(day: Day) -> None:
    """The row of the former key would stay for ever."""
    value = json.loads(RECORDS[2]["payload"])
    value["before"] = {"id": 1, "name": "Bob"}
    day.given(json.dumps(value).encode() + b"\n")

    books, _ = day.run()

    assert books["quarantined"] == {"malformed": 1}
    assert "changes" in day.held()[0]["detail"]


def test_a_record_without_its_key_says_which_word_is_missing(day: Day) -> None:
    day.given((DUMPS / "console-values.txt").read_bytes())
    file = day.path / "pipeline.toml"
    file.write_text(file.read_text().replace('key = "id"', ""), encoding="utf-8")

    day.run()

    assert "[[table]]" in day.held()[0]["detail"]


# --- JSON over many lines


@pytest.mark.parametrize(
    ("indent", "array"), [(None, True), (2, True), (2, False), (0, False)], ids=str
)
def test_json_over_many_lines_and_arrays_are_records(
    day: Day, indent: int | None, array: bool
) -> None:
    day.given(printed(DAY, indent=indent, array=array).encode(), pipeline=DOCUMENTS)

    books, _ = day.run()

    assert (books["applied"], books["quarantined"]) == (3, {})
    assert day.names() == {one["id"]: one["name"] for one in DAY}
    assert day.run()[0]["read"] == 0


def test_an_array_that_grew_is_read_from_where_it_ended(day: Day) -> None:
    file = day.given(printed(DAY[:2], indent=2, array=True).encode(), pipeline=DOCUMENTS)
    day.run()
    file.write_text(printed(DAY, indent=2, array=True), encoding="utf-8")

    books, said = day.run()

    assert (books["read"], sorted(day.rows())) == (1, [1, 2, 3])
    assert "from its beginning" not in said


@pytest.mark.parametrize("cut", [1, 14, 40])
def test_json_that_is_being_written_is_left_for_the_next_run(day: Day, cut: int) -> None:
    first, second = (printed([one], indent=2) for one in DAY[:2])
    file = day.given((first + second[:cut]).encode(), pipeline=DOCUMENTS)
    books, said = day.run()
    file.write_text(first + second, encoding="utf-8")

    assert (books["read"], books["quarantined"], "left for the next run" in said) == (1, {}, True)
    assert (day.run()[0]["read"], sorted(day.rows())) == (1, [1, 2])


@pytest.mark.parametrize("cut", [20, 30])
def test_json_that_was_cut_does_not_take_the_next_one_with_it(day: Day, cut: int) -> None:
    first, second, third = (printed([one], indent=2) for one in DAY)
    day.given(f"{first}{second[:cut]}\n{third}".encode(), pipeline=DOCUMENTS)

    books, _ = day.run()

    assert (books["quarantined"], sorted(day.rows())) == ({"malformed": 1}, [1, 3])


# --- encodings

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8 with a mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16 LE with a mark": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "UTF-16 BE with a mark": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16 LE": lambda text: text.encode("utf-16-le"),
    "UTF-16 BE": lambda text: text.encode("utf-16-be"),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
}


@pytest.mark.parametrize("end", PACKED)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_in_another_encoding_is_read_and_resumed(
    day: Day, encoding: str, end: str, indent: int | None
) -> None:
    encoded = ENCODINGS[encoding]
    pack = PACKED[end]
    text = printed(DAY, indent=indent)
    begun = printed(DAY[:2], indent=indent)
    file = day.given(pack(encoded(begun)), pipeline=DOCUMENTS, end=end)
    first, _ = day.run()
    file.write_bytes(pack(encoded(text)))
    second, said = day.run()

    assert (first["read"], second["read"], first["quarantined"]) == (2, 1, {})
    assert day.names() == {one["id"]: one["name"] for one in DAY}
    assert "from its beginning" not in said


def test_half_a_character_at_the_end_is_left_with_its_line(day: Day) -> None:
    whole = printed(DAY).encode("utf-16-le")
    file = day.given(whole[:-33], pipeline=DOCUMENTS)
    first, _ = day.run()
    file.write_bytes(whole)

    assert (first["read"], day.run()[0]["read"], sorted(day.rows())) == (2, 1, [1, 2, 3])


# --- resuming


@pytest.mark.parametrize("end", PACKED)
@pytest.mark.parametrize("name", ["console-all.txt", "kcat-json.jsonl", "console-values.txt"])
def test_a_dump_that_grew_is_read_from_where_it_ended(day: Day, name: str, end: str) -> None:
    lines = (DUMPS / name).read_bytes().splitlines(keepends=True)
    file = day.given(PACKED[end](b"".join(lines[:-3])), end=end)
    day.run()
    file.write_bytes(PACKED[end](b"".join(lines)))

    books, said = day.run()

    assert (books["read"], day.names()) == (3, LEFT)
    assert "from its beginning" not in said


def test_a_line_of_columns_that_is_being_written_is_left_for_the_next_run(day: Day) -> None:
    content = (DUMPS / "console-all.txt").read_bytes()
    file = day.given(content[:-3])
    first, said = day.run()
    file.write_bytes(content)

    assert (first["read"], first["quarantined"], "left for the next run" in said) == (4, {}, True)
    assert (day.run()[0]["read"], day.names()) == (1, LEFT)
