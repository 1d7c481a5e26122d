"""The demo's drawings: one user's story, a whole stream, nine months, four retentions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from anyorder.demo.drawing import WIDTH, box, circle, curve, dots, line, polyline, svg, text

LEFT = 150.0  # where lanes begin; their names stand before it
RIGHT = WIDTH - 20.0
WIDEST = 110.0  # of one event on a lane
NOTHING = "–"


class Band(NamedTuple):
    """What one consumer's table shows after each arrival: the number of an event, or 0 for no row;
    and whether that is right."""

    name: str
    shows: Sequence[int]
    right: Sequence[bool]


def story(events: Sequence[str], arrivals: Sequence[int], bands: Sequence[Band], label: str) -> str:
    """One key: its events above in the order in which they happened, their deliveries below in the
    order of arrival.

    `events`: what each was; `arrivals`: places in `events`; each band has one entry an arrival.
    """
    room = min(WIDEST * max(len(arrivals), len(events)), RIGHT - LEFT)
    above, below = _spread(len(events), room), _spread(len(arrivals), room)
    radius = min(13.0, room / len(arrivals) / 2 - 1)
    parts = [text(0, 58, "happened"), text(0, 178, "arrived")]
    met: set[int] = set()
    for x, event in zip(below, arrivals, strict=True):
        parts.append(curve(above[event], 66, x, 173 - radius, "again" if event in met else "path"))
        met.add(event)
    for number, (x, name) in enumerate(zip(above, events, strict=True), 1):
        parts += [text(x, 28, name, "small", "middle"), _event(x, 53, 13, number, name)]
    for x, event in zip(below, arrivals, strict=True):
        parts.append(_event(x, 173, radius, event + 1, events[event]))
    for row, band in enumerate(bands):
        parts += _band(band, 214 + row * 40, below, room / len(arrivals))
    return svg(208 + 40 * len(bands), label, parts, min(WIDTH, LEFT + room + 8))


def _spread(number: int, room: float) -> list[float]:
    """Places on a lane, evenly."""
    return [LEFT + room / number * (place + 0.5) for place in range(number)]


def _event(x: float, y: float, radius: float, number: int, name: str) -> str:
    kind = {"delete": " gone", "null": " null"}.get(name, "")
    shape = (
        box(x - radius, y - radius, 2 * radius, 2 * radius, "event gone")
        if name == "delete"
        else circle(x, y, radius, f"event{kind}")
    )
    return shape + text(x, y + 4.5, str(number), f"number{kind}", "middle")


def _band(band: Band, y: float, places: Sequence[float], width: float) -> list[str]:
    parts = [text(0, y + 19, band.name)]
    for x, number, right in zip(places, band.shows, band.right, strict=True):
        parts.append(box(x - width / 2 + 1, y, width - 2, 28, "shows" if right else "shows bad"))
        parts.append(
            text(
                x,
                y + 19,
                str(number) if number else NOTHING,
                "shown" if right else "shown bad",
                "middle",
            )
        )
    return parts


def stream(
    places: Mapping[str, Sequence[tuple[int, int]]], kinds: Mapping[str, str], label: str
) -> str:
    """A whole stream, a dot a delivery: across, when it arrived; down, by how many records it came
    too late, on a logarithmic scale.

    `places`: (arrival, records behind) of each kind of dot; `kinds`: kind -> its words, the last on
    top.
    """
    left, right, top, bottom = 60.0, WIDTH - 10.0, 64.0, 400.0
    across = max(arrival for found in places.values() for arrival, _ in found)
    deepest = math.log10(1 + max(behind for found in places.values() for _, behind in found))

    def down(behind: int) -> float:
        return top + math.log10(1 + behind) / max(deepest, 1) * (bottom - top)

    parts = []
    for behind in (0, 1, 10, 100, 1000):
        if math.log10(1 + behind) <= deepest:
            parts += [
                line(left, down(behind), right, down(behind), "grid"),
                text(left - 12, down(behind) + 4, str(behind), "small", "end"),
            ]
    parts += [
        text(right, bottom + 26, "in the order of arrival →", "small", "end"),
        text(0, bottom + 26, "records behind the newest", "small"),
    ]
    for kind in kinds:
        parts.append(
            dots(
                (
                    (left + 4 + arrival / across * (right - left - 8), down(behind))
                    for arrival, behind in places.get(kind, ())
                ),
                kind,
            )
        )
    x = left - 6
    for kind in sorted(kinds, key=lambda kind: -len(places.get(kind, ()))):
        name = f"{len(places.get(kind, ())):,} {kinds[kind]}"
        parts += [dots([(x + 6, 15)], f"{kind} key"), text(x + 18, 20, name)]
        x += 44 + 6.7 * len(name)
    return svg(bottom + 36, label, parts)


class Month(NamedTuple):
    """A mark on a calendar: days from its beginning, and the month's name."""

    days: float
    name: str


