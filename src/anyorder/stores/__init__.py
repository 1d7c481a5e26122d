"""Backends, a folder each. `open_store` finds the backend by its URL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Protocol, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from anyorder.doors import Door, own_door
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Decode, Promises, Store
from anyorder.mistyped import meant
from anyorder.urls import shown

__all__ = ["DOORS", "Store", "ddl_of", "missing", "open_copy", "open_dry", "open_store"]


DOORS: dict[str, Door] = {
    "sqlite": Door(
        "anyorder.stores.sqlite.address",
        "SQLiteAddress",
        spelling="sqlite:///app.db[?synchronous=full][&wait=5s] (three slashes: relative; four: "
        "absolute), sqlite:// (in memory)",
    ),
    "memory": Door("anyorder.stores.memory.store", "MemoryAddress", spelling="memory://"),
    "dynamodb": Door(
        "anyorder.stores.dynamodb.address",
        "DynamoDBAddress",
        extra="aws",
        spelling="dynamodb://TABLE?region=REGION[&endpoint=URL][&forget=ttl][&threads=8]",
    ),
}
"""URL scheme -> door. A store of our own is one more line here; anybody else's is
`module:factory`."""
LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
CONTROL = re.compile(r"[\x00-\x1f\x7f]|%00|^ | $")


class Address(Protocol):
    """A URL taken apart, for a door's struct: `place` is what follows the scheme, the other fields
    are the options behind the question mark."""

    promises: ClassVar[Promises]

    def open(self, decode: Decode | None) -> Store:
        """The store there."""

    def open_dry(self, decode: Decode | None) -> Store:
        """The same for who writes nothing; where opening it would make it, an empty one instead."""

    def open_looking(self, decode: Decode | None) -> Store:
        """The store for who only looks: opening it makes and changes nothing. An empty one where
        nothing of ours is there yet."""

    def copied(self, decode: Decode | None) -> AbstractContextManager[Store | None]:
        """A copy of the store that may be written to, thrown away at the end; None where there can
        be none, or it would be large."""

    def missing(self) -> str:
        """Where it would be made by opening it; "" if it is there, or is made by other means."""

    def is_made(self) -> bool:
        """Are our own tables there, or made only when they are first written?"""

    @staticmethod
    def ddl(tables: Sequence[str]) -> str | None:
        """What makes our own tables, and the memories beside these tables; None without DDL."""


def open_store(url: str, decode: Decode | None = None) -> Store:
    """The store behind a URL: `sqlite:///app.db[?synchronous=full&wait=5s]`, `sqlite://` in memory,
    `memory://` for tests,
    `dynamodb://TABLE[?region=eu-central-1&endpoint=http://...&forget=ttl&threads=8]`, where TABLE
    may hold `{table}` for the guarded table's name, or `module:factory[://PLACE]`: what a function
    of your own makes when it is called with PLACE and `decode`.

    `decode` turns a quarantined delivery back into its event when it is decided again. Raises
    ConfigurationError for other URLs.
    """
    scheme = _scheme(url)
    own = own_door(url) if scheme not in DOORS else None
    if own is None:
        return _address(scheme, url).open(decode)
    made = own.made(own.place, decode)
    if not isinstance(getattr(made, "promises", None), Promises):
        raise ConfigurationError(f"{own} made no store: a {type(made).__name__} has no promises")
    return cast(Store, made)


def open_dry(url: str, decode: Decode | None = None) -> Store:
    """The same for who writes nothing: where opening it would make it, an empty one in memory."""
    if missing(url):
        return _address(_scheme(url), url).open_dry(decode)
    return open_store(url, decode)


def open_looking(url: str, decode: Decode | None = None) -> Store:
    """The same for who only looks: opening it makes and changes nothing, where the store can."""
    if _is_own(url):
        return open_store(url, decode)
    return _address(_scheme(url), url).open_looking(decode)


def open_copy(url: str, decode: Decode | None = None) -> AbstractContextManager[Store | None]:
    """A copy of the store that may be written to, thrown away at the end; None where there can be
    none."""
    return nullcontext() if _is_own(url) else _address(_scheme(url), url).copied(decode)


def is_made(url: str) -> bool:
    """Are our own tables there? True of a store that makes them when they are first written."""
    return _is_own(url) or _address(_scheme(url), url).is_made()


def missing(url: str) -> str:
    """The path of a store that opening it would make; "" if it is there, or is made by other
    means. Raises ConfigurationError as `open_store`."""
    return "" if _is_own(url) else _address(_scheme(url), url).missing()


def ddl_of(url: str, tables: Sequence[str] = ()) -> str | None:
    """The DDL of the store behind a URL, which is not opened: its own tables, and the memories
    beside these tables. None where there is none. Raises ConfigurationError as `open_store`."""
    return None if _is_own(url) else _address(_scheme(url), url).ddl(tables)


def _is_own(url: str) -> bool:
    """Is it somebody's own store?"""
    return _scheme(url) not in DOORS and own_door(url) is not None


def _scheme(url: str) -> str:
    return _split(url).scheme


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    # its own words tell the host, and who asks there
    except ValueError:
        raise ConfigurationError(f"not a URL: {shown(url)!r}") from None


def _address(scheme: str, url: str) -> Address:
    if scheme not in DOORS:
        known = ", ".join(door.spelling for door in DOORS.values())
        raise ConfigurationError(
            f"no store for {scheme or shown(url)!r}; there are: {known}, or one of your own: "
            f"module:factory://PLACE{meant(scheme, DOORS) if scheme else ''}"
        )
    door, parts = DOORS[scheme], _split(url)
    struct = door.struct()
    refused = f"not a {struct.promises.name} URL: {shown(url)!r}; write {door.spelling}"
    why = _misspelled(url)
    if why:
        raise ConfigurationError(f"{refused}. {why}")
    said = _options(parts)
    if said is None or "place" in said:
        raise ConfigurationError(f"{refused}. {OPTIONS}")
    try:
        said["place"] = unquote(parts.netloc + parts.path, errors="strict")
        # not strict: in a URL a number is a text too
        found: Address = msgspec.convert(said, struct, strict=False)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{refused}. What % spells there is not UTF-8") from None
    except msgspec.ValidationError as error:
        raise ConfigurationError(refused) from error
    return found


OPTIONS = "Behind a ? stand options, as name=value: a ? in a name is %3F"


def _misspelled(url: str) -> str:
    """What a URL has that means something else than who wrote it may think (RFC 3986); "" for
    nothing."""
    if "#" in url:
        return "A # begins a part that no store has: a # in a name is %23"
    if LONE_PERCENT.search(url):
        return "A % spells a sign by two hexadecimal digits: a % itself is %25"
    # what reads URLs takes these away without a word
    if CONTROL.search(url):
        return "It has a control sign, or a blank at its end: a blank is %20, a tab %09"
    return OPTIONS if url.endswith("?") else ""


def _options(parts: SplitResult) -> dict[str, str] | None:
    """What stands behind the question mark; None where something there is no option."""
    if not parts.query:
        return {}
    try:
        return dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        return None
