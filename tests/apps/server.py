"""A page's own application as a real server: processes on a free port of this machine."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.docs.pages import ROOT, blocks, read

SECONDS = 120  # in which it must answer, on a busy machine


def write_page(page: Path, folder: Path) -> None:
    """The page's files, as its reader has them."""
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")


class Server:
    """`command`: as the page tells it, without an address."""

    def __init__(
        self, page: Path, command: str, folder: Path, environment: Mapping[str, str]
    ) -> None:
        assert f"{command}`" in read(page), f"{page} does not say to start `{command}`"
        self.port = free_port()
        self._folder = folder
        self._words = [sys.executable, "-m", *_with_address(shlex.split(command), self.port)]
        path = os.pathsep.join((str(ROOT / "src"), str(folder)))
        self._environment = {**os.environ, "PYTHONPATH": path, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._words,
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS
        while not self._listens():
            assert self._process.poll() is None, f"the server ended\n{self.log()}"
            assert time.monotonic() < deadline, f"the server does not answer\n{self.log()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9, all of its processes at once."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # Its workers are nobody's children now; as long as one lives, the port is taken.
        deadline = time.monotonic() + SECONDS
        while self._listens():
            assert time.monotonic() < deadline, f"a process outlives its group\n{self.log()}"
            time.sleep(0.01)

    def log(self) -> str:
        """What it has printed."""
        return (self._folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def _listens(self) -> bool:
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.port)) == 0


def _with_address(words: list[str], port: int) -> list[str]:
    if words[0] == "gunicorn":
        return ["gunicorn", "--bind", f"127.0.0.1:{port}", *words[1:]]
    return [words[0], "--port", str(port), *words[1:]]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """A server from its start to its end."""
    server.start()
    try:
        yield server
    finally:
        server.kill()
