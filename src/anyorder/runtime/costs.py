"""What is lost where the records of a file come without their place in the topic, or without their
key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anyorder.envelopes import Envelope
from anyorder.envelopes.keyless import KEYED
from anyorder.sources.contract import Received

NO_OFFSET = (
    "no partition and offset come with these records: a null value, and a row that tells no place "
    "in the log, cannot be ordered, and are quarantined or change nothing (kafka-console-consumer "
    "prints them with print.partition and print.offset, kcat with -J)"
)
NO_KEY = (
    "no key comes with these records: it is taken from the row, of the columns that key = ... of "
    "its [[table]] names; a null value is of no key, and ignored"
)


def costs(envelope: Envelope, batch: Sequence[Received]) -> Iterator[str]:
    """What a first batch of a file costs as it is, for a person."""
    if envelope.name not in KEYED:
        return
    # Of a file alone: a queue numbers no lines either.
    deliveries = [one.delivery for one in batch if not one.note and one.delivery.offset >= 0]
    if any(one.partition < 0 for one in deliveries):
        yield NO_OFFSET
    if any(one.key is None and one.value is not None for one in deliveries):
        yield NO_KEY
