"""What a run does beside deciding: it forgets what is old, watches the quarantine's size, stops
when it is asked, and tells its source what is done."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from anyorder._core.event import Delivery
from anyorder.errors import QuarantineFull, TooManyQuarantined
from anyorder.guard.report import Report
from anyorder.runtime.loop import Run
from anyorder.runtime.pipeline import load_pipeline
from anyorder.sources.contract import Received
from tests.streams import record, tombstone
from tests.table.test_table import FIRST, LATER, of_run, snapshot, truncate_record

PIPELINE = """
[source]
{source}
[store]
url = "sqlite:///app.db"
[runtime]
batch = {batch}
{more}
quarantine_size = "{size}"
{tables}
"""
TABLES = '[[table]]\nmatch = "app.public.*"\nretention = "{retention}"'
FILE = 'path = "day.jsonl"'
TWO_HOURS = 7200
BROKEN = {"topic": "app.public.users", "value": "{" + 300 * "x"}


class Home:
    """A directory with a pipeline, of one delivery a batch by default, run in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pipeline()

    def pipeline(
        self,
        retention: str = "1h",
        source: str = FILE,
        size: str = "1GB",
        more: str = "",
        batch: int = 1,
        tables: str = TABLES,
    ) -> None:
        text = PIPELINE.format(
            source=source,
            size=size,
            more=more,
            batch=batch,
            tables=tables.format(retention=retention),
        )
        (self.path / "pipeline.toml").write_text(text, encoding="utf-8")

    def deliver(self, *records: dict[str, Any]) -> None:
        """These records only, as another file of the same name."""
        lines = "".join(json.dumps(one) + "\n" for one in records)
        (self.path / "day.jsonl").write_text(lines, encoding="utf-8")

    def run(self, *, dry: bool = False, seen: Callable[[Run], None] | None = None) -> Report:
        """One run. `seen`: called with it after each batch, before it forgets."""
        pipeline = load_pipeline()
        store = pipeline.open_store()
        run = Run(pipeline, store, dry=dry, progress=lambda *_: seen(run) if seen else None)
        try:
            return run.run()
        finally:
            store.close()

    def age(self, seconds: int) -> None:
        """Make everything remembered so much older."""
        with closing(sqlite3.connect("app.db")) as database:
            database.execute("UPDATE anyorder_memory_users SET since = since - ?", (seconds,))
            database.commit()


def tombstones() -> set[str]:
    """The keys whose tombstones are remembered, seen by another connection."""
    with closing(sqlite3.connect("app.db")) as database:
        found = database.execute("SELECT entity FROM anyorder_memory_users WHERE live = 0")
        return {entity for (entity,) in found}