def calendar(
    months: Sequence[Month],
    days: float,
    retention: float,
    events: Sequence[tuple[str, float, float]],
    ends: tuple[str, str],
    label: str,
) -> str:
    """A server that was away: the letters' lives above, what each memory covers below. Times in
    days; `ends`: the dates of the first and the last.

    `events`: for each letter its name, when it was withdrawn (-1: it was not) and when it arrived.
    `retention`: how long the memory is.
    """
    scale = (RIGHT - 60 - LEFT) / days
    height = 30 + 26 * len(events)

    def at(day: float) -> float:
        return LEFT + day * scale

    parts = [
        text(at(0), 18, ends[0], "label", "middle"),
        text(at(days), 18, ends[1], "label", "middle"),
    ]
    for month in months:
        parts += [
            line(at(month.days), 24, at(month.days), height + 96, "grid"),
            text(at(month.days) + 4, 18, month.name, "small"),
        ]
    for row, (name, withdrawn, arrived) in enumerate(events):
        y = 44.0 + 26 * row
        parts += [
            text(0, y + 5, name),
            line(at(0), y, at(arrived) - 9, y, "path" if withdrawn < 0 else "again"),
            circle(at(0), y, 5, "event"),
        ]
        parts.append(circle(at(arrived), y, 6.5, "arrives held"))
        if withdrawn >= 0:
            parts.append(box(at(withdrawn) + 9, y - 5, 10, 10, "event gone", 1.5))
    parts += [
        text(0, height + 39, f"{24 * retention:.0f} h of memory"),
        box(at(0), height + 26, max(retention * scale, 4), 18, "memory"),
    ]
    parts.append(text(at(retention) + 8, height + 39, "forgotten", "small"))
    parts += [
        text(0, height + 75, "the floor"),
        box(at(retention), height + 62, at(days) - at(retention) + 40, 18, "floor"),
    ]
    parts.append(
        text(at(retention) + 10, height + 75, "up to here, something was forgotten", "small")
    )
    return svg(height + 104, label, parts)


class Bars(NamedTuple):
    """One group of bars: its heading, its numbers, and how they are coloured."""

    name: str
    numbers: Sequence[int]
    kind: str


def bars(rows: Sequence[str], groups: Sequence[Bars], label: str) -> str:
    """Rows of bars, a group a column, each group on its own scale."""
    first, gap = 100.0, 30.0
    width = (WIDTH - first - gap * len(groups)) / len(groups)
    parts = []
    for place, group in enumerate(groups):
        x, largest = first + place * (width + gap), max([*group.numbers, 1])
        parts.append(text(x, 18, group.name, "small"))
        for row, number in enumerate(group.numbers):
            long = number / largest * (width - 44)
            parts += [
                box(x, 36 + 34 * row, max(long, 1.5), 20, group.kind if number else "nothing"),
                text(x + max(long, 1.5) + 8, 51 + 34 * row, str(number)),
            ]
    parts += [text(0, 51 + 34 * row, name) for row, name in enumerate(rows)]
    return svg(40 + 34 * len(rows), label, parts)


def tail(
    seconds: Sequence[float],
    marks: Sequence[tuple[float, str]],
    ticks: Sequence[tuple[float, str]],
    label: str,
) -> str:
    """Which share of deliveries is later than a time; both scales are logarithmic. `marks`:
    retentions to show on it."""
    left, right, top, bottom = 60.0, WIDTH - 20.0, 20.0, 230.0
    late = sorted(max(value, 1.0) for value in seconds)
    high, least = math.log10(max(late[-1], 10)), -math.log10(len(late))

    def at(value: float, share: float) -> tuple[float, float]:
        return left + math.log10(value) / high * (right - left), top + math.log10(share) / least * (
            bottom - top
        )

    parts = []
    for share, name in ((1.0, "all"), (0.1, "10 %"), (0.01, "1 %"), (0.001, "0.1 %")):
        y = at(1, share)[1]
        parts += [line(left, y, right, y, "grid"), text(left - 8, y + 4, name, "small", "end")]
    for value, name in ticks:
        if value <= late[-1]:
            parts.append(text(at(value, 1)[0], bottom + 22, name, "small", "middle"))
    step = max(1, len(late) // 300)
    chosen = [*range(0, len(late) - 200, step), *range(max(0, len(late) - 200), len(late))]
    parts.append(
        polyline((at(late[place], (len(late) - place) / len(late)) for place in chosen), "curve")
    )
    for value, name in marks:
        share = sum(one > value for one in late) / len(late)
        x, y = at(value, max(share, 1 / len(late)))
        parts += [
            line(x, top, x, bottom, "mark"),
            circle(x, y, 4.5, "arrives held"),
            text(x - 10, y + 22, f"{100 * share:.1f} % are later than {name}", "label", "end"),
        ]
    return svg(bottom + 34, label, parts)
