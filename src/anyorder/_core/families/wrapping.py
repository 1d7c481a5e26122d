"""Numbers that are told in 32 bits and begin again at 0 beyond them: a place in a binlog that has
grown over 4 GiB, a CloudEvents counter. No round is told from the next, so two that are far apart
do not compare."""

from __future__ import annotations

HALF = 2**31  # of two nearer ones, the greater is later: nothing moves half a round unseen
PLACES = {"binlog": 1, "integer32-wrap": 0}
"""Kind of clock -> which of its numbers wraps. Those before it do not."""


def is_wrapped(kind: str, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """May one of the two be of another round than the other?"""
    place = PLACES.get(kind)
    # Of two binlogs the later one is later, wherever in it.
    if place is None or one[:place] != other[:place]:
        return False
    # Where a life begins (life.py) is below every number that is told.
    if min(one[place], other[place]) < 0:
        return False
    return abs(one[place] - other[place]) > HALF


def half_round(kind: str, value: tuple[int, ...]) -> tuple[int, ...]:
    """What two positions share of which the greater is certainly later: all before the number that
    wraps, and its half of the round. Nothing of a kind that never wraps."""
    place = PLACES.get(kind)
    if place is None:
        return ()
    return (*value[:place], value[place] // HALF)
