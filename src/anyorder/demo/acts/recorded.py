"""Act 2: a recorded stream on an unordered bus, the same table for both, and the story of one
user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import accumulate
from random import Random
from typing import NamedTuple

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery
from anyorder._core.explain import explain
from anyorder._core.outcome import Outcome, Reason
from anyorder.demo import recording
from anyorder.demo.blocks import (
    SCORE_HEADER,
    Act,
    Block,
    Cell,
    Figure,
    Quote,
    Table,
    count,
    none,
    prose,
    score_row,
)
from anyorder.demo.bus import REDELIVERED, unordered
from anyorder.demo.figures import Band, story, stream
from anyorder.demo.guarded import Guarded
from anyorder.demo.naive import Upsert, in_memory, rows_of
from anyorder.demo.score import Score, judge
from anyorder.demo.words import change_in, ending, lsn, operation, position
from anyorder.guard.report import Report

TITLE = "A recorded stream, and a bus without order"
BEGAN = 1_795_500_000.0  # after the recording: the moment of the first arrival
LONGEST = 13  # arrivals of the user whose story is told, at most: so many fit into the drawing
KINDS = {  # of dots: those drawn last lie on top
    "other": "not a change",
    "duplicate": "duplicate",
    "stale": "stale",
    "applied": "applied",
    "held": "held, then settled",
}
Truth = Mapping[int, Mapping[str, str | None]]


class Step(NamedTuple):
    """One arrival of a record, and what the two tables show of its key afterwards: a record's
    place, a log position; None for no row."""

    place: int
    key: int
    decision: Decision
    upsert: int | None
    guarded: int | None


class Played(NamedTuple):
    """A whole delivery of the recording to both consumers."""

    records: list[Delivery]
    steps: list[Step]
    upsert: Truth
    guarded: Guarded

    @property
    def order(self) -> list[int]:
        """The places of the records in the order of their arrival."""
        return [step.place for step in self.steps]


def act(seed: int) -> Act:
    """The recording through a bus without order."""
    records, truth = recording.deliveries(), recording.truth()
    played = play(records, unordered(len(records), Random(seed)))
    with closing(played.guarded):
        scores = {
            "upsert, in order, each once": judge(_in_order(records), truth),
            "upsert, on this bus": judge(played.upsert, truth),
            "anyorder, on this bus": judge(spelled(played.guarded.rows()), truth),
        }
        usual = f"{count(scores['upsert, on this bus'].total, 'row')} wrong"
        blocks = [*_stream(played, truth, scores), *_story(played, truth, chosen(played, truth))]
        return Act(
            2,
            TITLE,
            blocks,
            usual,
            none(scores["anyorder, on this bus"].total),
            scores,
        )


def spelled(rows: Mapping[int, Mapping[str, object]]) -> Truth:
    """A table as the source would spell it."""
    return {key: recording.spelled(row) for key, row in rows.items()}


def _in_order(records: Sequence[Delivery]) -> Truth:
    with closing(Upsert(in_memory(), recording.COLUMNS)) as upsert:
        for record in records:
            upsert.take(record)
        return spelled(rows_of(upsert.database))


def play(records: list[Delivery], order: Sequence[int]) -> Played:
    """Deliver one by one to both, and look at both tables after each. The caller closes the guarded
    one."""
    guarded = Guarded()
    shown: dict[int, int | None] = {}
    steps = []
    with closing(Upsert(in_memory(), recording.COLUMNS)) as upsert:
        for number, place in enumerate(order):
            record, change = records[place], change_in(records[place])
            (decision,) = guarded.take([record], BEGAN + number / 10)
            upsert.take(record)
            key = (decision.event.key or {})["id"]
            if change is not None:
                shown[key] = None if change["op"] == "d" else place
            memory = guarded.memory(key)
            ours = memory.stamp.position if memory is not None and memory.live else None
            steps.append(Step(place, key, decision, shown.get(key), getattr(ours, "lsn", None)))
        return Played(records, steps, spelled(rows_of(upsert.database)), guarded)


def _stream(played: Played, truth: Truth, scores: dict[str, Score]) -> list[Block]:
    nulls = sum(record.value is None for record in played.records)
    late = sum(behind > 0 for behind in _behind(played.order))
    return [
        prose(f"""A real stream, recorded and not edited: PostgreSQL 15, Debezium 3.7, Kafka.
            {count(len(played.records), "record")} of one table,
            {count(len(played.records) - nulls, "change")} and a null record after each of
            {count(nulls, "delete")}. At its end the source had {count(len(truth), "user")}; these
            rows were recorded too, and are the judge."""),
        prose(f"""The bus delays some of them, delivers some twice, and after a restart delivers
            the last {REDELIVERED} again: {count(len(played.steps), "delivery", "deliveries")},
            {late:,} of them behind something newer. Both consumers write the same table."""),
        Figure(
            stream(
                _dots(played),
                KINDS,
                "Every delivery of the stream: when it arrived, and how far behind the newest",
            ),
            "Every dot is a delivery, and its colour what anyorder did with it. With "
            "order, all dots would lie on the uppermost line; "
            "the deeper a dot, the later it came. The arc is what the restart delivered again.",
        ),
        Table(
            ("the table in the end", *SCORE_HEADER),
            [score_row(name, score) for name, score in scores.items()],
            numbers=1,
        ),
        _books(played.guarded.report),
    ]


def _behind(order: Sequence[int]) -> list[int]:
    """For each arrival, by how many records it is behind the newest that has arrived."""
    return [newest - place for newest, place in zip(accumulate(order, max), order, strict=True)]


def _dots(played: Played) -> dict[str, list[tuple[int, int]]]:
    dots: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
    for number, (step, behind) in enumerate(zip(played.steps, _behind(played.order), strict=True)):
        dots[_kind(step.decision)].append((number, behind))
    return dots


def _kind(decision: Decision) -> str:
    if decision.outcome is Outcome.QUARANTINED:
        return "held"
    reason = decision.reason.value
    return reason if reason in KINDS else "other"


def _books(report: Report) -> Block:
    ignored = ", ".join(
        f"{number} {reason.replace('_', ' ')}" for reason, number in report.ignored.most_common()
    )
    held, settled = report.quarantined.total(), report.settled.total()
    settling = (
        "each was settled by itself" if settled == held else f"{settled} were settled by themselves"
    )
    waited = (
        (
            "Held were null records that came before the delete that they belong to; "
            f"{settling} when it came."
        )
        if held
        else ""
    )
    return prose(f"""The books add up: {report.read:,} read = {report.applied:,} applied +
        {report.ignored.total():,} ignored ({ignored}) + {held} held in quarantine. {waited}""")


def chosen(played: Played, truth: Truth) -> int:
    """The user whose story is told: one that the upsert got wrong, if there is one; of these one
    that fits, and of which most can be told."""
    wrong = {
        key
        for key in played.upsert.keys() | truth.keys()
        if played.upsert.get(key) != truth.get(key)
    }

    def worth(key: int) -> tuple[bool, bool, int, int, int]:
        steps = [step for step in played.steps if step.key == key]
        late = sum(behind > 0 for behind in _behind([step.place for step in steps]))
        return (
            key in wrong,
            len(steps) <= LONGEST,
            len({step.decision.reason for step in steps}),
            late,
            -key,
        )

    return max({step.key for step in played.steps}, key=worth)


class Told(NamedTuple):
    """One key's story: its steps, the number of each of its events by place, and what each table
    shows after each step (0: no row)."""

    key: int
    steps: list[Step]
    numbers: dict[int, int]
    upsert: Band
    guarded: Band


def told(played: Played, key: int) -> Told:
    """Gather the story of a key. A table is right while it shows the newest of what has arrived."""
    steps = [step for step in played.steps if step.key == key]
    numbers = {
        place: number for number, place in enumerate(sorted({step.place for step in steps}), 1)
    }
    by_position = {
        position(played.records[place]): number
        for place, number in numbers.items()
        if played.records[place].value is not None
    }
    upsert = [numbers[step.upsert] if step.upsert is not None else 0 for step in steps]
    guarded = [by_position[step.guarded] if step.guarded is not None else 0 for step in steps]
    fold = _folded(played.records, [step.place for step in steps], numbers)
    bands = [
        Band(name, shows, [one == right for one, right in zip(shows, fold, strict=True)])
        for name, shows in (("upsert", upsert), ("anyorder", guarded))
    ]
    return Told(key, steps, numbers, *bands)


def _folded(
    records: Sequence[Delivery], arrivals: Sequence[int], numbers: dict[int, int]
) -> list[int]:
    """After each arrival, what the table should show of what has arrived: the newest change's
    number, 0 if it is a delete."""
    newest, found = -1, []
    for place in arrivals:
        newest = max(newest, place) if records[place].value is not None else newest
        found.append(0 if newest < 0 or operation(records[newest]) == "delete" else numbers[newest])
    return found


def _story(played: Played, truth: Truth, key: int) -> list[Block]:
    tale = told(played, key)
    events = [operation(played.records[place]) for place in tale.numbers]
    arrivals = [tale.numbers[step.place] - 1 for step in tale.steps]
    ending = (
        f"has the user as event {tale.guarded.shows[-1]} left it"
        if key in truth
        else "has deleted the user"
    )
    return [
        prose(f"""The story of one of them, user {key}: {count(len(events), "event")}, numbered as
            they happened, in {count(len(arrivals), "delivery", "deliveries")}. In the end, the
            source {ending}."""),
        Figure(
            story(
                events,
                arrivals,
                [tale.upsert, tale.guarded],
                f"The events of user {key}, and their arrivals",
            ),
            (
                f"{_legend(events)}A broken line is a second delivery. Red: the table shows "
                "something older than what has arrived."
            ),
        ),
        Table(
            ("arrives", "happened at", "upsert shows", "anyorder decides", "anyorder shows"),
            _rows(played, tale),
        ),
        *_reason(tale),
        prose("And whoever asks, now or in a year, is told which event it was that counts:"),
        Quote(played.guarded.why(key).sentences, f"anyorder why users {key}"),
    ]


def _legend(events: Sequence[str]) -> str:
    if "delete" not in events:
        return ""
    nulls = ", empty discs the null records after them" if "null" in events else ""
    return f"Squares are deletes{nulls}. "


def _rows(played: Played, tale: Told) -> list[list[str | Cell]]:
    rows: list[list[str | Cell]] = []
    for number, step in enumerate(tale.steps):
        record = played.records[step.place]
        upsert, guarded = (
            _shows(band.shows[number], band.right[number]) for band in (tale.upsert, tale.guarded)
        )
        rows.append(
            [
                f"{tale.numbers[step.place]} {operation(record)}",
                lsn(position(record)),
                upsert,
                ending(step.decision),
                guarded,
            ]
        )
    return rows


def _shows(number: int, right: bool) -> Cell:
    return Cell(f"event {number}" if number else "no row", "quiet" if right else "bad")


def _reason(tale: Told) -> list[Block]:
    """What anyorder says of the last stale event."""
    stale = next(
        (step for step in reversed(tale.steps) if step.decision.reason is Reason.STALE), None
    )
    if stale is None:
        return []
    return [
        prose(
            f"When event {tale.numbers[stale.place]} came, anyorder could say why it was ignored:"
        ),
        Quote([explain(stale.decision)], "anyorder"),
    ]
