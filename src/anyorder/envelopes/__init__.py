"""Wire bytes to events, one module a format. Pure: nothing here does IO or knows a clock.

`open_envelope` gives what a pipeline names; `detect` says what an unknown payload is; `read_record`
reads recorded records.
"""

from __future__ import annotations

from typing import Any

from anyorder.envelopes.cloudevents import CloudEvents
from anyorder.envelopes.debezium import Debezium
from anyorder.envelopes.detect import Detected, Role, detect
from anyorder.envelopes.document import Document
from anyorder.envelopes.dynamodb_streams import DynamoDBStreams
from anyorder.envelopes.envelope import Envelope, Reader
from anyorder.envelopes.eventbridge import EventBridge
from anyorder.envelopes.raw import Raw
from anyorder.envelopes.record import read_record
from anyorder.errors import ConfigurationError

__all__ = ["ENVELOPES", "Detected", "Envelope", "Role", "detect", "open_envelope", "read_record"]

_READERS: dict[str, Any] = {
    reader.name: reader for reader in (Debezium, CloudEvents, Document, DynamoDBStreams, Raw)
}
ENVELOPES = (*_READERS, EventBridge.name)
"""The names that a pipeline may give."""


def open_envelope(name: str, **options: Any) -> Envelope:
    """The envelope of that name. `eventbridge` takes `inner` (debezium by default) and that
    envelope's options besides its own.

    Raises ConfigurationError for an unknown name, an unknown option, or one whose value makes no
    sense.
    """
    if name != EventBridge.name:
        return _opened(name, options)
    inner = options.pop("inner", Debezium.name)
    if inner == EventBridge.name:
        raise ConfigurationError(
            "the envelope option inner names what is inside eventbridge, not eventbridge itself"
        )
    own = {option: options.pop(option) for option in ("dead_letter_topics",) if option in options}
    return EventBridge(inside=_opened(inner, options), **own)


def _opened(name: object, options: dict[str, Any]) -> Reader:
    reader = _READERS.get(name) if isinstance(name, str) else None
    if reader is None:
        raise ConfigurationError(
            f"no envelope {name!r:.80}; there are: {', '.join(sorted(ENVELOPES))}"
        )
    known = reader.__init__.__kwdefaults__ or {}  # every option has a name and a default
    unknown = sorted(options.keys() - known.keys())
    if unknown:
        raise ConfigurationError(
            f"the envelope {name} has no option {', '.join(unknown)}; it has: {', '.join(sorted(known))}"
        )
    opened: Reader = reader(**options)
    return opened
