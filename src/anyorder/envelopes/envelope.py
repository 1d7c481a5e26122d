"""What every envelope is: wire bytes in, one Event out, never an exception.

A reader raises Malformed where it must; here, and nowhere else, that becomes an event of kind
MALFORMED, with its reason, and with table and key where they could still be read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol

from anyorder._core.event import Delivery, Event, KeyFields, Kind
from anyorder._core.families import OffsetPosition
from anyorder._core.row_clock import RowClock
from anyorder.envelopes.interruption import is_of_reading
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import ConfigurationError, Malformed
from anyorder.mistyped import meant

EnvelopeName = Literal["cloudevents", "debezium", "dynamodb_streams", "eventbridge", "json", "raw"]
"""What a format is called, for who checks types."""
KeyOption = str | Sequence[str] | dict[str, str] | None
"""A table's key as its user says it: a column or several; JSON pointers, or {column: pointer}."""
BUG = "the decoder failed, which is a bug in anyorder"


class Envelope(Protocol):
    """How one format is read. `name` is what a pipeline calls it, `options` what it was opened
    with: `open_envelope(name, **options)` opens the same again."""

    name: str
    options: Mapping[str, Any]

    def decode(self, delivery: Delivery) -> Event:
        """The event in a delivery. Never raises: what cannot be decoded is of kind MALFORMED, its
        `note` says why."""


class Reader(ABC):
    """A format: `read` raises Malformed, `decode` does not. `limits`: how large a record may be.

    `needs_table`: its clocks are of a table whose name the records do not tell, so the option
    `table` must say it where a topic is not that name.
    """

    name: str
    options: Mapping[str, Any] = MappingProxyType({})
    limits: Limits = DEFAULT
    needs_table: ClassVar[bool] = False

    @classmethod
    def key_columns(cls, key: KeyOption) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The columns of a table's key as its user says it, and the options that say where in a
        record they lie. Raises ConfigurationError for pointers: only documents have them."""
        if points(key):
            raise ConfigurationError(
                f"the {cls.name} envelope takes column names as key, not pointers: {key!r:.80}"
            )
        return parts(key), {}

    @classmethod
    def keeps_for_ever(cls, options: Mapping[str, Any]) -> str:  # noqa: ARG003
        """Why no tombstone may be forgotten where it is opened with these options: its clocks do
        not compare across keys. "" if they do."""
        return ""

    def row_clock(self, column: str, without: str) -> RowClock:
        """The clock of a column of the user's own table, whose values compare with the positions of
        these events; see `RowClock`. Raises ConfigurationError where none can."""
        raise ConfigurationError(
            f'adopt = "column:{column}" takes the positions of rows from a column, and nothing in '
            f"a row compares with those of the envelope {self.name}: only json has positions that "
            'a column can hold; say adopt = "older-than-everything", or use an empty table'
        )

    @abstractmethod
    def read(self, delivery: Delivery) -> Event:
        """The event in a delivery. Raises Malformed with a reason for a person."""

    def table_of(self, delivery: Delivery) -> str:
        """The table, of a delivery that could not be read. May raise Malformed."""
        return delivery.topic

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        """The key, of a delivery that could not be read. May raise Malformed."""
        return None

    def source_table_of(self, delivery: Delivery) -> str:
        """The source table, of a delivery that could not be read; "" where its topic tells it. May
        raise Malformed."""
        return ""

    def decode(self, delivery: Delivery) -> Event:
        """The event in a delivery. Never raises."""
        try:
            return self.read(delivery)
        except Malformed as malformed:
            return self.unread(delivery, str(malformed))
        # a bug of ours must not stop the loop: the record is kept, and the note is loud
        except Exception as failure:
            if not is_of_reading(failure, type(self).__module__):
                raise
            return self.unread(
                delivery,
                f"{BUG} ({type(failure).__name__}: {failure}); please report it with the record",
            )

    def unread(self, delivery: Delivery, note: str) -> Event:
        """The event of a delivery that cannot be decoded, with what can be read of it."""
        table, key = _if_readable(self.table_of, delivery), _if_readable(self.key_of, delivery)
        source = _if_readable(self.source_table_of, delivery)
        return Event(
            Kind.MALFORMED, table or "", key, note=note, delivery=delivery, source=source or ""
        )


def _if_readable(read: Callable[[Delivery], Any], delivery: Delivery) -> Any:
    try:
        return read(delivery)
    except Malformed:  # the reason is told already
        return None
    except Exception as failure:
        if not is_of_reading(failure, read.__module__):
            raise
        return None


def parts(key: KeyOption) -> tuple[str, ...]:
    """The columns or pointers that a key is made of; none if it is not said."""
    return (key,) if isinstance(key, str) else tuple(key or ())


def points(key: KeyOption) -> bool:
    """JSON pointers, rather than column names?"""
    return isinstance(key, dict) or any(part.startswith("/") for part in parts(key))


def one_column(key: KeyOption) -> dict[str, Any]:
    """The option `key` of an envelope that calls by it what comes without a name: no more than one
    column can be that."""
    columns = parts(key)
    return {"key": columns[0]} if len(columns) == 1 else {}


def offset_position(delivery: Delivery) -> OffsetPosition:
    """The Kafka offset as the clock. Raises Malformed where a delivery has none."""
    if not delivery.topic or delivery.partition < 0 or delivery.offset < 0:
        raise Malformed(
            "no topic, partition and offset came with it, so nothing tells its place in the stream"
        )
    return OffsetPosition(
        f"kafka:{delivery.topic}", delivery.partition, delivery.offset, time=time_of(delivery)
    )


def time_of(delivery: Delivery) -> int | None:
    """The record's own timestamp in microseconds. Kafka writes -1 for none."""
    return (
        delivery.timestamp * 1000
        if delivery.timestamp is not None and delivery.timestamp >= 0
        else None
    )


def named(value: object, option: str) -> str:
    """An option that must be a non-empty text. Raises ConfigurationError."""
    if not isinstance(value, str) or not value:
        raise ConfigurationError(
            f"the envelope option {option} must be a non-empty text, not {value!r:.80}"
        )
    return value


def chosen(value: object, option: str, choices: tuple[str, ...]) -> str:
    """An option that must be one of a few words. Raises ConfigurationError."""
    if value not in choices:
        raise ConfigurationError(
            f"the envelope option {option} must be one of {', '.join(choices)}, not {value!r:.80}"
            f"{meant(value, choices)}"
        )
    return str(value)
