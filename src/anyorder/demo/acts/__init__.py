"""The five acts, in order. Each is a function of the seed."""

from __future__ import annotations

from collections.abc import Callable

from anyorder.demo.acts import overtaken, recorded, retention, together, valentine
from anyorder.demo.blocks import Act

SEED = 266
ACTS: dict[int, Callable[[int], Act]] = {
    1: overtaken.act,
    2: recorded.act,
    3: together.act,
    4: valentine.act,
    5: retention.act,
}
