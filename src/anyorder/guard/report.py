"""The books: what became of every delivery, as numbers."""

from __future__ import annotations

import time
from collections import Counter

from anyorder._core.outcome import Outcome, Reason, outcome_of
from anyorder.errors import BooksUnbalanced
from anyorder.guard.intake import Taken
from anyorder.notebook import table


class Report:
    """What became of deliveries. Prints as one line; `read` = `applied` + `ignored` +
    `quarantined`, always.

    `ignored`, `quarantined` and `settled` count by reason; a settled entry was counted as
    quarantined when it was read.
    """

    def __init__(self) -> None:
        self.read = 0
        self.applied = 0
        self.ignored: Counter[str] = Counter()
        self.quarantined: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()
        self._began = time.monotonic()
        self.seconds = 0.0

    def count(self, taken: Taken) -> None:
        """Add a batch. Raises BooksUnbalanced if a delivery would get lost in it."""
        self.read += len(taken.decisions)
        reasons = Counter(decision.reason for decision in taken.decisions)
        for reason, number in reasons.items():
            self._add(reason, number)
        self.settled.update(one.reason.value for one in taken.closed)
        self.seconds = time.monotonic() - self._began

        # Nothing is lost (rules R1): every delivery that was read is on one of the three sides.
        counted = self.applied + self.ignored.total() + self.quarantined.total()
        if self.read != counted:
            raise BooksUnbalanced

    def _add(self, reason: Reason, number: int) -> None:
        match outcome_of(reason):
            case Outcome.APPLIED:
                self.applied += number
            case Outcome.IGNORED:
                self.ignored[reason.value] += number
            case Outcome.QUARANTINED:
                self.quarantined[reason.value] += number

    def add(self, other: Report) -> None:
        """Add another report's books."""
        # Each side by itself, so that the sum balances as its parts do.
        self.read += other.read
        self.applied += other.applied
        self.ignored.update(other.ignored)
        self.quarantined.update(other.quarantined)
        self.settled.update(other.settled)
        self.seconds = time.monotonic() - self._began

    def as_dict(self) -> dict[str, object]:
        """The line that scripts rely on."""
        return {
            "read": self.read,
            "applied": self.applied,
            "ignored": _sorted(self.ignored),
            "quarantined": _sorted(self.quarantined),
            "settled": _sorted(self.settled),
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        parts = [
            f"{self.applied} applied",
            _counted("ignored", self.ignored),
            _counted("quarantined", self.quarantined),
        ]
        if self.settled:
            parts.append(f"{self.settled.total()} settled by themselves")
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"<Report {self}>"

    def _repr_html_(self) -> str:
        """As a notebook shows it: a line a reason."""
        rows: list[tuple[object, ...]] = [("applied", "", self.applied)]
        sides = {"ignored": self.ignored, "quarantined": self.quarantined, "settled": self.settled}
        for side, counts in sides.items():
            rows += [(side, reason, number) for reason, number in _sorted(counts).items()]
        # What was settled by itself was read before.
        return table(("outcome", "reason", "deliveries"), [*rows, ("read", "", self.read)])


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _counted(name: str, counts: Counter[str]) -> str:
    total = f"{counts.total()} {name}"
    if not counts:
        return total

    # One reason needs no number of its own: it is the total.
    if len(counts) == 1:
        (only,) = counts
        return f"{total} ({only})"
    # The most frequent first; of two as frequent the first by name, however the batch was decided.
    often = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{reason} {number}" for reason, number in often)
    return f"{total} ({reasons})"
