"""Changes of a table, and the orders in which they are delivered: the workload on which anyorder
stands beside others.

A source holds rows of an id and three columns. Every change has a position, `seq`, that rises along
the source. The truth is the fold of the changes in that order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import NamedTuple

COLUMNS = ("a", "b", "c")
CHANGES_A_KEY = 10
DELETED = 0.194  # of the changes of a row that is there: 15 % of all, at ten changes a key
REPEATED = 0.20
STRAGGLING = 0.005
TWINNED = 0.01
OPPOSITE = 0.2  # of the twins of a put: a delete
FIRST_POSITION = 24_000_000
SHORTEST, LONGEST = 30, 50  # characters that fill up a value
Row = dict[str, object]


class Change(NamedTuple):
    """One change at the source. `fields`: the columns that it names; none if it deletes."""

    key: int
    seq: int
    deleted: bool
    fields: Mapping[str, str]

    def document(self) -> Row:
        """As a consumer sees it: what it does not name is not there."""
        return {"id": self.key, "seq": self.seq, "deleted": self.deleted, **self.fields}


def changes(random: Random, events: int, *, partial: bool = False) -> list[Change]:
    """In the order of the source. A row that was deleted is created again by the next change of its
    key. `partial`: an update names some of the columns only."""
    keys = events // CHANGES_A_KEY
    living: set[int] = set()
    found = []
    for number in range(events):
        key, seq = random.randrange(keys), FIRST_POSITION + 80 * number
        if key not in living:
            living.add(key)
            found.append(_put(random, key, seq, COLUMNS))
        elif random.random() < DELETED:
            living.discard(key)
            found.append(Change(key, seq, deleted=True, fields={}))
        else:
            found.append(_put(random, key, seq, _some(random) if partial else COLUMNS))
    return found


def _put(random: Random, key: int, seq: int, columns: Iterable[str]) -> Change:
    fields = {column: f"{column}{seq}{_filling(random)}" for column in columns}
    return Change(key, seq, deleted=False, fields=fields)


def _filling(random: Random) -> str:
    return chr(random.randrange(97, 123)) * random.randrange(SHORTEST, LONGEST)


def _some(random: Random) -> list[str]:
    chosen = random.randrange(1, 2 ** len(COLUMNS))  # a bit a column
    return [column for bit, column in enumerate(COLUMNS) if chosen >> bit & 1]


def twinned(random: Random, made: Sequence[Change]) -> list[Change]:
    """One change in a hundred gets a twin: the same key and position, other content. No rule over
    positions decides between the two."""
    chosen = set(random.sample(range(len(made)), int(len(made) * TWINNED)))
    found = []
    for place, change in enumerate(made):
        found.append(change)
        if place in chosen:
            found.append(_twin(random, change))
    return found


def _twin(random: Random, change: Change) -> Change:
    if change.deleted or random.random() >= OPPOSITE:
        return _put(random, change.key, change.seq, COLUMNS)
    return Change(change.key, change.seq, deleted=True, fields={})


class Delivered(NamedTuple):
    """Places of changes in the order of their arrival. `stragglers` come after everything else."""

    first: list[int]
    stragglers: list[int]

    @property
    def everything(self) -> list[int]:
        """All of it, in one go."""
        return [*self.first, *self.stragglers]


def in_order(events: int) -> Delivered:
    """As they happened."""
    return Delivered(list(range(events)), [])


def displaced(
    random: Random, events: int, *, repeated: bool = False, straggling: bool = False
) -> Delivered:
    """By up to 1,000 deliveries at 200,000 events. `repeated`: a fifth comes once more.
    `straggling`: some come after everything else."""
    late = set(random.sample(range(events), int(events * STRAGGLING))) if straggling else set()
    prompt = [place for place in range(events) if place not in late]
    if repeated:
        prompt += random.choices(prompt, k=int(events * REPEATED))
    window = events // 200
    arriving = sorted((place + random.randrange(window), place) for place in prompt)
    return Delivered([place for _, place in arriving], random.sample(sorted(late), len(late)))


def truth(made: Iterable[Change]) -> dict[int, Row]:
    """The rows that the source ends with."""
    rows: dict[int, Row] = {}
    for change in made:
        if change.deleted:
            rows.pop(change.key, None)
        else:
            before = rows.get(change.key, {"id": change.key, **dict.fromkeys(COLUMNS)})
            rows[change.key] = {**before, **change.fields}
    return rows


def undecided(made: Iterable[Change]) -> set[int]:
    """Keys whose newest position belongs to two changes."""
    positions = Counter((change.key, change.seq) for change in made)
    newest = dict(sorted(positions))
    return {key for key, seq in newest.items() if positions[key, seq] > 1}
