"""Checks of an operator's word for many entries at once."""

from __future__ import annotations

import contextlib

from anyorder._core.reset import Growth
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import EntryQuery
from anyorder.guard.holdings import is_dispute
from anyorder.guard.quarantine import Quarantine
from anyorder.runtime.bulk import Bulk
from anyorder.testing.bench import NEVER, RETENTION_ZERO, Bench
from anyorder.testing.change import Change, decode, delete, put, truncate
from anyorder.testing.place import MakeStore

KEYS = range(1, 8)
ELSEWHERE = "another clock"
SUSPECTED = Growth(((1, 2),), 5, 7, suspected=True)


def check_words(make_store: MakeStore) -> str:
    """A word for many entries at once comes to what the words one by one come to, a dispute between
    contents is left to a person, and a clock that is believed in a dry run is doubted after it."""
    forgets = _forgets(make_store)
    with Bench("words", make_store, RETENTION_ZERO if forgets else NEVER) as one_by_one:
        _hold(one_by_one)
        quarantine = Quarantine(one_by_one.store, one_by_one.spec, decode)
        for entry in quarantine.entries():
            # Deciding the ones before may have settled it.
            if not is_dispute(entry) and quarantine.show(entry.id).state == "open":
                _accept(quarantine, entry.id)
        wanted = _seen(one_by_one)

    with Bench("words", make_store, RETENTION_ZERO if forgets else NEVER) as many:
        _hold(many)
        entries = Quarantine(many.store, many.spec, decode).entries()
        bulk = Bulk(many.store, lambda _: many.spec, decode)
        done = bulk.accept(entries)
        found = _seen(many)
        if found != wanted:
            raise many.failed(f"accepted together: {found}; one by one: {wanted}")
        disputes = {entry.id for entry in entries if is_dispute(entry)}
        if not disputes or done.refused.keys() != disputes:
            raise many.failed(f"refused are {done.refused}, and disputes are {disputes}")
        told = done.accepted + done.settled + len(done.refused)
        if told != len(entries):
            raise many.failed(f"of {len(entries)} entries {told} are told: {done}")
        _check_dropped(many, bulk)
        _check_dry(many)
    return f"{len(entries)} entries accepted, disputes left, dropped; a dry dismissal"


def _forgets(make_store: MakeStore) -> bool:
    with Bench("words", make_store, NEVER) as bench:
        return bench.store.promises.forgets


def _hold(bench: Bench) -> None:
    """Late puts, several of one key; what clocks cannot tell; a truncate; and a dispute."""
    bench.deliver([truncate(1), *(delete(key, 10) for key in KEYS[:-2])])
    bench.reap()
    bench.deliver([put(20, 30), *(put(key, 10) for key in KEYS[-2:])])
    bench.deliver([Change(20, 30, {"x": "other", "y": "other"})])
    late = [put(1, 4), put(2, 4), put(1, 6), put(2, 3), put(3, 5), delete(4, 2)]
    elsewhere = [put(KEYS[-2], 3), put(KEYS[-2], 5), delete(KEYS[-1], 4), truncate(2)]
    # One by one, so that the entries are numbered in this order whatever the store does at once.
    for change in [*late, *(change._replace(scope=ELSEWHERE) for change in elsewhere)]:
        bench.deliver([change])


def _accept(quarantine: Quarantine, number: int) -> None:
    # An operator reads why it was refused, and goes on to the next.
    with contextlib.suppress(ConfigurationError):
        quarantine.accept(number)


def _seen(bench: Bench) -> tuple[object, ...]:
    """Rows, memories and the states of all entries."""
    with bench.store.reading() as transaction:
        states = [(entry.identity, entry.state) for entry in transaction.entries(EntryQuery(""))]
    return bench.rows(), bench.memories([*KEYS, 20]), sorted(states)


def _check_dropped(bench: Bench, bulk: Bulk) -> None:
    """What is open is closed and nothing is written; what was closed before is told."""
    before = bench.rows()
    quarantine = Quarantine(bench.store, bench.spec, decode)
    entries = quarantine.entries("")
    open_ones = [entry.id for entry in entries if entry.state == "open"]
    done = bulk.drop(entries)
    states = {quarantine.show(number).state for number in open_ones}
    if states != {"dropped"} or done.dropped != len(open_ones) or bench.rows() != before:
        raise bench.failed(f"{len(open_ones)} open entries were dropped: {done}, and are {states}")
    if len(done.refused) != len(entries) - len(open_ones):
        raise bench.failed(f"closed entries were dropped again: {done}")


def _check_dry(bench: Bench) -> None:
    scope = "log|run"
    with bench.store.transaction(bench.now()) as transaction:
        transaction.save_growths({scope: SUSPECTED})
    with bench.store.transaction(bench.now(), dry=True) as transaction:
        transaction.save_growths({scope: Growth()})
        inside = transaction.growths([scope])
    with bench.store.reading() as transaction:
        after = transaction.growths([scope])
    if inside != {scope: Growth()} or after != {scope: SUSPECTED}:
        raise bench.failed(f"a growth saved in a dry run is {inside} in it, and {after} after it")
