"""`anyorder quarantine summary`: what the quarantine holds, a line for each kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from anyorder.cli.acts.asked import Asked
from anyorder.cli.acts.entries import when
from anyorder.cli.acts.filters import found_of
from anyorder.cli.acts.likeness import patterns, without_values
from anyorder.cli.output import print_rows
from anyorder.guard.contract import Entry

Kind = tuple[str, str]
"""A table and a reason."""


class Group(msgspec.Struct):
    """Entries whose details are alike; `example`: the oldest one's id."""

    count: int
    first_seen: float
    last_seen: float
    example: int

    def add(self, count: int, first_seen: float, last_seen: float, example: int) -> None:
        """These are of it too."""
        self.count += count
        self.first_seen = min(self.first_seen, first_seen)
        self.last_seen = max(self.last_seen, last_seen)
        self.example = min(self.example, example)


def summarise(asked: Asked) -> int:
    """`summary`. Exit code 1 if one of them is open."""
    options = asked.options
    state = options.state or "open"
    entries = found_of(asked, "" if state == "all" else state).entries
    print_rows(groups_of(entries), options, "no such entry")
    return int(any(entry.state == "open" for entry in entries))


def groups_of(entries: Iterable[Entry]) -> list[dict[str, object]]:
    """The kinds of entries, the largest first."""
    told: dict[Kind, dict[str, Group]] = defaultdict(dict)
    for entry in entries:
        detail = without_values(entry.detail, entry.key)
        _add(
            told[entry.table, entry.reason],
            detail,
            Group(1, entry.first_seen, entry.last_seen, entry.id),
        )
    rows: list[dict[str, object]] = []
    for (table, reason), details in told.items():
        for detail, group in _alike(details).items():
            rows.append(
                {
                    "count": group.count,
                    "table": table,
                    "reason": reason,
                    "first_seen": when(group.first_seen),
                    "last_seen": when(group.last_seen),
                    "example": group.example,
                    "detail": detail,
                }
            )
    return sorted(rows, key=lambda row: (-int(str(row["count"])), int(str(row["example"]))))


def _alike(details: dict[str, Group]) -> dict[str, Group]:
    pattern_of = patterns(details)
    found: dict[str, Group] = {}
    for detail, group in details.items():
        _add(found, pattern_of[detail], group)
    return found


def _add(groups: dict[str, Group], detail: str, group: Group) -> None:
    if detail in groups:
        groups[detail].add(group.count, group.first_seen, group.last_seen, group.example)
    else:
        groups[detail] = group
