"""A writer or the reaper is stopped in the middle, for as long as it likes, or dies there; the
others go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from anyorder._core.outcome import Reason
from anyorder.guard.batch import reconsider_keys
from anyorder.guard.contract import Store
from anyorder.testing.bench import RETENTION_ZERO, Bench
from anyorder.testing.change import Change, delete, part, put, truncate
from anyorder.testing.place import Hook, MakeStore, sample_of

# seconds that rivals of a stopped writer get in a store that locks: they cannot get further anyway
LOCKED_PATIENCE = 0.05
PATIENCE = 20.0  # seconds that rivals get in a store that does not lock
MOST_CALLS = 200  # driver calls of one batch, more are not tried
STEPS = ("open_table", "remembered", "write", "hold", "settle", "save_limits")

Act = Sequence[Change] | None
"""A batch to deliver; None: reap."""


class Scene(NamedTuple):
    """What happened before, who is stopped, and what the others do meanwhile."""

    before: Sequence[Act]
    stopped: Act
    meanwhile: Sequence[Act]


WRITERS = (
    Scene((), [put(1, 1)], ([delete(1, 2)], None)),
    Scene(([delete(1, 2)],), [put(1, 1)], (None,)),
    Scene(([delete(1, 2)],), [put(1, 3)], (None, [put(1, 2)])),
    Scene(([delete(1, 2)],), [delete(1, 1)], (None, [put(1, 1)])),
    Scene(([put(1, 1)],), [put(1, 2)], ([put(1, 3)],)),
    Scene((), [put(1, 1)], ([delete(1, 2)], None, [put(1, 3)])),
    Scene(([put(1, 1)],), [part(1, 3, "x")], ([part(1, 2, "y")],)),
    Scene(([delete(1, 5)], None), [put(1, 6)], ([put(1, 4)],)),
    Scene(([delete(1, 5)], None), [put(1, 4)], ([put(1, 6)],)),
    Scene(([put(2, 1)],), [put(1, 1), put(2, 2)], ([truncate(3)],)),
)
REAPERS = (
    Scene(([delete(1, 2), delete(2, 3)],), None, ([put(1, 1)],)),
    Scene(([delete(1, 2), delete(2, 3)],), None, ([put(1, 4)],)),
    Scene(([delete(1, 2), delete(2, 3)],), None, ([delete(1, 5)], [put(1, 4)])),
    Scene(([delete(1, 2), delete(2, 3)],), None, (None, [put(1, 1)])),
)


class Stop:
    """A hook that stops its caller at the n-th call, until it is let go; or ends it there."""

    def __init__(self, at: int, *, crash: bool = False) -> None:
        self.reached = threading.Event()
        self.where = ""
        self._at = at
        self._crash = crash
        self._seen = 0
        self._go = threading.Event()

    def __call__(self, name: str) -> None:
        if not self._crash and self._seen and name.startswith("before"):
            return  # the same place as after the call before it
        self._seen += 1
        if self._seen != self._at:
            return
        self.where = name
        self.reached.set()
        if self._crash:
            raise Crashed(name)
        self._go.wait()

    def release(self) -> None:
        """Let it go on."""
        self._go.set()


class Crashed(Exception):
    """The process died here, as far as the store can tell."""


def check_stopped_writer(make_store: MakeStore) -> str:
    """A writer stopped between any two calls, as long as it likes, while others write, delete and
    reap, never makes a row wrong."""
    return _check_stops("stopped writer", make_store, WRITERS)


def check_stopped_reaper(make_store: MakeStore) -> str:
    """The reaper stopped between any two calls, while others write: floor first, and only the very
    tombstone that was examined."""
    return _check_stops("stopped reaper", make_store, REAPERS)


def _check_stops(check: str, make_store: MakeStore, scenes: Sequence[Scene]) -> str:
    stops, sample = 0, sample_of(make_store)
    for number, scene in enumerate(scenes):
        for at in range(1 + number % sample, MOST_CALLS, sample):
            if not _stopped_at(check, make_store, scene, at):
                break
            stops += 1
    return f"{len(scenes)} scenes, {stops} places to stop"


def _stopped_at(check: str, make_store: MakeStore, scene: Scene, at: int) -> bool:
    """Play a scene with the stop at one call; False if there is no such call."""
    with Bench(check, make_store, RETENTION_ZERO) as bench:
        _do_all(bench, scene.before)
        stop, victim = Stop(at), bench.connect()
        thread = _Acting(lambda: _do(bench, hooked(bench, victim, stop), scene.stopped))
        while not stop.reached.wait(0.001) and thread.is_alive():
            pass
        bench.steps.append(
            f"stopped {_told(scene.stopped)} {stop.where}"
            if stop.reached.is_set()
            else "stopped nowhere"
        )
        rivals = _Acting(lambda: _do_all(bench, scene.meanwhile))
        rivals.join(LOCKED_PATIENCE if bench.store.promises.one_transaction else PATIENCE)
        stop.release()
        for running in (thread, rivals):
            running.finish()
        victim.close()
        bench.judge()
        _judge_held(bench)
        bench.judge_replay()
        return stop.reached.is_set()


def check_crashes(make_store: MakeStore) -> str:
    """The process dies at any call to the driver, before or after it took effect: the same
    deliveries again make everything right."""
    scenes = (
        Scene(
            ([delete(3, 5)], None, [put(2, 6)]),
            [put(1, 6), delete(2, 7), put(3, 4), part(4, 6, "x"), put(2, 5)],
            (),
        ),
        Scene(([put(1, 1), put(2, 1)],), [delete(1, 2), put(2, 2), truncate(3), put(5, 4)], ()),
        Scene(([delete(1, 2), delete(2, 3), put(3, 3)],), None, ([put(1, 1), put(2, 4)],)),
    )
    crashes, sample = 0, sample_of(make_store)
    for number, scene in enumerate(scenes):
        for at in range(1 + number % sample, MOST_CALLS, sample):
            if not _crashed_at(make_store, scene, at):
                break
            crashes += 1
    return f"{len(scenes)} scenes, {crashes} places to die"


def _crashed_at(make_store: MakeStore, scene: Scene, at: int) -> bool:
    with Bench("crashes", make_store, RETENTION_ZERO) as bench:
        _do_all(bench, scene.before)
        stop, victim = Stop(at, crash=True), bench.connect()
        try:
            _do(bench, hooked(bench, victim, stop), scene.stopped)
        except Crashed:
            bench.steps.append(f"crashed {_told(scene.stopped)} {stop.where}")
        victim.close()
        _do_all(bench, (scene.stopped, *scene.meanwhile))
        bench.judge()
        bench.judge_replay()
        return stop.reached.is_set()


def check_ambiguous_commit(make_store: MakeStore) -> str:
    """A commit whose answer was lost: the same attempt again (same token) says applied, any other
    attempt says duplicate.

    A store that promises `exact_outcome=False` may say duplicate of its own.
    """
    batch = [put(1, 3), delete(2, 3), part(3, 3, "x")]
    with Bench("ambiguous commit", make_store) as bench:
        bench.deliver([put(2, 1), put(3, 1)])
        exact = bench.store.promises.exact_outcome
        for token, wanted in (
            ("mine", Reason.APPLIED),
            ("mine", Reason.APPLIED),
            ("other", Reason.DUPLICATE),
        ):
            for change, reason in zip(batch, bench.deliver(batch, token=token), strict=True):
                if reason is not wanted and (exact or reason is not Reason.DUPLICATE):
                    raise bench.failed(
                        f"attempt {token!r}: {change} ended as {reason}, not as {wanted}",
                        change.key,
                    )
        bench.judge()
    return "one batch, twice with its token and once with another"


def hooked(bench: Bench, store: Store, hook: Hook) -> Store:
    """The connection with the hook at its driver's calls, or at the contract's where the place
    cannot say more."""
    if bench.place.tap is not None:
        bench.place.tap(store, hook)
        return store
    return StoreSteps(store, hook)


class StoreSteps:
    """A store that calls the hook before and after each step of its transactions."""

    def __init__(self, store: Store, hook: Hook) -> None:
        self._store = store
        self._hook = hook
        self.promises = store.promises

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator[Any]:
        """The store's own, step by step."""
        self._hook("before the transaction")
        with self._store.transaction(now, dry=dry) as transaction:
            yield _TransactionSteps(transaction, self._hook)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class _TransactionSteps:
    def __init__(self, transaction: Any, hook: Hook) -> None:
        self._transaction = transaction
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._transaction, name)
        return watched(method, name, self._hook) if name in STEPS else method


