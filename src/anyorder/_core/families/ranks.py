"""Positions that are the ranks of a status: queued, sent, delivered.

What is stored of one is its chain: the list up to its own rank. Of two chains of which one begins
the other, both lists say how their ends stand to each other, whatever each list says beyond them;
so ranks may be added behind a list, and those before an added one still compare. Any other two are
of lists that contradict each other, or say nothing, and nobody guesses.

    tempting                               | it fails on
    ---------------------------------------+---------------------------------------------------
    the place alone                        | a list that was put in another order: what was sent
                                           | counts as delivered
    the chain of the whole list            | a list that has grown by one status: every row of
                                           | before is a conflict
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

RANK = "rank"


def chain(ranks: Sequence[str], place: int) -> str:
    """The list up to a rank, as a text."""
    return msgspec.json.encode(ranks[: place + 1]).decode()


def is_of_other_list(one: str, other: str) -> bool:
    """Is neither of two chains the beginning of the other?"""
    shorter, longer = sorted((one, other), key=len)
    # In JSON a text ends where it ends, so what begins so has these very ranks.
    return one != other and not longer.startswith(f"{shorter[:-1]},")


def rank_of(chain: str) -> str:
    """The rank that a chain ends with."""
    ranks: list[str] = msgspec.json.decode(chain)
    return ranks[-1]
