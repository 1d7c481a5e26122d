"""What the EventBridge sink connector makes of a Kafka record, and what Lambda makes of it:
restated from their sources.

The connector is in no registry; its mapping is SinkRecordJsonMapper.java of
awslabs/eventbridge-kafka-connector (see envelopes/eventbridge). Key and value are written as they
are, so that no number changes on the way.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

BUS_TIME = "2026-09-10T08:15:31Z"

Record = dict[str, Any]


def detail_of(record: Record) -> str:
    """`detail`, in the order in which the connector writes it."""
    plain = {
        name: json.dumps(record[name]) for name in ("topic", "partition", "offset", "timestamp")
    }
    parts = {
        **plain,
        "timestampType": json.dumps(record.get("timestamp_type") or "NoTimestampType"),
        "headers": "["
        + ",".join(f"{{{json.dumps(name)}:{_header(text)}}}" for name, text in record["headers"])
        + "]",
        "key": _payload(record["key"]),
        "value": _payload(record["value"]),
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def event_of(record: Record) -> str:
    """The event as a rule hands it to its target: id and time are of this copy."""
    around = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": f"kafka-connect-{record['topic']}",
        "source": "kafka-connect.anyorder",
        "account": "000000000000",
        "time": BUS_TIME,
        "region": "eu-central-1",
        "resources": [],
    }
    return json.dumps(around)[:-1] + f',"detail":{detail_of(record)}}}'


def entry_of(record: Record, bus: str) -> dict[str, Any]:
    """The same as an entry of PutEvents."""
    return {
        "EventBusName": bus,
        "Source": "kafka-connect.anyorder",
        "DetailType": f"kafka-connect-{record['topic']}",
        "Detail": detail_of(record),
    }


def _header(text: str | None) -> str:
    """A struct stays one; any other header of Debezium is a text."""
    return text if text is not None and text.startswith("{") else json.dumps(text)


def _payload(text: str | None) -> str:
    """With schemas.enable=false the connector's converter leaves the payload alone; a schema's is
    unwrapped as the record was read."""
    if text is None:
        return "null"
    if not text.startswith('{"schema":'):
        return text
    return json.dumps(json.loads(text)["payload"], ensure_ascii=False)


def sqs_event(bodies: list[tuple[str, Any]], queue: str = "users") -> dict[str, Any]:
    """A Lambda event of SQS: (message id, body) a record."""
    around = {
        "receiptHandle": "AQEB",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1789028130774"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:000000000000:{queue}",
        "awsRegion": "eu-central-1",
    }
    return {
        "Records": [
            {"messageId": identifier, "body": body, **around} for identifier, body in bodies
        ]
    }


def kafka_event(records: list[Record]) -> dict[str, Any]:
    """A Lambda event of Amazon MSK."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        parts.setdefault(f"{record['topic']}-{record['partition']}", []).append(
            _kafka_record(record)
        )
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:eu-central-1:000000000000:cluster/c/1",
        "records": parts,
    }


def _kafka_record(record: Record) -> dict[str, Any]:
    found = {
        "topic": record["topic"],
        "partition": record["partition"],
        "offset": record["offset"],
        "timestamp": record["timestamp"],
        "timestampType": "CREATE_TIME",
        "key": _encoded(record["key"]),
        "value": _encoded(record["value"]),
        "headers": [
            {name: None if text is None else [b - 256 if b > 127 else b for b in text.encode()]}
            for name, text in record["headers"]
        ],
    }
    return found


def kinesis_event(payloads: list[tuple[str, str]], stream: str = "users") -> dict[str, Any]:
    """A Lambda event of Kinesis: (sequence number, payload) a record."""
    around = {
        "eventSource": "aws:kinesis",
        "eventSourceARN": f"arn:aws:kinesis:eu-central-1:000000000000:stream/{stream}",
    }
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "7",
                    "sequenceNumber": number,
                    "data": _encoded(text),
                },
                **around,
            }
            for number, text in payloads
        ]
    }


def _encoded(text: str | None) -> str | None:
    return None if text is None else base64.b64encode(text.encode()).decode()
