"""One life of a connector: what it emitted is delivered in any order and any number of times, and
the row must be right in the end, or somebody is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from anyorder._core.event import Event
from anyorder._core.fold import Limits
from tests.model.search import Explored, explore, shortest
from tests.model.source import Change
from tests.model.store import EMPTY, QUARANTINED, Shared, Store, bits

State = tuple[int, int, int, int]  # limits, slot, delivered events, held events
Fields = dict[str, object]


class Life:
    """`emitted`: the records and the events they are. `truth`: the source's row in the end, None if
    there is none.

    `rank`: the place of a memory's winner in the source's own order, to notice a step back.
    `reaping`: a tombstone may be forgotten at any moment. A record with a snapshot run makes it
    known to the table, and what is held is decided again.
    """

    def __init__(
        self,
        emitted: Sequence[tuple[Change, Event]],
        truth: Fields | None,
        columns: str = "x",
        *,
        reaping: bool = False,
        rank: Callable[[Change], float] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.changes = [change for change, _ in emitted]
        self.store = Store([event for _, event in emitted], columns, limits)
        self.truth, self.reaping = truth, reaping
        self.full = (1 << len(emitted)) - 1
        self.truncates = sum(
            1 << place for place, change in enumerate(self.changes) if change.op == "t"
        )
        self.ranks = (
            {
                event.position.identity(): rank(change)
                for change, event in emitted
                if change.op in "cudrix" and event.position
            }
            if rank
            else {}
        )
        self.loud = self.open = self.back = False

    def search(self) -> Explored:
        start = (self.store.first_limits, EMPTY, 0, 0)
        return explore(start, self.successors, self.problem, self.spelled)

    def spelled(self, label: object) -> str:
        """A step of the trace: the change and what became of it."""
        if not isinstance(label, tuple):
            return str(label)
        place, reason = label
        return f"{self.changes[place].text()} {reason}"

    def successors(self, state: State) -> Iterator[tuple[object, State]]:
        limits, slot, delivered, held = state
        if self.reaping and self.store.is_tombstone(slot):
            yield "reap", (self.store.reap(slot, limits), 0, delivered, held)
        undecided = held & ~self.truncates
        for place in range(len(self.changes)):
            if self.truncates >> place & 1:
                yield self.truncate(state, place)
                continue
            known = self.store.learn(limits, place)
            step = self.store.deliver(slot, (place,), undecided, known, known != limits)
            if self.ranks and not self.back:
                self.back = self.steps_back(slot, step.slot)
            after = (known, step.slot, delivered | 1 << place, step.held | held & self.truncates)
            yield (place, step.reasons[0]), self.settled(after) if known != limits else after

    def truncate(self, state: State, place: int) -> tuple[object, State]:
        """R10: what a truncate leaves, and what is held is decided again; a truncate that cannot be
        placed is held itself."""
        limits, slot, delivered, held = state
        (after,), limits, reason = self.store.truncate([slot], place, limits)
        held = held & ~(1 << place) | (reason in QUARANTINED) << place
        return (place, reason), self.settled(
            (limits, after, delivered | 1 << place, held), moved=True
        )

    def settled(self, state: State, *, moved: bool = False) -> State:
        """What is held is decided again: truncates until nothing moves, then, if any was settled or
        something `moved`, what the key's entries say."""
        limits, slot, delivered, held = state
        before = -1
        while limits != before:
            before = limits
            for place in bits(held & self.truncates):
                (slot,), limits, reason = self.store.truncate([slot], place, limits)
                if reason not in QUARANTINED:
                    held, moved = held & ~(1 << place), True
        if not moved:
            return state
        step = self.store.deliver(slot, (), held & ~self.truncates, limits, True)
        return limits, step.slot, delivered, step.held | held & self.truncates

    def problem(self, state: State) -> str:
        _, slot, delivered, held = state
        if delivered != self.full:
            return ""
        self.open = self.open or bool(held)
        shown = self.store.view(slot)
        if shown == self.truth:
            return ""
        if held or (
            self.store.is_incomplete(slot)
            and shown is not None
            and self.truth is not None
            and shown.items() <= self.truth.items()
        ):
            self.loud = True
            return ""
        return f"shows {shown}, the source has {self.truth}"

    def steps_back(self, slot: int, after: int) -> bool:
        """Does the row show an older state than before?"""
        before, now = self.store.slots[slot], self.store.slots[after]
        if slot == after or before.memory is None or now.memory is None or before.row == now.row:
            return False
        old, new = (
            self.ranks.get(memory.stamp.position.identity())
            for memory in (before.memory, now.memory)
        )
        return old is not None and new is not None and new < old


class Tally:
    """What a search over many lives found."""

    def __init__(self) -> None:
        self.lives = self.states = self.wrong = self.loud = self.open = self.back = 0
        self.worst: Explored | None = None

    def add(self, life: Life, shared: Shared) -> None:
        life.store.share(shared)
        found = life.search()
        self.lives += 1
        self.states += found.states
        self.loud += life.loud
        self.open += life.open
        self.back += life.back
        if not found.safe:
            self.wrong += 1
            self.worst = shortest(found, self.worst)

    @property
    def counts(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "worst"}


def tally(lives: Iterable[Life]) -> Tally:
    """Search them all. They have the same columns."""
    found, shared = Tally(), Shared()
    for life in lives:
        shared = shared.or_fresh()
        found.add(life, shared)
    return found
