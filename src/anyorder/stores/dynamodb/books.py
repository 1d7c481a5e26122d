"""The table beside the user's: what is known of each guarded table, lineage, growth and frontiers.

A table of its own, because the user's may have any key schema (a numeric key has no room for our
items), and because their scans, streams, indexes and TTL then never meet our items; DynamoDB's
transactions span tables.

Key: `part` (S, hash) and `place` (S, range). Parts: `table`, `lineage`, `growth`, `frontier`,
`floor#NAME` (`floors`) and the quarantine's (`quarantine`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from anyorder._core.memory import Stamp
from anyorder._core.position import Lineage
from anyorder._core.reset import Growth
from anyorder.guard.contract import Recorded
from anyorder.stores.dynamodb.items import Item
from anyorder.stores.dynamodb.requests import Requests, projection, raise_for
from anyorder.stores.dynamodb.schema import create_table, wait_until_active

NEVER_UNGUARDED = 0.0
SEPARATOR = "\x1f"
_stamp = msgspec.json.Decoder(Stamp)
_growth = msgspec.json.Decoder(Growth)
_encode = msgspec.json.encode


class Meta(NamedTuple):
    """A guarded table in our books.

    `guarded`: since when creates check the floor (seconds; 0: from the first write); None: nothing
    was ever forgotten, and creates are plain. `opened`, `open`: quarantine entries ever opened for
    its keys, and open now. `recorded`: what the catalogue holds of it, as text.
    """

    name: str
    key: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    truncated: Stamp | None = None
    truncated_text: str | None = None
    guarded: float | None = None
    expires: float | None = None
    opened: int = 0
    open: int = 0
    recorded: str | None = None


class Books:
    """Reads are strongly consistent; what several writers move is written conditionally."""

    def __init__(self, requests: Requests, table: str) -> None:
        self.requests = requests
        self.table = table
        self._exists = False

    def key(self, part: str, place: str) -> Item:
        """The key of one of our items."""
        return {"part": {"S": part}, "place": {"S": place}}

    def ensure(self) -> None:
        """Make our table if it is not there: whoever writes."""
        if not self._is_there():
            create_table(self.requests, self.table, (("part", "S"), ("place", "S")))
            self._exists = True

    def _is_there(self) -> bool:
        if not self._exists:
            answer = self.requests.call("describe_table", TableName=self.table)
            if answer.code == "ResourceNotFoundException":
                return False
            raise_for(answer, f"describe table {self.table}")
            wait_until_active(self.requests, self.table)
            self._exists = True
        return True

    def get(
        self, keys: Sequence[tuple[str, str]], attributes: Sequence[str] = ()
    ) -> dict[tuple[str, str], Item]:
        """Our items of these (part, place); none while our table does not exist. `attributes`:
        those that are wanted, with part and place; none for all."""
        if not self._is_there():
            return {}
        asked = [(self.table, self.key(*key)) for key in keys]
        found = self.requests.get_many(asked, attributes)
        return {
            (item["part"]["S"], item["place"]["S"]): item
            for item in (each["item"] for each in found)
        }

    def query(
        self, part: str, begins: str = "", attributes: Sequence[str] = ()
    ) -> Iterable[dict[str, Any]]:
        """Every item of a part, by place; none while our table does not exist. `begins`: what their
        place begins with; `attributes`: those that are wanted, none for all."""
        if not self._is_there():
            return ()
        asked = {**self._asked(part, begins), **projection(attributes)}
        return self.requests.pages("query", **asked)

    def count(self, part: str) -> int:
        """How many items a part has."""
        if not self._is_there():
            return 0
        pages = self.requests.responses("query", **self._asked(part), Select="COUNT")
        return sum(page["Count"] for page in pages)

    def _asked(self, part: str, begins: str = "") -> dict[str, Any]:
        values: Item = {":part": {"S": part}}
        condition = "part = :part"
        if begins:
            values[":begins"] = {"S": begins}
            condition = "part = :part AND begins_with(place, :begins)"
        return {
            "TableName": self.table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }

    def put(self, part: str, place: str, values: Item) -> None:
        """Write one of our items, whatever was there."""
        self.ensure()
        raise_for(
            self.requests.call(
                "put_item", TableName=self.table, Item={**self.key(part, place), **values}
            ),
            f"write {part}",
        )

    def update(
        self,
        part: str,
        place: str,
        expression: str,
        values: Item,
        names: dict[str, str] | None = None,
        condition: str = "",
    ) -> bool:
        """Update one of our items; False if the condition does not hold."""
        self.ensure()
        arguments: dict[str, Any] = {
            "UpdateExpression": expression,
            "ExpressionAttributeValues": values,
        }
        if names:
            arguments["ExpressionAttributeNames"] = names
        if condition:
            arguments["ConditionExpression"] = condition
        answer = self.requests.call(
            "update_item", TableName=self.table, Key=self.key(part, place), **arguments
        )
        if answer.code == "ConditionalCheckFailedException":
            return False
        raise_for(answer, f"update {part}")
        return True

    # ---- tables

    def load(self, name: str) -> tuple[Meta | None, Lineage]:
        """A table's line, None if it has none, and the lineage: one request."""
        found = self.get([("table", name), ("lineage", "runs")])
        item = found.get(("table", name))
        lineage = _lineage(found.get(("lineage", "runs")))
        if item is None or "key" not in item:
            return None, lineage
        return _meta(item), lineage

    def metas(self) -> list[Meta]:
        """Every guarded table."""
        return [_meta(item) for item in self.query("table")]

    def add_table(self, name: str, key: tuple[str, ...], guarded: bool) -> None:
        """A table's line, if it has none. `guarded`: creates check the floor from the first one on;
        its floors are there already."""
        values: Item = {":key": {"S": _encode(key).decode()}}
        expression = "SET #k = :key"
        if guarded:
            expression = f"{expression}, guarded = :never"
            values[":never"] = {"N": str(NEVER_UNGUARDED)}
        self.update("table", name, expression, values, {"#k": "key"}, "attribute_not_exists(#k)")

    def guard(self, name: str, since: float) -> None:
        """From now on creates check the floor; the first such word stays."""
        self.update(
            "table",
            name,
            "SET guarded = if_not_exists(guarded, :since)",
            {":since": {"N": str(since)}},
        )

    def expire(self, name: str, retention: float) -> None:
        """From now on DynamoDB's TTL may delete tombstones after this retention; the shortest
        counts."""
        condition = "attribute_not_exists(expires) OR expires > :retention"
        self.update(
            "table",
            name,
            "SET expires = :retention",
            {":retention": {"N": str(retention)}},
            condition=condition,
        )

    def add_columns(self, name: str, key: tuple[str, ...], columns: Iterable[str]) -> None:
        """Columns that events named for the first time."""
        values: Item = {":columns": {"SS": sorted(columns)}, ":key": {"S": _encode(key).decode()}}
        self.update(
            "table", name, "SET #k = :key ADD #c :columns", values, {"#c": "columns", "#k": "key"}
        )

    def save_truncated(self, meta: Meta, truncated: Stamp) -> bool:
        """The table's greatest truncate; False if another one was saved meanwhile."""
        values = {":new": {"S": _encode(truncated).decode()}}
        if meta.truncated_text is None:
            return self.update(
                "table",
                meta.name,
                "SET truncated = :new",
                values,
                condition="attribute_not_exists(truncated)",
            )
        values[":old"] = {"S": meta.truncated_text}
        return self.update(
            "table", meta.name, "SET truncated = :new", values, condition="truncated = :old"
        )

    def record(self, meta: Meta, recorded: Recorded) -> bool:
        """What the catalogue holds of a table; False if something else was recorded meanwhile."""
        values: Item = {":new": {"S": _encode(recorded).decode()}}
        condition = "attribute_not_exists(recorded)"
        if meta.recorded is not None:
            values[":old"], condition = {"S": meta.recorded}, "recorded = :old"
        return self.update("table", meta.name, "SET recorded = :new", values, condition=condition)

    # ---- lineage, growth, frontier

    def lineage(self) -> Lineage:
        """The known snapshot runs of every log."""
        return _lineage(self.get([("lineage", "runs")]).get(("lineage", "runs")))

    def add_run(self, scope: str, run: str) -> None:
        """Remember a snapshot run."""
        self.update(
            "lineage", "runs", "ADD runs :run", {":run": {"SS": [f"{scope}{SEPARATOR}{run}"]}}
        )

    def growths(self, scopes: Sequence[str] | None) -> dict[str, bytes]:
        """The reset detector's state, packed."""
        if scopes is None:
            return {item["place"]["S"]: bytes(item["growth"]["B"]) for item in self.query("growth")}
        return {
            place: bytes(item["growth"]["B"])
            for (_, place), item in self.get([("growth", scope) for scope in scopes]).items()
        }

    def save_growth(self, scope: str, growth: Growth, before: bytes | None) -> None:
        """Store a growth; a suspicion that another process raised meanwhile is not overwritten."""
        values: Item = {":new": {"B": packed(growth)}}
        # ends: each turn means that another process stored a growth between our look and our write
        while True:
            known, condition = values, "attribute_not_exists(growth)"
            if before is not None:
                known, condition = {**values, ":old": {"B": before}}, "growth = :old"
            if self.update("growth", scope, "SET growth = :new", known, condition=condition):
                return
            before = self.growths([scope]).get(scope)
            if before is not None and growth_of(before).suspected:
                return

    def frontier(self, source: str) -> str | None:
        """How far a source is done."""
        item = self.get([("frontier", source)]).get(("frontier", source))
        return None if item is None else str(item["position"]["S"])

    def save_frontier(self, source: str, position: str) -> None:
        """Store how far a source is done."""
        self.put("frontier", source, {"position": {"S": position}})


