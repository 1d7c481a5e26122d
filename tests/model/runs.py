"""R14: lives of a connector over several runs. A run id is larger than every earlier one; a later
run begins where the stored offset says, or with a snapshot, perhaps of another history: a rebuilt
database, or a standby that lagged. Positions and transaction ids are then used again, and the last
changes of the old history never happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from anyorder._core.event import Event, Kind
from tests.model.life import Life
from tests.model.source import (
    SCOPE,
    Change,
    Fields,
    Log,
    event_of,
    final_state,
    histories,
    lives,
    state_at,
    streamed,
    truncated,
)

Emitted = tuple[Change, ...]


def restarted(log: Log, *, forgets: bool, limit: int) -> Iterator[Emitted]:
    """One crash with kept offsets: what comes after it, and what is emitted again, belongs to the
    second run."""
    for life in lives(log, lost=False, forgets=forgets, limit=limit):
        for crash in range(1, len(life)):
            again = {(change.op, change.lsn) for change in life[:crash]} & {
                (change.op, change.lsn) for change in life[crash:]
            }
            if again or crash == 1:
                yield tuple(
                    change._replace(run="1" if at < crash else "2")
                    for at, change in enumerate(life)
                )


def snapshot_again(old: Log, new: Log, *, limit: int, common: int = 0) -> Iterator[Emitted]:
    """The first run tells a part of `old`; the second takes a snapshot of `new` and streams it.
    `common`: their common prefix."""
    seen = set()
    for start in range(1, len(old) + 2):
        value = state_at(old, start)
        first = (
            [Change("r", start, None, None, value, time=start)] if value is not None else []
        ) + streamed(old, after=start)
        for crash in range(len(first) + 1):
            for taken in range(common + 1, len(new) + 2):
                second = [
                    Change("r", taken, None, None, state_at(new, taken), time=taken),
                    *streamed(new, after=taken),
                ]
                plan = (*_run("1", first[:crash]), *_run("2", second, history=1))
                if len(plan) <= limit and plan not in seen:
                    seen.add(plan)
                    yield tuple(change._replace(offset=at) for at, change in enumerate(plan))


def with_another_crash(plan: Emitted, *, limit: int) -> Iterator[Emitted]:
    """The same, and one of the two runs crashed once more and emitted again from an earlier
    point."""
    for run in "12":
        mine, others = (
            [change for change in plan if change.run == run],
            [change for change in plan if change.run != run],
        )
        reads = 1 if mine and mine[0].op == "r" else 0
        for crash in range(reads + 1, len(mine) + 1):
            for back in range(reads, crash):
                told = [*mine[:crash], *(change._replace(run=run + "b") for change in mine[back:])]
                life = told + others if run == "1" else others + told
                if len(life) <= limit:
                    yield tuple(change._replace(offset=at) for at, change in enumerate(life))


def _run(name: str, changes: list[Change], history: int = 0) -> list[Change]:
    mark = "'" * history
    return [
        c._replace(run=name, history=history, value=c.value and c.value + mark) for c in changes
    ]


def clocked(plan: Emitted, ahead: int) -> Emitted:
    """The commit times in microseconds, a second a position; the new server's clock is so many
    seconds ahead of the old one's."""

    def at(change: Change) -> Change:
        return (
            change
            if change.time is None
            else change._replace(
                time=(1000 + change.time + ahead * change.history) * 1_000_000 + change.history
            )
        )

    return tuple(map(at, plan))


Telling = Callable[[Change], Event]


def one_column(change: Change) -> Event:
    """The record as an event of a table with the column x."""
    return event_of(change, None if change.value is None else {"x": change.value})


def life_of(
    plan: Emitted,
    truth: Fields | None,
    telling: Telling = one_column,
    *,
    columns: str = "x",
    reaping: bool = False,
    elsewhere: str = "",
    offsets: bool = True,
) -> Life:
    """A snapshot record makes its run known. `elsewhere`: one of another key makes this run known,
    at any moment."""
    emitted: list[tuple[Change, Event]] = []
    for place, change in enumerate(plan):
        moved = change if offsets else change._replace(partition=place)
        event = telling(moved)
        if change.op == "r":
            event = Event(
                event.kind,
                position=event.position,
                fields=event.fields,
                snapshot_run=(SCOPE, change.run),
            )
        emitted.append((moved, event))
    if elsewhere:
        seen = Change("k", 0, None, None, None, run=elsewhere)
        emitted.append((seen, Event(Kind.CONTROL, snapshot_run=(SCOPE, elsewhere))))
    return Life(emitted, truth, columns, reaping=reaping)


class Pair(NamedTuple):
    """An old history, the new one, and a life that tells a part of both."""

    old: Log
    new: Log
    plan: Emitted

    @property
    def truth(self) -> Fields | None:
        value = final_state(self.new)
        return None if value is None else {"x": f"{value}'"}


def rebuilt(changes: int, names: int, *, limit: int, truncates: bool = False) -> Iterator[Pair]:
    """Two histories that have nothing in common but their positions; `truncates`: one of them, or
    both, has a TRUNCATE."""
    logs = list(histories(changes, names, 0, 0))
    ended = [log for before in logs for log in truncated(before)]
    pairs = (
        [(old, new) for old in logs + ended for new in logs + ended if old in ended or new in ended]
        if truncates
        else [(a, b) for a in logs for b in logs]
    )
    for old, new in pairs:
        yield from (Pair(old, new, plan) for plan in snapshot_again(old, new, limit=limit))


def lagging(changes: int, names: int, *, limit: int) -> Iterator[Pair]:
    """Two histories with a common beginning, which the new one's snapshot includes."""
    logs = list(histories(changes, names, 0, 0))
    for old in logs:
        for new in logs:
            common = next(
                (
                    at
                    for at in range(min(len(old), len(new)), 0, -1)
                    if old[:at] == new[:at] and old[:at] in logs
                ),
                0,
            )
            if 0 < common < len(old):
                yield from (
                    Pair(old, new, plan)
                    for plan in snapshot_again(old, new, limit=limit, common=common)
                )
