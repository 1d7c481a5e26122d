"""Formats of webhooks. From documentation."""

from __future__ import annotations

from anyorder.envelopes.format import (
    BY_JSON,
    DELETION,
    EVIDENCE,
    IDENTITY,
    KEY,
    ORDER,
    ROW,
    Format,
)

# a comment that is deleted says `deleted` too, beside the issue that lives on
ALONE = "give it no other webhooks (X-GitHub-Event): comments and reviews have one inside"
WEBHOOKS = (
    Format(
        "paddle",
        "",
        (
            "a Paddle notification: occurred_at orders the events of one object, event_id tells "
            f"one from its retries; {BY_JSON}"
        ),
        ("/event_id", "/event_type", "/occurred_at", "/data/id"),
        {
            "/event_id": IDENTITY,
            "/occurred_at": ORDER,
            "/notification_id": EVIDENCE,
            "/data": ROW,
        },
        """\
envelope = "json"
options = { table = "users", key = "/data/id", position = "/occurred_at", \
position_kind = "timestamp", fields = "/data" }
""",
    ),
    Format(
        "shopify",
        "",
        (
            "a Shopify object: updated_at is all that orders it, to the second, so two states of "
            "one second are a conflict; a delete tells nothing but its id, and is not ordered; "
            f"{BY_JSON}"
        ),
        ("/id", "/admin_graphql_api_id", "/updated_at"),
        {
            "/id": KEY,
            "/admin_graphql_api_id": IDENTITY,
            "/updated_at": ORDER,
            "/created_at": EVIDENCE,
        },
        """\
envelope = "json"
options = { table = "users", key = "/id", position = "/updated_at", position_kind = "timestamp" }
""",
    ),
    Format(
        "github, comment",
        "",
        (
            "a GitHub webhook of a comment: what it comments on stands beside, and action is of "
            "the comment alone. updated_at is all that orders it, to the second, so two states of "
            f"one second are a conflict; {BY_JSON}"
        ),
        ("/action", "/sender/login", "/repository/full_name", "/comment/updated_at"),
        {
            "/comment/node_id": KEY,
            "/comment/updated_at": ORDER,
            "/comment": ROW,
            "/action": DELETION,
        },
        """\
envelope = "json"
options = { table = "users", key = "/comment/node_id", position = "/comment/updated_at", \
position_kind = "timestamp", deleted = "/action=deleted", fields = "/comment" }
""",
    ),
    Format(
        "github, review",
        "",
        (
            "a GitHub webhook of a review: nothing orders its states, and the pull request beside "
            "it is not told in full, so fetch the current object instead"
        ),
        ("/action", "/sender/login", "/repository/full_name", "/review"),
        {"/action": EVIDENCE, "/review": ROW, "/pull_request": EVIDENCE},
    ),
    Format(
        "github, pull request",
        "",
        (
            "a GitHub webhook of a pull request: updated_at is all that orders it, to the second, "
            f"so two states of one second are a conflict; {ALONE}; {BY_JSON}"
        ),
        ("/action", "/sender/login", "/repository/full_name", "/pull_request/updated_at"),
        {
            "/pull_request/id": KEY,
            "/pull_request/updated_at": ORDER,
            "/pull_request": ROW,
            "/action": EVIDENCE,
        },
        """\
envelope = "json"
options = { table = "users", key = "/pull_request/id", position = "/pull_request/updated_at", \
position_kind = "timestamp", fields = "/pull_request" }
""",
    ),
    Format(
        "github, issue",
        "",
        (
            "a GitHub webhook of an issue: updated_at is all that orders it, to the second, so two "
            "states of one second are a conflict; a deleted one says so in action; "
            f"{ALONE}; {BY_JSON}"
        ),
        ("/action", "/sender/login", "/repository/full_name", "/issue/updated_at"),
        {
            "/issue/id": KEY,
            "/issue/updated_at": ORDER,
            "/issue": ROW,
            "/action": DELETION,
        },
        """\
envelope = "json"
options = { table = "users", key = "/issue/id", position = "/issue/updated_at", \
position_kind = "timestamp", deleted = "/action=deleted", fields = "/issue" }
""",
    ),
    Format(
        "github",
        "",
        (
            "a GitHub webhook: nothing in it orders what it is about, so fetch the current object "
            "instead"
        ),
        ("/sender/login", "/repository/full_name"),
        {"/action": EVIDENCE, "/sender": EVIDENCE, "/repository": EVIDENCE},
    ),
    Format(
        "stripe",
        "",
        (
            "a Stripe event: nothing in it is an order (created is disclaimed), so fetch "
            "the current object instead"
        ),
        ("/object=event", "/data/object", "/created"),
        {"/id": IDENTITY, "/data": ROW, "/created": EVIDENCE, "/type": DELETION},
    ),
)
