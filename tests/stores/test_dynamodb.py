"""The DynamoDB store on real servers: the kit, faults, its ways to forget, and what it says of a
table."""

from __future__ import annotations

import functools
import itertools
import os
import time
from typing import Any

import pytest
from bench.aws_meter import Meter

from anyorder._core.event import Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.floor import EVERYTHING
from anyorder._core.fold import Limits, stamp_of
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError, NotReapable, StoreBusy, TableNotEmpty
from anyorder.guard.contract import EntryQuery, TableSpec
from anyorder.guard.forgetting import forget
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.guard.quarantine import Quarantine
from anyorder.stores import open_store
from anyorder.stores.dynamodb.books import Meta
from anyorder.stores.dynamodb.floors import BUCKETS, DAY, FloorItem, Floors, bucket_of
from anyorder.stores.dynamodb.items import EXPIRES, MEMORY, SINCE
from anyorder.stores.dynamodb.open_entries import OpenEntries
from anyorder.stores.dynamodb.store import DynamoDBStore
from anyorder.stores.dynamodb.tables import Tombstone
from anyorder.testing import CHECKS, StoreCheckFailed, check_store
from anyorder.testing.bench import RETENTION_ZERO, Bench
from anyorder.testing.change import Change, decode, delete, part, put, truncate
from anyorder.testing.writers import Load, check_writers
from tests.parts.dynamodb import make_local_client
from tests.stores.dynamodb_place import dynamodb_place, exists, plain_row, scan
from tests.stores.faults import FaultyClient, OldClient

DELIVERIES = int(os.environ.get("ANYORDER_WRITES", "2000"))
SAMPLE = 1 if "ANYORDER_WRITES" in os.environ else 11
HOURS = 3600.0
FOLDED = "table names"  # DynamoDB Local fails on two that differ in case, which DynamoDB keeps


@pytest.mark.parametrize("check", [check for check in CHECKS if check != FOLDED])
def test_the_kit_passes_on_dynamodb_local(dynamodb_local: Any, check: str) -> None:
    """DynamoDB Local holds every check, reading before it writes."""
    place = functools.partial(dynamodb_place, dynamodb_local, sample=SAMPLE, read_first=True)
    assert check_store(place, only=[check]).findings[0].check == check


@pytest.mark.parametrize(
    "check", ["orders", "batches", "ties", "lives", "ambiguous commit", "refused", "positions"]
)
def test_the_kit_passes_without_reading_first(dynamodb_local: Any, check: str) -> None:
    """Overtaking unread gives the same rows, memories and reasons, although nothing was read
    before."""
    place = functools.partial(dynamodb_place, dynamodb_local, sample=SAMPLE, read_first=False)
    assert check_store(place, only=[check]).findings[0].check == check


@pytest.mark.parametrize("check", CHECKS)
def test_the_kit_passes_on_moto_behind_a_lock(moto: Any, check: str) -> None:
    """moto is an atomic DynamoDB once one lock surrounds it."""
    place = functools.partial(dynamodb_place, moto, sample=SAMPLE * 2, read_first=None)
    assert check_store(place, only=[check]).findings[0].check == check


