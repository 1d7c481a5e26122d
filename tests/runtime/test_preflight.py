"""A first batch that is not what the pipeline says is not taken: nothing is written, and the words
say what it seems to be. What may be right is never stopped."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from anyorder._core.event import Delivery
from anyorder.envelopes import open_envelope, read_record
from anyorder.errors import ConfigurationError
from anyorder.runtime.preflight import ENOUGH, check_first
from anyorder.sources.contract import Received
from tests.aws.connector import event_of
from tests.cli.desk import Desk
from tests.streams import record, stream, tombstone

FIXTURES = Path(__file__).parent.parent / "envelopes" / "fixtures"
PIPELINE = """
[source]
{source}
envelope = "{envelope}"
options = {options}
[store]
url = "{url}"
[runtime]
quarantine_share = 1.0
[[table]]
match = "*"
name = "users"
"""
FILE = 'path = "day.jsonl"'
RECORDS = list(stream(60, 12))
BY_NOWHERE = '{ key = "/nowhere", position = "/source/lsn" }'
MAXWELL = {"database": "shop", "table": "users", "type": "insert", "ts": 1, "data": {"id": 1}}


class Home(Desk):
    """A directory with a pipeline that is mistaken, or not."""

    def pipeline(
        self,
        envelope: str = "cloudevents",
        options: str = "{}",
        source: str = FILE,
        url: str = "sqlite:///app.db",
    ) -> None:
        self.write(PIPELINE.format(envelope=envelope, options=options, source=source, url=url))

    def run(self, *words: str, code: int = 0) -> str:
        """What it says on both outputs."""
        return "".join(self.said("run", *words, code=code))

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.path.iterdir()} - {"pipeline.toml", "day.jsonl"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Home:
    monkeypatch.chdir(tmp_path)
    found = Home(tmp_path, capsys)
    found.pipeline()
    return found


@pytest.mark.parametrize(
    ("envelope", "options"),
    [
        ("cloudevents", "{}"),
        ("eventbridge", "{}"),
        ("dynamodb_streams", "{}"),
        ("json", BY_NOWHERE),
    ],
)
def test_an_envelope_that_reads_nothing_of_the_first_batch_stops_the_run(
    home: Home, envelope: str, options: str
) -> None:
    home.deliver(RECORDS)
    home.pipeline(envelope, options)

    told = home.run(code=2)

    assert f"the envelope {envelope} reads none of the first {len(RECORDS)} records" in told
    assert "takes the first for debezium: a Debezium change event" in told
    assert "--no-preflight" in told
    assert home.files == set()


def test_a_format_that_is_taken_for_rows_stops_the_run(home: Home) -> None:
    """With null records that delete, whatever is a JSON object is a flattened row."""
    place = {"topic": "shop", "partition": 0, "key": '{"id": 1}'}
    home.deliver([{**place, "offset": n, "value": json.dumps(MAXWELL)} for n in range(30)])
    home.pipeline("debezium", '{ tombstone = "delete" }')

    told = home.run(code=2)

    assert "the first 20 records of day.jsonl are not of the envelope debezium" in told
    assert "takes the first for maxwell" in told
    assert home.files == set()


def test_who_says_so_reads_them_anyway(home: Home) -> None:
    home.deliver(RECORDS)

    told = home.run("--no-preflight", code=1)

    assert f"{len(RECORDS)} quarantined (malformed)" in told


def test_a_dry_run_is_stopped_too(home: Home) -> None:
    home.deliver(RECORDS)

    assert "Nothing was written" in home.run("--dry-run", code=2)


def test_a_store_that_is_there_stays_as_it_is(home: Home) -> None:
    """No frontier, no table, no entry, and nothing that was declared is recorded."""
    home.pipeline("debezium")
    home.deliver(RECORDS[:5])
    home.run()
    home.pipeline()
    home.deliver(RECORDS)
    before = (home.path / "app.db").read_bytes()

    home.run(code=2)

    assert (home.path / "app.db").read_bytes() == before
    home.pipeline("debezium")
    assert "nothing new" not in home.run()


def test_a_database_of_the_user_s_own_gets_nothing_of_ours(home: Home) -> None:
    database = sqlite3.connect("app.db")
    database.execute("CREATE TABLE mine (id INTEGER PRIMARY KEY)")
    database.close()
    before = (home.path / "app.db").read_bytes()
    home.deliver(RECORDS)

    home.run(code=2)

    assert (home.path / "app.db").read_bytes() == before
    assert home.files == {"app.db"}


def test_a_source_that_was_read_before_is_not_looked_at(home: Home) -> None:
    home.deliver(RECORDS[:5])
    home.run(code=1)
    home.deliver(RECORDS)

    home.run(code=1)


def test_fewer_than_enough_tell_nothing(home: Home) -> None:
    home.deliver(RECORDS[: ENOUGH - 1])

    home.run(code=1)


def test_one_that_is_read_is_enough(home: Home) -> None:
    lines = (FIXTURES / "cloudevents_structured.jsonl").read_text(encoding="utf-8")
    right = json.loads(lines.splitlines()[0])
    home.deliver([right, *RECORDS])
    home.pipeline(options='{ sequence = "integer" }')

    home.run(code=1)


def test_standard_input_is_taken_as_it_comes(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It cannot be read a second time: what is not taken would be lost."""
    home.deliver(RECORDS)
    home.pipeline(source='path = "-"')
    with (tmp_path / "day.jsonl").open(encoding="utf-8") as lines:
        monkeypatch.setattr("sys.stdin", lines)
        home.run(code=1)


