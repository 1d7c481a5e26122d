"""Named SQL statements in files, and the identifiers that go into them. Values are always bound
parameters."""

from __future__ import annotations

import re
from importlib.resources import files

from anyorder.errors import ConfigurationError

NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
LONGEST_IDENTIFIER = 200  # characters; PostgreSQL allows 63, SQLite any number


def load_statements(file: str) -> dict[str, str]:
    """`-- name: x` blocks of a file in `stores` as a dictionary; comments stay with a statement."""
    parts = NAME.split((files("anyorder.stores") / file).read_text(encoding="utf-8"))
    return {
        name: "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip()
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def quoted(name: str) -> str:
    """An identifier in double quotes. Raises ConfigurationError for an empty or overlong name, or
    one with a NUL."""
    if not 0 < len(name) <= LONGEST_IDENTIFIER or "\x00" in name:
        raise ConfigurationError(f"not a usable column or table name: {name!r:.250}")
    return '"' + name.replace('"', '""') + '"'
