"""The check of rows that were there before and take their position from a column of their own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from anyorder._core.families.spellings import Spelling
from anyorder._core.outcome import Reason
from anyorder._core.row_clock import RowClock
from anyorder.guard.adoption import adopt_rows
from anyorder.guard.contract import Adopting, TableSpec
from anyorder.testing.bench import Bench, is_held
from anyorder.testing.change import SCOPE, Change, delete
from anyorder.testing.place import MakeStore

LAY = 2  # the version of the rows that lie there
SPEC = TableSpec(
    "kit",
    ("id",),
    adopt="column:y",
    clock=RowClock("y", Spelling("version"), SCOPE, per_entity=False, key=("id",)),
)
BARE = 999  # the key of a row without a position
BEFORE, AFTER, NEVER = "before", "after", "never"


def _lying(key: object) -> Change:
    """What lies there, as a put."""
    return Change(key, LAY, {"x": "lay", "y": LAY})


def _events(key: object) -> list[Change]:
    """Late, equal and newer ones of a key."""
    return [
        Change(key, 1, {"x": "late", "y": 1}),
        Change(key, 1, {"x": "late"}, whole=False),
        delete(key, 1),
        _lying(key),
        Change(key, LAY, {"x": "other", "y": LAY}),
        delete(key, LAY),
        Change(key, 3, {"x": "newer", "y": 3}),
        Change(key, 3, {"x": "newer"}, whole=False),
        delete(key, 3),
    ]


def check_adopted_positions(make_store: MakeStore) -> str:
    """A row that was there before, with its position in a column of its own, is as a put at that
    position: what is older is stale, what it shows is a duplicate, another content of the very
    position is held, what is newer is applied; in every order, and whether the pass that writes
    positions down came before, after or never."""
    orders = list(itertools.permutations(range(len(_events(0))), 2))
    for moment in (BEFORE, AFTER, NEVER):
        for batch in (1, 2 * len(orders)):
            with Bench("adopted positions", make_store, SPEC) as bench:
                if bench.place.plant is None:
                    return "left out: nothing can be put into this place behind the store"
                if not isinstance(bench.store, Adopting):
                    return "left out: it takes no positions from a column"
                _run(bench, orders, batch, moment)
    return f"{len(orders)} orders of two events, one by one and in one batch, at three moments"


def _run(bench: Bench, orders: Sequence[tuple[int, ...]], batch: int, moment: str) -> None:
    lying = [_lying(key) for key in range(len(orders) + 1)]
    # And one without a position, which is older than everything.
    bare = Change(BARE, -1, {"x": "lay", "y": None})
    assert bench.place.plant is not None
    bench.place.plant("kit", [{"id": one.key, **(one.fields or {})} for one in (*lying, bare)])
    bench.planted += [*lying, bare]
    if moment == BEFORE:
        adopt_rows(bench.store, SPEC, bench.now())

    events = [_events(key)[step] for key, order in enumerate(orders) for step in order]
    events.append(Change(BARE, 1, {"x": "told", "y": 1}))
    for start in range(0, len(events), batch):
        some = events[start : start + batch]
        for change, reason in zip(some, bench.deliver(some), strict=True):
            _judge(bench, change, reason)
    bench.judge()
    if moment == AFTER:
        adopt_rows(bench.store, SPEC, bench.now())
        bench.judge()
    bench.judge_replay()
    bench.deliver([Change(key, 4, {"x": "last", "y": 4}) for key in range(len(orders))])
    bench.judge()
    if bench.held():
        raise bench.failed(f"something newer came, and still held are {bench.held()}")


def _judge(bench: Bench, change: Change, reason: Reason) -> None:
    """Does what came at the row's own position, or before it, end as it must?"""
    if change.key == BARE or change.version > LAY:
        return
    is_own = change == _lying(change.key)
    if change.version < LAY or is_own:
        is_right = reason in (Reason.STALE, Reason.DUPLICATE)
    else:
        # Something newer may have come before it.
        is_right = is_held(reason) or reason in (Reason.STALE, Reason.DUPLICATE)
    if not is_right:
        raise bench.failed(f"{change} ended as {reason}", change.key)
