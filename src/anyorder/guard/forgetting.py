"""Forgetting, as often as it takes: the same for a table, the run loop and the command line."""

from __future__ import annotations

import math

from anyorder.errors import NotReapable
from anyorder.guard.contract import Store, TableSpec

AT_ONCE = 1000  # tombstones a transaction; writers wait for it where there is one lock


def forget(store: Store, spec: TableSpec, now: float, limit: int | None = None) -> int:
    """Forget a table's tombstones that are older than its retention, at most `limit`; how many
    went. `now`: seconds since 1970.

    Nothing if the retention is for ever. Raises NotReapable, with the table's name, if its clocks
    do not compare across keys.
    """
    # For ever: the default, which needs neither a clock nor a floor.
    if spec.retention is None:
        return 0
    wanted = math.inf if limit is None else limit
    most = min(AT_ONCE, wanted)
    before = now - spec.retention
    gone = 0
    try:
        # In small steps, since a store may have one lock for its reaper and all its writers. It
        # ends: each step takes tombstones away, and what is written meanwhile is too young to go.
        while gone < wanted:
            went = store.reap(spec, before, int(most))
            gone += went
            if went == 0:
                break
    except NotReapable as error:
        raise NotReapable(f"table {spec.name}: {error}") from error
    return gone
