"""A real service for tests: a child process on a free loopback port, ended by its pid, required or
absent but never silently skipped.

`ANYORDER_REQUIRE` is a comma list of parts: one that is named there and missing is an error, else
its tests are skipped with the sentence that says how to get it. Jars lie in the directory
`ANYORDER_PARTS`, by default `~/.cache/anyorder-parts`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

PARTS = Path(os.environ.get("ANYORDER_PARTS", Path.home() / ".cache" / "anyorder-parts"))
STOP_SECONDS = 20


class Service:
    """A running child. `endpoint` is its URL."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        port: Callable[[], int | None],
        *,
        seconds: float = 60,
    ) -> None:
        self.log = log
        with log.open("ab") as out:
            pipes = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": subprocess.STDOUT}
            self.process = subprocess.Popen(command, **pipes, preexec_fn=_end_with_parent)  # type: ignore[call-overload]  # noqa: PLW1509
        until = time.monotonic() + seconds
        while (found := port()) is None or not listening(found):
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(
                    f"{command[0]} did not start:\n{log.read_text(errors='replace')[-3000:]}"
                )
            time.sleep(0.05)
        self.endpoint = f"http://127.0.0.1:{found}"

    def stop(self) -> None:
        """End this process, by its pid."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _end_with_parent() -> None:
    """Linux: a killed test run leaves no server behind (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


def listening(port: int) -> bool:
    """Does somebody accept connections there?"""
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def missing(part: str, how: str) -> None:
    """The part is not here: an error if `ANYORDER_REQUIRE` names it, else a skip that says how to
    get it. Also while a module is imported."""
    required = {name.strip() for name in os.environ.get("ANYORDER_REQUIRE", "").split(",")}
    if part in required:
        pytest.fail(f"{part} is required (ANYORDER_REQUIRE), but missing: {how}", pytrace=False)
    pytest.skip(f"{part} is missing: {how}", allow_module_level=True)
