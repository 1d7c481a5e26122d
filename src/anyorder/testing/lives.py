"""A key whose versions start again: what a store must remember of the lives before."""

from __future__ import annotations

from anyorder._core.outcome import Reason
from anyorder.guard.contract import EntryQuery
from anyorder.guard.quarantine import Quarantine
from anyorder.testing.bench import NEVER, RETENTION_ZERO, Bench, is_held
from anyorder.testing.change import Change, decode
from anyorder.testing.place import MakeStore

SCOPE = "cloudevents:kit"  # by promise one sequence, so it may be forgotten; but it may start again
DAY = 86_400_000_000  # microseconds
KEY = 1


def _put(version: int, day: int | None) -> Change:
    value = f"{version} of day {day}"
    time = None if day is None else day * DAY
    return Change(KEY, version, {"x": value, "y": value}, scope=SCOPE, time=time)


def _delete(version: int, day: int) -> Change:
    return Change(KEY, version, scope=SCOPE, time=day * DAY)


def check_lives(make_store: MakeStore) -> str:
    """A key whose versions start again is held; once an operator has let its new life in, no
    straggler of the lives before takes the row, whoever looks, whatever came since: also after the
    new life was deleted, and after its tombstone was forgotten."""
    for spec in (NEVER, RETENTION_ZERO):
        with Bench("lives", make_store, spec) as bench:
            _let_in(bench)
            _outlive(bench)
    return "a new life held and accepted, stragglers before and after its end, one dropped"


def _let_in(bench: Bench) -> None:
    """A life, its end, and another one, which an operator lets in."""
    _expect(bench, _put(7, 1), Reason.APPLIED)
    _expect(bench, _delete(8, 2), Reason.APPLIED)
    # The first is greater than what is stored, but from before it.
    _expect(bench, _put(9, 1), Reason.SUSPECTED_RESET)
    _expect(bench, _put(1, 30), Reason.SUSPECTED_RESET)
    held = _open(bench)
    if len(held) != 2 or bench.rows():
        raise bench.failed(f"what is suspected must be held, and no row: there are {bench.rows()}")
    dropped, accepted = held
    quarantine = Quarantine(bench.store, bench.spec, decode)
    answer = quarantine.accept(accepted)
    bench.steps.append(f"accept {accepted}: {answer}")
    if not answer.startswith("By your word"):
        raise bench.failed(f"the word for a new life counts for nothing: {answer}")
    quarantine.drop(dropped)
    bench.steps.append(f"drop {dropped}")
    # Dropped is dropped: nothing decides it again, whatever has come since.
    _expect(bench, _put(9, 1), Reason.DUPLICATE)


def _outlive(bench: Bench) -> None:
    """Stragglers of the lives before, until the new one is over and forgotten."""
    _expect(bench, _put(6, 1), Reason.STALE)
    _expect(bench, _put(2, 31), Reason.APPLIED)
    _expect(bench, _put(5, 1), Reason.STALE)
    # What has no time of its own is not judged, and takes the bound away from nobody.
    _expect(bench, _put(3, None), Reason.APPLIED)
    _expect(bench, _put(6, 1), Reason.STALE)
    _expect(bench, _delete(4, 33), Reason.APPLIED)
    _expect(bench, _put(6, 1), Reason.STALE)
    if bench.store.promises.forgets and bench.spec.retention == 0:
        bench.reap()
        _refused(bench, _put(6, 1))
    if bench.rows():
        raise bench.failed(f"the key is deleted, and its rows are {bench.rows()}")


def _expect(bench: Bench, change: Change, reason: Reason) -> None:
    """Deliver it through another connection, which knows nothing yet."""
    store = bench.connect()
    try:
        (found,) = bench.deliver([change], store=store)
    finally:
        store.close()
    if found is not reason:
        raise bench.failed(f"{change} of day {_day(change)} is {found}, not {reason}")


def _refused(bench: Bench, change: Change) -> None:
    (found,) = bench.deliver([change])
    if not is_held(found):
        raise bench.failed(f"its tombstone is forgotten, and {change} of a life before is {found}")


def _day(change: Change) -> str:
    return "unknown" if change.time is None else str(change.time // DAY)


def _open(bench: Bench) -> list[int]:
    """The numbers of the open entries, oldest first."""
    with bench.store.reading() as transaction:
        return [entry.id for entry in transaction.entries(EntryQuery("open", bench.spec.name))]
