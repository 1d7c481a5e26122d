"""How large a record may be: what is larger is told so, and its neighbours are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from anyorder.errors import ConfigurationError

KIBI, MEBI, GIBI = 1024, 1024**2, 1024**3
# PostgreSQL's numeric has up to 131,072 digits before the point and 16,383 after it
MOST_DIGITS = 147_455
DEEPEST = 500  # what reads them recurs, and Python's stack ends

Some = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a JSON document: `document` bytes, `depth` arrays and objects inside one another,
    `members` in all its objects together, `digits` of one number, written out.

    Of a file: `line` bytes; a packed one unpacks to `unpacked` bytes at most, or to `expansion`
    times its own size if that is more, and `memory` bytes may be needed for that.
    """

    line: Some = 64 * MEBI
    document: Some = 16 * MEBI
    depth: Annotated[int, msgspec.Meta(ge=1, le=DEEPEST)] = 64
    members: Some = 1_000_000
    digits: Annotated[int, msgspec.Meta(ge=1, le=MOST_DIGITS)] = MOST_DIGITS
    unpacked: Some = GIBI
    expansion: Some = 1000
    memory: Some = 128 * MEBI  # what `xz -9` made needs half of it


DEFAULT = Limits()


def limits_of(said: Limits | Mapping[str, object]) -> Limits:
    """The limits that somebody names; the others are the default. Raises ConfigurationError."""
    if isinstance(said, Limits):
        return said
    try:
        return msgspec.convert(dict(said), Limits)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise ConfigurationError(f"limits: {error}; {LIMITS}") from error


LIMITS = f"there are: {', '.join(Limits.__struct_fields__)}, each a whole number"