def watched(method: Callable[..., Any], name: str, hook: Hook) -> Callable[..., Any]:
    """The method, with the hook called before and after it."""

    def call(*arguments: Any, **named: Any) -> Any:
        hook(f"before {name}")
        answer = method(*arguments, **named)
        hook(f"after {name}")
        return answer

    return call


class _Acting(threading.Thread):
    """A thread that keeps its exception for whoever finishes it."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._act = act
        self._problem: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._act()
        except BaseException as problem:
            self._problem = problem

    def finish(self) -> None:
        """Wait for the end; raises what the thread raised."""
        self.join()
        if self._problem is not None:
            raise self._problem


def _do(bench: Bench, store: Store, act: Act) -> None:
    if act is None:
        bench.reap(store)
    else:
        bench.deliver(act, store=store)


def _do_all(bench: Bench, acts: Sequence[Act]) -> None:
    for act in acts:
        _do(bench, bench.store, act)


def _told(act: Act) -> str:
    return "the reaper" if act is None else f"the writer of [{', '.join(map(str, act))}]"


def _judge_held(bench: Bench) -> None:
    """The settling rule under rivals: what the memory decides by now is not still held."""
    held = set(bench.held())
    with bench.store.transaction(bench.now()) as transaction:
        limits = transaction.open_table(bench.spec)
        keys = sorted(
            {change.event().entity for change in bench.delivered if change.key is not None}
        )
        closed = reconsider_keys(transaction, bench.spec, keys, limits, bench.token())
    if closed:
        raise bench.failed(
            f"{len(closed)} of {len(held)} entries were still held although the memory "
            f"decides them: {closed[0].reason}"
        )
