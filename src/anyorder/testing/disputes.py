"""The check of an operator's word: what a person settles stays so, whatever comes again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from anyorder._core.batch import identity_of
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Content, Entry
from anyorder.guard.quarantine import Quarantine
from anyorder.testing.bench import NEVER, Bench
from anyorder.testing.change import Change, Row, decode, put
from anyorder.testing.place import MakeStore, sample_of
from anyorder.testing.stops import MOST_CALLS, Crashed, Stop, hooked

VERSION = 5
CONTENTS: tuple[dict[str, Any] | None, ...] = ({"x": "a", "y": "a"}, {"x": "b", "y": "b"}, None)
"""What claims one version of a key: two puts and a delete."""
UNLISTED = {"x": "c", "y": "c"}


class Play(NamedTuple):
    """One key: the order in which its contents come, all in one batch or one by one, and which one
    a person accepts; None: the dispute is dropped."""

    key: int
    order: Sequence[int]
    together: bool
    accepted: int | None

    @property
    def contents(self) -> list[Change]:
        """In the order in which they come."""
        return [Change(self.key, VERSION, CONTENTS[place]) for place in self.order]

    @property
    def batches(self) -> list[list[Change]]:
        """As they are delivered."""
        return [self.contents] if self.together else [[one] for one in self.contents]


def check_disputes(make_store: MakeStore) -> str:
    """An operator's word is final: the entry of a dispute lists every content, whichever came
    first; the one that is accepted, or what is shown when it is dropped, stays whatever comes
    again, until something newer comes.

    What came after the word opens a new entry. A word whose process dies at any call to the driver
    can be given again.
    """
    plays = list(_plays())[:: sample_of(make_store)]
    with Bench("disputes", make_store, NEVER) as bench:
        for play in plays:
            for batch in play.batches:
                bench.deliver(batch)
        for play in plays:
            _Scene(bench, play).play()
    _check_incomparable(make_store)
    crashes = sum(1 for _ in _crashes(make_store))
    return (
        f"{len(plays)} disputes of 3 contents, clocks that do not compare, {crashes} places to die"
    )


def _plays() -> Iterator[Play]:
    orders = itertools.permutations(range(len(CONTENTS)))
    words = (*range(len(CONTENTS)), None)
    for key, (order, together, accepted) in enumerate(
        itertools.product(orders, (False, True), words)
    ):
        yield Play(key, order, together, accepted)


class _Scene:
    """One key on its way."""

    def __init__(self, bench: Bench, play: Play) -> None:
        self._bench = bench
        self._play = play
        self._quarantine = Quarantine(bench.store, bench.spec, decode)

    def play(self) -> None:
        key, contents = self._play.key, self._play.contents
        row = self._settle()
        self._expect([*contents, *reversed(contents)], Reason.DUPLICATE, row)
        self._expect_open(0)

        # Nobody has said a word about it.
        unlisted = Change(key, VERSION, UNLISTED)
        self._expect([unlisted], Reason.CONFLICT, row)
        self._expect([unlisted, *contents], Reason.DUPLICATE, row)
        self._expect_open(1)
        if key % 2:
            self._word(UNLISTED)
            self._expect([unlisted, *contents], Reason.DUPLICATE, UNLISTED)
        newer = put(key, VERSION + 1)
        self._expect([newer], Reason.APPLIED, newer.fields)
        self._expect([unlisted, *contents], Reason.STALE, newer.fields)
        self._expect_open(0)

    def _settle(self) -> Row | None:
        """The word is given. What the row shows from then on."""
        place = self._play.accepted
        entry = self._the_open()
        found = sorted(one.identity for one in entry.contents)
        wanted = sorted(identity_of(one.event()) for one in self._play.contents)
        numbers = [one.number for one in entry.contents]
        if found != wanted or numbers != [1, 2, 3]:
            raise self._failed(f"the entry lists {found} as {numbers}, not {wanted}")
        if place is None:
            before = self._row()
            self._quarantine.drop(entry.id, of=len(found))
            self._bench.steps.append(f"drop {self._play.key!r} @{VERSION}")
            return before
        self._word(CONTENTS[place])
        return CONTENTS[place]

    def _word(self, fields: dict[str, Any] | None) -> None:
        change = Change(self._play.key, VERSION, fields)
        identity = identity_of(change.event())
        entry = self._the_open()
        numbers = [one.number for one in entry.contents if one.identity == identity]
        if not numbers:
            raise self._failed(f"{change} is held, and the open entry does not list it")
        self._quarantine.accept(entry.id, content=numbers[0])
        self._bench.steps.append(f"accept {change}")
        closed = self._quarantine.show(entry.id)
        chosen = [one.identity for one in closed.contents if one.chosen]
        if closed.state != "accepted" or chosen != [identity]:
            raise self._failed(f"{change} was accepted; the entry is {closed.state}, of {chosen}")

    def _open(self) -> list[Entry]:
        key = {"id": self._play.key}
        found = [one for one in self._quarantine.entries() if one.key == key]
        return [self._quarantine.show(one.id) for one in found]

    def _the_open(self) -> Entry:
        """The one open entry of the key."""
        self._expect_open(1)
        return self._open()[0]

    def _expect_open(self, number: int) -> None:
        found = self._open()
        if len(found) != number:
            raise self._failed(f"{len(found)} entries are open, not {number}")

    def _expect(
        self,
        changes: Sequence[Change],
        wanted: Reason,
        row: Mapping[str, object] | None,
    ) -> None:
        """Each of these, alone, ends so, and the row is this one."""
        for change in changes:
            (reason,) = self._bench.deliver([change])
            if reason is not wanted:
                raise self._failed(f"{change} ended as {reason}, not as {wanted}")
            if self._row() != row:
                raise self._failed(f"after {change} the row is {self._row()}, not {row}")

    def _row(self) -> Row | None:
        return self._bench.rows().get(self._play.key)

    def _failed(self, problem: str) -> Exception:
        return self._bench.failed(problem, self._play.key)


def _check_incomparable(make_store: MakeStore) -> None:
    """What a word replaced, though nothing tells which of the two is newer, asks nothing again."""
    before = put(1, VERSION)
    accepted = Change(1, VERSION - 2, {"x": "z", "y": "z"}, scope="another clock")
    with Bench("disputes", make_store, NEVER) as bench:
        bench.deliver([before, accepted])
        quarantine = Quarantine(bench.store, bench.spec, decode)
        (entry,) = quarantine.entries()
        quarantine.accept(entry.id)
        bench.steps.append(f"accept {accepted}")
        found = bench.deliver([before, accepted, before])
        if found != [Reason.DUPLICATE] * len(found):
            raise bench.failed(f"what a word chose, and what it replaced, ended as {found}", 1)
        if bench.rows() != {1: accepted.fields}:
            raise bench.failed(f"{accepted} was accepted, and the rows are {bench.rows()}", 1)


def _crashes(make_store: MakeStore) -> Iterator[int]:
    """A person's word, and the process dies there; then he says it again, or another one."""
    step = sample_of(make_store)
    for at in range(1, MOST_CALLS, step):
        if not _crashed_at(make_store, at, again=at // step % 2 == 0):
            return
        yield at


def _crashed_at(make_store: MakeStore, at: int, *, again: bool) -> bool:
    first, second, _ = CONTENTS
    told = [Change(1, VERSION, first), Change(1, VERSION, second)]
    with Bench("disputes", make_store, NEVER) as bench:
        for change in told:
            bench.deliver([change])
        stop, victim = Stop(at, crash=True), bench.connect()
        try:
            _say(Quarantine(hooked(bench, victim, stop), bench.spec, decode), told[0])
        except Crashed:
            bench.steps.append(f"crashed accepting {told[0]} {stop.where}")
        victim.close()
        bench.deliver([*told])
        chosen = told[0] if again else told[1]
        quarantine = Quarantine(bench.store, bench.spec, decode)
        if quarantine.entries():
            _say(quarantine, chosen)
        elif stop.reached.is_set():
            chosen = told[0]
        bench.steps.append(f"accept {chosen}")
        found = bench.deliver([*told, *told])
        if found != [Reason.DUPLICATE] * len(found):
            raise bench.failed(f"what a word settled ended as {found}", 1)
        if stop.reached.is_set() and bench.rows() != {1: chosen.fields}:
            raise bench.failed(f"{chosen} was accepted, and the rows are {bench.rows()}", 1)
        if bench.held():
            raise bench.failed(f"a word was given, and {bench.held()} is open", 1)
        return stop.reached.is_set()


def _say(quarantine: Quarantine, change: Change) -> None:
    (entry,) = quarantine.entries()
    quarantine.accept(entry.id, content=_number(quarantine.show(entry.id).contents, change))


def _number(contents: Sequence[Content], change: Change) -> int:
    (content,) = [one for one in contents if one.identity == identity_of(change.event())]
    return content.number
