"""What `doctor` says of histories that seem to have started again: of a whole clock, or of single
keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anyorder._core.event import canonical
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Entry, Transaction
from anyorder.guard.recall import clock_of

EXAMPLES = 3
Finding = tuple[str, str, str]
TO_DO = (
    "look them up at the source: accept the event of the later life, drop those of the earlier "
    "one; the envelope option incarnation tells lives apart from now on"
)


def resets(transaction: Transaction, entries: Iterable[Entry]) -> Iterator[Finding]:
    """(where, what, what to do) of everything that is suspected. `entries`: the open ones."""
    for scope, growth in sorted(transaction.growths().items()):
        if growth.suspected:
            yield (
                scope,
                "the history seems to have started again",
                f"find out at the source; {_if_it_did(scope)}; if it did not: anyorder quarantine "
                f"dismiss '{scope}'",
            )
    for table, keys in sorted(_restarted(transaction, entries).items()):
        examples = ", ".join(sorted(keys)[:EXAMPLES])
        more = ", ..." if len(keys) > EXAMPLES else ""
        yield (
            table,
            f"versions seem to have started again (keys: {len(keys)}): {examples}{more}",
            TO_DO,
        )


def _if_it_did(scope: str) -> str:
    """What to do where a history did start again."""
    source, _, run = scope.rpartition("|")
    tells_runs = source.startswith("pg:") and run
    # Only a run that is known begins an epoch (rules R14): any other snapshot would be suspected
    # too, and a dismissal would throw most of it away as stale.
    if tells_runs:
        return "if it did: first a new snapshot with a new run of the connector, then dismiss"
    return (
        "if it did: build the table anew in another store, from a new snapshot (no run is known "
        "here, so nothing makes the new history newer), and do not dismiss"
    )


def _restarted(transaction: Transaction, entries: Iterable[Entry]) -> dict[str, set[str]]:
    """The keys, by table, whose own versions are suspected."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        if entry.reason != Reason.SUSPECTED_RESET or entry.key is None:
            continue
        event = transaction.event(entry.id)
        # What a watched clock told is the clock's matter: one dismissal settles it all.
        if event is not None and not clock_of(event):
            found.setdefault(entry.table, set()).add(canonical(entry.key))
    return found
