"""Checks that what the store really holds is what was decided: whatever lay in the user's table
before, whatever a column is called, and whoever else writes there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from anyorder._core.outcome import Reason
from anyorder.errors import AnyorderError, StoreError
from anyorder.guard.contract import TableSpec
from anyorder.testing.bench import NEVER, Bench, is_held
from anyorder.testing.change import Change, delete, meaning, part, put, truncate
from anyorder.testing.orders import KINDS
from anyorder.testing.place import MakeStore, sample_of

ADOPTING = TableSpec("kit", ("id",), adopt="older-than-everything")
LAST = 4  # a version after those of the histories
MANY = 2_500  # columns, more than SQLite and PostgreSQL have
# keys of rows that were there before, and the key that an event has of the last of them
ODD_KEYS: tuple[tuple[tuple[object, ...], object], ...] = (
    ((7, 8), 8),
    ((1.5, 3), 3),
    ((3.0,), 3),
    (("a", "8"), "8"),
    ((b"abc",), "YWJj"),
    ((None, 1), 1),
    ((1e19,), 10**19),
    ((-1e300,), -(10**300)),
    ((float("inf"), 1), 1),
    ((7, "8"), "8"),
    (("7", 8), 8),
)
ODD_COLUMNS: tuple[dict[str, Any], ...] = (
    {"*": "read"},
    {"": "nameless"},
    {"\x00*": 1},
    {"nul\x00": 1},
    {"c" * 300: 1},
    {f"c{number}": number for number in range(MANY)},
    {"Case": 1, "case": 2},
    {"É": 1, "é": 2},
    {'q"uo`te': 1},
    {"select": 1},
    {"id": "another key"},
    {"id": True},
)


def check_adopted(make_store: MakeStore) -> str:
    """A row that was there before is an upsert older than every event: what no event tells stays as
    it was, a delete or a truncate ends it, in every order."""
    histories = list(itertools.product(KINDS, repeat=2))
    orders = list(itertools.permutations(range(2)))
    runs = list(itertools.product(histories, orders))
    for batch in (1, len(runs) * 2):
        with Bench("adopted", make_store, ADOPTING) as bench:
            if bench.place.plant is None:
                return "left out: nothing can be put into this place behind the store"
            _plant(bench, range(len(runs) + 1))
            events: list[Change] = []
            for key, (history, order) in enumerate(runs):
                made = [make(key, version) for version, make in enumerate(history, 1)]
                events += [made[step] for step in order]
            _deliver(bench, events, batch)
            bench.judge()
            bench.judge_replay()
            bench.deliver([truncate(3), part(0, LAST, "x")])
            bench.judge()
    named = _check_named(make_store)
    return (
        f"{len(runs)} histories and orders, one by one and in one batch; a row left alone; "
        f"{named} runs in which not every event names every column"
    )


def _check_named(make_store: MakeStore) -> int:
    """A column is the events' as soon as one of them names it, whether that one is shown or not,
    and whichever row it is of. How many runs were tried."""
    changes = [
        put(1, 1),
        Change(1, 2, {"y": "1@2"}),
        Change(2, 1, {"y": "2@1"}),
        part(3, 1, "y"),
    ]
    sizes = range(1, len(changes) + 1)
    runs = list(itertools.product(itertools.permutations(changes), sizes))
    runs = runs[:: sample_of(make_store)]
    for order, size in runs:
        with Bench("adopted", make_store, ADOPTING) as bench:
            _plant(bench, range(4))
            _deliver(bench, [*order, order[0]], size)
            bench.judge()
    return len(runs)


def check_adopted_keys(make_store: MakeStore) -> str:
    """A row that was there before is found under its event's key, however that is stored, and a
    truncate ends it; or the table is refused, and nothing is written."""
    found = [_adopts_key(make_store, keys, told) for keys, told in ODD_KEYS]
    taken, refused = found.count("taken"), found.count("refused")
    return f"{taken} of {len(found)} tables adopted, {refused} refused"


def _adopts_key(make_store: MakeStore, keys: Sequence[object], told: object) -> str:
    with Bench("adopted keys", make_store, ADOPTING) as bench:
        planted: list[dict[str, object]] = [{"id": key, "x": "x", "y": "y"} for key in keys]
        if not _is_planted(bench, planted):
            return "left out"
        try:
            (reason,) = bench.deliver([put(told, 1)])
        except AnyorderError:
            if len(bench.place.rows(bench.spec.name)) != len(keys):
                raise bench.failed(f"{keys} are refused, and yet something is written") from None
            return "refused"
        rows = len(bench.place.rows(bench.spec.name))
        if rows != len(keys):
            raise bench.failed(f"{rows} rows where {keys} lay, and {told!r} ended as {reason}")
        bench.deliver([truncate(LAST)])
        left = bench.place.rows(bench.spec.name)
        if left:
            raise bench.failed(f"a truncate leaves {left}")
    return "taken"


def _is_planted(bench: Bench, rows: Sequence[dict[str, object]]) -> bool:
    """Put the rows there, if the place takes keys that are stored so."""
    if bench.place.plant is None:
        return False
    try:
        bench.place.plant(bench.spec.name, rows)
    # Every place has errors of its own.
    except Exception:
        return False
    return True


def _plant(bench: Bench, keys: Sequence[int]) -> None:
    """Rows that no event explains; what they come to is what a put before all others would."""
    assert bench.place.plant is not None
    before = [put(key, 0)._replace(version=-1) for key in keys]
    bench.place.plant(
        bench.spec.name, [{"id": change.key, **(change.fields or {})} for change in before]
    )
    bench.planted += before


def _deliver(bench: Bench, events: Sequence[Change], batch: int) -> None:
    for start in range(0, len(events), batch):
        bench.deliver(events[start : start + batch])


def check_gone(make_store: MakeStore) -> str:
    """A row that somebody else took is not there because a write was sent: what tells it in part
    is held, what tells it whole writes it anew."""
    with Bench("gone", make_store, NEVER) as bench:
        if bench.place.remove is None:
            return "left out: nothing can be taken from this place behind the store"
        bench.deliver([put(key, 1) for key in (1, 2, 3)])
        for key in (1, 2, 3):
            bench.place.remove(bench.spec.name, key)
        found = bench.deliver([part(1, 2, "x"), put(2, 2), delete(3, 2)])
        if not is_held(found[0]):
            raise bench.failed(f"a part of a row that is gone ended as {found[0]}", 1)
        if found[1:] != [Reason.APPLIED, Reason.APPLIED]:
            raise bench.failed(f"a whole put and a delete ended as {found[1:]}")
        bench.deliver([put(1, LAST)])
        bench.judge()
        if bench.held():
            raise bench.failed(f"the row is there again, and still held: {bench.held()}", 1)
    return "a part, a whole put, a delete; and the part settled"


def check_made_anew(make_store: MakeStore) -> str:
    """A table that somebody drops and makes anew, empty, while it is in use is written like any
    other: a whole put is there again, what is told in part is held, and what was remembered before
    still decides."""
    with Bench("made anew", make_store, NEVER) as bench:
        if bench.place.renew is None:
            return "left out: no table can be made anew in this place behind the store"
        bench.deliver([put(key, 2) for key in (1, 2, 3)])
        bench.place.renew(bench.spec.name)
        found = bench.deliver([part(1, 3, "x"), put(2, 3), delete(3, 3), put(4, 1), put(2, 1)])
        if not is_held(found[0]):
            raise bench.failed(f"a part of a row that is gone ended as {found[0]}", 1)
        if found[1:] != [Reason.APPLIED, Reason.APPLIED, Reason.APPLIED, Reason.STALE]:
            raise bench.failed(f"two whole puts, a delete and what is older ended as {found[1:]}")
        bench.deliver([put(1, LAST)])
        _judge_x(bench)
        bench.judge_replay()
        if bench.held():
            raise bench.failed(f"the row is there again, and still held: {bench.held()}", 1)
    return "a part, whole puts, a delete, what is older; and the part settled"


def _judge_x(bench: Bench) -> None:
    """Column `x` of every row is what was accepted; a table of the user's own has no `y` now."""
    wanted = {key: row["x"] for key, row in meaning(bench.accepted()).items()}
    shown = {key: row["x"] for key, row in bench.rows().items()}
    if shown != wanted:
        raise bench.failed(f"column x shows {shown}; what was accepted comes to {wanted}")


