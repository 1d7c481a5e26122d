"""Which entries of the quarantine a person means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from anyorder._core.event import canonical
from anyorder._core.key import NO_KINDS, asked
from anyorder.guard.contract import Entry, EntryQuery, Transaction


class Pattern:
    """A text in which `*` stands for anything and `?` for one character; all else stands for
    itself."""

    def __init__(self, text: str) -> None:
        # A detail quotes [[table]] and the like, so brackets are no signs here.
        literal = re.escape(text)
        signs = literal.replace(r"\*", ".*").replace(r"\?", ".")
        self._compiled = re.compile(signs, re.DOTALL)

    def fits(self, text: str) -> bool:
        """Is it all of this text?"""
        return self._compiled.fullmatch(text) is not None


class Selection:
    """What is left out asks for nothing. `keys`: each a key, or the value of its only column.
    `before`: first seen no later, in seconds since 1970. `limit`: only the oldest so many."""

    def __init__(
        self,
        query: EntryQuery,
        *,
        keys: tuple[object, ...] = (),
        detail: str = "",
        before: float | None = None,
        limit: int | None = None,
    ) -> None:
        self._query = query
        self._keys = keys
        self._pattern = Pattern(detail) if detail else None
        self._before = before
        self._limit = limit

    def found(self, transaction: Transaction) -> Iterator[Entry]:
        """The entries, oldest first, without their deliveries."""
        entries = transaction.entries(self._query)
        selected = filter(self._selects, entries)
        return islice(selected, self._limit)

    def _selects(self, entry: Entry) -> bool:
        is_old = self._before is None or entry.first_seen <= self._before
        is_key = not self._keys or self._is_key(entry.key)
        is_told = self._pattern is None or self._pattern.fits(entry.detail)
        return is_old and is_key and is_told

    def _is_key(self, key: object) -> bool:
        # What concerns no key, or none that can be read, is held under none.
        if not isinstance(key, dict):
            return False
        wanted = {_entity(asked_for, tuple(key)) for asked_for in self._keys}
        return canonical(key) in wanted


def _entity(key: object, columns: tuple[str, ...]) -> str:
    """The entity that a person means; "" if a bare value is none of a key with these columns."""
    if isinstance(key, dict):
        return canonical(asked(key, NO_KINDS))
    # Of several columns it would be a guess which.
    if len(columns) != 1:
        return ""
    column = columns[0]
    return canonical(asked({column: key}, NO_KINDS))
