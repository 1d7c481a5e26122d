"""One key's conditional write: `plan` makes the request, `settle` reads the answer; both pure.

Every write compares the whole memory that was read (its text carries the token of the attempt that
wrote it, so no two writes look alike); a create compares with an empty slot; a change that is
certainly newer may overtake unread.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from anyorder._core.memory import Memory, pack
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Answer, Lost, Refused, Replaced, Write
from anyorder.stores.dynamodb.floors import is_forgettable
from anyorder.stores.dynamodb.items import (
    EXPIRES,
    GUARD,
    MEMORY,
    OFFSET,
    SINCE,
    DoesNotFit,
    Item,
    KeySchema,
    attributes,
    check_size,
    encoded,
    item_key,
    memory_of,
    schema_for,
    text_of,
)
from anyorder.stores.dynamodb.overtaking import incoming_threshold, stored_threshold
from anyorder.stores.dynamodb.requests import Answer as Said

CONDITION_FAILED = "ConditionalCheckFailedException"
# columns set or taken away in one update expression, which has at most 4 KB and 300 operators;
# above, the whole item is put
WIDE = 150
KEEP_SECONDS = 1  # DynamoDB's TTL counts whole seconds; a tombstone is kept at least its retention


class Slot(NamedTuple):
    """What this transaction last saw in a key's slot. `text`: its memory, None for an empty one;
    `unread`: it did not look."""

    text: str | None = None
    item: Item | None = None
    unread: bool = False


class Target(NamedTuple):
    """Where and how a batch is written. `expires`: seconds until DynamoDB's own TTL may take a
    tombstone, None where it does not."""

    table: str
    schema: KeySchema
    now: float
    token: str
    expires: float | None = None


class Planned(NamedTuple):
    """A request that is ready. `text`: the memory that it stores (None: the slot becomes empty);
    `item`: as far as it is known."""

    write: Write
    operation: str
    arguments: dict[str, Any]
    text: str | None
    creates: bool
    item: Item | None = None


def plan(target: Target, write: Write, slot: Slot) -> Planned:
    """The request of one write. Raises DoesNotFit for content that DynamoDB cannot hold exactly."""
    key = item_key(target.schema, write.entity, write.key)
    if write.after is None:
        return _deletion(target, write, key, slot)
    after = msgspec.structs.replace(write.after, token=target.token)
    text = pack(after)
    ours = _bookkeeping(target, after, text)
    replaces = (
        not after.live
        or (slot.text is None and slot.item is None)
        or (write.written is not None and write.written.replaces)
        or not _live(write.before)
    )
    if replaces and (write.written is not None or not after.live):
        return _put(target, write, key, ours, after, text, slot)
    return _update(target, write, key, ours, after, text, slot)


def unfit_anywhere(write: Write) -> Refused | None:
    """The refusal of a write that no table could hold, though it were made for its key."""
    try:
        plan(Target("", schema_for(write.key), 0.0, ""), write, Slot())
    except DoesNotFit as problem:
        return Refused(write.entity, Reason.MALFORMED, str(problem))
    return None


def is_wide(write: Write) -> bool:
    """Does it tell more columns than an update expression holds?"""
    return len(write.values) > WIDE


def _live(memory: Memory | None) -> bool:
    return memory is not None and memory.live


def _bookkeeping(target: Target, after: Memory, text: str) -> Item:
    ours: Item = {MEMORY: {"S": text}}
    threshold = stored_threshold(after)
    if threshold is not None:
        ours[GUARD] = {"B": threshold.value}
        if threshold.offset is not None:
            ours[OFFSET] = {"N": str(threshold.offset)}
    if not after.live:
        ours[SINCE] = {"N": str(target.now)}
        if target.expires is not None and is_forgettable(after.stamp):
            ours[EXPIRES] = {"N": str(int(target.now + target.expires) + KEEP_SECONDS)}
    return ours


def _put(
    target: Target, write: Write, key: Item, ours: Item, after: Memory, text: str, slot: Slot
) -> Planned:
    """The whole item: what was there before, the TTL attribute of a tombstone included, is gone."""
    told, _ = attributes(after, write.values, tuple(write.key)) if after.live else ({}, ())
    item = {**(_key_columns(write) if after.live else {}), **told, **key, **ours}
    check_size(item)
    condition, values = _condition(after, slot)
    arguments: dict[str, Any] = {"TableName": target.table, "Item": item, **condition}
    if values:
        arguments["ExpressionAttributeValues"] = values
    if slot.unread:
        arguments["ReturnValues"] = "ALL_OLD"
    return Planned(write, "put_item", arguments, text, slot.text is None and not slot.unread, item)


def _key_columns(write: Write) -> Item:
    """The key's own columns, for tables whose key attribute is ours: a row then still shows
    them."""
    return {name: encoded(name, value) for name, value in write.key.items()}


def _condition(after: Memory, slot: Slot) -> tuple[dict[str, Any], Item]:
    names = {"#m": MEMORY}
    refusal = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if slot.text is not None:
        return {
            "ConditionExpression": "#m = :before",
            "ExpressionAttributeNames": names,
            **refusal,
        }, {":before": {"S": slot.text}}
    empty = "attribute_not_exists(#m)"
    threshold = incoming_threshold(after) if slot.unread else None
    if threshold is None:
        return {"ConditionExpression": empty, "ExpressionAttributeNames": names, **refusal}, {}
    older = "#g > :scope AND #g < :mine"
    values: Item = {":scope": {"B": threshold.scope}, ":mine": {"B": threshold.value}}
    names["#g"] = GUARD
    if threshold.offset is not None:
        older += " AND #o < :offset"
        names["#o"], values[":offset"] = OFFSET, {"N": str(threshold.offset)}
    return {
        "ConditionExpression": f"{empty} OR ({older})",
        "ExpressionAttributeNames": names,
        **refusal,
    }, values


def _update(
    target: Target, write: Write, key: Item, ours: Item, after: Memory, text: str, slot: Slot
) -> Planned:
    """Some columns of a live row: set, or taken away; a TTL attribute that is left goes as well."""
    told, gone = attributes(after, write.values, tuple(write.key))
    untold = _untold(write, key, told, slot)
    setting = {**told, **ours}
    ours_gone = {GUARD, OFFSET, SINCE, EXPIRES} - set(ours)
    removing = dict.fromkeys([*gone, *untold, *ours_gone])
    there = {**(slot.item or {}), **setting}
    merged = {name: value for name, value in there.items() if name not in removing} | key
    check_size(merged)
    is_read = slot.item is not None
    if is_read and len(setting) + len(removing) > WIDE:
        return _put_merged(target, write, merged, text, slot)
    arguments = _update_of(target, key, setting, removing, slot)
    # What was not read is not known afterwards either.
    item = merged if is_read else None
    return Planned(write, "update_item", arguments, text, False, item)


def _untold(write: Write, key: Item, told: Item, slot: Slot) -> list[str]:
    """The columns that go because the event does not name them, where it only spares some."""
    spared = None if write.written is None else write.written.spared
    # It spares all that it does not name.
    if spared is None:
        return []
    rest = set(slot.item or ()) - set(told) - spared - set(write.key) - set(key)
    # What we keep beside the row is no column of it.
    return [column for column in rest if not column.startswith("anyorder_")]


def _update_of(
    target: Target, key: Item, setting: Item, removing: Collection[str], slot: Slot
) -> dict[str, Any]:
    """The arguments of an update that sets and removes these attributes while the memory is the one
    that was read."""
    names = {f"#{place}": name for place, name in enumerate([*setting, *removing])}
    marks = {name: mark for mark, name in names.items()}
    sets = ", ".join(f"{marks[name]} = :{place}" for place, name in enumerate(setting))
    removes = ", ".join(marks[name] for name in removing)
    values: Item = {f":{place}": value for place, value in enumerate(setting.values())}
    values |= _before(slot)
    return {
        "TableName": target.table,
        "Key": key,
        "UpdateExpression": f"SET {sets} REMOVE {removes}",
        "ConditionExpression": _unmoved(slot, marks[MEMORY]),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _put_merged(target: Target, write: Write, merged: Item, text: str, slot: Slot) -> Planned:
    """The whole item, as the update would leave it: while its memory is the one that was read, its
    columns are too."""
    condition = _condition_of_read(slot)
    return Planned(
        write,
        "put_item",
        {"TableName": target.table, "Item": merged, **condition},
        text,
        False,
        merged,
    )


def _deletion(target: Target, write: Write, key: Item, slot: Slot) -> Planned:
    arguments = {"TableName": target.table, "Key": key, **_condition_of_read(slot)}
    return Planned(write, "delete_item", arguments, None, False)


def _unmoved(slot: Slot, memory: str) -> str:
    """The condition that the memory, by this name, is the one that was read. An adopted item has
    none."""
    return f"{memory} = :before" if slot.text is not None else f"attribute_not_exists({memory})"


def _before(slot: Slot) -> Item:
    """The values of that condition."""
    return {} if slot.text is None else {":before": {"S": slot.text}}


def _condition_of_read(slot: Slot) -> dict[str, Any]:
    """The arguments of that condition."""
    arguments: dict[str, Any] = {
        "ConditionExpression": _unmoved(slot, "#m"),
        "ExpressionAttributeNames": {"#m": MEMORY},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    # A server refuses values that no condition names.
    values = _before(slot)
    if values:
        arguments["ExpressionAttributeValues"] = values
    return arguments


def is_mine(planned: Planned, item: Item | None, *, repeated: bool) -> bool:
    """A condition failed after an answer was lost: is what it met our own write?"""
    return repeated and text_of(item) == planned.text


def settle(planned: Planned, said: Said) -> Answer | None:
    """What an answer means for the key; None: written as decided. A failed condition without its
    item is `Lost` unread."""
    entity = planned.write.entity
    if said.code == CONDITION_FAILED:
        return (
            None
            if is_mine(planned, said.item, repeated=said.repeated)
            else Lost(entity, memory_of(said.item))
        )
    if said.code == "ValidationException":
        return Refused(entity, Reason.MALFORMED, f"DynamoDB refuses the item: {said.message}")
    old = said.response.get("Attributes")
    return Replaced(entity, memory_of(old)) if old and MEMORY in old else None
