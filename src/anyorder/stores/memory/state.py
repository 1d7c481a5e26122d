"""What the store in memory holds."""

from __future__ import annotations

import copy
from typing import NamedTuple

from anyorder._core.fold import Limits
from anyorder._core.reset import Growth
from anyorder.guard.contract import (
    Entry,
    Recorded,
)


class Row(NamedTuple):
    """A key, its packed memory and when it was written."""

    key: dict[str, object]
    memory: str
    since: float


class State:
    """Everything the store holds. `rows` are the user's tables."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, dict[str, object]]] = {}
        self.memories: dict[str, dict[str, Row]] = {}
        self.limits: dict[str, Limits] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        self.entries: dict[int, Entry] = {}
        self.retries: set[int] = set()
        self.runs: dict[str, tuple[str, ...]] = {}
        self.growths: dict[str, Growth] = {}
        self.frontiers: dict[str, str] = {}
        self.catalogue: dict[str, Recorded] = {}

    def copied(self) -> State:
        """Two levels deep; what lies below is immutable or replaced whole."""
        state = State()
        for name, value in vars(self).items():
            setattr(
                state,
                name,
                {key: copy.copy(one) for key, one in value.items()}
                if isinstance(value, dict)
                else set(value),
            )
        return state
