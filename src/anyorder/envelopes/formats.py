"""The table of formats that `detect` knows: what marks each, and what its fields are for. From
documentation unless an envelope reads it.

The first entry whose marks are all there wins, so the narrower one stands first.
"""

from __future__ import annotations

from anyorder.envelopes.databases import DATABASES
from anyorder.envelopes.format import (
    BY_JSON,
    DELETION,
    EVIDENCE,
    IDENTITY,
    KEY,
    ORDER,
    ROW,
    TIME,
    Format,
)
from anyorder.envelopes.webhooks import WEBHOOKS

DEBEZIUM_SOURCE = {
    "/source/name": ORDER,
    "/source/lsn": ORDER,
    "/source/sequence": ORDER,
    "/source/txId": ORDER,
    "/source/file": ORDER,
    "/source/pos": ORDER,
    "/source/row": ORDER,
    "/source/server_id": ORDER,
    "/source/commit_lsn": ORDER,
    "/source/change_lsn": ORDER,
    "/source/event_serial_no": ORDER,
    "/source/commit_scn": ORDER,
    "/source/scn": ORDER,
    "/source/txSeq": ORDER,
    "/source/snapshot": ORDER,
    "/source/connector": IDENTITY,
    "/source/db": IDENTITY,
    "/source/schema": IDENTITY,
    "/source/table": IDENTITY,
    "/source/collection": IDENTITY,
    "/source/ts_us": TIME,
    "/source/ts_ms": TIME,
    "/source/gtid": EVIDENCE,
    "/source/ord": EVIDENCE,
    "/transaction": EVIDENCE,
    "/op": DELETION,
    "/after": ROW,
    "/ts_ms": EVIDENCE,
}
FORMATS = (
    Format(
        "eventbridge",
        "eventbridge",
        "the EventBridge sink connector's envelope of a Kafka record",
        ("/detail-type", "/detail/topic", "/detail/partition", "/detail/offset"),
        {
            "/detail/topic": IDENTITY,
            "/detail/partition": ORDER,
            "/detail/offset": ORDER,
            "/detail/key": KEY,
            "/detail/value": ROW,
            "/detail/timestamp": TIME,
            "/detail/headers": EVIDENCE,
            "/detail/dataref": EVIDENCE,
            "/detail/datarefJsonPath": EVIDENCE,
            "/replay-name": EVIDENCE,
            "/time": EVIDENCE,
        },
    ),
    Format(
        "s3 through eventbridge",
        "",
        (
            "an S3 notification through EventBridge: it tells that an object changed, "
            f"not its content; {BY_JSON}"
        ),
        ("/source=aws.s3", "/detail/object/key"),
        {
            "/detail/object/sequencer": ORDER,
            "/detail/object/key": KEY,
            "/detail/bucket": KEY,
            "/detail/object/version-id": IDENTITY,
            "/detail-type": DELETION,
            "/time": TIME,
        },
    ),
    Format(
        "eventbridge, bare",
        "",
        (
            "an EventBridge event of another producer: EventBridge itself orders "
            f"nothing, so a position must lie in its detail; {BY_JSON}"
        ),
        ("/detail-type", "/detail", "/source", "/id"),
        {"/detail": ROW, "/time": EVIDENCE, "/id": EVIDENCE, "/replay-name": EVIDENCE},
    ),
    Format(
        "debezium",
        "debezium",
        "a Debezium change event",
        ("/op", "/source/connector"),
        DEBEZIUM_SOURCE,
    ),
    Format(
        "debezium, flattened",
        "debezium",
        "a Debezium row flattened by ExtractNewRecordState, ordered by the log",
        ("/__op", "/__lsn"),
        {
            "/__op": DELETION,
            "/__lsn": ORDER,
            "/__sequence": ORDER,
            "/__deleted": DELETION,
            "/__source_ts_us": TIME,
            "/__source_ts_ms": TIME,
        },
    ),
    Format(
        "debezium, flattened",
        "debezium",
        (
            "a Debezium row flattened by ExtractNewRecordState without its place in the "
            "log: the Kafka offset orders it"
        ),
        ("/__deleted",),
        {"/__deleted": DELETION, "/__op": DELETION},
    ),
    Format(
        "cloudevents",
        "cloudevents",
        "a CloudEvent; only its sequence orders it, inside one source",
        ("/specversion", "/id", "/source", "/type"),
        {
            "/id": IDENTITY,
            "/source": ORDER,
            "/sequence": ORDER,
            "/sequencetype": ORDER,
            "/subject": KEY,
            "/partitionkey": KEY,
            "/type": DELETION,
            "/time": TIME,
            "/data": ROW,
            "/data_base64": ROW,
            "/dataref": EVIDENCE,
        },
    ),
    Format(
        "sns",
        "",
        (
            "an SNS notification: the event is the text in Message, and all else is of this copy. "
            'The source of kind "sqs" opens it, and so does raw message delivery; of a file, '
            "`jq -r .Message`"
        ),
        ("/Type=Notification", "/TopicArn", "/Message"),
        {
            "/Message": ROW,
            "/MessageId": EVIDENCE,
            "/TopicArn": EVIDENCE,
            "/Timestamp": EVIDENCE,
            "/SequenceNumber": EVIDENCE,
        },
    ),
    Format(
        "dynamodb stream",
        "dynamodb_streams",
        "a DynamoDB stream record; SequenceNumber orders the changes of one item",
        ("/dynamodb/Keys", "/eventName", "/dynamodb/SequenceNumber"),
        {
            "/eventID": IDENTITY,
            "/dynamodb/SequenceNumber": ORDER,
            "/eventSourceARN": ORDER,
            "/dynamodb/Keys": KEY,
            "/eventName": DELETION,
            "/dynamodb/ApproximateCreationDateTime": TIME,
            "/dynamodb/NewImage": ROW,
            "/userIdentity": EVIDENCE,
        },
    ),
    Format(
        "dynamodb through kinesis",
        "dynamodb_streams",
        "a DynamoDB change through Kinesis; its time is the only, coarse, order",
        ("/dynamodb/Keys", "/eventName"),
        {
            "/dynamodb/ApproximateCreationDateTime": ORDER,
            "/dynamodb/Keys": KEY,
            "/eventName": DELETION,
            "/dynamodb/NewImage": ROW,
            "/tableName": IDENTITY,
        },
    ),
    Format(
        "kinesis",
        "",
        (
            "a Kinesis record: its number orders one shard; the payload in data is base64 "
            "and has to be unpacked first"
        ),
        ("/kinesis/sequenceNumber", "/kinesis/data"),
        {
            "/kinesis/sequenceNumber": ORDER,
            "/kinesis/partitionKey": KEY,
            "/kinesis/data": ROW,
            "/kinesis/approximateArrivalTimestamp": TIME,
            "/eventSourceARN": ORDER,
        },
    ),
    Format(
        "sqs",
        "",
        (
            "an SQS message: the event is in body, and a position must lie in there; "
            "SequenceNumber is of this copy and orders one FIFO group only"
        ),
        ("/messageId", "/receiptHandle", "/body"),
        {"/body": ROW, "/attributes": EVIDENCE, "/messageId": EVIDENCE},
    ),
    Format(
        "s3",
        "",
        f"S3 notifications: they tell that an object changed, not its content; {BY_JSON}",
        ("/Records/0/s3/object/key",),
        {"/Records": EVIDENCE},
    ),
    Format(
        "lambda batch",
        "",
        "a batch of records as AWS Lambda gets it: deliver its entries one by one",
        ("/Records/0",),
        {"/Records": ROW},
    ),
    Format(
        "kafka through lambda",
        "",
        "a batch of Kafka records as AWS Lambda gets it: deliver them one by one",
        ("/records", "/eventSource"),
        {"/records": ROW},
    ),
    Format(
        "kubernetes watch",
        "",
        (
            f"a Kubernetes watch event; {BY_JSON}: its position is "
            '/object/metadata/resourceVersion, position_kind = "kubernetes"'
        ),
        ("/type", "/object/metadata/resourceVersion"),
        {
            "/type": DELETION,
            "/object/metadata/resourceVersion": ORDER,
            "/object/metadata/uid": IDENTITY,
            "/object/metadata/name": KEY,
            "/object/metadata/namespace": KEY,
            "/object/kind": IDENTITY,
            "/object/spec": ROW,
            "/object/data": ROW,
            "/object/status": ROW,
        },
        """\
envelope = "json"
options = { table = "users", key = "/object/metadata/uid", \
position = "/object/metadata/resourceVersion", position_kind = "kubernetes", \
deleted = "/type=DELETED", fields = "/object" }
""",
    ),
    Format(
        "salesforce change event",
        "",
        (
            "a Salesforce change event; commitNumber is documented as diagnostic only; "
            f"{BY_JSON}, partial = true"
        ),
        ("/payload/ChangeEventHeader/changeType",),
        {
            "/payload/ChangeEventHeader/transactionKey": IDENTITY,
            "/payload/ChangeEventHeader/commitNumber": ORDER,
            "/payload/ChangeEventHeader/sequenceNumber": ORDER,
            "/payload/ChangeEventHeader/recordIds": KEY,
            "/payload/ChangeEventHeader/changeType": DELETION,
            "/payload/ChangeEventHeader/commitTimestamp": TIME,
            "/payload/ChangeEventHeader/changeOrigin": EVIDENCE,
            "/event/replayId": EVIDENCE,
        },
    ),
    *DATABASES,
    *WEBHOOKS,
    Format(
        "google pub/sub",
        "",
        "a Pub/Sub push message: the event is in data (base64), and a position must lie in there",
        ("/message/messageId", "/subscription"),
        {
            "/message/data": ROW,
            "/message/orderingKey": EVIDENCE,
            "/message/publishTime": EVIDENCE,
            "/message/messageId": EVIDENCE,
        },
    ),
)
