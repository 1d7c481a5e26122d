"""Log sequence numbers of PostgreSQL: one integer, written as two hexadecimal halves."""

from __future__ import annotations


def text(lsn: int) -> str:
    """As PostgreSQL writes it: `0/16B3F80`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
