"""What happened at a provider, and how it is posted: shuffled, doubled, with two changes in one
second, and with objects whose creation comes long after their end."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

START = 1_789_028_000  # seconds since 1970
STATUSES = ("trialing", "active", "past_due", "unpaid", "paused")


class Change(NamedTuple):
    """One event. `status`: None where the object was deleted."""

    key: str
    second: int
    status: str | None
    is_first: bool = False

    @property
    def kind(self) -> str:
        """The last word of its type."""
        if self.status is None:
            return "deleted"
        return "created" if self.is_first else "updated"


class History(NamedTuple):
    """`posts`: as they are sent. `tied`: keys whose last second has two contents, with the statuses
    that they may show; `final`: the status of every other key, None where it is deleted."""

    posts: Sequence[Change]
    tied: dict[str, set[str | None]]
    final: dict[str, str | None]

    @property
    def overtaken(self) -> set[str]:
        """Keys that had a tie, which something newer has ended."""
        return {change.key for change in self.posts if change.status == "tied"} - set(self.tied)

    @property
    def deleted(self) -> set[str]:
        """Keys that must have no row."""
        return {key for key, status in self.final.items() if status is None}


def history(posts: int, seed: int) -> History:
    """A history of half as many events: each is posted twice."""
    chance = random.Random(seed)
    changes: list[Change] = []
    number = 0
    while len(changes) < posts // 2:
        life = _life(f"sub_{number}", number, chance)
        changes += life[: posts // 2 - len(changes)]
        number += 1
    sent = [*changes, *changes]
    chance.shuffle(sent)
    return History(_ends_first(sent), *_ends(changes))


def _life(key: str, number: int, chance: random.Random) -> list[Change]:
    """The changes of one object, in order. Every fifth ends in a tie, every fifth has one in the
    middle, two of five are deleted."""
    second = START + chance.randrange(1000)
    life = [Change(key, second, "incomplete", is_first=True)]
    for status in chance.sample(STATUSES, chance.randrange(2, 5)):
        second += chance.randrange(1, 90)
        life.append(Change(key, second, status))
    match number % 5:
        case 0:
            life.append(Change(key, second, "tied"))
        case 1:
            life.insert(2, Change(key, life[1].second, "tied"))
        case 2 | 3:
            life.append(Change(key, second + chance.randrange(1, 90), None))
    return life


def _ends_first(posts: list[Change]) -> list[Change]:
    """What was deleted is created afterwards, as far as the posts tell it, for every second key."""
    ends = {change.key for change in posts if change.status is None and hash_of(change.key) % 2}
    first = [change for change in posts if change.key in ends and change.status is None]
    last = [change for change in posts if change.key in ends and change.is_first]
    rest = [change for change in posts if change not in first and change not in last]
    return [*first, *rest, *last]


def hash_of(key: str) -> int:
    """The number in a key."""
    return int(key.rpartition("_")[2])


def _ends(changes: Iterable[Change]) -> tuple[dict[str, set[str | None]], dict[str, str | None]]:
    ends: dict[str, list[Change]] = {}
    for change in changes:
        latest = ends.setdefault(change.key, [change])
        if change.second > latest[0].second:
            ends[change.key] = [change]
        elif change is not latest[0] and change.second == latest[0].second:
            latest.append(change)
    tied = {key: {one.status for one in ones} for key, ones in ends.items() if len(ones) > 1}
    final = {key: ones[0].status for key, ones in ends.items() if len(ones) == 1}
    return tied, final
