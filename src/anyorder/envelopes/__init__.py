"""Wire bytes to events, one module a format. Pure: nothing here does IO or knows a clock.

`open_envelope` gives what a pipeline names, `key_columns` and `needs_table` say what it needs to be
told before; `detect` says what an unknown payload is; `read_record` reads recorded records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anyorder._core.row_clock import RowClock
from anyorder.envelopes.cloudevents import CloudEvents
from anyorder.envelopes.debezium import Debezium
from anyorder.envelopes.detect import Detected, Role, detect, envelopes_of
from anyorder.envelopes.document import Document
from anyorder.envelopes.dynamodb_streams import DynamoDBStreams
from anyorder.envelopes.envelope import Envelope, EnvelopeName, KeyOption, Reader
from anyorder.envelopes.eventbridge import EventBridge
from anyorder.envelopes.limits import DEFAULT, Limits, limits_of
from anyorder.envelopes.raw import Raw
from anyorder.envelopes.record import read_record
from anyorder.errors import ConfigurationError
from anyorder.mistyped import meant

__all__ = [
    "DEFAULT_ENVELOPE",
    "ENVELOPES",
    "Detected",
    "Envelope",
    "EnvelopeName",
    "KeyOption",
    "Limits",
    "Role",
    "default_envelope",
    "detect",
    "envelopes_of",
    "keeps_for_ever",
    "key_columns",
    "needs_table",
    "open_envelope",
    "options_of",
    "read_record",
    "row_clock",
]

_READERS: dict[str, Any] = {
    reader.name: reader for reader in (Debezium, CloudEvents, Document, DynamoDBStreams, Raw)
}
ENVELOPES = (*_READERS, EventBridge.name)
"""The names that a pipeline may give."""
DEFAULT_ENVELOPE: Final = "debezium"
"""What records are taken for where nobody names their envelope."""


def default_envelope(options: Mapping[str, object]) -> str:
    """What records are taken for where only the options of their envelope are said: a `position`
    pointer is of documents."""
    return Document.name if "position" in options else DEFAULT_ENVELOPE


def open_envelope(
    name: str, *, limits: Limits | Mapping[str, object] = DEFAULT, **options: Any
) -> Envelope:
    """The envelope of that name. `eventbridge` takes `inner` (debezium by default) and that
    envelope's options besides its own. `limits`: how large a record may be (`{"depth": 20}`), which
    is no option of a format, and so is not remembered with what is held.

    Raises ConfigurationError for an unknown name, an unknown option, or one whose value makes no
    sense.
    """
    limits = limits_of(limits)
    if name != EventBridge.name:
        return _opened(name, options, limits)
    inner = _inner(options)
    said = {**options, "inner": inner}
    options.pop("inner", None)
    own = {option: options.pop(option) for option in ("dead_letter_topics",) if option in options}
    opened = EventBridge(inside=_opened(inner, options, limits), **own)
    opened.limits = limits
    opened.options = said
    return opened


def key_columns(
    name: str, key: KeyOption, options: dict[str, Any]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """A table's key as its user says it: the columns, and the envelope's options with where the key
    lies added. No columns: they are learned from the events. Raises ConfigurationError for an
    unknown name, and for a key that the envelope does not take."""
    inside = _inner(options) if name == EventBridge.name else name
    columns, more = _reader(inside).key_columns(key)
    return columns, {**options, **more}


def needs_table(name: str) -> bool:
    """`Reader.needs_table` of the envelope of that name."""
    return name != EventBridge.name and _reader(name).needs_table


def keeps_for_ever(name: str, options: Mapping[str, Any]) -> str:
    """`Reader.keeps_for_ever` of the envelope of that name, or of the one inside."""
    inside = _inner(options) if name == EventBridge.name else name
    return _reader(inside).keeps_for_ever(options)


def options_of(name: str) -> list[str]:
    """The options of the envelope of that name; of `eventbridge`, also those of all inside."""
    readers = [_reader(name)] if name != EventBridge.name else [EventBridge, *_READERS.values()]
    known = {"inner"} if name == EventBridge.name else set()
    for reader in readers:
        known |= _known_by(reader).keys()
    return sorted(known - {"inside"})


def _known_by(reader: Any) -> Mapping[str, Any]:
    """Every option has a name and a default."""
    return reader.__init__.__kwdefaults__ or {}


def row_clock(name: str, options: Mapping[str, Any], column: str, without: str) -> RowClock:
    """The clock of a column of the user's own table, whose values compare with the positions of
    this envelope's events; see `RowClock`. Raises ConfigurationError where none can."""
    opened: Any = open_envelope(name, **options)
    found: RowClock = opened.row_clock(column, without)
    return found


def _inner(options: Mapping[str, Any]) -> Any:
    inner = options.get("inner", DEFAULT_ENVELOPE)
    if inner == EventBridge.name:
        raise ConfigurationError(
            "the envelope option inner names what is inside eventbridge, not eventbridge itself"
        )
    return inner


def _reader(name: object) -> type[Reader]:
    reader: type[Reader] | None = _READERS.get(name) if isinstance(name, str) else None
    if reader is None:
        raise ConfigurationError(
            f"no envelope {name!r:.80}; there are: {', '.join(sorted(ENVELOPES))}"
            f"{meant(name, ENVELOPES)}"
        )
    return reader


def _opened(name: object, options: dict[str, Any], limits: Limits) -> Reader:
    reader: Any = _reader(name)
    known = _known_by(reader)
    unknown = sorted(options.keys() - known.keys())
    if unknown:
        raise ConfigurationError(
            f"the envelope {name} has no option {', '.join(unknown)}; "
            f"it has: {', '.join(sorted(known))}{meant(unknown[0], known)}"
        )
    opened: Reader = reader(**options)
    opened.options = options
    opened.limits = limits
    return opened