def packed(growth: Growth) -> bytes:
    """A growth as it is stored. Nearly every batch writes one: below a kilobyte that is one write
    unit, not three."""
    return zlib.compress(_encode(growth), 9)


def growth_of(stored: bytes) -> Growth:
    """What `packed` wrote."""
    return _growth.decode(zlib.decompress(stored))


def _meta(item: Item) -> Meta:
    truncated = item["truncated"]["S"] if "truncated" in item else None
    return Meta(
        item["place"]["S"],
        tuple(msgspec.json.decode(item["key"]["S"])) if "key" in item else (),
        tuple(item["columns"]["SS"]) if "columns" in item else (),
        None if truncated is None else _stamp.decode(truncated),
        truncated,
        float(item["guarded"]["N"]) if "guarded" in item else None,
        float(item["expires"]["N"]) if "expires" in item else None,
        int(item["opened"]["N"]) if "opened" in item else 0,
        int(item["open"]["N"]) if "open" in item else 0,
        item["recorded"]["S"] if "recorded" in item else None,
    )


def _lineage(item: Item | None) -> Lineage:
    runs: dict[str, tuple[str, ...]] = {}
    if item is None:
        return runs
    for text in sorted(item["runs"]["SS"]):
        scope, _, run = text.partition(SEPARATOR)
        runs[scope] = (*runs.get(scope, ()), run)
    return runs
