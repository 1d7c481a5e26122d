"""The check of what is held alone, and turns out to be one of several contents of a position."""

from __future__ import annotations

from collections.abc import Iterator

from anyorder._core.batch import Judged, identity_of
from anyorder._core.event import Delivery, canonical
from anyorder._core.outcome import Reason
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Entry, Store
from anyorder.guard.holdings import holding, is_dispute
from anyorder.guard.quarantine import Quarantine
from anyorder.runtime.again import Reading
from anyorder.runtime.retry import Retry
from anyorder.testing.bench import NEVER, Bench
from anyorder.testing.change import Change, decode
from anyorder.testing.place import MakeStore, sample_of
from anyorder.testing.stops import MOST_CALLS, Crashed, Stop, hooked

KEY, VERSION = 1, 5
# One of the two is the greater, and a delete is less than both.
FIRST, SECOND = (Change(KEY, VERSION, {"x": name, "y": name}) for name in ("a", "b"))
ENDS = Change(KEY, VERSION)
PAIRS = [(FIRST, SECOND), (SECOND, FIRST), (ENDS, FIRST), (FIRST, ENDS)]


def check_alone(make_store: MakeStore) -> str:
    """What was held alone, since the store refused it, and is one of two contents of a position by
    now, moves into the entry of their dispute: one entry a position lists both, whichever is shown,
    wherever the process dies. Dropped beside what is shown, it never moves the row; dropped before
    there was another content, it asks again."""
    for shown, alone in PAIRS:
        _joins(make_store, shown, alone)
        _refused(make_store, shown, alone)
        _asks_again(make_store, shown, alone)
    crashes = sum(1 for _ in _crashes(make_store))
    return f"{len(PAIRS)} pairs of contents, joined and dropped; {crashes} places to die"


def _joins(make_store: MakeStore, shown: Change, alone: Change) -> None:
    with Bench("held alone", make_store, NEVER) as bench:
        _held(bench, shown, alone)
        _decide_again(bench, bench.store)
        _expect_joined(bench, shown, alone)
        _expect_duplicates(bench, shown, alone)
        entry = _only(bench)
        number = next(one.number for one in entry.contents if one.identity == _identity(shown))
        Quarantine(bench.store, bench.spec, decode).accept(entry.id, content=number)
        bench.steps.append(f"accept {shown}")
        _expect_duplicates(bench, shown, alone)
        _expect_rows(bench, shown)


def _refused(make_store: MakeStore, shown: Change, alone: Change) -> None:
    """It is dropped while another content is shown: that one is chosen."""
    with Bench("held alone", make_store, NEVER) as bench:
        _held(bench, shown, alone)
        _drop(bench)
        _expect_duplicates(bench, alone, shown)
        _expect_rows(bench, shown)


def _asks_again(make_store: MakeStore, shown: Change, alone: Change) -> None:
    """It is dropped before the other content has come."""
    with Bench("held alone", make_store, NEVER) as bench:
        _hold(bench, alone)
        _drop(bench)
        bench.deliver([shown])
        (reason,) = bench.deliver([alone])
        if reason is not Reason.CONFLICT:
            raise bench.failed(f"two contents are there, and {alone} is {reason}", KEY)
        _expect_listed(bench, shown, alone)
        _expect_duplicates(bench, shown, alone)


def _crashes(make_store: MakeStore) -> Iterator[int]:
    step = sample_of(make_store)
    for at in range(1, MOST_CALLS, step):
        if not _crashed_at(make_store, at):
            return
        yield at


def _crashed_at(make_store: MakeStore, at: int) -> bool:
    shown, alone = FIRST, SECOND
    with Bench("held alone", make_store, NEVER) as bench:
        _held(bench, shown, alone)
        stop, victim = Stop(at, crash=True), bench.connect()
        try:
            _decide_again(bench, hooked(bench, victim, stop))
        except Crashed:
            bench.steps.append(f"crashed deciding {alone} again {stop.where}")
        victim.close()
        # Whoever comes next ends it: a retry, or a redelivery.
        if at % 2:
            bench.deliver([alone])
        _decide_again(bench, bench.store)
        _expect_joined(bench, shown, alone)
        _expect_duplicates(bench, shown, alone)
        return stop.reached.is_set()


def _held(bench: Bench, shown: Change, alone: Change) -> None:
    """One content is in the row, and the store refused the other for now."""
    bench.deliver([shown])
    _hold(bench, alone)


def _hold(bench: Bench, change: Change) -> None:
    event = change.event()
    judged = Judged(0, event, Reason.WAITING, detail="refused for now", retry=True)
    with bench.store.transaction(bench.now()) as transaction:
        transaction.open_table(bench.spec)
        transaction.hold([holding(bench.spec.name, canonical(event.key), judged, "")])
    bench.steps.append(f"{change}: held alone")


def _decide_again(bench: Bench, store: Store) -> None:
    with bench.store.reading() as transaction:
        catalogue = Catalogue(lambda *_: bench.spec)
        catalogue.load(transaction)
    Retry(store, catalogue, _read_anew).run()


def _read_anew(provenance: str, delivery: Delivery) -> Reading:
    return Reading(decode(provenance, delivery), provenance, is_ours=True)


def _drop(bench: Bench) -> None:
    quarantine = Quarantine(bench.store, bench.spec, decode)
    (entry,) = quarantine.entries()
    quarantine.drop(entry.id)
    bench.steps.append(f"drop {KEY!r} @{VERSION}")


def _only(bench: Bench) -> Entry:
    quarantine = Quarantine(bench.store, bench.spec, decode)
    found = quarantine.entries()
    if len(found) != 1:
        raise bench.failed(f"one position has {len(found)} open entries", KEY)
    return quarantine.show(found[0].id)


def _expect_joined(bench: Bench, shown: Change, alone: Change) -> None:
    _expect_listed(bench, shown, alone)
    states = [one.state for one in Quarantine(bench.store, bench.spec, decode).entries("")]
    if sorted(states) != ["open", "settled"]:
        raise bench.failed(f"what was held alone is in its dispute: the entries are {states}", KEY)
    greater = max(shown, alone, key=_rank)
    _expect_rows(bench, greater)


def _expect_listed(bench: Bench, *changes: Change) -> None:
    entry = _only(bench)
    found = sorted(one.identity for one in entry.contents)
    if not is_dispute(entry) or found != sorted(map(_identity, changes)):
        raise bench.failed(f"the entry {entry.identity} lists {found}", KEY)


def _expect_duplicates(bench: Bench, *changes: Change) -> None:
    for change in (*changes, *reversed(changes)):
        (reason,) = bench.deliver([change])
        if reason is not Reason.DUPLICATE:
            raise bench.failed(f"{change} comes again and is {reason}", KEY)


def _expect_rows(bench: Bench, shown: Change) -> None:
    wanted = {} if shown.fields is None else {KEY: shown.fields}
    if bench.rows() != wanted:
        raise bench.failed(f"{shown} is to be shown, and the rows are {bench.rows()}", KEY)


def _rank(change: Change) -> tuple[bool, str]:
    return change.fields is not None, change.event().fingerprint


def _identity(change: Change) -> str:
    return identity_of(change.event())
