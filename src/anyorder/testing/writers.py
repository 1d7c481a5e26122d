"""Many writers at once, a reaper among them: the chain test, and whether a value belongs to its
position."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, NamedTuple

from anyorder._core.batch import Decision
from anyorder._core.memory import Stamp
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Store, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.stores import open_store
from anyorder.testing.bench import RETENTION_ZERO, Bench
from anyorder.testing.change import Change, decode, delete, put
from anyorder.testing.place import MakeStore

DELETES = 0.3  # share of the versions that are deletes
REAP_PAUSE = 0.005  # seconds between two passes of the reaper


class Load(NamedTuple):
    """How much is written: `writers` in all, each event delivered by `copies` of them, shuffled,
    some of them twice.

    `disorder`: by how many versions a delivery may come too early or too late. `batch`: most
    deliveries at once.
    """

    keys: int
    versions: int
    writers: int
    processes: int
    repeated: float = 0.2
    disorder: float = 5.0
    batch: int = 8
    copies: int = 4

    @property
    def deliveries(self) -> int:
        """Of all writers together, about."""
        return int(self.keys * self.versions * min(self.copies, self.writers) * (1 + self.repeated))

    def share(self, changes: list[Change], writer: int) -> list[Change]:
        """What one writer delivers."""
        return [
            change
            for place, change in enumerate(changes)
            if (place * 7 + writer) % self.writers < self.copies
        ]


class Link(NamedTuple):
    """One applied event: its key, its version, and the version of the memory that it replaced
    (None: an empty slot)."""

    key: object
    version: int
    before: int | None


USUAL = Load(keys=5, versions=40, writers=4, processes=2)


def history(load: Load) -> list[Change]:
    """The changes of the load: which versions are deletes is drawn once."""
    draw = random.Random(7)
    return [
        delete(key, version) if draw.random() < DELETES else put(key, version)
        for key in range(load.keys)
        for version in range(1, load.versions + 1)
    ]


def check_writers(make_store: MakeStore, load: Load = USUAL) -> str:
    """Under concurrent writers and a reaper every applied event replaced exactly one predecessor:
    no forks, no gaps, the newest shown."""
    with Bench("writers", make_store, RETENTION_ZERO) as bench:
        bench.delivered += history(load)
        began = time.monotonic()
        url = bench.place.url
        links = _by_processes(url, load, bench) if url is not None else _by_threads(bench, load)
        took = time.monotonic() - began
        judge_chain(bench, links)
        _judge_values(bench)
        bench.judge()
        bench.judge_replay()
    place = f"{load.processes} processes" if url is not None else "one process"
    return (
        f"{load.writers} writers in {place} and a reaper, {load.deliveries} "
        f"deliveries, {len(links)} links, {load.deliveries / took:.0f}/s"
    )


def _by_threads(bench: Bench, load: Load) -> list[Link]:
    stores = [bench.connect() for _ in range(load.writers + 1)]
    try:
        return write_and_reap(stores[:-1], stores[-1], bench.spec, load, first=0)
    finally:
        for store in stores:
            store.close()


def _by_processes(url: str, load: Load, bench: Bench) -> list[Link]:
    """The first process reaps as well; each opens its own connections by the URL."""
    each = load.writers // load.processes
    with ProcessPoolExecutor(load.processes, multiprocessing.get_context("spawn")) as pool:
        running = [
            pool.submit(_one_process, url, bench.spec, load, each, number)
            for number in range(load.processes)
        ]
        return [link for found in running for link in found.result()]


def _one_process(url: str, spec: TableSpec, load: Load, writers: int, number: int) -> list[Link]:
    stores = [open_store(url, decode) for _ in range(writers + 1)]
    try:
        return write_and_reap(
            stores[:-1], stores[-1] if number == 0 else None, spec, load, first=number * writers
        )
    finally:
        for store in stores:
            store.close()


def write_and_reap(
    writers: Sequence[Store], reaper: Store | None, spec: TableSpec, load: Load, first: int
) -> list[Link]:
    """Each connection delivers the whole history in its own order, while the reaper forgets what it
    can."""
    with ThreadPoolExecutor(len(writers) + 1) as pool:
        writing = [
            pool.submit(_write, store, spec, load, first + number)
            for number, store in enumerate(writers)
        ]
        if reaper is not None:
            pool.submit(_reap, reaper, spec, writing).result()
        return [link for found in writing for link in found.result()]


def _write(store: Store, spec: TableSpec, load: Load, seed: int) -> list[Link]:
    draw, links = random.Random(seed), list[Link]()
    changes = load.share(history(load), seed)
    changes += draw.sample(changes, int(len(changes) * load.repeated))
    changes.sort(key=lambda change: change.version + draw.random() * load.disorder)
    while changes:
        size = draw.randint(1, load.batch)
        batch, changes = changes[:size], changes[size:]
        taken = take(
            store,
            [Share(spec, [change.event() for change in batch])],
            now=time.time(),
            token=f"{seed}-{len(changes)}",
        )
        links += [
            _link(decision) for decision in taken.decisions if decision.reason is Reason.APPLIED
        ]
    return links


def _link(decision: Decision) -> Link:
    event, against = decision.event, decision.against
    assert event.key is not None
    return Link(
        event.key["id"],
        _version(event.position),
        _version(against.position) if isinstance(against, Stamp) else None,
    )


def _version(position: Any) -> int:
    """All changes here are at versions."""
    version: int = position.value[0]
    return version


def _reap(store: Store, spec: TableSpec, writing: Sequence[Future[list[Link]]]) -> None:
    while not all(found.done() for found in writing):
        store.reap(spec, time.time(), 100)
        time.sleep(REAP_PAUSE)


def judge_chain(bench: Bench, links: Sequence[Link]) -> None:
    """Per key: every version applied once, every memory replaced once, always by something newer,
    and nothing lost between."""
    deletes = {(change.key, change.version) for change in bench.delivered if change.fields is None}
    by_key: dict[object, list[Link]] = {}
    for link in links:
        by_key.setdefault(link.key, []).append(link)
    for key, found in by_key.items():
        _judge_newer(bench, key, found)
        _judge_once(bench, key, "was applied", Counter(link.version for link in found))
        replaced = Counter(link.before for link in found if link.before is not None)
        _judge_once(bench, key, "was replaced", replaced)
        _judge_unbroken(bench, key, found, deletes)


def _judge_newer(bench: Bench, key: object, found: Sequence[Link]) -> None:
    for link in found:
        if link.before is not None and link.before >= link.version:
            raise bench.failed(
                f"version {link.version} replaced version {link.before}, which is not older", key
            )


def _judge_unbroken(
    bench: Bench, key: object, found: Sequence[Link], deletes: set[tuple[Any, int]]
) -> None:
    """Each link replaced the one before it, or found nothing, where a delete was forgotten."""
    newest: int | None = None
    for link in sorted(found, key=lambda link: link.version):
        forgotten = newest is None or (key, newest) in deletes
        found_nothing = link.before is None and forgotten
        if link.before != newest and not found_nothing:
            raise bench.failed(
                f"version {link.version} replaced {link.before}, "
                f"but version {newest} was applied between them",
                key,
            )
        newest = link.version


def _judge_once(bench: Bench, key: object, what: str, counts: Counter[int]) -> None:
    for version, count in counts.items():
        if count > 1:
            raise bench.failed(f"fork: version {version} {what} {count} times", key)


def _judge_values(bench: Bench) -> None:
    """A row's two values come from one event, and from the one that is remembered."""
    rows = bench.rows()
    for key, text in bench.memories(rows).items():
        row = rows[key]
        if row["x"] != row["y"] or f"[{str(row['x']).rpartition('@')[2]}]" not in text:
            raise bench.failed(f"torn row: {row} beside the memory {text}", key)
