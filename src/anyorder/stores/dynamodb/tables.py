"""The user's DynamoDB tables: found or made, what their keys are, and the tombstones in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from anyorder._core.event import canonical
from anyorder._core.key import spelled
from anyorder._core.memory import Memory
from anyorder.errors import ConfigurationError, StoreError, TableNotEmpty
from anyorder.guard.contract import TableSpec
from anyorder.stores.dynamodb.items import (
    ENTITY_KEY,
    EXPIRES,
    MEMORY,
    SINCE,
    Item,
    KeySchema,
    memory_of,
    schema_for,
)
from anyorder.stores.dynamodb.requests import Requests, raise_for
from anyorder.stores.dynamodb.schema import create_table, wait_until_active

PLACEHOLDER = "{table}"
NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")  # what DynamoDB takes as a table's name
# a table up to this size is counted exactly; of a larger one AWS's own estimate is shown
COUNTED_BYTES = 64 * 1024 * 1024


class TableShape(NamedTuple):
    """A user's table: its name in DynamoDB, its key, and AWS's description."""

    name: str
    schema: KeySchema
    described: dict[str, Any]

    @property
    def tombstone_index(self) -> dict[str, Any] | None:
        """The index with the name of the sparse index of tombstones, whatever it is like."""
        indexes = self.described.get("GlobalSecondaryIndexes", ())
        return next((index for index in indexes if index["IndexName"] == SINCE), None)

    @property
    def indexed(self) -> bool:
        """Can every tombstone be read from the index? Only one that is complete, and carries the
        memories."""
        found = self.tombstone_index
        return (
            found is not None
            and is_ready(found)
            and is_sparse(found, self.described)
            and _carries_memory(found)
        )


class Tombstone(NamedTuple):
    """One that may be forgotten: its key, its memory and the memory's text."""

    key: Item
    entity: str
    memory: Memory
    text: str


