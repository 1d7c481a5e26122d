"""The recorded stream that comes with the package, and the rows that its source had at the end (see
README)."""

from __future__ import annotations

import lzma
from base64 import b64decode
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

import msgspec

from anyorder._core.event import Delivery
from anyorder.envelopes import read_record

COLUMNS = ("id", "name", "email", "age", "balance", "active", "changed")
CENTS = 2  # balance is numeric(10,2); Debezium sends the unscaled integer


def deliveries() -> list[Delivery]:
    """Every record, in the order of the topic's one partition."""
    return [read_record(line) for line in _lines("users.jsonl.xz")]


def truth() -> dict[int, dict[str, str | None]]:
    """The source's rows at the end, by id; every value in PostgreSQL's own text."""
    rows = (msgspec.json.decode(line)["row"] for line in _lines("users_source.jsonl.xz"))
    return {int(row["id"]): row for row in rows}


def spelled(row: Mapping[str, Any]) -> dict[str, str | None]:
    """A row of the `users` table, as Debezium's values filled it, in PostgreSQL's own text: to be
    compared with `truth`."""
    as_text = {
        "balance": _numeric,
        "active": lambda value: "true" if value else "false",
        "changed": _timestamp,
    }
    return {
        name: None if value is None else as_text.get(name, str)(value)
        for name, value in row.items()
    }


def _numeric(value: str) -> str:
    return str(Decimal(int.from_bytes(b64decode(value), signed=True)).scaleb(-CENTS))


def _timestamp(value: str) -> str:
    """`2026-02-01T00:24:51.000000Z` as `2026-02-01 00:24:51+00`."""
    return value.removesuffix("Z").removesuffix(".000000").replace("T", " ") + "+00"


def _lines(name: str) -> Iterator[bytes]:
    return iter(lzma.decompress(files(__package__).joinpath(name).read_bytes()).splitlines())
