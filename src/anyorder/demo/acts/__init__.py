"""The five acts, in order. Each is a function of the seed."""

from __future__ import annotations

from collections.abc import Callable

from anyorder.demo.acts import overtaken, recorded, retention, together, valentine
from anyorder.demo.blocks import Act

SEED = 266
TITLES: dict[int, str] = {
    1: overtaken.TITLE,
    2: recorded.TITLE,
    3: together.TITLE,
    4: valentine.TITLE,
    5: retention.TITLE,
}
WAITING: dict[int, str] = {5: retention.WAITING}  # what a person reads while an act is played
ACTS: dict[int, Callable[[int], Act]] = {
    1: overtaken.act,
    2: recorded.act,
    3: together.act,
    4: valentine.act,
    5: retention.act,
}
