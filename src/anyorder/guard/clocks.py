"""What a batch tells of its clocks: a run of snapshots parts a log into epochs (rules R14), and a
clock that starts again is not believed (R13)."""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.batch import Arrival
from anyorder._core.position import Growing
from anyorder._core.reset import Growth, suspect, watched
from anyorder.guard.contract import Transaction
from anyorder.guard.recall import clock_of


def learn_runs(transaction: Transaction, arrivals: Sequence[Arrival]) -> bool:
    """Remember the snapshot runs of this batch; True if one is new."""
    named = {one.event.snapshot_run for one in arrivals}
    runs = sorted(run for run in named if run is not None)
    # Hardly any batch tells of a snapshot: then the store is not asked.
    if not runs:
        return False
    known = transaction.lineage()
    is_new = False
    for scope, run in runs:
        # Most snapshot records only name the run that the first of them made known.
        if run not in known.get(scope, ()):
            transaction.add_run(scope, run)
            # A new epoch may decide what is held: it must be decided again (rules R14).
            is_new = True
    return is_new


def screen(transaction: Transaction, arrivals: Sequence[Arrival]) -> set[int]:
    """The numbers of what a clock told that is suspected to have started again (rules R13)."""
    # Asked once an event, since every event has to answer.
    found = [(one, watched(one.event)) for one in arrivals]
    clocks = [_clock(one, growing) for one, growing in found]
    scopes = set(clocks) - {""}
    if not scopes:
        return set()
    before = transaction.growths(sorted(scopes))
    growths: dict[str, Growth] = dict(before)

    # In the order of arrival, since a clock is suspected from the first contradiction on.
    suspected: set[int] = set()
    for (one, growing), scope in zip(found, clocks, strict=True):
        if growing is not None:
            growths[scope] = suspect(growths, one.event, growing)
        # Some say nothing of how far a clock has come: incremental reads, changes without a bound.
        # Yet of a clock that has started again they would all be stale.
        growth = growths.get(scope)
        if growth is not None and growth.suspected:
            suspected.add(one.number)

    # Most events leave the checkpoints as they are, so nothing is written for them.
    changed = growths.items() - before.items()
    if changed:
        transaction.save_growths(dict(sorted(changed)))
    return suspected


def _clock(arrival: Arrival, growing: Growing | None) -> str:
    """The clock of an event that is watched, or is not judged by itself; "" if it has none."""
    if growing is None:
        return clock_of(arrival.event)
    return growing.scope
