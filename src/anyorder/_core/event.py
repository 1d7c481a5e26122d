"""A delivery (one arrival, bytes) and the event in it (one change at the source)."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from anyorder._core.content import spelled_fields
from anyorder._core.families import Position
from anyorder._core.key import DIGITS, is_readable, spelled_key

KeyFields = dict[str, Any]
FINGERPRINT = 8  # bytes; only contents of one position are ever compared, so few that 64 bits do
_keys = msgspec.json.Decoder(float_hook=Decimal)
_canonical = msgspec.json.Encoder(order="deterministic", decimal_format="number")


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One arrival of a record. `key` and `value` are the exact bytes, or None; `timestamp` in
    milliseconds; `headers` may repeat a name. An offset without a partition is the line of a
    file."""

    topic: str = ""
    partition: int = -1
    offset: int = -1
    timestamp: int | None = None
    timestamp_type: str = ""
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, str | None], ...] = ()

    @property
    def place(self) -> str:
        """Where it came from, for messages: `shop.public.users/3@88123`, or `line 17` of a file;
        without what its source does not number."""
        # A record in a file that names no place of its own.
        if self.partition < 0 <= self.offset:
            return f"{self.topic} line {self.offset}".lstrip()
        place = self.topic or "record"
        # A source that numbers neither (a queue) has its name only.
        if self.partition >= 0:
            place += f"/{self.partition}"
        if self.offset >= 0:
            place += f"@{self.offset}"
        return place


class Kind(StrEnum):
    """What an event does to its entity."""

    # The text's own: that of an enumeration is Python code, and members are looked up all the time.
    __hash__ = str.__hash__

    PUT = "upsert"
    DELETE = "delete"
    TRUNCATE = "truncate"
    HINT = "null_record"
    CONTROL = "control"
    NO_CONTENT = "no_content"
    MALFORMED = "malformed"

    words: str
    """What it is in a sentence. Set from `WORDS` below."""


WORDS = {
    Kind.PUT: "upsert",
    Kind.DELETE: "delete",
    Kind.TRUNCATE: "truncate",
    Kind.HINT: "null record after the delete",
    Kind.CONTROL: "control record",
    Kind.NO_CONTENT: "event without content",
    Kind.MALFORMED: "malformed record",
}
for _kind, _words in WORDS.items():
    _kind.words = _words

# Looked up once, as the orders are (position.py).
PUT, DELETE, HINT = Kind.PUT, Kind.DELETE, Kind.HINT


class Event(msgspec.Struct, frozen=True, gc=False):
    """One change at the source.

    `table` is the source's own name for it (`public.users`, or the topic). `key` maps key columns
    to values, each in its one spelling (key.py). `fields` maps columns to values; a column that
    exists but is not told is in `holes`. `partial`: `fields` are all that is told, every other
    column stays as it was. `creates`: the event starts a life, so its holes inherit nothing (rules
    R8). `time` is the source's own, in microseconds. `note` says why for control ones, malformed
    ones and those without content. `snapshot_run`: the scope and run id that a snapshot record
    makes known (rules R14). `source`: the source table where the record or the envelope tells it
    (`shop.public.users`); "" where its topic does.
    """

    kind: Kind
    table: str = ""
    key: KeyFields | None = None
    position: Position | None = None
    fields: dict[str, Any] | None = None
    holes: frozenset[str] = frozenset()
    partial: bool = False
    creates: bool = False
    time: int | None = None
    note: str = ""
    snapshot_run: tuple[str, str] | None = None
    delivery: Delivery = Delivery()
    fingerprint: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """The key in its one spelling, and the fingerprint: a hash of the canonical decoded
        content, never of bytes (rules R12). Deletes have none: two never differ."""
        if self.key:
            key = spelled_key(self.key)
            # Nearly every key comes as it is spelled.
            if key is not self.key:
                msgspec.structs.force_setattr(self, "key", key)
        if self.kind is not PUT or self.fingerprint:
            return
        fingerprint = self._fingerprint_of(spelled_fields(self.fields))
        # An event is frozen once it is made, and not before.
        msgspec.structs.force_setattr(self, "fingerprint", fingerprint)

    def _fingerprint_of(self, fields: dict[str, Any] | None) -> str:
        content: object = fields
        if not self.whole:
            # Which columns it does not tell is part of what it says; a whole one tells all. This
            # spelling is hashed in every memory that is stored, so it must stay.
            content = (fields, sorted(self.holes), self.partial)
        return hashlib.blake2b(_canonical.encode(content), digest_size=FINGERPRINT).hexdigest()

    @property
    def former_fingerprint(self) -> str:
        """An upsert's in memories of before, where each spelling of a number was a content."""
        return self._fingerprint_of(self.fields)

    @property
    def entity(self) -> str:
        """The canonical key: JSON with sorted names, integers exact, `"42"` and `42` distinct."""
        return canonical(self.key)

    @property
    def whole(self) -> bool:
        """Does it name every column of the row?"""
        return not self.partial and not self.holes

    def names(self, column: str) -> bool:
        """Does an upsert tell this column's value?"""
        if self.partial:
            return self.fields is not None and column in self.fields
        # It tells all columns, also those that it does not spell out, but for its holes.
        return column not in self.holes


def canonical(value: object) -> str:
    """Canonical JSON text of decoded values."""
    return _canonical.encode(value).decode()


def entity_of(key: object) -> str:
    """The entity that something of this key is held under, "" for none."""
    # A truncate concerns every key, and of broken bytes the key may be unreadable.
    if not is_readable(key):
        return ""
    return canonical(key)


def key_of(entity: str) -> KeyFields:
    """The key columns of an entity (`Event.entity`), its numbers exactly as they are spelled."""
    try:
        key: KeyFields = _keys.decode(entity)
    # An integer of more digits than a key may have: what is held of it must be read all the same.
    except msgspec.ValidationError:
        key = json.loads(entity, parse_int=_integer, parse_float=Decimal)
    return key


def _integer(digits: str) -> int | Decimal:
    """An integer; of one that is no key, its digits."""
    return int(digits) if len(digits) <= DIGITS else Decimal(digits)
