"""Act 3: two consumers at once, each with half of a shuffled stream, on one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

from anyorder._core.event import Delivery
from anyorder.demo import recording
from anyorder.demo.baton import race, together
from anyorder.demo.blocks import SCORE_HEADER, Act, Block, Table, count, none, prose, score_row
from anyorder.demo.guarded import Guarded
from anyorder.demo.naive import Comparing, Upsert, rows_of
from anyorder.demo.score import Score, judge
from anyorder.demo.words import lsn

TITLE = "Two consumers at once"
NOW = 1_795_500_000.0
BATCHES = (1, 25, 400)  # deliveries that anyorder decides together, in three runs
SIZE = 100  # deliveries whose memory the naive consumer reads together
NAMES = ("A", "B")
NAIVE = "compare, then write"
OURS = "anyorder, two at once"


class Moment(NamedTuple):
    """One step of a consumer: it `reads` what is remembered of a key, or `writes` it."""

    consumer: int
    does: str
    key: int
    position: int


def act(seed: int) -> Act:
    """The halves of one shuffled stream."""
    random = Random(seed)
    records, truth = recording.deliveries(), recording.truth()
    shuffled = random.sample(records, len(records))
    halves = (shuffled[0::2], shuffled[1::2])
    with TemporaryDirectory() as name:
        folder = Path(name)
        alone, _ = _comparing(folder / "alone.db", (shuffled,), random)
        pair, moments = _comparing(folder / "pair.db", halves, random)
        upserts = _upserts(folder / "upserts.db", halves, random)
        ours = {
            f"{OURS}, in batches of {size}": _guarded(folder / f"guarded{size}.db", halves, size)
            for size in BATCHES
        }
    tables = {
        "upsert, two at once": upserts,
        f"{NAIVE}; alone": alone,
        f"{NAIVE}; two at once": pair,
        **ours,
    }
    scores = {
        name: judge({key: recording.spelled(row) for key, row in rows.items()}, truth)
        for name, rows in tables.items()
    }
    lost = scores[f"{NAIVE}; two at once"].total
    usual = f"{count(lost, 'row')} wrong" if lost else "none, this time"
    blocks = _blocks(len(shuffled), scores, overwrites(moments))
    return Act(
        3,
        TITLE,
        blocks,
        usual,
        none(sum(scores[name].total for name in ours)),
        scores,
    )


def _comparing(
    path: Path, halves: Sequence[Sequence[Delivery]], random: Random
) -> tuple[dict[int, dict[str, object]], list[Moment]]:
    """Consumers that compare before they write, each with its own connection. What they did, step
    by step, comes back too."""
    moments: list[Moment] = []

    def runner(number: int, half: Sequence[Delivery]) -> Callable[[Callable[[], None]], None]:
        def run(others: Callable[[], None]) -> None:
            def turn(does: str, positions: dict[int, int]) -> None:
                moments.extend(
                    Moment(number, does, key, position) for key, position in positions.items()
                )
                others()

            with closing(Comparing(_connect(path), recording.COLUMNS, turn)) as consumer:
                for begin in range(0, len(half), SIZE):
                    consumer.take(half[begin : begin + SIZE])

        return run

    race(random, [runner(number, half) for number, half in enumerate(halves)])
    return _table(path), moments


def _upserts(
    path: Path, halves: Sequence[Sequence[Delivery]], random: Random
) -> dict[int, dict[str, object]]:
    def runner(half: Sequence[Delivery]) -> Callable[[Callable[[], None]], None]:
        def run(others: Callable[[], None]) -> None:
            with closing(Upsert(_connect(path), recording.COLUMNS)) as consumer:
                for delivery in half:
                    consumer.take(delivery)
                    others()

        return run

    race(random, [runner(half) for half in halves])
    return _table(path)


def _guarded(
    path: Path, halves: Sequence[Sequence[Delivery]], size: int
) -> dict[int, dict[str, object]]:
    """Two anyorder tables on one file, as fast as they go: whoever is first is first."""

    def runner(half: Sequence[Delivery]) -> Callable[[], None]:
        def run() -> None:
            with closing(Guarded(url=f"sqlite:///{quote(str(path))}")) as guarded:
                for begin in range(0, len(half), size):
                    guarded.take(half[begin : begin + size], NOW)

        return run

    together([runner(half) for half in halves])
    return _table(path)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    return database


def _table(path: Path) -> dict[int, dict[str, object]]:
    with closing(_connect(path)) as database:
        return rows_of(database)


class Overwrite(NamedTuple):
    """A consumer wrote over something newer. `steps`: what the two read and wrote, in order.
    `lasting`: nothing newer came afterwards."""

    steps: list[Moment]
    lasting: bool


def overwrites(moments: Sequence[Moment]) -> list[Overwrite]:
    """Every time that it happened."""
    writes: dict[int, list[int]] = {}
    for place, moment in enumerate(moments):
        if moment.does == "writes":
            writes.setdefault(moment.key, []).append(place)
    found = []
    for places in writes.values():
        for before, after in pairwise(places):
            if moments[after].position < moments[before].position:
                steps = sorted([_read(moments, before), _read(moments, after), before, after])
                healed = any(
                    moments[later].position >= moments[before].position
                    for later in places
                    if later > after
                )
                found.append((after, Overwrite([moments[place] for place in steps], not healed)))
    return [overwrite for _, overwrite in sorted(found, key=lambda pair: pair[0])]


def _read(moments: Sequence[Moment], write: int) -> int:
    """Where a consumer read what it then wrote."""
    mine = (moments[write].consumer, "reads", moments[write].key)
    return next(place for place in range(write, -1, -1) if moments[place][:3] == mine)


def _blocks(deliveries: int, scores: dict[str, Score], found: Sequence[Overwrite]) -> list[Block]:
    return [
        prose(f"""The same recording, shuffled from end to end:
            {count(deliveries, "delivery", "deliveries")}, each once. This consumer has learned
            from act 1. It keeps the position of what it wrote, of deletes too; it reads them,
            {SIZE} deliveries at a time, compares, and writes only what is newer. Alone, it is
            right. Then a second one is started, and each takes half."""),
        Table(
            ("the table in the end", *SCORE_HEADER),
            [score_row(name, score) for name, score in scores.items()],
            numbers=1,
        ),
        *_example(found),
        prose("""anyorder reads, decides and writes in one atomic step, so two at once are as good
            as one. All pairs are two real threads on one SQLite file. The naive ones take turns
            that the seed decides, so that their race can be run again. anyorder's run free, and
            end the same."""),
    ]


def _example(found: Sequence[Overwrite]) -> list[Block]:
    """One overwrite, step by step; a lasting one if there is one."""
    if not found:
        return []
    lasting = [overwrite for overwrite in found if overwrite.lasting]
    steps = (lasting or found)[-1].steps
    rows = [
        [
            f"consumer {NAMES[step.consumer]} {step.does} user {step.key}",
            lsn(step.position) or "nothing yet",
            _meaning(step, steps),
        ]
        for step in steps
    ]
    return [
        prose(f"""Each comparison was right, and out of date by the time of the write. That
            happened {count(len(found), "time")}: {len(found) - len(lasting)} healed by something
            newer that came later, {len(lasting)} for good. One of them:"""),
        Table(("", "position", ""), rows),
    ]


def _meaning(moment: Moment, steps: Sequence[Moment]) -> str:
    if moment.does == "reads":
        return "older than what came: it will write"
    return "older than what is there now" if moment is steps[-1] else "newer, as it should be"