class UserTables:
    """`pattern`: the DynamoDB name of a guarded table, with `{table}` where its own name goes."""

    def __init__(self, requests: Requests, pattern: str) -> None:
        self._requests = requests
        self._pattern = pattern
        self._shapes: dict[str, TableShape] = {}
        self._named: dict[str, str] = {}

    @property
    def books(self) -> str:
        """The name of our own table."""
        return (
            self._pattern.replace(PLACEHOLDER, "anyorder")
            if PLACEHOLDER in self._pattern
            else f"{self._pattern}-anyorder"
        )

    def place_of(self, table: str) -> str:
        """The DynamoDB name that a guarded table would have."""
        return self._pattern.replace(PLACEHOLDER, table)

    def unfit(self, table: str) -> str:
        """Why none can have this name, "" if one can."""
        name = self.place_of(table)
        if NAME.fullmatch(name) is None:
            return f"a DynamoDB table cannot be called {name!r:.80}"
        # Case counts there, so this is the very name.
        return "it is anyorder's own" if name == self.books else ""

    def name_of(self, table: str) -> str:
        """The DynamoDB name of a guarded table. Raises ConfigurationError if two would share
        one."""
        name = self.place_of(table)
        other = self._named.setdefault(name, table)
        if other != table:
            raise ConfigurationError(
                f"tables {other} and {table} would share the DynamoDB table {name}: write "
                f"dynamodb://PREFIX{PLACEHOLDER}?..."
            )
        return name

    def shape(self, spec: TableSpec) -> TableShape | None:
        """The table as it is; None if it does not exist yet. Raises StoreError if its key is not
        the declared one."""
        known = self._shapes.get(spec.name)
        if known is not None:
            return known
        name = self.name_of(spec.name)
        answer = self._requests.call("describe_table", TableName=name)
        if answer.code == "ResourceNotFoundException":
            return None
        raise_for(answer, f"describe table {name}")
        shape = self._described(name)
        if (
            spec.key
            and shape.schema.names != (ENTITY_KEY,)
            and set(shape.schema.names) != set(spec.key)
        ):
            raise StoreError(
                f"the DynamoDB table {name} has the key ({', '.join(shape.schema.names)}), but "
                f"key= says ({', '.join(spec.key)})"
            )
        self._shapes[spec.name] = shape
        return shape

    def _described(self, name: str) -> TableShape:
        described = wait_until_active(self._requests, name)
        types = {
            attribute["AttributeName"]: attribute["AttributeType"]
            for attribute in described["AttributeDefinitions"]
        }
        schema = KeySchema(
            tuple(
                (part["AttributeName"], types[part["AttributeName"]])
                for part in described["KeySchema"]
            )
        )
        return TableShape(name, schema, described)

    def make(self, spec: TableSpec, key: Mapping[str, object], *, native_ttl: bool) -> TableShape:
        """The table, made for keys like this one if it does not exist. Its index of tombstones
        costs a write unit a delete: only with a retention."""
        shape = self.shape(spec)
        if shape is not None:
            return shape
        name = self.name_of(spec.name)
        ordered = {column: key[column] for column in spec.key} if set(spec.key) == set(key) else key
        create_table(
            self._requests,
            name,
            schema_for(ordered).attributes,
            (SINCE, (MEMORY,)) if spec.retention is not None else None,
        )
        if native_ttl:
            self._switch_on_ttl(name)
        made = self.shape(spec)
        assert made is not None
        return made

    def _switch_on_ttl(self, name: str) -> None:
        """A refusal counts only if TTL is not on: another first start was quicker, or our own
        answer was lost."""
        answer = self._requests.call(
            "update_time_to_live",
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES},
        )
        if answer.code and not is_ttl_on(
            self._requests.call("describe_time_to_live", TableName=name).response
        ):
            raise_for(answer, f"switch on TTL of {name}")

    def refuse_rows(self, spec: TableSpec) -> None:
        """Raises TableNotEmpty for a table with items that no event explains, unless they are
        adopted."""
        shape = self.shape(spec)
        if shape is None or spec.adopt == "older-than-everything":
            return
        answer = self._requests.call("scan", TableName=shape.name, Limit=1, ConsistentRead=True)
        raise_for(answer, f"look into table {shape.name}")
        if any(MEMORY not in item for item in answer.response["Items"]):
            raise TableNotEmpty(
                f"the DynamoDB table {shape.name} already has items that no event explains. If "
                "every event to come is newer than them, say "
                'adopt="older-than-everything" (in a pipeline: in its [[table]]); otherwise use an '
                "empty table"
            )

    def items(self, spec: TableSpec) -> Iterator[Item]:
        """Every item that we remember something of, and those that were adopted."""
        shape = self.shape(spec)
        adopts = spec.adopt != "refuse"
        if shape is not None:
            for item in self._requests.pages("scan", TableName=shape.name, ConsistentRead=True):
                if MEMORY in item or adopts:
                    yield item

    def tombstones(self, table: str, before: float) -> Iterator[Tombstone]:
        """Tombstones written up to a time: from the sparse index, or else by reading the whole
        table.

        The index is looked at each time: it may be added, made anew or taken away while we run.
        Raises StoreError for an item without a memory, since a tombstone that is skipped here would
        be in no floor.
        """
        shape = self.shape(TableSpec(table))
        if shape is None:
            return
        shape = self._described(shape.name)
        names, values = {"#s": SINCE}, {":before": {"N": str(before)}}
        arguments: dict[str, Any] = {"TableName": shape.name, "FilterExpression": "#s <= :before"}
        where: dict[str, Any] = {"IndexName": SINCE} if shape.indexed else {"ConsistentRead": True}
        pages = self._requests.pages(
            "scan",
            **arguments,
            **where,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        for item in pages:
            memory = memory_of(item)
            if memory is None:
                raise StoreError(
                    f"{shape.name}: {entity_of(shape.schema, item)} has {SINCE} but no {MEMORY}, "
                    "so it cannot be forgotten safely. Either the index "
                    f"{SINCE} does not project {MEMORY} (`anyorder doctor` tells), or somebody "
                    "else wrote this item, and must take it away"
                )
            if not memory.live:
                key = {name: item[name] for name in shape.schema.names}
                yield Tombstone(key, entity_of(shape.schema, item), memory, item[MEMORY]["S"])

    def counts(self, spec: TableSpec) -> tuple[int, int, int]:
        """Rows, live memories, tombstones; of a large table AWS's estimate, up to six hours old."""
        shape = self.shape(spec)
        if shape is None:
            return 0, 0, 0
        if shape.described.get("TableSizeBytes", 0) <= COUNTED_BYTES:
            live = [
                memory.live for memory in map(memory_of, self.items(spec)) if memory is not None
            ]
            return sum(live), sum(live), len(live) - sum(live)
        dead = int((shape.tombstone_index or {}).get("ItemCount", 0))
        live_items = int(shape.described["ItemCount"]) - dead
        return live_items, live_items, dead


def is_ready(index: dict[str, Any]) -> bool:
    """Does the index hold every item that belongs into it? One that is being built does not yet."""
    return index.get("IndexStatus") == "ACTIVE" and not index.get("Backfilling")


def is_sparse(index: dict[str, Any], described: dict[str, Any]) -> bool:
    """Is its key the number that tombstones have, alone? With another attribute beside it,
    tombstones that lack that one are left out."""
    number = {"AttributeName": SINCE, "AttributeType": "N"} in described["AttributeDefinitions"]
    return number and index["KeySchema"] == [{"AttributeName": SINCE, "KeyType": "HASH"}]


def _carries_memory(index: dict[str, Any]) -> bool:
    projection = index.get("Projection", {})
    return projection.get("ProjectionType") == "ALL" or MEMORY in projection.get(
        "NonKeyAttributes", ()
    )


def is_ttl_on(response: dict[str, Any]) -> bool:
    """Does this answer of DescribeTimeToLive say that DynamoDB deletes expired tombstones, now or
    in a moment?"""
    described = response.get("TimeToLiveDescription", {})
    return (
        described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
        and described.get("AttributeName") == EXPIRES
    )


def entity_of(schema: KeySchema, item: Item) -> str:
    """The canonical key of an item."""
    if schema.names == (ENTITY_KEY,):
        return str(item[ENTITY_KEY]["S"])
    return canonical({name: _key_part(item[name]) for name in schema.names})


def _key_part(value: Mapping[str, str]) -> object:
    """A number as an event's key spells it, or a text."""
    return spelled(Decimal(value["N"])) if "N" in value else value.get("S")
