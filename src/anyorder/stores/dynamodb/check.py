"""What `doctor` looks at in DynamoDB: everything about a table that its guard depends on."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator

from anyorder._core.floor import EVERYTHING
from anyorder.guard.contract import TableSpec
from anyorder.stores.dynamodb.items import EXPIRES, MEMORY, SINCE
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.tables import TableShape, is_ready, is_sparse

SKEW = 60.0  # seconds between our clock and AWS's that are worth a word
Finding = tuple[str, str, str]


def findings(parts: Parts, spec: TableSpec) -> Iterator[Finding]:
    """(where, finding, what to do)."""
    shape = parts.tables.shape(spec)
    if shape is None:
        return
    yield from _key(shape, spec)
    yield from _ttl(parts, shape, spec)
    yield from _lost(parts, shape, spec)
    yield from _replicas(parts, shape, spec)
    yield from _capacity(shape)
    yield from _clock(parts, shape)


def _key(shape: TableShape, spec: TableSpec) -> Iterator[Finding]:
    if any(kind == "B" for _, kind in shape.schema.attributes):
        yield (
            shape.name,
            "a key attribute has the type B (bytes), which no event's key can have",
            "use a table whose key is text or number",
        )
    if spec.retention is not None and not shape.indexed:
        found, to_do = _index(shape)
        yield shape.name, f"{found}: every reap reads the whole table", to_do


def _index(shape: TableShape) -> tuple[str, str]:
    """What is wrong with the index of tombstones, and what to do."""
    right = (
        f"a global secondary index {SINCE}: its key the number {SINCE} alone, its projection "
        f"INCLUDE with the attribute {MEMORY}"
    )
    index = shape.tombstone_index
    if index is None:
        return f"there is no index {SINCE}", f"add {right}"
    if not is_ready(index):
        return (
            f"the index {SINCE} is there, but is not ready ({index.get('IndexStatus')})",
            "wait until it is ACTIVE",
        )
    if not is_sparse(index, shape.described):
        return (
            f"the index {SINCE} is there, but its key is not the number {SINCE} alone",
            f"delete it, and add {right}",
        )
    return (
        f"the index {SINCE} is there, but does not project {MEMORY}",
        f"delete it, and add {right}",
    )


def _ttl(parts: Parts, shape: TableShape, spec: TableSpec) -> Iterator[Finding]:
    answer = parts.requests.call("describe_time_to_live", TableName=shape.name)
    described = answer.response.get("TimeToLiveDescription", {})
    on = described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    attribute = described.get("AttributeName")
    if on and attribute == EXPIRES and not parts.native_ttl:
        yield (
            shape.name,
            "DynamoDB's TTL deletes tombstones, but this pipeline does not note them first",
            "add forget=ttl to the URL, or switch TTL off",
        )
    if on and attribute != EXPIRES:
        yield (
            shape.name,
            f"DynamoDB's TTL deletes items by {attribute!r}: rows vanish with their memory",
            "switch it off, or take the rows as gone",
        )
    if parts.native_ttl and spec.retention is not None and not (on and attribute == EXPIRES):
        yield (
            shape.name,
            "forget=ttl, but the table has no TTL on " + EXPIRES,
            f"switch on TTL with the attribute {EXPIRES}",
        )


def _lost(parts: Parts, shape: TableShape, spec: TableSpec) -> Iterator[Finding]:
    if any(item.floor == EVERYTHING for item in parts.floors.read(spec.name).values()):
        yield (
            shape.name,
            (
                "tombstones were not noted for longer than the retention, so TTL may have deleted "
                "some unseen: whatever comes for an unknown key is held"
            ),
            (
                "rebuild the table from its source into a new one, and run `anyorder reap` within "
                "every retention"
            ),
        )


def _replicas(parts: Parts, shape: TableShape, spec: TableSpec) -> Iterator[Finding]:
    if not shape.described.get("Replicas"):
        return
    if shape.described.get("MultiRegionConsistency") == "STRONG":
        if parts.native_ttl or spec.retention is not None:
            yield (
                shape.name,
                "a strongly consistent global table has neither TTL nor transactions",
                "remove the retention: tombstones then stay for ever",
            )
        return
    finding = (
        "a global table: another Region may accept an older event that has not seen this Region's "
        "row or tombstone, and its write wins by time"
    )
    yield (
        shape.name,
        finding,
        (
            "send each key's events to one Region only, or, without a retention, make this table "
            "strongly consistent"
        ),
    )


def _capacity(shape: TableShape) -> Iterator[Finding]:
    mode = shape.described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    if (
        mode == "PROVISIONED"
        and shape.described.get("ProvisionedThroughput", {}).get("WriteCapacityUnits", 0) < 25
    ):
        units = shape.described["ProvisionedThroughput"]["WriteCapacityUnits"]
        yield (
            shape.name,
            f"provisioned with {units} write units a second: a stream soon is throttled",
            "raise it, or use on-demand capacity",
        )


def _clock(parts: Parts, shape: TableShape) -> Iterator[Finding]:
    answer = parts.requests.call("describe_table", TableName=shape.name)
    date = answer.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if date is None:
        return
    skew = time.time() - email.utils.parsedate_to_datetime(date).timestamp()
    if abs(skew) > SKEW:
        yield (
            shape.name,
            f"our clock is {skew:+.0f} s off AWS's",
            "correct it: retentions and TTL stamps count by it",
        )
