"""Checks of what a store does when nobody disturbs it: orders, duplicates, batches, ties,
truncates, retentions, refusals."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from anyorder._core.outcome import Reason
from anyorder.guard.contract import TableSpec
from anyorder.stores.memory.store import MemoryStore
from anyorder.testing.bench import ENOUGH, NEVER, Bench
from anyorder.testing.change import Change, delete, part, put, truncate
from anyorder.testing.place import MakeStore, Place, sample_of

LATER = 1000.0  # seconds: later than the retention of the check that lets tombstones expire
# versions between two histories that share a table, so that one's floor lies below the next
SPACE = 10
Make = Callable[[object, int], Change]
KINDS: tuple[Make, ...] = (
    put,
    delete,
    lambda key, version: part(key, version, "x"),
    lambda key, version: part(key, version, "y"),
)
FORGETTING: tuple[tuple[Make, ...], ...] = (
    (put, delete),
    (delete, put),
    (put, delete, put),
    (delete, delete, put),
    (KINDS[2], delete, KINDS[3]),
    (put, delete, KINDS[2]),
    (put, KINDS[2], delete),
)


def sequences(events: int, deliveries: int) -> list[tuple[int, ...]]:
    """Every way to deliver events 0..n-1 in so many deliveries, each at least once."""
    return [
        found
        for found in itertools.product(range(events), repeat=deliveries)
        if len(set(found)) == events
    ]


def reference() -> Place:
    """The contract in its plainest form: what a store decides is compared with it."""
    store = MemoryStore()

    def connect(decode: Any) -> MemoryStore:
        store.decode = decode
        return store

    return Place(connect, lambda table: list(store.state.rows.get(table, {}).values()))


class Twin:
    """The store and the reference, given the same deliveries."""

    def __init__(self, check: str, make_store: MakeStore, spec: TableSpec) -> None:
        self.bench = Bench(check, make_store, spec)
        self.plain = Bench(check, reference, spec)

    def __enter__(self) -> Twin:
        return self

    def __exit__(self, *problem: object) -> None:
        self.bench.__exit__(*problem)

    def deliver(self, changes: Sequence[Change], now: float | None = None) -> None:
        """Deliver to both; they must give each delivery the same reason."""
        found, wanted = self.bench.deliver(changes, now=now), self.plain.deliver(changes, now=now)
        for change, reason, expected in zip(changes, found, wanted, strict=True):
            if reason is not expected:
                raise self.bench.failed(
                    f"{change} ended as {reason}, the rules say {expected}", change.key
                )

    def reap(self) -> None:
        """Reap both."""
        self.bench.reap()
        self.plain.reap()

    def judge(self) -> None:
        """Rows, memories and the open quarantine are what the rules say."""
        self.bench.judge()
        keys = dict.fromkeys(change.key for change in self.bench.delivered)
        found, wanted = self.bench.memories(keys), self.plain.memories(keys)
        for key in keys:
            if found.get(key) != wanted.get(key):
                raise self.bench.failed(
                    (
                        f"of key {key!r} it remembers {found.get(key)}, the rules say "
                        f"{wanted.get(key)}"
                    ),
                    key,
                )
        if self.bench.held() != self.plain.held():
            raise self.bench.failed(
                f"the quarantine holds {self.bench.held()}, the rules say {self.plain.held()}"
            )


def check_orders(make_store: MakeStore) -> str:
    """Every order of small histories, with any duplicates, ends in the same rows, and every
    delivery has the reason of the rules."""
    runs = [
        [make(key, version) for version, make in enumerate(history, 1)]
        for key, history in enumerate(itertools.product(KINDS, repeat=3))
    ]
    steps = sequences(3, 4)
    keyed = [
        (history, order, number * len(steps) + place)
        for number, history in enumerate(runs)
        for place, order in enumerate(steps)
    ]
    keyed = keyed[:: sample_of(make_store)]
    with Twin("orders", make_store, NEVER) as twin:
        for step in range(4):
            twin.deliver([history[order[step]]._replace(key=key) for history, order, key in keyed])
        twin.judge()
    return f"{len(runs)} histories of 3 events, {len(keyed)} sequences of 4 deliveries"


def check_batches(make_store: MakeStore) -> str:
    """A batch changes nothing: unsorted, with duplicates, many keys and many events of a key, it
    ends in the same state."""
    shuffle = random.Random(1).shuffle
    changes = []
    for key, history in enumerate(itertools.product(KINDS, repeat=3)):
        events = [make(key, version) for version, make in enumerate(history, 1)]
        changes += [*events, random.Random(key).choice(events)]
    with Bench("batches", make_store, NEVER) as bench:
        shuffle(changes)
        bench.deliver(changes[: len(changes) // 3])
        bench.deliver(changes[len(changes) // 3 :] + changes[:7])
        bench.judge()
        bench.judge_replay()
    return f"{len(changes)} deliveries of {4**3} keys in two unsorted batches"


def check_ties(make_store: MakeStore) -> str:
    """Same version, other content: the same is shown whichever came first, and the second to arrive
    is a conflict."""
    contents: tuple[dict[str, Any] | None, ...] = ({"x": 1, "y": 1}, {"x": 2, "y": 2}, None)
    pairs = list(itertools.permutations(contents, 2))
    with Twin("ties", make_store, NEVER) as twin:
        for step in range(2):
            twin.deliver([Change(key, 5, pair[step]) for key, pair in enumerate(pairs)])
        rows = twin.bench.rows()
        for key, pair in enumerate(pairs):
            other = pairs.index((pair[1], pair[0]))
            if rows.get(key) != rows.get(other):
                raise twin.bench.failed(
                    f"one order shows {rows.get(key)}, the other {rows.get(other)}", key
                )
        twin.deliver([put(key, 6) for key, _ in enumerate(pairs)])
        twin.deliver([Change(key, 5, pair[0]) for key, pair in enumerate(pairs)])
        if twin.bench.held() != twin.plain.held():
            raise twin.bench.failed("something newer did not end the disputes")
    return f"{len(pairs)} ordered pairs of contents"


def check_retention_zero(make_store: MakeStore) -> str:
    """With retention 0, the reaper after every delivery, any order and any duplicates: what was
    accepted is what is shown."""
    runs = list(_forgetting())[:: sample_of(make_store)]
    with Twin("retention zero", make_store, TableSpec("kit", ("id",), retention=0.0)) as twin:
        for number, changes in enumerate(runs):
            for change in changes:
                twin.deliver(
                    [change._replace(key=number % 7, version=change.version + number * SPACE)]
                )
                twin.reap()
        twin.judge()
        twin.bench.judge_replay()
    return f"{len(runs)} sequences, the reaper after each delivery"


def _forgetting() -> Iterator[list[Change]]:
    """Every order, with at most one duplicate, of the histories in which something is deleted.

    They share a few keys and one table: the versions of a later sequence lie above every floor of
    the earlier ones, and a row that is left over is first deleted.
    """
    for history in FORGETTING:
        events = [make(0, version) for version, make in enumerate(history, 1)]
        for order in sequences(len(events), len(events) + 1):
            yield [*(events[place] for place in order), delete(0, len(events) + 1)]


def check_expired(make_store: MakeStore) -> str:
    """A tombstone that is older than its retention, but still there, is free memory: it decides
    exactly."""
    with Twin("expired", make_store, TableSpec("kit", ("id",), retention=10.0)) as twin:
        start = twin.bench.now()
        twin.deliver([delete(1, 5), delete(2, 5), put(3, 5)], start)
        twin.deliver([put(1, 4), delete(2, 4), put(3, 4)], start + LATER)
        twin.deliver([put(1, 6), delete(2, 5), put(3, 5)], start + 2 * LATER)
        twin.judge()
    return "6 deliveries after the retention had passed"


def check_young(make_store: MakeStore) -> str:
    """The reaper forgets tombstones only, only those written before the time that it is given, and
    never more of them than it is told."""
    with Bench("young tombstones", make_store) as bench:
        start = bench.now()
        bench.deliver([delete(1, 5), delete(2, 5), put(3, 5)], now=start)
        bench.deliver([delete(4, 5)], now=start + LATER)
        between = start + LATER / 2
        for most, wanted in ((1, 1), (ENOUGH, 1), (ENOUGH, 0)):
            gone = bench.store.reap(bench.spec, between, most)
            bench.steps.append(f"reap at most {most} of before: {gone} forgotten")
            if gone != wanted:
                raise bench.failed(f"the reaper forgot {gone} tombstones, not {wanted}")
        late, stale = Reason.LATE, Reason.STALE
        told = [put(key, 4) for key in (1, 2, 3, 4)]
        found = bench.deliver(told)
        if found != [late, late, stale, stale]:
            raise bench.failed(
                f"{found}: two forgotten keys are {late}; a row and a young tombstone say {stale}"
            )
        bench.judge()
    return "two old tombstones, one by one; a row; a young tombstone"


def check_floor_of_others(make_store: MakeStore) -> str:
    """What one connection forgot, every other connection knows, however long it has been open."""
    with Bench("floor of others", make_store) as bench:
        bench.deliver([put(9, 1)])
        other = bench.connect()
        bench.deliver([put(8, 1)], store=other)
        bench.deliver([put(1, 10), delete(1, 12)])
        bench.reap()
        first, *_, last = bench.deliver(
            [put(1, 10), put(2, 11), delete(3, 9), put(4, 13)], store=other
        )
        if (first, last) != (Reason.LATE, Reason.APPLIED):
            raise bench.failed(
                f"another connection decided {first} and {last}, the rules say late and applied"
            )
        bench.deliver([put(3, 8), put(2, 11), delete(1, 11), put(1, 10)])
        other.close()
        bench.judge()
        bench.judge_replay()
    return "a floor raised by another connection"


def check_truncate(make_store: MakeStore) -> str:
    """A truncate is a tombstone of every key: in every order, what is older than it is gone for
    ever."""
    events = [put(1, 1), truncate(2), part(1, 3, "x"), put(2, 1)]
    orders = list(itertools.permutations(range(4)))
    for order in orders[::3]:
        with Twin("truncate", make_store, TableSpec("kit", ("id",), retention=0.0)) as twin:
            for place in order:
                twin.deliver([events[place]])
                twin.reap()
            twin.judge()
    return f"{len(orders[::3])} orders"


def check_refused(make_store: MakeStore) -> str:
    """The store refuses a content: that event is held as malformed, its bytes are kept, and nobody
    is released because of it."""
    place = make_store()
    poison = place.poison
    place.close()
    if poison is None:
        return "not tried: this place refuses nothing"
    with Bench("refused", make_store, NEVER) as bench:
        bad = Change(1, 2, {"x": poison, "y": "y"})
        found = bench.deliver([put(1, 1), bad, put(2, 1)])
        if found[1] is not Reason.MALFORMED:
            raise bench.failed(f"the refused change ended as {found[1]}, not as malformed", 1)
        bench.judge()
        bench.deliver([Change(3, 1, {"x": poison, "y": "y"}), bad, put(3, 2), put(1, 3)])
        bench.judge()
        bench.judge_replay()
    return "refused alone, before and after a good change, and beside other keys"
