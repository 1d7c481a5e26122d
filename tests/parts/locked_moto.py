"""moto's server on 127.0.0.1 with one lock round every request, so that a conditional write is atomic.   python locked_moto.py PORT"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def locked(application: Any) -> Any:
    """The WSGI application, one request at a time."""
    lock = threading.Lock()

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        with lock:
            return list(application(environ, start_response))

    return answer


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_server("127.0.0.1", int(sys.argv[1]), locked(DomainDispatcherApplication(create_backend_app)), threaded=True).serve_forever()