class Queue:
    """A source that is acknowledged elsewhere."""

    name = place = "queue"
    acknowledges = True
    sent: ClassVar[list[Delivery]] = []

    def batches(self, _: str | None, size: int) -> Iterator[Sequence[Received]]:
        yield [Received(one) for one in self.sent[:size]]

    def done(self, batch: Sequence[Received]) -> None:
        self.sent[: len(batch)] = []

    def close(self) -> None:
        return None


def test_what_is_acknowledged_is_taken_as_it_comes(home: Home) -> None:
    Queue.sent = [Delivery(value=b"{}", offset=number) for number in range(30)]
    home.pipeline(source=f'kind = "{__name__}:Queue"')

    home.run(code=1)

    assert Queue.sent == []


def test_a_mistake_of_the_store_or_of_a_table_is_no_alarm(home: Home) -> None:
    """What no [[table]] matches, or the store refuses, is read: it is held, and retried."""
    home.pipeline("debezium")
    text = (home.path / "pipeline.toml").read_text().replace('match = "*"', 'match = "x"')
    (home.path / "pipeline.toml").write_text(text)
    home.deliver(RECORDS)

    assert "60 quarantined (unrouted)" in home.run(code=1)


def batch_of(*records: object) -> list[Received]:
    """These records over and over, as a first batch."""
    found = [Received(read_record(json.dumps(one).encode())) for one in records]
    return (found * (2 * ENOUGH))[: 3 * ENOUGH]


BEAT = {**record(1, "c", 10), "key": '{"serverName":"app"}', "value": '{"ts_ms":1790000000000}'}
DELETED = tombstone(record(1, "d", 10))
FLAT = {**record(1, "c", 10), "value": '{"id":1,"resolved":true,"after":"x","updated":5}'}
IN_CLOUDEVENT = {
    **record(1, "c", 10, after={"id": 1}),
    "headers": [
        ["ce_specversion", "1.0"],
        ["ce_id", "1"],
        ["ce_source", "s"],
        ["ce_type", "t"],
        ["ce_sequence", "1"],
    ],
}


@pytest.mark.parametrize(
    ("envelope", "options", "records"),
    [
        ("debezium", {}, [BEAT]),
        ("debezium", {}, [DELETED]),
        ("debezium", {"tombstone": "delete"}, [DELETED]),
        ("debezium", {"tombstone": "delete"}, [FLAT]),
        ("debezium", {}, [IN_CLOUDEVENT]),
        ("raw", {}, RECORDS),
        ("raw", {}, [DELETED]),
        ("json", {"key": "/source/txId", "position": "/source/lsn"}, RECORDS),
        ("json", {"key": "/id", "position": "/version"}, [DELETED]),
        ("eventbridge", {}, [json.loads(event_of(one)) for one in RECORDS]),
        ("cloudevents", {"key": "/after/id", "sequence": "integer"}, [IN_CLOUDEVENT]),
    ],
)
def test_what_may_be_right_raises_no_alarm(
    envelope: str, options: dict[str, Any], records: list[object]
) -> None:
    """Formats that contain each other, one's own pointers, heartbeats and null records first, rows
    with columns that are called like another format's members."""
    check_first(open_envelope(envelope, **options), batch_of(*records), "day.jsonl")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_no_recorded_fixture_of_an_envelope_raises_an_alarm(path: Path) -> None:
    envelope = path.stem.partition("_")[0]
    lines = path.read_text(encoding="utf-8").splitlines()
    options: dict[str, Any] = {}
    if envelope == "cloudevents":
        options = {"sequence": "integer"}
    if envelope == "json":
        options = {"key": "/order/id", "position": "/version"}
    if path.stem.startswith("dynamodb"):
        envelope = "dynamodb_streams"
    if envelope == "others":
        pytest.skip("formats that no envelope reads")
    records = [json.loads(line) for line in lines]

    check_first(open_envelope(envelope, **options), batch_of(*records), path.name)


def test_nulls_do_not_hide_that_nothing_is_read() -> None:
    with pytest.raises(ConfigurationError, match="takes the first for maxwell"):
        check_first(
            open_envelope("debezium"),
            batch_of({**DELETED, "value": json.dumps(MAXWELL)}, DELETED),
            "day.jsonl",
        )
