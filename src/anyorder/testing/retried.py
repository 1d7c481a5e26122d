"""The check of what a mistake held: read anew by the right envelope, it comes to what it would have
come to at once."""

from __future__ import annotations

import random
from collections import Counter

from anyorder._core.batch import Judged
from anyorder._core.event import Delivery, entity_of
from anyorder._core.outcome import Reason
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Closing, Entry, EntryQuery
from anyorder.guard.holdings import holding
from anyorder.guard.quarantine import Quarantine
from anyorder.runtime.again import Reading
from anyorder.runtime.retry import Retried, Retry
from anyorder.testing.bench import NEVER, RETENTION_ZERO, Bench
from anyorder.testing.change import Change, decode, delete, part, put, truncate
from anyorder.testing.place import MakeStore

MISTAKEN, RIGHT = "by mistake", "as it should be"
"""Provenances of what is held; `change.decode` reads a delivery with its own only."""
HISTORIES = 12
MANY = 120  # more than most stores take in one request
KEYS = (1, 2, 3)


def check_retried(make_store: MakeStore) -> str:
    """What was held because it was read by another envelope comes, when it is retried, to the rows,
    memories and entries that it would have come to at once; what cannot be read stays, and says why
    today. What no table takes is held and settled like anything else, in a store that holds nothing
    else as well."""
    for seed in range(HISTORIES):
        _check_history(make_store, _history(random.Random(seed)), seed)
    _check_entries(make_store)
    _check_no_table(make_store)
    return (
        f"{HISTORIES} histories, every second change held by mistake; entries told anew; "
        f"{MANY} entries of no table"
    )


def _history(chance: random.Random) -> list[Change]:
    """Changes of few keys in any order: ties, partial puts and a truncate among them."""
    found: list[Change] = [truncate(chance.randrange(1, 6))]
    for version in range(1, 11):
        key = chance.choice(KEYS)
        found.append(chance.choice([put(key, version), delete(key, version), put(key, version)]))
    found += [part(chance.choice(KEYS), chance.randrange(1, 11), "x") for _ in range(3)]
    chance.shuffle(found)
    return found


