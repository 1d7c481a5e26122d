"""A proxy on loopback before an AWS server that misbehaves as AWS may: throttling, 500s before and after the deed, answers that are lost."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("throttled", "failed before", "failed after", "lost answer")
DATA = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "GetItem", "BatchGetItem", "Query", "Scan")


class FaultyProxy(ThreadingHTTPServer):
    """`share`: of the requests for data that end badly. `seen` and `operations` count them. `endpoint` is what a client is given."""

    daemon_threads = True

    def __init__(self, endpoint: str, share: float, seed: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(endpoint)
        self.share = share
        self.seen: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.chance = random.Random(seed)
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are killed break connections; that is the point."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = self.server.chance.choice(FAULTS) if operation in DATA and self.server.chance.random() < self.server.share else ""
        self.server.seen[fault or "fine"] += 1
        self.server.operations[operation] += 1
        if fault == "throttled":
            self._refuse(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
        elif fault == "failed before":
            self._refuse(500, "com.amazonaws.dynamodb.v20120810#InternalServerError")
        else:
            status, headers, answer = self._forwarded(body)
            if fault == "failed after":
                self._refuse(500, "com.amazonaws.dynamodb.v20120810#InternalServerError")
            elif fault == "lost answer":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            else:
                self._answer(status, headers, answer)

    def _forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.behind.hostname or "", self.server.behind.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        headers["Host"] = self.server.behind.netloc
        connection.request("POST", self.path, body, headers)
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return found

    def _refuse(self, status: int, kind: str) -> None:
        self._answer(status, [("Content-Type", "application/x-amz-json-1.0")], json.dumps({"__type": kind, "message": "the proxy says so"}).encode())

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: `seen` counts."""
