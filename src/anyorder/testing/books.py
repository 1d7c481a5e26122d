"""Checks of everything beside the rows: quarantine, frontier, lineage, growth, and what a reader
sees."""

from __future__ import annotations

import contextlib

from anyorder._core.event import Event, Kind
from anyorder._core.key import KeyKind
from anyorder._core.outcome import Reason
from anyorder._core.reset import Growth
from anyorder.guard.contract import EntryQuery, Recorded, Store
from anyorder.guard.intake import Share, take_in
from anyorder.guard.parts import take
from anyorder.guard.quarantine import Quarantine
from anyorder.guard.recall import recall_one
from anyorder.testing.bench import NEVER, RETENTION_ZERO, Bench
from anyorder.testing.change import Change, decode, delete, put, truncate
from anyorder.testing.place import MakeStore

PLACES = ("one place", "another place")
"""Provenances of what is held; `change.decode` tells them apart."""


def check_quarantine(make_store: MakeStore) -> str:
    """What is held keeps its exact bytes and its provenance, is held once, and can be dropped,
    accepted or settled by itself."""
    with Bench("quarantine", make_store, RETENTION_ZERO) as bench:
        tried = _check_late(bench) if bench.store.promises.forgets else "no event is ever late"
    _check_truncates(make_store)
    return f"{tried}; held truncates accepted, settled"


def _check_late(bench: Bench) -> str:
    bench.deliver([delete(key, 10) for key in (1, 2, 3)])
    bench.reap()
    late = [put(1, 4), put(2, 4), put(3, 4)]
    _expect(bench, late, Reason.LATE, PLACES[0])
    _expect(bench, late, Reason.DUPLICATE)
    quarantine = Quarantine(bench.store, bench.spec, decode)
    entries = {str(entry.key): entry for entry in quarantine.entries(reason="late")}
    if len(entries) != 3 or any(entry.count != 2 for entry in entries.values()):
        raise bench.failed(
            f"three late puts delivered twice are the entries {list(entries.values())}"
        )
    numbers = [entries[str({"id": key})].id for key in (1, 2, 3)]
    shown = quarantine.show(numbers[0])
    if shown.delivery != late[0].event(PLACES[0]).delivery:
        raise bench.failed("an entry does not give back the exact delivery", 1)
    if shown.provenance != PLACES[0]:
        raise bench.failed(f"an entry gives back {shown.provenance!r}, not its provenance", 1)
    _check_held(bench, late[0])
    quarantine.drop(numbers[0])
    quarantine.accept(numbers[1])
    bench.deliver([put(3, 11)])
    states = [quarantine.show(number).state for number in numbers]
    if states != ["dropped", "accepted", "settled"]:
        raise bench.failed(f"the entries are {states}, not dropped, accepted and settled")
    _expect(bench, [late[0]], Reason.DUPLICATE)
    if bench.rows() != {2: {"x": "2@4", "y": "2@4"}, 3: {"x": "3@11", "y": "3@11"}}:
        raise bench.failed(f"the rows are {bench.rows()}")
    _expect(bench, [put(2, 5)], Reason.LATE)
    _expect(bench, [delete(2, 6)], Reason.ABSORBED)
    _size(bench)
    return "late puts dropped, accepted, settled; an accepted row below its birth"


def _check_held(bench: Bench, change: Change) -> None:
    """What is decided again is told with its provenance, too: it says whose SQL writes the row."""
    with bench.store.reading() as transaction:
        there = recall_one(transaction, bench.spec, change.event().entity)
    told = [one.provenance for one in there.held]
    if told != [PLACES[0]]:
        raise bench.failed(f"what is held of a key is told with the provenances {told}", change.key)


def _check_truncates(make_store: MakeStore) -> None:
    with Bench("quarantine", make_store, NEVER) as bench:
        bench.deliver([put(1, 1), truncate(5), put(2, 6)])
        held = [truncate(version)._replace(scope="another clock") for version in (3, 2)]
        for change, provenance in zip(held, PLACES, strict=True):
            _expect(bench, [change], Reason.CONFLICT, provenance)
        quarantine = Quarantine(bench.store, bench.spec, decode)
        numbers = [entry.id for entry in quarantine.entries()]
        kept = tuple(quarantine.show(number).provenance for number in numbers)
        if kept != PLACES:
            raise bench.failed(f"entries of the provenances {PLACES} give back {kept}")
        quarantine.accept(numbers[0])
        states = [quarantine.show(number).state for number in numbers]
        if states != ["accepted", "settled"]:
            raise bench.failed(
                f"of two held truncates the later was accepted, and they are {states}, not "
                "accepted and settled"
            )
        if bench.rows() != {2: {"x": "2@6", "y": "2@6"}}:
            raise bench.failed(
                f"the rows are {bench.rows()} after a truncate was accepted whose clock tells "
                "nothing of them"
            )


def _expect(bench: Bench, changes: list[Change], wanted: Reason, provenance: str = "") -> None:
    found = bench.deliver(changes, provenance=provenance)
    for change, reason in zip(changes, found, strict=True):
        if reason is not wanted:
            raise bench.failed(f"{change} ended as {reason}, not as {wanted}", change.key)


def _size(bench: Bench) -> None:
    with bench.store.reading() as transaction:
        size, listed = transaction.quarantine_size(), list(transaction.entries(EntryQuery("")))
    if size <= 0 or not listed:
        raise bench.failed(f"the quarantine says it holds {size} bytes in {len(listed)} entries")


class Stopped(Exception):
    """Ends a transaction in the middle."""


