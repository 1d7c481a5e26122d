"""The events that AWS Lambda hands to a function, as deliveries. Pure.

Each record has an identifier by which a batch can fail in part, where the event source knows any
(docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html,
services-kinesis-batchfailurereporting.html and services-ddb-batchfailurereporting.html). It
acknowledges, and is nothing else: never an identity, never an order.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from anyorder._core.event import Delivery
from anyorder.errors import ConfigurationError
from anyorder.sources.messages import delivery_of_message, queue_name

# Lambda's spelling and Kafka's
TIMESTAMP_TYPES = {"CREATE_TIME": "CreateTime", "LOG_APPEND_TIME": "LogAppendTime"}


class Arrival(NamedTuple):
    """One record. `identifier`: how its event source is told that it failed; "" where only all can
    fail."""

    delivery: Delivery
    identifier: str = ""


def arrivals(event: object) -> list[Arrival]:
    """The records of an invocation: of SQS, Kinesis, DynamoDB Streams, Kafka (MSK or self-managed),
    or one EventBridge event.

    A list, as EventBridge Pipes invokes, may hold any of them. Raises ConfigurationError for an
    event of another source: nothing of it is acknowledged then.
    """
    records = event.get("Records") if isinstance(event, Mapping) else event
    if isinstance(records, list):
        return [_arrival(record) for record in records]
    if isinstance(event, Mapping) and isinstance(event.get("records"), Mapping):
        return [_kafka(record) for part in event["records"].values() for record in part]
    return [_arrival(event)]


def _arrival(record: object) -> Arrival:
    if isinstance(record, Mapping):
        reader = _SOURCES.get(str(record.get("eventSource")))
        if reader is not None:
            return reader(record)
        if "detail-type" in record and "detail" in record:
            return Arrival(Delivery(value=_encoded(record)))
    names = (
        f"names: {', '.join(map(str, list(record)[:8]))}"
        if isinstance(record, Mapping)
        else type(record).__name__
    )
    raise ConfigurationError(
        "no event of SQS, Kinesis, DynamoDB Streams, Kafka or EventBridge "
        f"({names:.120}); call table.apply with what you take out of it yourself"
    )


def _sqs(record: Mapping[str, Any]) -> Arrival:
    attributes = (record.get("messageAttributes") or {}).items()
    headers = [
        (name, cell["stringValue"])
        for name, cell in attributes
        if cell.get("stringValue") is not None
    ]
    body = record["body"] if isinstance(record["body"], str) else _encoded(record["body"]).decode()
    return Arrival(
        delivery_of_message(body, queue_name(record.get("eventSourceARN", "")), headers),
        record["messageId"],
    )


def _kinesis(record: Mapping[str, Any]) -> Arrival:
    """Through Lambda the data lies under `kinesis`; EventBridge Pipes lays it flat."""
    data = record.get("kinesis", record)
    delivery = Delivery(
        queue_name(record.get("eventSourceARN", "")),
        key=data["partitionKey"].encode(),
        value=_decoded(data["data"]),
    )
    return Arrival(delivery, data["sequenceNumber"])


def _dynamodb(record: Mapping[str, Any]) -> Arrival:
    return Arrival(Delivery(value=_encoded(record)), record["dynamodb"]["SequenceNumber"])


def _encoded(record: object) -> bytes:
    """What Lambda had parsed already, as it was as far as that can be told: a lone surrogate or an
    Infinity stays one, for the envelope to refuse."""
    return json.dumps(record, separators=(",", ":")).encode()


def _kafka(record: Mapping[str, Any]) -> Arrival:
    """A record as it was in its topic: place, key, value (None is a tombstone) and headers."""
    return Arrival(
        Delivery(
            record["topic"],
            int(record["partition"]),
            int(record["offset"]),
            record.get("timestamp"),
            TIMESTAMP_TYPES.get(record.get("timestampType", ""), ""),
            _decoded(record.get("key")),
            _decoded(record.get("value")),
            tuple(_headers(record.get("headers") or ())),
        )
    )


def _headers(listed: Any) -> Iterator[tuple[str, str | None]]:
    """One-entry objects; a value is a list of signed bytes."""
    for header in listed:
        for name, octets in header.items():
            yield (
                name,
                None
                if octets is None
                else bytes(octet % 256 for octet in octets).decode("utf-8", "replace"),
            )


def _decoded(text: str | None) -> bytes | None:
    """Base64 as Lambda writes it; what is none stays as it is, for the envelope to refuse."""
    if text is None:
        return None
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()


_SOURCES: dict[str, Callable[[Mapping[str, Any]], Arrival]] = {
    "aws:sqs": _sqs,
    "aws:kinesis": _kinesis,
    "aws:dynamodb": _dynamodb,
    "aws:kafka": _kafka,
    "SelfManagedKafka": _kafka,
}
