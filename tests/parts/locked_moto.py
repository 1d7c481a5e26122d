"""moto's server on 127.0.0.1 with one lock round every request, so that a conditional write is
atomic.   python locked_moto.py PORT

And without three of its costs, each of them for every message: it copies the whole queue, counts
the whole queue, and builds a parser.
"""

from __future__ import annotations

import functools
import logging
import sys
import threading
from collections.abc import Iterable
from copy import copy
from typing import Any

import jsonpath_ng.ext as paths
from moto.server import DomainDispatcherApplication, create_backend_app
from moto.sqs.models import Message, SQSBackend
from werkzeug.serving import make_server


def locked(application: Any) -> Any:
    """The WSGI application, one request at a time."""
    lock = threading.Lock()

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        with lock:
            return list(application(environ, start_response))

    return answer


def alone(message: Message, known: dict[int, Any]) -> Message:
    """A message to hand out: moto only takes attributes out of it, but a message refers to its
    queue, and so to all others."""
    twin = copy(message)
    twin.message_attributes = dict(message.message_attributes)
    return twin


if __name__ == "__main__":
    Message.__deepcopy__ = alone  # type: ignore[attr-defined]
    SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True  # type: ignore[method-assign]  # nothing here is days old
    paths.parse = functools.cache(paths.parse)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_server(
        "127.0.0.1",
        int(sys.argv[1]),
        locked(DomainDispatcherApplication(create_backend_app)),
        threaded=True,
    ).serve_forever()
