"""The applications of the pages, as real servers: posted to by six clients at once, killed with
kill -9 in the middle and started again."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

import anyorder
from tests.apps.clients import CLIENTS, Clients, Sign, post
from tests.apps.history import START, Change, History, history
from tests.apps.server import Server, running, write_page
from tests.docs.pages import ROOT

for needed in ("flask", "fastapi", "uvicorn", "gunicorn", "django", "stripe", "standardwebhooks"):
    pytest.importorskip(needed, reason=f"{needed} is not installed")

POSTS = 600
SECRET = "whsec_" + base64.b64encode(b"made for this test, and no other").decode()
WEBHOOKS = ROOT / "docs" / "how-to" / "receive-a-webhook.md"
FRAMEWORKS = ROOT / "docs" / "how-to" / "threads-sqlalchemy-django.md"


def stripe_post(change: Change) -> tuple[bytes, Mapping[str, str]]:
    row = {"id": change.key, "status": change.status or "canceled"}
    told = {
        "id": f"evt_{secrets.token_hex(8)}",
        "object": "event",
        "type": f"customer.subscription.{change.kind}",
        "created": change.second,
        "data": {"object": row},
    }
    return signed_by_stripe(json.dumps(told))


def signed_by_stripe(body: str) -> tuple[bytes, Mapping[str, str]]:
    import stripe

    signature = stripe.WebhookSignature.generate_signature_header(body, SECRET)
    return body.encode(), {"Stripe-Signature": signature}


def standard_post(change: Change) -> tuple[bytes, Mapping[str, str]]:
    told = {
        "type": f"order.{change.kind}",
        "timestamp": datetime.fromtimestamp(change.second, UTC).isoformat(),
        "data": {"id": change.key, "status": change.status},
    }
    return signed_by_standard(json.dumps(told))


def signed_by_standard(body: str) -> tuple[bytes, Mapping[str, str]]:
    from standardwebhooks.webhooks import Webhook

    name, now = f"msg_{secrets.token_hex(8)}", datetime.now(UTC)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(name, now, body),
    }
    return body.encode(), headers


class App(NamedTuple):
    """One application of a page, as its reader starts it. `table`: whose rows it keeps; `busy`:
    what it answers while another process holds the write lock."""

    page: Path
    command: str
    path: str
    table: str
    secret: str
    post: Sign
    sign: Callable[[str], tuple[bytes, Mapping[str, str]]]
    is_own_sql: bool
    busy: int = 503

    def open(self, folder: Path) -> anyorder.Table:
        """Its table, to ask."""
        return anyorder.table(
            f"sqlite:///{folder / 'shop.db'}", self.table, key="/id", position="/unused"
        )


APPS = {
    "flask": App(
        WEBHOOKS,
        "gunicorn --workers 2 --threads 4 flask_app:app",
        "/stripe",
        "subscriptions",
        "STRIPE_WEBHOOK_SECRET",
        stripe_post,
        signed_by_stripe,
        is_own_sql=False,
    ),
    "fastapi": App(
        WEBHOOKS,
        "uvicorn --workers 2 fastapi_app:app",
        "/orders",
        "orders",
        "WEBHOOK_SECRET",
        standard_post,
        signed_by_standard,
        is_own_sql=True,
    ),
    "django": App(
        FRAMEWORKS,
        "gunicorn --workers 2 --threads 4 django_app:application",
        "/stripe",
        "subscriptions",
        "STRIPE_WEBHOOK_SECRET",
        stripe_post,
        signed_by_stripe,
        is_own_sql=True,
        busy=500,
    ),
}


def rows_of(folder: Path, table: str) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        return dict(database.execute(f"SELECT id, status FROM {table}").fetchall())


def lost(acknowledged: list[Change], rows: Mapping[str, str], told: History) -> list[str]:
    """Keys of which the rows show less than what was acknowledged."""
    seconds = {(change.key, change.status): change.second for change in told.posts}
    latest: dict[str, Change] = {}
    for change in acknowledged:
        known = latest.setdefault(change.key, change)
        if change.second > known.second:
            latest[change.key] = change
    return [
        key
        for key, change in latest.items()
        if seconds.get((key, rows.get(key)), 0) < change.second
    ]


def test_the_history_has_what_is_hard_about_it() -> None:
    told = history(POSTS, seed=7)
    order = [(change.key, change.kind) for change in told.posts]
    late = [key for key in told.deleted if order.index((key, "created")) > POSTS - 60]

    assert len(told.posts) == 2 * len(set(told.posts)) == POSTS
    assert len(told.tied) >= 10
    assert len(told.deleted) >= 20
    assert [key for key in late if order.index((key, "deleted")) < 30]


@pytest.mark.parametrize("name", APPS)
def test_an_application_of_the_pages_loses_nothing_and_is_right_in_the_end(
    name: str, tmp_path: Path
) -> None:
    app, told = APPS[name], history(POSTS, seed=7)
    write_page(app.page, tmp_path)
    server = Server(app.page, app.command, tmp_path, {app.secret: SECRET})
    clients = Clients(server.port, app.path, app.post, told.posts)

    with running(server), clients.posting():
        acknowledged = clients.wait_for(POSTS // 2)
        server.kill()
        at_the_kill = rows_of(tmp_path, app.table)
        server.start()
    rows = rows_of(tmp_path, app.table)
    with app.open(tmp_path) as table:
        entries = table.quarantine.entries()
        resurrected = [key for key in told.deleted if table.why(key).state == "row"]

    assert clients.statuses[0] > 0, "nobody met the kill"
    assert lost(acknowledged, at_the_kill, told) == []
    assert len(clients.acknowledged) == POSTS
    assert set(clients.statuses) <= {0, 200, 202, app.busy}, server.log()
    assert {key: rows.get(key) for key in told.final} == told.final
    assert [key for key in told.tied if rows.get(key) not in told.tied[key]] == []
    assert resurrected == []
    assert {entry.reason for entry in entries} == {"conflict"}
    held = [entry.key["id"] for entry in entries]
    # One that something newer has ended closes by itself, or, where the rows are written by SQL
    # of the application's own, when its events come again.
    left = set(held) & told.overtaken if app.is_own_sql else set()
    assert sorted(held) == sorted({*told.tied, *left})
    # The answers to those that were under way at the kill are lost.
    assert clients.statuses[202] >= len(told.tied) - CLIENTS


@pytest.mark.parametrize("name", APPS)
def test_an_application_of_the_pages_answers_what_they_say(name: str, tmp_path: Path) -> None:
    app = APPS[name]
    write_page(app.page, tmp_path)
    server = Server(app.page, app.command, tmp_path, {app.secret: SECRET})
    created = Change("sub_1", START, "active", is_first=True)
    deleted = Change("sub_1", START + 9, None)

    def answer(body: bytes, headers: Mapping[str, str]) -> int:
        return post(server.port, app.path, body, headers)

    with running(server), closing(sqlite3.connect(tmp_path / "shop.db")) as other:
        applied = [answer(*app.post(change)) for change in (deleted, created, deleted)]
        not_signed = answer(app.post(deleted)[0], {}), answer(b"{\xff", app.post(deleted)[1])
        malformed = answer(*app.sign("{"))
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        busy = answer(*app.post(Change("sub_2", START, "active")))
        other.execute("ROLLBACK")
        again = answer(*app.post(Change("sub_2", START, "active")))

    assert applied == [200, 200, 200], server.log()
    assert not_signed == (400, 400)
    assert malformed == 202
    assert (busy, again) == (app.busy, 200), server.log()
    assert rows_of(tmp_path, app.table) == {"sub_2": "active"}
