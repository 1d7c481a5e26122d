"""Breadth first through every state, so that the first problem found has a shortest trace."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple, TypeVar

State = TypeVar("State", bound=Hashable)
TOO_MANY = 20_000_000  # states; a model that grows beyond is a mistake in the model


class Explored(NamedTuple):
    """How many states there are, and the shortest way to a problem (None: there is none)."""

    states: int
    trace: tuple[str, ...] | None = None
    problem: str = ""

    @property
    def safe(self) -> bool:
        return self.trace is None

    def __str__(self) -> str:
        return "safe" if self.trace is None else " ; ".join(self.trace) + f"  ** {self.problem}"


def explore(
    start: State,
    successors: Callable[[State], Iterable[tuple[object, State]]],
    problem: Callable[[State], str],
    spelled: Callable[[object], str] = str,
) -> Explored:
    """Visit every state that can be reached; stop at the first whose `problem` is not empty, or
    fails an assertion.

    `successors` gives (label, state); labels, `spelled`, make up the trace.
    """
    came: dict[State, tuple[State, object] | None] = {start: None}
    queue = [start]
    for state in queue:
        for label, following in successors(state):
            if following in came:
                continue
            came[following] = (state, label)
            queue.append(following)
            found = _problem(problem, following)
            if found:
                labels = _labels(came, following)
                return Explored(len(came), tuple(map(spelled, labels)), found)
        assert len(came) < TOO_MANY, "the model grows without bound"
    return Explored(len(came))


def _problem(problem: Callable[[State], str], state: State) -> str:
    try:
        return problem(state)
    except AssertionError as error:
        return str(error) or "an assertion failed"


def _labels(came: dict[State, tuple[State, object] | None], state: State) -> list[object]:
    labels = []
    while step := came[state]:
        state, label = step
        labels.append(label)
    return labels[::-1]


def shortest(found: Explored, best: Explored | None) -> Explored:
    """The one of two counterexamples with the shorter trace."""
    return found if best is None or len(found.trace or ()) < len(best.trace or ()) else best
