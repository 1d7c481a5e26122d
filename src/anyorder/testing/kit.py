"""`check_store`: every check, one after the other, on fresh stores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Promises
from anyorder.testing import (
    adoption,
    alone,
    books,
    disputes,
    encodings,
    interrupted,
    lives,
    names,
    orders,
    retried,
    rows,
    stops,
    threads,
    waiting,
    words,
    writers,
    zoo,
)
from anyorder.testing.change import decode
from anyorder.testing.place import MakeStore
from anyorder.testing.promises import Finding, StoreReport

CHECKS: dict[str, Callable[[MakeStore], str]] = {
    "orders": orders.check_orders,
    "batches": orders.check_batches,
    "ties": orders.check_ties,
    "disputes": disputes.check_disputes,
    "held alone": alone.check_alone,
    "truncate": orders.check_truncate,
    "expired": orders.check_expired,
    "retention zero": orders.check_retention_zero,
    "young tombstones": orders.check_young,
    "floor of others": orders.check_floor_of_others,
    "lives": lives.check_lives,
    "stopped writer": stops.check_stopped_writer,
    "stopped reaper": stops.check_stopped_reaper,
    "crashes": stops.check_crashes,
    "interrupted": interrupted.check_interrupted,
    "ambiguous commit": stops.check_ambiguous_commit,
    "refused": orders.check_refused,
    "waiting": waiting.check_waiting,
    "quarantine": books.check_quarantine,
    "retried": retried.check_retried,
    "words": words.check_words,
    "books": books.check_books,
    "catalogue": books.check_catalogue,
    "table names": names.check_names,
    "positions": encodings.check_positions,
    "keys": encodings.check_keys,
    "key kinds": zoo.check_key_kinds,
    "values": encodings.check_values,
    "columns": rows.check_columns,
    "adopted": rows.check_adopted,
    "adopted keys": rows.check_adopted_keys,
    "adopted positions": adoption.check_adopted_positions,
    "gone": rows.check_gone,
    "made anew": rows.check_made_anew,
    "dropped": rows.check_dropped,
    "promises": books.check_promises,
    "writers": writers.check_writers,
    "threads": threads.check_threads,
}
"""Name -> check. The first paragraph of a check's docstring says what must hold; it returns what
was tried, or raises StoreCheckFailed."""
FORGETTING = frozenset({"retention zero", "young tombstones", "floor of others", "stopped reaper"})
"""Checks of forgetting: not for a store that promises `forgets=False`; *promises* then asserts that
it never does."""


def check_store(make_store: MakeStore, only: Sequence[str] = ()) -> StoreReport:
    """Is this store trustworthy? Runs the checks (`only`: those of these names) and returns a
    report that prints as tables.

    Args:
        make_store: makes a fresh, empty store each time it is called; see `Place`. Called a few
            hundred times.
        only: names of `CHECKS`; all by default.

    Raises:
        StoreCheckFailed: an AssertionError with the name of the check and the steps that led to a
            wrong state.
        ConfigurationError: there is no check of that name.
    """
    unknown = set(only) - set(CHECKS)
    if unknown:
        raise ConfigurationError(f"no check {sorted(unknown)}; there are: {', '.join(CHECKS)}")
    promises, findings = _promises(make_store), []
    left_out = [name for name in only or CHECKS if name in FORGETTING and not promises.forgets]
    for name in (name for name in only or CHECKS if name not in left_out):
        began = time.monotonic()
        tried = CHECKS[name](make_store)
        findings.append(Finding(name, must_hold(CHECKS[name]), tried, time.monotonic() - began))
    return StoreReport(promises, findings, left_out)


def must_hold(check: Callable[[MakeStore], str]) -> str:
    """The first paragraph of a check's docstring."""
    return " ".join((check.__doc__ or "").partition("\n\n")[0].split())


def _promises(make_store: MakeStore) -> Promises:
    place = make_store()
    store = place.connect(decode)
    promises = store.promises
    store.close()
    place.close()
    return promises