def test_eight_writers_in_two_processes_and_a_reaper(dynamodb_local: Any) -> None:
    """No forks and nothing wrong under 8 writer threads in 2 processes and a reaper;
    `ANYORDER_WRITES=100000` for the full run."""
    load = Load(
        keys=max(4, DELIVERIES // 500), versions=210, writers=8, processes=2, batch=100, copies=2
    )
    assert "8 writers in 2 processes" in check_writers(lambda: dynamodb_place(dynamodb_local), load)


@pytest.mark.parametrize("check", ["orders", "batches", "retention zero", "quarantine"])
def test_throttling_failures_and_lost_answers_change_nothing(
    dynamodb_local: Any, check: str
) -> None:
    """A fifth of the requests is throttled, fails, or loses its answer after it was carried out:
    every reason is still the right one."""
    client = FaultyClient(dynamodb_local, share=0.2)
    assert check_store(
        lambda: dynamodb_place(client, processes=False, sample=17), only=[check]
    ).findings
    assert client.seen["throttle"] + client.seen["failure"] > 0
    assert client.seen["lost answer"] + client.seen["failed answer"] > 0


@pytest.mark.parametrize("read_first", [True, False])
def test_a_server_that_does_not_say_what_a_condition_met(
    dynamodb_local: Any, read_first: bool
) -> None:
    """Without ReturnValuesOnConditionCheckFailure the item is read again: nothing else changes."""
    client = OldClient(dynamodb_local)
    place = functools.partial(
        dynamodb_place, client, processes=False, sample=17, read_first=read_first
    )
    assert (
        len(check_store(place, only=["batches", "ties", "stopped writer", "writers"]).findings) == 4
    )


class FloorsOfAnyCopy(Floors):
    """Creates look at any one of the copies of the floor, not at the one of the key's own
    bucket."""

    connections = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        FloorsOfAnyCopy.connections += 1
        self._shift = FloorsOfAnyCopy.connections

    def of(
        self, meta: Meta, buckets: Any, now: float, *, dry: bool = False
    ) -> dict[int, FloorItem]:
        found = super().of(meta, range(BUCKETS), now, dry=dry)
        return {bucket: found[(bucket + self._shift) % BUCKETS] for bucket in buckets}

    def check(self, meta: Meta, bucket: int, version: int, now: float) -> dict[str, Any]:
        return super().check(meta, (bucket + self._shift) % BUCKETS, version, now)


class UncheckedFloors(Floors):
    """Creates are not conditional on the floor that they were decided under."""

    def check(self, meta: Meta, bucket: int, version: int, now: float) -> dict[str, Any]:
        check = super().check(meta, bucket, version, now)
        check["ConditionCheck"]["ConditionExpression"] = "version <> :version OR version = :version"
        return check


class AnyCopy(DynamoDBStore):
    """See `FloorsOfAnyCopy`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        floors = FloorsOfAnyCopy(self.parts.books, self.parts.tables)
        self.parts = self.parts._replace(floors=floors)


class PlainCreates(DynamoDBStore):
    """See `UncheckedFloors`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        floors = UncheckedFloors(self.parts.books, self.parts.tables)
        self.parts = self.parts._replace(floors=floors)


class UnconditionalReaper(DynamoDBStore):
    """The reaper deletes a key's item whatever it holds by then."""

    def _forget(self, spec: TableSpec, tombstone: Tombstone) -> bool:
        self.parts.requests.call(
            "delete_item", TableName=self.parts.tables.name_of(spec.name), Key=tombstone.key
        )
        return True


class FloorAfterDelete(DynamoDBStore):
    """The reaper deletes first."""

    def _reap(self, spec: TableSpec, before: float, limit: int) -> int:
        for tombstone in self.parts.tables.tombstones(spec.name, before):
            self._forget(spec, tombstone)
            self.parts.floors.raise_over(
                spec.name, bucket_of(tombstone.entity), [tombstone.memory.stamp]
            )
        return 0


class UncountedEntries(OpenEntries):
    """Counts the open entries of tables only."""

    def count(self) -> int:
        return sum(meta.open for meta in self._books.metas())


class UncountedWithoutATable(DynamoDBStore):
    """What no table takes does not count as open."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.parts = self.parts._replace(open_entries=UncountedEntries(self.parts.books))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (UncountedWithoutATable, "retried"),
        (AnyCopy, "floor of others"),
        (PlainCreates, "stopped writer"),
        (UnconditionalReaper, "stopped reaper"),
        (FloorAfterDelete, "stopped reaper"),
    ],
)
def test_broken_dynamodb_store_fails(
    dynamodb_local: Any, kind: type[DynamoDBStore], check: str
) -> None:
    """Each tempting shortcut of the DynamoDB store fails the check that names it."""
    with pytest.raises(StoreCheckFailed) as failure:
        check_store(lambda: dynamodb_place(dynamodb_local, kind, processes=False), only=[check])
    assert failure.value.check == check


# ---- forgetting


def user(name: str, version: int, fields: dict[str, Any] | None) -> Event:
    kind = Kind.DELETE if fields is None else Kind.PUT
    return Event(
        kind, "users", {"name": name}, ScalarPosition("version", "users", (version,)), fields
    )


def test_a_delete_then_its_create_two_years_late(dynamodb_local: Any) -> None:
    """DeleteUser, then two years late the CreateUser that it deleted: DynamoDB's TTL has removed
    the tombstone, and the create is late.

    The retention of 48 hours has passed when the tombstone is noted; after three of them DynamoDB
    deletes it.
    """
    users = TableSpec("users", ("name",), retention=48 * HOURS)
    place = dynamodb_place(dynamodb_local)
    store: Any = open_store(f"{place.url}&forget=ttl", decode)
    table = store.parts.tables.name_of("users")
    began = time.time() - 3 * 48 * HOURS + 5

    deleted = take(store, [Share(users, [user("ann", 2, None)])], now=began, token="delete")
    (tombstone,) = scan(dynamodb_local, table)
    assert int(tombstone[EXPIRES]["N"]) == int(began + 3 * 48 * HOURS) + 1
    # the pipeline's own reaper, which notes what DynamoDB will delete
    for hours in (8, 49, 97, 143):
        store.reap(users, began + hours * HOURS - 48 * HOURS, 1000)

    until = time.time() + 150
    while scan(dynamodb_local, table) and time.time() < until:
        time.sleep(1)
    created = take(
        store,
        [Share(users, [user("ann", 1, {"mail": "ann@example.org"})])],
        now=time.time(),
        token="create",
    )

    assert [decision.reason for decision in deleted.decisions] == [Reason.APPLIED]
    assert [decision.reason for decision in created.decisions] == [Reason.LATE]
    assert scan(dynamodb_local, table) == []
    with store.reading() as transaction:
        assert [(entry.reason, entry.key) for entry in transaction.entries(EntryQuery())] == [
            ("late", {"name": "ann"})
        ]
    store.close()


def test_native_ttl_holds_new_keys_when_nobody_noted_the_tombstones(dynamodb_local: Any) -> None:
    """Longer than the retention without a note, tombstones may have gone unseen: new keys are held,
    rows go on, an operator's word counts."""
    spec = TableSpec("kit", ("id",), retention=7 * DAY)
    with Bench("native ttl", lambda: dynamodb_place(dynamodb_local, forget="ttl"), spec) as bench:
        bench.deliver([put(1, 1), delete(2, 1)], now=100 * DAY)
        assert bench.deliver([put(3, 1)], now=109 * DAY) == [Reason.APPLIED]
        assert bench.deliver(
            [put(1, 2), delete(1, 3), put(1, 4), put(4, 9), delete(5, 9)], now=123 * DAY
        ) == [
            *[Reason.APPLIED] * 3,
            Reason.UNKNOWN_SCOPE,
            Reason.UNKNOWN_SCOPE,
        ]
        held = Quarantine(bench.store, spec, decode)
        entry = next(found for found in held.entries() if found.key == {"id": 4})
        assert any("rebuild" in what for _, _, what in bench.store.check(spec))
        assert "tombstones expired unseen" in held.accept(entry.id)
        assert set(bench.rows()) == {1, 3, 4}


@pytest.mark.parametrize("away", [1.0, 3.0, 6.5, 8.0, 12.9])
def test_native_ttl_goes_on_after_a_retention_without_anybody(
    dynamodb_local: Any, away: float
) -> None:
    """Whoever notes the tombstones may be away for a retention, again and again, and be late."""
    spec = TableSpec("kit", ("id",), retention=7 * DAY)
    with Bench("native ttl", lambda: dynamodb_place(dynamodb_local, forget="ttl"), spec) as bench:
        now, found = 100 * DAY, []
        for number in range(8):
            found += bench.deliver(
                [put(100 + number, 1000 + number), delete(200 + number, 2000 + number)], now=now
            )
            now += away * DAY
        # only what is older than the retention's tombstones
        assert found.count(Reason.LATE) <= 8 - 7 / away
        assert not any(
            floor.floor == EVERYTHING for floor in bench.store.parts.floors.read("kit").values()
        )  # type: ignore[attr-defined]


def test_a_retention_may_be_shortened_under_native_ttl(dynamodb_local: Any) -> None:
    """From 30 days to 7: what is older than the new retention is noted first, and nothing is
    lost."""
    with Bench(
        "native ttl",
        lambda: dynamodb_place(dynamodb_local, forget="ttl"),
        TableSpec("kit", ("id",), retention=30 * DAY),
    ) as bench:
        bench.deliver([put(1, 1), delete(2, 50)], now=100 * DAY)
        bench.deliver([put(3, 51)], now=120 * DAY)
        bench.spec = TableSpec("kit", ("id",), retention=7 * DAY)
        found = bench.deliver([put(1, 60), put(4, 61), put(5, 49)], now=121 * DAY)
        assert found[:2] == [Reason.APPLIED, Reason.APPLIED]
        floors = bench.store.parts.floors.read("kit")  # type: ignore[attr-defined]
        assert {floor.covered for floor in floors.values()} == {114 * DAY}
        assert not any(floor.floor == EVERYTHING for floor in floors.values())


def test_versions_that_count_per_key_never_expire(dynamodb_local: Any) -> None:
    """No floor can stand for them, so DynamoDB may not delete them; reaping says so."""
    spec = TableSpec("users", ("name",), retention=7 * DAY)
    store: Any = open_store(f"{dynamodb_place(dynamodb_local).url}&forget=ttl", decode)

    def gone(name: str, version: int) -> Event:
        return Event(
            Kind.DELETE,
            "users",
            {"name": name},
            ScalarPosition("version", f"users/{name}", (version,), per_entity=True),
        )

    take(store, [Share(spec, [gone("ann", 2)])], now=100 * DAY, token="1")
    for day in (104, 108, 112, 116):
        assert [
            d.reason
            for d in take(
                store, [Share(spec, [gone(f"ben {day}", 1)])], now=day * DAY, token=str(day)
            ).decisions
        ] == [Reason.APPLIED]
    assert [
        EXPIRES in item for item in scan(dynamodb_local, store.parts.tables.name_of("users"))
    ] == [False] * 5
    with pytest.raises(NotReapable):
        forget(store, spec, 130 * DAY)
    store.close()


def test_native_ttl_refuses_a_retention_that_its_margin_cannot_hold(dynamodb_local: Any) -> None:
    """Under an hour a request might be under way for longer than the margin."""
    place = dynamodb_place(dynamodb_local, forget="ttl")
    with (
        pytest.raises(ConfigurationError, match="an hour"),
        Bench("native ttl", lambda: place, TableSpec("kit", ("id",), retention=60.0)) as bench,
    ):
        bench.deliver([put(1, 1)], now=100 * DAY)


def test_native_ttl_calls_nothing_late_before_the_retention(dynamodb_local: Any) -> None:
    """A key that was never seen is ordinary until the tombstones beside it are older than the
    retention."""
    spec = TableSpec("kit", ("id",), retention=8 * DAY)
    fresh = iter(
        key
        for key in itertools.count(2)
        if bucket_of(put(key, 1).event().entity) == bucket_of(put(1, 1).event().entity)
    )
    with Bench("native ttl", lambda: dynamodb_place(dynamodb_local, forget="ttl"), spec) as bench:
        bench.deliver([put(0, 1)], now=99 * DAY)
        bench.deliver([delete(1, 10)], now=100 * DAY)
        found = []
        for day in (101, 107, 109):
            bench.store.reap(spec, (day - 8) * DAY, 1000)
            found += bench.deliver([put(next(fresh), 9)], now=day * DAY)
        assert found == [Reason.APPLIED, Reason.APPLIED, Reason.LATE]


def test_the_first_note_covers_only_what_must_have_landed(dynamodb_local: Any) -> None:
    """Another writer's tombstone may be under way for the margin; a note up to this very moment
    would claim to have seen it."""
    spec = TableSpec("kit", ("id",), retention=7 * DAY)
    with Bench("native ttl", lambda: dynamodb_place(dynamodb_local, forget="ttl"), spec) as bench:
        bench.deliver([put(1, 1)], now=100 * DAY)
        assert {floor.covered for floor in bench.store.parts.floors.read("kit").values()} == {
            99 * DAY
        }  # type: ignore[attr-defined]


def test_a_reader_makes_no_table(dynamodb_local: Any) -> None:
    """Looking at tables that do not exist finds nothing, and leaves nothing."""
    place = dynamodb_place(dynamodb_local)
    store: Any = place.connect(decode)
    with store.reading() as transaction:
        assert transaction.tables() == list(transaction.entries(EntryQuery(""))) == []
        assert transaction.frontier("a source") is None
    take(
        store, [Share(TableSpec("kit", ("id",)), [put(1, 1).event()])], now=1.0, token="t", dry=True
    )
    tuple(store.check(TableSpec("kit", ("id",))))
    assert not exists(dynamodb_local, store.parts.tables.books)
    store.close()


def test_an_endpoint_that_is_no_url_is_a_sentence(dynamodb_local: Any) -> None:
    """Not a traceback of the SDK's."""
    with pytest.raises(ConfigurationError, match="endpoint"):
        open_store("dynamodb://users?region=eu-central-1&endpoint=localhost:99")


def test_a_tombstone_that_lives_again_loses_its_ttl_attribute(dynamodb_local: Any) -> None:
    """Else DynamoDB's TTL would delete a live row; whole and partial puts alike."""
    spec = TableSpec("kit", ("id",), retention=7 * DAY)
    with Bench("native ttl", lambda: dynamodb_place(dynamodb_local, forget="ttl"), spec) as bench:
        bench.deliver([delete(1, 1), delete(2, 1), delete(3, 1)], now=100 * DAY)
        bench.deliver([put(1, 2), part(2, 2, "x")], now=100 * DAY + 1)
        items = {
            plain_row(item)["id"]: item
            for item in scan(dynamodb_local, bench.store.parts.tables.name_of("kit"))
        }  # type: ignore[attr-defined]
        assert [EXPIRES in items[key] for key in (1, 2, 3)] == [False, False, True]
        assert [SINCE in items[key] for key in (1, 2, 3)] == [False, False, True]


def test_a_retention_that_is_set_later_waits_a_day(dynamodb_local: Any) -> None:
    """A create without the floor check may still be under way when a retention is set: nothing is
    forgotten until it must have landed."""
    forever, later = TableSpec("kit", ("id",)), TableSpec("kit", ("id",), retention=0.0)
    with Bench("retention later", lambda: dynamodb_place(dynamodb_local), forever) as bench:
        bench.deliver([delete(1, 5)], now=100 * DAY)
        bench.store.reap(later, 100 * DAY + 1, 10)
        assert bench.store.reap(later, 100.5 * DAY, 10) == 0
        assert bench.store.reap(later, 101.1 * DAY, 10) == 1
        assert bench.deliver([put(1, 4)], now=102 * DAY) == [Reason.LATE]


def test_plain_creates_while_nothing_was_ever_forgotten(dynamodb_local: Any) -> None:
    """Without a retention a create is one conditional put; with one it is one transaction."""
    counts: dict[str, list[str]] = {}
    for spec in (TableSpec("kit", ("id",)), RETENTION_ZERO):
        with Bench("creates", lambda: dynamodb_place(dynamodb_local), spec) as bench:
            bench.deliver([put(1, 1)])
            calls = counts.setdefault(str(spec.retention), [])
            bench.place.tap(
                bench.store,
                lambda name, calls=calls: calls.append(name) if name.startswith("after") else None,
            )  # type: ignore[misc]
            bench.deliver([put(2, 2)])
    assert counts["None"].count("after put_item") == 1
    assert "after transact_write_items" not in counts["None"]
    assert counts["0.0"].count("after transact_write_items") == 1
    assert "after put_item" not in counts["0.0"]


def test_what_an_applied_event_costs(dynamodb_local: Any) -> None:
    """Nothing forgotten: at most 1.05 write units an applied event, and hardly more than one
    request."""
    client = make_local_client(dynamodb_local.meta.endpoint_url)
    meter = Meter(client)
    with Bench(
        "cost", lambda: dynamodb_place(client, processes=False), TableSpec("kit", ("id",))
    ) as bench:
        bench.deliver([put(0, 1)])
        writes, requests, applied = meter.writes, meter.requests.total(), 0
        for version in range(1, 6):
            reasons = bench.deliver(
                [
                    delete(key, version) if (key + version) % 10 == 0 else put(key, version)
                    for key in range(1, 301)
                ]
            )
            applied += sum(reason is Reason.APPLIED for reason in reasons)
        assert applied == 1500
        assert 1 <= (meter.writes - writes) / applied <= 1.05
        assert 1 <= (meter.requests.total() - requests) / applied <= 1.1


# ---- the table and its items


def test_content_that_does_not_fit_is_quarantined_with_its_bytes(dynamodb_local: Any) -> None:
    """400 KB and 38 digits are limits of the item, not of the pipeline: malformed, with a sentence,
    and every byte is kept."""
    with Bench("limits", lambda: dynamodb_place(dynamodb_local)) as bench:
        large, long = Change(1, 1, {"x": "é" * 300_000}), Change(2, 1, {"x": 10**60 + 7})
        assert bench.deliver([large, long, put(3, 1)]) == [
            Reason.MALFORMED,
            Reason.MALFORMED,
            Reason.APPLIED,
        ]
        with bench.store.reading() as transaction:
            entries = [transaction.entry(entry.id) for entry in transaction.entries(EntryQuery())]
        assert {entry.delivery for entry in entries if entry} == {
            large.event().delivery,
            long.event().delivery,
        }
        details = " ".join(entry.detail for entry in entries if entry)
        assert "409600" in details
        assert "61 significant digits" in details


def test_an_entry_without_the_attribute_is_of_before_and_keeps_no_provenance(
    dynamodb_local: Any,
) -> None:
    """The decoder is then told none, as it is for what a program holds that names none."""
    with Bench("before", lambda: dynamodb_place(dynamodb_local)) as bench:
        bench.deliver([put(1, 1), put(2, 1)])
        for key, provenance in ((1, ""), (2, "elsewhere")):
            late = [put(key, 2)._replace(scope="another clock")]
            assert bench.deliver(late, provenance=provenance) == [Reason.CONFLICT]
        books = bench.store.parts.tables.books  # type: ignore[attr-defined]
        items = [item for item in scan(dynamodb_local, books) if "identity" in item]
        with bench.store.reading() as transaction:
            entries = sorted(transaction.entries(EntryQuery()), key=lambda entry: entry.id)
            events = [transaction.event(entry.id) for entry in entries]

    assert sorted("provenance" in item for item in items) == [False, True]
    assert [entry.provenance for entry in entries] == ["", "elsewhere"]
    assert [event.kind for event in events if event] == [Kind.PUT, Kind.PUT]


def test_the_sign_of_zero_is_lost_as_the_promises_say(dynamodb_local: Any) -> None:
    """A negative zero is accepted and comes back as zero, in a column or inside one."""
    with Bench("zero", lambda: dynamodb_place(dynamodb_local)) as bench:
        assert bench.deliver([Change(1, 1, {"x": -0.0, "y": [-0.0]})]) == [Reason.APPLIED]
        (row,) = bench.rows().values()
        assert (str(row["x"]), str(row["y"])) == ("0", "[Decimal('0')]")
        assert "-0.0 becomes 0" in bench.store.promises.note


def test_rows_of_the_users_own_are_refused_or_adopted(dynamodb_local: Any) -> None:
    """A table with items that no event explains is refused, with the words that adopt them."""
    with Bench("adopt", lambda: dynamodb_place(dynamodb_local)) as bench:
        table = bench.store.parts.tables.name_of("kit")  # type: ignore[attr-defined]
        dynamodb_local.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb_local.put_item(TableName=table, Item={"id": {"N": "1"}, "x": {"S": "mine"}})
        with pytest.raises(TableNotEmpty, match="adopt"):
            bench.deliver([put(1, 1)])
        bench.spec = TableSpec("kit", ("id",), adopt="older-than-everything")
        bench.delivered.clear()
        assert bench.deliver([put(1, 1)]) == [Reason.APPLIED]
        bench.judge()


def test_composite_and_unusual_keys(dynamodb_local: Any) -> None:
    """Two columns are hash and range; what DynamoDB cannot spell as a key gets one attribute of
    ours, and the columns stay visible."""
    place = dynamodb_place(dynamodb_local)
    store = place.connect(decode)
    position = ScalarPosition("version", "s", (1,))
    keys: dict[str, dict[str, object]] = {
        "two": {"a": "x", "b": 7},
        "three": {"a": 1, "b": 2, "c": 3},
        "odd": {"a": True},
    }
    for table, key in keys.items():
        event = Event(Kind.PUT, table, key, position, {**key, "v": 1})
        take(store, [Share(TableSpec(table, tuple(key)), [event])], now=1.0, token="t")
        (row,) = place.rows(table)
        assert row == {**key, "v": 1}
    store.close()
    for table in keys:
        dynamodb_local.delete_table(TableName=store.parts.tables.name_of(table))  # type: ignore[attr-defined]
    place.close()


def test_doctor_finds_what_the_guard_depends_on(dynamodb_local: Any) -> None:
    """TTL on a user's attribute, low provisioned capacity and a missing index are findings; a table
    of ours has none."""
    spec = TableSpec("kit", ("id",), retention=3600.0)
    with Bench("doctor", lambda: dynamodb_place(dynamodb_local), spec) as bench:
        table = bench.store.parts.tables.name_of("kit")  # type: ignore[attr-defined]
        dynamodb_local.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        )
        dynamodb_local.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
        )
        found = " ".join(finding for _, finding, _ in bench.store.check(spec))  # type: ignore[attr-defined]
        assert all(words in found for words in ("1 write units", "'expires'", "no index"))
    with Bench("doctor", lambda: dynamodb_place(dynamodb_local), spec) as bench:
        bench.deliver([put(1, 1)])
        assert list(bench.store.check(spec)) == []  # type: ignore[attr-defined]