def check_dropped(make_store: MakeStore) -> str:
    """A table that somebody dropped is not made anew beside the memory of its rows, neither by what
    is known already nor by anything new; who writes to it is told."""
    with Bench("dropped", make_store, NEVER) as bench:
        drop, name = bench.place.drop, bench.spec.name
        if drop is None:
            return "left out: no table can be dropped here behind the store"
        bench.deliver([put(1, 1), put(2, 1)])
        drop(name)
        bench.deliver([put(1, 1), put(2, 1)])
        for change in (put(1, 2), put(3, 1), delete(2, 2)):
            _require_told(bench, change)
        if bench.place.rows(name):
            raise bench.failed(f"the table is there again, with {bench.place.rows(name)}")
    return "what is known, and three new changes"


def _require_told(bench: Bench, change: Change) -> None:
    for store in (bench.store, bench.connect()):
        try:
            bench.deliver([change], store=store)
        except StoreError:
            continue
        finally:
            if store is not bench.store:
                store.close()
        raise bench.failed(f"{change} is taken though its table is gone", change.key)


def check_columns(make_store: MakeStore) -> str:
    """Whatever a column is called, and however many there are, its value is stored exactly or its
    event is refused, and its neighbours are applied."""
    taken = 0
    for whole in (True, False):
        for fields in ODD_COLUMNS:
            taken += _check_column(make_store, fields, whole=whole)
    return f"{taken} of {2 * len(ODD_COLUMNS)} taken exactly, the others refused"


def _check_column(make_store: MakeStore, fields: dict[str, Any], *, whole: bool) -> bool:
    with Bench("columns", make_store, NEVER) as bench:
        odd = Change(2, 2, {"x": "2@2", **fields}, whole=whole)
        found = bench.deliver([put(1, 1), put(2, 1), odd, put(3, 1)])
        names = ", ".join(list(fields)[:3])[:60]
        if [found[0], found[3]] != [Reason.APPLIED, Reason.APPLIED]:
            raise bench.failed(f"the neighbours of {names!r} ended as {found[0]} and {found[3]}")
        rows = bench.rows()
        if rows != {key: rows.get(key) for key in (1, 2, 3)} or None in rows.values():
            raise bench.failed(f"beside {names!r} the rows are {rows}")
        if found[2] is not Reason.APPLIED:
            return False
        (row,) = [row for row in bench.place.rows(bench.spec.name) if row["id"] == 2]
        for name, value in fields.items():
            # A table of the user's own may have no such column; then nothing is shown.
            if name in row and row[name] != value:
                raise bench.failed(f"column {name!r:.60} shows {row[name]!r}, not {value!r}", 2)
        # It is a column like any other: an older event tells none of the columns again.
        bench.deliver([part(2, 3, "y"), part(2, 1, "x")])
        if bench.rows()[2] != {"x": "2@2", "y": "2@3"}:
            raise bench.failed(f"beside {names!r} the row is {bench.rows()[2]}", 2)
    return True
