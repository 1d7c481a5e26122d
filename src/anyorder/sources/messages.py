"""A queue's message as a delivery. What the queue and the topic before it say of it (ids, times,
sequence numbers) is of this copy only.

An SNS notification is opened: its `Message` is what was published, and nothing else in it says more
than the hop (docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html). With raw message
delivery there is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from anyorder._core.event import Delivery

MARK = b'"TopicArn"'
FIFO = ".fifo"


class _Notification(msgspec.Struct, rename="pascal"):
    """What tells an SNS notification from other JSON."""

    type: Literal["Notification"]
    message: str
    message_id: str
    topic_arn: str


_opened = msgspec.json.Decoder(_Notification).decode


def delivery_of_message(
    body: str, queue: str, headers: Iterable[tuple[str, str | None]] = ()
) -> Delivery:
    """The delivery in a message. `queue`: its name, which becomes the topic. `headers`: the
    message's attributes that are texts."""
    plain = tuple((_plain(name), None if text is None else _plain(text)) for name, text in headers)
    return Delivery(queue, value=published(body.encode("utf-8", "surrogatepass")), headers=plain)


def _plain(text: str) -> str:
    """A text that every store can keep: halves of surrogate pairs, which no service sends but a
    program may, stand as their escapes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def published(body: bytes) -> bytes:
    """What was published to the SNS topic before the queue; the body itself where there was
    none."""
    if MARK not in body:
        return body
    try:
        return _opened(body).message.encode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body


def queue_name(place: str) -> str:
    """The name in a queue's URL or ARN; of a FIFO queue without the suffix that AWS prescribes,
    which names nothing."""
    return place.replace(":", "/").rstrip("/").rsplit("/", 1)[-1].removesuffix(FIFO)
