"""Records that came without their key, as a consumer prints values alone: the key is taken from the
row, where its table says which columns it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from anyorder._core.event import Delivery, Event, Kind, canonical
from anyorder.envelopes.connect import Conversion, Schemas, of
from anyorder.envelopes.debezium import Debezium
from anyorder.envelopes.envelope import Envelope
from anyorder.envelopes.keys import written
from anyorder.envelopes.raw import Raw
from anyorder.errors import Malformed

MALFORMED = Kind.MALFORMED  # looked up once: it takes longer than to compare
KEYED = (Debezium.name, Raw.name)  # they take the key from beside the value
SAY = (
    '. If whoever made this file left the key out, say which columns it is: key = "..." in its '
    "[[table]]"
)
KeyOf = Callable[[Event], Sequence[str]]
"""The key's columns of the table of an event; none where nobody says them."""


class Keyless:
    """An envelope, for records of which some come without their key."""

    def __init__(self, inside: Envelope, key_of: KeyOf) -> None:
        self.name = inside.name
        self.options: Mapping[str, Any] = inside.options
        self._inside = inside
        self._key_of = key_of
        self._schemas = Schemas(of_keys=True)

    def decode(self, delivery: Delivery) -> Event:
        """The event in a delivery, which stays as it came. Never raises."""
        event = self._inside.decode(delivery)
        if event.kind is not MALFORMED or delivery.key is not None or delivery.value is None:
            return event
        columns = self._key_of(event)
        if not columns:
            return msgspec.structs.replace(event, note=event.note + SAY)
        try:
            key = self._key(delivery.value, columns)
        except Malformed as malformed:
            return msgspec.structs.replace(event, note=str(malformed))
        found = self._inside.decode(msgspec.structs.replace(delivery, key=key))
        return msgspec.structs.replace(found, delivery=delivery)

    def _key(self, value: bytes, columns: Sequence[str]) -> bytes:
        """A key as its producer would have told it. Raises Malformed."""
        told, conversion = self._schemas.open(value)
        if type(told) is not dict:
            raise Malformed("it came without its key, and its value is no JSON object")
        if "op" not in told:
            return _told_by(told, conversion, columns)
        rows = [
            _told_by(told[name], of(conversion, name), columns)
            for name in ("after", "before")
            if type(told.get(name)) is dict
        ]
        if not rows:
            raise Malformed("it came without its key, and tells no row")
        # The row of the former key must go, and nothing tells so.
        if len(rows) > 1 and rows[0] != rows[1]:
            raise Malformed(
                f"it came without its key, which it changes from {rows[1].decode():.80} to "
                f"{rows[0].decode():.80}: that is a delete and a create only where keys are told"
            )
        return rows[0]


def _told_by(row: dict[str, Any], conversion: Conversion | None, columns: Sequence[str]) -> bytes:
    """The key that a row tells. Raises Malformed."""
    untold = [column for column in columns if row.get(column) is None]
    if untold:
        raise Malformed(
            f"it came without its key, and its row does not tell {', '.join(untold):.80} either"
        )
    cells = {column: row[column] for column in columns}
    if conversion is not None:
        cells = conversion(cells)
    return canonical({column: written(cell) for column, cell in cells.items()}).encode()


def with_keys(envelope: Envelope, key_of: KeyOf) -> Envelope:
    """The envelope, which finds the key in the row where none came, if it needs one."""
    return Keyless(envelope, key_of) if envelope.name in KEYED else envelope