def test_the_url(dynamodb_local: Any) -> None:
    """`dynamodb://TABLE?region=...&endpoint=...` opens the store; two guarded tables may not share
    one DynamoDB table."""
    endpoint = dynamodb_local.meta.endpoint_url
    store = open_store(f"dynamodb://url-test?region=eu-central-1&endpoint={endpoint}", decode)
    take(store, [Share(TableSpec("one", ("id",)), [put(1, 1).event()])], now=1.0, token="t")
    with pytest.raises(ConfigurationError, match="share"):
        take(store, [Share(TableSpec("two", ("id",)), [put(1, 1).event()])], now=1.0, token="t")
    (item,) = scan(dynamodb_local, "url-test")
    assert MEMORY in item
    store.close()
    for table in ("url-test", "url-test-anyorder"):
        assert exists(dynamodb_local, table)
        dynamodb_local.delete_table(TableName=table)
    for wrong in ("dynamodb://?region=x", "dynamodb://t?speed=9", "dynamodb://t?threads=0"):
        with pytest.raises(ConfigurationError, match="DynamoDB URL"):
            open_store(wrong)


def test_reading_first_follows_the_measured_share(dynamodb_local: Any) -> None:
    """Fresh events make the store write unread; a flood of stale ones makes it read first again."""
    with Bench(
        "adaptive", lambda: dynamodb_place(dynamodb_local), TableSpec("kit", ("id",))
    ) as bench:
        store: Any = bench.store
        assert not store.parts.staleness.skips_reading
        for version in range(1, 8):
            bench.deliver([put(key, version) for key in range(700)])
        assert store.parts.staleness.skips_reading
        bench.deliver([put(key, 1) for key in range(700)])
        assert not store.parts.staleness.skips_reading


def test_two_writers_whose_truncates_do_not_compare_are_told(dynamodb_local: Any) -> None:
    """The second of two truncates of different clocks, decided before it saw the first, is not
    written over it: its batch comes again."""
    with Bench("truncates", lambda: dynamodb_place(dynamodb_local)) as bench:
        bench.deliver([put(1, 1)])
        first, second = (
            truncate(version)._replace(scope=scope)
            for version, scope in ((3, "a clock"), (2, "another clock"))
        )
        with bench.store.transaction(1.0) as transaction:
            limits = transaction.open_table(bench.spec)
            bench.deliver([first], store=bench.connect())
            with pytest.raises(StoreBusy, match="truncated by another writer"):
                transaction.save_limits(
                    bench.spec, Limits(truncated=stamp_of(second.event()), lineage=limits.lineage)
                )
        with bench.connect().reading() as transaction:
            assert transaction.open_table(bench.spec).truncated == stamp_of(first.event())
