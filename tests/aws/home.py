"""A directory with a pipeline file, and `anyorder` run in it as a user does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.aws.queues import Queue

PIPELINE = """
[source]
kind = "sqs"
queue = "{queue}"
region = "eu-central-1"
endpoint = "{endpoint}"
envelope = "{envelope}"
drain = {drain}
{more}
[store]
url = "{url}"

[runtime]
batch = {batch}

[[table]]
match = "{match}"
name = "{{table}}"
retention = "{retention}"

[[table]]
match = "*"
ignore = {ignore}
"""


class Home:
    """`path`: the directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "pipeline.toml"

    def pipeline(self, queue: Queue, **settings: Any) -> Path:
        """Write the pipeline file; into SQLite unless `url` says otherwise."""
        values = {
            "queue": queue.name,
            "endpoint": queue.endpoint,
            "envelope": "eventbridge",
            "drain": "true",
            "more": "",
            "url": f"sqlite:///{self.path}/app.db",
            "batch": 500,
            "match": "*.public.*",
            "retention": "forever",
            "ignore": "true",
            **settings,
        }
        self.file.write_text(PIPELINE.format(**values), encoding="utf-8")
        return self.file

    def start(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "anyorder", "run", str(self.file), "--json"]
        return subprocess.Popen(
            words, cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, seconds: float = 600) -> dict[str, Any]:
        """`anyorder run` until the queue is empty; the books."""
        process = self.start()
        out, err = process.communicate(timeout=seconds)
        assert process.returncode in (0, 1), err[-3000:]
        return dict(json.loads(out.splitlines()[-1]))

    def ask(self, *words: str) -> list[dict[str, Any]]:
        """Another verb, with its output as objects."""
        command = [sys.executable, "-m", "anyorder", *words, "--pipeline", str(self.file), "--nl"]
        done = subprocess.run(command, cwd=self.path, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr[-3000:]
        return [json.loads(line) for line in done.stdout.splitlines()]


def balanced(books: dict[str, Any]) -> bool:
    """Is every delivery accounted for?"""
    return bool(
        books["read"]
        == books["applied"] + sum(books["ignored"].values()) + sum(books["quarantined"].values())
    )
