"""A relay on loopback before a server: what both misbehaving proxies have in common. Each decides
in `do_POST` what it does."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Answer = tuple[int, list[tuple[str, str]], bytes]
OF_A_HOP = ("content-length", "transfer-encoding", "connection", "date", "server")


class Relay(ThreadingHTTPServer):
    """`endpoint` is what the client is given; `behind` is the server that answers."""

    daemon_threads = True

    def __init__(self, endpoint: str, handler: type[RelayHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.behind = urlsplit(endpoint)
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def forwarded(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """What the server behind answers."""
        connection = http.client.HTTPConnection(
            self.behind.hostname or "", self.behind.port, timeout=60
        )
        connection.request("POST", path, body, {**headers, "Host": self.behind.netloc})
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return found

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are killed break connections; that is the point."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class RelayHandler(BaseHTTPRequestHandler):
    """Reads a request and writes an answer."""

    protocol_version = "HTTP/1.1"

    def asked(self) -> tuple[dict[str, str], bytes]:
        """The request's own headers, and its body."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("host", "connection", "content-length")
        }, body

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in OF_A_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the proxies count what they do."""
