"""Floats with a fraction in a record of Python's: of such a number only the nearest double is
known, so it can be a value, and no key."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from anyorder._core.event import Event


def has_fraction(event: Event) -> bool:
    """Is any number of the key no integer?"""
    key = event.key
    return key is not None and Decimal in map(type, key.values())


def without_fractions(value: object) -> object:
    """A value of a record whose floats with a fraction are null, however deep; bytes and text,
    which are a document already, stay as they are."""
    if value is None or isinstance(value, bytes | str):
        return value
    return _emptied(msgspec.to_builtins(value, builtin_types=(Decimal,)))


def _emptied(value: Any) -> Any:
    if isinstance(value, float):
        return value if value.is_integer() else None
    if isinstance(value, Mapping):
        return {name: _emptied(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_emptied(inner) for inner in value]
    return value
