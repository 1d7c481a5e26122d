"""The check of what a store refuses for now: constraints on rows of this table or another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.guard.contract import EntryQuery, Store, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.testing.change import Change, Row, decode, delete, part
from anyorder.testing.place import MakeStore, Place, StoreCheckFailed

PARENT, CHILD = "kit", "child"
Told = tuple[str, Change]


class Scene(NamedTuple):
    """Changes, and what is right in the end, in whatever order they came: the column of each row
    that the scene is about, by table and key, and the keys that are still held, for a `reason`."""

    name: str
    told: Sequence[Told]
    column: str
    rows: dict[tuple[str, object], object]
    held: list[object]
    reason: Reason = Reason.WAITING


def parent(key: object, version: int = 1) -> Told:
    """A parent's row, whose `y` names it."""
    return PARENT, Change(key, version, {"x": None, "y": key})


def child(key: object, version: int, parent_key: object, unique: object) -> Told:
    """A child's row."""
    return CHILD, Change(key, version, {"x": parent_key, "y": unique})


SCENES = (
    Scene(
        "a child, its parent, a neighbour and an orphan",
        (child(1, 1, 7, "a"), parent(7), child(2, 1, None, "b"), child(3, 1, 99, "c")),
        "y",
        {(CHILD, 1): "a", (CHILD, 2): "b", (PARENT, 7): 7},
        [3],
    ),
    Scene(
        "a child whose newest change never can be",
        (child(1, 1, 7, "a"), child(1, 2, 99, "b"), parent(7)),
        "y",
        {(CHILD, 1): "a", (PARENT, 7): 7},
        [1],
    ),
    Scene(
        "a parent that goes with its child",
        (parent(7), child(1, 1, 7, "a"), (CHILD, delete(1, 2)), (PARENT, delete(7, 2))),
        "y",
        {},
        [],
    ),
    Scene(
        "a parent that goes and comes again, with a child of its second life",
        (parent(7), (PARENT, delete(7, 2)), parent(7, 3), child(1, 4, 7, "a")),
        "x",
        {(CHILD, 1): 7, (PARENT, 7): None},
        [],
    ),
    Scene(
        "a parent that goes when its child has left it",
        (
            parent(7),
            child(1, 1, 7, "a"),
            (CHILD, Change(1, 2, {"x": None}, whole=False)),
            (PARENT, delete(7, 2)),
        ),
        "x",
        {(CHILD, 1): None},
        [],
    ),
    Scene(
        "a unique value that is let go",
        (child(1, 1, None, "a"), child(2, 1, None, "a"), child(1, 2, None, "b")),
        "y",
        {(CHILD, 1): "b", (CHILD, 2): "a"},
        [],
    ),
    Scene(
        "two rows that swap a unique value",
        (
            child(1, 1, None, "a"),
            child(2, 1, None, "b"),
            child(1, 2, None, "b"),
            child(2, 2, None, "a"),
        ),
        "y",
        {(CHILD, 1): "b", (CHILD, 2): "a"},
        [],
    ),
    Scene(
        "a column that may not be null, and is told later",
        ((CHILD, part(1, 2, "x")), (CHILD, part(2, 1, "x")), child(1, 1, None, "a"), parent("1@2")),
        "y",
        {(CHILD, 1): "a", (PARENT, "1@2"): "1@2"},
        [2],
    ),
    Scene(
        "two contents of one position, whose parent comes",
        (child(1, 1, 7, "a"), child(1, 1, 7, "b"), parent(7)),
        "x",
        {(CHILD, 1): 7, (PARENT, 7): None},
        [1],
        Reason.CONFLICT,
    ),
)


def check_waiting(make_store: MakeStore) -> str:
    """What other rows forbid is held alone: its neighbours are applied, and it settles as soon as
    those rows allow it, in whatever order and batches they come.

    A child before its parent, a parent before its children have gone (whatever the table would do
    with them: no event told their end, or that they change), unique values that are let go
    or swapped; a column that may not be null, and that only another event of the key tells. What
    never can be is in nobody's way. Contents of one position that waited are one dispute as soon as
    one of them is written.
    """
    place = make_store()
    has_child, sample = place.has_child, place.sample
    place.close()
    if not has_child:
        return "not tried: this place has no table with constraints on other rows"
    plays = list(_plays())[::sample]
    for scene, batches in plays:
        _play(make_store(), scene, batches)
    return f"{len(plays)} orders and batches of {len(SCENES)} scenes"


def _plays() -> Iterator[tuple[Scene, list[Sequence[Told]]]]:
    """Every scene in every order, one by one and in one batch."""
    for scene in SCENES:
        for order in itertools.permutations(scene.told):
            yield scene, [[one] for one in order]
            yield scene, [order]


def _play(place: Place, scene: Scene, batches: Sequence[Sequence[Told]]) -> None:
    store = place.connect(decode)
    steps: list[str] = []
    for number, batch in enumerate(batches, 1):
        taken = take(store, _shares(batch), now=float(number), token=f"t{number}")
        steps += [f"{decision.event.delivery.value!r}: {decision}" for decision in taken.decisions]
    found = {**_column(place, PARENT, scene.column), **_column(place, CHILD, scene.column)}
    held, others = _held(store, scene.reason)
    store.close()
    place.close()
    if (found, held) != (scene.rows, scene.held):
        problem = (
            f"{scene.name}: the rows are {found} and {held} are held, not {scene.rows} and "
            f"{scene.held}"
        )
        raise StoreCheckFailed("waiting", problem, steps)
    if others:
        raise StoreCheckFailed("waiting", f"{scene.name}: held as {', '.join(others)}", steps)


def _shares(batch: Sequence[Told]) -> list[Share]:
    events: dict[str, list[Event]] = {}
    for table, change in batch:
        events.setdefault(table, []).append(change.event())
    return [Share(TableSpec(table, ("id",)), found) for table, found in events.items()]


def _column(place: Place, table: str, column: str) -> dict[tuple[str, object], object]:
    rows: Sequence[Row] = place.rows(table)
    return {(table, row["id"]): row.get(column) for row in rows}


def _held(store: Store, reason: Reason) -> tuple[list[object], list[str]]:
    """The keys that are held, and for what else than this reason."""
    with store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery("open")))
    keyed = [entry.key for entry in entries if isinstance(entry.key, dict)]
    keys = sorted((key["id"] for key in keyed), key=repr)
    return keys, [entry.reason for entry in entries if entry.reason != reason]
