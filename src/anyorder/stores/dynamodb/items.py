"""A row and its memory as one DynamoDB item: exact types, or a refusal that says what does not fit.
Pure.

The user's columns are the item's attributes under their own names; ours begin with `anyorder_`, so
that they can be told apart:

* `anyorder_memory` (S): the memory as text; what every conditional write compares.
* `anyorder_guard` (B), `anyorder_offset` (N): what a newer event may overtake without reading first
  (`overtaking`).
* `anyorder_since` (N): tombstones only, when it was written; the sparse index of the reaper.
* `anyorder_expires` (N): tombstones only, and only where DynamoDB's own TTL forgets them.

Limits: 38 significant digits, 400 KB an item, 32 levels, keys of 2048 and 1024 bytes
(docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html and
HowItWorks.NamingRulesDataTypes.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from anyorder._core.columns import source_of
from anyorder._core.key import KeyKind, Kinds
from anyorder._core.memory import Memory, unpack

PREFIX = "anyorder_"
MEMORY, GUARD, OFFSET, SINCE, EXPIRES = (
    PREFIX + name for name in ("memory", "guard", "offset", "since", "expires")
)
# the key attribute of tables that we make for keys which DynamoDB cannot spell
ENTITY_KEY = PREFIX + "key"
DIGITS = 38
LARGEST_EXPONENT, SMALLEST_EXPONENT = 125, -130
ITEM_BYTES = 400 * 1024
DEPTH = 32
KEY_BYTES = (2048, 1024)
KINDS = {"S": KeyKind.TEXT, "N": KeyKind.NUMBER}  # of the types that a key may have
OVERHEAD = 3  # bytes of a list or map beyond its elements, one more an element

Value = dict[str, Any]
Item = dict[str, Value]


class DoesNotFit(Exception):
    """This content cannot be an item; the message says which column and why. The event is
    malformed."""


class KeySchema(NamedTuple):
    """A table's key: its attributes with their types (S, N or B), one or two."""

    attributes: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.attributes)

    @property
    def kinds(self) -> Kinds:
        """The kinds of the key's columns: of no other will an item have the key. Where the key is
        our own attribute, nothing is said of the columns."""
        return {
            name: KINDS[kind]
            for name, kind in self.attributes
            if name != ENTITY_KEY and kind in KINDS
        }


def schema_for(key: Mapping[str, object]) -> KeySchema:
    """The key schema that we choose for a new table: the key's own columns where they are one or
    two texts or integers."""
    types = tuple((name, _key_type(value)) for name, value in key.items())
    if len(types) <= 2 and all(kind for _, kind in types):
        return KeySchema(types)
    return KeySchema(((ENTITY_KEY, "S"),))


def _key_type(value: object) -> str:
    if isinstance(value, str) and value:
        return "S"
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return "N" if is_number else ""


def item_key(schema: KeySchema, entity: str, key: Mapping[str, object]) -> Item:
    """The key of a row. Raises DoesNotFit where it would collide with another's or cannot be
    spelled."""
    if schema.names == (ENTITY_KEY,):
        found: Item = {ENTITY_KEY: {"S": entity}}
    else:
        if set(key) != set(schema.names):
            raise DoesNotFit(
                f"the table's key is ({', '.join(schema.names)}), this event's is "
                f"({', '.join(key)})"
            )
        found = {name: _key_value(name, kind, key[name]) for name, kind in schema.attributes}
    for (name, value), most in zip(found.items(), KEY_BYTES, strict=False):
        if _size(value) > most:
            raise DoesNotFit(f"the key column {name!r} is longer than DynamoDB's {most} bytes")
    return found


def _key_value(name: str, kind: str, value: object) -> Value:
    if _key_type(value) != kind:
        shown = "an empty text" if value == "" else f"{type(value).__name__} {str(value)[:40]!r}"
        raise DoesNotFit(
            f"the table's key column {name!r} has the DynamoDB type {kind}; {shown} does not fit "
            "it exactly"
        )
    return encoded(name, value)


