"""What a signal handler raises in the middle of a batch: it ends the batch, and the same connection
goes on."""

from __future__ import annotations

from collections.abc import Sequence

from anyorder.guard.contract import Store
from anyorder.testing.bench import RETENTION_ZERO, Bench
from anyorder.testing.change import Change, delete, part, put, truncate
from anyorder.testing.place import MakeStore, sample_of
from anyorder.testing.stops import MOST_CALLS, Crashed, Stop, hooked

BEFORE = [put(1, 1), put(2, 1), delete(3, 1)]
BATCH = [put(1, 2), delete(2, 2), put(3, 2), part(4, 1, "x"), put(5, 1)]
LATER = [part(4, 2, "y"), put(2, 3), truncate(1)]


def check_interrupted(make_store: MakeStore) -> str:
    """An exception that comes from outside at any call to the driver, as that of a signal handler
    while a batch begins, ends that batch; the same connection takes the next one."""
    interrupted, sample = 0, sample_of(make_store)
    for at in range(1, MOST_CALLS, sample):
        if not _interrupted_at(make_store, at):
            break
        interrupted += 1
    return f"{interrupted} places to interrupt"


def _interrupted_at(make_store: MakeStore, at: int) -> bool:
    """Interrupt a batch at one call; False if there is no such call."""
    with Bench("interrupted", make_store, RETENTION_ZERO) as bench:
        bench.deliver(BEFORE)
        stop, victim = Stop(at, crash=True), bench.connect()
        store = hooked(bench, victim, stop)
        try:
            bench.deliver(BATCH, store=store)
        except Crashed:
            bench.steps.append(f"interrupted {stop.where}")
            for batch in (BATCH, LATER):
                _go_on(bench, store, batch)
        victim.close()
        bench.judge()
        bench.judge_replay()
        return stop.reached.is_set()


def _go_on(bench: Bench, store: Store, batch: Sequence[Change]) -> None:
    try:
        bench.deliver(batch, store=store)
    # Every store has errors of its own.
    except Exception as error:
        raise bench.failed(f"the connection takes no other batch: {error!r}") from error
