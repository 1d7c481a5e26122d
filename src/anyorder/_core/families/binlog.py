"""MySQL and MariaDB binlog coordinates: (file number, position, row). The file's *number* decides,
not its text: 999999 < 1000000."""

from __future__ import annotations

from anyorder._core.families.version import parse as parse_version
from anyorder.errors import Malformed


def parse(file: object, position: object, row: object = 0) -> tuple[str, tuple[int, ...]]:
    """`"mysql-bin.000003", 484, 1` as ("mysql-bin", (3, 484, 1)). The base name belongs to the
    scope: numbers of two do not compare."""
    if not isinstance(file, str) or "." not in file:
        raise Malformed(f"not a binlog file name: {file!r:.80}")
    # The number is what follows the last dot; a base name may have dots in it.
    base, _, number = file.rpartition(".")
    return base, (*parse_version(number), *parse_version(position), *parse_version(row))
