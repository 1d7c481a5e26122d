"""The books: what became of every delivery, as numbers."""

from __future__ import annotations

import time
from collections import Counter

from anyorder._core.outcome import Outcome, Reason, outcome_of
from anyorder.errors import BooksUnbalanced
from anyorder.guard.intake import Taken


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
        """Add a batch."""
        self.read += len(taken.decisions)
        for reason, number in Counter(decision.reason for decision in taken.decisions).items():
            self._add(reason, number)
        self.settled.update(one.reason.value for one in taken.closed)
        self.seconds = time.monotonic() - self._began
        if self.read != self.applied + self.ignored.total() + self.quarantined.total():
            raise BooksUnbalanced

    def add(self, other: Report) -> None:
        """Add another report's books."""
        self.read += other.read
        self.applied += other.applied
        for ours, theirs in (
            (self.ignored, other.ignored),
            (self.quarantined, other.quarantined),
            (self.settled, other.settled),
        ):
            ours.update(theirs)
        self.seconds = time.monotonic() - self._began

    def _add(self, reason: Reason, number: int) -> None:
        outcome = outcome_of(reason)
        if outcome is Outcome.APPLIED:
            self.applied += number
        else:
            (self.ignored if outcome is Outcome.IGNORED else self.quarantined)[reason.value] += (
                number
            )

    def as_dict(self) -> dict[str, object]:
        """The line that scripts rely on."""
        parts = {"ignored": self.ignored, "quarantined": self.quarantined, "settled": self.settled}
        return {
            "read": self.read,
            "applied": self.applied,
            **{k: dict(sorted(v.items())) for k, v in parts.items()},
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


def _counted(name: str, counts: Counter[str]) -> str:
    reasons = ", ".join(
        f"{reason} {number}" if len(counts) > 1 else reason
        for reason, number in counts.most_common()
    )
    return f"{counts.total()} {name}" + (f" ({reasons})" if reasons else "")
