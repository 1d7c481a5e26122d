"""The mission's case: a user is created, then deleted; the bus delivers the delete first. Then, two
years later, the create comes again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder._core.outcome import Reason
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores.dynamodb.items import EXPIRES
from anyorder.stores.dynamodb.store import DynamoDBStore
from tests.aws.connector import event_of
from tests.parts.dynamodb import REGION
from tests.stores.dynamodb_place import live, scan
from tests.streams import record

HOURS, DAYS, YEARS = 3600.0, 86_400.0, 365 * 86_400.0
CREATED = event_of(record(42, "c", 100, after={"id": 42, "name": "Ana"}))
DELETED = event_of(record(42, "d", 200))
TTL_CYCLE = 90  # seconds; DynamoDB Local's job deletes about once a minute


class Moments:
    """A table, and deliveries to it at moments of the test's choosing."""

    def __init__(self, table: anyorder.Table) -> None:
        self.table = table

    def deliver(self, body: str, now: float) -> Reason:
        """One delivery at a time; its reason."""
        taken = take(
            self.table.store,
            [Share(self.table.spec, list(self.table.decode([body])))],
            now=now,
            token="t",
        )
        return taken.decisions[0].reason

    def reap(self, now: float) -> int:
        """Forget what is older than the retention; how many tombstones went."""
        assert self.table.spec.retention is not None
        return self.table.store.reap(self.table.spec, now - self.table.spec.retention, 1000)


def test_delete_then_create_then_the_create_again_two_years_late(tmp_path: Path) -> None:
    """In SQLite, with our own reaper and a retention of 48 hours."""
    users = Moments(
        anyorder.table(
            f"sqlite:///{tmp_path}/app.db", "users", envelope="eventbridge", retention="48h"
        )
    )
    arrived = 1_790_000_000.0

    # nothing was there: its tombstone is remembered
    assert users.deliver(DELETED, arrived) is Reason.APPLIED
    assert users.deliver(CREATED, arrived + 1) is Reason.STALE  # proved older than the delete
    assert users.reap(arrived + 47 * HOURS) == 0
    # the tombstone is forgotten, its position is in the floor
    assert users.reap(arrived + 49 * HOURS) == 1
    # nothing proves that the user was not deleted since
    assert users.deliver(CREATED, arrived + 2 * YEARS) is Reason.LATE

    (entry,) = users.table.quarantine.entries()
    assert (entry.reason, entry.key) == ("late", {"id": 42})
    assert users.table.why(42).state == "unknown"
    assert users.table.store.database.execute("SELECT count(*) FROM users").fetchone() == (0,)  # type: ignore[attr-defined]


def test_the_same_on_dynamodb_which_deletes_the_tombstone_by_its_own_ttl(
    dynamodb_local: Any,
) -> None:
    """Native TTL, really deleting: the stamps are the test's, so that what is 48 hours old now was
    written then."""
    url = f"dynamodb://mission-{{table}}?region={REGION}&endpoint={dynamodb_local.meta.endpoint_url}&forget=ttl"
    users = Moments(anyorder.table(url, "users", envelope="eventbridge", retention="48h"))
    now = time.time()
    # the tombstone's TTL attribute lies in the past: DynamoDB may delete it at any moment
    arrived = now - 10 * DAYS

    assert users.deliver(DELETED, arrived) is Reason.APPLIED
    assert users.deliver(CREATED, arrived + 1) is Reason.STALE
    (tombstone,) = scan(dynamodb_local, "mission-users")
    assert int(tombstone[EXPIRES]["N"]) < now

    for day in range(1, 11):  # the announcer runs every day, as `anyorder reap` does
        users.reap(arrived + day * DAYS)
    assert _deleted(dynamodb_local), "DynamoDB Local's TTL job did not delete the tombstone"
    assert users.deliver(CREATED, now) is Reason.LATE
    late = users.deliver(CREATED, now + 60)

    assert late is Reason.DUPLICATE  # the quarantine holds it already
    assert [entry.reason for entry in users.table.quarantine.entries()] == ["late"]
    assert not any(live(item) for item in scan(dynamodb_local, "mission-users"))
    assert isinstance(users.table.store, DynamoDBStore)


def _deleted(client: Any) -> bool:
    until = time.monotonic() + TTL_CYCLE
    while scan(client, "mission-users") and time.monotonic() < until:
        time.sleep(1)
    return not scan(client, "mission-users")


@pytest.mark.parametrize("retention", ["forever", "48h"])
def test_a_user_who_is_created_again_lives(tmp_path: Path, retention: str) -> None:
    """The guard keeps no living user out: a create after the delete is newer, and is applied,
    whatever is remembered."""
    users = Moments(
        anyorder.table(
            f"sqlite:///{tmp_path}/app.db", "users", envelope="eventbridge", retention=retention
        )
    )
    reborn = event_of(record(42, "c", 300, after={"id": 42, "name": "Ana again"}))
    users.deliver(DELETED, 1_790_000_000.0)
    if retention != "forever":
        users.reap(1_790_000_000.0 + 49 * HOURS)

    assert users.deliver(reborn, 1_790_000_000.0 + 2 * YEARS) is Reason.APPLIED
    assert users.deliver(CREATED, 1_790_000_000.0 + 2 * YEARS) is Reason.STALE
