"""Many threads with one store object: what one of them was told stays, whatever the others do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from anyorder._core.outcome import Reason
from anyorder.guard.contract import EntryQuery
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.guard.quarantine import Quarantine
from anyorder.testing.bench import NEVER, Bench
from anyorder.testing.change import Change, decode, put
from anyorder.testing.place import MakeStore, sample_of
from anyorder.why.story import story_of

THREADS = 8
USUAL = 480  # events of all threads together
BATCH = 5  # the last of each is one that no clock can place
ELSEWHERE = "another clock"


class Told(NamedTuple):
    """What one thread was told: the changes that were applied, and the entries that it dropped."""

    applied: list[Change]
    dropped: list[int]


def check_threads(make_store: MakeStore, events: int = USUAL) -> str:
    """Eight threads with one store object apply, ask why and settle at once: nothing that one was
    told is undone by another, and no question fails.

    `events`: how many they deliver together; a store that is sampled gets fewer.
    """
    each = max(3 * BATCH, events // THREADS // sample_of(make_store))
    with Bench("threads", make_store, NEVER) as bench:
        # The table is made first: many first starts at once are another matter (*writers*).
        bench.deliver([put("first", 1)])
        told = _all_at_once(bench, each)
        for one in told:
            bench.delivered += one.applied
        _judge_rows(bench, told)
        _judge_entries(bench, told)
    return (
        f"{THREADS} threads, {each * THREADS} events, {sum(len(t.dropped) for t in told)} settled"
    )


def _all_at_once(bench: Bench, each: int) -> list[Told]:
    start = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(_one, bench, start, number, each) for number in range(THREADS)]
        try:
            return [found.result() for found in running]
        except AssertionError:
            raise
        except Exception as error:
            raise bench.failed(
                f"one of {THREADS} threads with one store object met "
                f"{type(error).__name__}: {error}"
            ) from error


def _one(bench: Bench, start: threading.Barrier, number: int, each: int) -> Told:
    """One thread: batches of its own keys, a question after each, and one entry settled."""
    told = Told(applied=[], dropped=[])
    start.wait()
    for first in range(0, each, BATCH):
        puts = [put(f"{number}-{key}", 1) for key in range(first, first + BATCH - 1)]
        undecided = puts[0]._replace(scope=ELSEWHERE)
        _deliver(bench, told, [*puts, undecided])
        asked = puts[-1].key
        state = story_of(bench.store, bench.spec, asked).state
        if state != "row":
            raise bench.failed(f"key {asked!r} was applied, and `why` then says {state}")
        told.dropped.append(_settle(bench, puts[0].key))
    return told


def _deliver(bench: Bench, told: Told, changes: Sequence[Change]) -> None:
    shares = [Share(bench.spec, [change.event() for change in changes])]
    taken = take(bench.store, shares, now=bench.now(), token=bench.token())
    for change, decision in zip(changes, taken.decisions, strict=True):
        if decision.reason is Reason.APPLIED:
            told.applied.append(change)


def _settle(bench: Bench, key: object) -> int:
    """Drop the one entry of a key; its number."""
    quarantine = Quarantine(bench.store, bench.spec, decode)
    with bench.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery("open", bench.spec.name)))
    found = [entry.id for entry in entries if entry.key == {"id": key}]
    if len(found) != 1:
        raise bench.failed(f"key {key!r} has {len(found)} open entries where one was held")
    quarantine.drop(found[0])
    return found[0]


def _judge_rows(bench: Bench, told: Sequence[Told]) -> None:
    """Every put that a thread was told to be applied is a row."""
    rows = bench.rows()
    missing = [
        change.key
        for one in told
        for change in one.applied
        if rows.get(change.key) != change.fields
    ]
    if missing:
        raise bench.failed(
            f"{len(missing)} events were answered `applied` and their rows are missing, "
            f"{missing[0]!r} among them"
        )


def _judge_entries(bench: Bench, told: Sequence[Told]) -> None:
    """Every entry that a thread dropped is dropped, and no other is there."""
    dropped = sorted(number for one in told for number in one.dropped)
    with bench.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery("", bench.spec.name)))
    found = sorted(entry.id for entry in entries if entry.state == "dropped")
    if found != dropped or len(entries) != len(dropped):
        raise bench.failed(
            f"{len(dropped)} entries were dropped; of {len(entries)} there are {len(found)} dropped"
        )