def _check_history(make_store: MakeStore, history: list[Change], seed: int) -> None:
    """`seed`: odd ones forget every tombstone half-way, where the store forgets."""
    spec = RETENTION_ZERO if seed % 2 else NEVER
    first, second = history[: len(history) // 2], history[len(history) // 2 :]
    with Bench("retried", make_store, spec) as right, Bench("retried", make_store, spec) as bench:
        for one in (right, bench):
            one.deliver(first[::2], provenance=RIGHT)
            one.reap()
        right.deliver([*second[::2], *first[1::2], *second[1::2]], provenance=RIGHT)
        bench.deliver(second[::2], provenance=RIGHT)
        misread(bench, [*first[1::2], *second[1::2]])
        retry(bench)
        for name, found, wanted in (
            ("rows", bench.rows(), right.rows()),
            ("memories", bench.memories(KEYS), right.memories(KEYS)),
            ("entries", _open(bench), _open(right)),
        ):
            if found != wanted:
                raise bench.failed(
                    f"the {name} after a retry are {found}, and would have been {wanted} at once"
                )
        before = _open(bench)
        if retry(bench).settled or _open(bench) != before:
            raise bench.failed(f"a second retry makes {_open(bench)} of {before}")


def _open(bench: Bench) -> list[tuple[str, str, str]]:
    with bench.store.reading() as transaction:
        found = [transaction.entry(one.id) for one in transaction.entries(EntryQuery())]
    entries = [entry for entry in found if entry is not None]
    return sorted((str(entry.key), entry.reason, entry.provenance) for entry in entries)


def misread(bench: Bench, changes: list[Change]) -> None:
    """Deliver changes that an envelope takes for no change at all."""
    events = [decode(MISTAKEN, change.event(RIGHT).delivery) for change in changes]
    bench.take(events, bench.store, bench.token(), bench.now(), MISTAKEN)
    bench.steps += [f"{change}: held by mistake" for change in changes]


def retry(bench: Bench) -> Retried:
    """Everything that is open, by the right envelope."""
    with bench.store.reading() as transaction:
        catalogue = Catalogue(lambda *_: bench.spec)
        catalogue.load(transaction)
    return Retry(bench.store, catalogue, read_anew).run()


def read_anew(_: str, delivery: Delivery) -> Reading:
    """By the right envelope, whatever read it before."""
    return Reading(decode(RIGHT, delivery), RIGHT, is_ours=True)


def _check_entries(make_store: MakeStore) -> None:
    """An entry that is read anew, and stays, tells so; one that is closed stays as it was."""
    with Bench("retried", make_store, NEVER) as bench:
        misread(bench, [put(1, 1)])
        quarantine = Quarantine(bench.store, bench.spec, decode)
        (number,) = [entry.id for entry in quarantine.entries()]
        _reread(bench, number, "read anew", dry=True)
        _expect(bench, number, Reason.MALFORMED, "not a change of the kit", MISTAKEN)
        _reread(bench, number, "read anew")
        told = _expect(bench, number, Reason.CONFLICT, "read anew", RIGHT)
        if told.count != 1:
            raise bench.failed(f"an entry that was read anew was held {told.count} times")
        _expect_counts(bench, [number], wanted=1)
        quarantine.drop(number)
        _reread(bench, number, "too late")
        dropped = quarantine.show(number)
        if "too late" in dropped.detail or dropped.state != "dropped":
            raise bench.failed(f"an entry that was dropped is read anew: {dropped}")
        _expect_counts(bench, [number], wanted=0)


def _check_no_table(make_store: MakeStore) -> None:
    """What comes before there is any table, with a key or without."""
    with Bench("retried", make_store, NEVER) as bench:
        numbers = [_hold_unrouted(bench, put(key, 1)) for key in range(1, MANY)]
        numbers.append(_hold_unrouted(bench, truncate(1)))
        _expect_counts(bench, numbers, wanted=MANY)
        with bench.store.reading() as transaction:
            found = [entry.id for entry in transaction.entries_among(numbers[::-1])]
            others = transaction.entries_among([max(numbers) + 1])
        if (found, others) != (numbers[::-1], []):
            raise bench.failed(f"of the entries {numbers[::-1]} it finds {found}, and {others}")
        quarantine = Quarantine(bench.store, None, decode)
        quarantine.drop(numbers[0])
        closings = [Closing(number, "settled", Reason.APPLIED) for number in numbers]
        with bench.store.transaction(bench.now(), dry=True) as transaction:
            transaction.settle_all(closings)
        _expect_counts(bench, numbers, wanted=MANY - 1)
        with bench.store.transaction(bench.now()) as transaction:
            transaction.settle_all(closings)
        _expect_counts(bench, numbers, wanted=0)
        states = Counter(quarantine.show(number).state for number in numbers)
        if states != {"dropped": 1, "settled": MANY - 1}:
            raise bench.failed(f"one was dropped, the others settled, and they are {states}")


def _hold_unrouted(bench: Bench, change: Change) -> int:
    judged = Judged(0, change.event(RIGHT), Reason.UNROUTED)
    one = holding("", entity_of(judged.event.key), judged, RIGHT)
    with bench.store.transaction(bench.now()) as transaction:
        (listing,) = transaction.hold([one])
    bench.steps.append(f"{change}: held for no table")
    return listing.entry


def _expect_counts(bench: Bench, numbers: list[int], *, wanted: int) -> None:
    with bench.store.reading() as transaction:
        found = transaction.open_entries(), len(transaction.open_among(numbers))
    if found != (wanted, wanted):
        raise bench.failed(f"{wanted} entries are open, and the store counts {found}")


def _reread(bench: Bench, number: int, detail: str, *, dry: bool = False) -> None:
    with bench.store.transaction(bench.now(), dry=dry) as transaction:
        transaction.reread(number, Reason.CONFLICT, detail, RIGHT)


def _expect(bench: Bench, number: int, reason: Reason, detail: str, provenance: str) -> Entry:
    with bench.store.reading() as transaction:
        entry = transaction.entry(number)
    assert entry is not None
    found = (entry.reason, entry.detail, entry.provenance)
    if found != (reason, detail, provenance):
        raise bench.failed(f"an entry tells {found}, not {(reason.value, detail, provenance)}")
    return entry