def encoded(column: str, value: object, depth: int = 0) -> Value:
    """A decoded value as DynamoDB's typed JSON, exactly. Raises DoesNotFit."""
    if depth > DEPTH:
        raise DoesNotFit(f"column {column!r} is nested deeper than DynamoDB's {DEPTH} levels")
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float | Decimal):
        return {"N": number(column, value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, Mapping):
        return {"M": {str(name): encoded(column, part, depth + 1) for name, part in value.items()}}
    if isinstance(value, Sequence):
        return {"L": [encoded(column, part, depth + 1) for part in value]}
    raise DoesNotFit(
        f"column {column!r} holds a {type(value).__name__}, which DynamoDB has no type for"
    )


def decoded(value: Value) -> Any:
    """The value that was encoded; numbers as integers where they are."""
    ((kind, held),) = value.items()
    if kind == "N":
        exact = Decimal(held)
        return int(exact) if exact == exact.to_integral_value() else exact
    if kind == "L":
        return [decoded(part) for part in held]
    if kind == "M":
        return {name: decoded(part) for name, part in held.items()}
    return None if kind == "NULL" else held


def row_of(item: Item | None) -> dict[str, object] | None:
    """The user's columns of a live item; None: there is no row."""
    memory = memory_of(item)
    if item is None or memory is None or not memory.live:
        return None
    return {name: decoded(value) for name, value in item.items() if not name.startswith(PREFIX)}


def number(column: str, value: float | Decimal) -> str:
    """A number as text with every digit; -0.0 is 0, its equal, since DynamoDB has no negative zero
    (`DynamoDBStore.promises` says so).

    Raises DoesNotFit beyond 38 significant digits or DynamoDB's range.
    """
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise DoesNotFit(f"column {column!r} is {value}, which DynamoDB has no number for")
    _, digits, _ = exact.as_tuple()
    significant = len("".join(map(str, digits)).strip("0"))
    if significant > DIGITS:
        raise DoesNotFit(
            f"column {column!r} has {significant} significant digits; DynamoDB keeps {DIGITS}, so "
            "the number is refused, not rounded"
        )
    if exact and not SMALLEST_EXPONENT <= exact.adjusted() <= LARGEST_EXPONENT:
        raise DoesNotFit(
            f"column {column!r} is about 1E{exact.adjusted()}; DynamoDB numbers end at "
            f"1E{LARGEST_EXPONENT}"
        )
    return str(exact) if exact else "0"


def attributes(
    memory: Memory, values: Mapping[str, Any], names: Sequence[str]
) -> tuple[Item, tuple[str, ...]]:
    """What a write says of the user's columns: those to set, and those to take away (holes). Key
    columns are left out."""
    told, gone = {}, []
    for column, value in values.items():
        if column in names:
            continue
        if not column or column.startswith(PREFIX):
            raise DoesNotFit(
                f"the column name {column!r} is not usable: empty, or with the prefix {PREFIX!r} "
                "that is ours"
            )
        if source_of(memory, column) is None:
            gone.append(column)
        else:
            told[column] = encoded(column, value)
    return told, tuple(gone)


def check_size(item: Item) -> None:
    """Raises DoesNotFit if the item is beyond 400 KB, counted as AWS counts."""
    size = sum(len(name.encode()) + _size(value) for name, value in item.items())
    if size > ITEM_BYTES:
        raise DoesNotFit(
            f"the item would have {size} bytes; DynamoDB's limit is {ITEM_BYTES}. Keep large "
            "values in an object store"
        )


def _size(value: Value) -> int:
    ((kind, held),) = value.items()
    if kind == "N":
        return len(held) // 2 + 2
    if kind in ("S", "B"):
        return len(held.encode() if isinstance(held, str) else held)
    if kind == "L":
        return OVERHEAD + sum(1 + _size(part) for part in held)
    if kind == "M":
        return OVERHEAD + sum(1 + len(name.encode()) + _size(part) for name, part in held.items())
    return 1


def memory_of(item: Item | None) -> Memory | None:
    """The memory in an item; None for no item, or one that no event explains."""
    return unpack(item[MEMORY]["S"]) if item is not None and MEMORY in item else None


def text_of(item: Item | None) -> str | None:
    """The memory's text in an item, for the condition of the next write."""
    return None if item is None or MEMORY not in item else str(item[MEMORY]["S"])
