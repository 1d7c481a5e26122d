"""A directory with a pipeline, in which the command is run in this process: quicker than `home`,
where it has a process of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anyorder.cli.main import main


class Desk:
    """The current directory of a test, and what is run and read there."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys

    def write(self, pipeline: str) -> None:
        """The pipeline file."""
        (self.path / "pipeline.toml").write_text(pipeline, encoding="utf-8")

    def deliver(
        self, records: Iterable[object], name: str = "day.jsonl", *, more: bool = False
    ) -> None:
        """These records in a file, a line each; `more`: behind those that it has."""
        told = [one if isinstance(one, str) else json.dumps(one) for one in records]
        with (self.path / name).open("a" if more else "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in told)

    def said(self, *words: str, code: int | None = 0) -> tuple[str, str]:
        """What a command says on standard output and on standard error. `code`: what it must end
        with; None: whatever it ends with."""
        found = main(list(words))
        told = self._capsys.readouterr()
        assert code is None or found == code, told
        return told.out, told.err

    def verb(self, *words: str, code: int = 0) -> str:
        """What a command says on standard output."""
        return self.said(*words, code=code)[0]

    def query(self, text: str) -> list[Any]:
        """What the database has."""
        with closing(sqlite3.connect(self.path / "app.db")) as database:
            return database.execute(text).fetchall()
