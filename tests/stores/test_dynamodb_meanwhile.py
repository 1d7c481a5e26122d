"""What happens to a batch on DynamoDB in the middle: other writers' news, a crash between two
steps, content that is too large."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from anyorder._core.batch import Judged, identity_of
from anyorder._core.columns import Written
from anyorder._core.event import Delivery, Event, Kind, canonical
from anyorder._core.families import LogPosition, ScalarPosition
from anyorder._core.fold import stamp_of
from anyorder._core.memory import Memory
from anyorder._core.outcome import Reason
from anyorder.cli.main import main
from anyorder.errors import StoreError
from anyorder.guard.batch import reconsider_keys
from anyorder.guard.contract import Closing, EntryQuery, Lost, News, TableSpec, Write
from anyorder.guard.holdings import holding
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.guard.quarantine import Quarantine
from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.entries import former_lookup_of
from anyorder.testing.bench import NEVER, RETENTION_ZERO, Bench
from anyorder.testing.change import Change, decode, delete, put, truncate
from anyorder.testing.place import Place
from tests.stores.dynamodb_place import dynamodb_place

SECOND = 1_000_000


class Meanwhile:
    """A client that does something else right before its next request of a kind."""

    def __init__(self, client: Any, operation: str, act: Callable[[], object]) -> None:
        self._client = client
        self._operation = operation
        self._act: Callable[[], object] | None = act

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and self._act is not None:
            act, self._act = self._act, None
            act()
        return getattr(self._client, name)


class Crash(Exception):
    """The process ends here."""


def crash() -> None:
    """End the process."""
    raise Crash


@pytest.fixture
def place(dynamodb_local: Any) -> Iterator[Place]:
    """A fresh table that never forgets."""
    found = dynamodb_place(dynamodb_local)
    yield found
    found.close()


def deliver(
    store: Any, events: Sequence[Event], token: str, spec: TableSpec = NEVER
) -> list[Reason]:
    """The reason of each event of a batch."""
    return [
        decision.reason
        for decision in take(store, [Share(spec, events)], now=1.0, token=token).decisions
    ]


def entries(store: Any) -> list[tuple[str, str]]:
    """Every quarantine entry: reason and state."""
    with store.reading() as transaction:
        return [(entry.reason, entry.state) for entry in transaction.entries(EntryQuery(state=""))]


@pytest.mark.parametrize("read_first", [True, False])
def test_a_create_that_lands_after_the_first_truncate_is_truncated(
    dynamodb_local: Any, read_first: bool
) -> None:
    """It was decided before the table knew of any truncate, and is older than the one that another
    writer swept by meanwhile."""
    with Bench(
        "truncate", lambda: dynamodb_place(dynamodb_local, read_first=read_first), NEVER
    ) as bench:
        bench.deliver([put(9, 1)])
        other, store = bench.connect(), bench.store
        store.parts.requests.client = Meanwhile(
            dynamodb_local, "put_item", lambda: bench.deliver([truncate(5)], store=other)
        )  # type: ignore[attr-defined]
        bench.deliver([put(1, 3), put(2, 7)], store=store)
        assert set(bench.rows()) == {2}
        bench.judge()
        other.close()


def test_a_create_whose_writer_died_after_the_first_truncate_is_truncated(
    dynamodb_local: Any,
) -> None:
    """Its delivery comes again, is stale, and the row goes all the same."""
    with Bench("truncate", lambda: dynamodb_place(dynamodb_local, read_first=True), NEVER) as bench:
        bench.deliver([put(9, 1)])
        other, store = bench.connect(), bench.store

        def sweep() -> None:
            bench.deliver([truncate(5)], store=other)
            store.parts.requests.client = Meanwhile(dynamodb_local, "batch_get_item", crash)  # type: ignore[attr-defined]

        store.parts.requests.client = Meanwhile(dynamodb_local, "put_item", sweep)  # type: ignore[attr-defined]
        with pytest.raises(Crash):
            bench.deliver([put(1, 3)], store=store)
        assert set(bench.rows()) == {1}
        assert bench.deliver([put(1, 3)], store=other) == [Reason.STALE]
        assert bench.rows() == {}
        other.close()


def changed(
    number: int, lsn: int, run: str, seconds: int, x: str, key: int = 1, op: str = "u"
) -> Event:
    """A change, or a snapshot read, of a log; its delivery is its number."""
    read = op == "r"
    position = LogPosition(
        "pg:m",
        lsn,
        op,
        None if read else lsn - 1,
        None if read else number,
        "t/0",
        number,
        run,
        seconds * SECOND,
    )
    delivery = Delivery("kit", 0, number, value=str(number).encode())
    return Event(
        Kind.PUT,
        "kit",
        {"id": key},
        position,
        {"x": x},
        delivery=delivery,
        snapshot_run=("pg:m", run) if read else None,
    )


@pytest.mark.parametrize("race", [False, True])
def test_what_waits_for_a_run_that_is_learnt_meanwhile_settles(
    dynamodb_local: Any, race: bool
) -> None:
    """One writer decides that a change waits for a snapshot run (R14); another tells the run before
    the first has held it."""
    first, second = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"
    old, new = changed(1, 1000, first, 100, "old"), changed(2, 50, second, 200, "new")
    read = changed(3, 40, second, 150, "read", key=2, op="r")
    known = {event.delivery.offset: event for event in (old, new, read)}
    place = dynamodb_place(dynamodb_local)
    ours, other = (place.connect(lambda _, delivery: known[delivery.offset]) for _ in range(2))
    deliver(ours, [old], "a")
    if race:
        ours.parts.requests.client = Meanwhile(
            dynamodb_local, "transact_write_items", lambda: deliver(other, [read], "b")
        )  # type: ignore[attr-defined]
    assert deliver(ours, [new], "c") == [Reason.WAITING]
    if not race:
        deliver(other, [read], "b")
    assert entries(ours) == [("waiting", "settled")]
    assert {row["id"]: row["x"] for row in place.rows("kit")} == {1: "new", 2: "read"}
    ours.close(), other.close(), place.close()


def test_a_key_is_news_once_for_each_time_that_it_was_decided(place: Place) -> None:
    """What the quarantine holds of a key is decided again after a batch of it; the guard's own
    deciding again is no news, else it would ask for ever."""
    store: Any = place.connect(decode)
    one, two = (Change(1, 1, {"x": letter}).event() for letter in "ab")
    deliver(store, [one], "1")
    assert deliver(store, [two], "2") == [Reason.CONFLICT]
    with store.transaction(1.0) as transaction:
        limits = transaction.open_table(NEVER)
        for token in "34":
            transaction.remembered(NEVER, [one.entity])
            assert transaction.news(NEVER).again == (one.entity,)
            reconsider_keys(transaction, NEVER, [one.entity], limits, token)
            assert transaction.news(NEVER).again == ()
    with store.reading() as transaction:
        transaction.open_table(NEVER)
        transaction.remembered(NEVER, [one.entity])
        assert transaction.news(NEVER) == News()
    store.close()


@pytest.mark.parametrize("operation", ["put_item", "update_item", "transact_write_items"])
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_a_dispute_keeps_its_other_content_over_a_crash(
    place: Place, dynamodb_local: Any, order: str, operation: str
) -> None:
    """Two contents of one position; the writer of the second dies before one of its requests: the
    entry lists the other all the same (R12)."""
    store: Any = place.connect(decode)
    one, two = (Change(1, 1, {"x": letter}).event() for letter in order)
    deliver(store, [one], "1")
    store.parts.requests.client = Meanwhile(dynamodb_local, operation, crash)
    with contextlib.suppress(Crash):
        deliver(store, [two], "2")
    store.parts.requests.client = dynamodb_local
    deliver(store, [two], "3")
    with store.reading() as transaction:
        (listed,) = transaction.entries(EntryQuery())
        entry = transaction.entry(listed.id)
    assert listed.reason == "conflict"
    assert entry is not None
    assert len(entry.contents) == 2
    store.close()


def test_nothing_is_too_large_for_the_quarantine(place: Place) -> None:
    """Disputes of two large contents, long headers, a key that no item can have: held with every
    byte, and their neighbours go on."""
    store: Any = place.connect(decode)
    one, two = (Change(1, 1, {"x": letter * 210_000}).event() for letter in "ab")
    deliver(store, [one], "1")
    assert sorted(deliver(store, [two, put(2, 1).event()], "2")) == [
        Reason.APPLIED,
        Reason.CONFLICT,
    ]
    odd = Delivery("kit", value=b"x", headers=(("h", "y" * 450_000),))
    key = {"id": "k" * 450_000}
    wide = Event(
        Kind.PUT,
        "kit",
        key,
        ScalarPosition("version", "kit", (1,)),
        {"x": "1"},
        delivery=Delivery("kit", 0, 7, value=b"wide"),
    )
    events = [
        Event(Kind.MALFORMED, "kit", None, None, note="n" * 450_000, delivery=odd),
        wide,
        put(3, 1).event(),
    ]
    assert sorted(deliver(store, events, "3")) == [
        Reason.APPLIED,
        Reason.MALFORMED,
        Reason.MALFORMED,
    ]
    with store.reading() as transaction:
        found = [transaction.entry(entry.id) for entry in transaction.entries(EntryQuery())]
    details = {entry.delivery.value: len(entry.detail) for entry in found}
    assert details[two.delivery.value] > 210_000
    assert details[b"x"] == 450_000
    assert {odd, wide.delivery, two.delivery} == {entry.delivery for entry in found}
    store.close()


def test_a_tie_of_a_key_that_no_item_can_have_is_malformed(
    place: Place, dynamodb_local: Any
) -> None:
    """Written unread or not: a sentence, and the neighbours go on."""
    store: Any = place.connect(decode)
    deliver(store, [put(2, 1).event()], "1")
    for read_first in (True, False):
        store.parts.staleness.read_first = read_first
        tie = [
            Event(
                Kind.PUT,
                "kit",
                {"id": "k" * 3_000},
                ScalarPosition("version", "kit", (1,)),
                {"x": x},
            )
            for x in "ab"
        ]
        assert set(deliver(store, tie, f"{read_first}")) <= {Reason.MALFORMED, Reason.DUPLICATE}
    store.close()


@pytest.mark.parametrize("columns", [100, 300, 800])
def test_a_partial_event_may_name_any_number_of_columns(place: Place, columns: int) -> None:
    """An update expression holds about 300; a wide row is put whole instead, and keeps what the
    event does not name."""
    store: Any = place.connect(decode)
    old, new = ({f"c{number}": value for number in range(columns)} for value in (1, 2))
    assert deliver(store, [Change(1, 1, {**old, "kept": "z"}).event()], "1") == [Reason.APPLIED]
    assert deliver(store, [Change(1, 2, new, whole=False).event()], "2") == [Reason.APPLIED]
    (row,) = place.rows("kit")
    assert {**row} == {"id": 1, **new, "kept": "z"}
    store.close()


def test_a_truncate_settles_what_its_own_batch_held(dynamodb_local: Any) -> None:
    """A late put and the truncate that ends it, in one batch."""
    with Bench("truncate", lambda: dynamodb_place(dynamodb_local), RETENTION_ZERO) as bench:
        bench.deliver([delete(1, 10)])
        bench.reap()
        assert bench.deliver([put(1, 4), truncate(20)]) == [Reason.LATE, Reason.APPLIED]
        assert entries(bench.store) == [("late", "settled")]


def test_the_winner_of_a_tie_that_no_item_can_hold_is_kept_in_its_dispute(place: Place) -> None:
    """It was held as one of two contents before its row was refused; its bytes stay in the open
    entry."""
    store: Any = place.connect(decode)
    small = Change(1, 1, {"x": "small"}).event()
    larger = (Change(1, 1, {"x": letter * 420_000}).event() for letter in "abcdefghijklmnop")
    large = next(event for event in larger if stamp_of(event).tag > stamp_of(small).tag)
    deliver(store, [small], "1")
    assert deliver(store, [large], "2") == [Reason.MALFORMED]
    with store.reading() as transaction:
        (entry,) = [transaction.entry(one.id) for one in transaction.entries(EntryQuery())]
    told = [one.delivery.value for one in (entry, *entry.contents) if one.delivery is not None]
    assert large.delivery.value in told
    assert deliver(store, [large], "3") == [Reason.DUPLICATE]
    store.close()


def test_a_create_holds_only_under_the_floor_that_it_was_decided_under_whichever_thread_raised_it(
    dynamodb_local: Any,
) -> None:
    """Another thread reaps by the same store, which remembers the floors of all its threads: the
    create that was decided before must not take the new floor for its own."""
    with Bench("floor", lambda: dynamodb_place(dynamodb_local), RETENTION_ZERO) as bench:
        bench.deliver([put(9, 1)])
        store, late = bench.store, put(1, 3).event()
        with store.transaction(bench.now()) as transaction:
            limits = transaction.open_table(bench.spec)
            known = transaction.remembered(bench.spec, [late.entity])
            assert known[late.entity].memory is None
            bench.deliver([delete(1, 5)])
            bench.reap()
            lost = transaction.write(bench.spec, [_create(late)], limits, "late")
        assert [type(answer) for answer in lost] == [Lost]
        assert set(bench.rows()) == {9}


def _create(event: Event) -> Write:
    return Write(
        event.entity,
        event.key or {},
        None,
        Memory(stamp_of(event)),
        Written(event.fields or {}, frozenset()),
    )


def test_a_floor_that_another_thread_found_too_low_meanwhile_is_read_again(
    dynamodb_local: Any,
) -> None:
    """One thread looks a floor up while another, by the same store, forgets what it remembered of
    it."""
    with Bench("floor", lambda: dynamodb_place(dynamodb_local), RETENTION_ZERO) as bench:
        bench.deliver([put(9, 1), put(1, 1)])
        store: Any = bench.store

        class Forgetful(dict[Any, Any]):
            """Each floor is forgotten right after somebody looked whether it is there."""

            def get(self, key: Any, default: Any = None) -> Any:
                found = super().get(key, default)
                self.pop(key, None)
                return found

        store.parts.floors._known = Forgetful(store.parts.floors._known)
        assert bench.deliver([put(1, 2), put(3, 1)]) == [Reason.APPLIED] * 2


def held(store: Any, numbers: Sequence[int], size: int = 0) -> list[int]:
    """The entries of events that no table takes, of so many bytes each."""
    events = [
        Event(Kind.PUT, "", {"id": number}, delivery=Delivery("kit", 0, number, value=b"x" * size))
        for number in numbers
    ]
    ones = [holding("", one.entity, Judged(0, one, Reason.UNROUTED), "kit") for one in events]
    with store.transaction(1.0) as transaction:
        return [listing.entry for listing in transaction.hold(ones)]


def settle_all(store: Any, numbers: Sequence[int]) -> None:
    """Close them together."""
    with store.transaction(2.0) as transaction:
        transaction.settle_all([Closing(one, "settled", Reason.APPLIED) for one in numbers])


def test_entries_that_close_together_leave_alone_what_a_word_closed_meanwhile(
    dynamodb_local: Any,
) -> None:
    """The word stays, and the others are closed all the same."""
    with Bench("retried", lambda: dynamodb_place(dynamodb_local), NEVER) as bench:
        other, store = bench.connect(), bench.store
        numbers = held(store, range(1, 6))

        def drop() -> None:
            with other.transaction(1.5) as transaction:
                transaction.settle(numbers[2], "dropped", Reason.DUPLICATE)

        store.parts.requests.client = Meanwhile(dynamodb_local, "transact_write_items", drop)  # type: ignore[attr-defined]
        settle_all(store, numbers)
        with store.reading() as transaction:
            found = transaction.entries_among(numbers)
            states = [entry.state for entry in found]
            assert states == ["settled", "settled", "dropped", "settled", "settled"]
            assert transaction.open_entries() == 0
        other.close()


def test_entries_that_are_too_large_for_one_request_close_all_the_same(
    dynamodb_local: Any,
) -> None:
    """20 entries of nearly 300 KB each are more than a transaction takes."""
    with Bench("retried", lambda: dynamodb_place(dynamodb_local), NEVER) as bench:
        numbers = held(bench.store, range(1, 21), size=290_000)
        settle_all(bench.store, numbers)
        assert {state for _, state in entries(bench.store)} == {"settled"}


def test_the_entries_of_a_key_are_found_by_the_key_also_after_a_word(dynamodb_local: Any) -> None:
    """Also that of a position which a word has closed before another entry of it was opened; the
    quarantine as a whole is not read."""
    with Bench("disputes", lambda: dynamodb_place(dynamodb_local), NEVER) as bench:
        ties = [Change(1, 5, {"x": name, "y": name}) for name in ("a", "b", "c")]
        bench.deliver(ties[:2])
        bench.deliver([put(2, 5), Change(2, 5, {"x": "a", "y": "b"})])
        Quarantine(bench.store, NEVER, decode).drop(1)
        bench.deliver(ties[2:])
        asked: list[str] = []

        class Listening:
            def __getattr__(self, name: str) -> Any:
                return getattr(dynamodb_local, name)

            def query(self, **arguments: Any) -> Any:
                asked.append(arguments["ExpressionAttributeValues"][":part"]["S"])
                return dynamodb_local.query(**arguments)

        bench.store.parts.requests.client = Listening()  # type: ignore[attr-defined]
        with bench.store.reading() as transaction:
            query = EntryQuery("", NEVER.name, canonical({"id": 1}))
            found = [(entry.id, entry.state) for entry in transaction.entries(query)]
        assert found == [(1, "dropped"), (3, "open")]
        assert asked == [f"held#{NEVER.name}"]


def test_a_run_that_starts_does_not_read_the_quarantine(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be large, and nothing of it waits for other rows."""
    (tmp_path / "day.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in ({"id": 1}, {"id": 2, "version": 1}))
    )
    (tmp_path / "pipeline.toml").write_text(
        '[source]\npath = "day.jsonl"\nenvelope = "json"\n'
        'options = { key = "/id", position = "/version", table = "kit" }\n'
        f"[store]\nurl = {json.dumps(place.url)}\n"
        "[runtime]\nquarantine_share = 1.0\n"
        '[[table]]\nmatch = "*"\n'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--no-preflight"]) == 1
    parts: list[str] = []
    query = Books.query

    def noted(books: Books, part: str, *more: Any, **named: Any) -> Any:
        parts.append(part)
        return query(books, part, *more, **named)

    monkeypatch.setattr(Books, "query", noted)
    assert main(["run", "--no-preflight"]) == 0

    assert "quarantine" not in parts


def test_a_quarantine_of_before_is_to_be_emptied_and_says_how(place: Place) -> None:
    """Held a second time, its entry would be nobody's."""
    store: Any = place.connect(decode)
    books: Books = store.parts.books
    nothing_told = Event(Kind.MALFORMED, note="no content", delivery=Delivery(value=b"x"))
    deliver(store, [nothing_told], "1")
    (lookup,) = books.query("held#kit")
    former = former_lookup_of("", identity_of(nothing_told))
    books.put("held#kit", former, {"entry": lookup["entry"]})
    store.parts.requests.client.delete_item(
        TableName=books.table, Key=books.key("held#kit", lookup["place"]["S"])
    )

    with pytest.raises(StoreError, match=r"entry 1 .* `anyorder quarantine settle"):
        deliver(store, [nothing_told], "2")
    with store.transaction(1.0) as transaction:
        transaction.settle(1, "dropped", Reason.MALFORMED)
    assert deliver(store, [nothing_told], "3") == [Reason.MALFORMED]
    store.close()
