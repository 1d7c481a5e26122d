"""AWS Lambda's runtime API on loopback, served to AWS's own Python runtime client (awslambdaric),
which calls the handler.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.parts.service import missing

FUNCTION = "arn:aws:lambda:eu-central-1:000000000000:function:local"


class Failed(Exception):
    """The handler raised; the message is what Lambda would log."""


class LambdaRuntime:
    """One execution environment: `folder` holds the module of `handler` ("module.name"). `invoke`
    is what an event source mapping calls."""

    def __init__(self, folder: Path, handler: str, environment: dict[str, str]) -> None:
        if importlib.util.find_spec("awslambdaric") is None:
            missing("awslambdaric", "pip install awslambdaric")
        self._api = _Api()
        variables = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "local",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "local",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "LAMBDA_TASK_ROOT": str(folder),
            "_HANDLER": handler,
        }
        self.log = folder / "lambda.log"
        began = time.monotonic()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", handler],
                cwd=folder,
                env={**os.environ, **variables, **environment},
                stdout=out,
                stderr=out,
            )
        while not self._api.polled.wait(0.01):
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"awslambdaric did not start:\n{self.log.read_text(errors='replace')[-3000:]}"
                )
        self.cold_start = time.monotonic() - began

    def invoke(self, event: object, seconds: float = 30.0) -> Any:
        """The handler's answer. Raises Failed with what it raised."""
        ok, answer = self._api.invoke(json.dumps(event).encode(), seconds)
        if not ok:
            raise Failed(f"{answer.get('errorType')}: {answer.get('errorMessage')}")
        return answer

    def stop(self) -> None:
        """End the environment, by its pid."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._api.shutdown()
        self._api.server_close()


class _Api(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.invocations: queue.Queue[tuple[str, bytes, float]] = queue.Queue()
        self.answers: dict[str, queue.Queue[tuple[bool, Any]]] = {}
        self.polled = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def invoke(self, body: bytes, seconds: float) -> tuple[bool, Any]:
        request = str(uuid.uuid4())
        self.answers[request] = queue.Queue()
        self.invocations.put((request, body, seconds))
        try:
            return self.answers[request].get(timeout=seconds + 60)
        finally:
            del self.answers[request]


class _Requests(BaseHTTPRequestHandler):
    server: _Api

    def do_GET(self) -> None:
        """.../runtime/invocation/next"""
        self.server.polled.set()
        request, body, seconds = self.server.invocations.get()
        self.send_response(200)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request,
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION,
            "Lambda-Runtime-Deadline-Ms": int((time.time() + seconds) * 1000),
            "Content-Type": "application/json",
            "Content-Length": len(body),
        }
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """.../runtime/invocation/ID/response or /error"""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        *_, request, outcome = self.path.split("/")
        if request in self.server.answers:
            self.server.answers[request].put((outcome == "response", body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what happened."""
