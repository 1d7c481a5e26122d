"""Backends, a folder each. `open_store` finds the backend by its URL."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from anyorder._core.event import Delivery, Event
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Store

__all__ = ["Store", "open_store"]

KINDS = "sqlite:///app.db (three slashes: relative; four: absolute), sqlite:// (in memory), memory://, dynamodb://TABLE?region=..."


def open_store(url: str, decode: Callable[[Delivery], Event] | None = None) -> Store:
    """The store behind a URL: `sqlite:///app.db[?synchronous=full]`, `sqlite://` in memory,
    `memory://` for tests, or
    `dynamodb://TABLE[?region=eu-central-1&endpoint=http://...&forget=ttl&threads=8]`; TABLE may
    hold `{table}` for the guarded table's name.

    `decode` turns a quarantined delivery back into its event when it is decided again. Raises
    ConfigurationError for other URLs.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "sqlite":
        from anyorder.stores.sqlite.store import SQLiteStore

        if (
            parts.netloc
            or set(options) - {"synchronous"}
            or options.get("synchronous", "normal") not in ("normal", "full")
        ):
            raise ConfigurationError(f"not a SQLite URL: {url!r}; write {KINDS}")
        return SQLiteStore(
            parts.path[1:] or ":memory:", decode, options.get("synchronous", "normal")
        )
    if parts.scheme == "memory":
        from anyorder.stores.memory import MemoryStore

        return MemoryStore(decode)
    if parts.scheme == "dynamodb":
        return _dynamodb(url, parts.netloc, options, decode)
    raise ConfigurationError(f"no store for {parts.scheme or url!r}; there are: {KINDS}")


def _dynamodb(
    url: str, table: str, options: dict[str, str], decode: Callable[[Delivery], Event] | None
) -> Store:
    from anyorder.stores.dynamodb.store import THREADS, DynamoDBStore

    threads = options.get("threads", str(THREADS))
    if (
        not table
        or set(options) - {"region", "endpoint", "forget", "threads"}
        or not threads.isdecimal()
        or int(threads) < 1
    ):
        raise ConfigurationError(
            f"not a DynamoDB URL: {url!r}; write dynamodb://TABLE?region=REGION[&endpoint=URL][&forget=ttl][&threads=8]"
        )
    forget = options.get("forget", "own")
    return DynamoDBStore(
        table,
        decode,
        region=options.get("region"),
        endpoint=options.get("endpoint"),
        forget=forget,
        threads=int(threads),
    )
