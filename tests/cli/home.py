"""A directory with a pipeline, in which the command is run as a user runs it."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CAPABILITIES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
PIPELINE = """
[source]
path = "day.jsonl"
[store]
url = "sqlite:///app.db"
[[table]]
match = "app.public.*"
retention = "{retention}"
[[table]]
match = "*.heartbeat"
ignore = true
"""
# A limit on files would leave the half of a compiled module behind; and output is buffered.
AS_USERS_HAVE_IT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Home:
    """A directory with a pipeline, and the command run in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pipeline(self, retention: str = "forever", **replacements: str) -> None:
        text = PIPELINE.format(retention=retention)
        for old, new in replacements.items():
            text = text.replace({"path": "day.jsonl", "url": "sqlite:///app.db"}[old], new)
        (self.path / "pipeline.toml").write_text(text, encoding="utf-8")

    def deliver(self, records: list[dict[str, object]]) -> None:
        (self.path / "day.jsonl").write_bytes(lines_of(records))

    def anyorder(self, *words: str, code: int | None = 0, text: bytes | None = None) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "anyorder", *words],
            cwd=self.path,
            input=text,
            capture_output=True,
            check=False,
        )
        assert code is None or done.returncode == code, (done.returncode, done.stderr.decode())
        return (done.stdout + done.stderr).decode() if code else done.stdout.decode()

    def ended(self, *words: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
        """The command, without root's power over the rights of files; where `limit` is given, no
        file may be larger than so many bytes."""

        def bounded() -> None:
            # prctl(PR_CAPBSET_DROP): what is executed next has them no more
            for capability in CAPABILITIES:
                ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
            if limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.run(
            [sys.executable, "-m", "anyorder", *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
            env=AS_USERS_HAVE_IT,
            preexec_fn=bounded,
        )

    @contextmanager
    def read_only(self, directory: int = 0o555) -> Iterator[None]:
        """Nothing that is here may be written."""
        here = [self.path, *self.path.iterdir()]
        modes = [one.stat().st_mode for one in here]
        for one in here[1:]:
            one.chmod(one.stat().st_mode & 0o444)
        self.path.chmod(directory)
        yield
        for one, mode in zip(here, modes, strict=True):
            if one.exists():
                one.chmod(mode)

    def started(self, *words: str) -> subprocess.Popen[str]:
        """The command, still running."""
        return subprocess.Popen(
            [sys.executable, "-m", "anyorder", *words],
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def books(
        self, *words: str, code: int | None = 0, text: bytes | None = None
    ) -> dict[str, object]:
        told = self.anyorder("run", *words, "--json", code=code, text=text).splitlines()
        # What is open is told behind it, on standard error.
        (found,) = [line for line in told if line.startswith('{"read":')]
        return dict(json.loads(found))

    def rows(self, table: str = "users") -> dict[int, dict[str, object]]:
        database = sqlite3.connect(self.path / "app.db")
        database.row_factory = sqlite3.Row
        return {row["id"]: dict(row) for row in database.execute(f'SELECT * FROM "{table}"')}


def lines_of(records: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in records).encode()
