"""Act 5: which retention? The same week of events with four of them, under a clock that is
simulated."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from random import Random
from typing import NamedTuple

from anyorder._core.event import Delivery
from anyorder.demo.blocks import Act, Block, Cell, Figure, Table, count, none, prose
from anyorder.demo.bus import DAY, HOUR, MINUTE, lateness
from anyorder.demo.figures import Bars, bars, tail
from anyorder.demo.generated import Row, week
from anyorder.demo.guarded import Guarded
from anyorder.demo.naive import Expiring, in_memory, rows_of
from anyorder.demo.score import Score, judge
from anyorder.demo.words import operation
from anyorder.guard.duration import seconds

TITLE = "Which retention?"
WAITING = "A week of events with four retentions: this takes a few seconds."
BEGAN = 1_767_571_200.0  # Monday, 5 January 2026
USERS = 900
TICK = 15 * MINUTE  # how often the simulated consumers come round, and forget
REPEATED = 0.1
PROMPT = 10.0  # seconds
RETENTIONS: dict[str, str | float] = {"0": 0.0, "1 h": "1h", "48 h": "48h", "for ever": "forever"}
COLUMNS = ("id", "name", "email")
TICKS = ((1.0, "1 s"), (MINUTE, "1 min"), (HOUR, "1 h"), (DAY, "1 day"), (10 * DAY, "10 days"))


class Arrival(NamedTuple):
    """When a record arrives, and how late that is."""

    time: float
    late: float
    delivery: Delivery


class Ending(NamedTuple):
    """What one retention comes to."""

    expiring: Score
    guarded: Score
    kept: int
    quarantined: int
    settled: int
    unexplained: int

    @property
    def open(self) -> int:
        """Entries of the quarantine that are open in the end."""
        return self.quarantined - self.settled


def act(seed: int) -> Act:
    """One week, four retentions."""
    arrivals, truth = schedule(Random(seed))
    endings = {name: ending(arrivals, truth, retention) for name, retention in RETENTIONS.items()}
    scores = {f"TTL, {name}": end.expiring for name, end in endings.items()} | {
        f"anyorder, {name}": end.guarded for name, end in endings.items()
    }
    most = max(end.expiring.resurrected for end in endings.values())
    usual = f"up to {count(most, 'user')} resurrected"
    ours = (
        f"{none(sum(end.guarded.resurrected for end in endings.values()))}, up to "
        f"{max(end.open for end in endings.values())} questions asked"
    )
    return Act(5, TITLE, [*_late(arrivals), *_cost(endings)], usual, ours, scores)


def schedule(random: Random) -> tuple[list[Arrival], dict[int, Row]]:
    """A week of changes, each delivered once or twice, each copy with its own lateness; sorted by
    arrival."""
    changes, truth = week(random, USERS, BEGAN)
    arrivals = []
    for change in changes:
        for _ in range(1 + (random.random() < REPEATED)):
            late = lateness(random)
            arrivals.append(Arrival(change.time + late, late, change.delivery))
    return sorted(arrivals, key=lambda arrival: (arrival.time, arrival.delivery.offset)), truth


def ending(arrivals: Sequence[Arrival], truth: dict[int, Row], retention: str | float) -> Ending:
    """Both consumers through the whole stream, with one retention; they forget at the end of every
    tick."""
    length, kept = seconds(retention), 0
    with (
        closing(Expiring(in_memory(), COLUMNS)) as expiring,
        closing(Guarded(retention=retention)) as guarded,
    ):
        for number, group in groupby(
            arrivals, key=lambda arrival: int((arrival.time - BEGAN) // TICK)
        ):
            now = BEGAN + (number + 1) * TICK
            deliveries = [arrival.delivery for arrival in group]
            for delivery in deliveries:
                expiring.take(delivery, now)
            guarded.take(deliveries, now)
            if length is not None:
                expiring.expire(now - length)
                guarded.reap(now)
            kept = max(kept, guarded.tombstones())
        rows, held = guarded.rows(), set(guarded.held())
        return Ending(
            judge(rows_of(expiring.database), truth),
            judge(rows, truth),
            kept,
            guarded.report.quarantined.total(),
            guarded.report.settled.total(),
            len(truth.keys() - rows.keys() - held),
        )


def _late(arrivals: Sequence[Arrival]) -> list[Block]:
    deletes = len(
        {arrival.delivery.offset for arrival in arrivals if operation(arrival.delivery) == "delete"}
    )
    changes = len({arrival.delivery.offset for arrival in arrivals})
    promptly = sum(arrival.late <= PROMPT for arrival in arrivals) / len(arrivals)
    latest = max(arrival.late for arrival in arrivals) / DAY
    return [
        prose(f"""How long should a tombstone be kept? Here is a made-up week of {USERS} users:
            {count(changes, "change")}, {count(deletes, "delete")} among them, in
            {count(len(arrivals), "delivery", "deliveries")}. {promptly:.0%} arrive within
            {PROMPT:.0f} seconds; the latest takes {latest:.1f} days."""),
        Figure(
            tail(
                [arrival.late for arrival in arrivals],
                [(HOUR, "1 h"), (48 * HOUR, "48 h")],
                TICKS,
                "How late deliveries are",
            ),
            "Which share of the deliveries is later than a given time; both scales are "
            "logarithmic. "
            "A retention cuts such a tail somewhere. None ends it.",
        ),
    ]


def _cost(endings: dict[str, Ending]) -> list[Block]:
    unexplained = sum(end.unexplained for end in endings.values())
    explained = (
        "each lies in the quarantine, with its reason"
        if not unexplained
        else f"all but {unexplained} lie in the quarantine"
    )
    header = (
        "retention",
        "kept",
        "TTL resurrects",
        "anyorder resurrects",
        "quarantined",
        "settled",
        "open",
        "held back",
    )
    return [
        prose("""The usual answer is a time to live: a guarded write, atomic and right, with
            tombstones that expire. anyorder forgets at the very same moments, and raises its floor
            first. The clock is simulated."""),
        Figure(
            _bars(endings),
            (
                "What a retention costs. With a TTL, a short one is paid for with wrong rows; "
                "with a floor, with questions instead."
            ),
        ),
        Table(header, [_row(name, end) for name, end in endings.items()], numbers=1),
        prose(f"""Kept: the most tombstones at once. Quarantined: what could not be known; some of
            it settled by itself when something newer came, the rest is open. Held back: rows that
            the source has and the table lacks; {explained}."""),
        prose("So the retention is a matter of cost, not of safety. The default is for ever."),
    ]


def _row(name: str, end: Ending) -> list[str | Cell]:
    return [
        name,
        str(end.kept),
        Cell(str(end.expiring.resurrected), "bad" if end.expiring.resurrected else "good"),
        Cell(str(end.guarded.resurrected), "bad" if end.guarded.resurrected else "good"),
        str(end.quarantined),
        str(end.settled),
        *(
            Cell(str(number), "held" if number else "good")
            for number in (end.open, end.guarded.missing)
        ),
    ]


def _bars(endings: dict[str, Ending]) -> str:
    ends = list(endings.values())
    groups = [
        Bars("tombstones kept, at most", [end.kept for end in ends], "kept"),
        Bars("resurrected by a TTL", [end.expiring.resurrected for end in ends], "bad"),
        Bars("asked by anyorder, open in the end", [end.open for end in ends], "held"),
    ]
    return bars(list(endings), groups, "What each retention costs")
