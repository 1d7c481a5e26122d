"""What the caller's own code has held: the rows of such events are written by his SQL, and by
nobody else."""

from __future__ import annotations

import msgspec

DELIVER_AGAIN = (
    "entry {0.id} was held by your own code, whose SQL writes the rows of {0.table}: deliver the "
    "event again, to table.transaction, and the entry closes; or drop it"
)


class _Told(msgspec.Struct):
    """The part of a provenance that tells it."""

    own_sql: bool = False


_told = msgspec.json.Decoder(_Told)


def is_by_own_sql(provenance: str) -> bool:
    """Was an entry of this provenance held by the caller's own code?"""
    try:
        return _told.decode(provenance).own_sql
    # One of before, or of somebody's own spelling.
    except msgspec.DecodeError:
        return False