def quarantined() -> int:
    """How many entries the quarantine has."""
    with closing(sqlite3.connect("app.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM anyorder_quarantine").fetchone()
    return int(count)


def entity(key: int) -> str:
    return json.dumps({"id": key}, separators=(",", ":"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


@pytest.fixture
def old(home: Home) -> Home:
    """One tombstone is older than the retention, and another one is not."""
    home.deliver(record(1, "d", 10))
    home.run()
    home.age(TWO_HOURS)
    home.deliver(record(2, "d", 20))
    home.pipeline(retention="forever")
    home.run()
    home.pipeline()
    assert tombstones() == {entity(1), entity(2)}
    return home


def test_a_run_forgets_what_is_old_after_its_first_batch(old: Home) -> None:
    """One that never ends, or is killed every minute, forgets too."""
    old.deliver(record(3, "c", 30, after={"id": 3}), record(4, "c", 40, after={"id": 4}))
    after_each: list[set[str]] = []

    old.run(seen=lambda _: after_each.append(tombstones()))

    assert after_each == [{entity(1), entity(2)}, {entity(2)}]


def test_a_run_with_nothing_new_forgets_what_is_old_and_keeps_what_is_young(old: Home) -> None:
    assert old.run().read == 0

    assert tombstones() == {entity(2)}


def test_with_no_retention_at_all_every_batch_forgets(home: Home) -> None:
    home.pipeline(retention="0s")
    home.deliver(*(record(key, "d", 10 * key) for key in (1, 2, 3)))
    after_each: list[set[str]] = []

    home.run(seen=lambda _: after_each.append(tombstones()))

    assert after_each == [{entity(1)}, {entity(2)}, {entity(3)}]
    assert tombstones() == set()


def test_what_grows_old_is_not_looked_for_after_every_batch(home: Home) -> None:
    """A look costs a transaction; the end of the run looks once more."""
    home.deliver(*(record(key, "d", 10 * key) for key in (1, 2, 3)))
    after_each: list[int] = []

    def age(_: Run) -> None:
        home.age(TWO_HOURS)
        after_each.append(len(tombstones()))

    home.run(seen=age)

    assert after_each == [1, 1, 2]
    assert tombstones() == set()


@pytest.mark.parametrize("records", [0, 1], ids=["nothing new", "a batch"])
def test_a_dry_run_forgets_nothing(old: Home, records: int) -> None:
    old.deliver(*[record(3, "c", 30, after={"id": 3})][:records])

    old.run(dry=True)

    assert tombstones() == {entity(1), entity(2)}


def test_a_quarantine_beyond_its_size_ends_the_run_and_keeps_what_it_has(home: Home) -> None:
    home.pipeline(size="1KB")
    home.deliver(*(BROKEN | {"offset": offset} for offset in range(5)))
    home.run()
    held = quarantined()
    home.deliver(record(1, "c", 10, after={"id": 1}), record(2, "c", 20, after={"id": 2}))

    with pytest.raises(QuarantineFull):
        home.run()

    assert (held, quarantined()) == (5, 5)


def test_a_quarantine_within_its_size_ends_nothing(home: Home) -> None:
    home.pipeline(size="10KB")
    home.deliver(*(BROKEN | {"offset": offset} for offset in range(5)))
    home.run()
    home.deliver(record(1, "c", 10, after={"id": 1}))

    assert home.run().applied == 1


@pytest.mark.parametrize(("share", "ends"), [(0.05, True), (0.15, False)])
def test_a_run_ends_when_too_large_a_share_of_the_latest_deliveries_is_held(
    home: Home, share: float, ends: bool
) -> None:
    """Every tenth is broken; a share is not taken before a thousand have come."""
    home.pipeline(more=f"quarantine_share = {share}", batch=100)
    good = (record(key, "c", 10 * key, after={"id": key}) for key in range(1200))
    home.deliver(*(one if key % 10 else BROKEN | {"offset": key} for key, one in enumerate(good)))

    if ends:
        with pytest.raises(TooManyQuarantined):
            home.run()
        assert quarantined() == 100
    else:
        assert home.run().read == 1200


def test_what_disorder_makes_is_expected_and_ends_nothing(home: Home) -> None:
    """Null records that wait for their deletes, a thousand of them, and nothing else."""
    home.pipeline(batch=500)
    creates = [record(key, "c", 10, after={"id": key}) for key in range(1001)]
    home.deliver(*creates)
    home.run()
    home.deliver(*(tombstone(record(key, "d", 2000 + key)) for key in range(1001)))

    assert home.run().quarantined == {"waiting": 1001}


def test_what_waits_for_a_snapshot_is_settled_by_that_of_another_table(home: Home) -> None:
    """It parts the log of all tables (rules R14), whichever of them it was read from."""
    home.deliver(truncate_record(100, FIRST), truncate_record(50, LATER))
    waiting = home.run()
    home.deliver(of_orders(snapshot(of_run(record(7, "r", 40, after={"id": 7}), LATER))))

    report = home.run()

    assert waiting.quarantined == {"waiting": 1}
    assert (report.applied, report.settled) == (1, {"applied": 1})


def of_orders(made: dict[str, Any]) -> dict[str, Any]:
    value = json.loads(made["value"])
    value["source"]["table"] = "orders"
    return {**made, "topic": "app.public.orders", "value": json.dumps(value)}


def test_a_line_that_is_no_record_is_not_ignored_with_what_is(home: Home) -> None:
    """Nobody knows whose it is, so nobody can have said to ignore it."""
    home.pipeline(tables='[[table]]\nmatch = "*"\nignore = true')
    home.deliver(record(1, "c", 10, after={"id": 1}))
    with Path("day.jsonl").open("ab") as file:
        file.write(b"{broken\n")

    report = home.run()

    assert (report.ignored, report.quarantined) == ({"not_a_change": 1}, {"malformed": 1})


def test_a_run_that_is_asked_to_stop_ends_after_its_batch_and_the_next_goes_on(home: Home) -> None:
    home.deliver(*(record(key, "c", 10 * key, after={"id": key}) for key in (1, 2, 3, 4)))

    first = home.run(seen=Run.stop)
    second = home.run()

    assert (first.read, second.read) == (1, 3)


class Queue:
    """A source that is told what is done, one delivery a batch, and keeps what it was told."""

    acknowledges = True
    name = place = "queue"
    told: ClassVar[list[object]] = []

    def batches(self, frontier: str | None, size: int) -> Iterator[Sequence[Received]]:
        self.told.append(("begin", frontier))
        for key in (1, 2):
            made = record(key, "d", 10 * key)
            delivery = Delivery(
                str(made["topic"]),
                offset=key,
                key=str(made["key"]).encode(),
                value=str(made["value"]).encode(),
            )
            yield [Received(delivery, str(key))]

    def done(self, batch: Sequence[Received]) -> None:
        self.told.append((*(one.mark for one in batch), len(tombstones())))

    def close(self) -> None:
        self.told.append("closed")


@pytest.fixture
def told(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    home.pipeline(retention="forever", source=f'kind = "{__name__}:Queue"')
    monkeypatch.setattr(Queue, "told", [])
    return Queue.told


def test_a_batch_is_done_at_its_source_once_it_is_committed_and_no_frontier_is_kept(
    home: Home, told: list[object]
) -> None:
    home.run()
    home.run()

    once = [("begin", None), ("1", 1), ("2", 2), "closed"]
    again = [("begin", None), ("1", 2), ("2", 2), "closed"]
    assert told == [*once, *again]


def test_a_dry_run_tells_its_source_nothing_is_done(home: Home, told: list[object]) -> None:
    report = home.run(dry=True)

    assert report.applied == 2
    assert told == [("begin", None), "closed"]


def test_a_source_is_closed_whatever_ends_the_run(
    home: Home, told: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Run) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        home.run(seen=fail)

    assert told[-1] == "closed"


def test_a_run_warns_once_of_times_that_are_of_1970(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Its source is of today, so these are seconds that were taken for milliseconds."""
    options = '{ key = "/id", position = "/version", time = "/at", table = "users" }'
    home.pipeline(source=f'{FILE}\nenvelope = "json"\noptions = {options}', tables="[[table]]")
    home.deliver(*({"id": key, "version": 1, "at": 1798761600 + key} for key in range(3)))

    home.run()

    assert [record.getMessage().count("in 1970") for record in caplog.records] == [1]