def check_promises(make_store: MakeStore) -> str:
    """What the store says of itself holds: it forgets or never does; a batch that ends in the
    middle leaves nothing, if it is one transaction."""
    with Bench("promises", make_store, RETENTION_ZERO) as bench:
        promises = bench.store.promises
        bench.deliver([delete(1, 5)])
        if bool(bench.reap()) is not promises.forgets:
            raise bench.failed(f"it promises forgets={promises.forgets}")
        _expect(bench, [put(1, 4)], Reason.LATE if promises.forgets else Reason.STALE)
    if promises.one_transaction:
        _check_one_transaction(make_store)
    return (
        f"forgets={promises.forgets}, one_transaction={promises.one_transaction}, "
        f"exact_outcome={promises.exact_outcome} (by *ambiguous commit*)"
    )


def _check_one_transaction(make_store: MakeStore) -> None:
    with Bench("promises", make_store, NEVER) as bench:
        bench.deliver([put(1, 1)])
        before = bench.rows(), bench.held(), bench.memories([1, 2])
        with contextlib.suppress(Stopped), bench.store.transaction(bench.now()) as transaction:
            take_in(
                transaction,
                [
                    Share(
                        bench.spec,
                        [put(1, 2).event(), delete(2, 1).event(), Event(Kind.MALFORMED, note="x")],
                    )
                ],
                (),
                bench.token(),
            )
            transaction.save_frontier("source", "9")
            raise Stopped
        with bench.store.reading() as transaction:
            frontier = transaction.frontier("source")
        if (bench.rows(), bench.held(), bench.memories([1, 2])) != before or frontier is not None:
            raise bench.failed(
                "it promises one_transaction=True, and a batch that ended in the middle left "
                "something behind"
            )


def check_books(make_store: MakeStore) -> str:
    """Frontier, lineage, growth and table facts survive the connection; a dry run and a reader
    change nothing."""
    growth = Growth(((1, 2),), 5, 7, snapshots=((3, 4), (5, 2**62)))
    other_growth = Growth((((3, 2**70), 4),), (3, 2**70), 8)
    with Bench("books", make_store, NEVER) as bench:
        events = [put(1, 1).event(), delete(2, 1).event(), Event(Kind.MALFORMED, note="not JSON")]
        take(
            bench.store, [Share(bench.spec, events)], now=1.0, token="t", frontier=("source", "17")
        )
        take(
            bench.store,
            [Share(bench.spec, [put(3, 1).event()])],
            now=1.0,
            token="t",
            frontier=("source", "99"),
            dry=True,
        )
        with bench.store.transaction(2.0) as transaction:
            transaction.add_run("log", "run-b")
            transaction.add_run("log", "run-a")
            transaction.save_growths({"log|run": growth, "log|other": other_growth})
        other = bench.connect()
        with other.reading() as transaction:
            facts = {found.name: found for found in transaction.tables()}["kit"]
            found = (
                transaction.frontier("source"),
                transaction.frontier("another"),
                dict(transaction.lineage()),
                transaction.growths(["log|run", "none"]),
                transaction.growths(),
                facts.key,
                (facts.rows, facts.live, facts.tombstones),
                [entry.reason for entry in transaction.entries(EntryQuery("open"))],
            )
        other.close()
        wanted = (
            "17",
            None,
            {"log": ("run-a", "run-b")},
            {"log|run": growth},
            {"log|run": growth, "log|other": other_growth},
            ("id",),
            (1, 1, 1),
            ["malformed"],
        )
        for place, (is_there, should_be) in enumerate(zip(found, wanted, strict=True)):
            if is_there != should_be:
                names = (
                    "frontier",
                    "frontier of an unknown source",
                    "lineage",
                    "growth",
                    "all growths",
                    "key",
                    "counts",
                    "quarantine",
                )
                raise bench.failed(
                    f"{names[place]}: another connection sees {is_there!r}, not {should_be!r}"
                )
        if bench.rows() != {1: {"x": "1@1", "y": "1@1"}}:
            raise bench.failed(f"the rows are {bench.rows()}")
    return "frontier, lineage, growth, counts, a dry run, a malformed delivery"


def check_catalogue(make_store: MakeStore) -> str:
    """What is recorded of a table stays: batches and a dry run leave it, other connections
    see it, and who decided on something else is told no."""
    kinds = {"id": KeyKind.NUMBER}
    mine = Recorded(
        "eu.users", "users", ("eu", "before"), 60.5, 4, "older-than-everything", kinds=kinds
    )
    other = Recorded("us.users")
    with Bench("catalogue", make_store, NEVER) as bench:
        bench.deliver([put(1, 1)])
        with bench.store.reading() as transaction:
            learned = transaction.recorded("kit")
        if _record(bench, bench.store, mine, mine) or not _record(
            bench, bench.store, learned, mine
        ):
            raise bench.failed(f"{learned} was recorded: only who decided on that may record")
        _record(bench, bench.store, mine, other, dry=True)
        connection = bench.connect()
        overruled = _record(bench, connection, learned, other)
        bench.deliver([put(1, 2), delete(2, 1), truncate(5), put(3, 6)])
        with connection.reading() as transaction:
            found = {target.name: target.recorded for target in transaction.catalogue()}
        connection.close()
        if overruled or found != {"kit": mine}:
            raise bench.failed(f"{mine} was recorded first, another connection sees {found}")
    return "recorded, a dry run, batches, a second that claims it"


def _record(
    bench: Bench, store: Store, before: Recorded | None, after: Recorded, *, dry: bool = False
) -> bool:
    with store.transaction(bench.now(), dry=dry) as transaction:
        transaction.open_table(bench.spec)
        return transaction.record(bench.spec.name, before, after)
