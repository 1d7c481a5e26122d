"""`[limits]` of a pipeline file: how large a record may be. What is larger is `malformed`, and its
neighbours are applied."""

from __future__ import annotations

import re

import msgspec

from anyorder.envelopes import Limits
from anyorder.envelopes.limits import limits_of
from anyorder.errors import ConfigurationError

UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}
SIZE = re.compile(r"(?P<number>[0-9]{1,18}) ?(?P<unit>[KMG]?I?B)", re.IGNORECASE)


class LimitsSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[limits]`: sizes as texts, numbers as they are."""

    line: str = "64MiB"
    document: str = "16MiB"
    depth: int = 64
    members: int = 1_000_000
    digits: int = 147_455
    unpacked: str = "1GiB"
    expansion: int = 1000
    memory: str = "128MiB"

    def checked(self) -> Limits:
        """The limits. Raises ConfigurationError for what is no size, or beyond any use."""
        said = {
            name: size(value, f"[limits] {name}") if isinstance(value, str) else value
            for name, value in msgspec.structs.asdict(self).items()
        }
        return limits_of(said)


def size(text: str, where: str) -> int:
    """Bytes of `"512MB"`. Raises ConfigurationError. `where`: the place in the file."""
    found = SIZE.fullmatch(text.strip())
    unit = found["unit"].upper() if found else ""
    if found is None or unit not in UNITS:
        raise ConfigurationError(
            f'{where} is not a size: {text!r:.80}; write "512MB", "64MiB" or "1GB"'
        )
    return int(found["number"]) * UNITS[unit]
